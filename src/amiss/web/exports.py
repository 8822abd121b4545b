"""Events for other programs: JSON, CSV, boxes as COCO has them, and lines as MOT has them."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np

from amiss.live.nouns import EventRow
from amiss.live.store.bodies import iso
from amiss.live.store.columns import plain
from amiss.types import FloatArray
from amiss.web.bodies import whole_body

__all__ = ["KINDS", "Kind", "as_coco", "as_csv", "as_json_lines", "as_mot", "safe_cell"]

Kind = Literal["json", "csv", "coco", "mot"]
KINDS = {
    "json": ("application/json", "events.json"),
    "csv": ("text/csv; charset=utf-8", "events.csv"),
    "coco": ("application/json", "events-coco.json"),
    "mot": ("text/plain; charset=utf-8", "events-mot.txt"),
}
"""Media type and name of the file of each."""
COLUMNS = (
    "id",
    "camera",
    "start",
    "peak",
    "end",
    "seconds",
    "alarm",
    "quiet",
    "verdict",
    "severity",
    "level",
    "part",
    "reasons",
    "zones",
    "repeats",
)
SPOOLED, READ, LINES = 8 << 20, 1 << 16, 1000
"""Bytes up to which annotations wait in memory, characters and lines that are sent at once."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe is put before one that looks like it."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULAS) or text.startswith(FORMULAS) else text


def as_json_lines(rows: Iterable[EventRow]) -> Iterator[str]:
    """One JSON list, an event a line."""
    before = "[\n"
    for row in rows:
        yield before + json.dumps(whole_body(row), ensure_ascii=False)
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


def as_csv(rows: Iterable[EventRow]) -> Iterator[str]:
    """A table with a line an event; times are ISO 8601 in UTC."""
    yield _line(COLUMNS)
    for row in rows:
        texts = (row.id, row.camera, iso(row.start), iso(row.peak), iso(row.end))
        yield _line(
            [
                *map(safe_cell, texts),
                f"{row.end - row.start:.3f}",
                "yes" if row.alarm else "no",
                safe_cell(row.quiet),
                str(row.verdict),
                f"{row.severity:.4f}",
                f"{row.level:.4f}",
                safe_cell(str(row.likeness.get("part", ""))),
                safe_cell("; ".join(map(str, row.reasons))),
                safe_cell("; ".join(map(str, row.zones))),
                row.repeats,
            ]
        )


def _line(cells: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def as_coco(rows: Iterable[EventRow]) -> Iterator[str]:
    """Images, annotations and categories: an image is a moment of an event, a category the part that stood out.

    Annotations wait in a file until all images were told, so that memory does not grow with them.
    """
    categories: dict[str, int] = {}
    images, boxes = 0, 0
    with tempfile.SpooledTemporaryFile(SPOOLED, "w+", encoding="utf-8") as waiting:
        yield '{"info": {"description": "amiss events"},\n"images": ['
        for row in rows:
            part = str(row.likeness.get("part", "")) or "event"
            category = categories.setdefault(part, len(categories) + 1)
            numbers: dict[float, int] = {}
            for at, box, track, score in boxes_of(row):
                image = numbers.setdefault(at, images + len(numbers) + 1)
                boxes += 1
                told = {"id": boxes, "image_id": image, "category_id": category, **_placed(box)}
                waiting.write(_item(boxes, told | {"score": score, "track_id": track}))
            yield "".join(_item(number, _image(row, number, at)) for at, number in numbers.items())
            images += len(numbers)
        yield '],\n"annotations": ['
        waiting.seek(0)
        while some := waiting.read(READ):
            yield some
    named = [{"id": number, "name": name, "supercategory": "event"} for name, number in categories.items()]
    yield f'],\n"categories": {json.dumps(named)}}}\n'


def _item(number: int, told: dict[str, Any]) -> str:
    return (",\n" if number > 1 else "\n") + json.dumps(told)


def _placed(box: list[float]) -> dict[str, Any]:
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    return {"bbox": [x1, y1, round(width, 3), round(height, 3)], "area": round(width * height, 3), "iscrowd": 0}


def _image(row: EventRow, number: int, at: float) -> dict[str, Any]:
    width, height = row.size
    file = row.clip or row.snapshot or ""
    size = {"id": number, "file_name": file, "width": width, "height": height}
    return size | {"camera": row.camera, "event_id": row.id, "date_captured": iso(at)}


def as_mot(rows: Iterable[EventRow], rate: float) -> Iterator[str]:
    """Lines `frame, track, left, top, width, height, score, -1, -1, -1` of one camera, in order of time.

    Args:
        rows: Events of one camera.
        rate: Frames a second that are counted from the first box on, which is in frame 1.
    """
    found = np.concatenate([np.zeros((0, 7)), *map(_numbers, rows)])
    found = found[np.lexsort((found[:, 1], found[:, 0]))]
    for first in range(0, len(found), LINES):
        some = found[first : first + LINES]
        frames = 1 + np.round((some[:, 0] - found[0, 0]) * rate).astype(int)
        yield "".join(
            f"{frame},{track:.0f},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{score:.4f},-1,-1,-1\n"
            for frame, (track, x1, y1, x2, y2, score) in zip(frames, some[:, 1:], strict=True)
        )


def _numbers(row: EventRow) -> FloatArray:
    """`(N, 7)` time, track, x1, y1, x2, y2, score of the boxes of an event."""
    return np.array([(at, track, *box, score) for at, box, track, score in boxes_of(row)], np.float64).reshape(-1, 7)


def boxes_of(row: EventRow) -> Iterator[tuple[float, list[float], int, float]]:
    """Time, box, track and score of each box of an event; what is no box is passed over."""
    columns = [plain(row.tube.get(name) or []) for name in ("at", "xyxy", "track", "score")]
    for at, box, track, score in zip(*columns, strict=False):
        if isinstance(box, list) and len(box) == 4 and None not in (at, score, *box):
            yield float(at), [float(value) for value in box], int(track or 0), float(score)
