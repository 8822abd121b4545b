"""Two results beside each other: Welch's t-test over seeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amiss.engine import compare, read_result
from amiss.errors import MetricError


def result(raw: list[float], dataset: str = "world", **metrics: list[float]) -> dict[str, Any]:
    given = {"auc_micro": raw, **metrics}
    return {
        "dataset": dataset,
        "seeds": list(range(len(raw))),
        "metrics": {name: {kind: {"values": values} for kind in ("raw", "smoothed")} for name, values in given.items()},
    }


def test_p_is_that_of_welch() -> None:
    """Against the formula, with the t distribution's tail integrated by hand."""
    ours, theirs = [0.86, 0.88, 0.87, 0.90], [0.80, 0.85, 0.83]
    found = compare(result(ours), result(theirs))["auc_micro"]["raw"]
    one, other = (np.var(values, ddof=1) / len(values) for values in (ours, theirs))
    t = (np.mean(ours) - np.mean(theirs)) / np.sqrt(one + other)
    freedom = (one + other) ** 2 / (one**2 / 3 + other**2 / 2)
    x = np.linspace(-abs(t), abs(t), 200_001)
    density = (1 + x**2 / freedom) ** (-(freedom + 1) / 2)
    whole = np.linspace(-2000, 2000, 8_000_001)
    inside = np.trapezoid(density, x) / np.trapezoid((1 + whole**2 / freedom) ** (-(freedom + 1) / 2), whole)
    assert found["difference"] == pytest.approx(np.mean(ours) - np.mean(theirs))
    assert found["p"] == pytest.approx(1 - inside, abs=1e-4)


def test_the_same_values_do_not_differ() -> None:
    assert compare(result([0.5, 0.5]), result([0.5, 0.5]))["auc_micro"]["raw"] == {"difference": 0.0, "p": 1.0}


def test_only_metrics_that_both_have_are_compared() -> None:
    assert list(compare(result([0.5, 0.6], ap=[0.1, 0.2]), result([0.5, 0.7]))) == ["auc_micro"]


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (result([0.5]), result([0.5, 0.6]), "two seeds"),
        (result([0.5, 0.6]), result([0.5, 0.6], "ped2"), "ped2"),
    ],
)
def test_what_cannot_be_compared_is_said(ours: dict[str, Any], theirs: dict[str, Any], told: str) -> None:
    with pytest.raises(MetricError, match=told):
        compare(ours, theirs)


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", json.dumps({"metrics": 3})])
def test_another_file_is_refused_by_name(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(MetricError, match=r"other\.json"):
        read_result(path)
