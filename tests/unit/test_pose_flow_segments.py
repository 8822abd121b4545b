"""Segments as the flow takes them, and archives of labelled ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amiss.errors import DatasetError
from amiss.methods.pose_flow.segments import known, normalised, read_segments
from amiss.nn.graph import JOINTS
from support import joint_paths

SIZE = np.array([[100.0, 50.0]] * 3)


def test_segments_are_without_place_and_size() -> None:
    pose = joint_paths()
    made = normalised(pose, SIZE, 0.2)
    assert made.shape == (3, 2, 8, 18)
    np.testing.assert_allclose(made.mean((2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(made[:, 1].std((1, 2)), 1)
    moved = pose * [0.5, 0.5, 1] + [7, -3, 0]
    np.testing.assert_allclose(normalised(moved, SIZE, 0.2), made, atol=1e-9)
    np.testing.assert_allclose(normalised(pose, 2 * SIZE, 0.2), made, atol=1e-9)
    wide = normalised(pose, SIZE * [2, 1], 0.2)
    np.testing.assert_allclose(wide[:, 0], made[:, 0] / 2, atol=1e-9)


def test_joints_are_in_the_order_of_the_graph_with_a_neck_between_the_shoulders() -> None:
    pose = joint_paths()
    made = normalised(pose, SIZE, 0.2)
    spread = (pose[0, ..., 1] / 50).std()
    wrist = made[0, 1, :, JOINTS.index("left wrist")] - made[0, 1, :, JOINTS.index("nose")]
    np.testing.assert_allclose(wrist * spread, (pose[0, :, 9, 1] - pose[0, :, 0, 1]) / 50, rtol=0.2)
    shoulders = made[..., [JOINTS.index("left shoulder"), JOINTS.index("right shoulder")]].mean(-1)
    np.testing.assert_allclose(made[..., JOINTS.index("neck")], shoulders, atol=1e-12)


def test_unsure_joints_are_between_where_they_were_and_will_be() -> None:
    pose = joint_paths()  # they go straight on
    whole = normalised(pose, SIZE, 0.2)
    gaps = pose.copy()
    gaps[1, 3:5, 9] = [999, 999, 0.1]
    gaps[1, 6] = 0
    np.testing.assert_allclose(normalised(gaps, SIZE, 0.2), whole, atol=1e-9)
    ends = pose.copy()
    ends[1, :2, 9, 2] = 0
    still = pose.copy()
    still[1, :2, 9, :2] = pose[1, 2, 9, :2]
    np.testing.assert_allclose(normalised(ends, SIZE, 0.2), normalised(still, SIZE, 0.2), atol=1e-9)


def test_a_joint_that_is_never_sure_is_in_the_middle_and_a_body_without_joints_is_finite() -> None:
    pose = joint_paths()
    pose[0, :, 9, 2] = 0
    middle = np.delete(pose[0], 9, axis=1)[..., :2].mean(1)
    pose[1, :, 9] = np.column_stack([pose[1, :, 9, :2], np.full(8, 0.9)])
    there = pose.copy()
    there[0, :, 9] = np.column_stack([middle, np.full(8, 0.9)])
    np.testing.assert_allclose(normalised(pose, SIZE, 0.2), normalised(there, SIZE, 0.2), atol=1e-9)
    assert not normalised(np.zeros((2, 8, 17, 3)), SIZE[:2], 0.2).any()


def test_a_segment_is_known_by_its_sure_joints() -> None:
    pose = joint_paths()
    pose[0, :, 8:, 2] = 0.1
    pose[1, :, 9:, 2] = 0.1
    assert known(pose, 0.2, 9).tolist() == [False, True, True]
    assert known(pose, 0.05, 9).all()
    assert not known(0 * pose, 0.0, 1).any()


@pytest.mark.parametrize("fault", ["missing", "name", "length", "size", "nan", "damaged"])
def test_an_archive_of_segments_that_cannot_be_used_is_named(tmp_path: Path, fault: str) -> None:
    path, pose = tmp_path / "abnormal.npz", joint_paths(frames=7 if fault == "length" else 8)
    arrays = {"pose": pose, "size": SIZE[:2] if fault == "size" else SIZE}
    if fault == "nan":
        pose[1, 2, 3, 0] = np.nan
    if fault == "name":
        arrays["poses"] = arrays.pop("pose")
    np.savez(path, **arrays)  # type: ignore[arg-type]  # names of arrays
    if fault == "missing":
        path.unlink()
    if fault == "damaged":
        path.write_bytes(b"PK")
    with pytest.raises(DatasetError, match=r"abnormal\.npz"):
        read_segments(path, 8)
