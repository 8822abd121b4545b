"""Clips and pictures: written whole, named in the store only then, and deleted with their names."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Any, Protocol

from amiss.errors import BusyError, StorageError
from amiss.footage.names import safe_name
from amiss.live.nouns import EventRow
from amiss.live.settings import MediaSettings
from amiss.live.store.names import media_name
from amiss.live.store.store import Store
from amiss.storage import storage_errors

__all__ = ["Media", "MediaKind", "MediaReport"]

log = logging.getLogger(__name__)

PARTIAL = ".partial"
MARK = ".amiss"
"""A file in the folder, so that it is told from an empty one in its place where its disk is not mounted."""
GRACE = 600.0
"""Seconds for which a file may lie there before an event has to know it."""
DAY, GIGABYTE = 86400.0, 1e9


class MediaKind(StrEnum):
    """What a file of an event is; the value is its field in `EventRow`."""

    SNAPSHOT = "snapshot"
    CLIP = "clip"

    @property
    def suffix(self) -> str:
        """Of its file."""
        return ".jpg" if self is MediaKind.SNAPSHOT else ".mp4"


class Usage(Protocol):
    """How much room there is, as `shutil.disk_usage` says it."""

    @property
    def free(self) -> int:
        """Bytes."""


@dataclass(frozen=True)
class MediaReport:
    """What a check found, by names relative to the folder of media.

    Attributes:
        partial: Half-written files that were deleted.
        missing: Files that events named and that are not there; the events name them no more, unless most are
            missing and the folder seems to be another one.
        deleted: Files that no event knew, and that were deleted.
        kept: Files that no event knows, and that were left: they are recent, or older than the first event of the
            store, which may have lost the events that they are of.
    """

    partial: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


class Media:
    """The folder of clips and pictures of a store.

    Several processes may share a database, each with a folder of its own for its own cameras, or with one folder
    for all of theirs, see `look_after`.

    Args:
        store: Where events name their files.
        settings: How long they are kept.
        cameras: Names of the cameras that are looked after here; all if None.
        usage: Room on the disk of a folder.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        settings: MediaSettings,
        cameras: Collection[str] | None = None,
        *,
        usage: Callable[[Path], Usage] = shutil.disk_usage,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._settings = settings
        self._cameras = cameras
        self._shared = False
        self._usage = usage
        self._clock = clock
        self._writing: set[Path] = set()
        self._lock = threading.Lock()

    def look_after(self, cameras: Collection[str]) -> None:
        """From now on look after these cameras only, in a folder in which other processes write for theirs."""
        self._cameras, self._shared = frozenset(cameras), True

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._store.media

    def write(self, event: str, kind: MediaKind, writer: Callable[[Path], None]) -> str:
        """Write a file of an event: under another name first, then on the disk, then named, then known to the store.

        Args:
            event: Id of an event that is kept.
            kind: What it is.
            writer: Writes to the path that it is given, whose suffix is that of the file.

        Returns:
            The name, relative to the folder.

        Raises:
            StorageError: It cannot be written, or there is no such event; nothing of it is left, and the event is as
                it was.
        """
        row = self._store.event(event)
        if row is None:
            raise StorageError(f"the store has no event {event!r} that a {kind} could be of")
        name = _name_of(row, kind)
        path = self.folder / name
        with self._partial(path) as partial, storage_errors(path):
            _make_folder(path.parent, self.folder)
            writer(partial)
            _sync(partial)
            partial.replace(path)
            _sync(path.parent)
        self._store.set_media(event, **{str(kind): name})
        return name

    def sweep(self, now: float | None = None) -> list[str]:
        """Delete what is too old, and the oldest while the disk has too little room; never of events that are open.

        Args:
            now: Seconds since 1970; by the clock if None.

        Returns:
            Names of what was deleted.

        Raises:
            StorageError: The store failed.
        """
        old = (self._clock() if now is None else now) - DAY * self._settings.days
        gone = [name for row in self._closed(ended=old) for name in self._drop(row)]
        while self._usage(self.folder).free < GIGABYTE * self._settings.free:
            oldest = self._closed(limit=1)
            names = self._drop(oldest[0]) if oldest else []
            if not names:
                log.warning(
                    "%s has less than %g GB free and no media that could be deleted", self.folder, self._settings.free
                )
                break
            gone += names
        return gone

    def check(self, now: float | None = None) -> MediaReport:
        """Mend what a crash left: call it at the start, before anything is written.

        Args:
            now: Seconds since 1970; by the clock if None.

        Raises:
            StorageError: The database is damaged, or the store failed.
        """
        self._store.verify()
        now = self._clock() if now is None else now
        partial, whole = self._found()
        if self._shared:  # another process may be writing them
            partial = [path for path in partial if _written(path) < now - GRACE]
        for path in partial:
            _delete(path)
        known = self._store.media_names(self._cameras)
        missing = sorted(name for name in known if not (self.folder / name).is_file())
        if not self._is_its_own(len(known), len(missing)):
            log.error(
                "%s lacks %d of %d files of events, and may not be the folder that they were written to: is a disk not "
                "mounted? Nothing is cleared or deleted there",
                *(self.folder, len(missing), len(known)),
            )
            return MediaReport(tuple(sorted(map(self._relative, partial))), tuple(missing))
        self._store.clear_media(missing)
        unknown = sorted(name for name in whole if name not in known)
        first = self._store.first_start()
        old = [name for name in unknown if first <= _written(self.folder / name) < now - GRACE]
        deleted = self._delete_all(old)
        kept = [name for name in unknown if name not in deleted]
        names = tuple(sorted(self._relative(path) for path in partial))
        report = MediaReport(names, tuple(missing), tuple(deleted), tuple(kept))
        _tell(report)
        return report

    def _is_its_own(self, known: int, missing: int) -> bool:
        """Whether the folder is the one that events' files were written to, and not an empty one in its place.

        It is marked so, once it has most of what events name.
        """
        mark = self.folder / MARK
        if not mark.is_file() and 2 * missing > known:
            return False
        with storage_errors(mark):
            mark.touch()
        return True

    def _closed(self, **limits: Any) -> list[EventRow]:
        return self._store.events_with_media(self._cameras, **limits)

    def _drop(self, row: EventRow) -> list[str]:
        """Delete the files of an event, after it names them no more."""
        try:
            names = self._store.drop_media(row.id)
        except BusyError:
            raise
        except StorageError:  # a disk that is full to the brim has no room for the change either: make some first
            names = self._delete_all([name for name in (row.snapshot, row.clip) if name is not None])
            self._store.drop_media(row.id)
            return names
        return self._delete_all(names)

    def _delete_all(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if _delete(self.folder / media_name(name))]

    @contextmanager
    def _partial(self, path: Path) -> Iterator[Path]:
        """A temporary name that a check leaves alone meanwhile, and that is gone afterwards."""
        partial = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}{PARTIAL}{path.suffix}")
        with self._lock:
            self._writing.add(partial)
        try:
            yield partial
        finally:
            with suppress(OSError):  # what went wrong before is what matters
                partial.unlink(missing_ok=True)
            with self._lock:
                self._writing.discard(partial)

    def _found(self) -> tuple[list[Path], list[str]]:
        """Half-written files that nobody writes any more, and the names of whole ones."""
        homes = None if self._cameras is None else {safe_name(camera) for camera in self._cameras}
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        files = [path for path in files if homes is None or self._relative(path).split("/")[0] in homes]
        with self._lock:
            writing = set(self._writing)
        partial = [path for path in files if path.stem.endswith(PARTIAL) and path not in writing]
        return partial, [self._relative(path) for path in files if not path.name.startswith(".")]

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def _name_of(row: EventRow, kind: MediaKind) -> str:
    """Camera, day (UTC) and event."""
    safe = safe_name(row.id)
    if safe != row.id:  # two ids may be made the same
        safe += "-" + hashlib.blake2b(row.id.encode(), digest_size=4).hexdigest()
    day = datetime.fromtimestamp(row.start, UTC).strftime("%Y-%m-%d")
    return f"{safe_name(row.camera)}/{day}/{safe}-{kind}{kind.suffix}"


def _make_folder(folder: Path, root: Path) -> None:
    """Make a folder below another one, so that it is on the disk."""
    if not folder.is_dir():
        _make_folder(folder.parent, root)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _delete(path: Path) -> bool:
    """Whether a file is gone."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("cannot delete %s (%s)", path, error.strerror)
        return False
    return True


def _written(path: Path) -> float:
    """When a file was written, in seconds since 1970; infinite of one that is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return inf


def _tell(report: MediaReport) -> None:
    """The log says what was found."""
    said = {
        "%d half-written files were deleted: %s": report.partial,
        "%d files of events are missing: %s": report.missing,
        "%d files that no event knew were deleted: %s": report.deleted,
        "%d files that no event knows were left: %s": report.kept,
    }
    for text, names in said.items():
        if names:
            log.warning(text, len(names), ", ".join(names))
