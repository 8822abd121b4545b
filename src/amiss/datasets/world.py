"""The synthetic world: rendered places with full truth.

Layout: `world.json` with a description of each clip (name, split, place, act, label, rate, frames),
`training/NAME.mp4`, `testing/NAME.mp4`, `frame_labels.npz`, `masks.npz`, `boxes_training.npz` and `boxes_testing.npz`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from amiss.datasets.base import Clip, Dataset, Found, Split
from amiss.datasets.files import read_text
from amiss.datasets.layout import clips_in
from amiss.errors import DatasetError

__all__ = ["World"]


class World(Dataset):
    """Footage as `amiss world` writes it; the camera of a clip is its place."""

    id = "world"
    title = "the synthetic world"
    looked_for = "world.json, training/NAME.mp4 and testing/NAME.mp4, as amiss world writes them"

    def _find(self, split: Split) -> Sequence[Found]:
        there = dict(clips_in(self.root / split))
        told = [name for where, name in self._places if where == split]
        if missing := [name for name in told if name not in there]:
            raise DatasetError(f"{self.root / split} has no video of {missing[0]}; write the world again")
        return [(name, there[name]) for name in told]

    def _clip(self, split: Split, name: str, path: Path) -> Clip:
        return replace(super()._clip(split, name, path), camera=self._places[split, name])

    @cached_property
    def _places(self) -> Mapping[tuple[str, str], str]:
        """The place of each clip in `world.json`, by split and name; both splits may use the same names."""
        path = self.root / "world.json"
        if not path.is_file():
            raise DatasetError(f"{self.root} is not laid out as {self.title}; looked for {self.looked_for}")
        try:
            clips = json.loads(read_text(path))["clips"]
            return {(str(clip["split"]), str(clip["name"])): str(clip["place"]) for clip in clips}
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{path} has no list of clips with name, split and place; write it again") from error
