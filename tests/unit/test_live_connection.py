"""One connection to a camera, in this process: files and HTTP servers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import levels, write_video

from amiss.errors import CameraError, ConfigError
from amiss.footage import VideoFile
from amiss.live.feed.backoff import Backoff
from amiss.live.feed.board import Board
from amiss.live.feed.connection import Feed, Source
from amiss.live.feed.ring import Picture
from amiss.live.feed.runs import Runs, Thinning
from support_rtsp import http_server, number_of, numbered, settings_of, write_numbered

SECRET = "gehe1m"  # noqa: S105


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board.create()
    yield board
    board.close()


def play(source: object, board: Board, **changes: object) -> list[Picture]:
    return list(Feed(settings_of(source, **changes), board))


def test_a_file_is_played_at_its_own_pace_with_the_pixels_and_times_of_the_file(tmp_path: Path, board: Board) -> None:
    path = write_numbered(tmp_path / "a: b.mp4", 12)
    start = time.monotonic()
    shown = play(path, board)
    took = time.monotonic() - start
    frames = list(VideoFile(path))
    assert [p.seconds for p in shown] == [frame.seconds for frame in frames]
    assert all((p.image == frame.image).all() for p, frame in zip(shown, frames, strict=True))
    assert [number_of(p.image) for p in shown] == list(range(12))
    assert 1.1 <= took < 1.6
    np.testing.assert_allclose([p.clock - shown[0].clock for p in shown], np.arange(12) / 10, atol=0.06)
    assert len({p.start for p in shown}) == len({p.run for p in shown}) == 1
    assert abs(shown[0].start + took - time.time()) < 0.5
    assert (board.decoded, board.corrupt) == (12, 0)


def test_a_file_address_is_a_path_too(tmp_path: Path, board: Board) -> None:
    path = write_numbered(tmp_path / "a b.mp4", 3)
    assert len(play(path.as_uri(), board)) == 3


def test_pictures_are_upright(tmp_path: Path, board: Board) -> None:
    path = write_video(tmp_path / "a.mp4", levels(3), turn=90)
    np.testing.assert_array_equal(play(path, board)[1].image, list(VideoFile(path))[1].image)


def test_the_rate_leaves_pictures_out_evenly(tmp_path: Path, board: Board) -> None:
    path = write_numbered(tmp_path / "a.mp4", 25, rate=25)
    shown = play(path, board, rate=5.0)
    assert [number_of(p.image) for p in shown] == [0, 5, 10, 15, 20]
    assert board.decoded == 25


@pytest.mark.parametrize(
    ("camera", "rate", "kept"), [(25.0, 10.0, 10.0), (10.0, 10.0, 10.0), (30.0, 12.5, 12.5), (8.0, 10.0, 8.0)]
)
def test_thinning_keeps_at_most_the_rate_though_stamps_waver(camera: float, rate: float, kept: float) -> None:
    generator = np.random.default_rng(0)
    times = np.arange(int(60 * camera)) / camera + generator.uniform(-0.2, 0.2, int(60 * camera)) / max(camera, rate)
    thinning = Thinning(rate)
    left = [float(t) for t in times if thinning.keeps(0, float(t))]
    assert 59.4 * kept <= len(left) <= 60 * kept + 1
    assert np.diff(left).max() <= 2.1 / min(camera, rate)


def test_after_a_pause_the_rate_is_not_exceeded_to_make_up() -> None:
    thinning = Thinning(1.0)
    times = [0.0, 1.0, *(100 + i / 10 for i in range(20))]
    assert [t for t in times if thinning.keeps(0, t)] == [0.0, 1.0, 100.0, 101.0]


def test_a_change_of_size_begins_a_new_run(tmp_path: Path, board: Board) -> None:
    small = write_numbered(tmp_path / "s.ts", 5)
    large = write_numbered(tmp_path / "l.ts", 5, sizes=[(384, 192)])
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    start = time.monotonic()
    shown = play(both, board)
    assert [(p.run, p.image.shape[1]) for p in shown] == [(0, 192)] * 5 + [(1, 384)] * 5
    assert [number_of(p.image) for p in shown] == [*range(5)] * 2
    assert shown[5].seconds == 0.0
    assert shown[5].start > shown[4].start + shown[4].seconds
    assert time.monotonic() - start > 0.7  # the pace goes on


def test_what_cannot_be_decoded_is_left_out_and_counted(tmp_path: Path, board: Board) -> None:
    path = write_numbered(tmp_path / "a.ts", 60, rate=60, g="5")
    data = bytearray(path.read_bytes())
    generator = np.random.default_rng(3)
    for start in generator.integers(len(data) // 4, len(data) - 2000, 12):
        data[start : start + 60] = generator.integers(0, 255, 60, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    shown = play(path, board)
    assert board.corrupt > 0
    assert 20 < len(shown) < 60
    assert shown[-1].seconds > 0.8
    assert (np.diff([p.seconds for p in shown]) > 0).all()


def test_noise_in_place_of_a_video_is_an_error_that_says_so(tmp_path: Path, board: Board) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(50_000))
    with pytest.raises(CameraError, match=r"a\.mp4 cannot be opened: Invalid data"):
        play(path, board)
    with pytest.raises(CameraError, match=r"none\.mp4 cannot be opened: No such file"):
        play(tmp_path / "none.mp4", board)


def test_sound_alone_is_no_camera(tmp_path: Path, board: Board) -> None:
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        silence.sample_rate = 8000
        out.mux(stream.encode(silence))
    with pytest.raises(CameraError, match="has no pictures that can be decoded"):
        play(path, board)


@pytest.mark.parametrize("source", ["ftp://host/a", "rtmp://host/a", "srt://u:gehe1m@host/a", "http://u:gehe1m@[::1/a"])
def test_other_kinds_of_address_are_refused_without_their_password(source: str) -> None:
    with pytest.raises(ConfigError, match="is no source of pictures") as caught:
        Source.of(settings_of(source))
    assert SECRET not in str(caught.value)


def jpegs(handler: BaseHTTPRequestHandler, count: int, pause: float = 0.05) -> None:
    """Pictures as network cameras send them over HTTP, each a JPEG."""
    handler.send_response(200)
    handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
    handler.end_headers()
    for number in range(count):
        data = cv2.imencode(".jpg", numbered(number))[1].tobytes()
        handler.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data))
        handler.wfile.write(data + b"\r\n")
        time.sleep(pause)


def collect(feed: Feed) -> tuple[list[Picture], str]:
    """The pictures of a feed, and how it ended."""
    shown = []
    try:
        for picture in feed:
            shown.append(picture)  # noqa: PERF402
    except CameraError as error:
        return shown, str(error)
    return shown, ""


def test_jpegs_over_http_come_as_they_are_sent_and_the_end_is_an_error(board: Board) -> None:
    with http_server(lambda handler: jpegs(handler, 30)) as address:
        shown, error = collect(Feed(settings_of(f"{address}/?token={SECRET}"), board))
    assert [number_of(p.image) for p in shown] == list(range(30))
    assert error.startswith(address)
    assert "/?*** was lost: " in error or "/?*** ended the stream" in error


def test_a_video_that_a_server_has_whole_is_played_at_its_own_pace(tmp_path: Path, board: Board) -> None:
    path = write_numbered(tmp_path / "a.mp4", 12)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        data = path.read_bytes()
        handler.send_response(200)
        handler.send_header("Content-Type", "video/mp4")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    with http_server(answer) as address:
        start = time.monotonic()
        shown, _ = collect(Feed(settings_of(f"{address}/a.mp4"), board))
    assert len(shown) == 12
    assert time.monotonic() - start > 1.0


def test_a_stream_that_falls_silent_is_lost_after_that_time(board: Board) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        jpegs(handler, 25)
        time.sleep(4)

    with http_server(answer) as address:
        shown, error = collect(Feed(settings_of(address, silence=0.7), board))
        silent = time.monotonic() - shown[-1].clock
    assert len(shown) >= 24
    assert "was lost: it did not answer in time" in error
    assert 0.6 < silent < 1.5


def test_refusals_say_what_the_server_said_and_no_password(board: Board) -> None:
    with http_server(lambda handler: handler.send_error(401)) as address:
        _, error = collect(Feed(settings_of(address.replace("//", f"//user:{SECRET}@")), board))
    assert "401 Unauthorized" in error
    assert SECRET not in error
    assert "user" not in error


@contextmanager
def mute() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            try:
                while True:
                    held.append(server.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in held:
        connection.close()


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_camera_that_never_answers_is_given_up_in_time(scheme: str, board: Board) -> None:
    with mute() as port:
        start = time.monotonic()
        shown, error = collect(Feed(settings_of(f"{scheme}://127.0.0.1:{port}/a", connect=0.6, silence=0.5), board))
        took = time.monotonic() - start
    assert shown == []
    assert "it did not answer in time" in error
    assert 0.5 < took < 1.5


def test_the_feed_promises_signs_of_life_for_as_long_as_it_may_wait(board: Board) -> None:
    with mute() as port:
        feed = threading.Thread(
            target=collect, args=(Feed(settings_of(f"rtsp://127.0.0.1:{port}/a", connect=1.0), board),)
        )
        feed.start()
        time.sleep(0.3)
        assert board.late < -1.0
        feed.join()


def test_the_wait_before_an_attempt_doubles_and_stays_short_while_it_was_away_shortly() -> None:
    now = [0.0]
    backoff = Backoff(30.0, lambda: now[0])
    waits = []
    for _ in range(40):
        waits.append(backoff.next())
        now[0] += waits[-1]
    assert waits[:4] == [0.5, 1.0, 2.0, 2.0]
    assert max(wait for wait, at in zip(waits, np.cumsum(waits), strict=True) if at < 60) == 2.0
    assert waits[-1] == 30.0
    backoff.reset()
    assert backoff.next() == 0.5
    assert Backoff(0.1).next() == 0.1


def test_a_clock_of_the_camera_that_jumps_begins_a_new_run_and_small_jumps_do_not() -> None:
    runs = Runs(5)
    runs.begin(10.0, paced=False)
    moments = [runs.next(stamp, (64, 48)) for stamp in (100.0, 100.1, 105.0, 5000.0, 5000.1, 5000.05)]
    assert [moment.run for moment in moments] == [5, 5, 5, 6, 6, 6]
    np.testing.assert_allclose([moment.seconds for moment in moments], [0, 0.1, 5.0, 0, 0.1, 0.125])
    assert moments[2].start == moments[0].start
    assert abs(moments[3].start - time.time()) < 1.0
    assert runs.next_number == 7


def test_a_jump_of_the_systems_clock_within_a_run_changes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs()
    runs.begin(10.0, paced=False)
    first = runs.next(0.0, (64, 48))
    monkeypatch.setattr(time, "time", lambda: 0.0)
    second = runs.next(0.1, (64, 48))
    assert second.start == first.start
    runs.begin(10.0, paced=False)
    assert abs(runs.next(0.2, (64, 48)).start) < 1.0
