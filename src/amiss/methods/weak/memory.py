"""Normal instances that came after training: what is like one of them counts as normal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from amiss.types import FloatArray

__all__ = ["Memory"]

COMPARED = 2048
"""Instances that are compared with each other, at most."""
NEAR = 0.05
"""Quantile of the distances from normal instances to their nearest of another video: closer ones are alike."""


@dataclass(frozen=True, eq=False)
class Memory:
    """Instances that are known to be normal.

    Attributes:
        kept: `(R, K)` float32, the latest last.
        radius: Distance from which on an instance is not like another.
    """

    kept: FloatArray
    radius: float

    @classmethod
    def none(cls, size: int) -> Memory:
        """Of nothing yet."""
        return cls(np.zeros((0, size), np.float32), 1.0)

    @classmethod
    def of(cls, codes: FloatArray, owners: Sequence[str], most: int) -> Memory:
        """Empty, with the radius that normal instances `(N, K)` of the videos `owners` have about them."""
        rows = np.linspace(0, len(codes) - 1, min(COMPARED, len(codes))).round().astype(np.int64)
        apart = cdist(codes[rows], codes[rows])
        owner = np.unique(np.array(owners)[rows], return_inverse=True)[1]
        same = owner[:, None] == owner[None, :] if owner.any() else np.eye(len(rows), dtype=np.bool_)
        nearest = np.where(same, np.inf, apart).min(1)
        known = nearest[np.isfinite(nearest)]
        radius = float(np.quantile(known, NEAR)) if len(known) else 1.0
        return cls(np.zeros((0, codes.shape[1]), np.float32), max(radius, 1e-6) if most else 0.0)

    def with_more(self, codes: FloatArray, most: int) -> Memory:
        """With instances `(N, K)`; of all together the latest `most` are kept."""
        kept = np.concatenate([self.kept, np.asarray(codes, np.float32)])
        return Memory(kept[len(kept) - min(most, len(kept)) :], self.radius)

    def unlike(self, codes: FloatArray) -> FloatArray:
        """`(N,)` from 0, where an instance is one that is kept, to 1, from the radius on."""
        if not len(self.kept) or not len(codes) or not self.radius:
            return np.ones(len(codes))
        return np.asarray(np.minimum(cdist(codes, self.kept).min(1) / self.radius, 1.0))

    def state(self) -> Mapping[str, NDArray[Any]]:
        """All of it as arrays."""
        return {"kept": self.kept, "radius": np.array(self.radius)}
