"""Protocols besides the standard one: what they do, and that their numbers are marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amiss.engine.protocols import PROTOCOLS, plain_under, under_protocol
from amiss.engine.scores import Scores, write_scores
from amiss.errors import MetricError, ScoresError
from amiss.types import FrameScores, RegionScores

ROWS = {"a": [1.0, 5.0, 3.0], "b": [2.0, 2.0, 4.0]}


def scores(name: str, row: list[float], parts: dict[str, list[float]]) -> Scores:
    clock, array = np.arange(len(row)) / 10, np.array(row)
    frames = FrameScores(np.arange(len(row)), clock, array, array, array)
    boxes = np.tile((0, 0, 4, 4), (len(row), 1))
    given = {part: np.array(values) for part, values in parts.items()}
    regions = RegionScores(frame=np.arange(len(row)), seconds=clock, box=boxes, score=array, parts=given)
    return Scores(name, None, regions, frames, (), 0.0)  # type: ignore[arg-type]  # footage is not written


def folder(path: Path, parts: dict[str, dict[str, list[float]]]) -> Path:
    path.mkdir()
    write_scores(path, [scores(name, row, parts.get(name, {})) for name, row in ROWS.items()], {"smoothing": "none"})
    return path


def test_legacy_brings_each_clip_to_its_own_range(tmp_path: Path) -> None:
    found = under_protocol("legacy", folder(tmp_path / "s", {}))
    assert found["a"].raw.tolist() == [0, 1, 0.5]
    assert found["b"].smoothed.tolist() == [0, 0, 1]


def test_a_clip_of_one_score_is_all_nothing_under_legacy() -> None:
    flat = np.ones(3)
    curves = {"a": FrameScores(np.arange(3), np.arange(3) / 10, flat, flat, flat)}
    assert plain_under("legacy", curves)["a"].raw.tolist() == [0, 0, 0]
    assert plain_under("standard", curves)["a"].raw.tolist() == [1, 1, 1]


def test_transductive_standardises_parts_by_all_test_clips(tmp_path: Path) -> None:
    parts = {"a": {"x": [0.0, 2.0, 0.0], "y": [10.0, 10.0, 30.0]}, "b": {"x": [0.0, 0.0, 2.0], "y": [10.0, 30.0, 10.0]}}
    found = under_protocol("transductive", folder(tmp_path / "s", parts))
    x, y = (np.array([*parts["a"][part], *parts["b"][part]]) for part in "xy")
    expected = ((x - x.mean()) / x.std() + (y - y.mean()) / y.std()) / 2
    np.testing.assert_allclose(np.concatenate([found["a"].raw, found["b"].raw]), expected)


def test_scores_without_parts_cannot_be_transductive(tmp_path: Path) -> None:
    with pytest.raises(ScoresError, match="no parts to standardise"):
        under_protocol("transductive", folder(tmp_path / "s", {}))


def test_unknown_protocols_are_told(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="standard, legacy, transductive"):
        under_protocol("best", folder(tmp_path / "s", {}))
    with pytest.raises(MetricError, match="standard or legacy, not 'transductive'"):
        plain_under("transductive", {})
    assert next(iter(PROTOCOLS)) == "standard"
