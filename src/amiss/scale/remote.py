"""Footage in object storage: a copy on this machine while it is worked on."""

from __future__ import annotations

import hashlib
import shutil
import socket
from pathlib import Path

from amiss.errors import FootageError, StorageError

__all__ = ["LocalCopies", "is_remote", "list_remote"]


def is_remote(place: str) -> bool:
    """Whether a place is an address such as `s3://bucket/name.mp4`, and not a path."""
    scheme, mark, _ = place.partition("://")
    return bool(mark) and scheme.isalnum()


def list_remote(place: str) -> list[str]:
    """The files that an address names, which may be a folder or hold `*`, in order of their names.

    Raises:
        FootageError: It cannot be read.
    """
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(place)
        found = system.glob(path) if "*" in path else system.find(path)
        return [system.unstrip_protocol(name) for name in sorted(found)]
    except (OSError, ValueError, ImportError) as error:
        raise FootageError(f"{place} cannot be listed ({_said(error)}); check the address and your access") from error


class LocalCopies:
    """Copies of remote files on this machine.

    Args:
        folder: Where they are put.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, place: str) -> Path:
        """Where a file lies on this machine, copied first if it is remote.

        Raises:
            FootageError: It cannot be copied.
            StorageError: The disk is full.
        """
        if not is_remote(place):
            return Path(place)
        target = self._target(place)
        if not target.is_file():
            self._copy(place, target)
        return target

    def stamp(self, place: str) -> str:
        """What changes when a file is written anew, without reading it.

        Raises:
            FootageError: It is not there.
        """
        try:
            return _stamp_there(place) if is_remote(place) else _stamp_here(Path(place))
        except (OSError, ValueError, ImportError) as error:
            host = "" if is_remote(place) else f" on {socket.gethostname()}"
            raise FootageError(f"{place} cannot be read{host} ({_said(error)}); check the path") from error

    def drop(self, place: str) -> None:
        """Remove the copy of a file, if there is one."""
        if is_remote(place):
            shutil.rmtree(self._target(place).parent, ignore_errors=True)

    def _target(self, place: str) -> Path:
        folder = hashlib.blake2b(place.encode(), digest_size=8).hexdigest()
        return self._folder / folder / place.rpartition("/")[2]

    def _copy(self, place: str, target: Path) -> None:
        import fsspec

        partial = target.with_name(f".{target.name}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot write {target.parent} ({error.strerror}); choose another TMPDIR") from error
        try:
            system, path = fsspec.core.url_to_fs(place)
            system.get_file(path, str(partial))
        except (OSError, ValueError, ImportError) as error:
            raise FootageError(f"{place} cannot be read ({_said(error)}); check the address and your access") from error
        partial.replace(target)


def _stamp_here(path: Path) -> str:
    """Sizes and times of a file, or of all in a folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    told = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()


def _stamp_there(place: str) -> str:
    import fsspec

    system, path = fsspec.core.url_to_fs(place)
    return str(system.ukey(path))


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__
