"""NumPy archives that are written piece by piece, whole or not at all, with the same bytes for the same content."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.errors import StorageError

__all__ = ["Archive", "archive", "whole"]

_EPOCH = (1980, 1, 1, 0, 0, 0)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary name to write to, which becomes `path` when everything went well.

    Raises:
        StorageError: The disk is full or cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; free some space or choose another place"
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


class Archive:
    """An `.npz` that takes one array after the other, so that no two need to be in memory at once."""

    def __init__(self, target: zipfile.ZipFile) -> None:
        self._target = target

    def add(self, name: str, array: NDArray[Any]) -> None:
        """Append an array under `name`."""
        entry = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        with self._target.open(entry, "w", force_zip64=True) as stream:
            np.lib.format.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)


@contextmanager
def archive(path: Path) -> Iterator[Archive]:
    """Write an `.npz`; it appears at `path` when it is whole.

    Raises:
        StorageError: The disk is full or cannot be written.
    """
    with whole(path) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as target:
        yield Archive(target)
