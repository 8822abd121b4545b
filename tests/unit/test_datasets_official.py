"""The official layouts, each with its traps."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io
from clips import HEIGHT, WIDTH, levels, write_frames, write_video

from amiss.datasets import DATASETS
from amiss.datasets.avenue import Avenue
from amiss.datasets.ucsd import parse_intervals
from amiss.errors import DatasetError


def ped2(root: Path, frames: int = 6) -> Path:
    """Two training and three test clips; clip 02 has its masks under the other name, with stray files between."""
    for number in (1, 2):
        write_frames(root / "Train" / f"Train{number:03d}", frames, ".tif")
    for number in (1, 2, 10):
        clip = write_frames(root / "Test" / f"Test{number:03d}", frames, ".tif")
        (clip / "._1.tif").write_bytes(b"x")
        masks = root / "Test" / f"Test{number:03d}_gt"
        masks.mkdir()
        for frame in range(frames):
            mask = np.zeros((HEIGHT, WIDTH), np.uint8)
            mask[:5, :5] = 255 if 1 <= frame <= 3 else 0
            name = f"frame{frame + 1:03d}.bmp" if number == 2 else f"{frame + 1:03d}.bmp"
            cv2.imwrite(str(masks / name), mask)
            (masks / f"._{name}").write_bytes(b"x")
        (masks / ".DS_Store").write_bytes(b"x")
    (root / "Test" / ".DS_Store").write_bytes(b"x")
    lines = ["TestVideoFile = {};", "TestVideoFile{end+1}.gt_frame = [2:4];"]
    lines += ["TestVideoFile{end+1}.gt_frame = [2:4]; % [1:6]"] + ["TestVideoFile{end+1}.gt_frame = [1:2, 4:5];"] * 8
    (root / "UCSDped2.m").write_text("\r\n".join(lines))
    return root


@pytest.mark.parametrize("place", [".", "UCSDped2"])
def test_ped2(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir(exist_ok=True)
    ped2(tmp_path / place)
    dataset = DATASETS["ped2"](tmp_path)
    assert [clip.name for clip in dataset.training()] == ["01", "02"]
    clips = dataset.testing()
    assert [clip.name for clip in clips] == ["01", "02", "10"]
    assert [clip.footage.length for clip in clips] == [6, 6, 6]
    for clip in clips[:2]:
        masks = dataset.masks(clip)
        assert masks is not None
        assert masks.shape == (6, HEIGHT, WIDTH)
        np.testing.assert_array_equal(dataset.labels(clip), [0, 1, 1, 1, 0, 0])
        np.testing.assert_array_equal(dataset.labels(clip), masks.any(axis=(1, 2)))
    np.testing.assert_array_equal(dataset.labels(clips[2]), [1, 1, 0, 1, 1, 0])


def test_ped2_without_its_list_takes_the_masks(tmp_path: Path) -> None:
    (ped2(tmp_path) / "UCSDped2.m").unlink()
    dataset = DATASETS["ped2"](tmp_path)
    np.testing.assert_array_equal(dataset.labels(dataset.testing()[1]), [0, 1, 1, 1, 0, 0])


def test_ped2_list_inside_the_test_folder(tmp_path: Path) -> None:
    (ped2(tmp_path) / "UCSDped2.m").rename(tmp_path / "Test" / "UCSDped2.m")
    dataset = DATASETS["ped2"](tmp_path)
    np.testing.assert_array_equal(dataset.labels(dataset.testing()[2]), [1, 1, 0, 1, 1, 0])


def test_ped2_masks_that_do_not_fit(tmp_path: Path) -> None:
    ped2(tmp_path)
    (tmp_path / "Test" / "Test001_gt" / "006.bmp").unlink()
    (tmp_path / "Test" / "Test002_gt" / "frame003.bmp").unlink()
    dataset = DATASETS["ped2"](tmp_path)
    with pytest.raises(DatasetError, match=r"clip 01 has 5 masks, but .*Test001 has 6 frames"):
        dataset.masks(dataset.testing()[0])
    with pytest.raises(DatasetError, match=r"masks in .*Test002_gt are not numbered one by one"):
        dataset.masks(dataset.testing()[1])


def test_ped1_has_masks_for_some_clips_only(tmp_path: Path) -> None:
    for number in (1, 2):
        write_frames(tmp_path / "Test" / f"Test{number:03d}", 5, ".tif")
    masks = tmp_path / "Test" / "Test002_gt"
    write_frames(masks, 5, ".bmp")
    (tmp_path / "Test" / "UCSDped1.m").write_text(
        "TestVideoFile{end+1}.gt_frame = [2:3];\nTestVideoFile{end+1}.gt_frame = [1:5];"
    )
    dataset = DATASETS["ped1"](tmp_path)
    clips = dataset.testing()
    assert dataset.masks(clips[0]) is None
    assert dataset.masks(clips[1]) is not None
    np.testing.assert_array_equal(dataset.labels(clips[0]), [0, 1, 1, 0, 0])
    assert dataset.note() == "0 of 34 training clips present: none; 2 of 36 test clips present: 01 02"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x.gt_frame = [61:180];", [(60, 179)]),
        ("x.gt_frame = [5:90, 140:200];", [(4, 89), (139, 199)]),
        ("x.gt_frame=[ 1 : 4 7:9 ];", [(0, 3), (6, 8)]),
        ("x.gt_frame = 7;", [(6, 6)]),
        ("x.gt_frame = [];", []),
    ],
)
def test_intervals(line: str, expected: list[tuple[int, int]]) -> None:
    assert parse_intervals(f"x = {{}};\n{line}\n", Path("a.m")) == [expected]


@pytest.mark.parametrize("text", ["", "x.gt_frame = [a:b];"])
def test_lists_that_are_none(text: str) -> None:
    with pytest.raises(DatasetError, match=r"a\.m has"):
        parse_intervals(text, Path("a.m"))


def test_ped2_list_that_does_not_fit(tmp_path: Path) -> None:
    ped2(tmp_path)
    (tmp_path / "UCSDped2.m").write_text("x.gt_frame = [5:7];")
    dataset = DATASETS["ped2"](tmp_path)
    with pytest.raises(DatasetError, match=r"clip 01 in UCSDped2\.m: the frames 4 to 6 .* within its 6 frames"):
        dataset.labels(dataset.testing()[0])
    with pytest.raises(DatasetError, match=r"UCSDped2\.m has 1 clips, none for clip 02"):
        dataset.labels(dataset.testing()[1])


def avenue(root: Path) -> Path:
    """One training and one test video of five frames, with masks in a MATLAB cell."""
    for split in ("training", "testing"):
        (root / f"{split}_videos").mkdir()
        write_video(root / f"{split}_videos" / "01.avi", levels(5), codec="mpeg4", rate=25)
    cell = np.empty((1, 5), object)
    for frame in range(5):
        cell[0, frame] = np.full((4, 6), 1 if frame in (1, 2) else 0, np.uint8)
    folder = root / "ground_truth_demo" / "testing_label_mask"
    folder.mkdir(parents=True)
    scipy.io.savemat(folder / "1_label.mat", {"volLabel": cell})
    return root


def test_avenue_and_its_two_versions_of_labels(tmp_path: Path) -> None:
    dataset = Avenue(avenue(tmp_path))
    clip = dataset.testing()[0]
    assert (clip.name, clip.footage.rate, clip.footage.length) == ("01", 25.0, 5)
    masks = dataset.masks(clip)
    assert masks is not None
    assert masks.shape == (5, 4, 6)
    np.testing.assert_array_equal(dataset.labels(clip), [0, 1, 1, 0, 0])
    with pytest.raises(DatasetError, match=r"frame_labels\.npz is missing, and the labels in it are asked for"):
        Avenue(tmp_path, labels="frame_labels")
    np.savez(tmp_path / "frame_labels.npz", **{"01": np.array([0, 1, 1, 1, 0])})
    np.testing.assert_array_equal(Avenue(tmp_path).labels(clip), [0, 1, 1, 1, 0])
    np.testing.assert_array_equal(Avenue(tmp_path, labels="frame_labels").labels(clip), [0, 1, 1, 1, 0])
    np.testing.assert_array_equal(Avenue(tmp_path, labels="masks").labels(clip), [0, 1, 1, 0, 0])


@pytest.mark.parametrize("content", [b"", b"no matlab", b"MATLAB 5.0 MAT-file" + bytes(200)])
def test_avenue_damaged_masks_are_named(tmp_path: Path, content: bytes) -> None:
    dataset = Avenue(avenue(tmp_path))
    (tmp_path / "ground_truth_demo" / "testing_label_mask" / "1_label.mat").write_bytes(content)
    with pytest.raises(DatasetError, match=r"1_label\.mat has no readable volLabel"):
        dataset.masks(dataset.testing()[0])


def test_avenue_wrong_variable_and_wrong_length(tmp_path: Path) -> None:
    dataset = Avenue(avenue(tmp_path))
    path = tmp_path / "ground_truth_demo" / "testing_label_mask" / "1_label.mat"
    scipy.io.savemat(path, {"other": np.zeros(3)})
    with pytest.raises(DatasetError, match="has no readable volLabel"):
        dataset.labels(dataset.testing()[0])
    cell = np.empty((1, 9), object)
    cell[0, :] = [np.zeros((4, 6), np.uint8)] * 9
    scipy.io.savemat(path, {"volLabel": cell})
    with pytest.raises(DatasetError, match=r"clip 01 has 9 labels, but .*01\.avi has 5 frames"):
        dataset.labels(dataset.testing()[0])


def test_shanghaitech(tmp_path: Path) -> None:
    (tmp_path / "training" / "videos").mkdir(parents=True)
    write_video(tmp_path / "training" / "videos" / "01_001.avi", levels(3), codec="mpeg4", rate=24)
    write_video(tmp_path / "training" / "videos" / "13_007.avi", levels(3), codec="mpeg4", rate=24)
    write_frames(tmp_path / "testing" / "frames" / "04_0001", 4, ".jpg")
    for kind, array in (("frame", np.array([0, 1, 1, 0])), ("pixel", np.zeros((4, 5, 6), np.uint8))):
        (tmp_path / "testing" / f"test_{kind}_mask").mkdir()
        np.save(tmp_path / "testing" / f"test_{kind}_mask" / "04_0001.npy", array)
    (tmp_path / "rbdc_tbdc_tracks").mkdir()
    (tmp_path / "rbdc_tbdc_tracks" / "04_0001.txt").write_text("0,1,1,2,3,4\n0,2,1,2,3,4\n")
    dataset = DATASETS["shanghaitech"](tmp_path)
    assert [(clip.name, clip.camera) for clip in dataset.training()] == [("01_001", "01"), ("13_007", "13")]
    clip = dataset.testing()[0]
    assert (clip.camera, clip.footage.rate) == ("04", 24.0)
    np.testing.assert_array_equal(dataset.labels(clip), [0, 1, 1, 0])
    masks = dataset.masks(clip)
    assert masks is not None
    assert masks.dtype == np.bool_
    tracks = dataset.tracks(clip)
    assert tracks is not None
    np.testing.assert_allclose(tracks[0].seconds, [1 / 24, 2 / 24])
    (tmp_path / "testing" / "test_frame_mask" / "04_0001.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(DatasetError, match=r"04_0001\.npy is not a readable \.npy file"):
        dataset.labels(clip)


ABNORMAL, SECOND, NORMAL = (
    "abnormal_scene_1_scenario_2",
    "abnormal_scene_12_scenario_5_fog",
    "normal_scene_1_scenario_3",
)
TRAINED, BAD = "normal_scene_12_scenario_1", "abnormal_scene_1_scenario_9"


@pytest.fixture
def ubnormal(tmp_path: Path) -> Path:
    """Two scenes with normal and abnormal training videos and three test videos of six frames."""
    for name in (ABNORMAL, SECOND, NORMAL, TRAINED, BAD):
        scene = tmp_path / f"Scene{name.split('_')[2]}"
        scene.mkdir(exist_ok=True)
        write_video(scene / f"{name}.mp4", levels(6), rate=30)
    lists = tmp_path / "scripts"
    lists.mkdir()
    for kind, names in (
        ("normal_training", [TRAINED, "normal_scene_5_scenario_1"]),
        ("abnormal_training", [BAD]),
        ("normal_test", [NORMAL]),
        ("abnormal_test", [ABNORMAL, SECOND]),
    ):
        (lists / f"{kind}_video_names.txt").write_text("\r\n".join(names))
    (tmp_path / "Scene1" / f"{ABNORMAL}_tracks.txt").write_text("2,1,2\r\n3.0e+00,4.0e+00,6.0e+00\r\n")
    (tmp_path / "gt_tracks").mkdir()
    with (tmp_path / "gt_tracks" / f"{SECOND}_tracks.txt").open("wb") as stream:
        np.save(stream, np.array([1.0, 1, 0, 0, 1, 1]))
    return tmp_path


def test_ubnormal(ubnormal: Path) -> None:
    dataset = DATASETS["ubnormal"](ubnormal)
    assert [(clip.name, clip.camera) for clip in dataset.training()] == [(TRAINED, "scene_12")]
    clips = {clip.name: clip for clip in dataset.testing()}
    assert {name: clip.camera for name, clip in clips.items()} == {
        NORMAL: "scene_1",
        ABNORMAL: "scene_1",
        SECOND: "scene_12",
    }
    assert not dataset.labels(clips[NORMAL]).any()
    assert len(dataset.labels(clips[NORMAL])) == 6
    np.testing.assert_array_equal(dataset.labels(clips[ABNORMAL]), [0, 1, 1, 0, 1, 1])
    np.testing.assert_array_equal(dataset.labels(clips[SECOND]), [0, 0, 1, 1, 0, 0])
    assert dataset.note() is not None
    assert "1 of 186 training clips present" in str(dataset.note())


def test_ubnormal_frame_file_means_normal_by_1(ubnormal: Path) -> None:
    np.savez(ubnormal / "frame_gt_1isnormal.npz", **{ABNORMAL: np.array([1.0, 1, 1, 1, 1, 0])})
    dataset = DATASETS["ubnormal"](ubnormal)
    clips = {clip.name: clip for clip in dataset.testing()}
    np.testing.assert_array_equal(dataset.labels(clips[ABNORMAL]), [0, 0, 0, 0, 0, 1])


def test_ubnormal_masks_come_from_the_maps_of_objects(ubnormal: Path) -> None:
    folder = ubnormal / "Scene1" / f"{ABNORMAL}_annotations"
    folder.mkdir()
    for frame in range(6):
        numbers = np.zeros((4, 6), np.uint8)
        numbers[0, 1], numbers[1, 1], numbers[2, 2] = 1, 2, 3
        cv2.imwrite(str(folder / f"{ABNORMAL}_{frame:04d}_gt.png"), numbers)
    dataset = DATASETS["ubnormal"](ubnormal)
    clips = {clip.name: clip for clip in dataset.testing()}
    masks = dataset.masks(clips[ABNORMAL])
    assert masks is not None
    assert [list(map(tuple, np.argwhere(mask))) for mask in masks] == [[], [(1, 1)], [(1, 1)], [], [(2, 2)], [(2, 2)]]
    assert dataset.masks(clips[SECOND]) is None
    (folder / f"{ABNORMAL}_0002_gt.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"the map .*_0002_gt\.png cannot be read"):
        dataset.masks(clips[ABNORMAL])


def test_ubnormal_abnormal_video_without_annotation(ubnormal: Path) -> None:
    (ubnormal / "gt_tracks" / f"{SECOND}_tracks.txt").unlink()
    dataset = DATASETS["ubnormal"](ubnormal)
    clip = next(clip for clip in dataset.testing() if clip.name == SECOND)
    with pytest.raises(DatasetError, match=f"no labels for clip {SECOND}"):
        dataset.labels(clip)
