"""The nouns are checked at birth, read-only, and stay what they are when cut and put together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from amiss import types
from amiss.errors import AmissError, ShapeError
from amiss.types import NO_TRACK, Boxes, Event, Frame, Label, Poses, RegionScores, Track, Tube, Window, Windows

SQUARE = np.array([[0, 0, 10, 10]], np.float32)


def a_tube(**changes: object) -> Tube:
    values = {"frame": [3, 3, 4], "seconds": [0.3, 0.3, 0.4], "xyxy": np.tile(SQUARE, (3, 1))} | changes
    return Tube(**values)


def test_all_public_names_exist() -> None:
    assert all(hasattr(types, name) for name in types.__all__)


@pytest.mark.parametrize(
    ("image", "index", "seconds"),
    [
        (np.zeros((4, 5), np.uint8), 0, 0.0),
        (np.zeros((4, 5, 4), np.uint8), 0, 0.0),
        (np.zeros((4, 5, 3), np.float32), 0, 0.0),
        (np.zeros((4, 5, 3), np.uint8), -1, 0.0),
        (np.zeros((4, 5, 3), np.uint8), 0, float("nan")),
    ],
)
def test_a_frame_refuses_what_is_no_picture_at_a_time(image: np.ndarray, index: int, seconds: float) -> None:
    with pytest.raises(ShapeError):
        Frame(image, index, seconds)


def test_the_size_of_a_frame_is_width_then_height() -> None:
    assert Frame(np.zeros((4, 7, 3), np.uint8), 2, 0.5).size == (7, 4)


def test_columns_left_out_get_their_fill() -> None:
    boxes = Boxes(SQUARE)
    assert boxes.confidence.tolist() == [1.0]
    assert boxes.label.tolist() == [Label.OBJECT]
    assert boxes.track.tolist() == [NO_TRACK]


def test_columns_are_converted_to_the_stated_dtypes() -> None:
    boxes = Boxes([[0, 0, 1, 2]], [1], [3], [7])
    assert [getattr(boxes, item.name).dtype for item in dataclasses.fields(boxes)] == [
        np.float32,
        np.float32,
        np.int16,
        np.int64,
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([[0, 0, 1]],), "xyxy"),
        (([0, 0, 1, 1],), "xyxy"),
        ((SQUARE, [0.5, 0.5]), "confidence"),
        ((SQUARE, [float("nan")]), "confidence"),
        (([[0, 0, float("inf"), 1]],), "finite"),
        (([[5, 0, 4, 1]],), "corner"),
        (([[0, 5, 1, 4]],), "corner"),
    ],
)
def test_boxes_refuse_what_does_not_fit(arguments: tuple[object, ...], said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        Boxes(*arguments)


def test_a_noun_cannot_be_changed() -> None:
    boxes = Boxes(SQUARE)
    with pytest.raises(ValueError, match="read-only"):
        boxes.xyxy[0, 0] = 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        boxes.xyxy = SQUARE
    regions = RegionScores([0], [0.0], SQUARE, parts={"motion": [1.0]})
    with pytest.raises(TypeError):
        regions.parts["motion"] = np.zeros(1)
    with pytest.raises(ValueError, match="read-only"):
        regions.parts["motion"][0] = 2


def test_area_is_width_times_height() -> None:
    assert Boxes([[1, 2, 4, 8], [0, 0, 0, 5]]).area.tolist() == [18.0, 0.0]


@pytest.mark.parametrize("rows", [slice(1, 3), [1, 2], np.array([1, 2]), np.array([False, True, True])])
def test_rows_are_chosen_by_slice_index_and_mask(rows: object) -> None:
    tube = a_tube(track=[7, 8, 9])[rows]
    assert isinstance(tube, Tube)
    assert tube.track.tolist() == [8, 9]
    assert tube.frame.tolist() == [3, 4]


def test_no_rows_may_be_chosen_by_an_empty_list() -> None:
    assert len(a_tube()[[]]) == 0


def test_plain_values_survive_slicing() -> None:
    track = Track([1, 2], [0.1, 0.2], np.tile(SQUARE, (2, 1)), id=5, label=Label.PERSON)[1:]
    assert (track.id, track.label, track.frame.tolist()) == (5, Label.PERSON, [2])


def test_the_frames_of_a_track_increase_and_of_a_tube_never_decrease() -> None:
    with pytest.raises(ShapeError, match="track 5"):
        Track([3, 3], [0.3, 0.3], np.tile(SQUARE, (2, 1)), id=5)
    with pytest.raises(ShapeError, match="tube"):
        a_tube(frame=[3, 4, 3])


def test_poses_have_seventeen_joints() -> None:
    assert Poses(np.zeros((2, 17, 3))).track.tolist() == [NO_TRACK, NO_TRACK]
    with pytest.raises(ShapeError, match="joints"):
        Poses(np.zeros((2, 16, 3)))


def test_a_mapping_has_a_row_per_thing() -> None:
    with pytest.raises(ShapeError, match="flow"):
        Windows([0, 1], [0.0, 0.1], np.tile(SQUARE, (2, 1)), data={"flow": np.zeros((3, 4))})


def test_windows_are_iterated_one_by_one() -> None:
    windows = Windows([4, 5], [0.4, 0.5], np.tile(SQUARE, (2, 1)), [1, 2], [1, 2], {"flow": np.arange(6).reshape(2, 3)})
    first, second = windows
    assert isinstance(first, Window)
    assert (second.frame, second.seconds, second.track, second.label) == (5, 0.5, 2, Label.VEHICLE)
    assert second.data["flow"].tolist() == [3, 4, 5]
    assert second.box.tolist() == [0, 0, 10, 10]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((1, 4, 5), np.float16), r"'motion' is \(N, S, S\) float16, not \(1, 4, 5\)"),
        (np.zeros((1, 4), np.float16), "not"),
        (np.zeros((1, 4, 4)), "float64"),
        (np.full((1, 4, 4), np.inf, np.float16), "not finite"),
        (np.zeros((2, 4, 4), np.float16), "shape"),
    ],
)
def test_a_map_is_a_square_of_halves_for_each_region(values: np.ndarray, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        RegionScores([0], [0.0], SQUARE, maps={"motion": values})


def test_merge_joins_rows_in_order() -> None:
    merged = Boxes.merge([Boxes(SQUARE, track=[1]), Boxes.empty(), Boxes(SQUARE * 2, track=[2])])
    assert merged.track.tolist() == [1, 2]
    assert merged.xyxy[:, 3].tolist() == [10, 20]


def test_merge_refuses_nothing_and_different_keys() -> None:
    with pytest.raises(ShapeError, match="no Boxes"):
        Boxes.merge([])
    tables = [RegionScores([0], [0.0], SQUARE, parts={name: [1.0]}) for name in ("motion", "looks")]
    with pytest.raises(ShapeError, match="parts"):
        RegionScores.merge(tables)


def test_an_event_starts_peaks_and_ends_in_this_order() -> None:
    event = Event("a", "gate", 1.0, 2.0, 3.0, 4.0, a_tube())
    assert event.reasons == ()
    with pytest.raises(ShapeError, match="event a"):
        Event("a", "gate", 1.0, 3.5, 3.0, 4.0, a_tube())


def test_a_shape_error_is_a_value_error_of_amiss() -> None:
    assert issubclass(ShapeError, AmissError)
    assert issubclass(ShapeError, ValueError)
