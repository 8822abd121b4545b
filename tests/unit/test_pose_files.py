"""Poses from files: archives, and what AlphaPose writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from amiss.config import PosesConfig
from amiss.errors import DatasetError, FootageError
from amiss.perception.pose_files import FilePoses, find_pose_file, read_poses
from amiss.types import Boxes, Label, Poses
from support import frame_of


def body(x: float) -> list[list[float]]:
    """Seventeen joints below each other."""
    return [[x, 20.0 + joint, 0.9] for joint in range(17)]


def entry(image: Any, x: float, joints: int = 17) -> dict[str, Any]:
    flat = [value for joint in body(x) for value in joint] + [0.0, 0.0, 0.5] * (joints - 17)
    return {"image_id": image, "category_id": 1, "keypoints": flat, "score": 2.5, "idx": 9}


def archive(path: Path, **clips: list[list[float]]) -> Path:
    """Clips as lists of frames, each a list of where bodies stand."""
    arrays: dict[str, np.ndarray] = {}
    for name, frames in clips.items():
        rows = [body(x) for frame in frames for x in frame]
        arrays[f"{name}_joints"] = np.array(rows, np.float32).reshape(-1, 17, 3)
        arrays[f"{name}_frame_ptr"] = np.concatenate([[0], np.cumsum([len(frame) for frame in frames])])
        arrays[f"{name}_track"] = np.full(len(rows), 77)
    np.savez(path, **arrays)
    return path


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def boxes(*centres: float, label: Label = Label.OBJECT) -> Boxes:
    rows = np.array([[x - 8, 15, x + 8, 40] for x in centres], np.float32).reshape(-1, 4)
    return Boxes(rows, label=np.full(len(rows), label), track=np.arange(len(rows)) + 3)


def source(path: Path, origin: Path) -> FilePoses:
    found = FilePoses(PosesConfig(source="file", path=path))
    found.reset(origin)
    return found


def places(found: Poses) -> dict[int, float]:
    return dict(zip(found.track.tolist(), found.joints[:, 0, 0].tolist(), strict=True))


def test_given_poses_go_to_the_tracks_of_the_boxes(tmp_path: Path) -> None:
    given = source(archive(tmp_path / "p.npz", a=[[50, 20], [], [80]]), tmp_path / "a.mp4")
    assert places(given.update(frame_of(index=0), boxes(20, 50))) == {3: 20, 4: 50}
    assert len(given.update(frame_of(index=1), boxes(20, 50))) == 0
    assert places(given.update(frame_of(index=2), boxes(20, 50, 80))) == {5: 80}
    assert len(given.update(frame_of(index=2), boxes(20))) == 0


def test_vehicles_have_no_pose(tmp_path: Path) -> None:
    given = source(archive(tmp_path / "p.npz", a=[[20]]), tmp_path / "a")
    assert len(given.update(frame_of(), boxes(20, label=Label.VEHICLE))) == 0
    assert len(given.update(frame_of(), boxes(20, label=Label.PERSON))) == 1


def test_footage_longer_than_the_archive_is_refused(tmp_path: Path) -> None:
    given = source(archive(tmp_path / "p.npz", a=[[20], [20]]), tmp_path / "a")
    with pytest.raises(FootageError, match="has 2 frames"):
        given.update(frame_of(index=2), boxes(20))


@pytest.mark.parametrize("joints", [17, 26, 136])
def test_a_flat_list_is_read_by_the_number_of_the_frame(tmp_path: Path, joints: int) -> None:
    content = [entry("2.jpg", 80, joints), entry("0.jpg", 20, joints), entry("0.jpg", 50, joints)]
    given = source(write(tmp_path / "p.json", content), tmp_path / "a.mp4")
    assert places(given.update(frame_of(index=0), boxes(20, 50))) == {3: 20, 4: 50}
    assert places(given.update(frame_of(index=2), boxes(80))) == {3: 80}
    assert [len(given.update(frame_of(index=index), boxes(80))) for index in (1, 3, 99)] == [0, 0, 0]


@pytest.mark.parametrize("image", [4, "4.png", "0004", "frame_4.jpg", "clip/04.jpg"])
def test_frames_are_known_by_number_in_many_ways(tmp_path: Path, image: int | str) -> None:
    given = source(write(tmp_path / "p.json", [entry(image, 20)]), tmp_path / "a.mp4")
    assert len(given.update(frame_of(index=4), boxes(20))) == 1


def test_poses_by_picture_are_lists_or_single(tmp_path: Path) -> None:
    content = {"0.jpg": [entry(None, 20), entry(None, 50)], "1.jpg": entry(None, 80)}
    given = source(write(tmp_path / "p.json", content), tmp_path / "a.mp4")
    assert places(given.update(frame_of(index=0), boxes(20, 50))) == {3: 20, 4: 50}
    assert places(given.update(frame_of(index=1), boxes(80))) == {3: 80}


def test_pictures_of_a_folder_are_known_by_name_and_others_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    for name in ("007", "009", "012"):
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((8, 8, 3), np.uint8))
    given = source(write(tmp_path / "p.json", [entry("009.png", 20)]), folder)
    assert [len(given.update(frame_of(index=index), boxes(20))) for index in range(3)] == [0, 1, 0]
    with pytest.raises(DatasetError, match=r"'008\.png', which the footage has not"):
        read_poses(write(tmp_path / "q.json", [entry("008.png", 20)]), folder)


def test_a_folder_has_a_file_for_each_clip(tmp_path: Path) -> None:
    write(tmp_path / "a.json", [entry("0.jpg", 20)])
    assert len(source(tmp_path, tmp_path / "a.mp4").update(frame_of(), boxes(20))) == 1
    with pytest.raises(FootageError, match=r"no pose file .*b\.json"):
        source(tmp_path, tmp_path / "b.mp4")


def test_an_empty_json_has_no_poses(tmp_path: Path) -> None:
    assert len(source(write(tmp_path / "p.json", []), tmp_path / "a").update(frame_of(), boxes(20))) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text", "neither a list"),
        ([3], "which is no number of a frame"),
        ([entry("x.jpg", 20)], "which is no number of a frame"),
        ([entry(-4, 20)], "which is no number of a frame"),
        ([entry(None, 20)], "which is no number of a frame"),
        ([{"image_id": 0}], "no 17 keypoints"),
        ([{"image_id": 0, "keypoints": [1, 2, 3]}], "no 17 keypoints"),
        ([{"image_id": 0, "keypoints": ["x"] * 51}], "no 17 keypoints"),
        ([{"image_id": 0, "keypoints": [0.5] * 52}], "no 17 keypoints"),
        ({"0": [7]}, "no 17 keypoints"),
        ([{"image_id": 0, "keypoints": [float("nan")] * 51}], "not finite"),
        ([{"image_id": 0, "keypoints": [1e300] * 51}], "not finite or lie beyond"),
    ],
)
def test_a_damaged_json_is_named(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(DatasetError, match=rf"p\.json.*{said}"):
        read_poses(write(tmp_path / "p.json", content), tmp_path / "a.mp4")


@pytest.mark.parametrize("raw", [b"", b"[{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_named(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "p.json").write_bytes(raw)
    with pytest.raises(DatasetError, match=r"p\.json is no readable JSON"):
        read_poses(tmp_path / "p.json", tmp_path / "a.mp4")


@pytest.mark.parametrize(
    "arrays",
    [
        {"a_joints": np.zeros((2, 16, 3)), "a_frame_ptr": np.array([0, 2])},
        {"a_joints": np.zeros((2, 51)), "a_frame_ptr": np.array([0, 2])},
        {"a_joints": np.full((2, 17, 3), np.inf), "a_frame_ptr": np.array([0, 2])},
        {"a_joints": np.full((2, 17, 3), "x"), "a_frame_ptr": np.array([0, 2])},
        {"a_joints": np.zeros((2, 17, 3)), "a_frame_ptr": np.array([0, 3])},
        {"a_joints": np.zeros((2, 17, 3)), "a_frame_ptr": np.array([0, 2, 1, 2])},
        {"a_joints": np.zeros((0, 17, 3)), "a_frame_ptr": np.zeros(0, int)},
        {"a_joints": np.zeros((2, 17, 3)), "a_frame_ptr": np.array([0.0, 2.0])},
    ],
)
def test_a_damaged_archive_is_named(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "p.npz", **arrays)
    with pytest.raises(DatasetError, match=r"p\.npz is damaged"):
        read_poses(tmp_path / "p.npz", tmp_path / "a.mp4")


def test_unknown_clips_and_files_that_are_no_archive_are_named(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match="no clip 'b'"):
        read_poses(archive(tmp_path / "p.npz", a=[[20]]), tmp_path / "b.mp4")
    (tmp_path / "q.npz").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match=r"q\.npz"):
        read_poses(tmp_path / "q.npz", tmp_path / "b.mp4")


def test_a_stream_has_no_given_poses() -> None:
    with pytest.raises(FootageError, match="source=network"):
        FilePoses(PosesConfig()).reset(None)


def test_the_archive_of_the_clips_own_split_comes_first(tmp_path: Path) -> None:
    archive(tmp_path / "poses_testing.npz", a=[[20]])
    archive(tmp_path / "poses_training.npz", a=[[20]], z=[[20]])
    assert find_pose_file(tmp_path / "training" / "a.mp4").name == "poses_training.npz"
    assert find_pose_file(tmp_path / "testing" / "a.mp4").name == "poses_testing.npz"
    assert find_pose_file(tmp_path / "testing" / "z.mp4").name == "poses_training.npz"
    with pytest.raises(FootageError, match=r"set perception\.poses\.path"):
        find_pose_file(tmp_path / "testing" / "b.mp4")


def test_the_fingerprint_follows_the_poses_and_not_their_file(tmp_path: Path) -> None:
    origin = tmp_path / "a.mp4"
    first, same, other = (
        source(archive(tmp_path / f"{number}.npz", a=frames), origin).fingerprint(origin)
        for number, frames in enumerate(([[20], []], [[20], []], [[], [20]]))
    )
    assert first == same != other
