"""UCSD pedestrians: two cameras over walkways.

Official layout: `Train/Train001/001.tif`, `Test/Test001/001.tif`, pixel masks in `Test/Test001_gt/`, and frame
intervals in `UCSDped2.m` (here or in `Test/`). Clips are called by their number, `01` for `Test001`, as in the
community layout.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from amiss.datasets.base import Clip, Dataset, Found, Split
from amiss.datasets.files import frames_of, from_intervals, read_text
from amiss.datasets.layout import COMMUNITY, community_clips
from amiss.errors import DatasetError
from amiss.footage.folder import pictures_in, read_picture
from amiss.footage.names import visible
from amiss.types import BoolArray, Image

__all__ = ["Ped1", "Ped2", "parse_intervals"]

_WORDS: Mapping[Split, str] = {"training": "Train", "testing": "Test"}


class _Ucsd(Dataset):
    """What both cameras have in common."""

    rate = 10.0
    annotations: ClassVar[str]

    def __init__(self, root: Path | str, *, fps: float | None = None) -> None:
        inner = Path(root) / Path(self.annotations).stem
        super().__init__(inner if inner.is_dir() else root, fps=fps)

    def _find(self, split: Split) -> Sequence[Found]:
        word = _WORDS[split]
        folder = self.root / word
        found = []
        for entry in visible(folder) if folder.is_dir() else ():
            number = re.fullmatch(rf"{word}(\d+)", entry.name)
            if number and entry.is_dir() and pictures_in(entry):
                found.append((f"{int(number[1]):02d}", entry))
        return found or community_clips(self.root, split)

    def _read_labels(self, clip: Clip) -> Image | None:
        labels = super()._read_labels(clip)
        if labels is None and self._intervals is not None:
            number = int(re.sub(r"\D", "", clip.name) or 0)
            if not 0 < number <= len(self._intervals):
                raise DatasetError(f"{self.annotations} has {len(self._intervals)} clips, none for clip {clip.name}")
            length = clip.footage.length or 0
            return from_intervals(self._intervals[number - 1], length, f"clip {clip.name} in {self.annotations}")
        masks = self._read_masks(clip) if labels is None else None
        return labels if masks is None else frames_of(masks)

    @cached_property
    def _intervals(self) -> list[list[tuple[int, int]]] | None:
        for path in (self.root / self.annotations, self.root / "Test" / self.annotations):
            if path.is_file():
                return parse_intervals(read_text(path), path)
        return None

    def _read_masks(self, clip: Clip) -> BoolArray | None:
        masks = super()._read_masks(clip)
        folder = clip.footage.path.with_name(f"{clip.footage.path.name}_gt")
        pictures = pictures_in(folder) if folder.is_dir() else []
        if masks is not None or not pictures:
            return masks
        numbered = {_number(path): path for path in pictures}
        if len(numbered) < len(pictures) or sorted(numbered) != list(
            range(min(numbered), min(numbered) + len(pictures))
        ):
            raise DatasetError(f"the masks in {folder} are not numbered one by one; copy the folder again")
        return np.stack([read_picture(numbered[number]).any(axis=2) for number in sorted(numbered)])


class Ped2(_Ucsd):
    """UCSD Ped2: people walk along the picture; abnormal are cycles, skateboards and carts."""

    id = "ped2"
    title = "UCSD Ped2"
    published: ClassVar[Mapping[Split, int]] = {"training": 16, "testing": 12}
    annotations = "UCSDped2.m"
    looked_for = f"Train/Train001/001.tif and Test/Test001/001.tif with {annotations}, or {COMMUNITY}"


class Ped1(_Ucsd):
    """UCSD Ped1: people walk towards the camera and away. Only some of its test clips have pixel masks."""

    id = "ped1"
    title = "UCSD Ped1"
    published: ClassVar[Mapping[Split, int]] = {"training": 34, "testing": 36}
    annotations = "UCSDped1.m"
    looked_for = f"Train/Train001/001.tif and Test/Test001/001.tif with {annotations}, or {COMMUNITY}"


def parse_intervals(text: str, path: Path) -> list[list[tuple[int, int]]]:
    """The abnormal intervals of each test clip from lines such as `TestVideoFile{end+1}.gt_frame = [5:90, 140:200];`.

    Args:
        text: The official annotation file, whose frames count from 1.
        path: Where it lies, for the message.

    Returns:
        For each clip in order, its intervals: first and last frame from 0, both inside.

    Raises:
        DatasetError: It has no such line, or one that is neither numbers nor ranges.
    """
    clips = []
    for line in (line.split("%")[0] for line in text.splitlines()):
        if not (match := re.search(r"gt_frame\s*=\s*\[?([^\];]*)\]?", line)):
            continue
        pieces = re.split(r"[,\s]+", re.sub(r"\s*:\s*", ":", match[1].strip()))
        ranges = [re.fullmatch(r"(\d+)(?::(\d+))?", piece) for piece in pieces if piece]
        if not all(ranges):
            raise DatasetError(f"{path} has a line that is not a list of frame ranges: {line.strip()[:80]}")
        clips.append([(int(found[1]) - 1, int(found[2] or found[1]) - 1) for found in ranges if found])
    if not clips:
        raise DatasetError(f"{path} has no line with gt_frame; copy it again")
    return clips


def _number(path: Path) -> int:
    """The last number in a file's name, as in `001.bmp` and `frame001.bmp`."""
    numbers = re.findall(r"\d+", path.stem)
    if not numbers:
        raise DatasetError(f"the mask {path} has no number in its name; take it out of the folder")
    return int(numbers[-1])
