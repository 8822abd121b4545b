"""Which attribute raises the alarms of normal footage, by each way of combining them. No label is read.

    python benchmarks/attributes_tails.py world --root WORLD --set perception.boxes.source=file [--json F]

A model with many parts is learned from two thirds of the training clips, and scores the last third. Of the windows with
the highest 1 % of scores, by each way of combining: the share that each part decides alone, as the largest. The evener
the shares, the less a single part eats up the budget of alarms.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import amiss
from amiss.config import load_config
from amiss.datasets import DATASETS
from amiss.methods.attributes.method import Attributes
from amiss.methods.attributes.parts import ATTRIBUTES
from amiss.types import FloatArray

TOP = 0.01


def deciding(method: Attributes, parts: dict[str, FloatArray]) -> dict[str, dict[str, float]]:
    """Way of combining → part → the share of the highest windows in which it is the largest."""
    found = {}
    for how in ("max", "tail"):
        each = np.stack([method.combined({name: values}, how) for name, values in parts.items()])
        score = each.max(0)
        top = each[:, score >= np.quantile(score, 1 - TOP)].argmax(0)
        shares = np.bincount(top, minlength=len(parts)) / len(top)
        found[how] = {name: round(float(share), 3) for name, share in zip(parts, shares, strict=True)}
    return found


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=sorted(DATASETS))
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], dest="sets")
    parser.add_argument("--parts", default=",".join(name for name in ATTRIBUTES if name != "pose"))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    clips = [clip.footage for clip in DATASETS[args.dataset](args.root).training()]
    cut = 2 * len(clips) // 3
    config = load_config(sets=[*args.sets, f"method.parts=[{args.parts}]"])
    model = amiss.learn(clips[:cut], "attributes", config=config)
    if not isinstance(model.method, Attributes):
        raise TypeError(f"this measures attributes, not {model.method.id}")
    regions = [model.score(clip).regions.parts for clip in clips[cut:]]
    found = deciding(model.method, {name: np.concatenate([item[name] for item in regions]) for name in regions[0]})
    for name in args.parts.split(","):
        print(name, {how: shares[name] for how, shares in found.items()})
    if args.json:
        args.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
