"""Boxes from a file, and what the boxes of every source go through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amiss.config import BoxesConfig
from amiss.errors import ConfigError, DatasetError, FootageError
from amiss.perception.boxes import BOX_SOURCES, FileBoxes, find_box_file, read_boxes, tidy
from amiss.types import Boxes
from support import Mover, Rectangles, box_table, frame_of, write_boxes

SIZE = (100, 80)
LOOSE = BoxesConfig(confidence=0, min_area=0, covered=1)


def clip(name: str, movers: int = 2) -> Rectangles:
    return Rectangles(name, tuple(Mover(10.0 * n, 5.0) for n in range(movers)), length=3)


def test_boxes_are_clipped_to_the_picture() -> None:
    found = tidy(box_table([-5, -5, 20, 20], [90, 70, 120, 90]), LOOSE, SIZE)
    assert found.xyxy.tolist() == [[0, 0, 20, 20], [90, 70, 100, 80]]


def test_unsure_boxes_are_dropped() -> None:
    boxes = box_table([0, 0, 10, 10], [30, 30, 40, 40], confidence=[0.29, 0.3])
    assert tidy(boxes, BoxesConfig(confidence=np.float32(0.3)), SIZE).xyxy[:, 0].tolist() == [30]


def test_the_area_counts_inside_the_picture() -> None:
    boxes = box_table([-90, 0, 5, 10], [30, 30, 40, 35])
    assert tidy(boxes, BoxesConfig(min_area=50), SIZE).xyxy[:, 0].tolist() == [0, 30]
    assert tidy(boxes, BoxesConfig(min_area=51), SIZE).xyxy.tolist() == []


def test_the_smaller_of_two_that_cover_each_other_is_dropped() -> None:
    boxes = box_table([10, 10, 20, 20], [10, 10, 40, 40], [38, 10, 60, 40])
    assert tidy(boxes, BoxesConfig(covered=0.8), SIZE).xyxy[:, 2].tolist() == [40, 60]


def test_of_two_equal_boxes_the_first_stays() -> None:
    boxes = Boxes(np.tile(np.array([5, 5, 25, 25], np.float32), (3, 1)), label=[1, 2, 3])
    assert tidy(boxes, BoxesConfig(), SIZE).label.tolist() == [1]


def test_boxes_with_tracks_are_kept_unless_they_lie_outside_the_picture() -> None:
    rows = np.array([[5, 5, 25, 25], [5, 5, 25, 25], [8, 8, 9, 9], [-20, 5, -2, 25]], np.float32)
    boxes = Boxes(rows, confidence=np.zeros(4), track=[7, 8, 9, 10])
    assert tidy(boxes, BoxesConfig(), SIZE).track.tolist() == [7, 8, 9]


def test_no_boxes_stay_none() -> None:
    assert len(tidy(Boxes.empty(), BoxesConfig(), SIZE)) == 0


def test_given_boxes_come_by_frame(tmp_path: Path) -> None:
    write_boxes(tmp_path / "b.npz", [clip("01"), clip("02", 1)])
    source = FileBoxes(BoxesConfig(path=tmp_path / "b.npz"))
    source.reset(tmp_path / "02")
    assert [source.update(frame_of(index=i)).xyxy.tolist() for i in (0, 2)] == [[[0, 5, 12, 29]], [[2, 5, 14, 29]]]
    source.reset(tmp_path / "01.avi")
    assert len(source.update(frame_of(index=1))) == 2


def test_confidence_and_label_are_taken_where_they_are(tmp_path: Path) -> None:
    extra = {"01_confidence": np.full(6, 0.25), "01_label": np.full(6, 2)}
    boxes, rows = read_boxes(write_boxes(tmp_path / "b.npz", [clip("01")], **extra), "01")
    assert boxes.confidence.tolist() == [0.25] * 6
    assert boxes.label.tolist() == [2] * 6
    assert rows.tolist() == [0, 2, 4, 6]


def test_corners_are_put_in_order(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", **{"1_boxes": np.array([[9, 8, 1, 2]]), "1_frame_ptr": np.array([0, 1])})
    assert read_boxes(tmp_path / "b.npz", "01")[0].xyxy.tolist() == [[1, 2, 9, 8]]


def test_footage_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    source = FileBoxes(BoxesConfig(path=write_boxes(tmp_path / "b.npz", [clip("01")])))
    source.reset(tmp_path / "01")
    with pytest.raises(FootageError, match="has 3 frames"):
        source.update(frame_of(index=3))


def test_a_stream_has_no_given_boxes() -> None:
    with pytest.raises(FootageError, match="source=motion"):
        FileBoxes(BoxesConfig()).reset(None)


def test_an_unknown_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match="no clip '07'"):
        read_boxes(write_boxes(tmp_path / "b.npz", [clip("01")]), "07")


@pytest.mark.parametrize(
    "arrays",
    [
        {"01_boxes": np.zeros((2, 3)), "01_frame_ptr": np.array([0, 2])},
        {"01_boxes": np.zeros(4), "01_frame_ptr": np.array([0, 1])},
        {"01_boxes": np.full((1, 4), np.nan), "01_frame_ptr": np.array([0, 1])},
        {"01_boxes": np.zeros((2, 4)), "01_frame_ptr": np.array([0, 3])},
        {"01_boxes": np.zeros((2, 4)), "01_frame_ptr": np.array([0, 2, 1, 2])},
        {"01_boxes": np.zeros((2, 4)), "01_frame_ptr": np.array([0, 2]), "01_label": np.zeros(1)},
    ],
)
def test_a_damaged_box_file_is_named(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "damaged.npz", **arrays)
    with pytest.raises(DatasetError, match=r"damaged\.npz"):
        read_boxes(tmp_path / "damaged.npz", "01")


def test_the_file_of_the_clips_own_split_comes_first(tmp_path: Path) -> None:
    for name in ("boxes_training.npz", "boxes_testing.npz"):
        write_boxes(tmp_path / name, [clip("01")])
    write_boxes(tmp_path / "boxes_training.npz", [clip("01"), clip("09")])
    assert find_box_file(tmp_path / "training" / "frames" / "01").name == "boxes_training.npz"
    assert find_box_file(tmp_path / "testing" / "frames" / "01").name == "boxes_testing.npz"
    assert find_box_file(tmp_path / "testing" / "frames" / "09").name == "boxes_training.npz"


def test_without_a_box_file_the_way_out_is_said(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match=r"set perception\.boxes\.path"):
        find_box_file(tmp_path / "a" / "b" / "c" / "d" / "01")


def test_the_fingerprint_follows_the_boxes_and_not_their_file(tmp_path: Path) -> None:
    first = FileBoxes(BoxesConfig(path=write_boxes(tmp_path / "a.npz", [clip("01")])))
    same = FileBoxes(BoxesConfig(path=write_boxes(tmp_path / "b.npz", [clip("01"), clip("02")])))
    other = FileBoxes(BoxesConfig(path=write_boxes(tmp_path / "c.npz", [clip("01", 1)])))
    origin = tmp_path / "01"
    assert first.fingerprint(origin) == same.fingerprint(origin) != other.fingerprint(origin)


def test_an_unknown_source_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="file, motion"):
        BOX_SOURCES["eyes"]
