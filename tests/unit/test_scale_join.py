"""Tracks that cross a cut are one again."""

from __future__ import annotations

import numpy as np

from amiss.scale.jobs import PartScores
from amiss.scale.join import join
from amiss.scale.plan import Part
from amiss.types import NO_TRACK, FloatArray, RegionScores

PARTS = (Part(0, 0, 0, 20, 22), Part(1, 1, 20, 40, 40))
"""The second reads from frame 10 on."""


def walk(x: float, frames: range, track: int) -> RegionScores:
    """A track that goes right by a pixel a frame."""
    at = np.array(frames, np.int64)
    left = x + at
    box = np.stack([left, 0 * left, left + 10, 0 * left + 20], axis=1).astype(np.float32)
    return RegionScores(at, at / 10, box, np.full(len(at), track), at * 1.0 + x)


def merged(*tracks: RegionScores) -> RegionScores:
    table = RegionScores.merge(tracks)
    return table[np.argsort(table.frame, kind="stable")]


def clock(first: int, last: int) -> FloatArray:
    return np.arange(first, last) / 10


def joined(before: RegionScores, after: RegionScores) -> tuple[RegionScores, tuple[dict[int, int], ...]]:
    found = join(PARTS, [PartScores(before, 0, clock(0, 22)), PartScores(after, 10, clock(10, 40))])
    np.testing.assert_array_equal(found.clock, clock(0, 40))
    return found.regions, found.known


def test_a_track_that_crosses_the_cut_keeps_its_number() -> None:
    before = merged(walk(0, range(20), 3), walk(100, range(5, 20), 7))
    after = merged(walk(0, range(10, 40), 2), walk(100, range(10, 40), 1), walk(200, range(25, 40), 5))
    regions, known = joined(before, after)
    np.testing.assert_array_equal(np.unique(regions.frame), np.arange(40))
    for x, number in ((0, 3), (100, 7), (200, 8)):
        at = regions[regions.track == number]
        np.testing.assert_array_equal(at.box[:, 0], x + at.frame)
    assert known == ({3: 3, 7: 7}, {3: 2, 7: 1, 8: 5})


def test_each_part_answers_for_its_own_frames() -> None:
    before = walk(0, range(20), 0)
    after = RegionScores(
        *[getattr(walk(0, range(10, 40), 0), n) for n in ("frame", "seconds", "box", "track")], 99.0 + np.zeros(30)
    )
    regions, _ = joined(before, after)
    np.testing.assert_array_equal(regions.score[regions.frame < 20], np.arange(20.0))
    assert (regions.score[regions.frame >= 20] == 99).all()


def test_two_tracks_do_not_become_one() -> None:
    """Two of the second part lie on one of the first: the one that shares more frames is it."""
    before = walk(0, range(20), 4)
    after = merged(walk(0, range(10, 14), 0), walk(1, range(14, 40), 1))
    regions, known = joined(before, after)
    assert known[1] == {4: 1, 5: 0}
    assert set(regions.track.tolist()) == {4}


def test_a_track_that_only_the_first_part_saw_does_not_come_back() -> None:
    regions, known = joined(walk(0, range(15), 0), walk(300, range(20, 40), 0))
    assert known[1] == {1: 0}
    assert set(regions.track.tolist()) == {0, 1}


def test_regions_without_a_track_stay_so() -> None:
    regions, known = joined(walk(0, range(20), NO_TRACK), walk(0, range(10, 40), NO_TRACK))
    assert set(regions.track.tolist()) == {NO_TRACK}
    assert len(regions) == 40
    assert known == ({}, {})


def test_nothing_was_seen() -> None:
    nothing = walk(0, range(0), 0)
    regions, _ = joined(nothing, nothing)
    assert len(regions) == 0
