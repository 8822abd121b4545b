"""Finding clips in the folders that people keep benchmarks in."""

from __future__ import annotations

from pathlib import Path

from amiss.datasets.base import Found, Split
from amiss.footage.file import VIDEO_SUFFIXES
from amiss.footage.folder import pictures_in
from amiss.footage.names import visible

__all__ = ["COMMUNITY", "clips_in", "community_clips"]

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
