"""Tracks that were published in place of pictures: read, told when damaged, and learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amiss.config import load_config
from amiss.datasets import DATASETS
from amiss.datasets.track_files import clips_of, read_tracks
from amiss.engine import bench
from amiss.errors import DatasetError, FootageError
from amiss.perception.boxes import BOX_SOURCES
from amiss.types import Label
from support import CORNERS, Mover, Rectangles, frame_of, walkers, write_tracks

COLUMNS = ["Frame_Number", "Person_ID", *CORNERS]
TRACKED = ["perception.boxes.source=tracks", "method.parts=[speed,size,place]", "scoring.persistence=1"]
RUNNER = Mover(5, 30, dx=6.0)


def write(path: Path, rows: list, columns: list[str] = COLUMNS) -> Path:
    np.savez(path, columns=np.array(columns), **{"01": np.array(rows, float)})
    return path


def test_rows_are_ordered_by_frame_and_boxes_are_upright(tmp_path: Path) -> None:
    path = write(tmp_path / "t.npz", [[3, 1, 9, 8, 5, 2], [2, 7, 0, 0, 4, 6], [2, 1, 1, 1, 2, 3]])
    assert read_tracks(path, "1").tolist() == [[2, 1, 1, 1, 2, 3], [2, 7, 0, 0, 4, 6], [3, 1, 5, 2, 9, 8]]
    assert clips_of(path) == ["01"]
    assert clips_of(tmp_path / "none.npz") == []


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([[0, 1, 0, 0, 1, 1]], ["Frame_Number", "ID", *CORNERS], "has no column Person_ID"),
        ([[0, 1, 0, 0, 1]], COLUMNS, "are not 6 numbers a row"),
        ([[0, 1, 0, 0, 1, np.nan]], COLUMNS, "are not 6 numbers a row"),
        ([[4, 1, 0, 0, 1, 1], [4, 1, 5, 5, 9, 9]], COLUMNS, "track 1 of 01 has two boxes in frame 4"),
    ],
)
def test_damaged_tracks_are_told(rows: list, columns: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=message):
        read_tracks(write(tmp_path / "t.npz", rows, columns), "01")


def test_unknown_clips_and_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match="has no clip '02'"):
        read_tracks(write(tmp_path / "t.npz", [[0, 1, 0, 0, 1, 1]]), "02")
    source = BOX_SOURCES["tracks"](load_config().perception)
    with pytest.raises(FootageError, match=r"no tracks_\w+.npz or tracks_\w+.npz with the clip '02'"):
        source.reset(tmp_path / "02")
    with pytest.raises(FootageError, match="footage with a place"):
        source.reset(None)


def test_tracks_above_a_clip_are_those_of_its_split(tmp_path: Path) -> None:
    write(tmp_path / "tracks_training.npz", [[0, 1, 0, 0, 1, 1]])
    write(tmp_path / "tracks_testing.npz", [[0, 9, 0, 0, 1, 1]])
    source = BOX_SOURCES["tracks"](load_config().perception)
    for split, track in {"training": 1, "testing": 9}.items():
        source.reset(tmp_path / split / "01.avi")
        found = source.update(frame_of())
        assert found.track.tolist() == [track]
        assert found.label.tolist() == [Label.PERSON]
        assert len(source.update(frame_of(index=1))) == 0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data set of nothing but tracks and labels: whoever runs is abnormal."""
    folder = tmp_path / "data"
    folder.mkdir()
    write_tracks(folder / "tracks_training.npz", [walkers(f"01_{n:03}", n, length=60) for n in range(3)])
    usual = walkers("01_0001", 9, number=2, length=60)
    odd = Rectangles("01_0002", (*usual.movers, RUNNER), 60)
    write_tracks(folder / "tracks_testing.npz", [usual, odd])
    np.savez(folder / "frame_labels.npz", **{"01_0001": np.zeros(60, np.uint8), "01_0002": np.ones(60, np.uint8)})
    return folder


def test_a_data_set_of_tracks_alone_is_learned_and_measured(root: Path, tmp_path: Path) -> None:
    dataset = DATASETS["shanghaitech"](root)
    assert [clip.footage.length for clip in (*dataset.training(), *dataset.testing())] == [60] * 5
    assert {clip.camera for clip in dataset.training()} == {"01"}
    config = load_config(sets=[*TRACKED, f"cache={tmp_path / 'cache'}"])
    found = bench(dataset, "attributes", config, [0], tmp_path / "out")
    assert found["metrics"]["auc_micro"]["raw"]["mean"] > 0.9


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (TRACKED[1:], "takes boxes from (motion|network)"),
        (TRACKED[:1], "needs its (appearance|feature), flow"),
    ],
)
def test_what_needs_pictures_is_told_that_there_are_none(sets, message: str, root: Path, tmp_path: Path) -> None:
    config = load_config(sets=[*sets, f"cache={tmp_path / 'cache'}"])
    with pytest.raises(FootageError, match=f"no pictures of clip 01_000, only tracks, and the method {message}"):
        bench(DATASETS["shanghaitech"](root), "attributes", config, [0], tmp_path / "out")
