"""How rare a value is."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.scoring.tail import Pareto, Tail, fit_pareto


def test_rarity_is_the_logarithm_of_the_share_above() -> None:
    tail = Tail.fit(np.linspace(0, 1, 10_001))
    assert tail.rarity(np.array([-1, 0, 0.5, 0.9])) == pytest.approx([0, 0, np.log10(2), 1], abs=1e-3)


def test_the_tail_goes_beyond_what_was_seen() -> None:
    values = np.random.default_rng(0).exponential(2.0, 20_000)
    tail = Tail.fit(values)
    for rarity in (1.0, 2.0, 3.0, 5.0):
        assert tail.value_at(rarity) == pytest.approx(2.0 * rarity * np.log(10), rel=0.15)
    assert np.isfinite(tail.rarity(np.array([1e9]))).all()


@pytest.mark.parametrize("shape", [0.1, 0.3])
def test_pareto_is_recovered_from_its_samples(shape: float) -> None:
    uniform = np.random.default_rng(1).uniform(size=50_000)
    fitted = fit_pareto(2.0 / shape * (uniform**-shape - 1))
    assert fitted.shape == pytest.approx(shape, abs=0.05)
    assert fitted.scale == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("pareto", [Pareto(0.0, 2.0), Pareto(0.3, 2.0)])
def test_excess_at_is_the_inverse_of_survival(pareto: Pareto) -> None:
    for share in (1.0, 0.5, 1e-3, 1e-9):
        assert np.exp(pareto.log_survival(np.array([pareto.excess_at(np.log(share))]))) == pytest.approx(share)


def test_light_tails_and_few_excesses_are_taken_as_exponential() -> None:
    assert fit_pareto(np.linspace(0, 1, 100)).shape == 0
    assert fit_pareto(np.array([1.0, 5.0, 900.0])) == Pareto(0.0, 302.0)
    assert fit_pareto(np.zeros(0)).scale > 0


def test_a_heavy_tail_is_bounded() -> None:
    uniform = np.random.default_rng(1).uniform(size=5_000)
    assert fit_pareto(uniform**-2.0 - 1).shape <= 0.5


@pytest.mark.parametrize("quiet", [0.5, 0.93, 0.97, 1.0])
def test_what_is_usual_is_not_rare_however_often_it_comes(quiet: float) -> None:
    generator = np.random.default_rng(0)
    values = np.full(1000, 0.7)
    values[: round((1 - quiet) * 1000)] += generator.exponential(1.0, round((1 - quiet) * 1000))
    tail = Tail.fit(values)
    # rounding in a filter may lift a quiet frame by a hair
    assert tail.rarity(np.array([0.7, np.nextafter(0.7, 1), 0.7 * (1 + 1e-12)])).max() < 1e-9
    assert tail.rarity(np.array([9.0])) > 1.3


def test_a_rarity_too_great_for_a_share_has_a_value() -> None:
    """Two normal values that nearly agree make what lies a little above them rarer than any number can say."""
    tail = Tail.fit(np.array([7.0, 7.0234375]))
    rarity = float(tail.rarity(np.array([8.0]))[0])
    assert rarity > 330
    assert tail.value_at(rarity) == pytest.approx(8.0)


@pytest.mark.parametrize("busy", [0.02, 0.005, 0.001])
def test_what_is_rarer_than_the_tail_is_told_as_rare_as_it_is(busy: float) -> None:
    """Nobody comes for most of the time, so that most values are the lowest one."""
    values = np.zeros(100_000)
    count = round(busy * len(values))
    values[:count] = 1 + np.random.default_rng(0).exponential(size=count)
    tail = Tail.fit(values)
    usual = np.median(values[:count])
    assert tail.rarity(np.array([usual])) == pytest.approx(-np.log10(busy / 2), abs=0.25)
    assert tail.rarity(np.array([0.0])) == 0
    assert tail.value_at(-np.log10(busy / 2)) == pytest.approx(usual, rel=0.2)


def test_where_all_is_the_same_whatever_is_more_is_rare() -> None:
    tail = Tail.fit(np.zeros(1000))
    assert tail.rarity(np.array([0.0])) == 0
    assert tail.rarity(np.array([1.0])) > 3
