"""Events for other programs: JSON, CSV, boxes as COCO has them, and lines as MOT has them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from amiss.live.nouns import EventRow
from amiss.live.store.bodies import iso
from amiss.live.store.columns import plain
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


def as_coco(rows: Iterable[EventRow]) -> dict[str, Any]:
    """Images, annotations and categories: an image is a moment of an event, a category the part that stood out."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    categories: dict[str, int] = {}
    for row in rows:
        part = str(row.likeness.get("part", "")) or "event"
        category = categories.setdefault(part, len(categories) + 1)
        numbers: dict[float, int] = {}
        for at, box, track, score in boxes_of(row):
            if at not in numbers:
                numbers[at] = len(images) + 1
                images.append(_image(row, numbers[at], at))
            x1, y1, x2, y2 = box
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": numbers[at],
                    "category_id": category,
                    "bbox": [x1, y1, round(x2 - x1, 3), round(y2 - y1, 3)],
                    "area": round((x2 - x1) * (y2 - y1), 3),
                    "iscrowd": 0,
                    "score": score,
                    "track_id": track,
                }
            )
    named = [{"id": number, "name": name, "supercategory": "event"} for name, number in categories.items()]
    return {"info": {"description": "amiss events"}, "images": images, "annotations": annotations, "categories": named}


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
    found = sorted((at, track, box, score) for row in rows for at, box, track, score in boxes_of(row))
    for at, track, box, score in found:
        frame = 1 + round((at - found[0][0]) * rate)
        x1, y1, x2, y2 = box
        yield f"{frame},{track},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{score:.4f},-1,-1,-1\n"


def boxes_of(row: EventRow) -> Iterator[tuple[float, list[float], int, float]]:
    """Time, box, track and score of each box of an event; what is no box is passed over."""
    columns = [plain(row.tube.get(name) or []) for name in ("at", "xyxy", "track", "score")]
    for at, box, track, score in zip(*columns, strict=False):
        if isinstance(box, list) and len(box) == 4 and None not in (at, score, *box):
            yield float(at), [float(value) for value in box], int(track or 0), float(score)
