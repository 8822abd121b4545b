"""The default method end to end on a video, against its networks alone on the same frames and crops.

    AMISS_WEIGHTS=../shared/data/weights python benchmarks/attributes_speed.py --clip VIDEO [--set KEY=VALUE] [--json F]

The first part of the video is learned from; the part after it is scored with nothing in the cache: decoding, boxes,
tracks, flow, features, windows, scores, events. The networks alone are asked about the same pictures, made ready
before, and the same crops, as many at once as there are: nothing quicker can be built on them. Both take turns, and the
ratio is the median of the rounds'. Beside the clock the time of the processor is told, which depends less on what else
runs, and of each stage, of one more run frame by frame, the time of the thread that calls it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from amiss.config import load_config
from amiss.engine import Model, learn, score_clip
from amiss.engine.stream import Stream
from amiss.footage import Footage, open_footage
from amiss.perception.cache import content_key
from amiss.pipeline import Pipeline
from amiss.types import Frame, Image

LEARNED, SCORED, ROUNDS = 200, 100, 3
AT_ONCE = 10
"""Frames whose pictures are made ready for the networks at once."""
STAGES = {
    "boxes": ("update",),
    "tracker": ("update",),
    "flow": ("update", "skip"),
    "features": ("update", "ask", "compute", "rows"),
    "trails": ("update",),
    "windows": ("update",),
}


@dataclass(frozen=True)
class Part:
    """Some frames of a video, as footage of its own."""

    whole: Footage
    name: str
    first: int
    last: int

    @property
    def path(self) -> Path:
        """Where the video lies."""
        return self.whole.path

    @property
    def rate(self) -> float:
        """Of the video."""
        return self.whole.rate

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.last - self.first

    def fingerprint(self) -> str:
        """Of the video and which part."""
        return content_key(self.whole.fingerprint(), self.first, self.last)

    def __iter__(self) -> Iterator[Frame]:
        start = 0.0
        for frame in islice(self.whole, self.first, self.last):
            start = start if frame.index > self.first else frame.seconds
            yield replace(frame, index=frame.index - self.first, seconds=frame.seconds - start)


@contextmanager
def timed(into: list[tuple[float, float]]) -> Iterator[None]:
    """Note the seconds of the clock and of the processor that the block takes."""
    clock, busy = time.perf_counter(), time.process_time()
    yield
    into.append((time.perf_counter() - clock, time.process_time() - busy))


class Networks:
    """The detector and the network of features, asked about what the pipeline asked them about."""

    def __init__(self, model: Model, footage: Footage) -> None:
        self._pipeline = Pipeline(model.config, model.needs)
        self._frames = list(footage)
        self._crops: list[Image] = []
        features: Any = self._pipeline._features  # noqa: SLF001  # what it is asked is noted here
        self._embed = features._embed  # noqa: SLF001

        def note(crops: Image) -> Any:
            self._crops.append(crops)
            return self._embed(crops)

        features._embed = note  # noqa: SLF001
        self._pipeline.reset(footage.path)
        for frame in self._frames:
            self._pipeline.update(frame)
        features._embed = self._embed  # noqa: SLF001
        self.counts = {"pictures": 0, "crops": sum(map(len, self._crops))}

    def run(self, into: list[tuple[float, float]]) -> None:
        """Ask them all once more."""
        spent: list[tuple[float, float]] = []
        if network := self._pipeline.network:
            detector: Any = network._detector  # noqa: SLF001
            self.counts["pictures"] = 0
            for start in range(0, len(self._frames), AT_ONCE):
                pieces = [
                    piece for frame in self._frames[start : start + AT_ONCE] for piece in network.pieces(frame.image)
                ]
                blobs = [detector._blob(piece) for piece in pieces]  # noqa: SLF001
                self.counts["pictures"] += len(blobs)
                with timed(spent):
                    detector._network.many(blobs)  # noqa: SLF001
        crops = np.concatenate(self._crops)
        with timed(spent):
            self._embed(crops)
        into.append(tuple(map(sum, zip(*spent, strict=True))))  # type: ignore[arg-type]


def whole(model: Model, footage: Footage, into: list[tuple[float, float]]) -> None:
    """Score the clip with an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        model = replace(model, config=model.config.model_copy(update={"cache": Path(cache)}))
        with timed(into):
            score_clip(model, footage)


def stages_ms(model: Model, frames: Sequence[Frame]) -> dict[str, float]:
    """Milliseconds of its thread that each stage takes a frame, and all of them, frame by frame."""
    spent: dict[str, float] = {}

    def counted(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def run(*given: object) -> object:
            start = time.thread_time()
            found = call(*given)
            spent[name] = spent.get(name, 0.0) + time.thread_time() - start
            return found

        return run

    stream = Stream(model)
    for name, calls in STAGES.items():
        stage = getattr(stream.pipeline, f"_{name}")
        for call in calls:
            if hasattr(stage, call):
                setattr(stage, call, counted(name, getattr(stage, call)))
    stream_model: Any = model.method
    stream_model.score = counted("score", stream_model.score)
    begin, busy = time.thread_time(), time.process_time()
    for frame in frames:
        stream.update(frame)
    spent["rest"] = time.thread_time() - begin - sum(spent.values())
    spent["all_threads"] = time.process_time() - busy
    return {name: round(1000 * seconds / len(frames), 2) for name, seconds in spent.items()}


def decode_ms(footage: Footage) -> float:
    """Milliseconds of the processor that reading a frame takes."""
    busy = time.process_time()
    count = sum(1 for _ in footage)
    return round(1000 * (time.process_time() - busy) / count, 2)


def measure(clip: Path, sets: Sequence[str], learned: int, scored: int) -> dict[str, Any]:
    """Learn, score and time it."""
    video = open_footage(clip)
    with tempfile.TemporaryDirectory() as cache:
        config = load_config(sets=[*sets, f"cache={cache}"])
        model = learn([Part(video, "learned", 0, learned)], "attributes", config)
    footage = Part(video, "scored", learned, learned + scored)
    networks = Networks(model, footage)
    alone: list[tuple[float, float]] = []
    all_of_it: list[tuple[float, float]] = []
    for _ in range(ROUNDS + 1):
        networks.run(alone)
        whole(model, footage, all_of_it)
    alone, all_of_it = alone[1:], all_of_it[1:]  # the first compiles
    frames = list(footage)
    return {
        "benchmark": "attributes_speed",
        "clip": clip.name,
        "size": list(frames[0].size),
        "frames": scored,
        "boxes": model.config.perception.boxes.source,
        "asked": networks.counts,
        "frames_per_second": round(statistics.median(scored / clock for clock, _ in all_of_it), 1),
        "networks_alone_per_second": round(statistics.median(scored / clock for clock, _ in alone), 1),
        "ratio": round(statistics.median(a[0] / b[0] for a, b in zip(alone, all_of_it, strict=True)), 3),
        "cpu_ms": round(1000 * statistics.median(busy for _, busy in all_of_it) / scored, 2),
        "networks_alone_cpu_ms": round(1000 * statistics.median(busy for _, busy in alone) / scored, 2),
        "decode_cpu_ms": decode_ms(footage),
        "stages_ms": stages_ms(model, frames),
        "processor": processor(),
        "cores": os.cpu_count(),
    }


def processor() -> str:
    """What the system calls its processor."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def main() -> None:
    """Measure, and print or write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--learned", type=int, default=LEARNED)
    parser.add_argument("--scored", type=int, default=SCORED)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    text = json.dumps(measure(asked.clip, asked.sets, asked.learned, asked.scored), indent=1)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
