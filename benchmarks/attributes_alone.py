"""What each attribute is worth alone, and with each density.

    python benchmarks/attributes_alone.py ped2 --root PED2 --set perception.boxes.source=file [--json F]
    python benchmarks/attributes_alone.py world --root WORLD --set perception.boxes.source=file --density auto

One model is learned with all the parts for each density, on the training clips; then each part is taken as the score,
raised by nothing else, and calibrated, smoothed and evaluated as the whole is. Rows: part, density, the form that was
learned, frame AUC micro and macro, RBDC and TBDC; the last rows are of the default parts together, by each way of
combining them. Labels are read at the end, and nothing is chosen by them.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np

import amiss
from amiss.config import load_config
from amiss.datasets import DATASETS, Dataset
from amiss.engine.evaluate import evaluate, labels_of
from amiss.engine.model import along_tracks
from amiss.engine.regions import region_numbers, smoothed_regions
from amiss.methods.attributes.method import Attributes, Combine
from amiss.methods.attributes.parts import ATTRIBUTES
from amiss.scoring.combine import worst_region
from amiss.types import FloatArray, FrameScores, RegionScores

UNSEEN = "pose"
"""Needs a network of its own; asked for by name only."""
TOGETHER = ("velocity", "appearance", "size", "place", "dwell")
COMBINE = get_args(Combine)
COLUMNS = ("auc_micro", "auc_macro", "rbdc", "tbdc")


def ways(method: Attributes, regions: RegionScores) -> Iterator[tuple[str, FloatArray]]:
    """Every part as the score, and parts together."""
    yield from regions.parts.items()
    default = {name: values for name, values in regions.parts.items() if name in TOGETHER}
    for title, parts in (("default parts", default), ("all parts", regions.parts)):
        for how in COMBINE:
            yield f"{title}, {how}", method.combined(parts, how)


def settled(model: amiss.Model, item: amiss.Scores, score: FloatArray) -> tuple[FrameScores, RegionScores]:
    """The curve and the regions of a clip with these scores in place of the method's; what is usual is 0."""
    regions = dataclasses.replace(item.regions, score=np.maximum(score, 0))
    regions = along_tracks(model.config, model.method, model.mode(), regions, 0.0)
    return model.curve(item.frames.seconds, worst_region(regions, len(item.frames), 0.0), model.mode()), regions


def evaluated(dataset: Dataset, clips: Mapping[str, tuple[FrameScores, RegionScores]]) -> dict[str, float]:
    """Metric → percent, of smoothed scores."""
    curves = {name: curve for name, (curve, _) in clips.items()}
    found = evaluate(labels_of(dataset, list(clips)), curves)
    kinds = {"smoothed": lambda name: smoothed_regions(clips[name][1], curves[name], 0.0)}
    found |= region_numbers(dataset, {name: len(curve) for name, curve in curves.items()}, kinds)
    return {column: round(100 * found[column]["smoothed"], 2) for column in COLUMNS if column in found}


def measure(dataset: Dataset, sets: list[str], parts: list[str], density: str, seed: int) -> list[dict[str, Any]]:
    """A row for every part, with one density."""
    sets = [*sets, f"method.parts=[{','.join(parts)}]", f"method.density={density}", f"seed={seed}"]
    began = time.perf_counter()
    model = amiss.learn([clip.footage for clip in dataset.training()], "attributes", config=load_config(sets=sets))
    print(f"learned with {density} in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    scores = {clip.name: model.score(clip.footage) for clip in dataset.testing()}
    method = model.method
    if not isinstance(method, Attributes):
        raise TypeError(f"this measures attributes, not {method.id}")
    found: dict[str, dict[str, tuple[FrameScores, RegionScores]]] = {}
    for name, item in scores.items():
        for way, score in ways(method, item.regions):
            found.setdefault(way, {})[name] = settled(model, item, score)
    known = {"density": density}
    return [
        {"part": way, **known, "learned": method.forms.get(way, ""), **evaluated(dataset, clips)}
        for way, clips in found.items()
    ]


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=sorted(DATASETS))
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], dest="sets")
    parser.add_argument("--parts", default=",".join(name for name in ATTRIBUTES if name != UNSEEN))
    parser.add_argument("--density", default="neighbours", help="several with commas between")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    dataset, parts = DATASETS[args.dataset](args.root), args.parts.split(",")
    print("| part | density | learned |", " | ".join(COLUMNS), "|")
    print("|---|---|---|" + "---|" * len(COLUMNS))
    rows = []
    for density in args.density.split(","):
        rows += (found := measure(dataset, args.sets, parts, density, args.seed))
        for row in found:
            numbers = " | ".join(str(row.get(column, "")) for column in COLUMNS)
            print(f"| {row['part']} | {row['density']} | {row['learned']} | {numbers} |", flush=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
