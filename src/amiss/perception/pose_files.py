"""Poses that were found before, from `.npz` archives and from the JSON that AlphaPose writes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from amiss.config import PosesConfig
from amiss.datasets.files import archive_keys, find_key, own_split_first, read_array
from amiss.errors import DatasetError, FootageError
from amiss.perception.alphapose import read_alphapose
from amiss.perception.skeleton import JOINTS, attach, extent, no_poses
from amiss.types import NO_TRACK, Boxes, FloatArray, Frame, IntArray, Label, Poses

__all__ = ["FilePoses", "OwnPoses", "PoseBoxes", "read_poses"]

FURTHEST = 1e6
"""No joint is so many pixels away."""
MARGIN = 0.1
"""What a box around joints has beyond them on each side, in its width and height: they end before the body does."""
TRACKED = "_alphapose_tracked_person.json"
"""How the file of a clip's tracked poses ends."""


class _GivenPoses:
    """The poses of a clip from a file.

    An `.npz` has `NAME_joints` `(m, 17, 3)` x, y in pixels and confidence, and `NAME_frame_ptr` `(T + 1,)`, where each
    frame's rows begin. `NAME` is the clip's file or folder name without suffix. A `.json` is of one clip, as
    `read_alphapose` says. In place of a `.json` its folder may be given, which has `NAME.json`, or
    `NAME_alphapose_tracked_person.json`, for each clip.

    Args:
        config: Where the file is.
    """

    def __init__(self, config: PosesConfig) -> None:
        self._path = config.path
        self._poses = no_poses()
        self._rows: IntArray = np.zeros(1, np.int64)
        self._open_end = False

    def reset(self, origin: Path | None) -> None:
        """Read the poses of the clip at `origin`.

        Raises:
            DatasetError: The file is damaged.
            FootageError: There is no such file, or it has no such clip.
        """
        if origin is None:
            raise FootageError(
                "poses from a file need footage with a place; choose perception.poses.source=network, "
                "and boxes of another source than poses"
            )
        path = self._path or find_pose_file(origin)
        path = _file_in(path, origin.stem) if path.is_dir() else path
        self._poses, self._rows = read_poses(path, origin)
        # A frame without people does not stand in a JSON, so that its last frames may be missing.
        self._open_end = path.suffix == ".json"

    def _of(self, frame: Frame) -> Poses:
        """The poses of `frame`, by its index, of which at least one joint was found.

        Raises:
            FootageError: The file ends before the footage.
        """
        if frame.index + 1 >= len(self._rows):
            if not self._open_end:
                raise FootageError(
                    f"the pose file has {len(self._rows) - 1} frames and the footage more; use its own file"
                )
            return no_poses()
        here = self._poses[int(self._rows[frame.index]) : int(self._rows[frame.index + 1])]
        return here[np.flatnonzero(here.joints[..., 2].any(1))]

    def fingerprint(self, origin: Path | None) -> str:
        """A hash of the clip's poses and of their tracks."""
        self.reset(origin)
        columns = (self._poses.joints, self._poses.track, self._rows)
        return hashlib.blake2b(b"".join(column.tobytes() for column in columns), digest_size=16).hexdigest()


class FilePoses(_GivenPoses):
    """Given poses, put to the boxes that hold them: track ids of the file are not those of the boxes."""

    def update(self, frame: Frame, boxes: Boxes) -> Poses:
        """The poses of `frame`, by its index.

        Raises:
            FootageError: The file ends before the footage.
        """
        return attach(self._of(frame).joints, boxes[np.isin(boxes.label, (Label.PERSON, Label.OBJECT))])


class OwnPoses(FilePoses):
    """Given poses that the boxes were made of (`PoseBoxes`): where the file tells persons, each keeps its box."""

    def update(self, frame: Frame, boxes: Boxes) -> Poses:
        """The poses of `frame`, by its index, that have a box.

        Raises:
            FootageError: The file ends before the footage.
        """
        here = self._of(frame)
        if (here.track == NO_TRACK).any():
            return super().update(frame, boxes)
        return here[np.isin(here.track, boxes.track)]


class PoseBoxes(_GivenPoses):
    """Boxes of people around given poses, with the track ids that the file has, if any.

    A box is the rectangle around the joints with confidence, a tenth of its width and height larger on each side.
    """

    def update(self, frame: Frame) -> Boxes:
        """The boxes in `frame`, by its index; all are sure.

        Raises:
            FootageError: The file ends before the footage.
        """
        here = self._of(frame)
        around = extent(here.joints)
        margin = MARGIN * (around[:, 2:] - around[:, :2])
        xyxy = np.concatenate([around[:, :2] - margin, around[:, 2:] + margin], axis=1)
        return Boxes(xyxy, label=np.full(len(here), Label.PERSON), track=here.track)


def find_pose_file(origin: Path) -> Path:
    """The file above a clip that has its poses, an archive before a JSON of its own: of its own split first.

    Raises:
        FootageError: There is none.
    """
    splits = own_split_first(origin)
    archives = [f"poses_{split}.npz" for split in splits]
    folders = list(dict.fromkeys(f"pose/{name}" for split in splits for name in (split.removesuffix("ing"), split)))
    tracked = f"{origin.stem}{TRACKED}"
    for folder in list(origin.resolve().parents)[:4]:
        for path in (folder / name for name in archives):
            if path.is_file() and _key_of(path, origin.stem):
                return path
        for path in (folder / name / tracked for name in folders):
            if path.is_file():
                return path
    raise FootageError(
        f"no {' or '.join(archives)} with the clip {origin.stem!r} and no {tracked} in {', '.join(folders)} above "
        f"{origin}; set perception.poses.path, or choose another source, as perception.poses.source=network"
    )


def _file_in(folder: Path, name: str) -> Path:
    """The JSON of the clip `name`, tracked or not."""
    tracked = folder / f"{name}{TRACKED}"
    return tracked if tracked.is_file() else folder / f"{name}.json"


def _key_of(path: Path, name: str) -> str | None:
    """What the archive calls the clip `name`, None if it does not know it."""
    return find_key((key.removesuffix("_joints") for key in archive_keys(path) if key.endswith("_joints")), name)


def read_poses(path: Path, origin: Path) -> tuple[Poses, IntArray]:
    """All poses of the clip at `origin`, and the rows at which its frames begin.

    Raises:
        DatasetError: The file is damaged.
        FootageError: It is missing, or has no such clip.
    """
    if not path.is_file():
        raise FootageError(f"there is no pose file {path} for the clip {origin.stem!r}; check perception.poses.path")
    joints, tracks, rows = read_alphapose(path, origin) if path.suffix == ".json" else _read_archive(path, origin.stem)
    if not (np.abs(joints) < FURTHEST).all():
        raise DatasetError(f"{path} is damaged: it has joints that are not finite or lie beyond any picture")
    return Poses(np.concatenate([joints[..., :2], np.clip(joints[..., 2:], 0, 1)], axis=2), tracks), rows


def _read_archive(path: Path, name: str) -> tuple[FloatArray, IntArray, IntArray]:
    """As `read_alphapose` gives them; an archive tells no persons."""
    clip = _key_of(path, name)
    if clip is None or f"{clip}_frame_ptr" not in archive_keys(path):
        raise FootageError(f"the pose file {path} has no clip {name!r}")
    joints, rows = read_array(path, f"{clip}_joints"), read_array(path, f"{clip}_frame_ptr")
    if joints.ndim != 3 or joints.shape[1:] != (len(JOINTS), 3) or joints.dtype.kind not in "fiu":
        raise DatasetError(f"{path} is damaged: the joints of {clip} have the shape {joints.shape}, not (m, 17, 3)")
    divides = rows.ndim == 1 and rows.dtype.kind in "iu" and len(rows) and rows[0] == 0 and rows[-1] == len(joints)
    if not divides or (rows[1:] < rows[:-1]).any():
        raise DatasetError(f"{path} is damaged: {clip}_frame_ptr does not divide the {len(joints)} poses into frames")
    return joints, np.full(len(joints), NO_TRACK), rows
