"""Tiny synthetic footage: people-sized rectangles that walk over textured ground, and a fast large one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from amiss.types import Frame, Image

WIDTH, HEIGHT, RATE = 160, 120, 10
CALM, WILD = 60, 60
BURST = slice(25, 40)
"""The frames in which the fast large one is in the picture."""

SETTINGS = ("report.video=none", "scoring.smoothing=gaussian:2")


@dataclass(frozen=True)
class Walker:
    """A rectangle on its way: place at frame 0, pixels a frame, size, colour, and when it is there."""

    x: float
    y: float
    speed: float
    width: int
    height: int
    colour: tuple[int, int, int]
    first: int = 0
    last: int = 10_000

    def paint(self, picture: Image, index: int) -> None:
        """Draw it with stripes, so that the flow has something to hold on to."""
        if not self.first <= index < self.last:
            return
        span = WIDTH + 2 * self.width
        left = round((self.x + self.speed * (index - self.first)) % span) - self.width
        top = round(self.y)
        box = (slice(top, top + self.height), slice(max(left, 0), max(left + self.width, 0)))
        picture[box] = self.colour
        picture[top : top + self.height : 6, box[1]] = 20


def people(seed: int) -> list[Walker]:
    """Three walkers of everyday size and pace."""
    generator = np.random.default_rng([seed, 1])
    return [
        Walker(
            x=float(generator.uniform(0, WIDTH)),
            y=20.0 + 32 * row,
            speed=float(generator.choice([-1, 1]) * generator.uniform(1.2, 2.0)),
            width=10,
            height=24,
            colour=tuple(int(value) for value in generator.integers(120, 255, 3)),  # type: ignore[arg-type]
        )
        for row in range(3)
    ]


def intruder() -> Walker:
    """Something fast and large."""
    return Walker(0.0, 40.0, 11.0, 60, 56, (250, 40, 40), BURST.start, BURST.stop)


def ground() -> Image:
    """Soft texture that is the same in all footage."""
    noise = np.random.default_rng(7).integers(60, 120, (HEIGHT // 4, WIDTH // 4, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def pictures(seed: int, length: int = CALM, wild: bool = False) -> list[Image]:
    """RGB pictures `(120, 160, 3)`; with `wild`, the intruder comes in the frames of `BURST`."""
    back, walkers = ground(), [*people(seed), *([intruder()] if wild else [])]
    painted = []
    for index in range(length):
        picture = back.copy()
        for walker in walkers:
            walker.paint(picture, index)
        painted.append(picture)
    return painted


def labels(length: int = WILD) -> Image:
    """The truth of a wild clip."""
    truth = np.zeros(length, np.uint8)
    truth[BURST] = 1
    return truth


def as_video(path: Path, seed: int, length: int = CALM, wild: bool = False) -> Path:
    """An mp4 of these pictures."""
    return encoded(path, pictures(seed, length, wild), preset="ultrafast", crf="16")


def encoded(path: Path, images: Sequence[Image], codec: str = "libx264", **options: str) -> Path:
    """A video of some pictures, with options of the codec such as `g`, the frames from key frame to key frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in images:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
    return path


def as_folder(folder: Path, seed: int, length: int = CALM, wild: bool = False) -> Path:
    """A folder of PNGs of these pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, picture in enumerate(pictures(seed, length, wild)):
        cv2.imwrite(str(folder / f"{index:03d}.png"), picture[..., ::-1])
    return folder


def as_dataset(root: Path, training: int = 2, testing: int = 2) -> Path:
    """The layout of the plain folder: everyday clips to learn from, and wild ones with labels."""
    for number in range(training):
        as_video(root / "training" / f"calm{number}.mp4", number)
    for number in range(testing):
        as_video(root / "testing" / f"wild{number}.mp4", 100 + number, wild=True)
    np.savez(root / "frame_labels.npz", **{f"wild{number}": labels() for number in range(testing)})
    return root


@dataclass(frozen=True)
class Shown:
    """Footage in memory, with a time stamp for each picture.

    Attributes:
        images: The pictures.
        times: Seconds of each.
        path: Where it would lie.
    """

    images: list[Image]
    times: list[float]
    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def length(self) -> int:
        return len(self.images)

    @property
    def rate(self) -> float:
        return float(RATE)

    def __iter__(self) -> Iterator[Frame]:
        for index, (image, seconds) in enumerate(zip(self.images, self.times, strict=True)):
            yield Frame(image, index, seconds)

    def fingerprint(self) -> str:
        return f"{self.path.name} {hash(tuple(self.times))} {sum(int(image.sum()) for image in self.images)}"
