"""What scores go through before metrics are computed: nothing, or one of two named habits of the field.

`standard` takes scores as they are. `legacy` brings the scores of each clip to 0..1 by its own lowest and highest,
which hides how clips compare. `transductive` standardises each part of the score by all test clips before parts are
added, which no camera could do. Neither is comparable with `standard`, and every output says which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from amiss.engine.scores import read_curves, read_note, read_regions
from amiss.errors import MetricError, ScoresError
from amiss.scoring.smooth import Smoothing
from amiss.types import FloatArray, FrameScores, Image, RegionScores

__all__ = ["PROTOCOLS", "by_clip", "curve_of", "highest", "plain_under", "under_protocol"]


def under_protocol(protocol: str, folder: Path) -> dict[str, FrameScores]:
    """The curves of a folder of scores under a protocol of `PROTOCOLS`.

    Raises:
        MetricError: There is no such protocol.
        ScoresError: Scores are missing or damaged, or have no parts to standardise.
    """
    if protocol not in PROTOCOLS:
        raise MetricError(f"there is no protocol {protocol!r}; those are {', '.join(PROTOCOLS)}")
    return PROTOCOLS[protocol](folder)


def plain_under(protocol: str, curves: Mapping[str, FrameScores]) -> dict[str, FrameScores]:
    """Curves of another program, of which no parts are known, under a protocol.

    Raises:
        MetricError: There is no such protocol, or it needs parts.
    """
    if protocol not in ("standard", "legacy"):
        raise MetricError(f"plain scores are evaluated under standard or legacy, not {protocol!r}")
    return dict(curves) if protocol == "standard" else by_clip(curves)


def by_clip(curves: Mapping[str, FrameScores]) -> dict[str, FrameScores]:
    """Curves of which each is brought to 0..1 by its own lowest and highest score."""
    return {
        name: replace(curve, raw=_scaled(curve.raw), smoothed=_scaled(curve.smoothed)) for name, curve in curves.items()
    }


def _scaled(values: FloatArray) -> FloatArray:
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    return np.asarray((values - low) / (high - low)) if high > low else np.zeros(len(values))


def _legacy(folder: Path) -> dict[str, FrameScores]:
    return by_clip(read_curves(folder))


def _transductive(folder: Path) -> dict[str, FrameScores]:
    """Curves of the mean of parts, each in standard deviations above its mean over all test frames."""
    curves, regions = read_curves(folder), read_regions(folder)
    smoothing = Smoothing.parse(read_note(folder, "smoothing") or "none")
    found = {name: regions(name) for name in curves}
    parts = sorted({part for table in found.values() for part in table.parts})
    if not parts:
        raise ScoresError(f"the scores in {folder} have no parts to standardise; take the protocol standard")
    total = {name: np.zeros(len(curve)) for name, curve in curves.items()}
    for part in parts:
        of_part = {name: replace(table, score=table.parts[part]) for name, table in found.items()}
        rows = highest(of_part, {name: np.zeros(len(curve), np.uint8) for name, curve in curves.items()})
        every = np.concatenate(list(rows.values()))
        for name, row in rows.items():
            total[name] += (row - every.mean()) / max(float(every.std()), 1e-12) / len(parts)
    return {
        name: replace(curve, raw=total[name], smoothed=smoothing.centred(total[name])) for name, curve in curves.items()
    }


def highest(regions: Mapping[str, RegionScores], labels: Mapping[str, Image]) -> dict[str, FloatArray]:
    """`(T,)` the score of the highest region of each frame of a clip; without one, the lowest score of all clips.

    Args:
        regions: Of each clip; one that is missing has none.
        labels: `(T,)` of each clip, for its length.
    """
    lowest = min((float(table.score.min()) for table in regions.values() if len(table)), default=0.0)
    found = {name: np.full(len(truth), lowest) for name, truth in labels.items()}
    for name, table in regions.items():
        np.maximum.at(found[name], table.frame, table.score)
    return found


def curve_of(scores: FloatArray, rate: float, smoothing: Smoothing) -> FrameScores:
    """A curve of scores `(T,)` that another program gave; nothing is known of how normal footage scores.

    Args:
        scores: A number a frame.
        rate: Frames per second.
        smoothing: The filter.
    """
    frame = np.arange(len(scores))
    return FrameScores(frame, frame / rate, scores, smoothing.centred(scores), np.zeros(len(scores)))


PROTOCOLS: Mapping[str, Callable[[Path], dict[str, FrameScores]]] = {
    "standard": read_curves,
    "legacy": _legacy,
    "transductive": _transductive,
}
