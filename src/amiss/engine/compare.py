"""Benchmark results beside each other: is a difference more than the chance of their seeds?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ttest_ind

from amiss.errors import MetricError

__all__ = ["compare", "compare_rows", "holm", "read_result"]

LEAST = 2


def read_result(path: Path) -> dict[str, Any]:
    """What `amiss bench --json` wrote.

    Raises:
        MetricError: It cannot be read, or is something else.
    """
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(result, dict) and isinstance(result["metrics"], dict):
            return result
    except (OSError, ValueError, KeyError):
        pass
    raise MetricError(f"{path} is no result of amiss bench; give a file that its --json wrote")


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """The difference of means of each metric, ours less theirs, and the p-value of Welch's two-sided t-test over seeds.

    Args:
        ours: A result of `bench`.
        theirs: Another, of the same data set.

    Returns:
        By metric and by raw or smoothed: `difference` and `p`, which is 1 where all values are the same.

    Raises:
        MetricError: They are of different data sets, or one has a single seed.
    """
    if ours["dataset"] != theirs.get("dataset"):
        raise MetricError(f"results on {ours['dataset']} and on {theirs.get('dataset')} cannot be compared")
    if min(len(ours["seeds"]), len(theirs["seeds"])) < LEAST:
        raise MetricError("a t-test needs at least two seeds of each result; give more with --seeds")
    return {
        name: {kind: _welch(kinds[kind], other[kind]) for kind in kinds if "values" in other.get(kind, ())}
        for name, kinds in ours["metrics"].items()
        if (other := theirs["metrics"].get(name))
    }


def compare_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Welch's t-test between each pair of rows, for each metric, raw and smoothed.

    Args:
        rows: `name` and `result` of each, the results of one data set.

    Returns:
        For each pair `rows`, both names, and `metrics`: as of `compare`, the first row less the second, and `p_holm`,
        which is p after Holm's correction for all pairs of the same metric and kind. Nothing where a row has a single
        seed, as there is no test then.
    """
    if any(len(row["result"]["seeds"]) < LEAST for row in rows):
        return []
    pairs: list[dict[str, Any]] = [
        {"rows": [one["name"], other["name"]], "metrics": compare(one["result"], other["result"])}
        for one, other in combinations(rows, 2)
    ]
    for metric, kind in {
        (metric, kind) for pair in pairs for metric, kinds in pair["metrics"].items() for kind in kinds
    }:
        family = [pair["metrics"][metric][kind] for pair in pairs if kind in pair["metrics"].get(metric, ())]
        for test, corrected in zip(family, holm([test["p"] for test in family]), strict=True):
            test["p_holm"] = corrected
    return pairs


def holm(p: Sequence[float]) -> list[float]:
    """p-values after Holm's step-down correction: the smallest times their number, the next times one less, and so on.

    None is lower than one before it, or above 1.
    """
    values = np.asarray(p, np.float64)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in corrected]


def _welch(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, float]:
    one, other = np.array(ours["values"], np.float64), np.array(theirs["values"], np.float64)
    difference = float(one.mean() - other.mean())
    if not np.ptp(one) and not np.ptp(other):  # deviations of equal values are not always 0 exactly
        return {"difference": difference, "p": 1.0 if difference == 0 else 0.0}
    return {"difference": difference, "p": float(ttest_ind(one, other, equal_var=False).pvalue)}
