"""The files that `amiss bench` was asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amiss.datasets import Dataset
from amiss.report.bench_page import read_drawn, write_bench_page
from amiss.report.comparison import compared
from amiss.report.markdown import write_markdown
from amiss.storage import whole_file

__all__ = ["BenchFiles"]


@dataclass(frozen=True)
class BenchFiles:
    """Where a result goes.

    Attributes:
        dataset: What was measured on.
        json: The result itself, or None.
        html: The page, or None.
        markdown: The table, or None.
    """

    dataset: Dataset
    json: Path | None = None
    html: Path | None = None
    markdown: Path | None = None

    def write(self, result: Mapping[str, Any], folders: Sequence[Path], skipped: int = 0) -> None:
        """Write what was asked for, each whole or not at all.

        Args:
            result: Of `bench` or of `table_of`.
            folders: Of the scores that are drawn, one for each row.
            skipped: Frames at the beginning of each clip that do not count.

        Raises:
            StorageError: One of them cannot be written.
        """
        if self.json:
            with whole_file(self.json) as partial:
                partial.write_text(json.dumps(result, indent=1), encoding="utf-8")
        comparison = compared(result)
        if self.markdown:
            write_markdown(self.markdown, comparison)
        if self.html:
            clips = result.get("clips") or result["rows"][0]["result"]["clips"]
            write_bench_page(self.html, comparison, read_drawn(comparison, self.dataset, clips, folders, skipped))
