"""A part of a video that is read on its own holds the frames, numbers and times that it has in the whole."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import support_footage as support
from amiss.errors import FootageError
from amiss.footage import Footage, FrameFolder, VideoFile
from amiss.footage.cuts import lay_out
from amiss.footage.span import Cut, Span
from amiss.types import Frame

KINDS = {
    "mp4 with frames that look ahead": ("a.mp4", "libx264", {"g": "12", "bf": "2"}),
    "mp4 with open groups": ("b.mp4", "libx264", {"g": "12", "bf": "3", "x264-params": "open-gop=1:scenecut=0"}),
    "matroska": ("c.mkv", "libx264", {"g": "15", "bf": "2"}),
    "transport stream": ("d.ts", "libx264", {"g": "15", "bf": "1"}),
    "avi": ("e.avi", "mpeg4", {"g": "10"}),
    "every frame a key frame": ("f.mp4", "libx264", {"g": "1"}),
}


def told(frames: Footage) -> list[tuple[int, float, bytes]]:
    return [of(frame) for frame in frames]


def of(frame: Frame) -> tuple[int, float, bytes]:
    return frame.index, frame.seconds, frame.image.tobytes()


@pytest.fixture(scope="module", params=list(KINDS))
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VideoFile:
    name, codec, options = KINDS[request.param]
    path = tmp_path_factory.mktemp("cuts") / name
    return VideoFile(support.encoded(path, support.pictures(3, 70), codec, **options))


def test_every_part_is_what_it_is_in_the_whole(video: VideoFile) -> None:
    layout, whole = lay_out(video), told(video)
    assert layout.frames == len(whole) == 70
    assert layout.seconds == pytest.approx(whole[-1][1])
    assert layout.fingerprint == video.fingerprint()
    assert layout.cuts[0] == Cut(0, 0.0, layout.cuts[0].stamp)
    assert len(layout.cuts) >= 5
    for number, cut in enumerate(layout.cuts):
        stop = min(cut.frame + 20, 70)
        span = layout.span(video, number, stop)
        assert told(span) == whole[cut.frame : stop], f"from frame {cut.frame}"
        assert span.length == stop - cut.frame
        assert cut.seconds == whole[cut.frame][1]


def test_parts_have_fingerprints_of_their_own(video: VideoFile) -> None:
    layout = lay_out(video)
    spans = [layout.span(video, 0, 20), layout.span(video, 0, 21), layout.span(video, 1, 21)]
    assert len({span.fingerprint() for span in spans}) == 3


def test_a_folder_can_be_cut_anywhere(tmp_path: Path) -> None:
    folder = FrameFolder(support.as_folder(tmp_path / "frames", 1, 12), 10)
    layout, whole = lay_out(folder), told(folder)
    assert (layout.frames, layout.seconds) == (12, 1.1)
    assert told(Span(folder, Cut(5, 0.5), 9, 0.0, "")) == whole[5:9]


def test_a_video_without_time_stamps_is_not_cut(tmp_path: Path) -> None:
    video = VideoFile(support.encoded(tmp_path / "raw.h264", support.pictures(3, 20), g="5", bf="2"))
    layout = lay_out(video)
    assert layout.cuts == ()
    assert layout.fingerprint == video.fingerprint()
    with pytest.raises(IndexError):
        layout.span(video, 0, 5)


def test_a_file_that_is_cut_off_is_told_before_it_is_decoded(tmp_path: Path) -> None:
    whole = support.encoded(tmp_path / "whole.mkv", support.pictures(3, 60), g="10")
    (tmp_path / "half.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(FootageError, match="cut off or damaged"):
        lay_out(VideoFile(tmp_path / "half.mkv"))


def test_a_promise_that_is_not_kept_is_told(tmp_path: Path) -> None:
    video = VideoFile(support.encoded(tmp_path / "a.mp4", support.pictures(3, 40), g="10", bf="0"))
    layout = lay_out(video)
    with pytest.raises(FootageError, match="from its frame 30 to 59"):
        list(layout.span(video, 3, 60))
    wrong = Cut(10, 1.0, layout.cuts[1].stamp + 1)
    with pytest.raises(FootageError, match="its time stamps promise"):
        list(Span(video, wrong, 20, 0.0, ""))


def test_cuts_are_where_key_frames_are(tmp_path: Path) -> None:
    video = VideoFile(support.encoded(tmp_path / "a.mp4", support.pictures(3, 40), g="10", bf="0", sc_threshold="0"))
    frames = [cut.frame for cut in lay_out(video).cuts]
    assert frames == [0, 10, 20, 30]
    assert all(np.isclose(later.seconds - cut.seconds, 1.0) for cut, later in pairwise(lay_out(video).cuts))
