"""The calibrated curve of a camera on disk, so that one can ask what another budget would have raised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from amiss.errors import StorageError
from amiss.storage import whole_file
from amiss.types import FloatArray

__all__ = ["CurveWriter", "read_curve"]

MINUTES = 10.0
"""Of curve in a file."""

Kept = Callable[[Path, float, float, int], None]
"""Told of a file, the times of its first and last frame, and their number."""


class CurveWriter:
    """Writes the curve in files of some minutes.

    Args:
        folder: Where to.
        kept: Called with each file that is whole.
    """

    def __init__(self, folder: Path, kept: Kept) -> None:
        self._folder, self._kept = folder, kept
        self._at: list[float] = []
        self._calibrated: list[float] = []

    def add(self, at: float, calibrated: float) -> None:
        """Append a frame.

        Args:
            at: Seconds since 1970.
            calibrated: -log10 of the share of normal footage that scores as high.

        Raises:
            StorageError: The file of the last minutes cannot be written.
        """
        if self._at and not 0 <= at - self._at[0] < MINUTES * 60:
            self.flush()
        self._at.append(at)
        self._calibrated.append(calibrated)

    def flush(self) -> None:
        """Write what there is.

        Raises:
            StorageError: It cannot be written.
        """
        if not self._at:
            return
        at, calibrated = self._at, self._calibrated
        self._at, self._calibrated = [], []
        path = self._folder / f"{datetime.fromtimestamp(at[0], UTC):%Y%m%dT%H%M%S%f}.parquet"
        with whole_file(path) as partial:
            table = pa.table({"at": pa.array(at, pa.float64()), "calibrated": pa.array(calibrated, pa.float64())})
            pq.write_table(table, partial, compression="zstd")
        self._kept(path, at[0], at[-1], len(at))


def read_curve(paths: Sequence[Path]) -> tuple[FloatArray, FloatArray]:
    """Times `(T,)` in seconds since 1970 and calibrated scores `(T,)` of some files, in order of time.

    Raises:
        StorageError: A file is missing or damaged.
    """
    at: list[FloatArray] = [np.zeros(0)]
    calibrated: list[FloatArray] = [np.zeros(0)]
    for path in paths:
        try:
            table = pq.read_table(path, columns=["at", "calibrated"])
        except (OSError, KeyError, pa.ArrowException) as error:
            raise StorageError(f"the curve {path} is missing or damaged ({error}); delete it") from None
        at.append(table.column("at").to_numpy())
        calibrated.append(table.column("calibrated").to_numpy())
    times, values = np.concatenate(at), np.concatenate(calibrated)
    order = np.argsort(times, kind="stable")
    return times[order], values[order]
