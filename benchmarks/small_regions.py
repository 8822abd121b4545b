r"""Recall of small abnormal regions by each part of a score, from what `amiss bench --out` keeps.

    amiss world --out WORLD --places plaza
    amiss bench world --root WORLD --method multi-grained --set method.localization_share=0 \
        --set method.estimation_share=0 --out CONTINUITY
    amiss bench world --root WORLD --method multi-grained --set method.continuity_share=0 \
        --set method.estimation_share=0 --out LOCALIZATION
    python benchmarks/small_regions.py world --root WORLD --scores CONTINUITY/seed-0 LOCALIZATION/seed-0

The two share one training. An abnormal region is a connected component of the masks; small is one under so large a
share of the picture. A region is false if it lies on no abnormal one, small or not.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from amiss.datasets import DATASETS, Dataset
from amiss.engine.scores import read_curves, read_regions
from amiss.metrics import RegionLevels, mask_boxes, recall_at, region_levels


def measured(dataset: Dataset, folder: Path, share: float, rate: float) -> dict[str, float]:
    """Recall of small regions and of all, and how many there are."""
    curves, regions = read_curves(folder), read_regions(folder)
    found, false, small, frames = [], [], [], 0
    for clip in dataset.testing():
        masks = dataset.masks(clip) if clip.name in curves else None
        if masks is None:
            continue
        table = regions(clip.name)
        frames += len(masks)
        for number, mask in enumerate(masks):
            here = table[table.frame == number]
            truth = mask_boxes(mask)
            levels = region_levels(truth, here.box, here.score)
            found.append(levels.found)
            false.append(levels.false)
            small.append((truth[:, 2:] - truth[:, :2]).prod(1) < share * mask.size)
    levels, is_small = RegionLevels(np.concatenate(found), np.concatenate(false)), np.concatenate(small)
    few = RegionLevels(levels.found[is_small], levels.false)
    return {
        "small": recall_at(few, frames, rate),
        "all": recall_at(levels, frames, rate),
        "small_regions": float(is_small.sum()),
        "regions": float(len(is_small)),
    }


def main() -> None:
    """Print a row a folder of scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", help="id of the data set")
    parser.add_argument("--root", type=Path, required=True, help="its folder")
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="folders of scores")
    parser.add_argument("--share", type=float, default=0.01, help="of the picture, under which a region is small")
    parser.add_argument("--rate", type=float, default=1.0, help="false regions a frame")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    asked = parser.parse_args()
    dataset = DATASETS[asked.dataset](asked.root)
    table = {str(folder): measured(dataset, folder, asked.share, asked.rate) for folder in asked.scores}
    for folder, row in table.items():
        print(folder, *(f"{name} {value:.3f}" for name, value in row.items()))
    if asked.json:
        asked.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
