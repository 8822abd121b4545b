"""Features of clips: fed as published, never from random weights unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from amiss.config import ClipFeaturesConfig
from amiss.errors import ConfigError, ShapeError, WeightsError
from amiss.perception.video.clip_features import CLIP_NETWORKS, ClipFeatures
from amiss.perception.video.swin import VideoSwin
from amiss.types import Image
from support import texture

CPU = torch.device("cpu")


def made(network: Any = "swin", **changes: Any) -> ClipFeatures:
    """One that is quick and random unless told otherwise."""
    values = {"network": network, "random": True, "size": 32} | changes
    length = values.pop("length", 4)
    return ClipFeatures(ClipFeaturesConfig(**values), CPU, length)


def clips(count: int, length: int = 4) -> Image:
    """`(count, length, 40, 50, 3)` textures."""
    pictures = [texture(40, 50, seed) for seed in range(count * length)]
    return np.array(pictures, np.uint8).reshape(count, length, 40, 50, 3)


@pytest.mark.parametrize("network", ["i3d", "swin"])
def test_a_feature_has_the_stated_length_and_is_the_clips_own(network: str) -> None:
    stage = made(network)
    found = stage.features(clips(3))
    assert found.shape == (3, stage.dimensions)
    assert found.dtype == np.float32
    assert np.array_equal(stage.features(clips(3)[1:2]), found[1:2])
    assert not np.allclose(found[0], found[1])
    assert np.array_equal(made(network).features(clips(3)), found)


def test_c3d_gives_its_4096_features() -> None:
    found = made("c3d", length=16, size=None).features(clips(1, 16))
    assert found.shape == (1, 4096)
    assert found.max() > 0


@pytest.mark.parametrize(
    ("network", "pixel", "wanted"),
    [
        ("c3d", (10, 20, 30), (-60, -78, -92)),
        ("i3d", (0, 255, 51), (-1, 1, -0.6)),
        ("swin", (255, 0, 128), (2.2489, -2.0357, 0.4265)),
    ],
)
def test_pixels_are_fed_as_published(network: str, pixel: tuple[int, ...], wanted: tuple[float, ...]) -> None:
    seen: list[torch.Tensor] = []
    fixed = CLIP_NETWORKS[network].fixed or (4, 32)
    stage = made(network, length=fixed[0], size=fixed[1])
    stage._network.forward = lambda x: seen.append(x) or torch.zeros(1, 2)  # type: ignore[func-returns-value]  # it notes what comes
    stage.features(np.full((1, fixed[0], 40, 50, 3), pixel, np.uint8))
    assert seen[0].shape == (1, 3, fixed[0], fixed[1], fixed[1])
    assert np.allclose(seen[0].amax((0, 2, 3, 4)), wanted, atol=1e-3)
    assert np.allclose(seen[0].amin((0, 2, 3, 4)), wanted, atol=1e-3)


def test_without_weights_it_does_not_run_unless_told_and_then_says_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"swin has no weights; set perception\.clips\.weights"):
        made(random=False)
    assert "random" in made().name()
    torch.manual_seed(5)
    save_file(VideoSwin().state_dict(), tmp_path / "swin.safetensors")
    stage = made(random=False, weights=tmp_path / "swin.safetensors")
    assert stage.name() == "swin"
    assert not np.allclose(stage.features(clips(1)), made().features(clips(1)))
    with pytest.raises(ConfigError, match="exclude each other"):
        made(random=True, weights=tmp_path / "swin.safetensors")


def test_making_a_random_one_leaves_other_random_numbers_alone() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    made()
    assert torch.equal(torch.rand(4), wanted)


@pytest.mark.parametrize("changes", [{"length": 8, "size": 112}, {"length": 16, "size": 64}])
def test_c3d_takes_its_size_only(changes: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"c3d takes 16 frames of 112 pixels a side only; give it blocks of 16"):
        made("c3d", **changes)


@pytest.mark.parametrize(
    "bad",
    [np.zeros((1, 5, 8, 8, 3), np.uint8), np.zeros((4, 8, 8, 3), np.uint8), np.zeros((1, 4, 8, 8, 3)),
     np.zeros((1, 4, 8, 8, 1), np.uint8), np.zeros((1, 4, 0, 8, 3), np.uint8)],
)  # fmt: skip
def test_what_is_no_clip_is_refused(bad: Any) -> None:
    with pytest.raises(ShapeError, match="clips"):
        made().features(bad)


def test_no_clips_give_no_features() -> None:
    assert made().features(clips(0)).shape == (0, 192)
