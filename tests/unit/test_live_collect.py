"""What a camera keeps of what it sees, to learn from."""

from __future__ import annotations

import errno
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import support_footage as footage
from amiss.engine import make_method
from amiss.errors import StorageError
from amiss.live.collect import Collector, block_times, learned, read_blocks, thumbnails
from amiss.live.nouns import Arrival
from amiss.live.settings import LearningSettings
from amiss.methods import Exemplar
from amiss.perception.cache import EntryWriter
from amiss.pipeline import Pipeline
from amiss.types import Image, Windows
from support import config_of
from support_live import AT, arrival, arrivals

DAY = 86_400.0
MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=UTC).timestamp()


def collector(folder: Path, zone: str = "UTC", **settings: Any) -> Collector:
    return Collector(folder, LearningSettings.build({"block": 0.1} | settings), zone, 1.0)


def nothing() -> Windows:
    return windows_at(0, [])


def windows_at(frame: int, boxes: Sequence[tuple[int, int, int, int]], seconds: float = 0.0) -> Windows:
    count = len(boxes)
    return Windows(
        frame=np.full(count, frame),
        seconds=np.full(count, seconds),
        box=np.array(boxes, np.float32).reshape(-1, 4),
        track=np.arange(count),
        label=np.zeros(count, np.int64),
        data={"dwell": np.full(count, frame, np.float32)},
    )


def block(keep: Collector, at: float, first: int = 0, frames: int = 5) -> None:
    """A short one that begins at this time."""
    for number in range(frames):
        come = arrival(first + number / 10, first + number, at=at - first)
        keep.add(come, windows_at(come.frame.index, [(20, 60, 40, 100)], come.frame.seconds))
    keep.close()


def test_blocks_are_of_so_many_minutes_and_tell_frames_from_their_first(tmp_path: Path) -> None:
    keep = collector(tmp_path)
    for come in arrivals([footage.ground()] * 150, first=7):  # 15 s, blocks of 6
        keep.add(come, windows_at(come.frame.index, [(20, 60, 40, 100)] * 2, come.frame.seconds))
    keep.close()
    blocks = read_blocks(tmp_path)
    assert [len(one.part.clock) for one in blocks] == [60, 60, 30]
    assert [len(one.part) for one in blocks] == [120, 120, 60]
    for one in blocks:
        assert one.part.column("frame").tolist() == np.repeat(np.arange(len(one.part.clock)), 2).tolist()
    assert [one.hours * 3600 for one in blocks] == pytest.approx([5.9, 5.9, 2.9])
    assert [one.start - AT for one in blocks] == pytest.approx([0.7, 6.7, 12.7])
    assert block_times(tmp_path).keys() == {one.part.name for one in blocks}


def test_a_window_that_began_before_a_block_is_not_in_it(tmp_path: Path) -> None:
    keep = collector(tmp_path)
    for come in arrivals([footage.ground()] * 90):
        keep.add(come, windows_at(come.frame.index - 3, [(20, 60, 40, 100)], come.frame.seconds))
    keep.close()
    for one in read_blocks(tmp_path):
        frames = one.part.column("frame")
        assert frames.min() == 0
        assert frames.max() == len(one.part.clock) - 4


def test_frames_that_are_missing_end_a_block_and_gaps_do_not_count(tmp_path: Path) -> None:
    keep = collector(tmp_path, block=10.0)
    frames = arrivals([footage.ground()] * 60)
    late = [Arrival(c.camera, footage_frame(c, 5.0), c.at + 5, c.clock) for c in frames[40:]]
    for come in [*frames[:20], *frames[21:40], *late]:
        keep.add(come, windows_at(come.frame.index, [(20, 60, 40, 100)], come.frame.seconds))
    keep.close()
    first, second = read_blocks(tmp_path)
    assert [len(first.part.clock), len(second.part.clock)] == [20, 39]
    assert second.part.column("frame").tolist() == list(range(39))
    assert second.hours * 3600 == pytest.approx(1.8 + 1.9), "five seconds of a gap are none that was seen"


def footage_frame(come: Arrival, later: float) -> Any:
    return footage.Frame(come.frame.image, come.frame.index, come.frame.seconds + later)


def test_what_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    keep = collector(tmp_path)
    for number in range(3):
        block(keep, AT + 100 * number, 1000 * number)
    cut, odd, whole = sorted(path for path in tmp_path.iterdir())
    (cut / "box.bin").write_bytes(b"")
    (odd / "entry.json").write_text("{")
    (tmp_path / ".half").mkdir()
    assert [one.part.name for one in read_blocks(tmp_path)] == [whole.name]
    assert read_blocks(tmp_path / "none") == []


def test_the_memory_is_bounded_and_keeps_all_hours_of_the_week(tmp_path: Path) -> None:
    keep = collector(tmp_path, blocks=6)
    hours = [(0, 9), (0, 9), (1, 3), (0, 9), (6, 22), (0, 9), (0, 9), (0, 9), (2, 3), (0, 9)]
    for number, (day, hour) in enumerate(hours):
        block(keep, MONDAY + DAY * day + 3600 * (hour - 9) + 60 * number, 1000 * number)
        assert len(block_times(tmp_path)) <= 6
    kept = [one.start for one in read_blocks(tmp_path)]
    places = [(datetime.fromtimestamp(at, UTC).weekday(), datetime.fromtimestamp(at, UTC).hour) for at in kept]
    assert set(places) == {(0, 9), (1, 3), (6, 22), (2, 3)}
    assert places.count((0, 9)) == 3
    mondays = sorted(at for at, place in zip(kept, places, strict=True) if place == (0, 9))
    assert mondays == pytest.approx([MONDAY + 60 * number for number in (6, 7, 9)]), "the newest of the fullest hour"


def test_hours_are_counted_in_the_cameras_own_zone(tmp_path: Path) -> None:
    keep = collector(tmp_path, "Asia/Tokyo", block=60.0)
    block(keep, MONDAY, frames=101)
    seen = learned(read_blocks(tmp_path), "Asia/Tokyo")
    assert seen.hours[0, 18] * 3600 == pytest.approx(10.0)
    assert seen.hours.sum() == seen.hours[0, 18]
    assert (seen.blocks, seen.windows) == (1, 101)
    assert seen.missing[0] == "nothing of Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"
    assert "17:00, 19:00" in seen.missing[1]


def test_spoiled_stretches_are_left_out(tmp_path: Path) -> None:
    keep = collector(tmp_path, block=10.0)
    block(keep, AT, frames=100)
    (one,) = read_blocks(tmp_path)
    left = one.without([(AT + 2.0, AT + 3.0), (AT + 9.85, AT + 50)])
    assert len(left) == 100 - 11 - 1
    assert not ((left.column("seconds") >= 2.0) & (left.column("seconds") <= 3.0)).any()
    assert one.without([]) is one.part
    assert len(one.without([(0, AT + 100)])) == 0
    assert len(left[0:5]) == 5


def test_a_full_disk_costs_the_block_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = collector(tmp_path, block=60.0)
    frames = arrivals([footage.ground()] * 700)
    for come in frames[:5]:
        keep.add(come, nothing())
    with monkeypatch.context() as patch:
        patch.setattr(EntryWriter, "append", full)
        with pytest.raises(StorageError, match="the disk is full"):
            keep.add(frames[5], nothing())
        assert list(tmp_path.iterdir()) == []
        for come in frames[6:20]:  # it is not tried again at each frame
            keep.add(come, nothing())
    for come in frames[20:]:
        keep.add(come, windows_at(come.frame.index, [(20, 60, 40, 100)], come.frame.seconds))
    keep.close()
    (one,) = read_blocks(tmp_path)
    assert one.start == pytest.approx(AT + 60.5)
    assert one.part.column("frame")[0] == 0


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_all_is_forgotten_when_it_begins_anew(tmp_path: Path) -> None:
    keep = collector(tmp_path)
    block(keep, AT)
    keep.add(arrival(100.0, 100), nothing())
    keep.forget()
    assert block_times(tmp_path) == {}
    block(keep, AT + 200, 2000)
    assert len(block_times(tmp_path)) == 1


def test_thumbnails_are_of_the_right_thing(tmp_path: Path) -> None:
    """Two tracks of two colours; whichever frame is asked for, the picture is of its own track."""
    boxes = [(20, 60, 40, 100), (100, 20, 120, 60)]
    keep = collector(tmp_path, block=60.0)
    for come in arrivals([coloured(boxes)] * 80):
        keep.add(come, windows_at(come.frame.index, boxes, come.frame.seconds))
    keep.close()
    blocks = read_blocks(tmp_path)
    assert len(blocks[0].part.entry.arrays["thumb_rows"]) == 2 * 3, "one of each every three seconds"
    name = blocks[0].part.name
    asked = [Exemplar(name, 44, np.array(box, np.float32)) for box in (*boxes, (99, 21, 119, 60))]
    found = thumbnails(blocks, [*asked, Exemplar(name, 900, np.zeros(4))])
    assert sorted(found) == ["0000.jpg", "0001.jpg", "0002.jpg"]
    colours = [middle(found[f"{number:04d}.jpg"]) for number in range(3)]
    assert colours[0][0] > 200 > colours[0][2]
    assert colours[1][2] > 200 > colours[1][0]
    assert colours[2][2] > 200


def coloured(boxes: Sequence[tuple[int, int, int, int]]) -> Image:
    picture = footage.ground().copy()
    for (x1, y1, x2, y2), colour in zip(boxes, ((250, 10, 10), (10, 10, 250)), strict=True):
        picture[y1:y2, x1:x2] = colour
    return picture


def middle(jpeg: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert picture.shape[0] == 96
    return np.asarray(picture[48, picture.shape[1] // 2], int)


def test_windows_are_those_of_the_pipeline(tmp_path: Path) -> None:
    config = config_of(tmp_path, perception={"boxes": {"source": "motion"}})
    pipeline = Pipeline(config, make_method("attributes", config).needs.live)
    keep = collector(tmp_path / "kept", block=60.0)
    come = arrivals(footage.pictures(0))
    seen = [pipeline.update(one.frame) for one in come]
    for one, windows in zip(come, seen, strict=True):
        keep.add(one, windows)
    keep.close()
    (one_block,) = read_blocks(tmp_path / "kept")
    whole, part = Windows.merge(seen), one_block.part[0 : len(one_block.part)]
    assert len(whole) > 50
    for name in ("frame", "seconds", "box", "track"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name))
    for name, values in whole.data.items():
        np.testing.assert_array_equal(part.data[name], values)
    assert json.loads((tmp_path / "kept" / one_block.part.name / "entry.json").read_text())["meta"]["start"] == AT
