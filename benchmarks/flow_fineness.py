"""How far quicker settings of the flow depart from the default, and what they save.

    python benchmarks/flow_fineness.py --clip VIDEO [--json F]

Of forty frames, where the default's flow is more than a pixel: the mean distance of each setting's vectors from the
default's and their mean length, both as shares of the mean length of the default's; and its time of one thread, as a
share of the default's.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from amiss.config import FlowConfig
from amiss.footage import open_footage
from amiss.perception.flow import DisFlow
from amiss.types import FloatArray, Frame

FIRST, LAST = 100, 140
SETTINGS = {
    "scale=0.75": FlowConfig(scale=0.75),
    "scale=0.5": FlowConfig(scale=0.5),
    "preset=ultrafast": FlowConfig(preset="ultrafast"),
    "preset=medium": FlowConfig(preset="medium"),
}


def flows(config: FlowConfig, frames: Sequence[Frame]) -> tuple[list[FloatArray], float]:
    """The flow of all frames but the first two, and seconds of this thread."""
    source = DisFlow(config)
    for frame in frames[:2]:
        source.update(frame)
    start = time.thread_time()
    return [source.update(frame) for frame in frames[2:]], time.thread_time() - start


def main() -> None:
    """Measure, and print or write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    frames = list(islice(open_footage(asked.clip), FIRST, LAST))
    usual, seconds = flows(FlowConfig(), frames)
    moves = [np.hypot(flow[..., 0], flow[..., 1]) for flow in usual]
    length = float(np.mean([size[size > 1].mean() for size in moves if (size > 1).any()]))
    rows = {}
    for name, config in SETTINGS.items():
        found, spent = flows(config, frames)
        pairs = [(a - b, a, size > 1) for a, b, size in zip(found, usual, moves, strict=True) if (size > 1).any()]
        apart = np.mean([np.hypot(d[..., 0], d[..., 1])[where].mean() for d, _, where in pairs])
        long = np.mean([np.hypot(a[..., 0], a[..., 1])[where].mean() for _, a, where in pairs])
        rows[name] = {"distance": round(float(apart) / length, 2), "length": round(float(long) / length, 2)}
        rows[name] |= {"time": round(spent / seconds, 2)}
    report = {"benchmark": "flow_fineness", "size": list(frames[0].size), "settings": rows}
    print(json.dumps(report, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
