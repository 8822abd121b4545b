"""Boxes by a network, with motion boxes for what it misses; and which source `auto` stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from amiss.config import BoxesConfig
from amiss.errors import ConfigError
from amiss.perception.detector import BUILT_IN, Detector, DetectorDescription, read_description
from amiss.perception.motion import MotionBoxes
from amiss.perception.overlap import suppressed
from amiss.perception.weights import WEIGHTS, find_weights, get_weights
from amiss.types import Boxes, FloatArray, Frame, Image

__all__ = ["NetworkBoxes", "licences", "look_together", "resolve_boxes", "why_motion"]

SHARED = 0.25
"""Share of a tile's side that it has in common with the next: nothing smaller is cut by every tile."""
SAME = 0.5
"""Overlap from which boxes of two tiles are one thing."""
INNER = 2.0
"""Pixels from an inner edge of a tile at which a box is taken to be cut by it."""


def why_motion(config: BoxesConfig) -> str | None:
    """Why `auto` falls back on motion, in a sentence; None where the network can be used."""
    if find_spec("openvino") is None:
        return "Boxes come from motion: OpenVINO is not installed (pip install 'amiss[openvino]')."
    if config.network not in BUILT_IN:
        return None  # whoever describes a network wants it, or to hear what is wrong with it
    if find_weights(config.network) is None:
        return f"Boxes come from motion: the network is not here (amiss weights get {config.network})."
    return None


def resolve_boxes(config: BoxesConfig) -> BoxesConfig:
    """The settings with `auto` replaced by what it stands for here and now, so that a model keeps to it.

    Raises:
        WeightsError: The network is here but was altered.
    """
    if config.source != "auto":
        return config
    return config.model_copy(update={"source": "motion" if why_motion(config) else "network"})


def describe(network: str) -> DetectorDescription:
    """The description of a built-in network, whose weights are fetched if need be, or of a YAML file.

    Raises:
        WeightsError: The weights can neither be found nor fetched.
        ConfigError: There is no such detector, or its description cannot be read.
    """
    if network in BUILT_IN:
        return DetectorDescription.build({**BUILT_IN[network], "path": get_weights(network)})
    if Path(network).suffix not in (".yaml", ".yml"):
        raise ConfigError(
            f"there is no detector {network!r}; perception.boxes.network takes {', '.join(BUILT_IN)} "
            "or a .yaml file that describes another one"
        )
    return read_description(Path(network))


class NetworkBoxes:
    """Boxes that a detector finds, on the whole picture and on tiles of it, and what else moves.

    Args:
        config: Which network, how many tiles, whether motion is added.
    """

    def __init__(self, config: BoxesConfig) -> None:
        self._config = config
        self._about = describe(config.network)
        self._detector = _detector(self._about.model_dump_json(), _state(self._about.path))
        self._motion = MotionBoxes(config.motion) if config.motion_added else None
        self._seen: dict[tuple[int, float], Sequence[Boxes]] = {}

    def reset(self, origin: Path | None) -> None:
        """Forget the frames before."""
        self._seen.clear()
        if self._motion:
            self._motion.reset(origin)

    @property
    def network(self) -> str:
        """The network and how it is asked: sources for which this is the same can look together."""
        return self._about.model_dump_json()

    def find(self, images: Sequence[Image]) -> list[Boxes]:
        """What the network sees in each picture `(H, W, 3)`, in pixels of the picture."""
        return self._detector.find(images)

    def pieces(self, image: Image) -> list[Image]:
        """What the network is shown of a picture: the whole, and its tiles."""
        return [image, *(image[y1:y2, x1:x2] for x1, y1, x2, y2 in self._places(image))]

    def take(self, frame: Frame, found: Sequence[Boxes]) -> None:
        """Take what was found in each piece of a frame to come, so that `update` need not ask the network."""
        self._seen[frame.index, frame.seconds] = found

    def update(self, frame: Frame) -> Boxes:
        """The boxes in `frame`: of the network, then of motion that they do not cover."""
        given = self._known(frame)
        found = self._joined(frame.image, self.find(self.pieces(frame.image)) if given is None else given)
        found = found[found.confidence >= self._config.confidence]
        if not self._motion:
            return found
        return Boxes.merge([found, self._motion.beyond(frame, found)])

    def _known(self, frame: Frame) -> Sequence[Boxes] | None:
        """What was found in the frame before it came, if it was looked at; what was before it is forgotten."""
        while self._seen:
            place = next(iter(self._seen))
            found = self._seen.pop(place)
            if place == (frame.index, frame.seconds):
                return found
        return None

    def _places(self, image: Image) -> list[tuple[int, int, int, int]]:
        tiles = self._config.tiles
        return _tiles(image.shape[1], image.shape[0], tiles) if tiles > 1 else []

    def _joined(self, image: Image, found: Sequence[Boxes]) -> Boxes:
        """Boxes of the whole picture and of its tiles, each thing once."""
        whole, *parts = found
        if not parts:
            return whole
        places = self._places(image)
        moved = [_put_back(part, place, image.shape[:2]) for part, place in zip(parts, places, strict=True)]
        boxes = Boxes.merge([whole, *moved])
        boxes = boxes[np.argsort(-boxes.confidence, kind="stable")]
        return boxes[~suppressed(boxes, SAME)]

    def fingerprint(self, origin: Path | None) -> str:  # noqa: ARG002  # other sources need the origin
        """A hash of the network and its description."""
        files = [self._about.path, self._about.path.with_suffix(".bin")]
        hashes = [_content(path, path.stat().st_mtime_ns) for path in files if path.is_file()]
        about = self._about.model_dump_json(exclude={"path"})
        return hashlib.blake2b("|".join([about, *hashes]).encode(), digest_size=16).hexdigest()


def look_together(sources: Sequence[NetworkBoxes], frames: Sequence[Frame]) -> None:
    """Ask a network about frames of several cameras, or about several of one, at once; `update` then asks no more.

    Args:
        sources: Of the cameras, all of the same `network`.
        frames: A frame of each source; of a source that comes several times, the next ones in their order.
    """
    pieces = [source.pieces(frame.image) for source, frame in zip(sources, frames, strict=True)]
    found = iter(sources[0].find([piece for some in pieces for piece in some]))
    for source, frame, some in zip(sources, frames, pieces, strict=True):
        source.take(frame, [next(found) for _ in some])


def _state(path: Path) -> tuple[tuple[int, int], ...]:
    """When the files of a network were last changed, and their sizes."""
    files = [one.stat() for one in (path, path.with_suffix(".bin")) if one.is_file()]
    return tuple((one.st_mtime_ns, one.st_size) for one in files)


@lru_cache(maxsize=4)
def _detector(about: str, state: tuple[tuple[int, int], ...]) -> Detector:  # noqa: ARG001  # files that changed are read anew
    """The detector of a description, as JSON; cameras share it, as compiling takes seconds and much memory."""
    return Detector(DetectorDescription.model_validate_json(about))


@lru_cache(maxsize=16)
def _content(path: Path, changed: int) -> str:  # noqa: ARG001  # a file that changed is hashed again
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def _tiles(width: int, height: int, number: int) -> list[tuple[int, int, int, int]]:
    """`number` by `number` tiles x1, y1, x2, y2 that overlap and together cover the picture."""

    def spans(length: int) -> list[tuple[int, int]]:
        size = length / (number - (number - 1) * SHARED)
        starts = [round(index * size * (1 - SHARED)) for index in range(number)]
        return [(start, min(round(start + size), length)) for start in starts]

    return [(x1, y1, x2, y2) for y1, y2 in spans(height) for x1, x2 in spans(width)]


def _put_back(boxes: Boxes, place: tuple[int, int, int, int], size: tuple[int, int]) -> Boxes:
    """The boxes of a tile in the whole picture, without those that an inner edge of the tile cuts."""
    x1, y1, x2, y2 = place
    inner = np.array([x1 > 0, y1 > 0, x2 < size[1], y2 < size[0]])
    edge: FloatArray = np.array([0, 0, x2 - x1, y2 - y1], np.float32)
    cut = (np.abs(boxes.xyxy - edge) <= INNER) | (np.array([-1, -1, 1, 1]) * (boxes.xyxy - edge) > 0)
    kept = boxes[~(cut & inner).any(1)]
    return Boxes(kept.xyxy + np.array([x1, y1, x1, y1], np.float32), kept.confidence, kept.label)


def licences(config: BoxesConfig) -> list[str]:
    """Licences of the networks that the boxes come from."""
    if config.source != "network" or config.network not in WEIGHTS:
        return []
    weights = WEIGHTS[config.network]
    return [f"{weights.licence} ({config.network}, {weights.source})"]
