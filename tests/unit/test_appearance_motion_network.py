"""The network and the losses of `appearance-motion`, against sums written out in full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from amiss.methods.appearance_motion import AppearanceMotionSettings, losses
from amiss.methods.appearance_motion.network import Read, Suppressor, TwoStream
from amiss.methods.appearance_motion.settings import PRESETS

SMALL: dict[str, Any] = {"width": 4, "memory": (3, 4, 5)}


def network(**settings: Any) -> TwoStream:
    torch.manual_seed(0)
    return TwoStream(AppearanceMotionSettings(**SMALL | settings))


def cubes(count: int = 6) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 12, 32, 32, generator=generator), torch.randn(count, 8, 32, 32, generator=generator)


def pictures() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(2)
    return generator.random((2, 3, 5, 4)), generator.random((2, 3, 5, 4))


def test_intensity_is_the_mean_squared_difference() -> None:
    one, other = pictures()
    wanted = sum((a - b) ** 2 for a, b in zip(one.ravel(), other.ravel(), strict=True)) / one.size
    assert float(losses.intensity(torch.tensor(one), torch.tensor(other))) == pytest.approx(wanted)


def test_gradient_difference_compares_steps_between_neighbours_whatever_their_sign() -> None:
    one, other = pictures()
    down, across = [], []
    for n, c, i, j in np.ndindex(*one.shape):
        if i:
            down.append(
                abs(abs(one[n, c, i, j] - one[n, c, i - 1, j]) - abs(other[n, c, i, j] - other[n, c, i - 1, j]))
            )
        if j:
            across.append(
                abs(abs(one[n, c, i, j] - one[n, c, i, j - 1]) - abs(other[n, c, i, j] - other[n, c, i, j - 1]))
            )
    found = losses.gradient_difference(torch.tensor(one), torch.tensor(other))
    assert float(found) == pytest.approx(np.mean(down) + np.mean(across))
    assert float(losses.gradient_difference(torch.tensor(one), torch.tensor(-one))) == 0


def test_alignment_is_one_minus_the_cosine() -> None:
    one, other = np.random.default_rng(3).random((2, 4, 7))
    wanted = [1 - a @ b / np.sqrt(a @ a * (b @ b)) for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(losses.inconsistency(torch.tensor(one), torch.tensor(other)), wanted)
    assert float(losses.alignment(torch.tensor(one), torch.tensor(other))) == pytest.approx(np.mean(wanted))


def read_of(suppressor: Suppressor, maps: Tensor) -> Read:
    with torch.no_grad():
        return suppressor(maps)[1]


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_a_memory_is_read_as_written_out(temperature: float) -> None:
    torch.manual_seed(4)
    suppressor, maps = Suppressor(2, 3, 4, temperature).eval(), torch.rand(5, 2, 3, 3)
    read = read_of(suppressor, maps)
    items = suppressor.items.detach().double().numpy()
    for row, one in enumerate(maps.double().numpy()):
        query = np.array([one[c, i, j] for i in range(3) for j in range(3) for c in range(2)])
        cosines = np.array([query @ m / np.linalg.norm(query) / np.linalg.norm(m) for m in items])
        weights = np.exp(cosines / temperature) / np.exp(cosines / temperature).sum()
        nearest, second = np.argsort(-cosines)[:2]
        assert read.strength[row] == pytest.approx(weights.max(), rel=1e-5)
        assert read.near[row] == pytest.approx(np.mean((query - items[nearest]) ** 2), rel=1e-4)
        assert read.far[row] == pytest.approx(np.mean((query - items[second]) ** 2), rel=1e-4)
        np.testing.assert_allclose(read.similarity[row], cosines, rtol=1e-5)


def test_compactness_and_diversity_add_up_over_the_memories() -> None:
    near, far = torch.tensor([1.0, 3.0]), torch.tensor([1.5, 9.0])
    reads = [Read(near, near, near, far), Read(near, near, 2 * near, far)]
    assert float(losses.compactness(reads)) == pytest.approx((1 + 3) / 2 + (2 + 6) / 2)
    hinged = [max(n - f + 1, 0) for n, f in ((1, 1.5), (3, 9), (2, 1.5), (6, 9))]
    assert float(losses.diversity(reads, 1.0)) == pytest.approx(sum(hinged[:2]) / 2 + sum(hinged[2:]) / 2)


def test_the_suppressor_lies_between_even_and_a_single_item() -> None:
    maps = torch.rand(50, 4, 8, 8)
    strength = read_of(Suppressor(4, 8, 40, 1.0), maps).strength
    assert (strength >= 1 / 40).all()
    assert (strength <= np.e / (np.e + 39)).all()
    assert (read_of(Suppressor(4, 8, 1, 1.0), maps).strength == 1).all()


def test_what_is_suppressed_is_the_normalised_map_times_the_suppressor() -> None:
    suppressor, maps = Suppressor(4, 8, 5, 1.0).eval(), torch.randn(3, 4, 8, 8)
    with torch.no_grad():
        out, read = suppressor(maps)
        wanted = torch.relu(read.strength[:, None, None, None] * suppressor.norm(maps))
    torch.testing.assert_close(out, wanted)


def test_it_predicts_a_picture_and_gives_features_of_the_bottom_level() -> None:
    with torch.no_grad():
        seen = network()(*cubes())
    assert seen.prediction.shape == (6, 3, 32, 32)
    assert (seen.prediction >= 0).all()
    assert (seen.prediction <= 1).all()
    assert seen.appearance is not None
    assert seen.motion is not None
    assert seen.appearance.shape == seen.motion.shape == (6, 32 * 16)
    assert [read.similarity.shape[1] for read in seen.reads] == [3, 4, 5]


@pytest.mark.parametrize(
    "changed",
    [
        {"streams": "appearance"},
        {"streams": "motion"},
        {"replacement": False},
        {"suppression": False},
        {"skips": 0},
        {"skips": 1},
        {"skips": 2},
        {"convolutions": 1},
        {"width": 6},
        {"memory": (9, 9, 9)},
        {"temperature": 0.1},
    ],
    ids=str,
)
def test_each_switch_changes_what_is_predicted(changed: dict[str, Any]) -> None:
    with torch.no_grad():
        assert not torch.allclose(network()(*cubes()).prediction, network(**changed)(*cubes()).prediction, atol=1e-4)


def test_the_decoder_sees_only_the_streams_that_it_should() -> None:
    frames, flows = cubes()
    moved, shown = flows + 1, frames.flip(2)
    with torch.no_grad():
        for streams, first, second in (("appearance", False, True), ("motion", True, False), ("both", True, True)):
            net = network(streams=streams).eval()
            plain = net(frames, flows).prediction
            assert torch.equal(plain, net(frames, moved).prediction) is not first
            assert torch.equal(plain, net(shown, flows).prediction) is not second
        replaced, own = network(skips=0).eval(), network(skips=0, replacement=False).eval()
        assert torch.equal(replaced(frames, flows).prediction, replaced(shown, flows).prediction)
        assert torch.equal(own(frames, flows).prediction, own(frames, moved).prediction)


def test_each_stream_or_memory_that_is_left_out_has_no_weights() -> None:
    names = {key.split(".")[0] for key in network().state_dict()}
    assert {"appearance", "motion", "suppressors"} <= names
    assert "motion" not in {key.split(".")[0] for key in network(streams="appearance").state_dict()}
    assert "appearance" not in {key.split(".")[0] for key in network(streams="motion").state_dict()}
    assert "suppressors" not in {key.split(".")[0] for key in network(suppression=False).state_dict()}


def test_presets_are_the_published_settings() -> None:
    assert {name: AppearanceMotionSettings(**preset.get("method", {})).memory for name, preset in PRESETS.items()} == {
        "ped2": (40, 40, 40),
        "avenue": (40, 40, 40),
        "shanghaitech": (40, 60, 80),
    }
