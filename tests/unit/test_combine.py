"""From regions to frames, and along tracks."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.scoring.combine import hold, persist, worst_region
from amiss.types import NO_TRACK
from support import region_table


def test_a_frame_is_as_odd_as_its_worst_region() -> None:
    assert worst_region(region_table([0, 0, 2], [1, 5, -1]), 4, floor=-3).tolist() == [5, -3, -1, -3]


def test_no_region_is_below_the_floor_of_an_empty_frame() -> None:
    assert worst_region(region_table([0], [-9]), 1, floor=-3).tolist() == [-3]


def test_without_regions_all_frames_are_at_the_floor() -> None:
    assert worst_region(region_table([], []), 3, floor=0.5).tolist() == [0.5] * 3


def test_a_flicker_is_weak_and_what_stays_is_not() -> None:
    regions = region_table([3, 4, 5, 4], [6, 6, 6, 6], [1, 1, 1, 2])
    assert persist(regions, 3, floor=0).score == pytest.approx([2, 4, 6, 2])


def test_regions_without_a_track_have_no_past_and_keep_their_score() -> None:
    regions = region_table([3, 4, 5, 5], [6, 6, 6, 6], [NO_TRACK] * 3 + [1])
    assert persist(regions, 3, floor=0).score == pytest.approx([6, 6, 6, 2])


def test_frames_in_which_the_track_is_unseen_are_normal() -> None:
    assert persist(region_table([0, 2], [6, 6], [1, 1]), 3, floor=-3).score == pytest.approx([0, 3])


def test_one_frame_changes_nothing() -> None:
    regions = region_table([0, 1, 1], [3, -2, 5], [1, 1, NO_TRACK])
    assert persist(regions, 1, floor=-9).score.tolist() == regions.score.tolist()


def test_only_the_score_changes() -> None:
    regions = region_table([0, 1], [3, 5], [1, 1])
    smooth = persist(regions, 2, floor=0)
    assert smooth.parts["motion"].tolist() == [3, 5]
    assert (smooth.frame.tolist(), smooth.track.tolist()) == ([0, 1], [1, 1])


def test_no_regions_stay_none() -> None:
    assert len(persist(region_table([], []), 3, floor=0)) == 0


CLOCK = np.array([0, 0.1, 0.2, 0.3, 5.0, 5.1, 5.2])


def test_a_score_stands_until_the_next_and_not_across_a_jump() -> None:
    regions = region_table([0, 2, 2, 6], [1, 2, 3, 4])
    held = hold(regions, 2, CLOCK, gap=1.0)
    assert held.frame.tolist() == [0, 1, 2, 2, 3, 3, 6]
    assert held.score.tolist() == [1, 1, 2, 3, 2, 3, 4]
    assert held.seconds.tolist() == CLOCK[held.frame].tolist()


def test_it_ends_at_a_jump() -> None:
    assert hold(region_table([3], [1]), 3, CLOCK, gap=1.0).frame.tolist() == [3]


def test_a_score_that_stands_for_its_own_frame_changes_nothing() -> None:
    regions = region_table([0, 2], [1, 2])
    assert hold(regions, 1, CLOCK, gap=1.0) is regions


def test_nothing_that_stands_stays_nothing() -> None:
    assert len(hold(region_table([], []), 3, CLOCK, gap=1.0)) == 0


def test_a_track_that_begins_in_the_middle_of_footage_reaches_only_as_far_as_it_was_not_in_view() -> None:
    clock = 0.1 * np.arange(12)
    regions = region_table([2, 3, 5, 6, 7, 8, 9], [1, 2, 3, 4, 5, 6, 7], [1, 1, 2, 2, 2, 3, 3])
    # windows of five frames scored at their middle: none is possible in the first and the last two frames
    reached = hold(regions, 1, clock, gap=1.0, reach=(2, 2))
    assert reached.frame[reached.track == 2].tolist() == [3, 4, 5, 6, 7, 8, 9]
    held = hold(regions, 1, clock, gap=1.0, reach=(2, 2), margins=True)
    assert held.frame[held.track == 1].tolist() == [0, 1, 2, 3], "it was there when the footage began"
    assert held.score[held.track == 1].tolist() == [1, 1, 1, 2]
    assert held.frame[held.track == 2].tolist() == [5, 6, 7], "it came and went while windows were possible"
    assert held.frame[held.track == 3].tolist() == [8, 9, 10, 11], "it was there when the footage ended"
    jumps = np.where(np.arange(12) < 4, clock, clock + 60)
    held = hold(regions, 1, jumps, gap=1.0, reach=(2, 2), margins=True)
    assert held.frame[held.track == 2].tolist() == [4, 5, 6, 7], "footage begins anew after a jump"
