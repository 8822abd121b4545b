from __future__ import annotations

import gc
import re
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from clips import HEIGHT, WIDTH, cut, levels, write_video

from amiss.errors import FootageError
from amiss.footage import VideoFile
from amiss.footage.file import TimeLine, upright

NOISE = list(np.random.default_rng(0).integers(0, 255, (50, HEIGHT, WIDTH, 3), np.uint8))


def test_h264_gives_rgb_frames_at_the_times_of_the_file(tmp_path: Path) -> None:
    video = VideoFile(write_video(tmp_path / "a walk.mp4", levels(30)))
    frames = list(video)
    assert (video.name, video.length, video.rate) == ("a_walk", 30, 10.0)
    assert [frame.index for frame in frames] == list(range(30))
    np.testing.assert_allclose([frame.seconds for frame in frames], np.arange(30) / 10, atol=1e-9)
    np.testing.assert_allclose(frames[20].image[4, 4], (220, 30, 30), atol=12)
    np.testing.assert_allclose(frames[20].image[40, 40], 120, atol=4)


def test_every_iteration_starts_anew(tmp_path: Path) -> None:
    video = VideoFile(write_video(tmp_path / "a.avi", levels(12), codec="mpeg4"))
    first = next(iter(video))
    assert first.index == 0
    assert [frame.index for frame in video] == list(range(12))
    assert [frame.index for frame in video] == list(range(12))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_rate_and_late_start_keep_the_real_distances(tmp_path: Path, suffix: str) -> None:
    times = [500 + t for t in [*range(0, 400, 40), *range(400, 3400, 300), 9000]]
    video = VideoFile(write_video(tmp_path / f"a.{suffix}", levels(len(times)), milliseconds=times))
    seconds = [frame.seconds for frame in video]
    np.testing.assert_allclose(seconds, (np.array(times) - 500) / 1000, atol=2e-3)


def test_a_container_without_a_frame_count_says_so(tmp_path: Path) -> None:
    video = VideoFile(write_video(tmp_path / "a.ts", levels(20)))
    assert video.length is None
    assert len(list(video)) == 20


def test_decoded_pictures_do_not_pile_up(tmp_path: Path) -> None:
    video = VideoFile(write_video(tmp_path / "a.mp4", levels(60), turn=90))
    gc.collect()
    gc.disable()
    try:
        for _ in video:
            pass
        left = sum(issubclass(type(thing), av.VideoFrame) for thing in gc.get_objects())
    finally:
        gc.enable()
    assert left < 3


def test_the_rotation_flag_is_obeyed(tmp_path: Path) -> None:
    plain = next(iter(VideoFile(write_video(tmp_path / "a.mp4", levels(3)))))
    turned = next(iter(VideoFile(write_video(tmp_path / "b.mp4", levels(3), turn=90))))
    assert turned.size == (HEIGHT, WIDTH)
    # The flag counts counterclockwise, so the patch goes from the top left to the bottom left corner.
    np.testing.assert_array_equal(turned.image, np.rot90(plain.image))


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), [[1, 2, 3], [4, 5, 6]]),
        ((0, 1, -1, 0), [[4, 1], [5, 2], [6, 3]]),
        ((-1, 0, 0, -1), [[6, 5, 4], [3, 2, 1]]),
        ((0, -1, 1, 0), [[3, 6], [2, 5], [1, 4]]),
        ((-1, 0, 0, 1), [[3, 2, 1], [6, 5, 4]]),
        ((1, 0, 0, -1), [[4, 5, 6], [1, 2, 3]]),
        ((0, 1, 1, 0), [[1, 4], [2, 5], [3, 6]]),
    ],
)
def test_upright_handles_turns_and_mirrors(matrix: tuple[int, ...], shown: list[list[int]]) -> None:
    image = np.repeat(np.array([[1, 2, 3], [4, 5, 6]], np.uint8)[..., None], 3, axis=2)
    a, b, c, d = matrix
    full = np.array([a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30], np.int64)
    np.testing.assert_array_equal(upright(image, full)[..., 0], shown)


@pytest.mark.parametrize(
    ("pix_fmt", "source", "picture", "level"),
    [
        ("gray", "gray", np.full((HEIGHT, WIDTH), 100, np.uint8), 100),
        ("gray16le", "gray16le", np.full((HEIGHT, WIDTH), 100 * 256 + 30, np.uint16), 100),
        ("gray10le", "gray10le", np.full((HEIGHT, WIDTH), 400, np.uint16), 100),
        ("gbrp16le", "rgb24", np.full((HEIGHT, WIDTH, 3), 100, np.uint8), 100),
        ("yuv420p10le", "rgb24", np.full((HEIGHT, WIDTH, 3), 100, np.uint8), 100),
        ("bgra", "rgba", np.full((HEIGHT, WIDTH, 4), 100, np.uint8), 100),
    ],
)
def test_grey_and_deep_formats_are_scaled_to_8_bits(
    tmp_path: Path, pix_fmt: str, source: str, picture: np.ndarray, level: int
) -> None:
    path = write_video(tmp_path / "a.mkv", [picture] * 3, codec="ffv1", pix_fmt=pix_fmt, source=source)
    image = next(iter(VideoFile(path))).image
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8
    np.testing.assert_allclose(image, level, atol=2)


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("a.mp4", "libx264", {"movflags": "faststart"}),
        ("a.avi", "mpeg4", {}),
        ("a.mkv", "libx264", {}),
    ],
)
def test_a_cut_off_file_says_up_to_where_it_is_readable(
    tmp_path: Path, name: str, codec: str, container: dict[str, str]
) -> None:
    whole = write_video(tmp_path / name, NOISE, codec=codec, options={"g": "10"}, container=container)
    assert len(list(VideoFile(whole))) == 50
    seen: list[int] = []
    with pytest.raises(FootageError, match=rf"cut_{name} is ") as caught:
        seen.extend(frame.index for frame in VideoFile(cut(whole, 0.6)))
    assert 15 < len(seen) < 40
    assert re.search(rf"frame {seen[-1]} \(\d|first {len(seen)} frames \(\d", str(caught.value))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "mov", "flv"])
def test_a_longer_sound_track_makes_no_video_look_cut_off(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a.{suffix}", levels(20), sound=6.0)
    assert len(list(VideoFile(path))) == 20


def test_a_cut_off_file_with_sound_is_still_seen(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", NOISE, options={"g": "10"}, sound=9.0)
    with pytest.raises(FootageError, match=r"header announces 5\.00 s"):
        list(VideoFile(cut(path, 0.5)))


def test_a_fragmented_file_is_read_whole_and_announces_no_length(tmp_path: Path) -> None:
    container = {"movflags": "frag_keyframe"}
    video = VideoFile(write_video(tmp_path / "a.mp4", levels(40), options={"g": "10"}, container=container))
    assert video.length is None
    assert len(list(video)) == 40


def test_a_stream_that_begins_between_key_frames_is_read(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.ts", NOISE, options={"g": "20"})
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 5 // 188 * 188 :])
    frames = list(VideoFile(path))
    assert 25 < len(frames) < 45
    assert frames[0].seconds == 0.0


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as out:
        sound = out.add_stream("aac", rate=8000, layout="mono")
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        out.mux(cover.encode(av.VideoFrame.from_ndarray(levels(1)[0], format="rgb24")))
        out.mux(cover.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        out.mux(sound.encode(silence))
        out.mux(sound.encode())
    with pytest.raises(FootageError, match=r"song\.m4a has no video stream"):
        list(VideoFile(path))


def test_a_cut_off_transport_stream_gives_what_is_there(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.ts", NOISE, options={"g": "10"})
    assert 15 < len(list(VideoFile(cut(whole, 0.6)))) < 45


def test_an_mp4_without_its_index_is_named(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.mp4", NOISE)
    with pytest.raises(FootageError, match=r"cut_a\.mp4 is not a video, or is cut off"):
        list(VideoFile(cut(whole, 0.9)))


def test_damage_in_the_middle_names_the_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", NOISE, options={"g": "10"}, container={"movflags": "faststart"})
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[half : half + 20000] = bytes(20000)
    path.write_bytes(data)
    with pytest.raises(FootageError, match=r"a\.mp4 is damaged: only its first \d+ frames \(\d"):
        list(VideoFile(path))


def test_a_changing_size_names_both_sizes_and_the_frame(tmp_path: Path) -> None:
    small = write_video(tmp_path / "a.mjpeg", levels(4), codec="mjpeg", pix_fmt="yuvj420p")
    large = write_video(tmp_path / "b.mjpeg", [np.zeros((96, 80, 3), np.uint8)], codec="mjpeg", pix_fmt="yuvj420p")
    both = tmp_path / "both.mjpeg"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    with pytest.raises(FootageError, match=r"both\.mjpeg .* 64x48 to 80x96 at frame 4"):
        list(VideoFile(both))


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(1).bytes(5000))
    (tmp_path / "text.txt").write_text("hello\n" * 100)
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))
    with pytest.raises(FootageError, match=r"gone\.mp4 does not exist"):
        VideoFile(tmp_path / "gone.mp4")
    with pytest.raises(FootageError, match=r"empty\.mp4 is an empty file"):
        VideoFile(tmp_path / "empty.mp4")
    with pytest.raises(FootageError, match="is a folder"):
        VideoFile(tmp_path)
    with pytest.raises(FootageError, match=r"noise\.mp4 is not a video"):
        _ = VideoFile(tmp_path / "noise.mp4").rate
    with pytest.raises(FootageError, match=r"text\.txt is not a video"):
        list(VideoFile(tmp_path / "text.txt"))
    with pytest.raises(FootageError, match=r"sound\.wav has no video stream"):
        list(VideoFile(tmp_path / "sound.wav"))


def test_the_fingerprint_is_of_the_bytes(tmp_path: Path) -> None:
    one = write_video(tmp_path / "a.mp4", levels(3))
    (tmp_path / "other name.mp4").write_bytes(one.read_bytes())
    two = write_video(tmp_path / "b.mp4", levels(4))
    assert VideoFile(one).fingerprint() == VideoFile(tmp_path / "other name.mp4").fingerprint()
    assert VideoFile(one).fingerprint() != VideoFile(two).fingerprint()


@pytest.mark.parametrize(
    ("stamps", "seconds"),
    [
        ([7.0, 7.1, 7.3], [0.0, 0.1, 0.3]),
        ([None, None, None], [0.0, 0.1, 0.2]),
        ([0.0, None, 0.25], [0.0, 0.1, 0.25]),
        ([0.0, 0.0, 0.1, 0.1, 0.2], [0.0, 0.025, 0.1, 0.125, 0.2]),
        ([0.0, 0.2, 0.1, 0.3], [0.0, 0.2, 0.225, 0.3]),
        ([0.0, 50.0, 50.1], [0.0, 50.0, 50.1]),
        ([90.0, 90.1, 0.0, 0.1, 0.2], [0.0, 0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_time_always_increases(stamps: list[float | None], seconds: list[float]) -> None:
    line = TimeLine(10.0)
    np.testing.assert_allclose([line.next(stamp) for stamp in stamps], seconds, atol=1e-9)


def test_the_plaza_sample(shared_data: Path) -> None:
    path = shared_data / "sample" / "vtest.avi"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    video = VideoFile(path)
    count = 0
    for count, frame in enumerate(video, start=1):
        assert frame.size == (768, 576)
        assert frame.seconds == pytest.approx((count - 1) / 10)
    assert (count, video.length, video.rate) == (795, 795, 10.0)
