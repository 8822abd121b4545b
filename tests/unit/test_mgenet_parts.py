"""Masks, memories, attention and matching of `mgenet`, against what is written out in full."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from amiss.methods.mgenet.lsta import Attention, MotionHead
from amiss.methods.mgenet.masks import block_mask, covering_masks
from amiss.methods.mgenet.matching import MovementMatching, WeightMatching
from amiss.methods.mgenet.memory import Memory, separateness
from amiss.methods.mgenet.movement import MOVEMENT, movement_of
from amiss.methods.pose_flow.settings import PoseFlowSettings
from amiss.nn.attention import Encoder, places
from amiss.types import Windows

SIDES = st.integers(1, 14)
SHARES = st.floats(0.05, 0.95)


@given(SIDES, SIDES, SHARES, st.integers(0, 99))
def test_a_mask_hides_exactly_its_share(height: int, width: int, share: float, seed: int) -> None:
    mask = block_mask(height, width, share, np.random.default_rng(seed))
    assert mask.shape == (height, width)
    assert mask.sum() == round(share * height * width)


@given(SIDES, SIDES, SHARES, st.integers(0, 99))
def test_masks_that_cover_hide_every_place_and_one_share_each(height: int, width: int, share: float, seed: int) -> None:
    wanted = round(share * height * width)
    masks = covering_masks(height, width, share, np.random.default_rng(seed))
    assert len(masks) == max(2, int(np.ceil(1 / share - 1e-9)))
    assert all(mask.sum() == wanted for mask in masks)
    if wanted * len(masks) >= height * width:
        assert np.logical_or.reduce(masks).all()


def test_at_half_the_two_masks_are_opposites() -> None:
    one, other = covering_masks(8, 8, 0.5, np.random.default_rng(3))
    np.testing.assert_array_equal(one, ~other)


def test_masks_come_in_blocks() -> None:
    """Of two neighbours both are hidden or neither, far more often than of places drawn one by one."""
    masks = [block_mask(12, 12, 0.5, np.random.default_rng(seed)) for seed in range(30)]
    alike = np.mean([(mask[1:] == mask[:-1]).mean() for mask in masks])
    assert alike > 0.75


def memory(items: int = 5, width: int = 4, temperature: float = 1.0) -> Memory:
    torch.manual_seed(0)
    return Memory(items, width, temperature)


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_a_memory_is_read_by_the_softmax_of_cosines(temperature: float) -> None:
    kept, queries = memory(temperature=temperature), np.random.default_rng(1).normal(size=(3, 2, 4))
    read, weights = kept.read(torch.tensor(queries))
    items = kept.items.double().numpy()
    for place in np.ndindex(3, 2):
        raw = np.exp(unit(queries[place]) @ items.T / temperature)
        np.testing.assert_allclose(weights[place], raw / raw.sum(), rtol=1e-5)
        np.testing.assert_allclose(read[place], raw / raw.sum() @ items, rtol=1e-4, atol=1e-6)


def test_writing_moves_items_towards_their_own_queries() -> None:
    kept, queries = memory(), np.random.default_rng(2).normal(size=(7, 4))
    before = kept.items.double().numpy()
    cosine = unit(queries) @ before.T
    softmax = np.exp(cosine) / np.exp(cosine).sum(0)
    wanted = before.copy()
    for item in range(5):
        own = np.flatnonzero(cosine.argmax(1) == item)
        if len(own):
            share = softmax[own, item] / softmax[own, item].max()
            wanted[item] += share @ unit(queries)[own]
    kept.write(torch.tensor(queries))
    np.testing.assert_allclose(kept.items, unit(wanted), rtol=1e-5, atol=1e-6)
    assert not kept.items.requires_grad


def test_separateness_is_a_hinge_on_the_two_nearest() -> None:
    kept, queries = memory(), np.random.default_rng(3).normal(size=(6, 4))
    gaps = np.sort(np.linalg.norm(unit(queries)[:, None] - kept.items.double().numpy(), axis=2), axis=1)
    wanted = np.maximum(gaps[:, 0] - gaps[:, 1] + 0.4, 0).mean()
    assert float(separateness(torch.tensor(queries), kept.items, 0.4)) == pytest.approx(wanted, rel=1e-5)


def test_behaviour_and_scene_are_compared_at_the_same_pairs() -> None:
    torch.manual_seed(4)
    matching, generator = WeightMatching(6, 2 * 3, 4, 2, 0.5), np.random.default_rng(5)
    behaviour, scene = generator.random((3, 2, 3)), generator.random((3, 4))
    score, pairs = matching.difference(torch.tensor(behaviour), torch.tensor(scene))
    items = matching.memory.items.double().numpy()
    for row in range(3):
        c_b = np.exp(unit(behaviour[row].ravel()) @ unit(items[:, :6]).T / 0.5)
        c_s = np.exp(unit(scene[row]) @ unit(items[:, 6:]).T / 0.5)
        c_b, c_s = c_b / c_b.sum(), c_s / c_s.sum()
        top = np.argsort(-c_b)[:2]
        assert pairs[row].tolist() == top.tolist()
        assert score[row] == pytest.approx(np.linalg.norm(c_b[top] - c_s[top]), rel=1e-4)


def test_a_pair_that_was_seen_matches_better_than_one_that_was_not() -> None:
    torch.manual_seed(6)
    matching = WeightMatching(8, 6, 4, 2, 0.1)
    behaviours, scenes = torch.eye(6)[:2].reshape(2, 2, 3), torch.eye(4)[:2]
    for _ in range(20):
        matching.memory.write(matching.pairs(behaviours, scenes))
    usual, _ = matching.difference(behaviours, scenes)
    swapped, _ = matching.difference(behaviours, scenes.flip(0))
    assert usual.max() < swapped.min()


def movements(count: int, seed: int) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).normal(size=(count, MOVEMENT)))


def test_a_movement_counts_by_how_much_farther_it_is_from_normal_ones_in_such_a_scene() -> None:
    matching, generator = MovementMatching(40, 4, 3), np.random.default_rng(8)
    known, scenes = movements(40, 9), np.eye(4)[generator.integers(4, size=40)] + 0.2 * generator.random((40, 4))
    matching.write(known, torch.tensor(scenes), torch.arange(40) // 10)
    asked, places = movements(5, 10), np.eye(4)[[0, 1, 2, 3, 0]] + 0.2 * generator.random((5, 4))
    score, pairs = matching.difference(asked, torch.tensor(places))
    flat = (known.numpy() - known.numpy().mean(0)) / known.numpy().std(0)
    axes = np.linalg.svd(flat, full_matrices=False)[2][:8]
    deviation = (flat @ axes.T).std(0)  # of each component
    whole = (asked.numpy() - known.numpy().mean(0)) / known.numpy().std(0)
    kept = matching.movements.numpy()
    for row in range(5):
        gaps = np.linalg.norm(whole[row] @ axes.T / deviation - flat @ axes.T / deviation, axis=1)
        own = np.linalg.norm((whole[row] @ axes.T / deviation) - kept, axis=1)
        np.testing.assert_allclose(np.sort(own), np.sort(gaps), rtol=1e-6)  # every movement is remembered
        apart = 10 * (1 - np.minimum(unit(scenes) @ unit(places[row]) / 0.5, 1))
        wanted = np.sort(gaps + apart)[:3].mean() - np.sort(gaps)[:3].mean()
        assert score[row] == pytest.approx(wanted, rel=1e-6)
        assert set(np.argsort(own)[:3]) == set(pairs[row].tolist())
    without, _ = matching.difference(asked, torch.tensor(places), torch.tensor([0, 1, 2, 3, 9]))
    rest = MovementMatching(40, 4, 3)
    rest.write(known, torch.tensor(scenes), torch.arange(40) // 10)
    for clip in range(4):
        rest.movements[rest.clips == clip] = 1e6  # so far away that it is never the nearest
        assert rest.difference(asked, torch.tensor(places))[0][clip] == pytest.approx(float(without[clip]), rel=1e-6)
        rest.write(known, torch.tensor(scenes), torch.arange(40) // 10)
    assert without[4] == score[4]
    alone, _ = matching.difference(asked, torch.tensor(places), torch.full((5,), 7))
    torch.testing.assert_close(alone, score)


def test_what_is_usual_elsewhere_alone_does_not_belong_here() -> None:
    matching = MovementMatching(64, 4, 1)
    walks, runs = movements(60, 11), movements(60, 12) + 8
    street, track = torch.eye(4)[:1].expand(60, -1), torch.eye(4)[1:2].expand(60, -1)
    matching.write(torch.cat([walks, runs, walks]), torch.cat([street, track, track]), torch.zeros(180))
    here, _ = matching.difference(runs, street)
    there, _ = matching.difference(runs, track)
    walking, _ = matching.difference(walks, street)
    assert here.min() > max(float(there.max()), float(walking.max()))


def test_in_a_single_scene_that_wavers_every_movement_belongs() -> None:
    matching, generator = MovementMatching(16, 4, 2), np.random.default_rng(13)
    scenes, others = (torch.eye(4)[:1] + torch.tensor(generator.random((count, 4)) * 0.3) for count in (30, 6))
    matching.write(movements(30, 13), scenes, torch.zeros(30))
    score, pairs = matching.difference(movements(6, 14) * 5, others)
    assert (score == 0).all()
    assert (matching.kin(pairs, others) > 0.5).all()


def test_of_fewer_movements_than_items_and_of_some_without_spread_none_is_not_a_number() -> None:
    matching = MovementMatching(16, 4, 2)
    known = movements(3, 15)
    known[:, 5:] = 0  # what never changes tells nothing
    matching.write(known, torch.eye(4)[:3], torch.zeros(3))
    score, _ = matching.difference(movements(4, 16), torch.eye(4))
    assert torch.isfinite(score).all()
    assert (score >= 0).all()


def swinging(scale: float = 1.0, shift: float = 0.0, rate: float = 1.0) -> Windows:
    """Somebody whose joints swing from side to side, the last of them farthest."""
    body = np.random.default_rng(17).normal(size=(17, 2)) * (4, 12) + 100
    swing = np.sin(rate * np.arange(24) / 3)[:, None, None] * np.linspace(0, 5, 17)[:, None] * (1, 0)
    pose = np.concatenate([(body + swing) * scale + shift, np.ones((24, 17, 1))], axis=2)[None].astype(np.float32)
    rows, none = np.zeros(1, np.int64), np.zeros((1, 4), np.float32)
    size = np.array([[320.0, 240.0]], np.float32)
    return Windows(rows, rows.astype(float), none, rows, rows, {"pose": pose, "size": size})


def test_a_movement_does_not_depend_on_place_and_size_and_tells_a_faster_one() -> None:
    usual, faster = movement_of(swinging(), PoseFlowSettings()), movement_of(swinging(rate=3), PoseFlowSettings())
    assert usual.shape == (1, MOVEMENT)
    np.testing.assert_allclose(movement_of(swinging(2, 30), PoseFlowSettings()), usual, atol=1e-4)
    across = slice(36, 54)  # logarithms of the speeds in x
    moves = usual[0, across] > np.log(0.02)
    assert moves.sum() >= 15
    assert (faster[0, across] > usual[0, across] + 0.5)[moves].all()


def test_attention_adds_at_most_what_there_was() -> None:
    torch.manual_seed(7)
    maps = torch.rand(2, 5, 6, 8, 8)
    with torch.no_grad():
        out = Attention(21, 3)(maps)
    assert out.shape == maps.shape
    assert ((out > maps) & (out < 2 * maps)).all()
    ratio = out / maps
    torch.testing.assert_close(ratio[:, :1].expand_as(ratio), ratio, rtol=1e-4, atol=1e-4)


def test_the_kernels_of_attention_span_what_was_asked() -> None:
    layer = Attention(21, 3)
    shapes = [tuple(conv.weight.shape[2:]) for conv in layer.large]  # type: ignore[union-attr]
    assert shapes == [(5, 5, 5), (7, 7, 7), (1, 1, 1)]
    assert layer.large[1].dilation == (3, 3, 3)


@pytest.mark.parametrize("modules", [0, 2])
def test_the_motion_head_gives_a_latent_a_frame(modules: int) -> None:
    head = MotionHead(12, (3, 2, 2), modules, 9, 3, 5)
    assert head(torch.rand(4, 12, 12)).shape == (4, 6, 5)
    assert len(head.attention) == modules


def test_every_token_attends_to_every_other() -> None:
    torch.manual_seed(8)
    encoder, tokens = Encoder(12, 1, 3), torch.rand(2, 5, 12)
    with torch.no_grad():
        plain = encoder(tokens)
        tokens[0, 4] += torch.rand(12)
        moved = encoder(tokens)
        order = torch.tensor([3, 1, 4, 0, 2])
        torch.testing.assert_close(encoder(tokens[:, order]), moved[:, order])
    assert (plain[0] != moved[0]).any(1).all()
    torch.testing.assert_close(plain[1], moved[1])


def test_each_place_has_numbers_of_its_own() -> None:
    where = places((3, 4, 5), 24)
    assert where.shape == (60, 24)
    assert len(np.unique(where.numpy().round(5), axis=0)) == 60
    assert torch.equal(where[0, :8], where[19, :8])
    assert not torch.equal(where[0, :8], where[20, :8])
