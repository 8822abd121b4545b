"""Where poses come from: one interface, a registry, and the sources that ask a network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from amiss.config import PerceptionConfig, PosesConfig
from amiss.errors import WeightsError
from amiss.perception.grouping import COCO_ORDER, FIELDS, HEAT_MAPS, find_people
from amiss.perception.network import Network
from amiss.perception.pose_files import FilePoses, OwnPoses
from amiss.perception.skeleton import JOINTS, LEAST_INSIDE, attach, by_track, from_box, share_inside, to_box
from amiss.perception.weights import WEIGHTS, get_weights
from amiss.registry import Registry
from amiss.types import NO_TRACK, Boxes, FloatArray, Frame, Image, IntArray, Label, Poses

__all__ = ["POSE_SOURCES", "EverybodyPoses", "NetworkPoses", "PoseSource", "licences", "square_crop"]

MOVENET = "movenet-single-pose-lightning"
OPENPOSE = "human-pose-estimation-0001"


class PoseSource(Protocol):
    """Finds the poses of boxes in frames given in order."""

    def reset(self, origin: Path | None) -> None:
        """Begin new footage.

        Args:
            origin: Where the footage lies, None for frames from elsewhere.

        Raises:
            FootageError: The source has nothing for it.
        """

    def update(self, frame: Frame, boxes: Boxes) -> Poses:
        """The poses in `frame`, each with the track id of its box; boxes without a track are left out."""

    def fingerprint(self, origin: Path | None) -> str:
        """A hash of whatever else than the footage, the boxes and the settings the poses come from."""


class _Carried:
    """Poses that are found anew every few frames, and move along with their boxes in between.

    Args:
        config: How often, and the least height of a box.
    """

    def __init__(self, config: PosesConfig) -> None:
        self._every, self._least = config.every, config.least
        self.reset()

    def reset(self) -> None:
        """Forget all tracks."""
        self._known: dict[int, tuple[int, FloatArray]] = {}

    def bodies(self, boxes: Boxes) -> Boxes:
        """The boxes whose pose may be asked for: large enough, with a track, of people or of who knows what."""
        tall = boxes.xyxy[:, 3] - boxes.xyxy[:, 1] >= self._least
        may = np.isin(boxes.label, (Label.PERSON, Label.OBJECT))
        return boxes[tall & may & (boxes.track != NO_TRACK)]

    def stale(self, bodies: Boxes, index: int) -> IntArray:
        """Rows of bodies whose pose must be found in the frame `index`."""
        self._known = {track: known for track, known in self._known.items() if index - known[0] < self._every}
        return np.flatnonzero([int(track) not in self._known for track in bodies.track])

    def renew(self, bodies: Boxes, joints: FloatArray, index: int) -> None:
        """Remember what was found: `(N, 17, 3)` pixels, without any confidence where no pose was."""
        rows = zip(bodies.track, to_box(joints, bodies.xyxy), strict=True)
        self._known |= {int(track): (index, row) for track, row in rows}

    def poses(self, bodies: Boxes) -> Poses:
        """The poses of all bodies, each where its box is now; those that have none are left out."""
        known = [self._known[int(track)][1] for track in bodies.track]
        joints = from_box(np.array(known).reshape(-1, len(JOINTS), 3), bodies.xyxy)
        found = joints[..., 2].any(1)
        return Poses(joints[found], bodies.track[found])


class NetworkPoses:
    """A network that finds one body in a square picture, asked for each box (MoveNet).

    Args:
        config: How crops are cut, and how often.
        path: The network: `(1, S, S, 3)` RGB in 0..255 to `(…, 17, 3)` y, x as shares of the crop, and confidence.

    Raises:
        WeightsError: It is missing or damaged, or is another kind of network.
    """

    def __init__(self, config: PosesConfig, path: Path) -> None:
        self._scale = config.scale
        self._carried = _Carried(config)
        self._network = Network(path)
        shapes = [shape for _, shape in self._network.inputs]
        if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][1] != shapes[0][2] or shapes[0][3] != 3:
            raise WeightsError(f"{path} takes {shapes}, not one (1, S, S, 3) picture; give a single-pose MoveNet")
        if (last := self._network.outputs[0][1][-2:]) != (len(JOINTS), 3):
            raise WeightsError(f"{path} gives {last} and not (17, 3) joints; give a single-pose MoveNet")
        self._size = shapes[0][1]

    def reset(self, origin: Path | None) -> None:  # noqa: ARG002  # it finds poses wherever the frames come from
        """Forget all tracks."""
        self._carried.reset()

    def update(self, frame: Frame, boxes: Boxes) -> Poses:
        """The poses in `frame`: those that are due are asked for, the others move along with their boxes."""
        bodies = self._carried.bodies(boxes)
        due = bodies[self._carried.stale(bodies, frame.index)]
        joints = np.array([self._ask(frame.image, xyxy) for xyxy in due.xyxy]).reshape(-1, len(JOINTS), 3)
        # Among several people the network may take another one than the box is of.
        joints[np.diag(share_inside(joints, due.xyxy)) < LEAST_INSIDE] = 0
        self._carried.renew(due, joints, frame.index)
        return self._carried.poses(bodies)

    def _ask(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """`(17, 3)` x, y in pixels of the picture, confidence."""
        piece, corner, side = square_crop(image, xyxy, self._scale, self._size)
        (found,) = self._network(piece[None]).values()
        joints = found.reshape(len(JOINTS), 3).astype(np.float64)
        return np.column_stack([joints[:, [1, 0]] * side + corner, np.clip(joints[:, 2], 0, 1)])

    def fingerprint(self, origin: Path | None) -> str:  # noqa: ARG002  # the same network for all footage
        """A hash of the network."""
        return _hash_of(self._network.path)


def square_crop(image: Image, xyxy: FloatArray, scale: float, size: int) -> tuple[Image, FloatArray, int]:
    """The square around the middle of a box; what lies outside the picture is black.

    Args:
        image: `(H, W, 3)`.
        xyxy: `(4,)` pixels.
        scale: Side of the square in longer sides of the box.
        size: Pixels a side of what is returned.

    Returns:
        `(size, size, 3)`, the square's upper left corner `(2,)` in the picture, and its side in pixels.
    """
    x1, y1, x2, y2 = (float(value) for value in xyxy)
    side = max(round(scale * max(x2 - x1, y2 - y1)), 1)
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    canvas = np.zeros((side, side, 3), np.uint8)
    near_x, near_y = max(left, 0), max(top, 0)
    part = image[near_y : max(top + side, 0), near_x : max(left + side, 0)]
    canvas[near_y - top :, near_x - left :][: part.shape[0], : part.shape[1]] = part
    way = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(canvas, (size, size), interpolation=way), np.uint8), np.array([left, top]), side


class EverybodyPoses:
    """A network that sees everybody at once in heat maps and part affinity fields (OpenPose).

    Args:
        config: How often.
        path: The network: `(1, 3, H, W)` BGR in 0..255 to `(1, 38, h, w)` fields and `(1, 19, h, w)` heat maps.

    Raises:
        WeightsError: It is missing or damaged, or is another kind of network.
    """

    def __init__(self, config: PosesConfig, path: Path) -> None:
        self._carried = _Carried(config)
        self._network = Network(path)
        shapes = [shape for _, shape in self._network.inputs]
        if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][:2] != (1, 3):
            raise WeightsError(f"{path} takes {shapes}, not one (1, 3, H, W) picture; give an OpenPose network")
        channels = {shape[1]: name for name, shape in self._network.outputs if len(shape) == 4}
        if not {2 * len(FIELDS), HEAT_MAPS + 1} <= channels.keys():
            raise WeightsError(f"{path} gives no 38 fields and 19 heat maps; give an OpenPose network")
        self._fields, self._heat = channels[2 * len(FIELDS)], channels[HEAT_MAPS + 1]
        self._height, self._width = shapes[0][2:]

    def reset(self, origin: Path | None) -> None:  # noqa: ARG002  # it finds poses wherever the frames come from
        """Forget all tracks."""
        self._carried.reset()

    def update(self, frame: Frame, boxes: Boxes) -> Poses:
        """The poses in `frame`: as soon as one is due everybody is looked for."""
        bodies = self._carried.bodies(boxes)
        if len(self._carried.stale(bodies, frame.index)):
            found = attach(self.people(frame.image), bodies)
            self._carried.renew(bodies, by_track(found, bodies.track), frame.index)
        return self._carried.poses(bodies)

    def people(self, image: Image) -> FloatArray:
        """`(N, 17, 3)` COCO joints of everybody in an RGB picture: x, y in pixels, confidence."""
        height, width = image.shape[:2]
        scale = min(self._height / height, self._width / width)
        inner = max(round(width * scale), 1), max(round(height * scale), 1)
        canvas = np.zeros((self._height, self._width, 3), np.uint8)
        canvas[: inner[1], : inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
        found = self._network(canvas[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32))
        joints = find_people(found[self._heat][0], found[self._fields][0])[:, COCO_ORDER]
        cell = self._height / found[self._heat].shape[2]  # pixels of the network's picture
        place = (joints[..., :2] + 0.5) * cell * np.array([width / inner[0], height / inner[1]])
        there = joints[..., 2:] > 0
        return np.concatenate([np.where(there, place, 0), np.clip(joints[..., 2:], 0, 1)], axis=2)

    def fingerprint(self, origin: Path | None) -> str:  # noqa: ARG002  # the same network for all footage
        """A hash of the network."""
        return _hash_of(self._network.path)


def _hash_of(path: Path) -> str:
    """A hash of a network's file, and of the weights beside it."""
    files = [file for file in (path, path.with_suffix(".bin")) if file.is_file()]
    return hashlib.blake2b(b"".join(file.read_bytes() for file in files), digest_size=16).hexdigest()


def licences(config: PosesConfig) -> list[str]:
    """Licences of the network that the poses come from."""
    name = {"network": MOVENET, "everybody": OPENPOSE}.get(config.source)
    return [f"{WEIGHTS[name].licence} ({name}, {WEIGHTS[name].source})"] if name else []


def given_poses(config: PerceptionConfig) -> PoseSource:
    """Given poses, which find their boxes, or have them already where the boxes were made of them."""
    return (OwnPoses if config.boxes.source == "poses" else FilePoses)(config.poses)


POSE_SOURCES: Registry[Callable[[PerceptionConfig], PoseSource]] = Registry("pose source")
POSE_SOURCES.add("network", lambda config: NetworkPoses(config.poses, get_weights(MOVENET)))
POSE_SOURCES.add("everybody", lambda config: EverybodyPoses(config.poses, get_weights(OPENPOSE)))
POSE_SOURCES.add("file", given_poses)
