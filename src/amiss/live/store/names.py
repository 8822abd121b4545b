"""Names of media within their folder."""

from __future__ import annotations

from pathlib import PurePosixPath

from amiss.errors import StorageError

__all__ = ["media_name"]


def media_name(name: str) -> str:
    """The same name, if it stays within the folder.

    Args:
        name: Relative, with `/` between its parts.

    Raises:
        StorageError: It does not.
    """
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute() or "\\" in name or "\x00" in name:
        raise StorageError(f"{name!r} is no name within the folder of media; media are kept nowhere else")
    return name
