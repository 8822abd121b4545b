"""Footage of one's own, and the synthetic world."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from clips import levels, write_frames, write_video

from amiss.datasets import DATASETS
from amiss.errors import DatasetError, FootageError


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Normal footage as frames; two test clips, a folder at 5 frames/s and a video of varying rate."""
    write_frames(tmp_path / "normal" / "walk", 3)
    write_frames(tmp_path / "testing" / "gate", 10)
    write_video(tmp_path / "testing" / "yard.mp4", levels(5), milliseconds=[0, 100, 200, 2000, 2100])
    return tmp_path


def test_without_labels(own: Path) -> None:
    dataset = DATASETS["folder"](own, fps=5)
    assert [clip.name for clip in dataset.training()] == ["walk"]
    assert [clip.name for clip in dataset.testing()] == ["gate", "yard"]
    assert dataset.note() is None
    assert dataset.masks(dataset.testing()[0]) is None
    assert dataset.tracks(dataset.testing()[0]) is None
    with pytest.raises(DatasetError, match=r"no labels for clip gate; put them in frame_labels\.npz"):
        dataset.labels(dataset.testing()[0])


def test_intervals_in_seconds_follow_the_time_stamps(own: Path) -> None:
    (own / "labels.csv").write_text("\ufeffClip, Start, End\ngate, 0.4, 0.8\ngate,1.8,99\nyard,1.5,2.05\n", "utf-8")
    dataset = DATASETS["folder"](own, fps=5)
    gate, yard = dataset.testing()
    np.testing.assert_array_equal(dataset.labels(gate), [0, 0, 1, 1, 0, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(dataset.labels(yard), [0, 0, 0, 1, 0])


def test_intervals_in_frames(own: Path) -> None:
    (own / "labels.csv").write_text("clip,start_frame,end_frame\ngate,2,3\nyard,,\n")
    dataset = DATASETS["folder"](own, fps=5)
    gate, yard = dataset.testing()
    np.testing.assert_array_equal(dataset.labels(gate), [0, 0, 1, 1, 0, 0, 0, 0, 0, 0])
    assert not dataset.labels(yard).any()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("clip,from,to\ngate,1,2\n", r"labels\.csv has no columns clip,start,end"),
        ("", r"labels\.csv has no columns clip,start,end"),
        ("clip,start,end\ndoor,1,2\n", r"line 2 names the clip 'door', which is not in testing/"),
        ("clip,start,end\ngate,0,1\ngate,one,2\n", r"line 3: 'one' and '2' are not two numbers"),
        ("clip,start,end\ngate,0\n", r"line 2: '0' and '' are not two numbers"),
        ("clip,start,end\ngate,2,1\n", r"line 2: the interval 2 to 1 does not run forward"),
        ("clip,start,end\ngate,50,60\n", r"line 2: no frame of gate lies between 50.0 and 60.0 s"),
        ("clip,start_frame,end_frame\ngate,5,10\n", r"the frames 5 to 10 .* within its 10 frames"),
    ],
)
def test_tables_that_do_not_fit(own: Path, table: str, message: str) -> None:
    (own / "labels.csv").write_text(table)
    dataset = DATASETS["folder"](own, fps=5)
    with pytest.raises(DatasetError, match=message):
        dataset.labels(dataset.testing()[0])


def test_frame_labels_come_first(own: Path) -> None:
    (own / "labels.csv").write_text("clip,start_frame,end_frame\ngate,2,3\n")
    np.savez(own / "frame_labels.npz", gate=np.eye(10, dtype=np.uint8)[0])
    dataset = DATASETS["folder"](own)
    assert dataset.labels(dataset.testing()[0]).sum() == 1


def test_an_empty_testing_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "testing").mkdir()
    with pytest.raises(FootageError, match="testing holds no footage"):
        DATASETS["folder"](tmp_path)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    told = []
    for name, split, place in (
        ("a-1", "training", "platform"),
        ("a-2", "testing", "crossing"),
        ("a-1", "testing", "plaza"),
    ):
        (tmp_path / split).mkdir(exist_ok=True)
        write_video(tmp_path / split / f"{name}.mp4", levels(4), rate=25)
        told.append({"name": name, "split": split, "place": place, "act": None, "label": 0, "rate": 25, "frames": 4})
    (tmp_path / "world.json").write_text(json.dumps({"seed": 0, "clips": told}))
    labels = {"a-1": np.array([0, 1, 1, 0], np.uint8), "a-2": np.zeros(4, np.uint8)}
    np.savez_compressed(tmp_path / "frame_labels.npz", **labels)
    masks = {name: np.repeat(row[:, None, None], 6, axis=1).repeat(8, axis=2) > 0 for name, row in labels.items()}
    np.savez_compressed(tmp_path / "masks.npz", **masks)
    return tmp_path


def test_world(world: Path) -> None:
    dataset = DATASETS["world"](world)
    assert [(clip.name, clip.camera) for clip in dataset.training()] == [("a-1", "platform")]
    two, one = dataset.testing()
    assert [(clip.name, clip.camera) for clip in (one, two)] == [("a-1", "plaza"), ("a-2", "crossing")]
    np.testing.assert_array_equal(dataset.labels(one), [0, 1, 1, 0])
    masks = dataset.masks(one)
    assert masks is not None
    np.testing.assert_array_equal(masks.any(axis=(1, 2)), dataset.labels(one))


def test_world_with_a_missing_video(world: Path) -> None:
    (world / "testing" / "a-2.mp4").unlink()
    with pytest.raises(DatasetError, match="testing has no video of a-2"):
        DATASETS["world"](world)


@pytest.mark.parametrize("text", ["", "[]", '{"clips": [{"name": "a"}]}', '{"clips": 3}'])
def test_world_with_a_damaged_description(world: Path, text: str) -> None:
    (world / "world.json").write_text(text)
    with pytest.raises(DatasetError, match=r"world\.json has no list of clips with name, split and place"):
        DATASETS["world"](world)
