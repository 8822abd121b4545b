"""Boxes by a network, with motion boxes for what it misses; and which source `auto` stands for."""

from __future__ import annotations

import hashlib
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

__all__ = ["NetworkBoxes", "licences", "resolve_boxes", "why_motion"]

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
        self._detector = Detector(self._about)
        self._motion = MotionBoxes(config.motion) if config.motion_added else None

    def reset(self, origin: Path | None) -> None:
        """Forget the frames before."""
        if self._motion:
            self._motion.reset(origin)

    def update(self, frame: Frame) -> Boxes:
        """The boxes in `frame`: of the network, then of motion that they do not cover."""
        found = self._tiled(frame.image) if self._config.tiles > 1 else self._detector.find([frame.image])[0]
        found = found[found.confidence >= self._config.confidence]
        if not self._motion:
            return found
        return Boxes.merge([found, self._motion.beyond(frame, found)])

    def _tiled(self, image: Image) -> Boxes:
        """Boxes of the whole picture and of its tiles, each thing once."""
        places = _tiles(image.shape[1], image.shape[0], self._config.tiles)
        pieces = [np.ascontiguousarray(image[y1:y2, x1:x2]) for x1, y1, x2, y2 in places]
        whole, *parts = self._detector.find([image, *pieces])
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
