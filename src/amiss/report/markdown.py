"""Results of `amiss bench` as Markdown: one table, and what is to be read beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from amiss.report.comparison import Cell, Comparison, Line
from amiss.report.wording import ranges
from amiss.storage import whole_file

__all__ = ["markdown_table", "plain_rows", "write_markdown"]


def write_markdown(path: Path, comparison: Comparison) -> None:
    """Write a table of rows and metrics as Markdown.

    Args:
        path: File to write; it appears only when it is complete.
        comparison: What to show.

    Raises:
        StorageError: It cannot be written.
    """
    facts = "; ".join(f"{label.lower()}: {value}" for label, value in comparison.facts)
    header, body = plain_rows(comparison)
    parts = [f"# {_cell(comparison.title)}", f"{_cell(facts)}.", markdown_table(header, body)]
    parts += [_cell(note) for note in comparison.notes]
    with whole_file(path) as partial:
        partial.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def plain_rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Titles of columns, and the rows, all as text; the best of a column is in stars."""
    unusual = any(line.protocol for line in comparison.lines)
    header = ["#", "row", "method", *(["protocol"] if unusual else []), "seeds", "smoothing"]
    header += [*(column.title for column in comparison.columns), "settings"]
    rows = zip(comparison.lines, comparison.cells, strict=True)
    return header, [_row(line, cells, unusual) for line, cells in rows]


def _row(line: Line, cells: Sequence[Cell], unusual: bool) -> list[str]:  # noqa: FBT001  # a column more
    told = [str(line.number), line.name, line.method, *([line.protocol] if unusual else []), line.seeds, line.smoothing]
    return [*told, *map(_text, cells), " ".join(line.settings)]


def _text(cell: Cell) -> str:
    strong = f"**{cell.text}**" if cell.best else cell.text
    return strong + (f" ≠ {ranges(cell.differs)}" if cell.differs else "")


def markdown_table(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table of texts, in which nothing ends a cell or becomes a tag."""
    lines = [header, ["---"] * len(header), *body]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    """On one line, with what has a meaning in tables and tags written out."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
