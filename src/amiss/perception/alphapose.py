"""The JSON of one clip that AlphaPose (Fang et al., 2017) writes: poses in a list, by picture, or by person."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from amiss.errors import DatasetError
from amiss.footage.folder import pictures_in
from amiss.perception.skeleton import JOINTS
from amiss.types import NO_TRACK, FloatArray, IntArray

__all__ = ["read_alphapose"]

LAYOUTS = (len(JOINTS), 26, 133, 136)
"""How many joints AlphaPose finds; in all of these those of COCO come first."""

_Found = tuple[int, int, FloatArray]
"""Frame, track and `(17, 3)` joints of a pose."""


def read_alphapose(path: Path, origin: Path) -> tuple[FloatArray, IntArray, IntArray]:
    """All poses of the clip at `origin`, in the order of its frames.

    The content is a list of `{"image_id", "keypoints"}`, or such lists by picture, or, after tracking,
    `{PERSON: {FRAME: {"keypoints"}}}`. Pictures of a folder are known by their names, frames of a video by their
    numbers from 0; after tracking, frames are numbers in both.

    Returns:
        `(m, 17, 3)` joints; `(m,)` track ids, `NO_TRACK` where persons are not told; `(T + 1,)` rows at which the
        frames begin.

    Raises:
        DatasetError: The file is damaged, or of other footage.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is no readable JSON ({error}); copy it again") from None
    pictures = [picture.stem for picture in pictures_in(origin)] if origin.is_dir() else []
    found = _by_person(path, content, len(pictures)) if _is_tracked(content) else _by_frame(path, content, pictures)
    frames = np.array([frame for frame, _, _ in found], np.int64)
    order = np.argsort(frames, kind="stable")
    joints = np.array([joints for _, _, joints in found], np.float64).reshape(-1, len(JOINTS), 3)
    tracks = np.array([track for _, track, _ in found], np.int64)
    last = max(int(frames.max(initial=-1)) + 1, len(pictures))
    return joints[order], tracks[order], np.searchsorted(frames[order], np.arange(last + 1))


def _is_tracked(content: Any) -> bool:
    """Whether poses stand by person: all values hold poses by frame, and none is a pose or a list of poses itself."""
    groups = list(content.values()) if isinstance(content, dict) else []
    nested = all(isinstance(group, dict) and "keypoints" not in group for group in groups)
    return nested and any(isinstance(entry, dict) for group in groups for entry in group.values())


def _by_person(path: Path, content: dict[str, dict[str, Any]], length: int) -> list[_Found]:
    """The poses of tracked persons; `length` is the number of frames of the footage, 0 if it is not known."""
    found: dict[tuple[int, int], FloatArray] = {}
    for person, entries in content.items():
        track = _number(path, person, "person")
        for image, entry in entries.items():
            frame = _number(path, image, "frame")
            if 0 < length <= frame:
                raise _foreign(path, image)
            if (frame, track) in found:
                raise DatasetError(f"{path} is damaged: it has the person {track} twice in frame {frame}")
            found[frame, track] = _joints(path, image, entry)
    return [(*key, joints) for key, joints in found.items()]


def _number(path: Path, text: str, what: str) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", text):
        raise DatasetError(f"{path} has {text!r}, which is no number of a {what}; give what AlphaPose's tracking wrote")
    return int(text)


def _by_frame(path: Path, content: Any, pictures: list[str]) -> list[_Found]:
    """The poses of persons that are not told, of footage with the named pictures, if any."""
    number_of = {picture: number for number, picture in enumerate(pictures)}
    entries = _entries(path, content)
    return [(_frame(path, image, number_of), NO_TRACK, _joints(path, image, entry)) for image, entry in entries]


def _entries(path: Path, content: Any) -> Iterable[tuple[Any, Any]]:
    """Each pose with the picture it is of, of a flat list or of lists by picture."""
    if isinstance(content, list):
        return [(entry.get("image_id") if isinstance(entry, dict) else None, entry) for entry in content]
    if isinstance(content, dict):
        groups = ((image, group if isinstance(group, list) else [group]) for image, group in content.items())
        return [(image, entry) for image, group in groups for entry in group]
    raise DatasetError(f"{path} is neither a list of poses nor poses by picture or person; give what AlphaPose wrote")


def _frame(path: Path, image: Any, number_of: dict[str, int]) -> int:
    """The number of the frame that an entry is of."""
    stem = Path(str(image)).stem if isinstance(image, (str, int)) else ""
    if number_of:
        if stem not in number_of:
            raise _foreign(path, image)
        return number_of[stem]
    digits = re.search(r"(\d{1,9})$", stem)
    if digits is None or stem.startswith("-"):
        raise DatasetError(f"{path} has a pose of {image!r}, which is no number of a frame; give what AlphaPose wrote")
    return int(digits[1])


def _foreign(path: Path, image: Any) -> DatasetError:
    return DatasetError(f"{path} has a pose of the picture {image!r}, which the footage has not; use its own file")


def _joints(path: Path, image: Any, entry: Any) -> FloatArray:
    """`(17, 3)` of the COCO joints."""
    try:
        values = np.array(entry["keypoints"], np.float64).reshape(-1, 3)
    except (KeyError, TypeError, ValueError):
        values = np.zeros((0, 3))
    if len(values) not in LAYOUTS:
        raise DatasetError(
            f"{path} is damaged: a pose of {image!r} has no 17 keypoints of x, y and confidence "
            f"(nor one of the layouts that begin with them, of {', '.join(map(str, LAYOUTS[1:]))})"
        )
    return np.asarray(values[: len(JOINTS)])
