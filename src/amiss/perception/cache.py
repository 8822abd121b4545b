"""A cache of arrays on disk, keyed by content and configuration, safe against a kill half-way.

An entry is a folder `KEY/` with a raw file per array and `entry.json`. It is written under another name and renamed
when it is whole, so that what bears its key is whole; an entry that was cut short afterwards is dropped.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amiss.storage import storage_errors

__all__ = ["Cache", "Entry", "EntryWriter", "content_key", "default_cache"]

INDEX = "entry.json"


def default_cache() -> Path:
    """`AMISS_CACHE`, or `amiss` in the user's cache folder."""
    if chosen := os.environ.get("AMISS_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "amiss"


def content_key(*parts: Any) -> str:
    """A key of whatever has a stable JSON text."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class Entry:
    """A whole entry: memory-mapped arrays and what was noted with them.

    Attributes:
        key: What it is kept under.
        meta: What the writer noted.
        arrays: Read-only arrays by name.
    """

    def __init__(self, folder: Path) -> None:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        self._folder = folder
        self.key = folder.name
        self.meta: dict[str, Any] = index["meta"]
        self.arrays: dict[str, NDArray[Any]] = {
            name: self._open(folder / f"{name}.bin", np.dtype(dtype), tuple(shape))
            for name, (dtype, shape) in index["arrays"].items()
        }

    def __reduce__(self) -> tuple[type[Entry], tuple[Path]]:
        """Another process opens it anew; else all of it would be copied."""
        return Entry, (self._folder,)

    @staticmethod
    def _open(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        if path.stat().st_size != dtype.itemsize * int(np.prod(shape)):
            raise ValueError(f"{path} is cut short")
        return np.memmap(path, dtype, "r", shape=shape) if np.prod(shape) else np.zeros(shape, dtype)


class EntryWriter:
    """Appends to the arrays of an entry; nothing is held in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, IO[bytes]] = {}
        self._arrays: dict[str, tuple[str, list[int]]] = {}
        self.meta: dict[str, Any] = {}

    def append(self, arrays: Mapping[str, ArrayLike]) -> None:
        """Append along the first axis; a name keeps its dtype and its other axes."""
        for name, value in arrays.items():
            array = np.ascontiguousarray(value)
            if name not in self._files:
                self._files[name] = (self._folder / f"{name}.bin").open("wb")
                self._arrays[name] = (array.dtype.str, [0, *array.shape[1:]])
            dtype, shape = self._arrays[name]
            if array.dtype.str != dtype or list(array.shape[1:]) != shape[1:]:
                raise ValueError(f"{name} changed from {dtype} {shape[1:]} to {array.dtype.str} {array.shape[1:]}")
            self._files[name].write(array.data)
            shape[0] += len(array)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def finish(self) -> None:
        """Bring everything to disk, and write the index."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        self.close()
        text = json.dumps({"meta": self.meta, "arrays": self._arrays})
        (self._folder / INDEX).write_text(text, encoding="utf-8")


class Cache:
    """Entries by key.

    Args:
        root: Folder; made when first written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, key: str) -> Entry | None:
        """The entry of `key`, or None; a damaged one is dropped."""
        folder = self.root / key
        if not folder.is_dir():
            return None
        try:
            return Entry(folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            shutil.rmtree(folder, ignore_errors=True)
            return None

    @contextlib.contextmanager
    def writing(self, key: str) -> Iterator[EntryWriter]:
        """Write the entry of `key`; it appears when the block ends well, and leaves nothing when it does not.

        Raises:
            StorageError: The disk is full or cannot be written.
        """
        with storage_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{key}.", dir=self.root))
            writer = EntryWriter(folder)
            try:
                yield writer
                writer.finish()
                self._publish(folder, key)
            finally:
                with contextlib.suppress(OSError):
                    writer.close()
                shutil.rmtree(folder, ignore_errors=True)

    def _publish(self, folder: Path, key: str) -> None:
        """Give a finished folder its name, unless another process was first."""
        with contextlib.suppress(OSError):
            folder.rename(self.root / key)
        if not (self.root / key / INDEX).is_file():
            raise OSError(errno.EACCES, "cannot rename", str(self.root / key))
