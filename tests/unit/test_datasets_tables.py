"""Labels of whole videos, true boxes, and the names that both go by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import write_frames

from amiss.datasets import read_video_labels
from amiss.datasets.files import own_split_first
from amiss.datasets.layout import footage_by_name
from amiss.datasets.tables import box_around, no_boxes, read_box_table, stem_of
from amiss.errors import DatasetError


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Abuse/Abuse001_x264.mp4", "Abuse001_x264"),
        ("G:\\Test\\Abuse028_x264_i3d.npy", "Abuse028_x264_i3d"),
        (" a.AVI ", "a"),
        ("Bad.Boys.1995__#01-11-55_label_A", "Bad.Boys.1995__#01-11-55_label_A"),
        ("Bad.Boys.1995__#01-11-55_label_A.mp4", "Bad.Boys.1995__#01-11-55_label_A"),
        (".mp4", ".mp4"),
    ],
)
def test_names_lose_folders_and_suffixes_alone(name: str, stem: str) -> None:
    assert stem_of(name) == stem


@pytest.mark.parametrize("heading", ["", "video,label\n", "\ufeff Video , Label \r\n"])
def test_video_labels(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"{heading}Abuse/Abuse001_x264.mp4, 1\n\n calm ,0\ncalm.avi,0\n", "utf-8")
    assert read_video_labels(path) == {"Abuse001_x264": 1, "calm": 0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"labels\.csv names no video"),
        ("video,label\n", r"labels\.csv names no video"),
        ("a,2\n", r"line 1 is not a video and its label 0 or 1: a,2"),
        ("video,label\na,\n", "line 2 is not a video"),
        ("a,1,0\n", "line 1 is not a video"),
        (",1\n", "line 1 is not a video"),
        ("a,1\nvideo,label\n", "line 2 is not a video"),
        ("a,1\nb,0\nfolder/a.mp4,0\n", "line 3 gives a the label 0, and an earlier line another"),
    ],
)
def test_damaged_video_labels(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_video_labels(tmp_path / "labels.csv")


def test_missing_tables(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.csv cannot be read as text"):
        read_video_labels(tmp_path / "gone.csv")
    with pytest.raises(DatasetError, match=r"gone\.csv cannot be read as text"):
        read_box_table(tmp_path / "gone.csv", "clip", "frame")


def test_box_tables(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text("video, Frame,x1,y1,x2,y2,note\nb.mp4,9,1,2,3,4,x\na,3,0,0,5.5,5\nb,2,5,6,7,8\nb,9,0,0,1,1\n")
    boxes = read_box_table(path, "video", "frame", first=1)
    assert set(boxes) == {"a", "b"}
    np.testing.assert_array_equal(boxes["b"][0], [1, 8, 8])
    np.testing.assert_array_equal(boxes["b"][1], [[5, 6, 7, 8], [1, 2, 3, 4], [0, 0, 1, 1]])
    assert boxes["a"][1][0, 2] == 5.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"boxes\.csv has no column clip; begin it with the line clip,frame,x1,y1,x2,y2"),
        ("clip,frame,x1,y1,x2\n", "has no column y2"),
        ("clip,frame,x1,y1,x2,y2\na,0,1,2,3,4\na,one,1,2,3,4\n", "line 3 is not a frame from 0 and a box"),
        ("clip,frame,x1,y1,x2,y2\na,0,1,2,3\n", "line 2 is not"),
        ("clip,frame,x1,y1,x2,y2\na,-1,1,2,3,4\n", "line 2 is not"),
        ("clip,frame,x1,y1,x2,y2\na,0.5,1,2,3,4\n", "line 2 is not"),
        ("clip,frame,x1,y1,x2,y2\na,0,3,2,1,4\n", "line 2 is not"),
        ("clip,frame,x1,y1,x2,y2\na,inf,1,2,3,4\n", "line 2 is not"),
        ("clip,frame,x1,y1,x2,y2\na,0,nan,2,3,4\n", "line 2 is not"),
    ],
)
def test_damaged_box_tables(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "boxes.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_box_table(tmp_path / "boxes.csv", "clip", "frame")


def test_a_box_around_masks() -> None:
    masks = np.zeros((4, 6, 8), bool)
    masks[1, 2, 3] = masks[1, 4, 6] = masks[3, 0, 0] = True
    tube = box_around(masks, rate=10)
    np.testing.assert_array_equal(tube.frame, [1, 3])
    np.testing.assert_allclose(tube.seconds, [0.1, 0.3])
    np.testing.assert_array_equal(tube.xyxy, [[3, 2, 7, 5], [0, 0, 1, 1]])
    assert len(box_around(masks[:1], rate=10)) == len(no_boxes()) == 0


def test_footage_is_found_by_name(tmp_path: Path) -> None:
    rows = np.ones((2, 16), np.float32)
    for folder in ("features", "a/b/c", "a/b/c/d", "testing/test_frame_mask"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for name in ("v_x264_i3d", "crop__1", "crop__0", "walk", "plain_c3d"):
        np.save(tmp_path / "features" / f"{name}.npy", rows)
    np.savetxt(tmp_path / "features" / "fc6_C.txt", rows)
    np.save(tmp_path / "testing" / "test_frame_mask" / "masked.npy", rows)
    np.save(tmp_path / "labels.npy", np.zeros(20))
    (tmp_path / "Anomaly_Train.txt").write_text("v.mp4\n")
    (tmp_path / "a" / "b" / "c" / "The.Mask.1994.mp4").write_bytes(b"x")
    (tmp_path / "a" / "b" / "c" / "d" / "deep.mp4").write_bytes(b"x")
    write_frames(tmp_path / "frames" / "walk")
    write_frames(tmp_path)
    found = {name: str(path.relative_to(tmp_path)) for name, path in footage_by_name(tmp_path).items()}
    assert found == {
        "v_x264": "features/v_x264_i3d.npy",
        "crop": "features/crop__0.npy",
        "plain": "features/plain_c3d.npy",
        "fc6": "features/fc6_C.txt",
        "walk": "frames/walk",
        "The.Mask.1994": "a/b/c/The.Mask.1994.mp4",
    }
    assert footage_by_name(tmp_path / "gone") == {}


@pytest.mark.parametrize(
    ("path", "splits"),
    [
        ("set/weak/a.mp4", ["weak", "training", "testing"]),
        ("set/abnormal/a", ["weak", "training", "testing"]),
        ("weak/testing/a.mp4", ["testing", "training"]),
        ("weak/Train/a.mp4", ["training", "testing"]),
        ("weak-sets/a.mp4", ["training", "testing"]),
        ("set/normal/a.mp4", ["training", "testing"]),
    ],
)
def test_the_files_of_weak_clips_come_first(path: str, splits: list[str]) -> None:
    assert own_split_first(Path(path)) == splits
