"""Results of `amiss bench` in a folder: read as they are asked for, and told where one cannot be read."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amiss.engine.scores import read_curves
from amiss.engine.sweep import row_folder
from amiss.errors import ScoresError
from amiss.report.comparison import Comparison, compared, rows_in
from amiss.types import FloatArray
from amiss.web.curves import thin

__all__ = ["Bench", "Library", "curves_of", "side_by_side"]

LOG = logging.getLogger(__name__)

NAME = re.compile(r"[\w][\w. -]{0,120}")
MOST = 50 << 20
"""Bytes of a result that is read."""
POINTS = 1500


@dataclass(frozen=True)
class Bench:
    """A result.

    Attributes:
        name: Of its file, without the suffix.
        result: What `amiss bench` wrote.
        comparison: Its table.
        scores: What `amiss bench --out` keeps of it, if it lies beside it.
    """

    name: str
    result: Mapping[str, Any]
    comparison: Comparison
    scores: Path


class Library:
    """A folder of results.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[int, Bench]] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Names of what is there."""
        found = sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []
        return [path.stem for path in found if NAME.fullmatch(path.stem)]

    def read(self, name: str) -> Bench | None:
        """A result; None if there is none of this name.

        Raises:
            ScoresError: It is no result of `amiss bench`, or damaged.
        """
        if name not in self.names():
            return None
        path = self._folder / f"{name}.json"
        with self._lock:
            changed = path.stat().st_mtime_ns
            kept = self._kept.get(name)
            if kept is None or kept[0] != changed:
                kept = (changed, _read(path))
                self._kept[name] = kept
        return kept[1]


def _read(path: Path) -> Bench:
    try:
        if path.stat().st_size > MOST:
            raise ScoresError(f"{path.name} is too large for a result of `amiss bench`")
        result = json.loads(path.read_text(encoding="utf-8"))
        return Bench(path.stem, result, compared(result), path.with_suffix(""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ScoresError(f"{path.name} is no result of `amiss bench --json` ({type(error).__name__})") from None


def curves_of(bench: Bench) -> dict[str, dict[str, FloatArray]]:
    """Score curves by clip and by row: of the first seed's scores beside the result, or else those that are in it.

    In a result they are lists by clip, or mappings with `smoothed`.
    """
    found: dict[str, dict[str, FloatArray]] = {}
    for row in rows_in(bench.result)["rows"]:
        of_row = bench.scores / row_folder(str(row["name"])) if "rows" in bench.result else bench.scores
        curves = _kept_in(of_row, row["result"]) or dict(_clips(row["result"].get("curves")))
        for clip, values in curves.items():
            found.setdefault(clip, {})[str(row["name"])] = values
    return found


def _kept_in(folder: Path, result: Mapping[str, Any]) -> dict[str, FloatArray]:
    """The smoothed curves of the clips of a result in a folder of `amiss bench --out`; none where it has none."""
    place = folder / f"seed-{result['seeds'][0]}"
    if not place.is_dir():
        return {}
    try:
        curves = read_curves(place)
    except ScoresError as error:
        LOG.info("%s", error)
        return {}
    return {name: curves[name].smoothed for name in map(str, result["clips"]) if name in curves and len(curves[name])}


def _clips(curves: Any) -> Iterator[tuple[str, FloatArray]]:
    for clip, given in curves.items() if isinstance(curves, dict) else ():
        values = given.get("smoothed", given.get("raw")) if isinstance(given, dict) else given
        try:
            array = np.asarray(values, np.float64)
        except (TypeError, ValueError):
            continue
        if array.ndim == 1 and len(array):
            yield str(clip), array


def side_by_side(benches: Sequence[Bench]) -> dict[str, list[dict[str, Any]]]:
    """Curves over each other, of clips that all results have: each as frames and scores in shares of its range.

    Args:
        benches: Results to compare.
    """
    every = [curves_of(bench) for bench in benches]
    clips = [clip for clip in every[0] if all(clip in others for others in every)] if every else []
    return {
        clip: [
            _line(f"{bench.name}: {row}", values)
            for bench, of_bench in zip(benches, every, strict=True)
            for row, values in of_bench[clip].items()
        ]
        for clip in clips
    }


def _line(name: str, values: FloatArray) -> dict[str, Any]:
    finite = np.nan_to_num(values)
    low, high = float(finite.min()), float(finite.max())
    drawn = thin(np.arange(len(finite), dtype=np.float64), (finite - low) / max(high - low, 1e-12), POINTS)
    return {"name": name, "x": drawn.at.astype(int).tolist(), "y": np.round(drawn.calibrated, 4).tolist()}
