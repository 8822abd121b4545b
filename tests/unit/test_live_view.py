"""Pictures come to the size that a model was learned from, and those of another shape are another view."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amiss.config import ScenesConfig
from amiss.live.nouns import Arrival
from amiss.live.view import View
from amiss.perception.scenes import Flag
from amiss.types import Frame


def seen(width: int, height: int, seconds: float = 0.0) -> Arrival:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Arrival("gate", Frame(image, 0, seconds), seconds, seconds)


def test_a_stream_of_another_size_is_brought_to_that_of_the_model(tmp_path: Path) -> None:
    view = View(ScenesConfig(), tmp_path / "view.safetensors")
    view.expect((64, 48))
    for _ in range(2):
        shaped, flags = view.look(seen(128, 96))
        assert shaped is not None
        assert (shaped.frame.size, flags) == ((64, 48), frozenset())
        assert view.look(seen(48, 64, 1.0)) == (None, frozenset([Flag.MOVED]))
        view.reset()  # a person says that the view is as it should be: the model is still the same


def test_without_a_model_the_first_picture_says_what_size_they_have(tmp_path: Path) -> None:
    view = View(ScenesConfig(), tmp_path / "view.safetensors")
    assert view.look(seen(128, 96))[0] is not None
    shaped, _ = view.look(seen(64, 48, 1.0))
    assert shaped is not None
    assert shaped.frame.size == (128, 96)
