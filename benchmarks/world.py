"""How fast the synthetic world renders, as JSON.

Run with `OMP_NUM_THREADS=1` to measure one core:

    OMP_NUM_THREADS=1 python benchmarks/world.py [--seconds 20] [--json world.json]
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from pathlib import Path

import cv2
import numpy as np

from amiss.footage.world import PLACES, World


def measure(place: str, seconds: float) -> dict[str, float]:
    """Frames a second of rendering with boxes and joints, and with masks as well, without setting up.

    Args:
        place: Name of the place.
        seconds: Length of the footage.
    """
    found: dict[str, float] = {}
    for kind in ("boxes_and_joints", "with_masks"):
        world = World(place, act=PLACES[place].abnormal[0], seconds=seconds)
        begin = time.perf_counter()
        scenes = world.scenes()
        next(scenes)
        started = time.perf_counter()
        things = sum(len(scene.boxes) + (int(scene.mask[0, 0]) if kind == "with_masks" else 0) for scene in scenes)
        ended = time.perf_counter()
        found[f"frames_per_second_{kind}"] = round((world.length - 1) / (ended - started), 1)
        found["seconds_until_first_frame"] = round(started - begin, 2)
        found["things_per_frame"] = round(things / world.length, 1)
    return found


def main() -> None:
    """Measure every place and print or write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    settings = parser.parse_args()
    cv2.setNumThreads(1)
    report = {
        "benchmark": "world",
        "size": [640, 360],
        "places": {place: measure(place, settings.seconds) for place in PLACES},
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "opencv": cv2.__version__},
        "machine": platform.machine(),
    }
    text = json.dumps(report, indent=1)
    if settings.json is None:
        print(text)
    else:
        settings.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
