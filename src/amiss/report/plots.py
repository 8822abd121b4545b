"""The figures of the page: score curves as plotly figures, small curves as SVG points.

Colours are names of CSS variables, which the page replaces by those of its light or dark theme.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from plotly import graph_objects as go

from amiss.report.content import ClipReport, Summary, rarity
from amiss.types import FloatArray

__all__ = ["score_curve", "sparkline", "thinned"]

EXTREMES = (np.argmin, np.argmax)
MOST_TICKS = 7
GAP = 10.0
"""A pause of this many usual steps breaks the curve."""


def thinned(seconds: FloatArray, values: FloatArray, limit: int) -> tuple[FloatArray, FloatArray]:
    """At most about `limit` points of a curve, with the lowest and highest of every stretch, so no peak is lost.

    Args:
        seconds: `(T,)`.
        values: `(T,)`.
        limit: Number of points, at least 2.
    """
    if len(values) <= limit:
        return seconds, values
    edges = np.linspace(0, len(values), max(limit // 2, 1) + 1).astype(int)
    rows = {int(a + pick(values[a:b])) for a, b in pairwise(edges) for pick in EXTREMES}
    kept = np.array(sorted(rows | {0, len(values) - 1}))
    return seconds[kept], values[kept]


def score_curve(clip: ClipReport, summary: Summary, limit: int) -> dict[str, Any]:
    """A plotly figure (as JSON-ready data) of one clip: curve, level, release, events and the band of normal footage.

    Args:
        clip: Whose curve; x is seconds of the clip, y its calibrated score.
        summary: Levels and band.
        limit: Points to keep of the curve.
    """
    highest = summary.top(clip.frames.calibrated)
    top = max(highest, summary.level) * 1.12 + 0.05
    figure = go.Figure(layout=_layout(max(clip.seconds, 1e-3), top))
    low, high = summary.normal_band
    figure.add_hrect(y0=low, y1=high, fillcolor="var(--band)", line_width=0, layer="below")
    for event in clip.events:
        figure.add_vrect(x0=event.start, x1=event.end, fillcolor="var(--span)", line_width=0, layer="below")
    figure.add_trace(_line(clip, limit, highest))
    for value, dash, name in ((summary.level, "dash", "opens"), (summary.release, "dot", "closes")):
        figure.add_hline(y=value, line={"color": f"var(--{name})", "width": 1.2, "dash": dash})
    data: dict[str, Any] = figure.to_plotly_json()
    data["layout"].pop("template", None)
    return data


def _line(clip: ClipReport, limit: int, highest: float) -> go.Scatter:
    """The curve, cut off at `highest`."""
    seconds, values = thinned(clip.frames.seconds, clip.frames.calibrated, limit)
    seconds, values = _broken_at_gaps(seconds, values)
    hover = [f"{rarity(v)} of normal footage" if np.isfinite(v) else "" for v in values]
    style = {"color": "var(--curve)", "width": 1.6}
    drawn = _listed(np.minimum(values, highest))
    return go.Scatter(x=_listed(seconds), y=drawn, mode="lines", line=style, text=hover, name="score")


def _broken_at_gaps(seconds: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The curve with a missing value in each long pause, so that no line is drawn across it."""
    steps = np.diff(seconds)
    if not len(steps):
        return seconds, values
    after = np.flatnonzero(steps > max(GAP * float(np.median(steps)), 1.0)) + 1
    return np.insert(seconds, after, seconds[after]), np.insert(values, after, np.nan)


def _layout(seconds: float, top: float) -> dict[str, Any]:
    """Quiet axes; y is told as how rare a score is, which is what its scale means."""
    powers = list(range(0, int(top) + 1, int(top) // MOST_TICKS + 1))
    axis = {
        "color": "var(--muted)",
        "gridcolor": "var(--rule)",
        "zeroline": False,
        "tickfont": {"size": 11},
        "ticklabelstandoff": 5,
    }
    return {
        "margin": {"l": 76, "r": 14, "t": 10, "b": 40},
        "height": 230,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "hovermode": "x",
        "hoverdistance": -1,
        "dragmode": "zoom",
        "font": {"family": "inherit"},
        "hoverlabel": {"bgcolor": "var(--card)", "bordercolor": "var(--rule)", "font": {"color": "var(--ink)"}},
        "xaxis": {**axis, "range": [0, seconds], "title": {"text": "seconds", "font": {"size": 11}}, "showgrid": False},
        "yaxis": {
            **axis,
            "range": [0, top],
            "fixedrange": True,
            "tickvals": powers,
            "ticktext": [_share(power) for power in powers],
        },
    }


def _share(power: int) -> str:
    """A tick of the y axis: `all`, `1 in 100`, `1 in 10k`, `1 in 1M`."""
    if power == 0:
        return "all"
    unit = min(power // 3, 3) if power > 3 else 0
    return f"1 in {10 ** (power - 3 * unit):,d}{('', 'k', 'M', 'G')[unit]}"


def _listed(values: FloatArray) -> list[float | None]:
    """The values to a thousandth, None where one is missing: JSON has no word for it."""
    return [round(v, 3) if np.isfinite(v) else None for v in values.tolist()]


def sparkline(clip: ClipReport, top: float, width: int, height: int) -> str:
    """The highest score of each of `width` stretches of the clip, as the `points` of an SVG polyline.

    Args:
        clip: Whose curve.
        top: Calibrated score at the upper edge.
        width: Units of the picture's width; a point each, at most.
        height: Units of its height.
    """
    frames = clip.frames
    if not len(frames):
        return ""
    column = np.minimum(frames.seconds / max(clip.seconds, 1e-9) * width, width - 1).astype(int)
    highest = np.full(width, -np.inf)
    np.maximum.at(highest, np.maximum(column, 0), frames.calibrated)
    known = np.flatnonzero(np.isfinite(highest))
    y = height - height * np.clip(highest[known] / top, 0, 1)
    return " ".join(f"{x},{v:.1f}" for x, v in zip(known, y, strict=True))
