"""Poses by AlphaPose's tracking: persons keep their ids, and pose, box and track of each stay together."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from amiss.config import Config, PerceptionConfig, PosesConfig
from amiss.errors import DatasetError, FootageError
from amiss.perception.boxes import BOX_SOURCES
from amiss.perception.pose_files import PoseBoxes, find_pose_file, read_poses
from amiss.perception.poses import POSE_SOURCES
from amiss.perception.tracks import Tracker
from amiss.pipeline import Pipeline
from amiss.types import NO_TRACK, Boxes, Label, Windows
from amiss.windows.needs import Needs
from support import Mover, Rectangles, body_of, config_of, frame_of, write_tracked

SUFFIX = "_alphapose_tracked_person.json"


def body(x: float, y: float = 20) -> np.ndarray:
    """`(17, 3)` joints below each other, two pixels apart, the last one a little aside."""
    joints = np.column_stack([np.full(17, x), y + 2.0 * np.arange(17), np.full(17, 0.9)])
    joints[-1, 0] += 10
    return joints


def content(**changes: Any) -> dict[str, Any]:
    """A person in one frame, with changes of the entry."""
    return {"4": {"0002": {"keypoints": body(20).reshape(-1).tolist(), "scores": 2.5} | changes}}


def write(path: Path, given: Any) -> Path:
    path.write_text(json.dumps(given))
    return path


def by_frame(path: Path, origin: Path) -> list[dict[int, float]]:
    """For each frame where the nose of each person is."""
    poses, rows = read_poses(path, origin)
    parts = [poses[int(start) : int(end)] for start, end in pairwise(rows)]
    return [dict(zip(part.track.tolist(), part.joints[:, 0, 0].tolist(), strict=True)) for part in parts]


def test_persons_keep_their_ids_also_after_a_gap_and_for_one_frame(tmp_path: Path) -> None:
    people = {7: {0: body(20), 3: body(26)}, 2: {3: body(50)}, 100: {1: body(70), 2: body(72)}}
    path = write_tracked(tmp_path / "p.json", people)
    assert by_frame(path, tmp_path / "a.mp4") == [{7: 20}, {100: 70}, {100: 72}, {7: 26, 2: 50}]


def test_persons_and_pictures_are_told_apart(tmp_path: Path) -> None:
    entry = content()["4"]["0002"]
    for given in ({"2": entry}, {"2": [entry]}, {"0002.jpg": entry, "0003.jpg": []}):
        assert by_frame(write(tmp_path / "p.json", given), tmp_path / "a.mp4")[2] == {NO_TRACK: 20}
    assert by_frame(write(tmp_path / "p.json", content()), tmp_path / "a.mp4")[2] == {4: 20}


def test_a_file_without_people_has_no_poses_and_a_person_may_have_none(tmp_path: Path) -> None:
    source = BOX_SOURCES["poses"](PerceptionConfig(poses=PosesConfig(path=write(tmp_path / "p.json", {}))))
    source.reset(tmp_path / "a.mp4")
    assert [len(source.update(frame_of(index=index))) for index in (0, 99)] == [0, 0]
    assert by_frame(write(tmp_path / "p.json", content() | {"3": {}}), tmp_path / "a.mp4") == [{}, {}, {4: 20}]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (content(keypoints=[0.5] * 48), "no 17 keypoints"),
        (content(keypoints=[0.5] * 50), "no 17 keypoints"),
        (content(keypoints=[0.5] * 54), "no 17 keypoints"),
        (content(keypoints=None), "no 17 keypoints"),
        (content(keypoints=["x"] * 51), "no 17 keypoints"),
        (content(keypoints=[float("nan")] * 51), "not finite"),
        (content(keypoints=[float("inf")] * 51), "not finite"),
        (content(keypoints=[None] * 51), "not finite"),
        ({"4": content()["4"] | {"0003": [0.5] * 51}}, "'0003' has no 17 keypoints"),
        ({"4": {"last": content()["4"]["0002"]}}, "'last', which is no number of a frame"),
        ({"4": {"-1": content()["4"]["0002"]}}, "'-1', which is no number of a frame"),
        ({"4": {"1" * 9: content()["4"]["0002"]}}, "which is no number of a frame"),
        ({"tall": content()["4"]}, "'tall', which is no number of a person"),
        ({"4": content()["4"], "04": content()["4"]}, "the person 4 twice in frame 2"),
        ({"4": content()["4"], "0003.jpg": []}, "no 17 keypoints"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, given: Any, said: str) -> None:
    with pytest.raises(DatasetError, match=rf"p\.json.*{said}"):
        read_poses(write(tmp_path / "p.json", given), tmp_path / "a.mp4")


def test_frames_of_a_folder_are_numbers_and_others_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("007", "009", "012", "013"):
        cv2.imwrite(str(tmp_path / "a" / f"{name}.png"), np.zeros((8, 8, 3), np.uint8))
    path = write_tracked(tmp_path / "p.json", {5: {2: body(20)}})
    assert by_frame(path, tmp_path / "a") == [{}, {}, {5: 20}, {}]
    with pytest.raises(DatasetError, match=r"p\.json.*'0007', which the footage has not"):
        read_poses(write_tracked(path, {5: {7: body(20)}}), tmp_path / "a")


def test_a_box_holds_the_joints_that_are_there_and_a_tenth_more(tmp_path: Path) -> None:
    half, none = body(30), body(60)
    half[3:16], none[:] = 0, 0
    path = write_tracked(tmp_path / "p.json", {7: {0: body(30)}, 8: {0: half}, 9: {0: none}})
    source = PoseBoxes(PosesConfig(path=path))
    source.reset(tmp_path / "a.mp4")
    boxes = source.update(frame_of())
    # The joints reach from 30 to 40 and from 20 to 52, each a pixel wide.
    assert boxes.xyxy == pytest.approx(np.tile([29.5 - 1.1, 19.5 - 3.3, 40.5 + 1.1, 52.5 + 3.3], (2, 1)), abs=1e-4)
    assert boxes.track.tolist() == [7, 8]
    assert set(boxes.label.tolist()) == {Label.PERSON}


@pytest.mark.parametrize(("folder", "clip"), [("train", "training"), ("test", "testing"), ("testing", "Scene1")])
def test_the_file_is_found_from_the_clip(tmp_path: Path, folder: str, clip: str) -> None:
    path = write_tracked(tmp_path / "pose" / folder / f"01_001{SUFFIX}", {})
    assert find_pose_file(tmp_path / clip / "01_001.avi") == path
    assert find_pose_file(tmp_path / clip / "frames" / "01_001") == path


def test_the_own_split_comes_first_and_an_archive_before(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_tracked(tmp_path / "pose" / split / f"01{SUFFIX}", {})
    assert find_pose_file(tmp_path / "training" / "01.avi").parent.name == "train"
    assert find_pose_file(tmp_path / "testing" / "01.avi").parent.name == "test"
    np.savez(tmp_path / "poses_testing.npz", **{"01_joints": np.zeros((0, 17, 3)), "01_frame_ptr": np.zeros(2, int)})
    assert find_pose_file(tmp_path / "testing" / "01.avi").name == "poses_testing.npz"


def test_a_missing_file_is_told_with_all_that_was_looked_for(tmp_path: Path) -> None:
    write_tracked(tmp_path / "pose" / "train" / f"02{SUFFIX}", {})
    with pytest.raises(FootageError) as said:
        find_pose_file(tmp_path / "training" / "01.avi")
    for name in ("poses_training.npz", f"01{SUFFIX}", "pose/train", "pose/test", "perception.poses.path"):
        assert name in str(said.value)


def test_a_folder_of_files_may_be_given(tmp_path: Path) -> None:
    write_tracked(tmp_path / f"a{SUFFIX}", {5: {0: body(20)}})
    source = PoseBoxes(PosesConfig(path=tmp_path))
    source.reset(tmp_path / "elsewhere" / "a.mp4")
    assert source.update(frame_of()).track.tolist() == [5]


# Two people who stand behind each other, so that no overlap tells them apart, and one who comes back after a gap.
CLIP = Rectangles("clip", (Mover(20, 20, 14, 40, dx=1), Mover(20, 20, 14, 40, dx=1), Mover(90, 30, 12, 36, dx=1)), 20)
PEOPLE = {
    40 - number: {
        frame: body_of(mover, frame, seed=number) for frame in range(20) if number != 2 or not 6 <= frame <= 11
    }
    for number, mover in enumerate(CLIP.movers)
}
NEEDS = Needs("cube", ("pose",))


def settings(folder: Path, people: dict[int, dict[int, np.ndarray]] = PEOPLE, **boxes: Any) -> Config:
    poses = {"source": "file", "smoothing": 0, "path": write_tracked(folder / "p.json", people)}
    return config_of(folder, perception={"boxes": {"source": "poses", **boxes}, "poses": poses})


def seen(config: Config) -> Windows:
    part = Pipeline(config, NEEDS).part(CLIP)
    return part[0 : len(part)]


def assert_together(windows: Windows) -> None:
    """Every pose of the file stands on a window of its frame, track and box."""
    found = {(window.frame, window.track): window for window in windows}
    assert found.keys() == {(frame, person) for person, moments in PEOPLE.items() for frame in moments}
    for (frame, person), window in found.items():
        joints = PEOPLE[person][frame]
        assert window.data["pose"] == pytest.approx(joints, abs=1e-4)
        assert (joints[:, :2] > window.box[:2]).all()
        assert (joints[:, :2] < window.box[2:]).all()


def test_pose_box_and_track_stay_together_without_a_tracker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tracker, "_associate", lambda *_: pytest.fail("boxes were matched"))
    config = settings(tmp_path)
    assert_together(seen(config))
    live = Pipeline(config, NEEDS)
    live.reset(CLIP.path)
    assert_together(Windows.merge([live.update(frame) for frame in CLIP]))
    monkeypatch.setattr(PoseBoxes, "update", lambda *_: pytest.fail("the source was asked"))
    again = Pipeline(config, Needs("cube", ("dwell", "pose"))).part(CLIP)  # from the logs of boxes, tracks and poses
    assert_together(again[0 : len(again)])


def test_smoothing_goes_along_the_tracks_of_the_file(tmp_path: Path) -> None:
    config = settings(tmp_path)
    poses = config.perception.poses.model_copy(update={"smoothing": 0.2})
    smooth = config.model_copy(update={"perception": config.perception.model_copy(update={"poses": poses})})
    plain, steady = seen(config), seen(smooth)
    assert plain.track.tolist() == steady.track.tolist()
    assert not np.array_equal(plain.data["pose"], steady.data["pose"])


def test_a_region_of_interest_leaves_out_boxes_with_their_poses(tmp_path: Path) -> None:
    config = settings(tmp_path)
    masks = config.perception.masks.model_copy(update={"region": (((0, 0), (0.45, 0), (0.45, 1), (0, 1)),)})
    smooth = config.perception.poses.model_copy(update={"smoothing": 0.2})
    perception = config.perception.model_copy(update={"masks": masks, "poses": smooth})
    assert set(seen(config.model_copy(update={"perception": perception})).track.tolist()) == {39, 40}


def test_the_key_follows_the_ids(tmp_path: Path) -> None:
    first = Pipeline(settings(tmp_path), NEEDS).key(CLIP)
    assert Pipeline(settings(tmp_path), NEEDS).key(CLIP) == first
    other = {person + 1: moments for person, moments in PEOPLE.items()}
    for needs in (NEEDS, Needs("cube", ())):
        before = Pipeline(settings(tmp_path), needs).key(CLIP)
        assert Pipeline(settings(tmp_path, other), needs).key(CLIP) != before


def test_poses_without_ids_are_boxes_that_are_tracked(tmp_path: Path) -> None:
    entries = [{"image_id": frame, "keypoints": PEOPLE[38][frame].reshape(-1).tolist()} for frame in range(6)]
    config = settings(tmp_path)
    write(tmp_path / "p.json", entries)
    windows = seen(config)
    assert windows.frame.tolist() == list(range(6))
    assert set(windows.track.tolist()) == {0}
    assert windows.data["pose"][..., 2].any(1).all()


def test_ids_of_the_file_are_not_those_of_other_boxes(tmp_path: Path) -> None:
    given = PosesConfig(source="file", path=write_tracked(tmp_path / "p.json", {5: {0: body(20)}}))
    source = POSE_SOURCES["file"](PerceptionConfig(poses=given))
    source.reset(tmp_path / "a.mp4")
    boxes = Boxes(np.array([[10, 10, 40, 60]], np.float32), track=[3])
    assert source.update(frame_of(), boxes).track.tolist() == [3]
