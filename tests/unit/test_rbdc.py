"""RBDC and TBDC on cases counted by hand, and on bad input."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.datasets.regions import tracks_in
from amiss.errors import MetricError
from amiss.metrics import region_curve
from amiss.types import RegionScores, Track

BOX = (10.0, 10.0, 19.0, 19.0)
FAR = (80.0, 80.0, 89.0, 89.0)


def track(frames, box=BOX) -> Track:
    frames = np.array(frames)
    return Track(frame=frames, seconds=frames / 10, xyxy=np.tile(box, (len(frames), 1)))


def found(*rows) -> RegionScores:
    """Regions from rows of a frame, a box and a score."""
    frame = np.array([row[0] for row in rows], np.int64)
    box = np.array([row[1] for row in rows], float).reshape(-1, 4)
    return RegionScores(frame=frame, seconds=frame / 10, box=box, score=[row[2] for row in rows])


def test_all_found_before_anything_false_is_one() -> None:
    curve = region_curve({"a": [track([0, 1])]}, {"a": found((0, BOX, 2), (1, BOX, 2), (1, FAR, 1))}, 10)
    assert curve.rbdc == curve.tbdc == 1


def test_areas_by_hand() -> None:
    # one false region first, then one of two regions of the only track: both curves step up along the first quarter
    regions = found((0, FAR, 3), (0, BOX, 2))
    curve = region_curve({"a": [track([0, 1])]}, {"a": regions}, 4)
    assert curve.rate.tolist() == [0, 0.25, 0.25, 1]
    assert curve.regions.tolist() == [0, 0, 0.5, 0.5]
    assert curve.rbdc == pytest.approx(0.75 * 0.5)
    assert curve.tbdc == pytest.approx(0.75)


def test_a_region_that_is_found_again_is_neither_right_nor_false() -> None:
    once = region_curve({"a": [track([0])]}, {"a": found((0, BOX, 2), (0, FAR, 1))}, 2)
    twice = region_curve({"a": [track([0])]}, {"a": found((0, BOX, 2), (0, BOX, 1.5), (0, FAR, 1))}, 2)
    assert (once.rbdc, once.tbdc) == (twice.rbdc, twice.tbdc)


def test_what_is_beyond_one_false_region_a_frame_does_not_count() -> None:
    rows = [(0, FAR, 9 - number) for number in range(3)]
    curve = region_curve({"a": [track([0])]}, {"a": found(*rows, (0, BOX, 1))}, 2)
    assert curve.rbdc == 0


@pytest.mark.parametrize(("count", "number"), [(10, 1), (11, 2), (20, 2), (21, 3)])
def test_a_tenth_of_its_regions_finds_a_track(count: int, number: int) -> None:
    truth = {"a": [track(range(count))]}
    enough = region_curve(truth, {"a": found(*[(frame, BOX, 1) for frame in range(number)])}, count)
    assert enough.tbdc == 1
    if number > 1:
        few = region_curve(truth, {"a": found(*[(frame, BOX, 1) for frame in range(number - 1)])}, count)
        assert few.tbdc == 0


def test_one_box_finds_all_regions_that_it_lies_on() -> None:
    tracks = [track([0]), track([0], (14.0, 10.0, 23.0, 19.0))]
    assert region_curve({"a": tracks}, {"a": found((0, (12, 10, 21, 19), 1))}, 1).rbdc == 1


def test_frames_of_other_clips_and_clips_without_regions() -> None:
    truth = {"a": [track([0])], "b": [track([0])], "c": []}
    assert region_curve(truth, {"a": found((0, BOX, 1)), "c": found()}, 3).rbdc == 0.5


def test_the_last_pixel_of_a_box_is_inside() -> None:
    thin = (10.0, 10.0, 10.0, 19.0)
    assert region_curve({"a": [track([0], thin)]}, {"a": found((0, thin, 1))}, 1).rbdc == 1


def test_tracks_without_a_region_are_none() -> None:
    truth = {"a": [track([0]), Track(frame=[], seconds=[], xyxy=np.zeros((0, 4)))]}
    assert region_curve(truth, {"a": found((0, BOX, 1))}, 1).tbdc == 1


@pytest.mark.parametrize(
    ("truth", "regions", "frames", "message"),
    [
        ({"a": []}, {"a": found((0, BOX, 1))}, 3, "no abnormal region"),
        ({"a": [track([0])]}, {"b": found((0, BOX, 1))}, 3, "clip b, of which nothing is known"),
        ({"a": [track([0])]}, {"a": found((0, BOX[::-1], 1))}, 3, "clip a has a box that is upside down"),
        ({"a": [track([0])]}, {}, 0, "no frames"),
    ],
)
def test_bad_input_is_told(truth, regions, frames: int, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        region_curve(truth, regions, frames)


def test_components_of_masks_that_go_on_are_tracks() -> None:
    masks = np.zeros((4, 20, 30), bool)
    for frame in range(3):
        masks[frame, 2:6, 2 + frame : 8 + frame] = True
    masks[1:, 12:18, 20:26] = True
    masks[3, 2:6, 20:24] = True  # far from where the first one was: another
    tracks = sorted(tracks_in(masks, 10.0), key=lambda one: (one.frame[0], one.xyxy[0, 1]))
    assert [one.frame.tolist() for one in tracks] == [[0, 1, 2], [1, 2, 3], [3]]
    assert tracks[0].xyxy.tolist() == [[2, 2, 8, 6], [3, 2, 9, 6], [4, 2, 10, 6]]
    assert tracks[1].seconds.tolist() == [0.1, 0.2, 0.3]
    assert tracks_in(masks[:0], 10.0) == []
