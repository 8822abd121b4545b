"""What a budget of alarms comes to: false alarms on normal footage that was kept back, and which acts are found.

    python benchmarks/budgets.py --render WORLD --place plaza
    python benchmarks/budgets.py world --root WORLD --learned 20 --method attributes --set KEY=VALUE --json F
    python benchmarks/budgets.py ped2 --root PED2 --folds 4 --json F

The first command makes a place of the synthetic world whose clips are longer and smaller than those of `amiss world`,
one act a clip. A model is then learned from the first clips (`--learned`), and the others are the normal footage that
was kept back; with `--folds` clips take turns. For every budget it is told how many false alarms it came to there, and
whether the level that would just have kept the budget there lies between the two that the calibration names.

Acts are looked for twice: at the level that the model has set for one alarm an hour by itself, and at the one that
gives just that on all normal footage, that of the test clips included. The second reads labels: it compares methods.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from scipy.stats import chi2

from amiss.config import load_config
from amiss.datasets import DATASETS, Dataset
from amiss.engine import Model, learn, score_clip
from amiss.engine.evaluate import labels_of
from amiss.footage import Footage
from amiss.footage.world.places import find_place
from amiss.footage.world.writer import write_world
from amiss.metrics import alarms
from amiss.scoring.calibrate import Calibration, make_finder
from amiss.scoring.events import find_spans
from amiss.types import FloatArray, Image

BUDGETS = ("1/hour", "2/day")
SECONDS, SIZE = 30.0, (320, 180)
SURE = 0.9
"""Of intervals, as in calibrations."""
Curves = dict[str, tuple[FloatArray, FloatArray]]
"""By clip, the calibrated curve `(T,)` and the seconds `(T,)`."""
CONSOLE = Console(highlight=False)


@dataclass(frozen=True)
class Judge:
    """Finds the alarms of a model at any level.

    Attributes:
        model: The model.
        normal: Curves of normal footage that it has not seen.
        tests: Curves of test clips.
        labels: Labels of the test clips.
    """

    model: Model
    normal: Curves
    tests: Curves
    labels: Mapping[str, Image]

    def spans(self, curves: Curves, level: float) -> dict[str, FloatArray]:
        """By clip, `(K, 2)` seconds of its alarms."""
        config = self.model.config
        return {
            name: np.array(
                [
                    (span.start, span.end)
                    for span in find_spans(curve, seconds, make_finder(level, config.scoring, config.footage.gap))
                ]
            ).reshape(-1, 2)
            for name, (curve, seconds) in curves.items()
        }

    def false(self, level: float, *, tests: bool) -> tuple[int, float]:
        """False alarms and hours of normal footage, that of the test clips with it if wanted."""
        truth = {name: np.zeros(len(curve), np.uint8) for name, (curve, _) in self.normal.items()}
        curves = self.normal | (self.tests if tests else {})
        truth |= self.labels if tests else {}
        found = alarms(truth, {name: seconds for name, (_, seconds) in curves.items()}, self.spans(curves, level))
        abnormal = sum(
            float(labels.mean()) * _hours(self.tests[name][1]) for name, labels in self.labels.items() if tests
        )
        return found.false, found.hours - abnormal

    def needed(self, rate: float, *, tests: bool) -> float:
        """The lowest height of a curve at which there are not more false alarms than `rate` an hour."""
        curves = self.normal | (self.tests if tests else {})
        heights = np.unique(np.concatenate([curve for curve, _ in curves.values()]))
        low, high = -1, len(heights) - 1  # at the highest of all, alarms are as few as they can be
        while high - low > 1:
            middle = (low + high) // 2
            count, hours = self.false(float(heights[middle]), tests=tests)
            low, high = (low, middle) if count <= rate * hours else (middle, high)
        return float(heights[high])

    def recall(self, acts: Mapping[str, str], level: float) -> dict[str, list[int]]:
        """Of each act, how many events were found, and how many there were."""
        spans, found = self.spans(self.tests, level), {}
        for act in sorted(set(acts.values())):
            names = [name for name in self.tests if acts.get(name) == act]
            truth = {name: self.labels[name] for name in names}
            told = alarms(truth, {name: self.tests[name][1] for name in names}, {name: spans[name] for name in names})
            found[act] = [told.found, told.true_events]
        return found


def _hours(seconds: FloatArray) -> float:
    return float(seconds[-1] - seconds[0]) / 3600


def _interval(count: int, hours: float) -> list[float]:
    """The rates of which so many alarms in so many hours are not unlikely (Poisson, exact)."""
    rest = (1 - SURE) / 2
    low = chi2.ppf(rest, 2 * count) / 2 if count else 0.0
    return [round(float(low) / hours, 3), round(float(chi2.ppf(1 - rest, 2 * count + 2)) / 2 / hours, 3)]


def curves_of(model: Model, clips: Sequence[Footage]) -> Curves:
    """The calibrated curve of each clip, smoothed as files are."""
    found = {}
    for clip in clips:
        frames = score_clip(model, clip).frames
        found[clip.name] = frames.calibrated, frames.seconds
    return found


def learned(asked: argparse.Namespace, clips: Sequence[Footage]) -> Model:
    """A model of some clips, for the first of the budgets."""
    config = load_config(asked.config, [*asked.sets, f"scoring.budget={BUDGETS[0]}"])
    return learn(list(clips), asked.method, config)


def with_budget(model: Model, budget: str) -> tuple[Calibration, float]:
    """The calibration of another budget, and how many alarms an hour that is."""
    config = model.config
    scoring = config.scoring.model_copy(update={"budget": budget})
    calibration = model.calibrations["centred"].with_budget(scoring, config.footage.gap)
    return calibration, calibration.budget


def realised(judge: Judge, budget: str) -> dict[str, Any]:
    """What a budget came to on the normal footage that was kept back."""
    calibration, rate = with_budget(judge.model, budget)
    count, hours = judge.false(calibration.level, tests=False)
    allowed = rate * hours
    told: dict[str, Any] = {
        "asked_per_hour": round(rate, 4),
        "calibrated_on_hours": round(calibration.hours, 3),
        "level": round(calibration.level, 3),
        "between": [round(calibration.low, 3), round(calibration.high, 3)],
        "false": count,
        "hours": round(hours, 3),
        "per_hour": round(count / hours, 3),
        "per_hour_90": _interval(count, hours),
    }
    if allowed >= 1:
        needed = judge.needed(rate, tests=False)
        told |= {"needed": round(needed, 3), "within": calibration.low <= needed <= calibration.high}
    return told


def acts_of(root: Path) -> dict[str, str]:
    """By test clip, the act that happens in it, where the data set tells."""
    file = root / "world.json"
    clips = json.loads(file.read_text())["clips"] if file.is_file() else []
    return {clip["name"]: clip["act"] for clip in clips if clip["split"] == "testing" and clip["act"]}


def judged(asked: argparse.Namespace, dataset: Dataset) -> dict[str, Any]:
    """A model of the first clips, its budgets, and the acts that are found."""
    clips = [clip.footage for clip in dataset.training()]
    model = learned(asked, clips[: asked.learned])
    tests = curves_of(model, [clip.footage for clip in dataset.testing()])
    judge = Judge(model, curves_of(model, clips[asked.learned :]), tests, labels_of(dataset, list(tests)))
    acts, own = acts_of(dataset.root), model.calibrations["centred"].level
    best = judge.needed(1.0, tests=True)
    return {
        "budgets": {budget: realised(judge, budget) for budget in BUDGETS},
        "acts": {"own level": judge.recall(acts, own), "one false alarm an hour": judge.recall(acts, best)},
        "false_at_own_level": judge.false(own, tests=True),
        "level_of_one_an_hour": round(best, 3),
    }


def rotated(asked: argparse.Namespace, dataset: Dataset) -> dict[str, Any]:
    """The budgets on every part of the training clips in turn, by models of the other parts; no test clip is read."""
    clips = [clip.footage for clip in dataset.training()]
    found: dict[str, list[dict[str, Any]]] = {budget: [] for budget in BUDGETS}
    for fold in range(asked.folds):
        kept = clips[fold :: asked.folds]
        model = learned(asked, [clip for clip in clips if clip not in kept])
        judge = Judge(model, curves_of(model, kept), {}, {})
        for budget, rows in found.items():
            rows.append(realised(judge, budget))
    told: dict[str, Any] = {}
    for budget, rows in found.items():
        count, hours = sum(row["false"] for row in rows), sum(row["hours"] for row in rows)
        asked_for, per_hour = rows[0]["asked_per_hour"], _interval(count, hours)
        told[budget] = {"asked_per_hour": asked_for, "false": count, "hours": round(hours, 3), "per_hour_90": per_hour}
        told[budget]["folds"] = rows
    return told


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", choices=sorted(DATASETS))
    parser.add_argument("--root", type=Path)
    parser.add_argument("--method", default="attributes")
    parser.add_argument("--learned", type=int, default=20, help="clips to learn from")
    parser.add_argument("--folds", type=int, default=0, help="clips take turns, in so many parts")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--set", action="append", default=[], dest="sets")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--render", type=Path, help="make a place of the world here, and end")
    parser.add_argument("--place", default="plaza")
    parser.add_argument("--normal", type=int, default=70)
    parser.add_argument("--abnormal", type=int, default=27)
    asked = parser.parse_args()
    if asked.render:
        acts = find_place(asked.place).abnormal
        scene = {"places": (asked.place,), "acts": acts, "seconds": SECONDS, "size": SIZE}
        write_world(asked.render, normal=asked.normal, abnormal=asked.abnormal, **scene)
        return
    if not (asked.dataset and asked.root):
        parser.error("a data set and its --root are needed")
    dataset = DATASETS[asked.dataset](asked.root)
    result = rotated(asked, dataset) if asked.folds else judged(asked, dataset)
    result = {"method": asked.method, "set": asked.sets, "learned": asked.learned, **result}
    CONSOLE.print_json(json.dumps(result))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
