"""What a person at a terminal sees: progress with the time left, tables, one line for an error."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

__all__ = ["ProgressDisplay", "comparison_table", "differences_table", "metrics_table"]

if TYPE_CHECKING:
    from amiss.report import Comparison

HEADLINES = ("auc_micro", "auc_macro")
PATIENCE = 2.0
EVERY = 15.0


class ProgressDisplay:
    """Progress bars with the time left on a terminal, plain lines elsewhere; a context manager.

    Calling it with what is being done, how much is done and of how much moves that bar. What follows a colon in the
    text may change from call to call: it is shown, and the bar is the same. Without a terminal a line is written for
    work that takes longer than two seconds, then every quarter of a minute, and when it is done.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[detail]}"),
            console=console,
            refresh_per_second=5,
        )
        self._tasks: dict[str, TaskID] = {}
        self._begun: dict[str, tuple[float, int]] = {}
        self._told: dict[str, float] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Move the bar of `what`."""
        name, _, detail = what.partition(": ")
        if not self._console.is_terminal:
            self._line(name, what, done, total)
        elif name in self._tasks:
            self._bars.update(self._tasks[name], completed=done, total=total, detail=escape(detail))
        else:
            self._tasks[name] = self._bars.add_task(escape(name), completed=done, total=total, detail=escape(detail))

    def _line(self, name: str, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        begun, before = self._begun.setdefault(name, (now, done))
        last = self._told.get(name)
        long = now - begun >= PATIENCE
        if done >= total:
            if long:
                self._console.print(f"{what}: {done:,} done in {now - begun:.0f} s", markup=False)
            self._begun.pop(name)
            self._told.pop(name, None)
        elif long and done > before and (last is None or now - last >= EVERY):
            left = (now - begun) / (done - before) * (total - done)  # what an earlier run has done took no time now
            self._console.print(f"{what}: {done:,} of {total:,}, about {left:.0f} s left", markup=False)
            self._told[name] = now


def metrics_table(metrics: Mapping[str, Mapping[str, Any]], smoothing: str) -> Table:
    """A table of metrics, a row each: raw and smoothed, with the spread over seeds where there are several."""
    table = Table("metric", "raw", f"smoothed ({smoothing})", title=None)
    for name, kinds in metrics.items():
        table.add_row(name, *(_cell(kinds[kind]) if kind in kinds else "" for kind in ("raw", "smoothed")))
    return table


def differences_table(differences: Mapping[str, Mapping[str, Mapping[str, float]]], other: str) -> Table:
    """A table of how far metrics are from those of another result, and how likely chance alone is to do that."""
    table = Table("metric", f"raw less {other}", "p", "smoothed", "p", title=None)
    for name, kinds in differences.items():
        tests = [kinds.get(kind) for kind in ("raw", "smoothed")]
        texts = [(f"{test['difference']:+.4f}", f"{test['p']:.2g}") if test else ("", "") for test in tests]
        table.add_row(name, *(text for pair in texts for text in pair))
    return table


def comparison_table(comparison: Comparison) -> Table:
    """A table of rows, with the metrics that papers compare by; stars are around the best of a column."""
    columns = [place for place, column in enumerate(comparison.columns) if column.metric in HEADLINES]
    table = Table(Column("row", no_wrap=True), *(comparison.columns[place].title for place in columns), title=None)
    for line, cells in zip(comparison.lines, comparison.cells, strict=True):
        name = f"{line.name} ({line.protocol})" if line.protocol else line.name
        table.add_row(escape(name), *(f"*{cells[p].text}*" if cells[p].best else cells[p].text for p in columns))
    return table


def _cell(value: float | Mapping[str, Any]) -> str:
    if isinstance(value, Mapping):
        spread = f" ± {value['std']:.4f}" if len(value["values"]) > 1 else ""
        return f"{value['mean']:.4f}{spread}"
    return f"{value:.4f}"
