"""The clips of an archive, from what the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from amiss.errors import FootageError
from amiss.footage.file import VIDEO_SUFFIXES
from amiss.footage.find import expanded, list_footage
from amiss.footage.names import unique_names
from amiss.scale.jobs import Place
from amiss.scale.remote import is_remote, list_remote

__all__ = ["list_places"]


def list_places(named: Sequence[str]) -> list[Place]:
    """The clips under what is named, without a look into any.

    Args:
        named: Paths, patterns and lists as for files of this machine, and addresses such as `s3://bucket/2024/`, of
            whose files those count that look like videos.

    Raises:
        FootageError: There is no footage.
    """
    paths = expanded(named)
    here = list_footage([path for path in paths if not is_remote(path)]) if not all(map(is_remote, paths)) else []
    there = [url for path in paths if is_remote(path) for url in _videos(path)]
    if not there:
        return [Place(str(path), name) for path, name in here]
    names = unique_names([path for path, _ in here] + [Path(PurePosixPath(url.partition("://")[2])) for url in there])
    return [Place(url, name) for url, name in zip([*(str(path) for path, _ in here), *there], names, strict=True)]


def _videos(address: str) -> list[str]:
    """The videos at an address."""
    found = list_remote(address)
    videos = [url for url in found if PurePosixPath(url).suffix.lower() in VIDEO_SUFFIXES]
    if not videos:
        raise FootageError(f"{address} holds no video; check the address")
    return videos
