"""Crops, and appearance features that are computed anew every few frames along a track."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from amiss.config import FeaturesConfig
from amiss.errors import ConfigError
from amiss.perception import features
from amiss.perception.efficientnet import EfficientNetLite0, SameConv, load_efficientnet_lite0
from amiss.perception.embed import OPENVINO_BATCHES, OpenVinoEmbedder
from amiss.perception.features import Features, crop
from amiss.types import NO_TRACK, Boxes, FloatArray, Frame, Image
from support import texture

CPU = torch.device("cpu")


class Mean(torch.nn.Module):
    """The mean colour of a crop, and how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked += len(x)
        return x.mean((2, 3))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Mean:
    mean = Mean()
    monkeypatch.setattr(features, "FEATURE_NETWORKS", {"efficientnet-lite0": lambda: (mean, 3)})
    return mean


def flat(level: int, index: int) -> Frame:
    return Frame(np.full((48, 64, 3), level, np.uint8), index, index / 25)


def tracked(*tracks: int) -> Boxes:
    return Boxes(np.tile(np.array([4, 4, 20, 40], np.float32), (len(tracks), 1)), track=list(tracks))


def as_level(feature: FloatArray) -> FloatArray:
    return np.round(feature.mean(1) * 128 + 127)


@pytest.mark.parametrize(
    ("box", "colour"),
    [((0, 0, 10, 10), 1), ((50, 0, 60, 10), 2), ((-20, 5, -5, 9), 1), ((90, 5, 99, 9), 2), ((3.2, 3, 3.4, 3), 1)],
)
def test_a_crop_shows_what_is_in_the_box_or_the_edge_of_the_picture(box: tuple[float, ...], colour: int) -> None:
    image = np.ones((40, 60, 3), np.uint8)
    image[:, 30:] = 2
    piece = crop(image, np.array(box, np.float32), 8)
    assert piece.shape == (8, 8, 3)
    assert (piece == colour).all()


def test_a_crop_keeps_dtype_and_channels() -> None:
    flow = np.ones((40, 60, 2), np.float32)
    assert crop(flow, np.array([1, 2, 30, 40]), 4).dtype == np.float32  # type: ignore[arg-type]  # flow is cut alike
    assert crop(flow, np.array([1, 2, 30, 40]), 4).shape == (4, 4, 2)  # type: ignore[arg-type]


def test_a_large_crop_is_averaged_not_picked() -> None:
    image: Image = np.zeros((64, 64, 3), np.uint8)
    image[::2] = 200
    assert np.ptp(crop(image, np.array([0, 0, 64, 64]), 8)) <= 1


def test_along_a_track_a_feature_lasts_a_few_frames(network: Mean) -> None:
    stage = Features(FeaturesConfig(every=3), CPU)
    levels = [as_level(stage.update(flat(10 * i, i), tracked(5)))[0] for i in range(7)]
    assert levels == [0, 0, 0, 30, 30, 30, 60]
    assert network.asked == 3


def test_boxes_without_a_track_are_always_looked_at(network: Mean) -> None:
    stage = Features(FeaturesConfig(every=3), CPU)
    for i in range(3):
        assert as_level(stage.update(flat(10 * i, i), tracked(NO_TRACK, NO_TRACK))).tolist() == [10 * i] * 2
    assert network.asked == 6


def test_a_track_that_comes_back_late_is_looked_at_anew(network: Mean) -> None:
    stage = Features(FeaturesConfig(every=2), CPU)
    stage.update(flat(10, 0), tracked(5))
    stage.update(flat(20, 1), tracked())
    assert as_level(stage.update(flat(30, 2), tracked(5))) == [30]


def test_reset_forgets_tracks(network: Mean) -> None:
    stage = Features(FeaturesConfig(every=9), CPU)
    stage.update(flat(10, 0), tracked(5))
    stage.reset()
    assert as_level(stage.update(flat(20, 1), tracked(5))) == [20]


def test_rows_are_those_of_the_boxes(network: Mean) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, 32:] = 100
    boxes = Boxes([[0, 0, 20, 20], [40, 0, 60, 20]], track=[1, 2])
    stage = Features(FeaturesConfig(), CPU)
    assert as_level(stage.update(Frame(image, 0, 0.0), boxes)).tolist() == [0, 100]
    assert as_level(stage.update(Frame(image, 1, 0.04), boxes[::-1])).tolist() == [100, 0]


def test_several_frames_are_computed_at_once_and_give_what_each_gives_alone(network: Mean) -> None:
    frames = [flat(10 * index, index) for index in range(4)]
    followed = [tracked(5), tracked(5, 7), tracked(7, NO_TRACK), tracked(5)]
    one, many = Features(FeaturesConfig(every=2), CPU), Features(FeaturesConfig(every=2), CPU)
    alone = [one.update(frame, boxes) for frame, boxes in zip(frames, followed, strict=True)]
    network.asked = 0
    asked = [many.ask(frame, boxes) for frame, boxes in zip(frames, followed, strict=True)]
    assert network.asked == 0
    many.compute()
    assert network.asked == 4
    for given, expected in zip(asked, alone, strict=True):
        np.testing.assert_array_equal(many.rows(given), expected)


def test_after_warming_no_crops_wait_for_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "FEATURE_NETWORKS", {"efficientnet-lite0": lambda: (load_efficientnet_lite0(), 1280)})
    sizes: list[int] = []
    compiled = OpenVinoEmbedder._compile

    def noted(self: OpenVinoEmbedder, batch: int) -> object:
        sizes.append(batch)
        return compiled(self, batch)

    monkeypatch.setattr(OpenVinoEmbedder, "_compile", noted)
    warm = Features(FeaturesConfig(size=40), CPU)
    assert sizes == []
    warm.warm()
    assert sizes == list(OPENVINO_BATCHES)
    for index, count in enumerate((1, 2, 5, 7, 12, 30)):
        warm.update(flat(100, index), tracked(*range(100 * index, 100 * index + count)))
    assert sizes == list(OPENVINO_BATCHES)


def test_no_boxes_give_no_rows_of_the_right_length(network: Mean) -> None:
    found = Features(FeaturesConfig(), CPU).update(flat(0, 0), Boxes.empty())
    assert (found.shape, found.dtype) == ((0, 3), np.float32)


def test_an_unknown_network_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="efficientnet-lite0"):
        Features(FeaturesConfig(source="eyes"), CPU)


@pytest.mark.parametrize(("size", "kernel", "stride"), [(64, 3, 2), (33, 5, 2), (64, 5, 1), (7, 3, 2)])
def test_same_convolutions_give_the_ceiling_of_the_size(size: int, kernel: int, stride: int) -> None:
    out = SameConv(2, 3, kernel, stride)(torch.zeros(1, 2, size, size))
    assert out.shape == (1, 3, -(-size // stride), -(-size // stride))


def test_same_convolutions_pad_after_before() -> None:
    layer = SameConv(1, 1, 3, 2)
    torch.nn.init.ones_(layer.weight)
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    # one row and column of zeros, both after: the first output sums rows and columns 0..2
    assert layer(picture).flatten().tolist() == [45.0, 39.0, 66.0, 50.0]


def test_fusing_changes_nothing_but_speed() -> None:
    torch.manual_seed(0)
    network = EfficientNetLite0().eval()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(layer.running_var, 0.5, 1.5)
    crops = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        before = network(crops)
        network.fuse()
        after = network(crops)
    assert before.shape == (1, 1280)
    assert torch.allclose(before, after, atol=1e-4)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())


def test_the_trained_network_tells_textures_apart() -> None:
    network = load_efficientnet_lite0()
    plain, rough = np.full((64, 64, 3), 90, np.uint8), texture(64, 64, 1)
    crops = np.stack([plain, plain + np.uint8(4), rough])
    with torch.inference_mode():
        found = network((torch.from_numpy(crops).permute(0, 3, 1, 2).float() - 127) / 128).numpy()
    assert np.linalg.norm(found[0] - found[1]) < 0.5 * np.linalg.norm(found[0] - found[2])
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())
