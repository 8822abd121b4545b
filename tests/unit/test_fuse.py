"""Combining tail probabilities: exact where that is known, honest where methods depend on each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, combine_pvalues, kstest, norm

from amiss.scoring.dependence import Dependence
from amiss.scoring.fuse import RULES, Rule, combine

HONEST: list[Rule] = [rule for rule in RULES if rule != "fisher"]
EQUAL, UNEQUAL = np.ones(3), np.array([1.5, 1.0, 0.5])
ALONE, SAME = Dependence.none(3), Dependence(np.ones((3, 3)), np.ones((3, 3)))
FAR = np.array([1.0, 10.0, 100.0, 199.9, 200.0, 200.1, 400.0, 5000.0])


def uniform(count: int = 20_000, seed: int = 1) -> np.ndarray:
    return np.log(np.random.default_rng(seed).uniform(size=(count, 3)))


def joined(correlation: float, count: int = 200_000) -> np.ndarray:
    """Logarithms of uniform tail probabilities whose normal scores are so correlated."""
    random = np.random.default_rng(2)
    shared, own = random.standard_normal((count, 1)), random.standard_normal((count, 3))
    return np.asarray(norm.logsf(np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own))


@pytest.mark.parametrize("weights", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
@pytest.mark.parametrize("rule", RULES)
def test_independent_uniform_ones_give_uniform_ones(rule: Rule, weights: np.ndarray) -> None:
    assert kstest(np.exp(combine(uniform(), weights, ALONE, rule)), "uniform").pvalue > 0.01


@pytest.mark.parametrize("rule", HONEST)
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_copies_are_no_more_evidence_than_one(rule: Rule, level: float) -> None:
    copies = np.repeat(uniform()[:, :1], 3, axis=1)
    assert (combine(copies, EQUAL, SAME, rule) <= np.log(level)).mean() <= 1.15 * level


def test_copies_are_more_evidence_than_there_is_for_who_takes_them_as_independent() -> None:
    copies = np.repeat(uniform()[:, :1], 3, axis=1)
    assert (combine(copies, EQUAL, SAME, "fisher") <= np.log(0.01)).mean() > 0.05


@pytest.mark.parametrize("rule", ["brown", "stouffer"])
def test_copies_give_the_very_probability_that_each_has(rule: Rule) -> None:
    copies = np.log(np.tile([[0.5], [0.01], [1e-9]], 3))
    assert combine(copies, EQUAL, SAME, rule) == pytest.approx(copies[:, 0])


@pytest.mark.parametrize("rule", HONEST)
def test_the_size_holds_under_dependence(rule: Rule) -> None:
    half = Dependence(*(0.5 + 0.5 * np.eye(3),) * 2)
    for level in (0.01, 0.001):
        assert (combine(joined(0.5), EQUAL, half, rule) <= np.log(level)).mean() <= 1.25 * level
    assert (combine(joined(0.5), EQUAL, half, "fisher") <= np.log(0.001)).mean() > 5 * 0.001


def test_fisher_and_stouffer_are_those_of_scipy() -> None:
    given = np.exp(uniform(20))
    for rule in ("fisher", "stouffer"):
        expected = [combine_pvalues(row, rule).pvalue for row in given]
        assert np.exp(combine(np.log(given), EQUAL, ALONE, rule)) == pytest.approx(expected)


def test_brown_is_a_scaled_chi_square() -> None:
    given = np.array([[0.02, 0.03, 0.5]])
    dependence = Dependence(np.eye(3), 0.4 + 0.6 * np.eye(3))
    scale = (3 + 6 * 0.4) / 3
    expected = chi2.sf(-2 * np.log(given).sum() / scale, 6 / scale)
    assert np.exp(combine(np.log(given), EQUAL, dependence, "brown")) == pytest.approx([expected])


def test_minimum_counts_the_tests_that_were_made() -> None:
    given = np.log([[1e-3, 0.4, 0.7], [1e-3, np.nan, 0.7], [1e-3, np.nan, np.nan]])
    expected = [1 - 0.999**3, 1 - 0.999**2, 1e-3]
    assert np.exp(combine(given, EQUAL, ALONE, "minimum")) == pytest.approx(expected)


@pytest.mark.parametrize("rule", RULES)
def test_a_method_that_says_nothing_takes_no_part(rule: Rule) -> None:
    pair = np.log([[0.03, 0.2]])
    two, three = Dependence.none(2), Dependence.none(3)
    apart = np.insert(pair, 1, np.nan, axis=1)
    alone = np.log([[np.nan, 1e-5, np.nan]])
    assert combine(apart, EQUAL, three, rule) == pytest.approx(combine(pair, np.ones(2), two, rule))
    assert combine(alone, UNEQUAL, three, rule) == pytest.approx(np.log([1e-5]))


@pytest.mark.parametrize("rule", RULES)
def test_what_is_far_out_has_an_order_where_numbers_run_out(rule: Rule) -> None:
    far = combine(np.column_stack([-FAR, np.full((len(FAR), 2), -0.7)]), UNEQUAL, ALONE, rule)
    assert np.isfinite(far).all()
    assert (np.diff(far) < 0).all()
    assert far[4] == pytest.approx((far[3] + far[5]) / 2, rel=1e-4), "no step where a rule goes on in another way"


@pytest.mark.parametrize("rule", RULES)
def test_what_is_usual_for_all_is_usual(rule: Rule) -> None:
    assert combine(np.zeros((1, 3)), EQUAL, ALONE, rule) == pytest.approx([0], abs=1e-3)


def test_a_method_that_weighs_more_says_more() -> None:
    given = np.log([[1e-4, 0.5, 0.5], [0.5, 0.5, 1e-4]])
    for rule in ("brown", "stouffer", "cauchy", "minimum", "fisher"):
        heavy, light = combine(given, UNEQUAL, ALONE, rule)
        assert heavy < light
