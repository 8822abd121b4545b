"""What each part of a method's score is worth alone, from what `amiss bench --out` left behind.

    amiss bench ped2 --root PED2 --method appearance-motion --out out
    python benchmarks/parts.py out/seed-0 --dataset ped2 --root PED2

For each part: the frame AUC if it were the score, raw and smoothed as the run was, and the mean of its raw values over
normal training windows where the method keeps it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from amiss.datasets import DATASETS
from amiss.engine import Model
from amiss.engine.evaluate import evaluate, labels_of
from amiss.engine.model import along_tracks
from amiss.engine.scores import read_scores
from amiss.scoring.combine import worst_region
from amiss.types import FrameScores, RegionScores


def curve_of(model: Model, regions: RegionScores, frames: FrameScores, part: str) -> FrameScores:
    """The curve of a clip with one part in place of the score; frames without regions get what is usual, 0."""
    alone = dataclasses.replace(regions, score=regions.parts[part])
    alone = along_tracks(model.config, model.method, model.mode(), alone, 0.0)
    worst = worst_region(alone, len(frames), 0.0)
    return model.curve(frames.seconds, worst, model.mode())


def measure(folder: Path, dataset_id: str, root: Path) -> dict[str, Any]:
    """Part → raw and smoothed micro AUC, and its usual value."""
    dataset = DATASETS[dataset_id](root)
    model = Model.load(next(folder.glob("*.amiss")))
    scores = read_scores(folder, {clip.name: clip.footage for clip in dataset.testing()})
    labels, usual = labels_of(dataset, [item.name for item in scores]), model.method.state().get("usual.mean")
    found: dict[str, Any] = {}
    for place, part in enumerate(model.method.parts):
        curves = {item.name: curve_of(model, item.regions, item.frames, part) for item in scores}
        found[part] = dict(evaluate(labels, curves)["auc_micro"])
        if usual is not None:
            found[part]["usual"] = float(usual[place])
    return found


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder seed-N of a bench with one camera")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    found = measure(args.folder, args.dataset, args.root)
    for part, numbers in found.items():
        print(part, {name: round(value, 5) for name, value in numbers.items()})
    if args.json:
        args.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
