"""Small results of a bench, for the tests of what is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from amiss.config import Config
from amiss.engine import table_of
from amiss.report.charts import Drawn


def moments(values: list[float]) -> dict[str, Any]:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(np.mean(values)), "std": spread, "values": values}


def result(method: str = "attributes", dataset: str = "ped2", sets: Any = None, **metrics: Any) -> dict[str, Any]:
    """What `bench` gives: metrics are values over seeds, the smoothed ones higher by .01."""
    given = metrics or {"auc_micro": [0.9], "auc_macro": [0.8]}
    seeds = len(next(iter(given.values())))
    return {
        "dataset": dataset,
        "method": method,
        "config": Config.build(sets or {}).model_dump(mode="json"),
        "seeds": list(range(seeds)),
        "clips": ["01", "02"],
        "clips_with_masks": [],
        "note": None,
        "cameras": [dataset],
        "frames": 1200,
        "metrics": {
            name: {"raw": moments(values), "smoothed": moments([value + 0.01 for value in values])}
            for name, values in given.items()
        },
        "seconds": {"learn": 1.0, "score": 2.0},
        "frames_per_second": 600.0,
        "clips_from_cache": 0,
        "peak_rss_mb": 100.0,
        "versions": {"amiss": "0.1.0", "numpy": "2"},
        "machine": {"system": "Linux-5.10-here", "python": "3.11", "cores": 2},
    }


def row(name: str, found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "method": found["method"], **more, "result": found}


def table(*rows: dict[str, Any]) -> dict[str, Any]:
    return table_of(rows[0]["result"]["dataset"], rows)


def write(path: Path, found: dict[str, Any]) -> Path:
    path.write_text(json.dumps(found))
    return path


def drawn(number: int = 1, name: str = "attributes", clips: int = 2, length: int = 100) -> Drawn:
    """Scores that are higher, not always, in the abnormal half of each clip."""
    random = np.random.default_rng(number)
    labels = {f"clip{index}": (np.arange(length) >= length // 2).astype(np.uint8) for index in range(clips)}
    scores = {clip: truth + random.normal(0, 0.4, length) for clip, truth in labels.items()}
    return Drawn(number, name, labels, scores)
