"""Segments: the poses of one track, at the right frame, never across a gap."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from amiss.perception.seen import Seen
from amiss.types import Boxes, Frame, Poses, Windows
from amiss.windows.needs import Needs
from amiss.windows.segments import SegmentBuilder, squares
from support import box_table


def seen(index: int, *, step: float = 0.04, boxed: tuple[int, ...] = (3, 4), posed: tuple[int, ...] = (3, 4)) -> Seen:
    """Frame `index` has boxes of some tracks, and poses, whose joints are all at the index, of some."""
    boxes = dataclasses.replace(box_table(*[[index, 0, index + 9, 20]] * len(boxed)), track=np.array(boxed, np.int64))
    joints = np.full((len(posed), 17, 3), 0.9)
    joints[..., 0], joints[..., 1] = index, np.array(posed)[:, None]
    frame = Frame(np.zeros((48, 64, 3), np.uint8), index, index * 0.04)
    return Seen(frame, step if index else 0.0, boxes, poses=Poses(joints, np.array(posed, np.int64)))


def run(needs: Needs, items: list[Seen]) -> list[Windows]:
    builder = SegmentBuilder(needs)
    return [builder.update(item) for item in items]


def needs(length: int = 5, **changes: object) -> Needs:
    return Needs("segment", ("pose",), length=length, **changes)  # type: ignore[arg-type]


def test_a_segment_is_the_poses_of_one_track_in_order() -> None:
    windows = run(needs(), [seen(index) for index in range(6)])[5]
    assert windows.track.tolist() == [3, 4]
    assert windows.data["pose"].shape == (2, 5, 17, 3)
    assert windows.data["pose"].dtype == np.float32
    assert windows.data["pose"][0, :, 0, 0].tolist() == [1, 2, 3, 4, 5]
    assert (windows.data["pose"][1, ..., 1] == 4).all()
    assert windows.data["size"].tolist() == [[64, 48]] * 2


@pytest.mark.parametrize(("at", "length", "frame"), [("last", 5, 4), ("middle", 5, 2), ("middle", 6, 3)])
def test_it_has_the_frame_time_and_box_that_it_is_scored_at(at: str, length: int, frame: int) -> None:
    windows = run(needs(length, at=at), [seen(index) for index in range(length)])[-1]
    assert windows.frame.tolist() == [frame] * 2
    assert windows.seconds.tolist() == [frame * 0.04] * 2
    assert windows.box.tolist() == [[frame, 0, frame + 9, 20]] * 2
    assert windows.data["step"].tolist() == [np.float32(0.04)] * 2


def test_there_is_none_before_so_many_frames_and_none_across_a_gap() -> None:
    items = [seen(index, step=0.0 if index == 6 else 0.04) for index in range(12)]
    assert [len(windows) for windows in run(needs(), items)] == [0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 2, 2]


def test_a_person_may_be_missing_for_a_few_frames_but_not_at_the_scored_one() -> None:
    def counts(missing: int, **changes: dict[int, tuple[int, ...]]) -> list[int]:
        items = [seen(i, **{name: at[i] for name, at in changes.items() if i in at}) for i in range(8)]
        return [len(windows) for windows in run(needs(missing=missing), items)]

    assert counts(0, posed={5: (3,)}) == [0, 0, 0, 0, 2, 1, 1, 1]
    assert counts(1, posed={5: (3,)}) == [0, 0, 0, 0, 2, 2, 2, 2]
    assert counts(1, posed={5: (3,), 6: (3,)}) == [0, 0, 0, 0, 2, 2, 1, 1]
    assert counts(1, posed={5: (3,)}, boxed={5: (3,)}) == [0, 0, 0, 0, 2, 1, 2, 2]


def test_a_missing_pose_is_noughts() -> None:
    windows = run(needs(missing=1), [seen(index, posed=(3,) if index == 2 else (3, 4)) for index in range(5)])[4]
    assert not windows.data["pose"][1, 2].any()
    assert windows.data["pose"][0].all(where=[False, True, True])


def test_frames_without_people_give_none_of_the_same_shape() -> None:
    empty = dataclasses.replace(seen(0, boxed=(), posed=()), boxes=Boxes.empty(), poses=None)
    windows = run(needs(), [empty])[0]
    assert windows.data["pose"].shape == (0, 5, 17, 3)
    assert windows.data["size"].shape == (0, 2)


def test_reset_forgets() -> None:
    builder = SegmentBuilder(needs(2))
    builder.update(seen(0))
    builder.reset()
    assert len(builder.update(seen(1))) == 0


def looking(index: int, **changes: object) -> Seen:
    """Like `seen`, with a picture whose columns are all different, and a feature of the place."""
    item = seen(index, **changes)  # type: ignore[arg-type]
    image = np.zeros((48, 64, 3), np.uint8)
    image[..., 0], image[..., 1] = np.arange(64), index
    return dataclasses.replace(item, frame=Frame(image, index, index * 0.04), scene=np.full(3, index, np.float32))


LOOKS = {"arrays": ("image", "pose", "scene"), "size": 8}


def test_pictures_show_a_square_around_the_person_in_each_frame() -> None:
    windows = run(dataclasses.replace(needs(), **LOOKS), [looking(index) for index in range(5)])[4]
    image = windows.data["image"]
    assert image.shape == (2, 5, 8, 8, 3)
    assert image[:, :, 0, 0, 1].tolist() == [[0, 1, 2, 3, 4]] * 2
    place = windows.data["place"]
    np.testing.assert_allclose(place[:, 2] - place[:, 0], place[:, 3] - place[:, 1])
    assert windows.data["scene"].tolist() == [[4, 4, 4]] * 2
    assert np.unique(windows.data["crop"]).size == 10


def test_the_next_segment_has_the_same_pictures_under_the_same_numbers() -> None:
    four, five = run(dataclasses.replace(needs(), **LOOKS), [looking(index) for index in range(6)])[4:]
    np.testing.assert_array_equal(four.data["crop"][:, 1:], five.data["crop"][:, :-1])
    np.testing.assert_array_equal(four.data["image"][:, 1:], five.data["image"][:, :-1])


def test_a_frame_without_the_person_has_the_picture_of_the_nearest() -> None:
    items = [
        looking(index, boxed=(3,) if index == 3 else (3, 4), posed=(3,) if index == 3 else (3, 4)) for index in range(5)
    ]
    windows = run(dataclasses.replace(needs(missing=1), **LOOKS), items)[4]
    assert windows.data["image"][:, :, 0, 0, 1].tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 2, 4]]


def test_squares_are_around_joints_or_boxes_and_grown() -> None:
    joints = np.zeros((2, 17, 3))
    joints[0, :2] = [[10, 20, 0.9], [14, 40, 0.9]]
    joints[0, 2] = [500, 500, 0]
    found = squares(joints, np.array([[0, 0, 5, 5], [100, 50, 110, 90]]))
    np.testing.assert_allclose(found, [[-2, 16, 26, 44], [77, 42, 133, 98]])


@pytest.mark.parametrize("at", ["last", "middle"])
def test_with_a_stride_they_are_scored_at_every_so_many_th_frame(at: str) -> None:
    windows = run(needs(stride=3, at=at), [seen(index) for index in range(14)])
    frames = sorted({int(frame) for some in windows for frame in some.frame})
    assert frames == ([6, 9, 12] if at == "last" else [3, 6, 9])
