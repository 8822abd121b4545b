"""Order, names and hashes of files."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import inf
from pathlib import Path

from amiss.errors import FootageError

__all__ = ["content_hash", "natural_key", "safe_name", "unique_names", "visible"]

_BLOCK = 1 << 20


def natural_key(name: str) -> tuple[list[tuple[float, str]], str]:
    """A sort key under which numbers in names count as numbers: 2 before 10.

    Args:
        name: A file name.
    """
    pieces = re.split(r"([0-9]+)", name.casefold())
    return [(int(piece), "") if piece.isdecimal() else (inf, piece) for piece in pieces if piece], name


def visible(folder: Path) -> list[Path]:
    """What is in `folder` in natural order, without hidden files and the `._*` companions that some systems leave.

    Raises:
        FootageError: The folder cannot be listed.
    """
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise FootageError(f"{folder} cannot be listed: {error.strerror}") from error
    return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: natural_key(e.name))


def safe_name(text: str) -> str:
    """`text` with everything but letters, digits, `.`, `-` and `_` replaced, and no leading dot."""
    return re.sub(r"[^\w.-]+", "_", text).lstrip(".") or "clip"


def unique_names(paths: Sequence[Path]) -> list[str]:
    """A safe name for each path: its stem or folder name, with parents' names before it where two would be equal.

    Upper and lower case count as equal, since some file systems see them so.

    Args:
        paths: Different files and folders.

    Returns:
        As many different names, such as `01`, or `a-01` and `b-01` for `a/01.avi` and `b/01.avi`.
    """
    parts = [_parts(path) for path in paths]
    depth = [1] * len(parts)
    while True:
        names = [safe_name("-".join(p[-d:])) for p, d in zip(parts, depth, strict=True)]
        count = Counter(name.casefold() for name in names)
        deeper = [i for i, name in enumerate(names) if count[name.casefold()] > 1 and depth[i] < len(parts[i])]
        if not deeper:
            return _numbered(names)
        for i in deeper:
            depth[i] += 1


def _parts(path: Path) -> list[str]:
    """The names from the root to `path`, the last one without its suffix."""
    path = path.resolve() if path.name in ("", "..") else path.absolute()
    stem = path.name if path.is_dir() else path.stem
    return [part for part in path.parts[1:-1] if part != ".."] + [stem]


def _numbered(names: Sequence[str]) -> list[str]:
    """`names` with a number behind those that are still taken, as `a.avi` and `a.mp4` in one folder."""
    taken: set[str] = set()
    result = []
    for name in names:
        number, free = 2, name
        while free.casefold() in taken:
            number, free = number + 1, f"{name}-{number}"
        taken.add(free.casefold())
        result.append(free)
    return result


def content_hash(files: Iterable[Path], salt: str = "") -> str:
    """A hash of the bytes of `files` in their order, read in blocks.

    Args:
        files: The files; their names and places do not count.
        salt: What else distinguishes the content.

    Returns:
        32 hexadecimal digits.

    Raises:
        FootageError: One cannot be read.
    """
    digest = hashlib.blake2b(salt.encode(), digest_size=16)
    for file in files:
        try:
            with file.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
                digest.update(stream.tell().to_bytes(8, "big"))
        except OSError as error:
            raise FootageError(f"{file} cannot be read: {error.strerror}") from error
    return digest.hexdigest()
