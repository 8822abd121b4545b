"""What scoring gives: regions, curves and events of clips, in memory and as tables on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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

__all__ = ["Scores", "read_curves", "read_scores", "write_scores"]

REGIONS, FRAMES, EVENTS = "scores.parquet", "frames.parquet", "events.json"
PART = "part."


@dataclass(frozen=True, eq=False)
class Scores:
    """One clip, scored.

    Attributes:
        name: Name of the clip.
        footage: Its frames.
        regions: A row a scored region.
        frames: Its curve.
        events: What was amiss, in order of time.
    """

    name: str
    footage: Footage
    regions: RegionScores
    frames: FrameScores
    events: tuple[Event, ...]


def write_scores(folder: Path, scores: Sequence[Scores], meta: Mapping[str, str]) -> None:
    """Write `scores.parquet`, `frames.parquet` and `events.json` of some clips, each whole or not at all.

    Args:
        folder: Where to.
        scores: The clips; tables get a column `clip`.
        meta: Texts noted in the tables, such as the smoothing.

    Raises:
        StorageError: It cannot be written.
    """
    _write_table(folder / REGIONS, [_region_table(item) for item in scores], meta)
    _write_table(folder / FRAMES, [_frame_table(item) for item in scores], meta)
    events = [event_to_json(event) for item in scores for event in item.events]
    with whole_file(folder / EVENTS) as partial:
        partial.write_text(json.dumps(events, indent=1), encoding="utf-8")


def _write_table(path: Path, tables: Sequence[pa.Table], meta: Mapping[str, str]) -> None:
    table = pa.concat_tables(tables).replace_schema_metadata(dict(meta))
    with whole_file(path) as partial:
        pq.write_table(table, partial)


def _region_table(scores: Scores) -> pa.Table:
    regions = scores.regions
    columns: dict[str, Any] = {"clip": _repeat(scores.name, len(regions))}
    columns |= {"frame": regions.frame, "seconds": regions.seconds}
    columns |= {name: regions.box[:, index] for index, name in enumerate(("x1", "y1", "x2", "y2"))}
    columns |= {"track": regions.track, "score": regions.score}
    columns |= {PART + name: values for name, values in regions.parts.items()}
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def _frame_table(scores: Scores) -> pa.Table:
    names = ("frame", "seconds", "raw", "smoothed", "calibrated")
    columns: dict[str, Any] = {"clip": _repeat(scores.name, len(scores.frames))}
    columns |= {name: getattr(scores.frames, name) for name in names}
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
    regions, frames = _by_clip(folder / REGIONS), _by_clip(folder / FRAMES)
    try:
        events = [event_from_json(item) for item in json.loads((folder / EVENTS).read_text(encoding="utf-8"))]
        return [
            Scores(
                name,
                footage[name],
                _regions(regions.get(name) or next(iter(regions.values())).slice(0, 0)),
                _frames(table),
                tuple(event for event in events if event.camera == name),
            )
            for name, table in frames.items()
        ]
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise ScoresError(f"the scores in {folder} are damaged ({error}); score again") from None


def read_curves(folder: Path) -> dict[str, FrameScores]:
    """The curves of all clips in a folder of scores.

    Raises:
        ScoresError: `frames.parquet` is missing or damaged.
    """
    return {name: _frames(table) for name, table in _by_clip(folder / FRAMES).items()}


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


def _regions(table: pa.Table) -> RegionScores:
    box = np.stack([_column(table, name) for name in ("x1", "y1", "x2", "y2")], axis=1)
    parts = {name.removeprefix(PART): _column(table, name) for name in table.column_names if name.startswith(PART)}
    frame, seconds, track, score = (_column(table, name) for name in ("frame", "seconds", "track", "score"))
    return RegionScores(frame, seconds, box, track, score, parts)  # type: ignore[arg-type]  # dtypes are checked there


def _frames(table: pa.Table) -> FrameScores:
    names = ("frame", "seconds", "raw", "smoothed", "calibrated")
    try:
        return FrameScores(**{name: _column(table, name) for name in names})  # type: ignore[arg-type]  # as above
    except KeyError as error:
        raise ScoresError(f"frames.parquet lacks the column {error}; it needs clip, {', '.join(names)}") from None
