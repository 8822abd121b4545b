"""Fetching a file so that what bears its name is whole and unaltered."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast

from amiss.errors import WeightsError
from amiss.storage import storage_errors

__all__ = ["Progress", "download", "silent"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many bytes are there, and of how many."""

TIMEOUT = 20.0
"""Seconds without an answer after which a server counts as absent."""
CHUNK = 1 << 18


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def download(url: str, path: Path, size: int, sha256: str, progress: Progress = silent) -> None:
    """Fetch a file into `path`; what an earlier attempt has left in `path.part` is continued.

    Args:
        url: Where it is, http or https.
        path: Where it shall be; it takes this name when it is whole and its hash is right.
        size: Bytes that it must have.
        sha256: Hash that it must have, in hexadecimal digits.
        progress: Told how far it is.

    Raises:
        WeightsError: It cannot be reached, breaks off, or is not what it should be.
        StorageError: It cannot be written.
    """
    part = path.with_name(path.name + ".part")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        have = part.stat().st_size if part.is_file() else 0
        if have > size:
            part.unlink()
            have = 0
    if have < size:
        _fetch(url, part, size, have, progress)
    with storage_errors(path):
        got = hashlib.sha256(part.read_bytes()).hexdigest()
        if got != sha256:
            part.unlink()
            raise WeightsError("what came has another hash than the published file")
        part.replace(path)


def _fetch(url: str, part: Path, size: int, have: int, progress: Progress) -> None:
    """Append what is missing to `part`; from the beginning if the server does not send ranges."""
    if not url.startswith(("https://", "http://")):
        raise WeightsError("only http and https are fetched")
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310  # checked above
    try:
        with cast("HTTPResponse", urllib.request.urlopen(request, timeout=TIMEOUT)) as answer:  # noqa: S310  # as above
            have = have if answer.status == 206 else 0  # partial content
            _append(answer, part, size, have, progress, url.rsplit("/", 1)[-1])
    except (OSError, HTTPException) as error:
        raise WeightsError(str(getattr(error, "reason", "") or error) or type(error).__name__) from None


def _append(answer: HTTPResponse, part: Path, size: int, have: int, progress: Progress, name: str) -> None:
    with storage_errors(part):
        file = part.open("r+b" if have else "wb")
    with file:
        file.seek(have)
        while chunk := answer.read(min(CHUNK, size + 1 - have)):
            with storage_errors(part):  # what reading raises is the network's matter
                file.write(chunk)
                file.flush()
            have += len(chunk)
            progress(f"fetching {name}", min(have, size), size)
            if have > size:
                break
    if have > size:
        part.unlink()
        raise WeightsError(f"what came is longer than the published {size:,} bytes")
    if have < size:
        raise WeightsError(f"it broke off after {have:,} of {size:,} bytes; run it again to go on")
