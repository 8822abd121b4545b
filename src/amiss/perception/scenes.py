"""The scene behind what moves: its picture, its feature, and whether the camera still sees it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import torch

from amiss.config import ScenesConfig
from amiss.perception.embed import make_embedder
from amiss.perception.features import FEATURE_NETWORKS
from amiss.types import FloatArray, Frame, Image

__all__ = ["NETWORK", "Background", "Flag", "Scene", "SceneFeature", "ViewFlag", "ViewHealth"]

NETWORK = "efficientnet-lite0"
SIDE = 224
"""Pixels a side of the square that the network sees of a scene."""
SAMPLES = 15
"""Frames whose median is the background: what stands in fewer than half of them is gone."""
WIDEST = 640
"""Wider pictures are shrunk to this before they are kept."""
GREY = 2.0
"""Mean difference between the colours of a pixel below which a picture has none, compression aside."""
SMALL = 160
"""Width at which the view's health is judged."""
ANOTHER = 0.25
"""Correlation of edges below which two views are not the same, however they are shifted."""
RECENT = 5
"""Of the newest looks the median is compared with the learned view, so that people do not count."""
LOOK = 0.2
"""Seconds between two looks at the view."""


class Background:
    """The view without what moves: the median of frames spread over the last while.

    Args:
        config: How far back it reaches.
    """

    def __init__(self, config: ScenesConfig) -> None:
        self._every = config.memory / SAMPLES
        self.reset()

    def reset(self) -> None:
        """Forget the view."""
        self._samples: deque[Image] = deque(maxlen=SAMPLES)
        self._last = -np.inf
        self._median: Image | None = None

    def update(self, frame: Frame) -> None:
        """Take in a frame; of those close together in time only the first."""
        if 0 <= frame.seconds - self._last < self._every:
            return
        self._last = frame.seconds
        self._samples.append(_shrunk(frame.image, WIDEST))
        self._median = None

    @property
    def image(self) -> Image | None:
        """`(h, w, 3)` uint8 RGB, at most 640 wide; None before the first frame."""
        if self._median is None and self._samples:
            self._median = np.median(np.stack(self._samples), axis=0).astype(np.uint8)
        return self._median


class SceneFeature:
    """A vector of what a scene looks like, from its background.

    Args:
        device: Where the network runs.
    """

    def __init__(self, device: torch.device) -> None:
        network, self.dimensions = FEATURE_NETWORKS[NETWORK]()
        self._embed = make_embedder(network, device, SIDE)

    def of(self, background: Image) -> FloatArray:
        """`(D,)` float32 of a background `(h, w, 3)` uint8 RGB, seen as a square of 224 pixels a side."""
        square = cv2.resize(background, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(self._embed(np.asarray(square, np.uint8)[None])[0], np.float32)


class Scene:
    """What the place looks like at each frame: the feature of its background so far.

    Args:
        config: How far back the background reaches.
        device: Where the network runs.
    """

    def __init__(self, config: ScenesConfig, device: torch.device) -> None:
        self._background, self._feature = Background(config), SceneFeature(device)
        self.reset()

    def reset(self) -> None:
        """Forget the place."""
        self._background.reset()
        self._known: tuple[Image, FloatArray] | None = None

    def update(self, frame: Frame) -> FloatArray:
        """`(D,)` float32, computed anew only when the background has changed."""
        self._background.update(frame)
        image = self._background.image
        if image is None:  # there is one as soon as a frame was taken in
            raise LookupError("a scene without a frame")
        if self._known is None or self._known[0] is not image:
            self._known = image, self._feature.of(image)
        return self._known[1]


class Flag(StrEnum):
    """What can be wrong with a view."""

    MOVED = "moved"
    BLOCKED = "blocked"
    BLURRED = "blurred"
    FROZEN = "frozen"
    SWITCHED = "switched"
    """Between day and infra-red: colours went, or came."""


@dataclass(frozen=True)
class ViewFlag:
    """Something is wrong with the view.

    Attributes:
        kind: What.
        start: Seconds since when.
        value: How much, in the unit of the setting that it is compared with.
    """

    kind: Flag
    start: float
    value: float


@dataclass(frozen=True, eq=False)
class _View:
    """What a view looks like, small.

    Attributes:
        edges: `(h, w)` float32 length of the gradient.
        sharpness: Mean of the finest differences.
        contrast: Standard deviation of the grey levels.
        colour: Mean difference between the colours of a pixel, 0..255.
    """

    edges: FloatArray
    sharpness: float
    contrast: float
    colour: float

    @classmethod
    def of(cls, image: Image) -> _View:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        across, down = (cv2.Sobel(grey, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
        edges = np.minimum(np.hypot(across, down), 200.0)  # a few strong edges must not decide alone
        sharpness = float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())
        red, green, blue = cv2.split(image)
        most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
        colour = float((most - least).mean())
        return cls(np.asarray(edges, np.float32), sharpness, float(grey.std()), colour)


class ViewHealth:
    """Compares what a camera sees with the view that it has learned.

    The view is learned in the first `memory` seconds. A flag is raised when its sign has lasted for `hold` seconds,
    and taken down when it has been gone for as long.

    Args:
        config: Thresholds and times.
    """

    def __init__(self, config: ScenesConfig) -> None:
        self._config = config
        self.reset()

    def reset(self) -> None:
        """Forget the view: the next frames are how it should be."""
        self._background = Background(self._config)
        self._learned: _View | None = None
        self._begin: float | None = None
        self._recent: deque[Image] = deque(maxlen=RECENT)
        self._looked = -np.inf
        self._still_since = 0.0
        self._before: Image | None = None
        self._compared: dict[Flag, float] = {}
        self._seen: dict[Flag, float] = {}
        self._gone: dict[Flag, float] = {}
        self._raised: dict[Flag, ViewFlag] = {}

    def state(self) -> dict[str, FloatArray]:
        """The view that was learned, as named arrays; nothing while it is being learned."""
        view = self._learned
        return (
            {}
            if view is None
            else {"edges": view.edges, "marks": np.array([view.sharpness, view.contrast, view.colour])}
        )

    def restore(self, state: Mapping[str, FloatArray]) -> None:
        """Begin with the view that `state` gave, in place of learning the next frames.

        Raises:
            KeyError: Something is missing.
        """
        self.reset()
        if state:
            sharpness, contrast, colour = (float(value) for value in state["marks"])
            self._learned = _View(np.asarray(state["edges"], np.float32), sharpness, contrast, colour)

    def update(self, frame: Frame) -> tuple[ViewFlag, ...]:
        """The flags that are up at this frame; none while the view is being learned."""
        small = _shrunk(frame.image, SMALL)
        signs = self._frozen(small, frame.seconds)
        if not 0 <= frame.seconds - self._looked < LOOK:
            self._looked = frame.seconds
            self._recent.append(small)
            self._compared = self._compare(frame, small)
        self._raise(signs | self._compared, frame.seconds)
        return tuple(self._raised.values())

    def _frozen(self, small: Image, seconds: float) -> dict[Flag, float]:
        """For how long the very same picture has come, once that is long enough."""
        same = self._before is not None and self._before.shape == small.shape and np.array_equal(self._before, small)
        if not same:
            self._still_since = seconds
        self._before = small
        lasted = seconds - self._still_since
        return {Flag.FROZEN: lasted} if lasted >= self._config.frozen else {}

    def _compare(self, frame: Frame, small: Image) -> dict[Flag, float]:
        """What differs between the learned view and the median of the last looks."""
        if self._learned is None:
            self._learn(frame, small)
            return {}
        pictures = [picture for picture in self._recent if picture.shape == small.shape]
        return self._signs(self._learned, _View.of(_median(pictures)))

    def _signs(self, learned: _View, now: _View) -> dict[Flag, float]:
        """What is wrong with a view, worst first: what is blocked can be nothing else, nor can what is blurred move."""
        config = self._config
        if (contrast := now.contrast / max(learned.contrast, 1e-6)) < config.contrast:
            return {Flag.BLOCKED: contrast}
        signs = {}
        if (colour := abs(now.colour - learned.colour)) > config.colour and min(now.colour, learned.colour) < GREY:
            signs[Flag.SWITCHED] = colour
        if (sharpness := now.sharpness / max(learned.sharpness, 1e-6)) < config.sharpness:
            signs[Flag.BLURRED] = sharpness
        elif (shift := _shift(learned.edges, now.edges)) > config.shift:
            signs[Flag.MOVED] = shift
        return signs

    def _learn(self, frame: Frame, small: Image) -> None:
        """Take in the view, until there is enough of it."""
        self._begin = frame.seconds if self._begin is None else self._begin
        self._background.update(Frame(small, frame.index, frame.seconds))
        view = self._background.image
        if frame.seconds - self._begin >= self._config.memory and view is not None:
            self._learned = _View.of(view)

    def _raise(self, signs: dict[Flag, float], seconds: float) -> None:
        """Raise and take down flags, each only after its sign has come or gone for long enough."""
        for kind in Flag:
            if kind in signs:
                since = self._seen.setdefault(kind, seconds)
                self._gone.pop(kind, None)
                if kind in self._raised or seconds - since >= self._config.hold or kind is Flag.FROZEN:
                    start = self._raised[kind].start if kind in self._raised else since
                    self._raised[kind] = ViewFlag(kind, start, signs[kind])
            else:
                self._seen.pop(kind, None)
                if kind in self._raised and seconds - self._gone.setdefault(kind, seconds) >= self._config.hold:
                    del self._raised[kind], self._gone[kind]


def _median(pictures: Sequence[Image]) -> Image:
    """The median of some pictures at each pixel, rounded down, by a sorting network: few pictures, many pixels."""
    rows = list(pictures)
    for turn in range(len(rows)):
        for first in range(turn % 2, len(rows) - 1, 2):
            low, high = rows[first], rows[first + 1]
            rows[first], rows[first + 1] = np.minimum(low, high), np.maximum(low, high)
    low, high = rows[(len(rows) - 1) // 2], rows[len(rows) // 2]
    return low if low is high else np.asarray((low.astype(np.uint16) + high) // 2, np.uint8)


def _shrunk(image: Image, width: int) -> Image:
    """The picture at most `width` wide."""
    if image.shape[1] <= width:
        return image
    height = max(round(image.shape[0] * width / image.shape[1]), 1)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _shift(learned: FloatArray, now: FloatArray) -> float:
    """How far the view has shifted, as a share of its width; 1 if it is another view altogether.

    Phase correlation (Kuglin and Hines, 1975) of the edges, which light changes little.
    """
    if learned.shape != now.shape:
        return 1.0
    window = cv2.createHanningWindow(learned.shape[::-1], cv2.CV_32F)
    found, _ = cv2.phaseCorrelate(learned.copy(), now.copy(), window)  # it works in its arguments
    still, moved = _likeness(learned, now, (0.0, 0.0)), _likeness(learned, now, (found[0], found[1]))
    if max(still, moved) < ANOTHER:
        return 1.0
    return float(np.hypot(found[0], found[1])) / learned.shape[1] if moved > still else 0.0


def _likeness(learned: FloatArray, now: FloatArray, shift: tuple[float, float]) -> float:
    """Correlation of the edges after the shift is taken back, where both views have pixels."""
    height, width = learned.shape
    x, y = round(shift[0]), round(shift[1])
    if abs(x) > width // 2 or abs(y) > height // 2:
        return 0.0
    ours = learned[max(-y, 0) : height - max(y, 0), max(-x, 0) : width - max(x, 0)]
    theirs = now[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)]
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    scale = float(np.sqrt((ours**2).sum() * (theirs**2).sum()))
    return float((ours * theirs).sum()) / scale if scale > 0 else 0.0
