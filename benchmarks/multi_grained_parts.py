"""How well each proxy task of `multi-grained` scores alone, against all of them together, with the same networks.

    amiss bench ped2 --root PED2 --method multi-grained --seeds 0,1,2 --out BENCH
    python benchmarks/multi_grained_parts.py ped2 --root PED2 --bench BENCH --json parts.json

Every frame is looked at once; a part alone is what `method.*_share=0` of the others gives. Smoothing is the model's.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from rich.console import Console

from amiss.console import ProgressDisplay
from amiss.datasets import DATASETS
from amiss.engine import Model, evaluate
from amiss.engine.evaluate import labels_of
from amiss.engine.model import make_method
from amiss.methods.base import Progress
from amiss.methods.multi_grained import MultiGrained
from amiss.pipeline import Pipeline
from amiss.types import FloatArray, FrameScores
from amiss.windows.store import WindowPart

TOGETHER = "together"
METRICS = ("auc_micro", "auc_macro")


def variants_of(model: Model) -> dict[str, MultiGrained]:
    """The method as it is, and with the share of each part alone, on one network."""
    method = cast("MultiGrained", model.method)
    found = {TOGETHER: method}
    for part in method.parts:
        shares = {f"{name}_share": float(name == part) for name in method.parts}
        config = model.config.model_copy(update={"method": model.config.method | shares})
        found[part] = cast("MultiGrained", make_method(method.id, config))
        found[part].restore(method.state())
    return found


def curves_of(model: Model, part: WindowPart, variants: dict[str, MultiGrained]) -> dict[str, FrameScores]:
    """The curve of a clip by every variant; what the network makes of it is computed once."""
    looked = [maps for windows in part.batches() for maps in variants[TOGETHER].look(windows)]
    clock: FloatArray = np.array(part.clock, np.float64)
    frames = np.asarray(part.column("frame"))
    floor = model.calibrations[model.mode()].floor
    curves = {}
    for name, method in variants.items():
        raw = np.full(len(clock), floor)
        raw[frames] = [method.highest(maps) for maps in looked]
        curves[name] = model.curve(clock, raw, model.mode())
    return curves


def measure(model: Model, root: Path, dataset: str, progress: Progress) -> dict[str, dict[str, float]]:
    """By variant, the smoothed metrics."""
    data, variants = DATASETS[dataset](root), variants_of(model)
    pipeline, clips = Pipeline(model.config, model.needs), data.testing()
    found: dict[str, dict[str, FrameScores]] = {name: {} for name in variants}
    for number, clip in enumerate(clips, 1):
        for name, curve in curves_of(model, pipeline.part(clip.footage), variants).items():
            found[name][clip.name] = curve
        progress("looking at test clips", number, len(clips))
    labels = labels_of(data, [clip.name for clip in clips])
    return {
        name: {key: value["smoothed"] for key, value in evaluate(labels, curves).items() if key in METRICS}
        for name, curves in found.items()
    }


def summary(runs: Sequence[dict[str, dict[str, float]]], name: str, key: str) -> str:
    """Mean, deviation and values over seeds, in words."""
    values = [run[name][key] for run in runs]
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    listed = " ".join(f"{value:.3f}" for value in values)
    return f"{key} {statistics.fmean(values):.4f} ± {spread:.4f} ({listed})"


def main() -> None:
    """Print a line for each part and for all together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", help="id of the data set")
    parser.add_argument("--root", type=Path, required=True, help="its folder")
    parser.add_argument("--bench", type=Path, required=True, help="what `amiss bench --out` left")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    asked = parser.parse_args()
    folders = sorted(asked.bench.glob(f"seed-*/{asked.dataset}.amiss"))
    with ProgressDisplay(Console(stderr=True)) as progress:
        runs = [measure(Model.load(folder), asked.root, asked.dataset, progress) for folder in folders]
    for name in runs[0]:
        print(f"{name:14}", *(summary(runs, name, key) for key in METRICS), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(dict(zip(map(str, folders), runs, strict=True)), indent=1) + "\n")


if __name__ == "__main__":
    main()
