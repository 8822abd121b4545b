"""A benchmark row after row: several methods, or several settings of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from amiss.datasets import Dataset
from amiss.engine.bench import bench
from amiss.engine.compare import compare_rows
from amiss.engine.progress import silent
from amiss.engine.sweep import Row, Sweep
from amiss.errors import InputError
from amiss.methods.base import Progress

__all__ = ["bench_rows", "table_of"]


def bench_rows(
    dataset: Dataset, rows: Sequence[Row], seeds: Sequence[int], out: Path, progress: Progress = silent
) -> Iterator[dict[str, Any]]:
    """`bench` for each row, as soon as it is done; what is whole in `out` is not run again.

    Args:
        dataset: The benchmark.
        rows: What to run.
        seeds: Of each row.
        out: Folder with a folder for each row (`Row.folder`), which has `seed-N/` each.
        progress: Told how far it is.

    Yields:
        `name`, `method`, `paper` (the paper's numbers) where the row is of a sweep, and `result`, which `bench` gives.

    Raises:
        InputError: Footage, labels or settings of a row cannot be used; the message names the row.
    """
    for number, row in enumerate(rows):
        progress(f"rows: {row.name}", number, len(rows))
        try:
            result = bench(dataset, row.method, row.config, seeds, out / row.folder, progress)
        except InputError as error:
            raise type(error)(f"the row {row.name!r}: {error}") from error
        paper = {} if row.paper is None else {"paper": dict(row.paper)}
        yield {"name": row.name, "method": row.method, **paper, "result": result}
    progress("rows", len(rows), len(rows))


def table_of(dataset: str, rows: Sequence[Mapping[str, Any]], sweep: Sweep | None = None) -> dict[str, Any]:
    """What `amiss bench --json` writes of several rows: `dataset`, `rows` and `tests`, which are of `compare_rows`.

    Args:
        dataset: Id of the data set.
        rows: Of `bench_rows`, all of them or those that are done.
        sweep: Its title and source are told, where it has them.
    """
    told = {"title": sweep.title, "source": sweep.source} if sweep else {}
    return {
        "dataset": dataset,
        **{key: text for key, text in told.items() if text},
        "rows": list(rows),
        "tests": compare_rows(rows),
    }
