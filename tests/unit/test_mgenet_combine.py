"""From the parts of a segment of `mgenet` to its score."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.methods.mgenet.combine import combined, comparable, tails_of
from amiss.methods.normal import Usual

RANDOM = np.random.default_rng(0)
NORMAL = np.stack([RANDOM.normal(5, 2, 3000), RANDOM.exponential(0.1, 3000), np.zeros(3000)], 1)
USUAL = Usual.of(NORMAL)


def test_of_the_rarest_the_unit_and_the_form_of_a_part_do_not_count() -> None:
    other = Usual.of(NORMAL**3 * [7, 1e4, 1])  # rises as the parts do
    raw = NORMAL[::30]
    one = comparable(raw, USUAL, tails_of(USUAL), "tail")
    same = comparable(raw**3 * [7, 1e4, 1], other, tails_of(other), "tail")
    usual = one[:, :2] < 1.2  # what is beyond is of the tail, whose form is another
    np.testing.assert_allclose(one[:, :2][usual], same[:, :2][usual], atol=0.02)


def test_a_tenth_of_normal_segments_is_rarer_than_one() -> None:
    found = comparable(NORMAL, USUAL, tails_of(USUAL), "tail")
    assert (found[:, :2] > 1).mean(0).tolist() == pytest.approx([0.1, 0.1], abs=0.002)
    assert (found[:, :2] > 3).mean(0).tolist() == pytest.approx([0.001, 0.001], abs=0.0011)


def test_a_part_that_was_always_the_same_is_usual_there_and_as_rare_as_can_be_elsewhere() -> None:
    raw = np.array([[5, 0.1, 0.0], [5, 0.1, 1.0]])
    assert comparable(raw, USUAL, tails_of(USUAL), "tail")[:, 2].tolist() == [0, 16]


def test_other_rules_give_standard_deviations_and_raw_numbers() -> None:
    raw = np.array([[9.0, 0.1, 0.0]])
    assert comparable(raw, USUAL, tails_of(USUAL), "sum")[0, 0] == pytest.approx(2, abs=0.1)
    assert comparable(raw, USUAL, tails_of(USUAL), "raw").tolist() == raw.tolist()


def test_the_score_is_the_rarest_or_the_sum() -> None:
    parts = {"motion": np.array([3.0, 0.2]), "appearance": np.array([1.0, 5.0])}
    shares = {"motion": 1.0, "appearance": 0.1}
    assert combined(parts, shares, "tail").tolist() == pytest.approx([3.0, 4.0])
    for rule in ("sum", "raw"):
        assert combined(parts, shares, rule).tolist() == pytest.approx([3.1, 0.7])  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["tail", "sum", "raw"])
def test_a_part_without_weight_does_not_count(rule: str) -> None:
    parts = {"appearance": np.array([3.0]), "scene": np.array([1.0])}
    assert combined(parts, {"appearance": 0.0, "scene": 1.0}, rule).tolist() == [1.0]  # type: ignore[arg-type]
    assert combined(parts, {"appearance": 0.0, "scene": 0.0}, rule).tolist() == [0.0]  # type: ignore[arg-type]
