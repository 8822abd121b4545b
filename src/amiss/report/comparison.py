"""Results of `amiss bench` beside each other: what the page, the Markdown and the terminal show of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amiss.engine import changed_settings
from amiss.report.published import Published, published
from amiss.report.wording import best_of, metric_title, protocols, shown

__all__ = ["PUBLISHED", "Cell", "Column", "Comparison", "Line", "compared", "paper_of", "rows_in"]

PUBLISHED = "published"
"""Kind of a column that has the papers' numbers."""
KINDS = ("raw", "smoothed")
SURE = 0.05
"""Corrected p below which a difference is marked."""


@dataclass(frozen=True)
class Line:
    """A row of the table, without its numbers.

    Attributes:
        number: From 1.
        name: Of the row.
        method: Id of the method.
        seeds: As a person reads them.
        smoothing: Filter of the smoothed scores.
        settings: `key=value` of all that differ from the defaults, but for the smoothing.
        protocol: What is unusual in how it was measured; empty for nothing.
        paper: The papers' numbers.
    """

    number: int
    name: str
    method: str
    seeds: str
    smoothing: str
    settings: tuple[str, ...]
    protocol: str
    paper: Published


@dataclass(frozen=True)
class Column:
    """A metric, raw, smoothed or as published."""

    metric: str
    kind: str

    @property
    def title(self) -> str:
        """As it is headed."""
        return f"{metric_title(self.metric)}, {self.kind}"


@dataclass(frozen=True)
class Cell:
    """What stands in a row and a column.

    Attributes:
        text: The number with its spread; empty for none.
        best: Whether it is the best mean of several rows.
        differs: Numbers of the rows from which it differs by more than chance.
    """

    text: str
    best: bool = False
    differs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """A whole table.

    Attributes:
        title: Heading.
        facts: Label and value of what holds for all rows.
        notes: Sentences that belong to the table.
        lines: The rows.
        columns: The metrics.
        cells: By row, then by column.
        tests: Those of `compare_rows`.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]
    lines: Sequence[Line]
    columns: Sequence[Column]
    cells: Sequence[Sequence[Cell]]
    tests: Sequence[Mapping[str, Any]]


def compared(result: Mapping[str, Any]) -> Comparison:
    """What there is to show of a result.

    Args:
        result: Of `bench`, or of `table_of` for several rows.
    """
    table = rows_in(result)
    lines = [_line(number, row, table) for number, row in enumerate(table["rows"], 1)]
    columns = list(_columns([row["result"]["metrics"] for row in table["rows"]], lines))
    first = table["rows"][0]["result"]
    cells = [[_cell(line, column, table) for column in columns] for line in lines]
    title = table.get("title") or f"{', '.join(dict.fromkeys(line.name for line in lines))} on {table['dataset']}"
    return Comparison(title, _facts(first), list(_notes(table, lines, columns)), lines, columns, cells, table["tests"])


def rows_in(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """A result as a table; that of one method is a row, named by the method."""
    if "rows" in result:
        return result
    row = {"name": result["method"], "method": result["method"], "result": result}
    return {"dataset": result["dataset"], "rows": [row], "tests": []}


def _line(number: int, row: Mapping[str, Any], table: Mapping[str, Any]) -> Line:
    result = row["result"]
    smoothing = str(result["config"]["scoring"]["smoothing"])
    smoothing += ", of the past only" if result["config"]["scoring"].get("causal") else ""
    seeds = ", ".join(map(str, result["seeds"]))
    settings = changed_settings(row["method"], result["config"])
    told = tuple(f"{key}={json.dumps(value)}" for key, value in settings.items() if key != "scoring.smoothing")
    paper = paper_of(row, table)
    return Line(number, row["name"], row["method"], seeds, smoothing, told, "; ".join(protocols(result)), paper)


def paper_of(row: Mapping[str, Any], table: Mapping[str, Any]) -> Published:
    """The paper's numbers for a row: its own in a sweep, else what is known of its method; none for a transfer.

    Args:
        row: Of `table_of`.
        table: The whole of it.
    """
    if "paper" in row:
        return Published(row["paper"], table.get("source", ""))
    if "transfer" in row["result"]:
        return Published()
    return published(row["method"], table["dataset"])


def _columns(metrics: Sequence[Mapping[str, Any]], lines: Sequence[Line]) -> Iterator[Column]:
    for name in dict.fromkeys(name for row in metrics for name in row):
        of_metric = [row[name] for row in metrics if name in row]
        kinds = dict.fromkeys(kind for row in of_metric for kind in (*KINDS, *row) if _measured(row, kind))
        yield from (Column(name, kind) for kind in kinds)
        if any(name in line.paper.numbers for line in lines):
            yield Column(name, PUBLISHED)


def _measured(kinds: Mapping[str, Any], kind: str) -> bool:
    return isinstance(kinds.get(kind), Mapping) and "mean" in kinds[kind]


def _cell(line: Line, column: Column, table: Mapping[str, Any]) -> Cell:
    if column.kind == PUBLISHED:
        number = line.paper.numbers.get(column.metric)
        return Cell("" if number is None else f"{number:g}")
    found = _moments(table["rows"][line.number - 1], column)
    if not found:
        return Cell("")
    means = [other["mean"] for row in table["rows"] if (other := _moments(row, column))]
    best = len(means) > 1 and found["mean"] == best_of(column.metric, means)
    return Cell(shown(column.metric, found), best, _differing(line, column, table))


def _moments(row: Mapping[str, Any], column: Column) -> Mapping[str, Any]:
    found: Mapping[str, Any] = row["result"]["metrics"].get(column.metric, {}).get(column.kind, {})
    return found


def _differing(line: Line, column: Column, table: Mapping[str, Any]) -> tuple[int, ...]:
    numbers = {row["name"]: number for number, row in enumerate(table["rows"], 1)}
    found = []
    for test in table["tests"]:
        p = test["metrics"].get(column.metric, {}).get(column.kind, {}).get("p_holm", 1.0)
        if line.name in test["rows"] and p < SURE:
            found += [numbers[name] for name in test["rows"] if name != line.name]
    return tuple(found)


def _facts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Data set", str(result["dataset"])),
        ("Test clips", f"{len(result['clips'])}"),
        ("Frames", f"{result['frames']:,}"),
        ("amiss", str(result["versions"]["amiss"])),
    ]


def _notes(table: Mapping[str, Any], lines: Sequence[Line], columns: Sequence[Column]) -> Iterator[str]:
    """What is to be read beside the numbers."""
    if note := table["rows"][0]["result"].get("note"):
        yield f"Only a part of the data set: {note}."
    filters = dict.fromkeys(line.smoothing for line in lines)
    yield f"Smoothed: over time within each clip, by the filter {' or '.join(filters)} (frames)."
    yield (
        "Metrics are in per cent but for the score gap, rates an hour and times in seconds; several seeds are told as "
        "mean ± standard deviation."
    )
    if any(column.kind == PUBLISHED for column in columns):
        sources = dict.fromkeys(line.paper.source for line in lines if line.paper.numbers and line.paper.source)
        told = f" ({'; '.join(sources)})" if sources else ""
        yield f"Published: the papers' own numbers{told}, on all test clips and with their own perception; not rerun."
    missing = {name for line in lines for name in line.paper.numbers} - {column.metric for column in columns}
    if missing:
        yield f"Published but not measured here: {', '.join(sorted(missing))}."
    if table["tests"]:
        yield (
            f"≠ names the rows from which a mean differs by more than the chance of seeds: Welch's t-test, p < {SURE} "
            "after Holm's correction for all pairs of rows of a column. Where seeds change nothing, any difference "
            "is beyond their chance; what other footage would change is not tested."
        )
    elif len(lines) > 1:
        yield "No differences are tested: that needs two seeds or more of each row."
