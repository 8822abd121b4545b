"""Clips begin before their events and end after them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

import support_footage as footage
from amiss.live.recorder import Clip, Recorder, write_clip, write_snapshot
from amiss.live.settings import MediaSettings
from amiss.types import Image
from support_live import AT, arrival


def recorder(**settings: Any) -> Recorder:
    return Recorder(MediaSettings.build({"before": 2.0, "after": 1.0, "rate": 10.0} | settings))


def feed(keep: Recorder, first: float, last: float, rate: float = 10.0) -> list[Clip]:
    """Frames from `first` to before `last`, in seconds."""
    seconds = np.arange(round(first * rate), round(last * rate)) / rate
    return [clip for second in seconds for clip in keep.add(arrival(float(second)))]


def times(clip: Clip) -> np.ndarray:
    return np.round(np.array([shot.at for shot in clip.shots]) - AT, 6)


def test_a_clip_begins_before_its_event_and_ends_after_it() -> None:
    keep = recorder()
    assert feed(keep, 0, 10.5) == []
    keep.begin("e", AT + 10.0)  # it was known half a second late
    assert feed(keep, 10.5, 14) == []
    keep.end(AT + 12.0)  # which was known two seconds later
    (clip,) = feed(keep, 14, 15)
    assert clip.event == "e"
    assert times(clip)[0] == pytest.approx(8.0, abs=0.06)
    assert times(clip)[-1] == pytest.approx(13.0, abs=0.06)
    assert feed(keep, 15, 20) == []
    assert keep.finish() == []


@pytest.mark.parametrize(("comes", "kept"), [(10.0, 10.0), (25.0, 10.0), (11.0, 10.0), (4.0, 4.0), (30.0, 7.0)])
def test_at_most_so_many_frames_a_second_are_kept(comes: float, kept: float) -> None:
    keep = recorder(rate=kept)
    keep.add(arrival(0.0))
    keep.begin("e", AT)
    feed(keep, 1 / comes, 10, comes)
    (clip,) = keep.finish()
    assert 0.93 * kept <= len(clip.shots) / 10 <= 1.02 * kept


def test_no_clip_is_longer_than_the_longest() -> None:
    keep = recorder(longest=5.0)
    feed(keep, 0, 10)
    keep.begin("e", AT + 10)
    feed(keep, 10, 60)
    (clip,) = keep.finish()
    assert times(clip)[0] == pytest.approx(8.0)
    assert times(clip)[-1] == pytest.approx(13.0)


def test_what_joins_an_event_goes_on_in_its_clip_while_that_is_not_complete() -> None:
    keep = recorder(after=3.0)
    feed(keep, 0, 5)
    keep.begin("e", AT + 5)
    feed(keep, 5, 6)
    keep.end(AT + 6)
    feed(keep, 6, 7)
    keep.begin("e", AT + 7)
    feed(keep, 7, 8)
    keep.end(AT + 8)
    (clip,) = feed(keep, 8, 12)
    assert times(clip)[[0, -1]] == pytest.approx([3.0, 11.0], abs=0.06)
    keep.begin("e", AT + 12)  # the clip is written: it stays as it is
    feed(keep, 12, 13)
    keep.end(AT + 13)
    assert feed(keep, 13, 20) == []
    keep.begin("f", AT + 20)
    keep.end(AT + 20)
    assert [clip.event for clip in feed(keep, 20, 25)] == ["f"]


def test_two_clips_overlap() -> None:
    keep = recorder(after=3.0)
    feed(keep, 0, 5)
    keep.begin("e", AT + 5)
    keep.end(AT + 5)
    feed(keep, 5, 6)
    keep.begin("f", AT + 6)
    keep.end(AT + 6)
    first, second = feed(keep, 6, 12)
    assert [first.event, second.event] == ["e", "f"]
    assert times(first)[[0, -1]] == pytest.approx([3.0, 8.0], abs=0.06)
    assert times(second)[[0, -1]] == pytest.approx([4.0, 9.0], abs=0.06)


def test_a_clip_is_complete_also_when_no_frame_comes_any_more() -> None:
    keep = recorder()
    feed(keep, 0, 5)
    keep.begin("e", AT + 4)
    keep.end(AT + 4.9)
    assert keep.due(AT + 5) == []
    assert [clip.event for clip in keep.due(AT + 60)] == ["e"]


def test_a_clock_that_was_set_back_ends_nothing_too_late() -> None:
    keep = recorder()
    feed(keep, 0, 5)
    keep.begin("e", AT + 4)
    keep.end(AT + 4.9)
    assert [clip.event for clip in keep.add(arrival(0.0, at=AT - 3600))] == ["e"]
    keep.begin("f", AT - 3600)
    (clip,) = keep.finish()
    assert times(clip).tolist() == [-3600.0]


def test_a_written_clip_has_the_same_pictures_at_the_same_times(tmp_path: Path) -> None:
    keep = recorder(rate=10.0)
    shown = footage.pictures(0, 12, wild=True)
    for number, image in enumerate(shown):
        keep.add(arrival(number / 10 + 0.013 * (number % 3), image=image))
        if number == 0:
            keep.begin("e", AT)
    (clip,) = keep.finish()
    write_clip(tmp_path / "clip.mp4", clip, 10.0)
    with av.open(str(tmp_path / "clip.mp4")) as video:
        frames = list(video.decode(video=0))
    assert len(frames) == len(clip.shots) == len(shown)
    assert [frame.time for frame in frames] == pytest.approx((times(clip) - times(clip)[0]).tolist(), abs=1e-3)
    for frame, image in zip(frames, shown, strict=True):
        assert psnr(frame.to_ndarray(format="rgb24"), image) > 25


def psnr(one: Image, other: Image) -> float:
    return float(10 * np.log10(255**2 / ((one.astype(float) - other) ** 2).mean()))


def test_large_pictures_are_shrunk_and_another_size_on_the_way_is_fitted(tmp_path: Path) -> None:
    keep = recorder(width=100)
    big = cv2.resize(footage.ground(), (321, 241))
    keep.add(arrival(0.0, image=np.asarray(big, np.uint8)))
    keep.begin("e", AT)
    keep.add(arrival(0.2, image=footage.ground()))
    keep.add(arrival(0.4, image=np.asarray(big[:60, :81], np.uint8)))
    (clip,) = keep.finish()
    write_clip(tmp_path / "clip.mp4", clip, 10.0)
    with av.open(str(tmp_path / "clip.mp4")) as video:
        sizes = {(frame.width, frame.height) for frame in video.decode(video=0)}
    assert sizes == {(100, 74)}


def test_what_is_blacked_out_stays_black_in_the_snapshot_and_the_clip(tmp_path: Path) -> None:
    masked = footage.ground().copy()
    masked[:60, :80] = 0
    keep = recorder()
    keep.add(arrival(0.0, image=masked))
    keep.begin("e", AT)
    keep.add(arrival(0.2, image=masked))
    write_clip(tmp_path / "clip.mp4", keep.finish()[0], 10.0)
    write_snapshot(tmp_path / "shot.jpg", masked, 960)
    with av.open(str(tmp_path / "clip.mp4")) as video:
        pictures = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    pictures.append(cv2.imread(str(tmp_path / "shot.jpg")))
    for picture in pictures:
        assert picture[:52, :72].max() < 12
        assert picture[68:, 88:].mean() > 50
