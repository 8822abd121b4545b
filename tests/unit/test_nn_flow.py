"""The normalising flow over segments: invertible, with the right determinant, and the body as a graph."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from amiss.nn.flow import ActNorm, SegmentFlow, Whitening, negative_log_likelihood
from amiss.nn.graph import FROM_COCO, JOINTS, LEFT_RIGHT, adjacency, distances
from amiss.perception.skeleton import JOINTS as COCO

FORMS: list[dict[str, Any]] = [
    {}, {"hops": 1}, {"mixing": "learned"}, {"rectified": False}, {"steps": 3, "kernel": 5}, {"whitening": 2.0},
]  # fmt: skip


def segments(count: int = 16, frames: int = 6, seed: int = 0) -> Tensor:
    """Joints that lie and swing differently, float64."""
    generator = torch.Generator().manual_seed(seed)
    place, pace = (torch.randn(count, 2, 1, 18, generator=generator, dtype=torch.float64) for _ in range(2))
    return place + pace * torch.linspace(-0.5, 0.5, frames, dtype=torch.float64)[:, None]


@torch.enable_grad()
def trained(frames: int = 6, **form: Any) -> SegmentFlow:
    """A flow after some steps, so that no part of it is as it began; float64."""
    torch.manual_seed(1)
    flow = SegmentFlow(frames, **{"kernel": 3} | form).double()
    flow.start(segments(64, frames))
    optimiser = torch.optim.Adam(flow.parameters(), 0.02)
    for step in range(20):
        latent, volume = flow(segments(64, frames, step))
        optimiser.zero_grad()
        negative_log_likelihood(latent, volume, 3.0).mean().backward()
        optimiser.step()
    return flow.eval()


@pytest.mark.parametrize("form", FORMS, ids=str)
@torch.no_grad()
def test_the_inverse_gives_the_segments_back(form: dict[str, Any]) -> None:
    flow, given = trained(**form), segments(seed=99)
    latent, _ = flow(given)
    assert (latent - given).abs().max() > 0.5
    assert (flow.inverse(latent) - given).abs().max() < 1e-9
    single = flow.float()
    assert (single.inverse(single(given.float())[0]) - given).abs().max() < 1e-5


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_determinant_is_that_of_the_jacobian(form: dict[str, Any]) -> None:
    flow, given = trained(frames=3, **form), segments(3, frames=3, seed=99)
    _, volume = flow(given)
    for row in range(len(given)):
        square = torch.autograd.functional.jacobian(lambda one: flow(one)[0], given[row : row + 1])
        size = given[row].numel()
        _, expected = torch.linalg.slogdet(square.reshape(size, size))
        assert float(volume[row].sum().detach()) == pytest.approx(float(expected), abs=1e-4)


def test_whitening_makes_many_segments_uncorrelated_and_changes_few_much_less() -> None:
    whitening = Whitening(3, 18, 1.0).double()
    many = segments(4000, 3)
    whitening.start((many[:, 0], many[:, 1]))
    white, volume = whitening((many[:, 0], many[:, 1]))
    flat = torch.stack(white, 1).flatten(1)
    assert (flat.mean(0)).abs().max() < 1e-5
    values = torch.linalg.eigvalsh(flat.T @ flat / len(flat))
    assert values.max() < 1.02
    assert values[54:].min() > 0.9  # a body that moves steadily has 72 ways to do so, and jitter the others
    assert float(volume) * 54 == pytest.approx(float(torch.linalg.slogdet(whitening.weight)[1]), abs=1e-4)
    whitening = Whitening(3, 18, 1e9).double()
    whitening.start((many[:20, 0], many[:20, 1]))  # so few say no more than how large things are
    off = whitening.weight - torch.diag(whitening.weight.diagonal())
    assert off.abs().max() < 1e-6


def test_the_likelihood_is_that_of_the_prior_with_the_determinant() -> None:
    latent, volume = segments(4), torch.rand(4, 6, 18, dtype=torch.float64)
    prior = torch.distributions.Normal(3.0, 1.0)
    expected = -prior.log_prob(latent).sum((1, 2)) - volume.sum(1)
    torch.testing.assert_close(negative_log_likelihood(latent, volume, 3.0), expected)


def test_training_makes_normal_segments_likelier() -> None:
    torch.manual_seed(1)
    first = SegmentFlow(6, kernel=3).double()
    first.start(segments(64))
    first.eval()

    def nats(flow: SegmentFlow) -> float:
        latent, volume = flow(segments(64, seed=99))
        return float(negative_log_likelihood(latent, volume, 3.0).mean().detach())

    assert nats(trained()) < 0.9 * nats(first)


@torch.no_grad()
def test_it_begins_with_a_batch_that_is_standard() -> None:
    layer, pair = ActNorm(), (5 + 3 * torch.randn(50, 4, 18), 0.1 * torch.randn(50, 4, 18))
    layer.start(pair)
    (x, y), volume = layer(pair)
    for channel in (x, y):
        assert float(channel.mean()) == pytest.approx(0, abs=1e-5)
        assert float(channel.std()) == pytest.approx(1, abs=1e-4)
    spread = math.log(float(pair[0].std())) + math.log(float(pair[1].std()))
    assert float(volume) == pytest.approx(-spread, abs=1e-4)


@torch.no_grad()
def test_a_segment_does_not_depend_on_the_others_and_none_are_none() -> None:
    flow, given = trained(), segments(7, seed=3)
    whole, alone = flow(given), flow(given[2:3])
    torch.testing.assert_close(whole[0][2:3], alone[0], rtol=0, atol=1e-12)
    latent, volume = flow(given[:0])
    assert latent.shape == (0, 2, 6, 18)
    assert negative_log_likelihood(latent, volume, 3.0).shape == (0, 18)


@torch.no_grad()
def test_hops_say_how_far_a_joint_is_felt() -> None:
    """With one step y is what x says: the nose's x moves the y of its neighbours only."""
    near = trained(hops=1, steps=1)
    given = segments(1, seed=3)
    moved = given.clone()
    moved[:, 1, :, JOINTS.index("nose")] += 1  # channels are swapped before the coupling
    change = (near(moved)[0] - near(given)[0]).abs().amax((0, 1, 2))
    felt = {JOINTS[joint] for joint in np.flatnonzero(change > 1e-9)}
    assert felt == {"nose", "neck", "right eye", "left eye"}


@torch.no_grad()
def test_it_computes_in_32_bits_where_others_are_in_16() -> None:
    flow, given = trained().float(), segments().float()
    with torch.autocast("cpu", torch.bfloat16):
        latent, volume = flow(given)
    assert latent.dtype == volume.dtype == torch.float32
    torch.testing.assert_close(latent, flow(given)[0], rtol=0, atol=0)


def test_the_graph_is_a_body() -> None:
    steps = distances()
    assert (steps == steps.T).all()
    assert steps[JOINTS.index("right ankle"), JOINTS.index("right hip")] == 2
    assert steps.max() <= 8
    assert [(*COCO, "neck")[place] for place in FROM_COCO] == list(JOINTS)
    mirrored = [JOINTS[joint] for joint in LEFT_RIGHT]
    assert [name.replace("left", "L").replace("right", "left").replace("L", "right") for name in JOINTS] == mirrored


@pytest.mark.parametrize("hops", [0, 1, 3, 8])
def test_neighbourhoods_are_means(hops: int) -> None:
    columns = adjacency(hops)
    assert columns.shape == (18, 1 if hops == 8 else 18)
    torch.testing.assert_close(columns.sum(0), torch.ones(columns.shape[1]))
    if hops == 0:
        torch.testing.assert_close(columns, torch.eye(18))
