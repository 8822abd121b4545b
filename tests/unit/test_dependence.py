"""What normal footage says of how scores hang together, and how steady they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from amiss.scoring.dependence import LEAST_BOTH, LEAST_WEIGHT, Dependence, depend, log_tail, steadiness, tail_of
from amiss.scoring.tail import Tail

CORRELATION = 0.6


def logs(blocks: int, correlation: float = CORRELATION, rows: int = 500) -> list[np.ndarray]:
    """Of each block, logarithms of uniform tail probabilities of two methods whose normal scores are correlated."""
    random = np.random.default_rng(0)
    shared = random.standard_normal((blocks, rows, 1))
    scores = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * random.standard_normal((blocks, rows, 2))
    return list(norm.logsf(scores))


def test_much_footage_shows_the_dependence() -> None:
    found = depend(logs(100))
    assert found.normal[0, 1] == pytest.approx(CORRELATION, abs=0.03)
    assert 0.4 < found.log[0, 1] < CORRELATION
    assert found.normal.diagonal().tolist() == [1, 1]


def test_little_footage_is_taken_for_closer_dependence() -> None:
    found = [depend(logs(blocks, 0.0)).normal[0, 1] for blocks in (1, 3, 9)]
    assert found == pytest.approx([1 / 2, 1 / 4, 1 / 10], abs=0.05)


def test_what_both_never_scored_is_the_same_evidence_twice() -> None:
    apart = [np.array([[-1.0, np.nan], [np.nan, -1.0]] * LEAST_BOTH)]
    assert depend(apart).log[0, 1] == 1


def test_opposites_are_not_held_against_each_other() -> None:
    scores = np.random.default_rng(0).standard_normal((50, 100))
    blocks = [norm.logsf(np.column_stack([row, -row])) for row in scores]
    assert depend(blocks).normal[0, 1] == 0


def test_scores_that_never_change_tell_nothing_of_dependence() -> None:
    assert depend([np.full((20, 2), -0.7)] * 30).normal[0, 1] == 1


def test_some_methods_have_their_own_dependence() -> None:
    whole = Dependence(np.arange(9.0).reshape(3, 3), -np.arange(9.0).reshape(3, 3))
    some = whole.of(np.array([0, 2]))
    assert some.normal.tolist() == [[0, 2], [6, 8]]
    assert some.log.tolist() == [[0, -2], [-6, -8]]


def drawn(shifts: list[float]) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.normal(shift, 1, 400) for shift in shifts]


def test_a_method_whose_normal_scores_drift_weighs_less() -> None:
    steady, drifting, wild = drawn([0] * 6), drawn([0, 1, 0, 2, 0, 1]), drawn([0, 4, 0, 9, 0, 0])
    weights = steadiness([steady, drifting, wild])
    assert weights[0] > weights[1] > weights[2] > 0
    assert weights.mean() == pytest.approx(1)


def test_equally_steady_methods_weigh_the_same_whatever_their_unit() -> None:
    steady = drawn([0] * 6)
    assert steadiness([steady, [1000 * block + 5 for block in steady]]) == pytest.approx([1, 1], abs=1e-3)


def test_one_stretch_cannot_tell_who_is_steady() -> None:
    assert steadiness([drawn([0]), drawn([9])]).tolist() == [1, 1]


def test_no_method_is_left_out_altogether() -> None:
    weights = steadiness([drawn([0] * 4), [np.full(50, 10.0**power) for power in range(4)]])
    assert weights[1] / weights[0] >= LEAST_WEIGHT


def test_few_or_equal_values_leave_a_tail_that_goes_on() -> None:
    few = np.array([1.0, 2.0, 3.0, 4.0] * 5)
    assert Tail.fit(few).rarity(np.array([5.0]))[0] > 1e6, "as if nothing above the highest were possible"
    assert tail_of(few).rarity(np.array([5.0]))[0] < 10
    assert np.isfinite(tail_of(np.ones(20)).rarity(np.array([1.0, 2.0]))).all()


def test_a_tail_that_many_values_show_is_as_they_show_it() -> None:
    values = np.random.default_rng(0).standard_normal(5000)
    assert tail_of(values).pareto == Tail.fit(values).pareto


def test_logarithms_never_say_that_something_cannot_happen_less_often() -> None:
    found = log_tail(tail_of(np.arange(100.0)), np.array([-5.0, 50.0, 500.0]))
    assert -1e-3 < found[0] < 0
    assert found[1] == pytest.approx(np.log(0.5), abs=0.05)
    assert found[2] < -20
