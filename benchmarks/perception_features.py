"""Milliseconds a frame that the appearance features of one Ped2 clip take, by OpenVINO and by torch, as JSON.

    OMP_NUM_THREADS=1 python benchmarks/perception_features.py [--root ../shared/data/ped2] [--json features.json]

Boxes are given and tracked as in the pipeline; only `Features.update` is timed, in a second pass over the clip.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amiss.config import Config
from amiss.footage import FrameFolder
from amiss.perception import features
from amiss.perception.boxes import FileBoxes, tidy
from amiss.perception.embed import Embedder, OpenVinoEmbedder, TorchEmbedder
from amiss.perception.features import Features
from amiss.perception.tracks import Tracker
from amiss.types import Boxes, FloatArray, Frame, Image

CPU = torch.device("cpu")
EMBEDDERS = {"openvino": OpenVinoEmbedder, "torch": lambda network, _: TorchEmbedder(network, CPU)}

Scene = list[tuple[Frame, Boxes]]


def tracked(clip: Path, boxes: Path, config: Config) -> Scene:
    """Every frame of a clip with its tracked boxes."""
    settings = config.perception.boxes.model_copy(update={"path": boxes})
    source, tracker = FileBoxes(settings), Tracker(config.perception.tracks, config.footage.gap)
    source.reset(clip)
    frames = FrameFolder(clip, 10.0)
    return [(frame, tracker.update(frame, tidy(source.update(frame), settings, frame.size))) for frame in frames]


def measure(name: str, scene: Scene, config: Config) -> tuple[dict[str, float], list[FloatArray]]:
    """How long each frame takes once every size of batch has been seen, and what is found."""
    crops: list[int] = []
    spent: list[float] = []

    def counted(network: Any, _: torch.device, size: int) -> Embedder:
        embed = EMBEDDERS[name](network, size)

        def call(batch: Image) -> FloatArray:
            start = time.perf_counter()
            found = embed(batch)
            spent.append(time.perf_counter() - start)
            crops.append(len(batch))
            return found

        return call

    features.make_embedder = counted
    stage = Features(config.perception.features, CPU)
    for _ in range(2):
        stage.reset()
        crops.clear()
        spent.clear()
        found, times = [], []
        for frame, boxes in scene:
            start = time.perf_counter()
            found.append(stage.update(frame, boxes))
            times.append(time.perf_counter() - start)
    known = {
        "ms_a_frame": 1e3 * float(np.mean(times)),
        "ms_a_frame_median": 1e3 * float(np.median(times)),
        "ms_of_the_network": 1e3 * sum(spent) / len(times),
        "crops_a_frame": sum(crops) / len(times),
        "boxes_a_frame": float(np.mean([len(boxes) for _, boxes in scene])),
    }
    return known, found


def main() -> None:
    """Measure both on one clip."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("AMISS_DATA", "../shared/data")) / "ped2"
    parser.add_argument("--root", type=Path, default=default, help="folder of UCSD Ped2 with boxes_*.npz")
    parser.add_argument("--clip", default="01")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    config = Config()
    clip = arguments.root / "testing" / "frames" / arguments.clip
    scene = tracked(clip, arguments.root / "boxes_testing.npz", config)
    answers = {name: measure(name, scene, config) for name in EMBEDDERS}
    one, other = (np.concatenate(found) for _, found in answers.values())
    apart = np.linalg.norm(one - other, axis=1) / np.linalg.norm(other, axis=1)
    found = {name: known for name, (known, _) in answers.items()}
    report = {
        "source": config.perception.features.source,
        "frames": len(scene),
        "every": config.perception.features.every,
        "found": found,
        "largest_relative_difference": float(apart.max()),
        "machine": {"cores": os.cpu_count(), "processor": platform.processor() or platform.machine()},
    }
    text = json.dumps(report, indent=1)
    if arguments.json:
        arguments.json.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
