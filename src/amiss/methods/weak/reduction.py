"""Features in fewer numbers: principal components of what footage shows, whatever its label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from amiss.types import FloatArray

__all__ = ["Reduction"]

LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class Reduction:
    """From D numbers to K.

    Attributes:
        mean: `(D,)` float32.
        ways: `(K, D)` float32 components, divided by the root of the mean variance along them.
    """

    mean: FloatArray
    ways: FloatArray

    @classmethod
    def of(cls, values: FloatArray, components: int, seed: int) -> Reduction:
        """The components of `(N, D)` features with the largest variance; at most as many as there are features.

        Args:
            values: A sample.
            components: K.
            seed: Of the approximation by which components are found.
        """
        values = np.asarray(values, np.float32)
        count = min(components, *values.shape)
        found = PCA(count, svd_solver="randomized", random_state=seed).fit(values)
        scale = np.sqrt(max(float(found.explained_variance_.mean()), LEAST))
        # In the order in memory that a loaded one has: products are rounded by it on some processors.
        ways = np.ascontiguousarray(found.components_ / scale, np.float32)
        return cls(found.mean_.astype(np.float32), ways)

    @property
    def length(self) -> int:
        """K."""
        return len(self.ways)

    def __call__(self, values: FloatArray) -> FloatArray:
        """`(N, K)` float32 of `(N, D)`."""
        return np.asarray((np.asarray(values, np.float32) - self.mean) @ self.ways.T)

    def state(self) -> Mapping[str, NDArray[Any]]:
        """All of it as arrays."""
        return {"mean": self.mean, "ways": self.ways}
