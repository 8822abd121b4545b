"""Drawings of results as papers have them: ROC, histograms and score curves, as shapes that a page puts into SVG.

Colours are CSS classes: `row-1` to `row-8` for rows, `normal` and `abnormal` for frames, which the page gives values in
its light and dark theme. From the ninth row on lines are dashed, from the seventeenth dotted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from amiss import metrics
from amiss.report.plots import thinned
from amiss.types import BoolArray, FloatArray, Image

__all__ = ["Chart", "Drawn", "Shape", "clip_chart", "histogram", "roc_chart", "style"]

COLOURS, DASHES = 8, ("", "dashed", "dotted")
BINS = 40
TOP = 0.995
"""Share of frames up to whose score curves and histograms are drawn to scale."""
ROC_POINTS = 300
LEFT, RIGHT, ABOVE, BELOW = 44, 8, 8, 34


@dataclass(frozen=True, eq=False)
class Drawn:
    """The scores of one row, of one seed.

    Attributes:
        number: Of the row, from 1.
        name: Of the row.
        labels: `(T,)` of each clip, 1 = abnormal.
        scores: `(T,)` smoothed scores of the same clips.
    """

    number: int
    name: str
    labels: Mapping[str, Image]
    scores: Mapping[str, FloatArray]

    @property
    def truth(self) -> BoolArray:
        """`(T,)` whether each frame is abnormal, all clips in a row."""
        return np.concatenate([self.labels[name] for name in self.scores]) > 0

    @property
    def values(self) -> FloatArray:
        """`(T,)` scores of all clips in a row."""
        return np.concatenate(list(self.scores.values()))

    def scaled(self, values: FloatArray) -> FloatArray:
        """Scores in shares of the row's range, over all clips alike; what only 1 in 200 frames exceeds is 1."""
        low, high = self.values.min(), np.quantile(self.values, TOP)
        return np.asarray(np.clip((values - low) / max(high - low, 1e-12), 0, 1))


@dataclass(frozen=True)
class Shape:
    """A line or an area.

    Attributes:
        points: As SVG has them.
        style: CSS classes.
        title: What it says when pointed at.
    """

    points: str
    style: str
    title: str


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Attributes:
        size: Width and height.
        frame: Left, top, right and bottom of what is drawn in.
        titles: Of the axes, x and y.
        ticks: Place and text on the x axis and on the y axis.
        shapes: Lines and areas, in the order in which they are drawn.
        spans: Left edge and width of what is shaded.
        label: What it shows, for those who do not see it.
    """

    size: tuple[int, int]
    frame: tuple[int, int, int, int]
    titles: tuple[str, str]
    ticks: tuple[Sequence[tuple[float, str]], Sequence[tuple[float, str]]]
    shapes: Sequence[Shape]
    label: str
    spans: Sequence[tuple[float, float]] = ()


def style(number: int) -> str:
    """CSS classes of a row's line."""
    turn, colour = divmod(number - 1, COLOURS)
    return f"row-{colour + 1} {DASHES[min(turn, len(DASHES) - 1)]}".strip()


def roc_chart(rows: Sequence[Drawn]) -> Chart:
    """The ROC over all frames of each row, with the diagonal of chance."""
    plane = _Plane(460, 400, 1, 1)
    lines = [Shape(plane.points(np.array([0, 1]), np.array([0, 1])), "chance", "chance")]
    for row in rows:
        false, true, _ = metrics.roc(row.truth, row.values)
        area = f"{row.name}: AUC {100 * metrics.frame_auc(row.truth, row.values):.1f}"
        lines.append(Shape(plane.points(*thinned(false, true, ROC_POINTS)), f"line {style(row.number)}", area))
    shares = [(share, f"{share:g}") for share in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    titles = ("share of normal frames called abnormal", "share of abnormal frames found")
    return plane.chart(titles, shares, shares, lines, f"ROC of {', '.join(row.name for row in rows)}")


def histogram(row: Drawn) -> Chart:
    """Scores of normal and of abnormal frames, each as shares of their own number."""
    values, truth = row.scaled(row.values), row.truth
    edges = np.linspace(0, 1, BINS + 1)
    shares = [np.histogram(values[truth == kind], edges)[0] / max((truth == kind).sum(), 1) for kind in (False, True)]
    top = max(float(np.max(shares)), 1e-9)
    plane = _Plane(300, 190, 1, top)
    areas = [
        Shape(plane.steps(edges, share), f"area {name}", f"{name}: {int((truth == kind).sum()):,} frames")
        for share, name, kind in zip(shares, ("normal", "abnormal"), (False, True), strict=True)
    ]
    y_ticks = [(share, f"{100 * share:.0f} %") for share in (0, top / 2, top)]
    label = f"Scores of normal and abnormal frames by {row.name}"
    return plane.chart(("score", "frames"), [(0, "lowest"), (1, "highest")], y_ticks, areas, label)


def clip_chart(name: str, rows: Sequence[Drawn], limit: int) -> Chart:
    """The curves of all rows over one clip, with its abnormal frames shaded.

    Args:
        name: Of the clip.
        rows: Which curves.
        limit: Points to keep of each.
    """
    truth = rows[0].labels[name] > 0
    plane = _Plane(560, 140, max(len(truth) - 1, 1), 1)
    frames = np.arange(len(truth), dtype=np.float64)
    lines = [
        Shape(
            plane.points(*thinned(frames, row.scaled(row.scores[name]), limit)), f"line {style(row.number)}", row.name
        )
        for row in rows
    ]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], truth.astype(int), [0]]))).reshape(-1, 2)
    places = plane.x(np.clip(edges - 0.5, 0, len(truth) - 1))
    spans = [(round(float(left), 1), round(max(float(right - left), 1.0), 1)) for left, right in places]
    ticks = [(float(frame), f"{frame:.0f}") for frame in np.linspace(0, max(len(truth) - 1, 0), 5).round()]
    label = f"Scores over the frames of {name}; {len(spans)} abnormal intervals"
    return plane.chart(("frame", "score"), ticks, [(0, "low"), (1, "high")], lines, label, spans)


class _Plane:
    """From numbers to places in a drawing of a size, x from 0 to `right` and y from 0 to `top`."""

    def __init__(self, width: int, height: int, right: float, top: float) -> None:
        self._size, self._right, self._top = (width, height), right, top
        self._frame = (LEFT, ABOVE, width - RIGHT, height - BELOW)

    def x(self, values: FloatArray) -> FloatArray:
        left, _, right, _ = self._frame
        return np.asarray(left + np.asarray(values, np.float64) / self._right * (right - left))

    def y(self, values: FloatArray) -> FloatArray:
        _, above, _, below = self._frame
        return np.asarray(below - np.asarray(values, np.float64) / self._top * (below - above))

    def points(self, x: FloatArray, y: FloatArray) -> str:
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(self.x(x), self.y(y), strict=True))

    def steps(self, edges: FloatArray, heights: FloatArray) -> str:
        """The outline of bars that stand side by side on the axis."""
        x = np.repeat(edges, 2)
        return self.points(x, np.concatenate([[0], np.repeat(heights, 2), [0]]))

    def chart(
        self,
        titles: tuple[str, str],
        x_ticks: Sequence[tuple[float, str]],
        y_ticks: Sequence[tuple[float, str]],
        shapes: Sequence[Shape],
        label: str,
        spans: Sequence[tuple[float, float]] = (),
    ) -> Chart:
        placed = (
            [(round(float(self.x(np.array(value))), 1), text) for value, text in x_ticks],
            [(round(float(self.y(np.array(value))), 1), text) for value, text in y_ticks],
        )
        return Chart(self._size, self._frame, titles, placed, shapes, label, spans)
