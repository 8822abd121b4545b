"""A small method with maps and pictures: what is redder than normal crops are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from amiss.config import Settings
from amiss.methods import METHODS, Exemplar, Explanation, Method
from amiss.methods.base import Progress
from amiss.methods.task import Trainer
from amiss.types import FloatArray, Image, RegionScores, Windows
from amiss.windows.needs import Needs
from amiss.windows.store import WindowStore

SIDE = 8


class Red(Method):
    """Redness above its normal mean; the map has the mean of two by two pixels in each cell."""

    id = "red"
    title = "Redder than normal"
    settings_type = Settings
    quick = True
    usual = 0.0

    @property
    def needs(self) -> Needs:
        return Needs("cube", ("image",), length=1, size=2 * SIDE)

    @property
    def parts(self) -> tuple[str, ...]:
        return ("red",)

    def fit(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:  # noqa: ARG002
        windows, owners = store.sample(500, np.random.default_rng(seed))
        self.usual = float(redness(windows).mean())
        self.exemplars = [
            Exemplar(store.parts[owner].name, w.frame, w.box) for owner, w in zip(owners[:3], windows[:3], strict=True)
        ]

    def score(self, windows: Windows) -> RegionScores:
        red = np.maximum(redness(windows) - self.usual, 0)
        cells = red.reshape(-1, SIDE, 2, SIDE, 2).mean((2, 4))
        score = cells.mean((1, 2), dtype=np.float64)
        place = windows.frame, windows.seconds, windows.box, windows.track
        return RegionScores(*place, score, {"red": score}, {"red": cells.astype(np.float16)})

    def update(self, windows: Windows) -> None:
        pass

    def explain(self, region: RegionScores, windows: Windows) -> Explanation:  # noqa: ARG002
        return Explanation((f"redder than usual by {float(region.score[0]):.0f}",), (0,))

    def pictures(self, windows: Windows) -> Mapping[str, Image]:
        target = np.asarray(windows.data["image"][:, 0])
        error = np.repeat(np.clip(redness(windows), 0, 255).astype(np.uint8)[..., None], 3, axis=3)
        return {"target": target, "prediction": np.full_like(target, round(self.usual)), "error": error}

    def state(self) -> Mapping[str, Any]:
        return {"usual": np.array(self.usual)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.usual = float(state["usual"])


def redness(windows: Windows) -> FloatArray:
    """`(N, S, S)` how much more red there is than green and blue."""
    image = windows.data["image"][:, 0].astype(np.float32)
    return np.maximum(image[..., 0] - image[..., 1:].mean(-1), 0)


@contextmanager
def registered() -> Iterator[None]:
    """While the block runs, `red` is a method as any other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(METHODS._items, Red.id, Red)
        yield


def mapped(boxes: list[list[float]], scores: list[float], maps: Any = None, frames: Any = None) -> RegionScores:
    """Regions with the part `red` and, if `maps` are given, its map."""
    count = len(boxes)
    frames = np.zeros(count) if frames is None else np.asarray(frames)
    tables = {} if maps is None else {"red": np.asarray(maps, np.float16)}
    tracks = np.arange(count)
    return RegionScores(
        frames, frames / 10, np.array(boxes, np.float32).reshape(-1, 4), tracks, scores, {"red": scores}, tables
    )
