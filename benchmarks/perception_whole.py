"""Whole perception (boxes, tracks, flow, features, windows) against the detector's own time on the same frames.

    AMISS_WEIGHTS=../shared/data/weights python benchmarks/perception_whole.py --clip CLIP [--tiles N] [--json F]

The frames are read before, so that decoding does not count. Detector and pipeline take turns, some rounds of all frames
each; the ratio is the median of the rounds'. A second run of the pipeline over the footage reads the cache.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from amiss.config import BoxesConfig, Config, load_config
from amiss.engine.model import make_method
from amiss.footage import find_footage
from amiss.perception.network_boxes import NetworkBoxes
from amiss.pipeline import Pipeline
from amiss.types import Frame
from attributes_speed import STAGES

FRAMES, ROUNDS = 180, 3


def per_frame_ms(look: Callable[[Frame], object], frames: Sequence[Frame]) -> float:
    """Milliseconds a frame."""
    start = time.perf_counter()
    for frame in frames:
        look(frame)
    return 1000 * (time.perf_counter() - start) / len(frames)


def stages_ms(pipeline: Pipeline, frames: Sequence[Frame]) -> dict[str, float]:
    """Milliseconds a frame of each stage, by timing its own call."""
    spent: dict[str, float] = {}

    def timed(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def run(*given: object) -> object:
            start = time.perf_counter()
            found = call(*given)
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - start
            return found

        return run

    for name, calls in STAGES.items():
        stage = getattr(pipeline, f"_{name}")
        for one in calls:
            if hasattr(stage, one):
                setattr(stage, one, timed(name, getattr(stage, one)))
    for frame in frames:
        pipeline.update(frame)
    return {name: round(1000 * seconds / len(frames), 2) for name, seconds in spent.items()}


def cached_ratio(config: Config, clip: Path) -> float:
    """How many times faster a second run over the footage is."""
    (footage,) = find_footage([clip], config.footage.fps)
    with tempfile.TemporaryDirectory() as cache:
        given = config.model_copy(update={"cache": Path(cache)})
        seconds = []
        for _ in range(2):
            pipeline = Pipeline(given, make_method("attributes", given).needs)
            start = time.perf_counter()
            pipeline.part(footage)
            seconds.append(time.perf_counter() - start)
    return seconds[0] / seconds[1]


def main() -> None:
    """Measure, and print or write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, required=True, help="a video, or a folder of frames")
    parser.add_argument("--tiles", type=int, default=BoxesConfig().tiles)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    config = load_config(sets=["perception.boxes.source=network", f"perception.boxes.tiles={asked.tiles}"])
    (footage,) = find_footage([asked.clip], config.footage.fps)
    frames = [frame for frame in footage if frame.index < FRAMES]
    needs = make_method("attributes", config).needs
    detector, pipeline = NetworkBoxes(config.perception.boxes), Pipeline(config, needs)
    rounds = []
    for _ in range(ROUNDS + 1):
        pipeline.reset()
        rounds.append((per_frame_ms(detector.update, frames), per_frame_ms(pipeline.update, frames)))
    alone, whole = (statistics.median(column) for column in zip(*rounds[1:], strict=True))  # the first compiles
    pipeline.reset()
    report = {
        "benchmark": "perception_whole",
        "clip": asked.clip.name,
        "tiles": asked.tiles,
        "frames": len(frames),
        "detector_ms": round(alone, 2),
        "whole_ms": round(whole, 2),
        "ratio": round(statistics.median(b / a for a, b in rounds[1:]), 2),
        "frames_per_second": round(1000 / whole, 1),
        "stages_ms": stages_ms(pipeline, frames),
        "second_run_times_faster": round(cached_ratio(config, asked.clip), 1),
    }
    text = json.dumps(report, indent=1)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
