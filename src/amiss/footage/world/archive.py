"""NumPy archives that are written piece by piece, whole or not at all, with the same bytes for the same content."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

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
        with self._entry(name) as stream:
            np.lib.format.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)

    @contextmanager
    def pieces(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Iterator[Callable[[NDArray[Any]], None]]:
        """Append an array under `name` whose rows are handed over one by one; nothing else can be added meanwhile."""
        with self._entry(name) as stream:
            head = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_2_0(stream, head)
            yield lambda row: _put(stream, np.asarray(row, dtype))

    def copy(self, source: zipfile.ZipFile, name: str, new_name: str) -> None:
        """Append an array of another archive under a new name, without having it in memory."""
        with source.open(f"{name}.npy") as origin, self._entry(new_name) as stream:
            shutil.copyfileobj(origin, stream, 1 << 20)

    def _entry(self, name: str) -> IO[bytes]:
        entry = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        return self._target.open(entry, "w", force_zip64=True)


def _put(stream: IO[bytes], row: NDArray[Any]) -> None:
    stream.write(row.tobytes())


@contextmanager
def archive(path: Path) -> Iterator[Archive]:
    """Write an `.npz`; it appears at `path` when it is whole.

    Raises:
        StorageError: The disk is full or cannot be written.
    """
    with whole(path) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as target:
        yield Archive(target)
