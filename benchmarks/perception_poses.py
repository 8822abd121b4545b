"""Time of the pose stage against that of its network alone, on real footage, as JSON.

    AMISS_DATA=../shared/data python benchmarks/perception_poses.py [--frames 200] [--json poses.json]

People are found by person-vehicle-bike-detection-2004 and tracked before anything is timed. "stage" is crops, network,
joints in the picture and smoothing, asked on every frame; "network" is the same number of bare network calls. Each is
the quickest of three runs, and the default of every second frame is told beside. Networks lie in `AMISS_WEIGHTS`, or in
`weights` beside the footage.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from amiss.config import PosesConfig, TracksConfig
from amiss.footage import VideoFile
from amiss.perception.network import Network
from amiss.perception.poses import MOVENET, OPENPOSE, EverybodyPoses, NetworkPoses, PoseSource
from amiss.perception.skeleton import PoseSmoother
from amiss.perception.tracks import Tracker
from amiss.perception.weights import WEIGHTS as WEIGHTS_TABLE
from amiss.types import Boxes, Frame, Label

DATA = Path(os.environ.get("AMISS_DATA", "../shared/data"))
WEIGHTS = Path(os.environ.get("AMISS_WEIGHTS", DATA / "weights"))
DETECTOR, PERSON = "person-vehicle-bike-detection-2004.xml", 1
LEAST = 0.5


def people(network: Network, frame: Frame) -> Boxes:
    """The people that the detector sees, in pixels of the picture."""
    height, width = network.inputs[0][1][2:]
    small = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)[..., ::-1]
    found = network(small.transpose(2, 0, 1)[None].astype(np.float32))
    boxes = found["boxes"][(found["labels"] == PERSON) & (found["boxes"][:, 4] >= LEAST)]
    scale = np.tile(np.array(frame.size) / (width, height), 2)
    return Boxes(boxes[:, :4] * scale, boxes[:, 4].clip(0, 1), np.full(len(boxes), Label.PERSON))


def watched(frames: int) -> list[tuple[Frame, Boxes]]:
    """The first frames with their tracked people."""
    network, tracker = Network(WEIGHTS / DETECTOR), Tracker(TracksConfig(), 1.0)
    footage = islice(VideoFile(DATA / "sample" / "vtest.avi"), frames)
    return [(frame, tracker.update(frame, people(network, frame))) for frame in footage]


def quickest(*works: Callable[[], object]) -> list[float]:
    """Seconds of each, the quickest of three runs that take turns, so that a busy machine is busy for all."""
    taken = []
    for _ in range(3):
        for work in works:
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
    return [min(taken[index :: len(works)]) for index in range(len(works))]


def run(source: PoseSource, seen: list[tuple[Frame, Boxes]], smoothing: float) -> int:
    """Look for the poses of all frames; how many there are."""
    source.reset(None)
    smoother = PoseSmoother(smoothing)
    return sum(len(smoother.update(source.update(frame, boxes), boxes, frame.seconds)) for frame, boxes in seen)


def measure(kind: type[NetworkPoses] | type[EverybodyPoses], name: str, seen: list[tuple[Frame, Boxes]]) -> dict:
    """Seconds of stage and network; how many poses there are."""
    every, usual = PosesConfig(every=1), PosesConfig()
    path = WEIGHTS / WEIGHTS_TABLE[name].files[0].name
    source, thrifty, network = kind(every, path), kind(usual, path), Network(path)
    shape = network.inputs[0][1]
    dtype = np.uint8 if shape[-1] == 3 else np.float32
    picture = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    bodies = [int((boxes.xyxy[:, 3] - boxes.xyxy[:, 1] >= every.least).sum()) for _, boxes in seen]
    calls = sum(bodies) if kind is NetworkPoses else sum(count > 0 for count in bodies)
    network(picture)
    poses = run(source, seen, every.smoothing)
    stage, alone, default = quickest(
        lambda: run(source, seen, every.smoothing),
        lambda: [network(picture) for _ in range(calls)],
        lambda: run(thrifty, seen, usual.smoothing),
    )
    return {
        "bodies": sum(bodies),
        "poses": poses,
        "calls": calls,
        "network_ms_a_call": round(1000 * alone / calls, 2),
        "stage_ms_a_frame": round(1000 * stage / len(seen), 2),
        "network_ms_a_frame": round(1000 * alone / len(seen), 2),
        "stage_over_network": round(stage / alone, 3),
        "default_ms_a_frame": round(1000 * default / len(seen), 2),
    }


def main() -> None:
    """Measure both networks and print or write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    seen = watched(arguments.frames)
    report = {
        "benchmark": "perception_poses",
        "frames": len(seen),
        "network": measure(NetworkPoses, MOVENET, seen),
        "everybody": measure(EverybodyPoses, OPENPOSE, seen),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "opencv": cv2.__version__},
        "machine": platform.machine(),
    }
    text = json.dumps(report, indent=1)
    if arguments.json is None:
        print(text)
    else:
        arguments.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
