"""Datasets with a label for each whole video, in made-up folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from clips import levels, write_frames, write_video

from amiss.config import BoxesConfig
from amiss.datasets import DATASETS, Dataset
from amiss.datasets.ucf_crime import read_test_list
from amiss.datasets.xd_violence import read_annotations, read_segment_labels
from amiss.errors import DatasetError
from amiss.footage import FeatureFile
from amiss.footage.names import safe_name
from amiss.perception.boxes import FileBoxes, find_box_file
from amiss.perception.pose_files import find_pose_file


def features(path: Path, rows: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.ones((rows, 16), np.float32))
    return path


def told(dataset: Dataset) -> list[tuple[str, int]]:
    """Names and labels of what may be learned from."""
    assert {clip.split for clip, _ in dataset.weak_training()} == {"training"}
    return [(clip.name, label) for clip, label in dataset.weak_training()]


UCF_TESTS = """Abuse028_x264.mp4  Abuse  3  10  -1  -1  \r
Explosion008_x264.mp4  Explosion  1  2  30  33  \r
Normal_Videos_003_x264.mp4  Normal  -1  -1  -1  -1  \r
Arson011_x264.mp4  Arson  1  2  -1  -1\r
"""


@pytest.fixture
def ucf(tmp_path: Path) -> Path:
    """Five training and three test videos of those in the lists, as videos and features of several kinds."""
    names = ["Abuse/Abuse001_x264.mp4", "Explosion/Explosion001_x264.mp4", "Arson/Arson001_x264.mp4"]
    names += [f"Training_Normal_Videos_Anomaly/Normal_Videos00{number}_x264.mp4" for number in (1, 2)]
    (tmp_path / "Anomaly_Train.txt").write_text("\n".join(names) + "\n")
    (tmp_path / "Temporal_Anomaly_Annotation.txt").write_text(UCF_TESTS)
    (tmp_path / "Abuse").mkdir()
    write_video(tmp_path / "Abuse" / "Abuse001_x264.mp4", levels(3))
    features(tmp_path / "i3d" / "Explosion001_x264_i3d.npy")
    np.savetxt(tmp_path / "i3d" / "Normal_Videos001_x264_C.txt", np.ones((3, 20)))
    features(tmp_path / "i3d" / "Normal_Videos002.npy")
    write_video(tmp_path / "Abuse" / "Abuse028_x264.mp4", levels(8))
    features(tmp_path / "i3d" / "Explosion008_x264.npy")
    features(tmp_path / "i3d" / "Normal_Videos_003_x264.npy")
    return tmp_path


def test_ucf_crime(ucf: Path) -> None:
    dataset = DATASETS["ucf-crime"](ucf)
    assert [clip.name for clip in dataset.training()] == ["Normal_Videos001_x264", "Normal_Videos002_x264"]
    normal = [("Normal_Videos001_x264", 0), ("Normal_Videos002_x264", 0)]
    assert told(dataset) == [*normal, ("Abuse001_x264", 1), ("Explosion001_x264", 1)]
    clips = dataset.testing()
    assert [clip.name for clip in dataset.testing()] == [clip.name for clip in clips]
    assert [(clip.name, clip.footage.length) for clip in clips] == [
        ("Abuse028_x264", 8),
        ("Explosion008_x264", 32),
        ("Normal_Videos_003_x264", 32),
    ]
    np.testing.assert_array_equal(dataset.labels(clips[0]), [0, 0, 1, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(np.flatnonzero(dataset.labels(clips[1])), [0, 1, 29, 30, 31])
    assert not dataset.labels(clips[2]).any()
    assert str(dataset.note()).startswith("4 of 1610 training clips present: Normal_Videos001_x264")
    assert "3 of 290 test clips present" in str(dataset.note())
    with pytest.raises(DatasetError, match="only test clips have labels"):
        dataset.labels(dataset.weak_training()[0][0])


def test_st_ucf_crime_has_no_explosions(ucf: Path) -> None:
    dataset = DATASETS["st-ucf-crime"](ucf)
    assert [name for name, label in told(dataset) if label] == ["Abuse001_x264"]
    assert [clip.name for clip in dataset.testing()] == ["Abuse028_x264", "Normal_Videos_003_x264"]


def test_ucf_crime_with_lengths(ucf: Path) -> None:
    lengths = "Explosion/Explosion008_x264.mp4 31 Explosion 1 2 30 33\nA/Abuse028_x264.mp4 999 Abuse 3 10 -1 -1\n"
    (ucf / "with_lengths_Test_Annotation.txt").write_text(lengths)
    dataset = DATASETS["ucf-crime"](ucf)
    clips = dataset.testing()
    assert [clip.footage.length for clip in clips] == [8, 31, 32]
    np.testing.assert_array_equal(np.flatnonzero(dataset.labels(clips[1])), [0, 1, 29, 30])
    (ucf / "Temporal_Anomaly_Annotation.txt").unlink()
    assert [clip.name for clip in DATASETS["ucf-crime"](ucf).testing()] == ["Explosion008_x264", "Abuse028_x264"]


def test_ucf_crime_takes_labels_of_frames_first(ucf: Path) -> None:
    labels = np.zeros(30, np.uint8)
    labels[5] = 1
    np.savez(ucf / "test_frame_labels.npz", Explosion008_x264=labels, Abuse028_x264=np.ones(9, np.uint8))
    dataset = DATASETS["ucf-crime"](ucf)
    abuse, explosion, normal = dataset.testing()
    assert explosion.footage.length == 30
    np.testing.assert_array_equal(dataset.labels(explosion), labels)
    assert dataset.labels(abuse).sum() == 9
    with pytest.raises(DatasetError, match=r"test_frame_labels\.npz has no labels for clip Normal_Videos_003_x264"):
        dataset.labels(normal)


def test_ucf_crime_boxes(ucf: Path) -> None:
    dataset = DATASETS["ucf-crime"](ucf)
    assert [dataset.event(clip) for clip in dataset.testing()] == [None] * 3
    (ucf / "bbox_test.csv").write_text(
        "video,frame_1based,x1,y1,x2,y2\nAbuse028_x264,6,1,2,3,4\nAbuse028_x264,4,0,0,5,5\nAbuse028_x264,6,7,7,9,9\n"
    )
    dataset = DATASETS["ucf-crime"](ucf)
    abuse, explosion, normal = dataset.testing()
    tube = dataset.event(abuse)
    assert tube is not None
    np.testing.assert_array_equal(tube.frame, [3, 4, 5])
    np.testing.assert_array_equal(tube.xyxy, [[0, 0, 5, 5], [0.5, 1, 7, 7], [1, 2, 9, 9]])
    np.testing.assert_allclose(tube.seconds, tube.frame / abuse.footage.rate)
    assert dataset.event(explosion) is None
    none = dataset.event(normal)
    assert none is not None
    assert len(none) == 0
    with pytest.raises(DatasetError, match="only test clips have boxes of events"):
        dataset.event(dataset.training()[0])
    (ucf / "bbox_test.csv").write_text("video,frame_1based,x1,y1,x2,y2\nAbuse028_x264,60,1,2,3,4\n")
    dataset = DATASETS["ucf-crime"](ucf)
    with pytest.raises(DatasetError, match="clip Abuse028_x264 has a true box in frame 59, and 8 frames"):
        dataset.event(dataset.testing()[0])


@pytest.mark.parametrize(
    "line",
    ["a.mp4 Abuse 3 10 -1", "a.mp4 Abuse 3 ten -1 -1", "a.mp4 Abuse 10 3 -1 -1", "a.mp4 Abuse 0 3 -1 -1", "a.mp4"],
)
def test_damaged_lists_of_ucf_crime_are_named(ucf: Path, line: str) -> None:
    (ucf / "Temporal_Anomaly_Annotation.txt").write_text(f"b.mp4 Abuse 3 10 -1 -1\n\n{line}\n")
    with pytest.raises(DatasetError, match=r"Annotation\.txt, line 3 is not a video, a class and two intervals: a"):
        DATASETS["ucf-crime"](ucf)
    (ucf / "Temporal_Anomaly_Annotation.txt").write_text("\n")
    with pytest.raises(DatasetError, match="names no video"):
        read_test_list(ucf / "Temporal_Anomaly_Annotation.txt")


def test_ucf_crime_without_a_list(ucf: Path) -> None:
    (ucf / "Anomaly_Train.txt").unlink()
    dataset = DATASETS["ucf-crime"](ucf)
    assert len(dataset.testing()) == 3
    with pytest.raises(DatasetError, match=r"has no training clips of UCF-Crime; looked for Anomaly_Train\.txt"):
        dataset.weak_training()


FIGHT, CALM = "Bad.Boys.1995__#01-11-55_label_B1-0-0", "v=abc__#1_label_A"


@pytest.fixture
def xd(tmp_path: Path) -> Path:
    """Two videos to learn from and three to test on, some with features of several crops."""
    for crop in range(5):
        features(tmp_path / "train" / "i3d" / f"{FIGHT}__{crop}.npy")
        features(tmp_path / "test" / f"{CALM}__{crop}.npy")
    features(tmp_path / "train" / f"{CALM}.npy")
    write_video(tmp_path / "test" / "a.b_label_G-B2-B6.mp4", levels(20), rate=24)
    features(tmp_path / "test" / f"{FIGHT}.npy")
    (tmp_path / "annotations.txt").write_text(f"{FIGHT}.mp4 0 2 20 40\na.b_label_G-B2-B6 5 8\n")
    return tmp_path


def test_xd_violence(xd: Path) -> None:
    dataset = DATASETS["xd-violence"](xd)
    assert told(dataset) == [(safe_name(CALM), 0), (safe_name(FIGHT), 1)]
    assert all(clip.name == clip.footage.name for clip in dataset.testing())
    clips = {clip.name: clip for clip in dataset.testing()}
    assert set(clips) == {safe_name(CALM), safe_name(FIGHT), "a.b_label_G-B2-B6"}
    clips |= {name: clips[safe_name(name)] for name in (CALM, FIGHT)}
    assert clips[CALM].footage.rate == 24
    assert clips[CALM].footage.path.name.endswith("__0.npy")
    np.testing.assert_array_equal(np.flatnonzero(dataset.labels(clips[FIGHT])), [0, 1, *range(20, 32)])
    np.testing.assert_array_equal(np.flatnonzero(dataset.labels(clips["a.b_label_G-B2-B6"])), [5, 6, 7])
    assert not dataset.labels(clips[CALM]).any()
    none = dataset.event(clips[CALM])
    assert none is not None
    assert len(none) == 0
    assert dataset.event(clips[FIGHT]) is None
    assert "2 of 3954 training clips present" in str(dataset.note())


def test_xd_violence_with_labels_of_segments(xd: Path) -> None:
    names, gt = np.array([FIGHT, "a.b_label_G-B2-B6"]), np.zeros(64, np.uint8)
    gt[40:] = 1
    np.savez(xd / "frame_labels.npz", names=names, n_segments=np.array([3, 1], np.int32), gt=gt)
    (xd / "annotations.txt").unlink()
    dataset = DATASETS["xd-violence"](xd)
    clips = {clip.name: clip for clip in dataset.testing()}
    clips |= {name: clips[safe_name(name)] for name in (CALM, FIGHT)}
    assert clips[FIGHT].footage.length == 48
    np.testing.assert_array_equal(dataset.labels(clips[FIGHT]), gt[:48])
    np.testing.assert_array_equal(dataset.labels(clips["a.b_label_G-B2-B6"]), np.ones(20))
    assert not dataset.labels(clips[CALM]).any()
    np.savez(xd / "frame_labels.npz", names=names, n_segments=np.array([3, 2], np.int32), gt=gt)
    with pytest.raises(DatasetError, match=r"frame_labels\.npz is damaged: n_segments does not divide gt"):
        read_segment_labels(xd / "frame_labels.npz")


def test_xd_violence_without_labels(xd: Path) -> None:
    (xd / "annotations.txt").unlink()
    dataset = DATASETS["xd-violence"](xd)
    clip = next(clip for clip in dataset.testing() if clip.name == safe_name(FIGHT))
    with pytest.raises(DatasetError, match="has no labels for clip Bad"):
        dataset.labels(clip)
    features(xd / "train" / "other.npy")
    with pytest.raises(DatasetError, match=r"other\.npy does not end in _label_A or the like"):
        DATASETS["xd-violence"](xd)


@pytest.mark.parametrize("line", ["a 1", "a 1 2 3", "a 5 5", "a -1 2", "a", "a one two"])
def test_damaged_annotations_of_xd_violence(tmp_path: Path, line: str) -> None:
    (tmp_path / "annotations.txt").write_text(f"b 1 2\n\n{line}\n")
    with pytest.raises(DatasetError, match=r"annotations\.txt, line 3 is not a video and pairs of frames: a"):
        read_annotations(tmp_path / "annotations.txt")


@pytest.fixture
def shanghai(tmp_path: Path) -> Path:
    """Videos of both official folders on both sides of the new split."""
    (tmp_path / "weak_split").mkdir()
    (tmp_path / "weak_split" / "train.txt").write_text("01_0014\n01_002\n01_0016\n09_0099")
    (tmp_path / "weak_split" / "test.txt").write_text("01_001\r\n01_0015\r\n")
    for name in ("01_001", "01_002", "01_003"):
        write_frames(tmp_path / "training" / "frames" / name, 3)
    for name in ("01_0014", "01_0015"):
        write_frames(tmp_path / "testing" / "frames" / name, 4)
    features(tmp_path / "i3d" / "01_0016_i3d.npy")
    labels = {"01_0014": np.array([0, 1, 1, 0]), "01_0015": np.array([0, 0, 0, 1]), "01_0016": np.zeros(30, int)}
    np.savez(tmp_path / "frame_labels.npz", **labels)
    masks = np.zeros((4, 6, 8), bool)
    masks[3, 1, 2] = True
    np.savez(tmp_path / "masks.npz", **{"01_0015": masks})
    (tmp_path / "rbdc_tbdc_tracks").mkdir()
    (tmp_path / "rbdc_tbdc_tracks" / "01_0015.txt").write_text("0,3,1,2,3,4\n")
    return tmp_path


def test_shanghaitech_split_anew(shanghai: Path) -> None:
    dataset = DATASETS["shanghaitech-weak"](shanghai)
    assert [clip.name for clip in dataset.training()] == ["01_002"]
    assert told(dataset) == [("01_002", 0), ("01_0014", 1), ("01_0016", 0)]
    assert dataset.weak_training()[2][0].footage.length == 30
    normal, abnormal = dataset.testing()
    assert [(clip.name, clip.camera) for clip in (normal, abnormal)] == [("01_001", "01"), ("01_0015", "01")]
    np.testing.assert_array_equal(dataset.labels(normal), [0, 0, 0])
    np.testing.assert_array_equal(dataset.labels(abnormal), [0, 0, 0, 1])
    tubes = [dataset.event(clip) for clip in (normal, abnormal)]
    assert [None if tube is None else tube.xyxy.tolist() for tube in tubes] == [[], [[2, 1, 3, 2]]]
    tracks = [dataset.tracks(clip) for clip in (normal, abnormal)]
    assert [len(found or ()) for found in tracks] == [0, 1]
    assert str(dataset.note()).startswith(
        "3 of 238 training clips present: 01_002 01_0014 01_0016; 2 of 199 test clips"
    )


def test_shanghaitech_split_anew_needs_labels_to_learn(shanghai: Path) -> None:
    (shanghai / "frame_labels.npz").unlink()
    with pytest.raises(DatasetError, match=r"no labels for clip 01_0014; put them in frame_labels\.npz"):
        DATASETS["shanghaitech-weak"](shanghai).weak_training()
    (shanghai / "weak_split" / "train.txt").write_bytes(b"\xff")
    with pytest.raises(DatasetError, match=r"train\.txt cannot be read as text"):
        DATASETS["shanghaitech-weak"](shanghai)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    for folder, count in (("normal/01", 3), ("abnormal/01", 3), ("abnormal/02", 3), ("testing/a", 6), ("testing/b", 6)):
        write_frames(tmp_path / folder, count)
    return tmp_path


def test_a_folder_of_ones_own(own: Path) -> None:
    dataset = DATASETS["folder"](own)
    assert told(dataset) == [("01", 0), ("abnormal-01", 1), ("02", 1)]
    assert [clip.name for clip in dataset.training()] == ["01"]
    assert dataset.event(dataset.testing()[0]) is None
    (own / "boxes.csv").write_text("clip,frame,x1,y1,x2,y2\na,4,1,2,3,4\na,2,0,0,9,9\n")
    dataset = DATASETS["folder"](own, fps=2)
    a, b = (dataset.event(clip) for clip in dataset.testing())
    assert a is not None
    assert b is not None
    assert (a.frame.tolist(), a.seconds.tolist(), len(b)) == ([2, 4], [1.0, 2.0], 0)
    (own / "boxes.csv").write_text("clip,frame,x1,y1,x2,y2\ndoor,4,1,2,3,4\n")
    dataset = DATASETS["folder"](own)
    with pytest.raises(DatasetError, match=r"boxes\.csv names the clip 'door', which is not in testing/"):
        dataset.event(dataset.testing()[0])


def test_a_folder_of_features(tmp_path: Path) -> None:
    for name in ("training/a", "abnormal/b", "testing/c", "testing/d"):
        features(tmp_path / f"{name}.npy")
    np.savez(tmp_path / "frame_labels.npz", c=np.zeros(30, int), d=np.ones(32, int))
    dataset = DATASETS["folder"](tmp_path)
    assert told(dataset) == [("a", 0), ("b", 1)]
    assert [clip.footage.length for clip in dataset.testing()] == [30, 32]
    assert isinstance(dataset.testing()[0].footage, FeatureFile)
    (tmp_path / "frame_labels.npz").unlink()
    (tmp_path / "labels.csv").write_text("clip,start,end\nd,0.5,1\n")
    dataset = DATASETS["folder"](tmp_path, fps=16)
    np.testing.assert_array_equal(np.flatnonzero(dataset.labels(dataset.testing()[1])), range(8, 16))


def test_boxes_and_poses_of_weak_clips_are_their_own(own: Path) -> None:
    dataset = DATASETS["folder"](own)
    assert len(dataset.testing()) == 2
    clip = dataset.weak_training()[1][0]
    assert set(vars(clip)) == {"name", "split", "footage", "camera"}
    for name, kind in (("boxes", "boxes"), ("poses", "joints")):
        key = np.zeros((3, 4), np.float32) if kind == "boxes" else np.zeros((3, 17, 3), np.float32)
        for split in ("weak", "training"):
            shifted = key + (split == "weak")
            np.savez(own / f"{name}_{split}.npz", **{f"01_{kind}": shifted, "01_frame_ptr": np.arange(4)})
    assert find_box_file(clip.footage.path) == own / "boxes_weak.npz"
    assert find_pose_file(clip.footage.path) == own / "poses_weak.npz"
    boxes = FileBoxes(BoxesConfig())
    boxes.reset(clip.footage.path)
    assert boxes._boxes.xyxy[0, 0] == 1


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """One clip of each split, all of one name; the abnormal test clip has two tubes that overlap in time."""
    tubes = [
        {"act": "run", "start": 1, "end": 2, "frame": [1, 2], "track": [4, 4], "xyxy": [[0, 0, 5, 5], [1, 0, 6, 5]]},
        {"act": "fall", "start": 1, "end": 1, "frame": [1], "track": [7], "xyxy": [[9, 9, 12, 12]]},
    ]
    clips = []
    for split, label, found in (("training", 0, []), ("testing", 1, tubes), ("weak", 1, tubes[:1])):
        (tmp_path / split).mkdir()
        write_video(tmp_path / split / "plaza_01.mp4", levels(4), rate=25)
        clips.append({"name": "plaza_01", "split": split, "place": "plaza", "label": label, "tubes": found})
    (tmp_path / "world.json").write_text(json.dumps({"clips": clips}))
    return tmp_path


def change(world: Path, row: int, **facts: object) -> Dataset:
    """The world with other facts of one clip."""
    description = json.loads((world / "world.json").read_text())
    description["clips"][row] |= facts
    (world / "world.json").write_text(json.dumps(description))
    return DATASETS["world"](world)


def test_weak_clips_of_the_world(world: Path) -> None:
    dataset = DATASETS["world"](world)
    assert told(dataset) == [("plaza_01", 0), ("weak-plaza_01", 1)]
    assert {clip.camera for clip, _ in dataset.weak_training()} == {"plaza"}
    assert [clip.name for clip in dataset.training()] == ["plaza_01"]
    tube = dataset.event(dataset.testing()[0])
    assert tube is not None
    assert (tube.frame.tolist(), tube.track.tolist()) == ([1, 1, 2], [4, 7, 4])
    np.testing.assert_array_equal(tube.xyxy[1], [9, 9, 12, 12])
    np.testing.assert_allclose(tube.seconds, [0.04, 0.04, 0.08])


def test_a_world_with_other_facts(world: Path) -> None:
    calm = change(world, 1, tubes=[])
    tube = calm.event(calm.testing()[0])
    assert tube is not None
    assert len(tube) == 0
    assert change(world, 1, tubes=None).event(calm.testing()[0]) is None
    for damaged in ([{"frame": [1]}], [{"frame": [1], "track": [1], "xyxy": [[1, 2, 3]]}], 3, ["tube"]):
        dataset = change(world, 1, tubes=damaged)
        with pytest.raises(DatasetError, match=r"world\.json has damaged tubes of clip plaza_01"):
            dataset.event(dataset.testing()[0])
    with pytest.raises(DatasetError, match=r"world\.json has no label 0 or 1 of weak/plaza_01"):
        change(world, 2, label=None).weak_training()
    (world / "weak" / "plaza_01.mp4").unlink()
    with pytest.raises(DatasetError, match="weak has no video of plaza_01"):
        DATASETS["world"](world).weak_training()


def test_other_datasets_have_their_normal_clips(tmp_path: Path) -> None:
    for split in ("training", "testing"):
        write_frames(tmp_path / split / "frames" / "01", 4)
    dataset = DATASETS["ped2"](tmp_path)
    assert told(dataset) == [("01", 0)]
    assert dataset.event(dataset.testing()[0]) is None
    masks = np.zeros((4, 6, 8), bool)
    masks[2, 1:3, 4] = True
    np.savez(tmp_path / "masks.npz", **{"01": masks})
    tube = dataset.event(dataset.testing()[0])
    assert tube is not None
    assert (tube.frame.tolist(), tube.xyxy.tolist()) == ([2], [[4, 1, 5, 3]])
