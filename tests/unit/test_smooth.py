"""Filters over frame scores."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.errors import ConfigError
from amiss.scoring.smooth import CausalFilter, Smoothing, smooth_stretches

SPIKE = np.eye(41)[20]


@pytest.mark.parametrize(
    ("text", "name", "width"),
    [
        ("none", "none", 0),
        ("gaussian", "gaussian", 3),
        ("gaussian:1.5", "gaussian", 1.5),
        ("median", "median", 17),
        ("median:5", "median", 5),
        ("cascade", "cascade", 6),
        ("cascade:3", "cascade", 3),
    ],
)
def test_texts_are_read(text: str, name: str, width: float) -> None:
    assert Smoothing.parse(text) == Smoothing(name, width)  # type: ignore[arg-type]  # the literals of Smoothing


@pytest.mark.parametrize(
    "text",
    [
        *("", "none:3", "mean:3", ":3", "median:4", "median:0", "median:1.5"),
        *("cascade:0", "cascade:1.5", "cascade:nan", "cascade:1000"),
        *("gaussian:0", "gaussian:-1", "gaussian:wide", "gaussian:nan", "gaussian:inf"),
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"scoring\.smoothing does not take"):
        Smoothing.parse(text)


@pytest.mark.parametrize("text", ["none", "gaussian:2.5", "median:7", "cascade:6"])
def test_a_filter_writes_itself_as_it_is_read(text: str) -> None:
    assert str(Smoothing.parse(text)) == text


def test_a_centred_gaussian_is_even_and_keeps_the_sum() -> None:
    smooth = Smoothing.parse("gaussian:2").centred(SPIKE)
    assert smooth.sum() == pytest.approx(1)
    assert smooth == pytest.approx(smooth[::-1])
    assert smooth[22] / smooth[20] == pytest.approx(np.exp(-0.5))


def test_a_causal_gaussian_looks_back_only() -> None:
    smooth = Smoothing.parse("gaussian:2").causal(SPIKE)
    assert not smooth[:20].any()
    assert smooth[22] / smooth[20] == pytest.approx(np.exp(-0.5))
    assert not smooth[29:].any()


def test_a_cascade_is_gaussians_one_after_the_other() -> None:
    cascade, centred = Smoothing.parse("cascade:3"), SPIKE
    for sigma in (1, 2, 3):
        centred = Smoothing.parse(f"gaussian:{sigma}").centred(centred)
    assert cascade.centred(SPIKE) == pytest.approx(centred)
    full = np.concatenate([np.zeros(100), SPIKE])  # from where on each of the filters is full
    found = cascade.causal(full)[100:]
    assert not found[:20].any()
    for sigma in (1, 2, 3):
        full = Smoothing.parse(f"gaussian:{sigma}").causal(full)
    assert found == pytest.approx(full[100:])
    assert found[25] > found[20]


def test_last_values_that_come_too_late_take_the_last_known_one() -> None:
    values = np.array([0.0, 5.0, 6.0, 7.0, 0.0, 0.0])
    assert Smoothing.parse("median:1").centred(values, 1, 2).tolist() == [5, 5, 6, 7, 7, 7]
    assert Smoothing.parse("median:1").centred(values, 0, 2).tolist() == [0, 5, 6, 7, 7, 7]
    assert Smoothing.parse("median:1").centred(values, 4, 2).tolist() == values.tolist()


def test_medians_drop_a_spike_and_keep_a_step() -> None:
    median = Smoothing.parse("median:5")
    assert not median.centred(SPIKE).any()
    assert not median.causal(SPIKE).any()
    step = np.repeat([0.0, 1.0], 10)
    assert median.centred(step).tolist() == step.tolist()
    assert median.causal(step).tolist() == np.repeat([0.0, 1.0], [12, 8]).tolist()


def test_none_changes_nothing_and_gives_a_copy() -> None:
    values = np.array([3.0, 1.0])
    for smooth in (Smoothing.parse("none").centred(values), Smoothing.parse("none").causal(values)):
        assert smooth.tolist() == [3, 1]
        assert smooth is not values


@pytest.mark.parametrize("text", ["none", "gaussian:3", "median:5", "cascade:3"])
def test_constants_stay_and_nothing_stays_nothing(text: str) -> None:
    filters = Smoothing.parse(text)
    for smooth in (filters.centred, filters.causal):
        assert smooth(np.full(9, 2.5)) == pytest.approx(np.full(9, 2.5))
        assert len(smooth(np.zeros(0))) == 0


def test_reset_forgets_the_past() -> None:
    running = CausalFilter(Smoothing.parse("median:5"))
    for value in (9, 9, 9):
        running.update(value)
    running.reset()
    assert running.update(1) == 1


@pytest.mark.parametrize("jump", [5.0, -1.0])
@pytest.mark.parametrize("mode", ["centred", "causal"])
def test_nothing_is_smoothed_across_a_jump_in_time(jump: float, mode: str) -> None:
    smooth = getattr(Smoothing.parse("gaussian:2"), mode)
    seconds = np.arange(20) / 10 + np.where(np.arange(20) >= 10, jump, 0)
    values = np.repeat([0.0, 1.0], 10)
    assert smooth_stretches(smooth, values, seconds, 1.0).tolist() == pytest.approx(values.tolist(), abs=1e-12)
    assert np.array_equal(smooth_stretches(smooth, values, np.arange(20) / 10, 1.0), smooth(values))
    assert len(smooth_stretches(smooth, values[:0], seconds[:0], 1.0)) == 0


def test_first_values_that_come_too_early_take_the_first_known_one() -> None:
    values = np.array([0.0, 0.0, 5.0, 6.0, 7.0])
    assert Smoothing.parse("median:1").centred(values, 2).tolist() == [5, 5, 5, 6, 7]
    assert Smoothing.parse("median:3").centred(values, 2).tolist() == [5, 5, 5, 6, 7]
    assert Smoothing.parse("none").centred(values, 2).tolist() == values.tolist()
    assert Smoothing.parse("median:1").centred(values[:2], 2).tolist() == [0, 0]
