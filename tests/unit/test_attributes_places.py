"""What is usual at a place, and borrowed from around it."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.methods.attributes.places import LocalHistograms, Scale

WAYS = Scale(-np.pi, np.pi, 16, circular=True)
LINE = Scale(-3.0, 3.0, 25)


def at(x: float, y: float, *value: float, count: int = 1) -> np.ndarray:
    return np.tile(np.array([x, y, *value], np.float32), (count, 1))


def towards(x: float, y: float, degrees: float, count: int = 1) -> np.ndarray:
    return at(x, y, np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), count=count)


def fitted(scale: Scale, *vectors: np.ndarray, seconds: float = 1.0) -> LocalHistograms:
    every = np.concatenate(vectors)
    found = LocalHistograms(scale)
    found.fit(every, np.arange(len(every)) % 4, np.full(len(every), seconds), 0)
    return found


def test_what_is_usual_in_one_place_is_unusual_in_another() -> None:
    """Two lanes, twenty heights apart, in opposite directions."""
    found = fitted(WAYS, towards(5, 5, 0, 200), towards(5, 25, 180, 200))
    along, against = found.score(towards(5, 5, 0)), found.score(towards(5, 5, 180))
    assert against - along > 3
    assert found.score(towards(5, 25, 180)) == pytest.approx(along, abs=0.2)
    assert found.score(towards(5, 25, 0)) - found.score(towards(5, 25, 180)) > 3


def test_a_place_that_has_shown_little_borrows_from_around_it_and_then_from_the_view() -> None:
    found = fitted(WAYS, towards(5, 5, 0, 100), towards(30, 30, 90, 100))
    near, far = (found.score(towards(x, 5, 0)) - found.score(towards(x, 5, 90)) for x in (8, 40))
    assert near < -2, "three heights beside the lane its direction is the likely one"
    assert abs(far) < 0.1, "where nothing was seen both are as in the whole view"


def test_seconds_decide_how_much_a_place_speaks_for_itself() -> None:
    sides = [towards(5, 5, 0, 40), towards(30, 30, 180, 400)]
    gaps = []
    for seconds in (0.004, 0.04, 0.4):
        found = fitted(WAYS, *sides, seconds=seconds)
        gaps.append(float((found.score(towards(5, 5, 180)) - found.score(towards(5, 5, 0)))[0]))
    assert gaps[0] < 0 < gaps[1] < gaps[2]


def test_the_density_is_one_over_the_circle_and_over_the_line() -> None:
    found = fitted(WAYS, towards(5, 5, 30, 60), towards(5, 9, 200, 60))
    angles = np.arange(0, 360, 1.0)
    around = np.concatenate([towards(6, 6, angle) for angle in angles])
    assert np.exp(-found.score(around)).sum() * np.radians(1) == pytest.approx(1, abs=0.01)
    values = np.random.default_rng(0).normal(0, 0.5, 500)
    line = fitted(LINE, np.concatenate([at(5, 5, value) for value in values]))
    ahead = np.linspace(-3, 3, 601)
    density = np.exp(-line.score(np.concatenate([at(5, 5, value) for value in ahead])))
    assert density.sum() * 0.01 == pytest.approx(1, abs=0.02)
    assert density[300] == pytest.approx(1 / (0.5 * np.sqrt(2 * np.pi)), rel=0.15)


def test_numbers_beyond_all_that_was_seen_grow_more_unusual() -> None:
    values = np.random.default_rng(1).normal(0, 0.3, 800)
    found = fitted(LINE, np.concatenate([at(5, 5, value) for value in values]))
    assert (np.diff(found.score(np.concatenate([at(5, 5, value) for value in (0, 0.5, 1, 1.5, 2)]))) > 0.5).all()


def test_calibration_leaves_the_own_group_out() -> None:
    vectors = np.concatenate([towards(5, 5, 0, 50), towards(5, 5, 180, 50)])
    apart = LocalHistograms(WAYS).fit(vectors, np.repeat([0, 1], 50), np.ones(100), 0)
    mixed = LocalHistograms(WAYS).fit(vectors, np.arange(100) % 2, np.ones(100), 0)
    assert apart.mean() > mixed.mean() + 2


def test_what_was_taken_in_counts_at_once_and_state_gives_it_all_back() -> None:
    found = fitted(WAYS, towards(5, 5, 0, 200))
    before = found.score(towards(5, 5, 180))
    found.add(towards(5, 5, 180, 50), np.ones(50))
    assert found.score(towards(5, 5, 180)) < before - 2
    assert found.seen == 250
    again = LocalHistograms(WAYS)
    again.restore(found.state())
    probe = np.concatenate([towards(x, 6, 20 * x) for x in range(12)])
    assert np.array_equal(again.score(probe), found.score(probe))
    again.add(towards(5, 5, 90, 50), np.ones(50))
    assert not np.array_equal(again.score(probe), found.score(probe)), "the two share nothing"


def test_memory_is_bounded_and_one_by_one_gives_what_all_at_once_give() -> None:
    found = fitted(WAYS, towards(5, 5, 0, 20), towards(9000, 400, 90, 20))
    assert max(found.state()["counts"].shape[:2]) <= 66
    probe = np.concatenate([towards(100 * x, 9 * x, 20 * x) for x in range(40)])
    assert np.array_equal(found.score(probe), np.concatenate([found.score(row[None]) for row in probe]))
    assert np.isfinite(found.score(towards(-50, 1e6, 3))).all()
    assert found.score(probe[:0]).shape == (0,)
