"""Poses that were found before, from `.npz` archives and from the JSON that AlphaPose writes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from amiss.config import PosesConfig
from amiss.datasets.files import archive_keys, find_key, read_array
from amiss.errors import DatasetError, FootageError
from amiss.footage.folder import pictures_in
from amiss.perception.skeleton import JOINTS, attach, no_poses
from amiss.types import Boxes, FloatArray, Frame, IntArray, Label, Poses

__all__ = ["FilePoses", "read_poses"]

FURTHEST = 1e6
"""No joint is so many pixels away."""


class FilePoses:
    """Given poses, put to the boxes that hold them: track ids of the file are not those of the boxes.

    An `.npz` has `NAME_joints` `(m, 17, 3)` x, y in pixels and confidence, and `NAME_frame_ptr` `(T + 1,)`, where each
    frame's rows begin. `NAME` is the clip's file or folder name without suffix. A `.json` is of one clip, as AlphaPose
    (Fang et al., 2017) writes it: a list of `{"image_id", "keypoints"}`, or such lists by picture. Pictures of a folder
    are known by their names, frames of a video by their numbers from 0. In place of a `.json` its folder may be given,
    which has `NAME.json` for each clip.
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
            raise FootageError("poses from a file need footage with a place; choose perception.poses.source=network")
        path = self._path or find_pose_file(origin)
        path = path / f"{origin.stem}.json" if path.is_dir() else path
        self._poses, self._rows = read_poses(path, origin)
        # A frame without people does not stand in a JSON, so that its last frames may be missing.
        self._open_end = path.suffix == ".json"

    def update(self, frame: Frame, boxes: Boxes) -> Poses:
        """The poses of `frame`, by its index.

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
        return attach(here.joints, boxes[np.isin(boxes.label, (Label.PERSON, Label.OBJECT))])

    def fingerprint(self, origin: Path | None) -> str:
        """A hash of the clip's poses."""
        self.reset(origin)
        return hashlib.blake2b(self._poses.joints.tobytes() + self._rows.tobytes(), digest_size=16).hexdigest()


def find_pose_file(origin: Path) -> Path:
    """The pose archive above a clip that knows it: of its own split if the path names one.

    Raises:
        FootageError: There is none.
    """
    names = ["poses_training.npz", "poses_testing.npz"]
    # The folder nearest to the clip tells its split; those further up may be called anything.
    splits = [part for part in map(str.lower, origin.parts) if part.startswith(("train", "test"))]
    if splits and splits[-1].startswith("test"):
        names.reverse()
    for folder in list(origin.resolve().parents)[:4]:
        for path in (folder / name for name in names):
            if path.is_file() and _key_of(path, origin.stem):
                return path
    raise FootageError(
        f"no poses_training.npz or poses_testing.npz with the clip {origin.stem!r} above {origin}; "
        "set perception.poses.path, or choose perception.poses.source=network"
    )


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
    joints, rows = _read_json(path, origin) if path.suffix == ".json" else _read_archive(path, origin.stem)
    if not (np.abs(joints) < FURTHEST).all():
        raise DatasetError(f"{path} is damaged: it has joints that are not finite or lie beyond any picture")
    return Poses(np.concatenate([joints[..., :2], np.clip(joints[..., 2:], 0, 1)], axis=2)), rows


def _read_archive(path: Path, name: str) -> tuple[FloatArray, IntArray]:
    clip = _key_of(path, name)
    if clip is None or f"{clip}_frame_ptr" not in archive_keys(path):
        raise FootageError(f"the pose file {path} has no clip {name!r}")
    joints, rows = read_array(path, f"{clip}_joints"), read_array(path, f"{clip}_frame_ptr")
    if joints.ndim != 3 or joints.shape[1:] != (len(JOINTS), 3) or joints.dtype.kind not in "fiu":
        raise DatasetError(f"{path} is damaged: the joints of {clip} have the shape {joints.shape}, not (m, 17, 3)")
    divides = rows.ndim == 1 and rows.dtype.kind in "iu" and len(rows) and rows[0] == 0 and rows[-1] == len(joints)
    if not divides or (rows[1:] < rows[:-1]).any():
        raise DatasetError(f"{path} is damaged: {clip}_frame_ptr does not divide the {len(joints)} poses into frames")
    return joints, rows


def _read_json(path: Path, origin: Path) -> tuple[FloatArray, IntArray]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is no readable JSON ({error}); copy it again") from None
    pictures = [picture.stem for picture in pictures_in(origin)] if origin.is_dir() else []
    number_of = {picture: number for number, picture in enumerate(pictures)}
    found = [(_frame(path, image, number_of), _joints(path, image, entry)) for image, entry in _entries(path, content)]
    frames = np.array([frame for frame, _ in found], np.int64)
    order = np.argsort(frames, kind="stable")
    last = max(int(frames.max(initial=-1)) + 1, len(pictures))
    joints = np.array([joints for _, joints in found], np.float64).reshape(-1, len(JOINTS), 3)
    return joints[order], np.searchsorted(frames[order], np.arange(last + 1))


def _entries(path: Path, content: Any) -> Iterable[tuple[Any, Any]]:
    """Each pose with the picture it is of, of a flat list or of lists by picture."""
    if isinstance(content, list):
        return [(entry.get("image_id") if isinstance(entry, dict) else None, entry) for entry in content]
    if isinstance(content, dict):
        groups = ((image, group if isinstance(group, list) else [group]) for image, group in content.items())
        return [(image, entry) for image, group in groups for entry in group]
    raise DatasetError(f"{path} is neither a list of poses nor poses by picture; give what AlphaPose wrote")


def _frame(path: Path, image: Any, number_of: dict[str, int]) -> int:
    """The number of the frame that an entry is of."""
    stem = Path(str(image)).stem if isinstance(image, (str, int)) else ""
    if number_of:
        if stem not in number_of:
            raise DatasetError(
                f"{path} has a pose of the picture {image!r}, which the footage has not; use its own file"
            )
        return number_of[stem]
    digits = re.search(r"(\d{1,9})$", stem)
    if digits is None or stem.startswith("-"):
        raise DatasetError(f"{path} has a pose of {image!r}, which is no number of a frame; give what AlphaPose wrote")
    return int(digits[1])


def _joints(path: Path, image: Any, entry: Any) -> FloatArray:
    """`(17, 3)` of the COCO joints, which come first in the layouts with 26 and with 136 joints too."""
    try:
        values = np.array(entry["keypoints"], np.float64).reshape(-1, 3)
    except (KeyError, TypeError, ValueError):
        values = np.zeros((0, 3))
    if len(values) < len(JOINTS):
        raise DatasetError(f"{path} is damaged: a pose of {image!r} has no 17 keypoints of x, y and confidence")
    return np.asarray(values[: len(JOINTS)])
