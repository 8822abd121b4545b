"""Ped2 recast for labels of whole videos: test clips take turns in being unknown.

    python benchmarks/weak_ped2.py --root PED2 --json weak_ped2.json

Training clips 01 to 12 are normal bags, and the last four normal videos to test on. Of the test clips, in each of which
something abnormal happens, all but one are abnormal bags; what was learned is tested on that one, clip after clip. VAUC
is the share of pairs of an unknown abnormal and a normal video, scored by the same model, that are in order.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console

from amiss import metrics
from amiss.config import Config, load_config
from amiss.console import ProgressDisplay
from amiss.datasets import DATASETS, Clip, Dataset
from amiss.engine import learn, score_clip
from amiss.engine.bench import with_preset
from amiss.engine.videos import video_of
from amiss.footage import make_footage
from amiss.methods import METHODS
from amiss.methods.base import Progress

KNOWN = 12
"""Training clips that are learned from."""


def one_turn(
    dataset: Dataset, method: str, config: Config, unknown: Clip, progress: Progress
) -> dict[str, float | str]:
    """What a model that has not seen a test clip says of it, and of normal clips."""
    normal, others = dataset.training(), [clip for clip in dataset.testing() if clip.name != unknown.name]
    # clips of both folders have the same names
    abnormal = [make_footage(clip.footage.path, dataset.fps, f"test-{clip.name}") for clip in others]
    videos = [clip.footage for clip in normal[:KNOWN]] + abnormal
    labels = {item.name: int(number >= KNOWN) for number, item in enumerate(videos)}
    model = learn(videos, method, config, progress, labels)
    scores = score_clip(model, unknown.footage)
    found = video_of(scores.regions, dataset.event(unknown), abnormal=True)
    calm = [score_clip(model, clip.footage) for clip in normal[KNOWN:]]
    lower = [video_of(item.regions, None, abnormal=False).score for item in calm]
    truth = {"unknown": dataset.labels(unknown)} | {i.name: np.zeros(len(i.frames), np.uint8) for i in calm}
    curves = {"unknown": scores.frames.smoothed} | {item.name: item.frames.smoothed for item in calm}
    return {
        "clip": unknown.name,
        "vauc": metrics.video_auc(np.array([1] + [0] * len(lower)), np.array([found.score, *lower])),
        "auc_micro": metrics.micro_auc(truth, curves),
        "s_loc": found.overlap or 0.0,
        "s_loc_random": float(np.mean(found.all or (0.0,))),
        "s_loc_upper": max(found.all, default=0.0),
    }


def main() -> None:
    """Print a line a clip, and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="folder of Ped2")
    parser.add_argument("--method", default="weak-tubes", help="id of the method")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    asked = parser.parse_args()
    dataset = DATASETS["ped2"](asked.root)
    config = with_preset(load_config(sets=asked.set), METHODS[asked.method].presets.get("ped2", {}))
    with ProgressDisplay(Console(stderr=True)) as progress:
        rows = [one_turn(dataset, asked.method, config, clip, progress) for clip in dataset.testing()]
    keys = [key for key in rows[0] if key != "clip"]
    means = {key: float(np.mean([row[key] for row in rows])) for key in keys}
    for row in [*rows, {"clip": "mean"} | means]:
        print(f"{row['clip']:6}", *(f"{key} {row[key]:.3f}" for key in keys), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps({"clips": rows, "mean": means}, indent=1) + "\n")


if __name__ == "__main__":
    main()
