"""The synthetic world: rendered places with full truth.

Layout: `world.json` with a description of each clip (name, split, place, act, label, rate, frames, and the tubes of its
abnormal acts), `training/NAME.mp4`, `testing/NAME.mp4`, `frame_labels.npz`, `masks.npz`, `boxes_training.npz` and
`boxes_testing.npz`. Clips of the split `weak`, if there are any, are in `weak/NAME.mp4`; only weakly supervised methods
learn from them, by their label.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from amiss.datasets.base import Clip, Dataset, Found, Split
from amiss.datasets.files import read_text
from amiss.datasets.layout import clips_in
from amiss.datasets.tables import no_boxes
from amiss.errors import DatasetError
from amiss.types import Tube

__all__ = ["World"]


class World(Dataset):
    """Footage as `amiss world` writes it; the camera of a clip is its place."""

    id = "world"
    title = "the synthetic world"
    looked_for = "world.json, training/NAME.mp4 and testing/NAME.mp4, as amiss world writes them"

    def _find(self, split: Split) -> Sequence[Found]:
        return self._videos(split)

    def _videos(self, folder: str) -> list[Found]:
        """The videos of a split, in the order of `world.json`."""
        there = dict(clips_in(self.root / folder))
        told = [name for where, name in self._facts if where == folder]
        if missing := [name for name in told if name not in there]:
            raise DatasetError(f"{self.root / folder} has no video of {missing[0]}; write the world again")
        return [(name, there[name]) for name in told]

    def _clip(self, split: Split, name: str, path: Path) -> Clip:
        return replace(super()._clip(split, name, path), camera=self._facts[path.parent.name, path.stem]["place"])

    def _weak(self) -> list[tuple[Clip, int]]:
        return [(self._beside(name, path), self._label(name)) for name, path in self._videos("weak")]

    def _label(self, name: str) -> int:
        label = self._facts["weak", name].get("label")
        if label not in (0, 1):
            raise DatasetError(f"{self.root / 'world.json'} has no label 0 or 1 of weak/{name}; write the world again")
        return int(label)

    def _read_event(self, clip: Clip) -> Tube | None:
        tubes = self._facts[clip.split, clip.name].get("tubes")
        if tubes is None:
            return super()._read_event(clip)
        try:
            return _merged(tubes, clip.footage.rate)
        except (ValueError, KeyError, TypeError) as error:
            path = self.root / "world.json"
            raise DatasetError(f"{path} has damaged tubes of clip {clip.name}; write the world again") from error

    @cached_property
    def _facts(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """What `world.json` says of each clip, by split and name; splits may use the same names."""
        path = self.root / "world.json"
        if not path.is_file():
            raise DatasetError(f"{self.root} is not laid out as {self.title}; looked for {self.looked_for}")
        try:
            clips = json.loads(read_text(path))["clips"]
            return {(str(clip["split"]), str(clip["name"])): clip | {"place": str(clip["place"])} for clip in clips}
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{path} has no list of clips with name, split and place; write it again") from error


def _merged(tubes: Sequence[Mapping[str, Any]], rate: float) -> Tube:
    """The boxes of all tubes in order of frames."""
    names = ("frame", "track", "xyxy")
    rows = [row for tube in tubes for row in zip(*(tube[name] for name in names), strict=True)]
    if not rows:
        return no_boxes()
    frame, track, xyxy = (np.array(column) for column in zip(*sorted(rows, key=lambda row: int(row[0])), strict=True))
    return Tube(frame=frame, seconds=frame / rate, xyxy=xyxy, track=track)
