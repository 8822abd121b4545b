"""The tables of `multi-grained`'s supplement as sweeps of `amiss bench`, a row after the other.

    python benchmarks/multi_grained.py ped2 --root PED2 --table 1 --out SWEEP --json table1.json
    python benchmarks/multi_grained.py ped2 --root PED2 --table alone --seeds 0,1,2 --out SWEEP --json alone.json

Table 1 has sixteen combinations of weights, table 2 backbones with no task, with estimation and with all three. `alone`
sets each task alone against all three. With `--out`, rows that are whole there are not run again. Settings for all rows
come by `--set`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from amiss.config import load_config
from amiss.console import ProgressDisplay
from amiss.datasets import DATASETS
from amiss.engine import bench

TASKS = ("continuity", "localization", "estimation")
WEIGHTS = (
    (1.0, 0.1, 0.1), (1.0, 0.5, 0.1), (1.0, 0.8, 0.1), (1.0, 1.0, 0.1), (1.0, 1.0, 0.5), (1.0, 1.0, 0.8),
    (0.1, 1.0, 0.1), (0.5, 1.0, 0.1), (0.8, 1.0, 0.1), (0.1, 0.1, 1.0), (0.5, 0.1, 1.0), (0.8, 0.1, 1.0),
    (1.0, 0.1, 1.0), (1.0, 0.5, 1.0), (1.0, 0.8, 1.0), (1.0, 1.0, 1.0),
)  # fmt: skip
"""Table 1: the weights of the three tasks by ID."""
COMBINATIONS = {"none": (0, 0, 0), "estimation": (0, 0, 1), "all three": (1, 1, 1)}
BACKBONES = {"i3d": "clips", "objects": "cubes", "unet": "clips", "memory": "clips", "convgru": "clips"}
"""Table 2: backbones, and what they look at."""


def rows_of(table: str) -> dict[str, Mapping[str, object]]:
    """By the name of each row, the settings of the method."""
    if table == "1":
        return {f"ID {row}": dict(zip(TASKS, weights, strict=True)) for row, weights in enumerate(WEIGHTS, 1)}
    if table == "2":
        return {
            f"{backbone}, {name}": {"backbone": backbone, "windows": windows} | dict(zip(TASKS, weights, strict=True))
            for backbone, windows in BACKBONES.items()
            for name, weights in COMBINATIONS.items()
            if name != "none" or backbone in ("unet", "memory", "convgru")
        }
    alone = {task: {other: float(other == task) for other in TASKS} for task in TASKS}
    return {**alone, "all three": dict.fromkeys(TASKS, 1.0)}


def main() -> None:
    """Print a row after the other: micro and macro AUC of smoothed scores, and the score gap."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", help="id of the data set")
    parser.add_argument("--root", type=Path, required=True, help="its folder")
    parser.add_argument("--table", choices=("1", "2", "alone"), required=True, help="which rows")
    parser.add_argument("--seeds", default="0", help="with commas between them")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of all rows")
    parser.add_argument("--out", type=Path, help="keep models and scores here, and go on from them")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    asked = parser.parse_args()
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    table = {}
    with tempfile.TemporaryDirectory() as passing, ProgressDisplay(Console(stderr=True)) as progress:
        for name, settings in rows_of(asked.table).items():
            given = load_config(sets=asked.set)
            config = given.model_copy(update={"method": given.method | settings})
            out = (asked.out or Path(passing)) / name.replace(", ", "-").replace(" ", "-")
            found = bench(DATASETS[asked.dataset](asked.root), "multi-grained", config, seeds, out, progress)["metrics"]
            table[name] = {key: found[key]["smoothed"] for key in ("auc_micro", "auc_macro", "score_gap")}
            told = (f"{key} {value['mean']:.4f} ± {value['std']:.4f}" for key, value in table[name].items())
            print(f"{name:24}", *told, flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
