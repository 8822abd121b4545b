"""Results of `amiss bench` as one HTML page that opens without a network: the table, and drawings as in papers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from amiss.datasets import Dataset
from amiss.engine.evaluate import labels_of
from amiss.engine.scores import read_curves
from amiss.report import charts
from amiss.report.charts import Chart, Drawn
from amiss.report.comparison import Comparison
from amiss.report.environment import environment
from amiss.report.wording import metric_title, ranges
from amiss.storage import whole_file

__all__ = ["read_drawn", "write_bench_page"]

POINTS_OF_ALL, LEAST_POINTS, MOST_POINTS = 120_000, 60, 600
"""Of the curves of clips together, and of each."""


def read_drawn(
    comparison: Comparison, dataset: Dataset, clips: Sequence[str], folders: Sequence[Path], skipped: int = 0
) -> list[Drawn]:
    """The smoothed scores of each row, from the folder of scores that `bench` keeps of a seed.

    Args:
        comparison: Whose rows.
        dataset: With the labels.
        clips: Which clips.
        folders: Of scores, in order of the rows.
        skipped: So many frames at the beginning of each clip are left out.

    Raises:
        ScoresError: Scores are missing or damaged.
        DatasetError: Labels are missing or damaged.
    """
    labels = {name: truth[skipped:] for name, truth in labels_of(dataset, list(clips)).items()}
    drawn = []
    for line, folder in zip(comparison.lines, folders, strict=True):
        curves = read_curves(folder)
        scores = {name: curves[name].smoothed[skipped:] for name in clips}
        drawn.append(Drawn(line.number, line.name, labels, scores))
    return drawn


def write_bench_page(path: Path, comparison: Comparison, drawn: Sequence[Drawn]) -> None:
    """Write the page.

    Args:
        path: File to write; it appears only when it is complete.
        comparison: What to show.
        drawn: The scores of each row, in their order.

    Raises:
        MetricError: Labels are all normal or all abnormal.
        StorageError: The file cannot be written.
    """
    clips, left_out = _clips(drawn)
    page = (
        environment()
        .get_template("bench.html")
        .render(
            comparison=comparison,
            headed=_headed(comparison),
            unusual=any(line.protocol for line in comparison.lines),
            roc=charts.roc_chart(drawn),
            histograms=[(row.name, charts.histogram(row)) for row in drawn],
            clips=clips,
            left_out=left_out,
            filters=list(dict.fromkeys(line.smoothing for line in comparison.lines)),
            seed=comparison.lines[0].seeds.partition(",")[0],
            tests=list(_tests(comparison)),
            style=charts.style,
            ranges=ranges,
        )
    )
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8")


def _headed(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """Each metric with its kinds, for two lines of titles."""
    found: dict[str, list[str]] = {}
    for column in comparison.columns:
        found.setdefault(metric_title(column.metric), []).append(column.kind)
    return list(found.items())


def _clips(drawn: Sequence[Drawn]) -> tuple[list[tuple[str, Chart]], int]:
    """A drawing of each clip as far as a page can hold them, and how many are left out."""
    names = list(drawn[0].scores)
    shown = names[: max(POINTS_OF_ALL // (LEAST_POINTS * len(drawn)), 1)]
    limit = min(POINTS_OF_ALL // (len(shown) * len(drawn)), MOST_POINTS)
    return [(name, charts.clip_chart(name, drawn, limit)) for name in shown], len(names) - len(shown)


def _tests(comparison: Comparison) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Pair, metric and kind of each test, and its numbers."""
    for test in comparison.tests:
        for metric, kinds in test["metrics"].items():
            for kind, numbers in kinds.items():
                yield " − ".join(test["rows"]), metric_title(metric), kind, numbers
