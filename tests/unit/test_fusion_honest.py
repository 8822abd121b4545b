"""On normal footage a fusion raises what its budget allows, whatever its members have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter

from amiss.config import ScoringConfig
from amiss.scoring.calibrate import Calibration, calibrate, make_finder
from amiss.scoring.dependence import depend, log_tail, steadiness, tail_of
from amiss.scoring.events import find_spans
from amiss.scoring.fuse import Rule, combine

RATE, LENGTH, REGIONS = 5, 150, 3
"""Frames a second, frames of a clip, regions of a frame."""
GAP = 1.0
BUDGET = ScoringConfig(budget="40/hour", merge=1.0)
CLOCK = np.arange(LENGTH) / RATE


def clips(number: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """`(frames * regions, 2)` scores of two methods that see much the same, slow to change, one with a heavy tail.

    The second is missing where a region has only just come.
    """
    for _ in range(number):
        shared, own = random.standard_normal((LENGTH, REGIONS, 1)), random.standard_normal((LENGTH, REGIONS, 2))
        noise = 0.6 * lfilter([1], [1, -0.8], np.sqrt(0.6) * shared + np.sqrt(0.4) * own, axis=0)
        scores = np.stack([noise[..., 0], np.exp(noise[..., 1])], axis=-1)
        scores[:5, :, 1] = np.nan
        yield scores.reshape(-1, 2)


def known(scores: np.ndarray, member: int) -> np.ndarray:
    return np.asarray(scores[~np.isnan(scores[:, member]), member])


def fused(rule: Rule, seed: int) -> tuple[Calibration, list[tuple[np.ndarray, np.ndarray]]]:
    """The calibration of a fusion, and the rarity of other normal footage, three times as long."""
    random = np.random.default_rng(seed)
    second, third, other = (list(clips(number, random)) for number in (6, 60, 180))
    blocks = [[known(clip, member) for clip in second] for member in range(2)]
    tails = [tail_of(np.concatenate(own)) for own in blocks]
    weights = steadiness(blocks)

    def logs(clip: np.ndarray) -> np.ndarray:
        return np.stack([log_tail(tail, clip[:, member]) for member, tail in enumerate(tails)], axis=1)

    dependence = depend([logs(clip) for clip in second])

    def curve(clip: np.ndarray) -> np.ndarray:
        score = -combine(logs(clip), weights, dependence, rule) / np.log(10)
        return np.asarray(score.reshape(LENGTH, REGIONS).max(1))

    calibration = calibrate([(curve(clip), CLOCK) for clip in third], 0.0, BUDGET, GAP)
    return calibration, [(calibration.tail.rarity(curve(clip)), CLOCK) for clip in other]


@pytest.mark.parametrize("rule", ["brown", "stouffer"])
def test_other_normal_footage_keeps_the_budget_within_the_interval_that_is_told(rule: Rule) -> None:
    inside, raised, allowed = [], [], 0.0
    for seed in range(6):
        calibration, other = fused(rule, seed)
        needed = replace(calibration, held=other).with_budget(BUDGET, GAP).level
        inside.append(calibration.low <= needed <= calibration.high)
        finder = make_finder(calibration.level, BUDGET, GAP)
        raised.append(sum(len(find_spans(curve, clock, finder)) for curve, clock in other))
        allowed = 3 * calibration.hours * calibration.budget
    assert np.mean(inside) > 0.6, "the interval is one of 90 %, and the other footage has its chances, too"
    assert 0.75 * allowed < np.mean(raised) < 1.25 * allowed
