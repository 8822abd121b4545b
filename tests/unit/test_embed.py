"""Networks of crops: the same features from OpenVINO and torch, whatever a crop is computed together with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from amiss.perception import embed
from amiss.perception.efficientnet import EfficientNetLite0, load_efficientnet_lite0
from amiss.perception.embed import Embedder, OpenVinoEmbedder, TorchEmbedder, make_embedder
from amiss.types import FloatArray, Image
from support import texture

CPU = torch.device("cpu")
SIZE = 48


@pytest.fixture(scope="module")
def crops() -> Image:
    """`(29, SIZE, SIZE, 3)` textures from dark to bright: more than a batch of either."""
    return np.stack([np.clip(texture(SIZE, SIZE, seed) + 4 * seed, 0, 255).astype(np.uint8) for seed in range(29)])


@pytest.fixture(scope="module", params=["openvino", "torch"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    network = load_efficientnet_lite0()
    return OpenVinoEmbedder(network, SIZE) if request.param == "openvino" else TorchEmbedder(network, CPU)


@pytest.fixture(scope="module")
def alone(embedder: Embedder, crops: Image) -> FloatArray:
    """Features of each crop by itself."""
    return np.concatenate([embedder(crop[None]) for crop in crops])


@pytest.mark.parametrize("count", [2, 3, 5, 8, 11, 13, 20, 29])
def test_a_crop_has_the_same_feature_in_any_company(
    embedder: Embedder, alone: FloatArray, crops: Image, count: int
) -> None:
    order = np.random.default_rng(count).permutation(len(crops))[:count]
    found = embedder(crops[order])
    assert found.dtype == np.float32
    assert np.array_equal(found, alone[order])


def test_openvino_and_torch_agree(crops: Image) -> None:
    one = OpenVinoEmbedder(load_efficientnet_lite0(), SIZE)(crops)
    other = TorchEmbedder(load_efficientnet_lite0(), CPU)(crops)
    apart = np.linalg.norm(one - other, axis=1) / np.linalg.norm(other, axis=1)
    assert apart.max() < 1e-4
    assert not np.allclose(other[0], other[1], rtol=0.1)  # it could tell


def test_what_is_found_is_not_written_over_by_the_next(embedder: Embedder, crops: Image) -> None:
    first = embedder(crops[:2])
    kept = first.copy()
    embedder(crops[2:4])
    assert np.array_equal(first, kept)


def test_torch_runs_what_cannot_be_exported_and_where_there_is_no_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    network = EfficientNetLite0().eval()
    network.fuse()
    assert isinstance(make_embedder(network, CPU, SIZE), OpenVinoEmbedder)
    assert isinstance(make_embedder(network, torch.device("meta"), SIZE), TorchEmbedder)
    assert isinstance(make_embedder(torch.nn.Flatten(), CPU, SIZE), TorchEmbedder)
    monkeypatch.setattr(embed, "find_spec", lambda _: None)
    assert isinstance(make_embedder(load_efficientnet_lite0(), CPU, SIZE), TorchEmbedder)
