"""Archives on workers: how much faster two are than one, and what Ray costs beside plain processes.

    python benchmarks/archives.py --clips FOLDER [--model DIR] [--workers 2] [--rounds 3] [--json F]

Without a model one is learned from the first clips (`--learned 2`), with boxes from motion. The teams take turns, some
rounds each, with nothing in any cache; workers are started and warm before the clock is. One process has threads that
look ahead, and so uses more than one core where there are more: `one core` is a worker that may use a single one
(Linux). With `--frames` it is also measured how many frames a second come through Ray's object store, decoded by one
process and looked at by another, beside what comes when a path is sent and decoded there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amiss import scale
from amiss.config import Config, load_config
from amiss.engine import Model, learn, score_clips
from amiss.engine.progress import silent
from amiss.footage import Footage, VideoFile, find_footage
from amiss.scale.jobs import Place

ONE_CORE = "one core"


def main() -> None:
    """Measure, and print a table as JSON."""
    asked = arguments()
    os.environ["OMP_NUM_THREADS"] = "1"
    clips = find_footage([asked.clips])
    with tempfile.TemporaryDirectory() as passing:
        folder = Path(passing)
        model = model_of(asked, clips[: asked.learned], folder)
        rest = clips[asked.learned :]
        frames = sum(item.length or 0 for item in rest)
        names = "one process", ONE_CORE, "processes 1", f"processes {asked.workers}", f"ray {asked.workers}"
        found: dict[str, list[float]] = {name: [] for name in names}
        for number in range(asked.rounds):
            for name, times in found.items():
                times.append(measured(name, model, clips, rest, folder / f"{number} {name}"))
                print(f"{name}: {times[-1]:.1f} s", flush=True)  # a script for people
        result = summary(found, frames, asked.workers)
        if asked.frames:
            result["through_the_store"] = through_store(rest)
    text = json.dumps(result, indent=1)
    print(text)
    if asked.json:
        asked.json.write_text(text, encoding="utf-8")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--learned", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", action="store_true")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def model_of(asked: argparse.Namespace, clips: Sequence[Footage], folder: Path) -> Model:
    """The model that was given, or one that learns from some clips."""
    if asked.model:
        return Model.load(asked.model)
    config = load_config(sets=["perception.boxes.source=motion", f"cache={folder / 'learning'}"])
    return learn(clips, config=config)


def settled(model: Model, folder: Path, workers: int = 1) -> Model:
    """The model with a cache of its own."""
    changes: dict[str, Any] = {
        "cache": folder / "cache",
        "scale": model.config.scale.model_copy(update={"workers": workers}),
    }
    return Model(**{**vars(model), "config": Config.model_copy(model.config, update=changes)})


@contextmanager
def on_one_core() -> Iterator[None]:
    """While the block runs, this process and those that it starts have one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measured(name: str, model: Model, clips: Sequence[Footage], rest: Sequence[Footage], folder: Path) -> float:
    """Seconds in which all clips are scored."""
    if name == "one process":
        used = settled(model, folder)
        score_clips(used, clips[:1], folder / "warm", silent)
        begun = time.perf_counter()
        score_clips(used, rest, folder / "out", silent)
        return time.perf_counter() - begun
    if name == ONE_CORE:
        with on_one_core():
            return measured("processes 1", model, clips, rest, folder)
    kind, _, count = name.partition(" ")
    used = settled(model, folder, int(count))
    team = scale.make_team(kind, scale.scoring_setup(used), used.config.scale)
    try:
        scale.score_archive(used, places(clips[: int(count)]), folder / "warm", team, silent)
        begun = time.perf_counter()
        found = scale.score_archive(used, places(rest), folder / "out", team, silent)
        taken = time.perf_counter() - begun
    finally:
        team.close()
    if found.failures or found.fresh != len(rest):
        raise SystemExit(f"{name}: {len(found.failures)} clips failed, {found.fresh} of {len(rest)} were scored")
    return taken


def places(clips: Sequence[Footage]) -> list[Place]:
    """As an archive has them."""
    return [Place(str(item.path.absolute()), item.name) for item in clips]


def summary(found: dict[str, list[float]], frames: int, workers: int) -> dict[str, Any]:
    """Medians and ratios of runs that took turns."""
    middle = {name: statistics.median(times) for name, times in found.items()}

    def ratio(one: str, other: str) -> float:
        return round(statistics.median(a / b for a, b in zip(found[one], found[other], strict=True)), 3)

    many, ray = f"processes {workers}", f"ray {workers}"
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": [round(value, 1) for value in os.getloadavg()],
        "frames": frames,
        "seconds": {name: [round(value, 2) for value in times] for name, times in found.items()},
        "frames_per_second": {name: round(frames / value, 1) for name, value in middle.items()},
        f"{ray} over one process": ratio("one process", ray),
        f"{ray} over {ONE_CORE}": ratio(ONE_CORE, ray),
        f"{ray} over one worker": ratio("processes 1", ray),
        f"{many} over one worker": ratio("processes 1", many),
        "ray beside processes": ratio(ray, many),
    }


def processor() -> str:
    """Its name."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def through_store(clips: Sequence[Footage]) -> dict[str, float]:
    """Frames a second that reach a worker as decoded pictures, and as a path."""
    from amiss.scale.ray_team import connected

    ray = connected("ray", 2)

    @ray.remote
    def looked(image: Any) -> int:
        return int(image[0, 0, 0])

    @ray.remote
    def decoded(path: str) -> int:
        return sum(1 for _ in VideoFile(path))

    ray.get([decoded.remote(str(clips[0].path)) for _ in range(2)])
    begun, count = time.perf_counter(), 0
    for item in clips:
        ray.get([looked.remote(frame.image) for frame in item])
        count += item.length or 0
    store = count / (time.perf_counter() - begun)
    begun = time.perf_counter()
    total = sum(ray.get([decoded.remote(str(item.path.absolute())) for item in clips]))
    path = total / (time.perf_counter() - begun)
    ray.shutdown()
    return {"pictures": round(store, 1), "paths": round(path, 1)}


if __name__ == "__main__":
    main()
