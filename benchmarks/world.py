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
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from amiss.footage.world import PLACES, Scene, World


def measure(place: str, seconds: float, look: Callable[[Scene], object]) -> dict[str, float]:
    """Frames a second, without the setting up before the first frame.

    Args:
        place: Name of the place.
        seconds: Length of the footage.
        look: What is asked of every frame.
    """
    world = World(place, act=PLACES[place].abnormal[0], seconds=seconds)
    begin = time.perf_counter()
    scenes = world.scenes()
    next(scenes)
    first = time.perf_counter()
    things = 0
    for scene in scenes:
        look(scene)
        things += len(scene.boxes)
    rest = world.length - 1
    return {
        "frames_per_second": round(rest / (time.perf_counter() - first), 1),
        "seconds_until_first_frame": round(first - begin, 2),
        "things_per_frame": round(things / rest, 1),
    }


_LOOKS: dict[str, Callable[[Scene], object]] = {
    "boxes_and_joints": lambda scene: (scene.boxes, scene.poses),
    "and_masks": lambda scene: scene.mask,
}


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
        "places": {
            place: {name: measure(place, settings.seconds, look) for name, look in _LOOKS.items()} for place in PLACES
        },
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
