"""What every registered feature network keeps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from amiss.config import FeaturesConfig
from amiss.engine.model import LICENCES
from amiss.perception.features import FEATURE_NETWORKS, Features
from amiss.types import Boxes, Frame
from support import texture

IMAGE = np.concatenate([texture(96, 80, 1), np.full((96, 80, 3), 200, np.uint8)], axis=1)
BOXES = Boxes([[0, 0, 40, 80], [100, 0, 140, 80], [2, 2, 42, 82]])


@pytest.fixture(scope="module", params=list(FEATURE_NETWORKS))
def stage(request: pytest.FixtureRequest) -> Features:
    return Features(FeaturesConfig(source=request.param, every=1), torch.device("cpu"))


def test_features_have_the_stated_length(stage: Features) -> None:
    found = stage.update(Frame(IMAGE, 0, 0.0), BOXES)
    network, length = FEATURE_NETWORKS[stage._config.source]()
    assert found.shape == (3, length)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert not network.training


def test_like_things_have_like_features(stage: Features) -> None:
    rough, plain, alike = stage.update(Frame(IMAGE, 0, 0.0), BOXES)
    assert np.linalg.norm(rough - alike) < np.linalg.norm(rough - plain)


def test_the_same_crops_give_the_same_features_in_any_order(stage: Features) -> None:
    frame = Frame(IMAGE, 0, 0.0)
    found = stage.update(frame, BOXES)
    assert np.allclose(stage.update(frame, BOXES[::-1])[::-1], found, atol=1e-3 * np.abs(found).max())
    assert np.array_equal(stage.update(frame, BOXES), found)


def test_a_size_is_as_good_as_another(stage: Features) -> None:
    small = Features(stage._config.model_copy(update={"size": 32}), torch.device("cpu"))
    assert small.update(Frame(IMAGE, 0, 0.0), BOXES).shape == stage.update(Frame(IMAGE, 0, 0.0), BOXES).shape


def test_the_licence_of_its_weights_is_stated(stage: Features) -> None:
    assert LICENCES[stage._config.source]
