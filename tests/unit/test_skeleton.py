"""Joints, whose body is whose, and poses made steady in time."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.perception.skeleton import (
    JOINTS,
    LIMBS,
    PAIRS,
    PoseSmoother,
    attach,
    by_track,
    from_box,
    no_poses,
    share_inside,
    to_box,
)
from amiss.types import NO_TRACK, Boxes, FloatArray, Poses

BOX = np.array([[10, 20, 30, 60]], np.float32)


def body(x: float = 20, y: float = 40, spread: float = 5, confidence: float = 1) -> FloatArray:
    """`(17, 3)` joints evenly on a slanted line around a point."""
    line = np.linspace(-spread, spread, len(JOINTS))
    return np.column_stack([x + line / 2, y + line, np.full(len(JOINTS), confidence)])


def boxes(*rows: tuple[float, ...], track: list[int] | None = None) -> Boxes:
    return Boxes(np.array(rows, np.float32).reshape(-1, 4), track=track or list(range(len(rows))))


def test_pairs_are_left_and_right_of_one_joint_and_limbs_reach_every_joint() -> None:
    assert len(JOINTS) == 17
    assert all(JOINTS[left].replace("left", "right") == JOINTS[right] for left, right in PAIRS)
    assert len(PAIRS) == 8
    assert {joint for limb in LIMBS for joint in limb} == set(range(17))


def test_box_coordinates_are_heights_from_the_lower_middle_and_back() -> None:
    joints = body()[None]
    inner = to_box(joints, BOX)
    assert inner[0, 8] == pytest.approx([0, -0.5, 1])
    assert from_box(inner, BOX) == pytest.approx(joints)
    moved = from_box(inner, BOX + np.array([7, 3, 7, 3], np.float32))
    assert moved[..., :2] == pytest.approx(joints[..., :2] + [7, 3])


def test_a_box_without_height_gives_finite_joints_and_no_confidence_gives_noughts() -> None:
    assert np.isfinite(to_box(body()[None], np.array([[5, 5, 5, 5]]))).all()
    assert not from_box(to_box(body(confidence=0)[None], BOX), BOX).any()


def test_poses_go_to_the_boxes_that_hold_them() -> None:
    found = attach(np.stack([body(80), body(20)]), boxes((10, 30, 30, 50), (70, 30, 90, 50), track=[4, 9]))
    assert dict(zip(found.track.tolist(), found.joints[:, 8, 0].tolist(), strict=True)) == {4: 20, 9: 80}


def test_two_bodies_do_not_share_a_box_and_the_better_fit_wins() -> None:
    found = attach(np.stack([body(20, spread=2), body(20, spread=9)]), boxes((12, 30, 28, 50)))
    assert found.joints[:, 0, 1].tolist() == [31]


def test_a_body_outside_every_box_or_in_one_without_a_track_is_left_out() -> None:
    assert len(attach(body(20)[None], boxes((60, 30, 80, 50)))) == 0
    assert len(attach(body(20)[None], boxes((10, 30, 30, 50), track=[NO_TRACK]))) == 0
    assert len(attach(body(20)[None], boxes((10, 42, 30, 50)))) == 0
    assert len(attach(body(confidence=0)[None], boxes((10, 30, 30, 50)))) == 0


def test_no_bodies_or_no_boxes_attach_to_nothing() -> None:
    assert len(attach(no_poses().joints, boxes((10, 30, 30, 50)))) == 0
    assert len(attach(body()[None], Boxes.empty())) == 0


def test_the_share_inside_counts_confidence() -> None:
    joints = body()
    joints[:8, 2] = 0.25
    assert share_inside(joints[None], np.array([[0, 40, 99, 99]]))[0, 0] == pytest.approx(9 / (9 + 8 * 0.25))


def test_joints_by_track_are_noughts_where_there_is_no_pose() -> None:
    found = by_track(Poses(body()[None], [7]), np.array([3, 7, NO_TRACK]))
    assert found.shape == (3, 17, 3)
    assert found.any((1, 2)).tolist() == [False, True, False]
    assert not by_track(Poses(body()[None]), np.array([NO_TRACK])).any()


def smoothed(smoother: PoseSmoother, joints: FloatArray, seconds: float, box: FloatArray = BOX) -> FloatArray:
    return smoother.update(Poses(joints[None], [1]), Boxes(box, track=[1]), seconds).joints[0]


def test_a_jump_is_followed_by_the_time_constant() -> None:
    smoother = PoseSmoother(0.1)
    assert smoothed(smoother, body(20), 0.0) == pytest.approx(body(20))
    fade = np.exp(-0.05 / 0.1)
    assert smoothed(smoother, body(26), 0.05)[:, 0] == pytest.approx(body(20 + 6 / (1 + fade))[:, 0], rel=1e-5)


def test_an_unsure_joint_leans_on_what_was_seen_and_keeps_its_confidence() -> None:
    sure, unsure = PoseSmoother(0.1), PoseSmoother(0.1)
    for smoother in (sure, unsure):
        smoothed(smoother, body(20), 0.0)
    far, near = smoothed(sure, body(26), 0.05), smoothed(unsure, body(26, confidence=0.1), 0.05)
    assert near[8, 0] - 20 < 0.3 * (far[8, 0] - 20)
    assert near[:, 2] == pytest.approx(np.full(17, 0.1))


def test_a_body_that_walks_on_with_its_box_is_not_dragged_behind() -> None:
    smoother = PoseSmoother(0.5)
    for step in range(10):
        shift = np.array([9, 0, 9, 0], np.float32) * step
        found = smoothed(smoother, body(20 + 9 * step), step / 25, BOX + shift)
        assert found[:, 0] == pytest.approx(body(20 + 9 * step)[:, 0], rel=1e-5)


def test_joints_that_are_not_there_stay_noughts() -> None:
    smoother, joints = PoseSmoother(0.1), body()
    smoothed(smoother, joints, 0.0)
    joints[3] = 0
    found = smoothed(smoother, joints, 0.04)
    assert found[3].tolist() == [0, 0, 0]
    assert np.isfinite(found).all()


def test_reset_and_long_absence_forget_and_nought_seconds_change_nothing() -> None:
    smoother = PoseSmoother(0.1)
    smoothed(smoother, body(20), 0.0)
    assert smoothed(smoother, body(26), 50.0) == pytest.approx(body(26))
    smoother.reset()
    assert smoothed(smoother, body(20), 50.04) == pytest.approx(body(20))
    plain = PoseSmoother(0)
    smoothed(plain, body(20), 0.0)
    assert smoothed(plain, body(26), 0.04) == pytest.approx(body(26))


def test_tracks_do_not_mix_and_no_poses_stay_none() -> None:
    smoother = PoseSmoother(10)
    pair = Boxes(np.concatenate([BOX, BOX]), track=[1, 2])
    smoother.update(Poses(np.stack([body(20), body(26)]), [1, 2]), pair, 0.0)
    found = smoother.update(Poses(np.stack([body(26), body(20)]), [2, 1]), pair, 0.04)
    assert found.joints[:, 8, 0] == pytest.approx([26, 20])
    assert len(smoother.update(no_poses(), Boxes.empty(), 0.08)) == 0
