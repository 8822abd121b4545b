"""Frames a second and peak memory of scoring one Ped2 clip, and the same clip ten times over.

    python benchmarks/scoring.py --root ../shared/data/ped2 --json scoring.json

Boxes are given; reading, tracking, flow, features, scores and events are measured, without the report. Each length runs
in a process of its own with an empty cache, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import amiss
from amiss.footage import FrameFolder
from amiss.types import Frame

CLIP = "01"


class Repeated(FrameFolder):
    """A clip several times over, with time running on."""

    times = 1

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        for _ in range(self.times):
            for frame in super().__iter__():
                yield Frame(frame.image, index, index / self.rate)
                index += 1


def repeat_boxes(root: Path, times: int, path: Path) -> None:
    """The clip's boxes as often, in a file of their own."""
    given = np.load(root / "boxes_testing.npz")
    boxes, rows = given[f"{CLIP}_boxes"], given[f"{CLIP}_frame_ptr"]
    starts = np.concatenate([rows[:-1] + turn * len(boxes) for turn in range(times)] + [[times * len(boxes)]])
    np.savez(path, **{f"{CLIP}_boxes": np.tile(boxes, (times, 1)), f"{CLIP}_frame_ptr": starts})


def peak_rss_mb() -> float:
    """Peak resident memory of this process alone; Linux hands a parent's peak down in `getrusage`."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def measure(root: Path, model: Path, times: int, answer: multiprocessing.Queue) -> None:
    """Score in this process and tell how it went."""
    with tempfile.TemporaryDirectory() as folder:
        repeat_boxes(root, times, Path(folder) / "boxes.npz")
        loaded = amiss.load(model)
        perception = loaded.config.perception
        boxes = perception.boxes.model_copy(update={"path": Path(folder) / "boxes.npz"})
        changed = {"perception": perception.model_copy(update={"boxes": boxes}), "cache": Path(folder) / "cache"}
        used = amiss.Model(**{**vars(loaded), "config": loaded.config.model_copy(update=changed)})
        footage = Repeated(root / "testing" / "frames" / CLIP, 10.0)
        footage.times = times
        start = time.perf_counter()
        scores = used.score(footage)
        seconds = time.perf_counter() - start
    peak = peak_rss_mb()
    frames = len(scores.frames)
    answer.put({"times": times, "frames": frames, "frames_per_second": frames / seconds, "peak_rss_mb": peak})


def main() -> None:
    """Learn once, then measure each length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of UCSD Ped2 with boxes_*.npz")
    parser.add_argument("--json", type=Path, required=True)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "ped2.amiss"
        training = arguments.root / "training" / "frames"
        amiss.learn(training, settings=["perception.boxes.source=file", "footage.fps=10"]).save(model)
        for times in (1, 10):
            answer: multiprocessing.Queue = context.Queue()
            process = context.Process(target=measure, args=(arguments.root, model, times, answer))
            process.start()
            found.append(answer.get())
            process.join()
    arguments.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
