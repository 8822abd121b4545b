"""Types of columns, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

__all__ = ["Counter", "Words", "as_json", "plain"]

Counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A number that the database counts up itself, which in SQLite only a plain integer does."""


class Words(sa.TypeDecorator[str]):
    """Text that any database takes: what no encoding or no column can hold is replaced, so that no row is refused."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 (its base's)
        """The text without NUL and without halves of surrogate pairs."""
        return None if value is None else value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def plain(value: Any) -> Any:
    """Arrays, tuples, mappings and numbers of any kind as JSON has them; it knows no infinity, which becomes None."""
    if hasattr(value, "tolist"):  # arrays and numbers of numpy
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def as_json(value: Any) -> str:
    """Always the same text for the same value."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
