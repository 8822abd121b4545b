"""Which regions of several methods are the same."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.methods.fusion.align import align
from amiss.types import NO_TRACK, RegionScores


def table(*rows: tuple[int, int, tuple[int, int, int, int], float]) -> RegionScores:
    """Regions by frame, track, box and score."""
    frames = np.array([row[0] for row in rows], np.int64)
    box = np.array([row[2] for row in rows], np.float32).reshape(-1, 4)
    return RegionScores(
        frames, frames / 10, box, np.array([row[1] for row in rows], np.int64), [row[3] for row in rows]
    )


LEFT, RIGHT, WIDE = (0, 0, 10, 20), (30, 0, 40, 20), (0, 0, 40, 20)


def test_regions_of_a_track_in_a_frame_are_the_same() -> None:
    some, others = table((0, 5, LEFT, 1), (1, 5, LEFT, 2), (1, 7, RIGHT, 3)), table((1, 7, RIGHT, 4), (2, 5, LEFT, 5))
    found = align([some, others])
    assert list(zip(found.frame, found.track, strict=True)) == [(0, 5), (1, 5), (1, 7), (2, 5)]
    assert found.rows.tolist() == [[0, -1], [1, -1], [2, 0], [-1, 1]]
    assert found.seconds.tolist() == [0, 0.1, 0.1, 0.2]
    assert found.box.tolist() == [[*LEFT], [*LEFT], [*RIGHT], [*LEFT]]
    assert found.column(1, others.score, np.nan)[2:].tolist() == [4, 5]
    assert np.isnan(found.column(1, others.score, np.nan)[:2]).all()


def test_a_region_of_whole_frames_joins_what_it_shares_half_of_the_smaller_with() -> None:
    boxes = table((0, 1, LEFT, 1), (0, 2, RIGHT, 1), (1, 1, LEFT, 1))
    frames = table((0, NO_TRACK, (5, 0, 15, 20), 3), (0, NO_TRACK, (20, 0, 34, 20), 9))
    found = align([boxes, frames])
    assert list(zip(found.frame, found.track, strict=True)) == [(0, 1), (0, 2), (0, NO_TRACK), (1, 1)]
    assert found.rows.tolist() == [[0, 0], [1, -1], [-1, 1], [2, -1]]
    assert found.box[2].tolist() == [20, 0, 34, 20], "what is found where no box is stays where it is"
    assert found.own.tolist() == [[True, False], [True, False], [False, True], [True, False]]


def test_one_that_lies_over_several_boxes_joins_all_and_the_highest_counts() -> None:
    boxes = table((0, 1, LEFT, 1), (0, 2, RIGHT, 1))
    frames = table((0, NO_TRACK, LEFT, 3), (0, NO_TRACK, WIDE, 5), (0, NO_TRACK, RIGHT, 7))
    assert align([boxes, frames]).rows.tolist() == [[0, 1], [1, 2]]


def test_regions_of_two_methods_of_whole_frames_join_each_other() -> None:
    some, others = table((0, NO_TRACK, LEFT, 1)), table((0, NO_TRACK, (0, 0, 10, 15), 2), (0, NO_TRACK, RIGHT, 1))
    assert align([some, others]).rows.tolist() == [[0, 0], [-1, 1]]


@pytest.mark.parametrize("empty", [(0,), (1,), (0, 1)])
def test_methods_that_scored_nothing_do_no_harm(empty: tuple[int, ...]) -> None:
    tables = [table() if place in empty else table((0, 3, LEFT, 1)) for place in range(2)]
    assert len(align(tables)) == 2 - len(empty)
