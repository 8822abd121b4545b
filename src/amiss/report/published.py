"""What papers report: a small table of frame AUCs by method and data set, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

__all__ = ["Published", "published", "published_pairs"]

SOURCE = "source"


@dataclass(frozen=True)
class Published:
    """A paper's numbers for a method on a data set.

    Attributes:
        numbers: By metric, in per cent; empty where none is known.
        source: Where they are printed; empty likewise.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    source: str = ""


def published(method: str, dataset: str) -> Published:
    """The paper's numbers, or none.

    Args:
        method: Id of the method.
        dataset: Id of the data set.
    """
    known = _table().get(method, {})
    if dataset == SOURCE or dataset not in known:
        return Published()
    return Published(dict(known[dataset]), str(known[SOURCE]))


def published_pairs() -> list[tuple[str, str]]:
    """Method and data set of all numbers that are known, in order of the table."""
    return [(method, dataset) for method, known in _table().items() for dataset in known if dataset != SOURCE]


@cache
def _table() -> dict[str, dict[str, Any]]:
    text = files("amiss.report").joinpath("published.yaml").read_text(encoding="utf-8")
    table: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return table
