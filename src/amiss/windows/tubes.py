"""Tubes: what several frames' boxes show in blocks of time, and the whole picture beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import Any
from weakref import finalize

import cv2
import numpy as np
from numpy.typing import NDArray

from amiss.perception.blocks import BlockFeatures
from amiss.perception.seen import Seen
from amiss.types import NO_TRACK, BoolArray, Boxes, FloatArray, Image, IntArray, Label, Windows
from amiss.windows.needs import Needs
from amiss.windows.tubing import multivariate_tubes, unary_tubes, union_boxes

__all__ = ["MOMENT", "MULTIVARIATE", "UNARY", "TubeBuilder"]

MOMENT, UNARY, MULTIVARIATE = 0, 1, 2
"""Kinds of windows: of the whole picture, of a tube of one object, of a tube of several."""
QUALITY = 95
HELD = 1 << 26
"""Bytes of pictures in memory."""


@dataclass(frozen=True, eq=False)
class _Line:
    """A tube: where it is in each of its frames, which follow each other.

    Attributes:
        kind: `UNARY` or `MULTIVARIATE`.
        label: What it holds.
        first: Its first frame, counted from that of the stretch.
        box: `(M, 4)` pixels, frame by frame.
    """

    kind: int
    label: int
    first: int
    box: FloatArray

    @property
    def stop(self) -> int:
        """The frame after its last."""
        return self.first + len(self.box)


class _Album:
    """Pictures as JPEG, on disk where there are many."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=HELD)  # noqa: SIM115  # it lives as long as the album
        finalize(self, self._file.close)

    def add(self, image: Image) -> tuple[int, int]:
        """Keep a picture; returns where it is."""
        data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        return self._file.seek(0, SEEK_END), self._file.write(data)

    def picture(self, place: tuple[int, int]) -> Image:
        """What was kept there."""
        self._file.seek(place[0])
        data = np.frombuffer(self._file.read(place[1]), np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


@dataclass(eq=False)
class _Block:
    """So many frames from one on: where pictures are kept, by their number within it, and what was seen in them."""

    first: int
    album: _Album
    count: int = 0
    pictures: dict[int, tuple[int, int]] = field(default_factory=dict)
    known: dict[bytes, FloatArray] = field(default_factory=dict)

    @property
    def stop(self) -> int:
        """The frame after its last."""
        return self.first + self.count


@dataclass(eq=False)
class _Stretch:
    """Footage without a gap: frame by frame its number, its time and what was found, and the blocks."""

    index: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    boxes: list[Boxes] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=list)
    album: _Album = field(default_factory=_Album)
    size: tuple[int, int] = (0, 0)
    bag: int = 0

    def forget(self, frames: int) -> None:
        """Drop the first so many frames, and blocks that are not whole without them."""
        for rows in (self.index, self.seconds, self.boxes):
            del rows[:frames]
        self.blocks = [block for block in self.blocks if block.first >= frames]
        for block in self.blocks:
            block.first -= frames


class TubeBuilder:
    """Links boxes to tubes, and describes what they show, block by block.

    All windows of a stretch without a gap are a bag and have its number, `bag` `(N,)` int64. A window is a tube in one
    block of frames, or the whole picture in one: `kind` `(N,)` int8, `block` `(N,)` int64 the block's number within the
    bag; `region` `(N, D)` float16 what the box shows, `whole` `(N, D)` float16 what the whole picture does in the same
    block; `boxes` `(N, L, 4)` float32 pixels in each of its frames, zeros where there is none, `number` `(N, L)` int64
    the numbers of these frames, -1 where there is no box, `clock` `(N, L)` float64 their seconds; `now` `(N,)` bool
    whether it is to be scored, the others being there to be compared with; `step` `(N,)` float32 seconds between
    frames. It stands at the middle frame of its block; its box is the one there; tracks are counted through
    the footage.

    A bag comes when its stretch has ended. Where only the past counts, one comes after each block, of the last
    `horizon` seconds; what is scored is what is there now, at the present frame.

    Args:
        needs: Frames of a block, how boxes are linked, and whether only the past counts.
        features: Describes boxes.
    """

    def __init__(self, needs: Needs, features: BlockFeatures) -> None:
        self._needs, self._features = needs, features
        self._stretch = _Stretch()
        self._ended: list[Windows] = []
        self._tracks = 0
        self._picture = np.zeros((1, 1, 3), np.uint8)

    def reset(self) -> None:
        """End the stretch: what comes next has nothing to do with it."""
        if self._needs.at == "middle" and self._stretch.index:
            lines = self._lines()
            for found in (self._described(lines, block) for block in self._stretch.blocks):
                later = np.where(found.track == NO_TRACK, NO_TRACK, found.track + self._tracks)
                self._ended.append(replace(found, track=later))
            self._tracks += len(lines)  # no track goes on behind a gap
        self._stretch = _Stretch()

    def finish(self) -> Windows:
        """The windows of the stretch that was open, and of those before that were not given yet."""
        self.reset()
        self._tracks = 0
        return self._given()

    def _given(self) -> Windows:
        """What is complete, once."""
        ended, self._ended = self._ended, []
        return Windows.merge(ended) if ended else self._table([], np.zeros((0, self._needs.length, 4)), None)

    def update(self, seen: Seen) -> Windows:
        """The windows that this frame completes."""
        stretch, length = self._stretch, self._needs.length
        at = len(stretch.index)
        if not at:
            stretch.size, stretch.bag = seen.frame.size, _number_of(seen.frame.image, seen.frame.index)
        stretch.index.append(seen.frame.index)
        stretch.seconds.append(seen.frame.seconds)
        stretch.boxes.append(seen.boxes)
        live = self._needs.at == "last" and seen.frame.index % self._needs.stride == 0
        if live:  # the next block begins here, so that the last one always ends just before
            self._ended += self._present()
            at = len(stretch.index) - 1
        block = stretch.blocks[-1] if stretch.blocks else None
        if block is None or block.count == length or live:
            # a block that is forgotten takes its pictures with it
            block = _Block(at, stretch.album if self._needs.at == "middle" else _Album())
            stretch.blocks.append(block)
        block.count += 1
        if at - block.first in self._features.looks:
            block.pictures[at - block.first] = block.album.add(seen.frame.image)
        self._picture = seen.frame.image
        return self._given()

    def _present(self) -> list[Windows]:
        """What is there now, and the blocks of the horizon before it; frames before these are forgotten."""
        stretch = self._stretch
        old = np.searchsorted(stretch.seconds, stretch.seconds[-1] - self._needs.horizon)
        stretch.forget(max((block.first for block in stretch.blocks if block.first <= old), default=0))
        now = len(stretch.index) - 1
        if not stretch.blocks:
            return []
        lines = self._lines()
        pieces = [self._described(lines, block) for block in stretch.blocks]
        last = pieces[-1]
        alive = [row for row, track in enumerate(last.track) if track == NO_TRACK or lines[track].stop > now]
        pieces.append(self._at_present(last[np.array(alive)], lines))
        found = Windows.merge(pieces)
        shown = np.arange(len(found)) >= len(found) - len(alive)
        place = {"frame": np.full(len(found), stretch.index[-1]), "seconds": np.full(len(found), stretch.seconds[-1])}
        bag = np.full(len(found), _number_of(self._picture, stretch.index[-1]))
        return [replace(found, **place, data={**found.data, "now": shown, "bag": bag})]

    def _at_present(self, rows: Windows, lines: Sequence[_Line]) -> Windows:
        """Some windows as they are in the present frame alone."""
        stretch = self._stretch
        whole = np.array((0, 0, *stretch.size), np.float32)
        box = np.array([whole if track == NO_TRACK else lines[track].box[-1] for track in rows.track], np.float32)
        number, boxes, clock = (np.zeros_like(rows.data[name]) for name in ("number", "boxes", "clock"))
        number[:], clock[:] = -1, stretch.seconds[-1]
        number[:, 0], boxes[:, 0] = stretch.index[-1], box
        return replace(rows, box=box, data={**rows.data, "number": number, "boxes": boxes, "clock": clock})

    def _lines(self) -> list[_Line]:
        """The tubes of the stretch, those of one object first."""
        linking = self._needs.linking
        found = Boxes.merge([Boxes.empty(), *self._stretch.boxes])
        if linking is None or not len(found):
            return []
        frame = np.repeat(np.arange(len(self._stretch.boxes)), [len(boxes) for boxes in self._stretch.boxes])
        lines = [
            _Line(UNARY, int(found.label[rows[0]]), int(frame[rows[0]]), found.xyxy[rows])
            for rows in unary_tubes(frame, found.xyxy, found.confidence, found.label, linking)
        ]
        for rows in multivariate_tubes(frame, found.xyxy, found.confidence, linking):
            frames, boxes = union_boxes(frame, found.xyxy, rows)
            lines.append(_Line(MULTIVARIATE, int(Label.OBJECT), int(frames[0]), boxes))
        return lines

    def _described(self, lines: Sequence[_Line], block: _Block) -> Windows:
        """The windows of a block: that of the whole picture, then the tubes that it has a part of."""
        stop = block.stop
        here = [track for track, line in enumerate(lines) if line.first < stop and line.stop > block.first]
        boxes = np.zeros((1 + len(here), self._needs.length, 4), np.float32)
        boxes[0, : stop - block.first] = (0, 0, *self._stretch.size)
        for row, track in enumerate(here, 1):
            line = lines[track]
            first, last = max(block.first, line.first), min(stop, line.stop)
            boxes[row, first - block.first : last - block.first] = line.box[first - line.first : last - line.first]
        tracks = [NO_TRACK, *here]
        kinds = [(MOMENT, int(Label.OBJECT)), *((lines[track].kind, lines[track].label) for track in here)]
        return self._table(list(zip(tracks, kinds, strict=True)), boxes, block)

    def _table(self, rows: list[tuple[int, tuple[int, int]]], boxes: FloatArray, block: _Block | None) -> Windows:
        """Windows from their tracks, kinds and labels, and `(N, L, 4)` boxes."""
        count, length = boxes.shape[:2]
        frames = np.zeros(length, np.int64) if block is None else self._frames(block)
        stretch = self._stretch
        there = boxes[:, :, 2] > boxes[:, :, 0]
        middle = len(frames) // 2
        clock = np.array([stretch.seconds[frame] for frame in frames]) if block else np.zeros(length)
        number = np.array([stretch.index[frame] for frame in frames]) if block else frames
        nearest = _nearest(there, np.full(1, middle))[:, 0]
        features = self._seen(boxes, there, block) if block else np.zeros((0, self._features.dimensions), np.float16)
        return Windows(
            frame=np.full(count, number[middle]),
            seconds=np.full(count, clock[middle]),
            box=boxes[np.arange(count), nearest],
            track=np.array([track for track, _ in rows], np.int64),
            label=np.array([label for _, (_, label) in rows], np.int16),
            data={
                "bag": np.full(count, stretch.bag, np.int64),
                "block": np.full(count, stretch.blocks.index(block) if block else 0, np.int64),
                "kind": np.array([kind for _, (kind, _) in rows], np.int8),
                "region": features,
                "whole": np.repeat(features[:1], count, axis=0),
                "boxes": boxes.astype(np.float32),
                "number": np.where(there, _padded(number, length), -1).astype(np.int64),
                "clock": np.tile(_padded(clock, length), (count, 1)).astype(np.float64),
                "now": np.full(count, self._needs.at == "middle"),
                "step": np.full(count, np.diff(clock).mean() if len(clock) > 1 else 0.0, np.float32),
            },
        )

    def _frames(self, block: _Block) -> IntArray:
        """The frames of a block, counted from the first of the stretch."""
        return np.arange(block.first, block.stop)

    def _seen(self, boxes: FloatArray, there: BoolArray, block: _Block) -> FloatArray:
        """`(N, D)` float16 features of boxes; those that were looked at before are known."""
        looks = np.array(self._features.looks)
        chosen = boxes[np.arange(len(boxes))[:, None], _nearest(there, looks)]
        keys = [places.tobytes() for places in chosen]
        # a tube of one object is often one of several too
        new = list({key: row for row, key in enumerate(keys) if key not in block.known}.values())
        if new:
            last = len(self._frames(block)) - 1
            # a block that the footage ends in shows its last picture on
            places = [block.pictures.get(int(look)) for look in looks]
            pictures = [self._picture if place is None else block.album.picture(place) for place in places]
            clock = np.array([self._stretch.seconds[block.first + min(int(look), last)] for look in looks])
            found = self._features.of(pictures, chosen[new], clock).astype(np.float16)
            block.known |= {keys[row]: feature for row, feature in zip(new, found, strict=True)}
        return np.stack([block.known[key] for key in keys])


def _nearest(there: BoolArray, wanted: IntArray) -> IntArray:
    """`(N, K)` of the frames `(N, L)` in which there is something, those nearest to each of the wanted `(K,)`."""
    apart = np.abs(np.arange(there.shape[1])[None, :, None] - wanted[None, None, :])
    return np.asarray(np.where(there[:, :, None], apart, there.shape[1] + 1).argmin(1))


def _padded(values: NDArray[Any], length: int) -> NDArray[Any]:
    """The last value repeated, if there are fewer than `length`."""
    return np.pad(values, (0, length - len(values)), mode="edge")


def _number_of(image: Image, index: int) -> int:
    """A number for a bag that begins with this picture."""
    digest = hashlib.blake2b(image.tobytes(), digest_size=8, salt=index.to_bytes(8, "little")).digest()
    return int.from_bytes(digest, "little") >> 1
