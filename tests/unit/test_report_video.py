"""The annotated video: as many frames as the footage, at its times, with boxes and curve where they belong."""

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from report_making import SUMMARY, Moving, clip, empty_scores

from amiss.errors import FootageError, StorageError
from amiss.report import ClipReport, write_video
from amiss.report.draw import AMBER, GREY, RED, heat
from amiss.report.strip import STRIP_HEIGHT


def decoded(path):
    """Pictures `(T, H, W, 3)` RGB and times of a video."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return np.stack([f.to_ndarray(format="rgb24") for f in frames]).astype(int), [float(f.time) for f in frames]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "annotated.mp4"
    write_video(path, [clip()], SUMMARY)
    return path


def near(pixels, colour, tolerance=60):
    return np.abs(pixels - np.array(colour)).max(axis=-1) < tolerance


def test_format(plain):
    with av.open(str(plain)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (480, 320 + STRIP_HEIGHT)  # 96 x 64, five times as large
    data = plain.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_frames_and_times(plain):
    pictures, times = decoded(plain)
    assert len(pictures) == 20
    assert times == pytest.approx(np.arange(20) / 10, abs=1e-4)


def test_real_time_stamps_are_kept(tmp_path):
    stamps = [0.0, 0.04, 0.2, 0.21, 1.7, 3.0]
    footage = Moving(count=6, times=stamps)
    path = tmp_path / "a.mp4"
    offsets = write_video(path, [clip(footage=footage, high=(), events=()), clip(events=())], SUMMARY)
    _, times = decoded(path)
    assert times[:6] == pytest.approx(stamps, abs=1e-4)
    assert offsets == (0.0, pytest.approx(3.1))
    assert times[6] == pytest.approx(3.1, abs=1e-4)


def test_boxes_are_coloured_by_score(plain):
    pictures, _ = decoded(plain)
    for index, colour in ((8, RED), (2, GREY)):
        left = (10 + 2 * index) * 5
        edge = pictures[index, 110:150, left - 3 : left + 4]
        assert near(edge, colour).any(axis=1).mean() > 0.8, index
    still = pictures[8, 210:290, 345:356]
    assert near(still, GREY, 75).any(axis=1).mean() > 0.8
    assert not near(still, RED).any()


def test_what_is_amiss_is_outlined_in_high_boxes_only(tmp_path):
    plain = clip(events=())
    maps = np.zeros((len(plain.regions), 8, 8), np.float16)
    maps[:, 4:, :] = 1
    mapped = replace(plain, regions=replace(plain.regions, maps={"motion": maps}))
    pictures = []
    for name, one in (("plain", plain), ("mapped", mapped)):
        write_video(tmp_path / f"{name}.mp4", [one], SUMMARY)
        pictures.append(decoded(tmp_path / f"{name}.mp4")[0])
    changed = np.abs(pictures[0] - pictures[1]).max(axis=-1) > 20
    left = (10 + 2 * 8) * 5
    upper, lower = changed[8, 105:125, left + 8 : left + 52], changed[8, 135:155, left + 8 : left + 52]
    assert lower.mean() > 0.8
    assert upper.mean() < 0.05
    assert not changed[2].any(), "no box is high"
    assert not changed[8, 190:310].any(), "the still box is not"


def test_heat_goes_from_grey_over_amber_to_red():
    assert [heat(v, 2.0, 3.0) for v in (0.0, 1.99, 2.0, 3.0, 9.0)] == [GREY, GREY, AMBER, RED, RED]
    assert heat(2.5, 2.0, 3.0)[1] == round((AMBER[1] + RED[1]) / 2)
    assert heat(3.0, 3.0, 3.0) == RED


def test_the_cursor_moves_and_the_event_is_shaded(plain):
    pictures, _ = decoded(plain)
    strip = pictures[:, -STRIP_HEIGHT:]
    bright = near(strip[:, 24:28], (236, 238, 240), 70).all(axis=1)
    cursor = [int(np.flatnonzero(row).mean()) for row in bright]
    assert cursor == pytest.approx(10 + 460 * np.arange(20) / 19, abs=2)
    row = strip[0, 30]
    inside, outside = row[round(10 + 460 * 8 / 19)], row[400]
    assert inside[0] > outside[0] + 25


def test_a_clip_of_another_size_is_fitted_with_bars(tmp_path):
    path = tmp_path / "a.mp4"
    wide = Moving(count=3, size=(200, 50))
    write_video(path, [clip(events=()), clip("wide", high=(), events=(), footage=wide)], SUMMARY)
    pictures, _ = decoded(path)
    assert pictures.shape == (23, 320 + STRIP_HEIGHT, 480, 3)
    last = pictures[-1]
    assert last[60:95].mean() < 5  # the bar between the name and the picture, 120 pixels high in the middle
    assert last[110:210, 300:].mean() == pytest.approx(30, abs=6)
    assert last[230:315].mean() < 5


@pytest.mark.parametrize(
    ("size", "shown"), [((101, 75), (506, 376)), ((481, 321), (480, 320)), ((1920, 1080), (1280, 720))]
)
def test_sizes_are_even_readable_and_not_huge(tmp_path, size, shown):
    path = tmp_path / "a.mp4"
    write_video(path, [clip(footage=Moving(count=2, size=size), high=(), events=())], SUMMARY)
    pictures, _ = decoded(path)
    width, height = pictures.shape[2], pictures.shape[1] - STRIP_HEIGHT
    assert (width, height) == pytest.approx(shown, abs=2)
    assert width % 2 == height % 2 == 0


def test_a_clip_without_scores_or_regions(tmp_path):
    frames, table = empty_scores()
    path = tmp_path / "a.mp4"
    ticks = []
    write_video(path, [ClipReport("dark <b>", frames, table, (), Moving())], SUMMARY, ticks.append)
    pictures, _ = decoded(path)
    assert len(pictures) == sum(ticks) == 20
    assert not near(pictures[:, :320, 60:], GREY, 40).any()


def test_a_failure_midway_leaves_nothing(tmp_path):
    with pytest.raises(FootageError, match="picture 5"):
        write_video(tmp_path / "a.mp4", [clip(), clip(footage=Moving(fails_at=7))], SUMMARY)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_midway_leaves_nothing(tmp_path):
    def interrupt(_count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(tmp_path / "a.mp4", [clip()], SUMMARY, interrupt)
    assert list(tmp_path.iterdir()) == []


def test_the_final_name_appears_only_at_the_end(tmp_path):
    path = tmp_path / "a.mp4"
    seen = []
    write_video(path, [clip()], SUMMARY, lambda _: seen.append(path.exists()))
    assert seen == [False] * 20
    assert path.exists()


@pytest.mark.parametrize("clips", [[], [replace(clip(), footage=Moving(count=0))]])
def test_no_frame_at_all_is_said(tmp_path, clips):
    with pytest.raises(FootageError, match="no frame to write"):
        write_video(tmp_path / "a.mp4", clips, SUMMARY)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write .*a\.mp4"):
        write_video(tmp_path / "file" / "a.mp4", [clip()], SUMMARY)


def test_an_odd_rate_is_kept(tmp_path):
    footage = Moving(count=4, times=[index * 1001 / 30000 for index in range(4)])
    footage.rate = 30000 / 1001
    path = tmp_path / "a.mp4"
    write_video(path, [clip(footage=footage, high=(), events=())], SUMMARY)
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == Fraction(30000, 1001)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    path = tmp_path / "a.mp4"
    (tmp_path / f".a.mp4.{os.getpid()}.partial").symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"the disk is full at .*a\.mp4; free some space"):
        write_video(path, [clip()], SUMMARY)
    assert list(tmp_path.iterdir()) == []
