"""Segments: the poses of one track, at the right frame, never across a gap."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from amiss.perception.seen import Seen
from amiss.types import Boxes, Frame, Poses, Windows
from amiss.windows.needs import Needs
from amiss.windows.segments import SegmentBuilder
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
