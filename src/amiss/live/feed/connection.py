"""One connection to a camera: opened, read and decoded, with time-outs for all of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from amiss.errors import CameraError, ConfigError
from amiss.footage.file import Turn, has_decoder, nominal_rate, stamp_of, video_stream
from amiss.live.address import Address
from amiss.live.feed.board import Board
from amiss.live.feed.ring import Picture
from amiss.live.feed.runs import Runs, Thinning
from amiss.live.settings import CameraSettings

__all__ = ["GRACE", "Feed", "Source"]

GRACE = 5.0
"""Seconds beyond its time-outs after which a process that decodes counts as hanging."""

_STREAMED = {"rtsp", "rtsps", "http", "https"}
_RTSP_PROTOCOLS = "rtsp,rtsps,rtp,rtcp,srtp,udp,tcp,tls,crypto"
_HTTP_PROTOCOLS = "http,https,httpproxy,tcp,tls,crypto"
# To find out what a stream is, nothing is read of RTSP, whose answers say so, and a second of others. What is read for
# this is decoded late.
_LOOK_BRIEFLY = {"probesize": "32", "fpsprobesize": "0"}
_LOOK = {"analyzeduration": "1000000", "fpsprobesize": "0"}
_MOST_FAILURES = 100
_SILENT = "it did not answer in time; check that it is on and can be reached"
_FAILURES = (av.error.FFmpegError, OSError, ValueError, MemoryError)


@dataclass(frozen=True)
class Source:
    """Where a camera's pictures come from.

    Attributes:
        address: As it was given; its text hides the password.
        file: Path of a file that is played as if live, or None.
    """

    address: Address
    file: str | None

    @classmethod
    def of(cls, settings: CameraSettings) -> Source:
        """The source of a camera.

        Raises:
            ConfigError: An address of a kind that is not known.
        """
        address = Address.parse(settings.source.get_secret_value())
        if address.scheme in _STREAMED:
            return cls(address, None)
        if address.scheme in ("", "file") and "***" not in str(address):
            return cls(address, unquote(address.parts.path) if address.scheme else address.full)
        raise ConfigError(
            f"{address} is no source of pictures; give an address that begins with rtsp://, rtsps://, http:// or "
            "https://, or the path of a video file"
        )

    @property
    def place(self) -> str:
        """What the library opens; it holds the password."""
        # The scheme keeps colons in names of files from being read as one.
        return self.address.full if self.file is None else f"file:{self.file}"

    def options(self, settings: CameraSettings) -> dict[str, str]:
        """What the library is told about it."""
        wait = str(round(1e6 * max(settings.connect, settings.silence)))
        if self.file is not None:
            return {"protocol_whitelist": "file"}
        if self.address.scheme.startswith("rtsp"):
            return {
                "rtsp_transport": settings.transport,
                "allowed_media_types": "video",
                "timeout": wait,
                "protocol_whitelist": _RTSP_PROTOCOLS,
                **_LOOK_BRIEFLY,
            }
        return {"rw_timeout": wait, "protocol_whitelist": _HTTP_PROTOCOLS, **_LOOK}


class Feed:
    """The pictures of one connection, as they come.

    A file, also one that a server has whole, is played by its time stamps. What cannot be decoded, or only with damage,
    is left out and counted. A picture of another size begins a new run, see `Picture`.

    Args:
        settings: Of the camera.
        board: Where pictures are counted and signs of life are promised.
        first: Number of the first run.

    Raises:
        ConfigError: An address of a kind that is not known.
    """

    def __init__(self, settings: CameraSettings, board: Board, first: int = 0) -> None:
        self._settings, self._board = settings, board
        self._source = Source.of(settings)
        self._runs = Runs(first)
        self._thinning = Thinning(settings.rate)
        self._heard = 0.0
        self._seen = False

    @property
    def next_run(self) -> int:
        """Number that no picture had so far."""
        return self._runs.next_number

    def __iter__(self) -> Iterator[Picture]:
        """The pictures; they end without an error only where a file does.

        Raises:
            CameraError: It cannot be opened, fell silent, or the other side ended the stream.
        """
        turn = Turn()
        with self._open() as (container, stream):
            paced = self._source.file is not None or self._is_whole(container)
            self._runs.begin(nominal_rate(stream), paced=paced)
            self._heard = time.monotonic()
            for packet in self._packets(container, stream):
                for frame in self._decode(packet, stream):
                    yield from self._picture(frame, turn, paced=paced)
        if not self._seen:
            raise CameraError(f"{self._source.address} holds no picture that can be decoded; give another file")
        if self._source.file is None:
            raise CameraError(f"{self._source.address} ended the stream; it is connected anew")

    def _is_whole(self, container: InputContainer) -> bool:
        """Whether a server has a whole video, which it sends as fast as it is taken."""
        return self._source.address.scheme.startswith("http") and bool(container.duration and container.duration > 0)

    def _picture(self, frame: VideoFrame, turn: Turn, *, paced: bool) -> Iterator[Picture]:
        """The picture of a decoded frame, when it is due; none where the rate leaves it out."""
        moment = self._runs.next(stamp_of(frame), (frame.width, frame.height, frame.rotation))
        if paced:
            self._sleep(moment.due)
            moment = moment.at(time.monotonic())
        self._heard, self._seen = time.monotonic(), True
        self._board.count_decoded()
        if self._thinning.keeps(moment.run, moment.seconds):
            yield Picture(turn(frame), moment.run, moment.seconds, moment.start, moment.clock)

    def _sleep(self, until: float) -> None:
        wait = until - time.monotonic()
        if wait > 0:
            self._board.promise(wait + GRACE)
            time.sleep(wait)

    @contextmanager
    def _open(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        """The opened container and its stream of pictures."""
        settings = self._settings
        self._board.promise(2 * settings.connect + GRACE)  # to open it, and to see what it holds
        start = time.monotonic()
        try:
            container = av.open(
                self._source.place,
                options=self._source.options(settings),
                timeout=(settings.connect, settings.silence),
            )
        except _FAILURES as error:
            late = time.monotonic() - start >= settings.connect  # which some protocols report as something else
            raise CameraError(
                f"{self._source.address} cannot be opened: {_SILENT if late else _reason(error)}"
            ) from None
        try:
            stream = video_stream(container)
            if stream is None or not has_decoder(stream):
                raise CameraError(f"{self._source.address} has no pictures that can be decoded; give another address")
            # Threads that decode a frame each would hold back as many frames; those that decode a slice each do not see
            # that a part of a picture is missing.
            stream.thread_type, stream.codec_context.thread_count = "NONE", 1
            yield container, stream
        finally:
            self._board.promise(GRACE)
            container.close()

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator[Packet[Any]]:
        """Packets of pictures; others pass too, so that sound alone does not keep a connection alive."""
        packets, failures = container.demux(), 0
        while True:
            self._board.promise(self._settings.silence + GRACE)
            start = time.monotonic()
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.InvalidDataError:
                failures += 1
                self._board.count_corrupt()
                packets = container.demux()
                packet = None
            except _FAILURES as error:
                raise CameraError(f"{self._source.address} was lost: {_reason(error)}") from None
            if failures > _MOST_FAILURES:
                raise CameraError(f"{self._source.address} sends what cannot be read; it is connected anew")
            waited = time.monotonic() - start
            if packet is not None and packet.stream.index == stream.index:
                yield packet
            if waited >= self._settings.silence and self._source.file is None:
                # That was the last packet, which was held back for its end and is let go by the time-out.
                raise CameraError(f"{self._source.address} was lost: {_SILENT}")
            self._check_heard()

    def _check_heard(self) -> None:
        """Whether pictures come; the first may take longer, as it must be a whole one."""
        settings = self._settings
        longest = settings.silence if self._seen else max(settings.connect, settings.silence)
        if self._source.file is None and time.monotonic() - self._heard > longest:
            raise CameraError(f"{self._source.address} sent no picture for {longest:g} s; it is connected anew")

    def _decode(self, packet: Packet[Any], stream: VideoStream) -> list[VideoFrame]:
        """The pictures that a packet completes, without damaged ones."""
        try:
            frames = stream.decode(packet)
        except _FAILURES:
            self._board.count_corrupt()
            return []
        whole = [frame for frame in frames if not frame.is_corrupt]
        for _ in range(len(frames) - len(whole)):
            self._board.count_corrupt()
        return whole


def _reason(error: BaseException) -> str:
    """What went wrong, in words that hold no secret."""
    if isinstance(error, av.error.ExitError):
        return _SILENT
    # The library's text for the error's number, and no more: the whole message repeats the address.
    text = getattr(error, "strerror", None)
    return text if isinstance(text, str) else type(error).__name__
