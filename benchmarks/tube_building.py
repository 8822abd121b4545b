"""Seconds to build unary and multivariate tubes of a long video.

    OMP_NUM_THREADS=1 python benchmarks/tube_building.py --json tubes.json

Boxes of five classes move through a picture of 1280 x 720 pixels and turn back at its edges, with a little noise in
their places and any confidence, so that tubes cross and merge. Seconds are the median of three runs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from amiss.types import FloatArray, IntArray
from amiss.windows.tubing import Linking, multivariate_tubes, unary_tubes

PICTURE = np.array([1280.0, 720.0])
CLASSES = 5
RUNS = 3


def moving(frames: int, boxes: int) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """Frame, place, confidence and class of each box, in order of frames."""
    random = np.random.default_rng(0)
    size = random.uniform(40, 120, (boxes, 2))
    start, speed = random.uniform(0, 1280, (boxes, 2)), random.uniform(-4, 4, (boxes, 2))
    way = start + speed * np.arange(frames)[:, None, None]
    room = PICTURE - size
    near = room - np.abs(way % (2 * room) - room) + random.normal(0, 1, way.shape)
    xyxy = np.concatenate([near, near + size], axis=2).reshape(-1, 4).astype(np.float32)
    label = np.tile(random.integers(0, CLASSES, boxes), frames)
    return np.repeat(np.arange(frames), boxes), xyxy, random.uniform(0.3, 1, frames * boxes), label


def measure(build: Callable[[], list[IntArray]]) -> dict[str, Any]:
    """The median time, and how many tubes were kept."""
    times, tubes = [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        tubes = build()
        times.append(time.perf_counter() - start)
    return {"seconds": round(float(np.median(times)), 3), "tubes": len(tubes), "boxes": sum(map(len, tubes))}


def main() -> None:
    """Make the boxes once, then build both kinds of tubes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--boxes", type=int, default=20, help="in each frame")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    frame, xyxy, confidence, label = moving(given.frames, given.boxes)
    linking = Linking()
    found = {
        "frames": given.frames,
        "boxes": given.boxes,
        "unary": measure(lambda: unary_tubes(frame, xyxy, confidence, label, linking)),
        "multivariate": measure(lambda: multivariate_tubes(frame, xyxy, confidence, linking)),
    }
    text = json.dumps(found, indent=2)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
