"""A message as the JSON that programs are sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from amiss.live.notify.wording import title_of
from amiss.live.nouns import Message

__all__ = ["as_json", "document"]

INSIDE = frozenset({"tube", "likeness"})
"""What stays in the store: thousands of boxes, and vectors that mean nothing elsewhere."""


def document(message: Message) -> dict[str, Any]:
    """A message as plain values: `id`, `camera`, `title`, and `change` with `event`, or `incident`.

    The times `start`, `peak` and `end` are seconds since 1970; `time` says the start in words of ISO 8601, in UTC.
    """
    body = {key: _plain(value) for key, value in message.body.items() if key not in INSIDE}
    head: dict[str, Any] = {"id": message.id, "camera": message.camera, "title": title_of(message)}
    if isinstance(start := body.get("start"), int | float):
        head["time"] = datetime.fromtimestamp(start, UTC).isoformat(timespec="milliseconds")
    if message.change is None:
        return head | {"incident": body}
    return head | {"change": message.change.value, "event": body}


def as_json(values: Mapping[str, Any]) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    """The same in what JSON knows; a number that is none becomes null, and what else there is its text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
