"""Two benchmark results beside each other: is the difference more than the chance of their seeds?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ttest_ind

from amiss.errors import MetricError

__all__ = ["compare", "read_result"]

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
    shared = [name for name in ours["metrics"] if name in theirs["metrics"]]
    return {
        name: {kind: _welch(ours["metrics"][name][kind], theirs["metrics"][name][kind]) for kind in ("raw", "smoothed")}
        for name in shared
    }


def _welch(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, float]:
    one, other = np.array(ours["values"], np.float64), np.array(theirs["values"], np.float64)
    difference = float(one.mean() - other.mean())
    if not one.std() and not other.std():
        return {"difference": difference, "p": 1.0 if difference == 0 else 0.0}
    return {"difference": difference, "p": float(ttest_ind(one, other, equal_var=False).pvalue)}
