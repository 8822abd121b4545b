"""What of an archive is done, on disk, so that a later run goes on where one ended."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from amiss.engine.scores import region_table, regions_of
from amiss.errors import BusyError, ScoresError, StorageError
from amiss.footage.cuts import Layout
from amiss.footage.span import Cut
from amiss.scale.jobs import PartScores, Sight
from amiss.storage import storage_errors, whole_file

__all__ = ["Ledger"]

FILE = "ledger.sqlite"
TABLES = """
CREATE TABLE IF NOT EXISTS clips (place TEXT PRIMARY KEY, stamp TEXT NOT NULL, sight TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (key TEXT PRIMARY KEY, place TEXT NOT NULL, file TEXT NOT NULL);
"""
NOTE = b"amiss"


class Ledger:
    """Which clips were looked at, and which of their parts are scored; one driver at a time writes it.

    A part's scores are a file of their own; it is in the ledger only after it is whole.

    Args:
        folder: Of the scores.

    Raises:
        BusyError: Another driver works in this folder.
        StorageError: It cannot be written, or the ledger is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(folder / FILE, timeout=1.0, isolation_level=None)
        with self._said():
            self._database.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.execute("BEGIN EXCLUSIVE")
            self._database.execute("COMMIT")
            self._database.executescript(TABLES)

    def close(self) -> None:
        """Let another driver have it."""
        self._database.close()

    def sight(self, place: str) -> Sight | None:
        """What was seen of a clip the last time."""
        with self._said():
            row = self._database.execute("SELECT sight FROM clips WHERE place = ?", (place,)).fetchone()
        return _sight(json.loads(row[0])) if row else None

    def saw(self, place: str, sight: Sight) -> None:
        """Keep what was seen of a clip."""
        text = json.dumps(dataclasses.asdict(sight))
        with self._said():
            self._database.execute("INSERT OR REPLACE INTO clips VALUES (?, ?, ?)", (place, sight.stamp, text))

    def part(self, key: str) -> PartScores | None:
        """The scores of a part, if it is done and its file is whole."""
        with self._said():
            row = self._database.execute("SELECT file FROM parts WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        try:
            table = pq.read_table(self._folder / row[0])
            note = json.loads(table.schema.metadata[NOTE])
            clock = np.frombuffer(bytes.fromhex(note["clock"]), np.float64)
            return PartScores(regions_of(table), int(note["first"]), clock)
        except (OSError, KeyError, ValueError, TypeError, ScoresError, pa.ArrowException):
            return None  # it is made anew

    def keep(self, key: str, place: str, file: Path, scores: PartScores) -> None:
        """Keep the scores of a part.

        Args:
            key: Of the part.
            place: Of its clip.
            file: Where to, within the folder.
            scores: Of the part.

        Raises:
            StorageError: They cannot be written.
        """
        note = {"first": scores.first, "clock": scores.clock.tobytes().hex()}
        table = region_table(file.stem, scores.regions).replace_schema_metadata({NOTE: json.dumps(note)})
        with whole_file(self._folder / file) as partial:
            pq.write_table(table, partial)
        with self._said():
            self._database.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?)", (key, place, file.as_posix()))

    def forget(self, place: str) -> None:
        """Drop the parts of a clip that is scored as a whole now."""
        with self._said():
            files = self._database.execute("SELECT file FROM parts WHERE place = ?", (place,)).fetchall()
            self._database.execute("DELETE FROM parts WHERE place = ?", (place,))
        for (file,) in files:
            (self._folder / file).unlink(missing_ok=True)

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise BusyError(f"another run writes to {self._folder}; wait for it, or give another --out") from error
            raise StorageError(f"{self._folder / FILE} cannot be written ({error})") from error
        except sqlite3.DatabaseError as error:
            raise StorageError(f"{self._folder / FILE} is damaged ({error}); remove it to begin anew") from error


def _sight(told: dict[str, Any]) -> Sight:
    layout = told["layout"]
    cuts = tuple(Cut(**cut) for cut in layout.pop("cuts"))
    return Sight(Layout(**layout, cuts=cuts), told["stamp"], told["key"])
