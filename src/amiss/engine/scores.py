"""What scoring gives: regions, curves and events of clips, in memory and as tables on disk."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from amiss.errors import ScoresError
from amiss.footage.base import Footage
from amiss.scoring.explain import event_from_json, event_to_json
from amiss.storage import whole_file
from amiss.types import Event, FloatArray, FrameScores, RegionScores

__all__ = [
    "Scores",
    "gather_scores",
    "read_curves",
    "read_floors",
    "read_regions",
    "read_scores",
    "read_spans",
    "region_table",
    "regions_of",
    "write_scores",
]

REGIONS, FRAMES, EVENTS = "scores.parquet", "frames.parquet", "events.json"
PART, MAP = "part.", "map."
FLOOR = "floor"


@dataclass(frozen=True, eq=False)
class Scores:
    """One clip, scored.

    Attributes:
        name: Name of the clip.
        footage: Its frames.
        regions: A row a scored region.
        frames: Its curve.
        events: What was amiss, in order of time.
        floor: The raw score of a frame, or a pixel, without any region.
    """

    name: str
    footage: Footage
    regions: RegionScores
    frames: FrameScores
    events: tuple[Event, ...]
    floor: float


def write_scores(folder: Path, scores: Sequence[Scores], meta: Mapping[str, str]) -> None:
    """Write `scores.parquet`, `frames.parquet` and `events.json` of some clips, each whole or not at all.

    Args:
        folder: Where to.
        scores: The clips; tables get a column `clip`.
        meta: Texts noted in the tables, such as the smoothing.

    Raises:
        StorageError: It cannot be written.
    """
    _write_table(folder / REGIONS, [region_table(item.name, item.regions) for item in scores], meta)
    _write_table(folder / FRAMES, [_frame_table(item) for item in scores], meta)
    events = [event_to_json(event) for item in scores for event in item.events]
    with whole_file(folder / EVENTS) as partial:
        partial.write_text(json.dumps(events, indent=1), encoding="utf-8")


def gather_scores(folder: Path, parts: Sequence[Path], meta: Mapping[str, str]) -> None:
    """Write the tables and events of many clips from those of each, one at a time; memory does not grow with them.

    Args:
        folder: Where to.
        parts: Folders that `write_scores` wrote, at least one.
        meta: Texts noted in the tables.

    Raises:
        ScoresError: One of the clips is missing or damaged.
        StorageError: It cannot be written.
    """
    for name in (REGIONS, FRAMES):
        with whole_file(folder / name) as partial, ExitStack() as stack:
            writer: pq.ParquetWriter | None = None
            for part in parts:
                table = _read(part / name).replace_schema_metadata(dict(meta))
                writer = writer or stack.enter_context(pq.ParquetWriter(partial, table.schema))
                writer.write_table(table)
    with whole_file(folder / EVENTS) as partial, partial.open("w", encoding="utf-8") as file:
        events = (event for part in parts for event in _events(part))
        file.write("[")
        for number, event in enumerate(events):
            file.write((",\n" if number else "\n") + json.dumps(event, indent=1))
        file.write("]")


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise ScoresError(f"{path} is missing or damaged ({error}); score again") from None


def _events(folder: Path) -> list[Any]:
    try:
        return list(json.loads((folder / EVENTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ScoresError(f"{folder / EVENTS} is missing or damaged ({error}); score again") from None


def _write_table(path: Path, tables: Sequence[pa.Table], meta: Mapping[str, str]) -> None:
    table = pa.concat_tables(tables).replace_schema_metadata(dict(meta))
    with whole_file(path) as partial:
        pq.write_table(table, partial)


def region_table(clip: str, regions: RegionScores) -> pa.Table:
    """Regions as a table on disk has them.

    Args:
        clip: Name of their clip.
        regions: A row a region.
    """
    columns: dict[str, Any] = {"clip": _repeat(clip, len(regions))}
    columns |= {"frame": regions.frame, "seconds": regions.seconds}
    columns |= {name: regions.box[:, index] for index, name in enumerate(("x1", "y1", "x2", "y2"))}
    columns |= {"track": regions.track, "score": regions.score}
    columns |= {PART + name: values for name, values in regions.parts.items()}
    columns |= {MAP + name: _lists(values) for name, values in regions.maps.items()}
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def _lists(maps: FloatArray) -> pa.FixedSizeListArray:
    """`(N, S, S)` maps as N lists of S * S numbers, row by row."""
    return pa.FixedSizeListArray.from_arrays(pa.array(maps.reshape(-1)), maps.shape[1] * maps.shape[2])


def _frame_table(scores: Scores) -> pa.Table:
    names = ("frame", "seconds", "raw", "smoothed", "calibrated")
    columns: dict[str, Any] = {"clip": _repeat(scores.name, len(scores.frames))}
    columns |= {name: getattr(scores.frames, name) for name in names}
    columns[FLOOR] = np.full(len(scores.frames), scores.floor)
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def _repeat(text: str, number: int) -> pa.Array:
    return pa.array([text] * number, pa.string())


def read_scores(folder: Path, footage: Mapping[str, Footage]) -> list[Scores]:
    """Read what `write_scores` wrote.

    Args:
        folder: Where it was written.
        footage: The footage of every clip, by name.

    Raises:
        ScoresError: A table is missing or damaged, or speaks of another clip.
    """
    regions, frames = read_regions(folder), _by_clip(folder / FRAMES)
    try:
        events = [event_from_json(item) for item in json.loads((folder / EVENTS).read_text(encoding="utf-8"))]
        return [
            Scores(
                name,
                footage[name],
                regions(name),
                _frames(table),
                tuple(event for event in events if event.camera == name),
                _floor(table),
            )
            for name, table in frames.items()
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScoresError(f"the scores in {folder} are damaged ({error}); score again") from None


def read_curves(folder: Path) -> dict[str, FrameScores]:
    """The curves of all clips in a folder of scores.

    Raises:
        ScoresError: `frames.parquet` is missing or damaged.
    """
    return {name: _frames(table) for name, table in _by_clip(folder / FRAMES).items()}


def read_note(folder: Path, name: str) -> str | None:
    """A text that was noted in the tables of a folder of scores, such as the method; None where there is none.

    Raises:
        ScoresError: `frames.parquet` is missing or damaged.
    """
    try:
        notes = pq.read_schema(folder / FRAMES).metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise ScoresError(f"{folder / FRAMES} is missing or damaged ({error}); score again") from None
    found = notes.get(name.encode())
    return None if found is None else str(found, "utf-8")


def read_floors(folder: Path) -> dict[str, float]:
    """The score of a frame without any region, of all clips in a folder of scores.

    Raises:
        ScoresError: `frames.parquet` is missing or damaged.
    """
    return {name: _floor(table) for name, table in _by_clip(folder / FRAMES).items()}


def read_spans(folder: Path) -> dict[str, FloatArray]:
    """When the events in a folder of scores were: `(K, 2)` seconds of start and end, by clip; none where none was.

    Raises:
        ScoresError: `events.json` is missing or damaged.
    """
    path = folder / EVENTS
    found: dict[str, list[tuple[float, float]]] = {}
    try:
        for event in json.loads(path.read_text(encoding="utf-8")):
            found.setdefault(str(event["camera"]), []).append((float(event["start"]), float(event["end"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScoresError(f"{path} is missing or damaged ({error}); score again") from None
    return {name: np.array(spans) for name, spans in found.items()}


def read_regions(folder: Path) -> Callable[[str], RegionScores]:
    """The regions of a folder of scores: a function that gives those of a clip by its name.

    Raises:
        ScoresError: `scores.parquet` is missing or damaged.
    """
    tables = _by_clip(folder / REGIONS)
    return lambda name: _of_clip(tables, name)


def _of_clip(tables: Mapping[str, pa.Table], name: str) -> RegionScores:
    """The regions of a clip; a table without rows for a clip in which nothing was seen."""
    try:
        return regions_of(tables[name] if name in tables else next(iter(tables.values())).slice(0, 0))
    except (KeyError, ValueError, AttributeError, pa.ArrowException) as error:
        raise ScoresError(f"the scores of clip {name} are damaged ({error}); score again") from None


def _by_clip(path: Path) -> dict[str, pa.Table]:
    """A table's rows by their clip, in order of first appearance."""
    try:
        table = pq.read_table(path)
        names = table.column("clip").to_numpy()
    except FileNotFoundError:
        raise ScoresError(f"there is no {path}; make it with `amiss score`") from None
    except (OSError, KeyError, pa.ArrowException) as error:
        raise ScoresError(f"{path} is damaged ({error}); score again") from None
    if not len(names):
        return {"": table}
    starts = np.flatnonzero(np.append(True, names[1:] != names[:-1]))
    stops = np.append(starts[1:], len(names))
    return {
        str(names[start]): table.slice(int(start), int(stop - start)) for start, stop in zip(starts, stops, strict=True)
    }


def _column(table: pa.Table, name: str) -> FloatArray:
    return np.asarray(table.column(name).to_numpy())


def _named(table: pa.Table, prefix: str) -> dict[str, str]:
    """The columns whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): name for name in table.column_names if name.startswith(prefix)}


def _map(table: pa.Table, name: str) -> FloatArray:
    """`(N, S, S)` from a column of lists."""
    lists = table.column(name).combine_chunks()
    side = math.isqrt(lists.type.list_size)
    return np.asarray(lists.flatten().to_numpy(zero_copy_only=False)).reshape(len(lists), side, side)


def _floor(table: pa.Table) -> float:
    """The clip's floor; the lowest score of a frame where the table does not say it."""
    return float(_column(table, FLOOR if FLOOR in table.column_names else "raw").min(initial=np.inf))


def regions_of(table: pa.Table) -> RegionScores:
    """Regions from a table that `region_table` made.

    Raises:
        KeyError: It lacks a column.
    """
    box = np.stack([_column(table, name) for name in ("x1", "y1", "x2", "y2")], axis=1)
    parts = {name: _column(table, column) for name, column in _named(table, PART).items()}
    maps = {name: _map(table, column) for name, column in _named(table, MAP).items()}
    frame, seconds, track, score = (_column(table, name) for name in ("frame", "seconds", "track", "score"))
    return RegionScores(frame, seconds, box, track, score, parts, maps)  # type: ignore[arg-type]  # checked there


def _frames(table: pa.Table) -> FrameScores:
    names = ("frame", "seconds", "raw", "smoothed", "calibrated")
    try:
        return FrameScores(**{name: _column(table, name) for name in names})  # type: ignore[arg-type]  # as above
    except KeyError as error:
        raise ScoresError(f"frames.parquet lacks the column {error}; it needs clip, {', '.join(names)}") from None
