"""What a camera gives to others, and what it has from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.errors import ModelError
from amiss.methods.attributes.attribute import Attribute
from amiss.methods.attributes.elsewhere import SHARE, Elsewhere, evenly, mixed, own_share
from amiss.methods.attributes.prior import SHARED, TRANSFERABLE, UNITS, Prior
from amiss.methods.borrowed import Borrowed
from amiss.types import FloatArray, IntArray, Windows

__all__ = ["Lent"]

FROM = "elsewhere."
"""What the names of arrays that came from other cameras begin with."""
NOTED = ("tracks", "windows")


class Lent:
    """Samples of the transferable attributes of this camera, and those of others beside them.

    Args:
        strength: So many tracks of its own count as much as all that others have shown.
        neighbours: The k of the k-th nearest sample.
    """

    def __init__(self, strength: float, neighbours: int) -> None:
        self._strength, self._neighbours = strength, neighbours
        self._own: dict[str, NDArray[Any]] = {}
        self._seen = dict.fromkeys(NOTED, 0.0)
        self._elsewhere: dict[str, Elsewhere] = {}
        self.borrowed: Borrowed | None = None

    @property
    def tracks(self) -> float:
        """How many tracks the camera has seen; what was taken in later counts by the windows that a track had."""
        return self._seen["tracks"]

    def fit(self, attributes: Sequence[Attribute], windows: Windows, tracks: IntArray, groups: IntArray) -> None:
        """Note what may be of use to other cameras.

        Args:
            attributes: Those that are looked at.
            windows: Normal ones.
            tracks: `(N,)` number of the track of each.
            groups: `(N,)` what it is left out with.
        """
        self._seen = {"tracks": float(len(np.unique(tracks))), "windows": float(len(windows))}
        for attribute in attributes:
            rows = np.flatnonzero(attribute.known(windows)) if attribute.id in TRANSFERABLE else np.zeros(0, np.int64)
            if len(np.unique(groups[rows])) > 1:
                some = rows[evenly(len(rows))] if len(rows) > SHARE else rows
                self._own |= {f"{attribute.id}.samples": attribute.vectors(windows[some])}
                self._own |= {f"{attribute.id}.groups": np.asarray(groups[some], np.int64)}

    def borrow(self, prior: Prior, names: Sequence[str]) -> None:
        """Have what other cameras have shown stand beside what this one has.

        Args:
            prior: Of the other cameras.
            names: The attributes that are looked at.

        Raises:
            ModelError: It says nothing of any of them.
        """
        for name in names:
            those = [camera.arrays for camera in prior.cameras if name in camera.attributes]
            if those:
                self._elsewhere[name] = Elsewhere(self._neighbours)
                samples, groups = ([arrays[f"{name}.{kind}"] for arrays in those] for kind in ("samples", "groups"))
                self._elsewhere[name].fit(samples, groups)
        if not self._elsewhere:
            raise ModelError(
                f"the prior says nothing of {', '.join(names)}; learn its models with the same method.parts"
            )
        tails = [(camera.scores, camera.tails) for camera in prior.cameras]
        self.borrowed = Borrowed(tuple(c.name for c in prior.cameras), prior.licences, self._strength, tails)

    def mixed(self, attribute: Attribute, windows: Windows, own: FloatArray) -> FloatArray:
        """`(N,)` scores of an attribute by what this camera and others have seen, from those by its own alone."""
        other = self._elsewhere.get(attribute.id)
        if other is None or not len(windows):
            return own
        known = attribute.known(windows)
        score = np.where(known, other.score(attribute.vectors(windows)), 0.0)
        return np.where(known, mixed(own, score, own_share(self.tracks, self._strength)), own)

    def update(self, windows: int) -> None:
        """Count more windows of this camera as tracks of its usual length."""
        seen = self._seen
        if seen["windows"]:
            more = (seen["windows"] + windows) / seen["windows"]
            self._seen = {name: value * more for name, value in seen.items()}

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""
        own = self._own | {name: np.array(value) for name, value in self._seen.items()} | {"units": np.array(UNITS)}
        others = {f"{n}.{key}": array for n, one in self._elsewhere.items() for key, array in one.state().items()}
        return {SHARED + name: array for name, array in own.items()} | {FROM + key: a for key, a in others.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        own = {name.removeprefix(SHARED): array for name, array in state.items() if name.startswith(SHARED)}
        self._seen = {name: float(own[name]) for name in NOTED}
        self._own = {name: array for name, array in own.items() if name.endswith((".samples", ".groups"))}
        others = {name.removeprefix(FROM): array for name, array in state.items() if name.startswith(FROM)}
        for name in dict.fromkeys(key.partition(".")[0] for key in others):
            self._elsewhere[name] = Elsewhere(self._neighbours)
            mine = {key.partition(".")[2]: array for key, array in others.items() if key.partition(".")[0] == name}
            self._elsewhere[name].restore(mine)
