"""How some numbers of normal windows are distributed, and how more of them count."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.methods.normal import KEPT, Usual

RANDOM = np.random.default_rng(0)


def test_moments_with_more_are_those_of_all() -> None:
    values = RANDOM.normal(3, 2, (500, 2))
    grown, whole = Usual.of(values[:200]).with_more(values[200:350]).with_more(values[350:]), Usual.of(values)
    assert grown.count == 500
    np.testing.assert_allclose(grown.mean, whole.mean)
    np.testing.assert_allclose(grown.squares, whole.squares)


def test_a_sample_that_holds_all_grows() -> None:
    values = RANDOM.normal(0, 1, (500, 2))
    grown = Usual.of(values[:400]).with_more(values[400:])
    np.testing.assert_array_equal(grown.sample, Usual.of(values).sample)


@pytest.mark.parametrize(("before", "step"), [(10_000, 1), (10_000, 7), (10_000, 5_000), (5_000, 10_000)])
def test_of_a_sample_that_is_full_new_rows_get_their_share(before: int, step: int) -> None:
    usual = Usual.of(np.zeros((before, 2)))
    for _ in range(10_000 // step):
        usual = usual.with_more(np.ones((step, 2)))
    assert usual.sample.shape == (KEPT, 2)
    assert usual.sample.mean(0).tolist() == pytest.approx([10_000 / (before + 10_000)] * 2, abs=0.03)
    assert usual.below(np.full(2, 0.5))[0] == pytest.approx(before / (before + 10_000), abs=0.03)


def test_what_weighs_little_gives_way_to_what_is_new() -> None:
    usual = Usual.of(np.zeros((10_000, 1))).weighing(50).with_more(np.ones((50, 1)))
    assert usual.sample.mean() == pytest.approx(0.5, abs=0.01)
    assert usual.mean[0] == pytest.approx(0.5)


def test_the_same_additions_give_the_same_sample() -> None:
    usual, more = Usual.of(RANDOM.normal(0, 1, (5_000, 1))), RANDOM.normal(0, 1, (100, 1))
    np.testing.assert_array_equal(usual.with_more(more).sample, usual.with_more(more).sample)
    assert (usual.with_more(more).sample != usual.sample).any()
    assert (np.diff(usual.with_more(more).sample[:, 0]) >= 0).all()
