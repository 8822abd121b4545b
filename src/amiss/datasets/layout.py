"""Finding clips in the folders that people keep benchmarks in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from amiss.datasets.base import Found, Split
from amiss.datasets.tables import stem_of
from amiss.footage.features import holds_features
from amiss.footage.file import VIDEO_SUFFIXES
from amiss.footage.folder import PICTURE_SUFFIXES, pictures_in
from amiss.footage.names import visible

__all__ = ["COMMUNITY", "clips_in", "community_clips", "footage_by_name"]

_DEEPEST = 3
# What extractors of features put behind a video's name: the network, or the number of a crop.
_MASKS = re.compile(r"masks?$", re.IGNORECASE)
_EXTRACTED = re.compile(r"(_i3d|_c3d|_C|__\d)$", re.IGNORECASE)

COMMUNITY = (
    "training/frames/01/000.jpg, training/videos/01.avi, training_videos/01.avi or training/01.mp4 (also testing)"
)
"""The community layouts, in words."""


def community_clips(root: Path, split: Split) -> list[Found]:
    """The clips of a split in the first community layout that is there.

    Args:
        root: Folder of the dataset.
        split: `training` or `testing`.
    """
    for folder in (root / split / "frames", root / split / "videos", root / f"{split}_videos", root / split):
        if found := clips_in(folder):
            return found
    return []


def clips_in(folder: Path) -> list[Found]:
    """The video files and the folders of frames directly in `folder`, in natural order of names.

    Args:
        folder: May be missing.
    """
    found = []
    for entry in visible(folder) if folder.is_dir() else ():
        if entry.is_dir() and pictures_in(entry):
            found.append((entry.name, entry))
        elif entry.is_file() and entry.suffix.lower() in VIDEO_SUFFIXES:
            found.append((entry.stem, entry))
    return found


def footage_by_name(root: Path) -> dict[str, Path]:
    """All footage under `root`, at most three folders deep, by the name of the video.

    Of a video that is there as pictures and as features, the pictures count; of its files of features the first in
    natural order, as `NAME__0.npy` of several crops.

    Args:
        root: May be missing.

    Returns:
        Video files, folders of frames and files of features by name, without suffix and without what an extractor put
        behind it, as `Abuse001_x264` for `Abuse001_x264_i3d.npy`.
    """
    pictures: dict[str, Path] = {}
    features: dict[str, Path] = {}
    for path in _search(root, _DEEPEST) if root.is_dir() else ():
        if path.is_dir():
            pictures.setdefault(path.name, path)
        elif path.suffix.lower() in VIDEO_SUFFIXES:
            pictures.setdefault(stem_of(path.name), path)
        else:
            features.setdefault(_EXTRACTED.sub("", stem_of(path.name)), path)
    return features | pictures


def _search(folder: Path, depth: int) -> Iterator[Path]:
    """Video files, folders of nothing but pictures, and files of features in `folder`; none of what holds masks."""
    for entry in visible(folder):
        suffix = entry.suffix.lower()
        if suffix in PICTURE_SUFFIXES or _MASKS.search(entry.name):
            continue
        if entry.is_dir():
            inside = list(_search(entry, depth - 1)) if depth else []
            yield from inside or ([entry] if pictures_in(entry) else [])
        elif suffix in VIDEO_SUFFIXES or holds_features(entry):
            yield entry
