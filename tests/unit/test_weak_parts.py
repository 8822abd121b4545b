"""What weakly supervised methods are made of: instances, bags, relations, losses, turns."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from amiss.methods.mil_ranking.settings import MilRankingSettings
from amiss.methods.mil_ranking.task import Ranking
from amiss.methods.task import Alternating, Plan
from amiss.methods.weak.bags import MOST, PairStore, bag_of, write_bags
from amiss.methods.weak.instances import averaged, parts_of, segments_of, times_of, tubes_of
from amiss.methods.weak.losses import cross_entropy, hinge, ranking, smoothness, sparsity
from amiss.methods.weak.memory import Memory
from amiss.methods.weak.network import Attention, Branch, Graph, present
from amiss.methods.weak.reduction import Reduction
from amiss.methods.weak_tubes.network import DualBranch
from amiss.methods.weak_tubes.settings import WeakTubesSettings
from amiss.methods.weak_tubes.task import Refinement
from amiss.perception.cache import Cache
from amiss.types import NO_TRACK, Windows
from amiss.windows.store import WindowPart, WindowStore, WindowWriter
from amiss.windows.tubes import MOMENT, UNARY

SIZE, KEPT = 12, 8
PLAN = Plan(epochs=1, batch=2, rate=1e-3)
RELATIONS = ["attention", "graph", "none"]


def bag(seed: int, blocks: int = 6, tubes: int = 3, number: int = 1) -> Windows:
    """A bag in which every tube is there in every block."""
    random = np.random.default_rng(seed)
    track = np.tile([NO_TRACK, *range(tubes)], blocks)
    block = np.repeat(np.arange(blocks), tubes + 1)
    count = len(track)
    region = random.normal(size=(count, SIZE)).astype(np.float16)
    frames = block[:, None] * 4 + np.arange(4)
    return Windows(
        frame=frames[:, 2],
        seconds=frames[:, 2] / 10,
        box=np.tile([0, 0, 10, 10], (count, 1)),
        track=track,
        data={
            "bag": np.full(count, number, np.int64),
            "block": block.astype(np.int64),
            "kind": np.where(track == NO_TRACK, MOMENT, UNARY).astype(np.int8),
            "region": region,
            "whole": region[np.arange(count) // (tubes + 1) * (tubes + 1)],
            "boxes": np.tile(np.float32([0, 0, 10, 10]), (count, 4, 1)),
            "number": frames.astype(np.int64),
            "clock": frames / 10,
            "now": np.ones(count, np.bool_),
            "step": np.full(count, 0.1, np.float32),
        },
    )


def part(folder: Path, name: str, windows: Windows, label: int) -> WindowPart:
    cache = Cache(folder / "windows")
    with cache.writing(name) as writer:
        keep = WindowWriter(writer)
        keep.at(0.0)
        keep.close(windows)
    entry = cache.find(name)
    assert entry
    return WindowPart(name, entry, label=label)


def store_of(folder: Path, sizes: list[tuple[int, int]]) -> WindowStore:
    """Bags of so many tubes, each with its label."""
    parts = [part(folder, str(n), bag(n, tubes=tubes, number=n), label) for n, (tubes, label) in enumerate(sizes)]
    return WindowStore(parts)


def same(values: np.ndarray) -> Reduction:
    """All numbers as they are."""
    return Reduction(np.zeros(SIZE, np.float32), np.eye(SIZE, dtype=np.float32))


def pairs_of(folder: Path, sizes: list[tuple[int, int]], pairs: int = 4) -> PairStore:
    store = store_of(folder, sizes)
    return PairStore(write_bags(folder / "bags", store, same(np.zeros(0)), 0), pairs, 0, store.fingerprint())


def test_instances_are_tubes_equal_parts_of_them_and_segments_of_time() -> None:
    windows = bag(0, blocks=7, tubes=2)
    tubes = tubes_of(windows)
    assert [windows.track[rows].tolist() for rows in tubes] == [[0] * 7, [1] * 7]
    assert [windows.data["block"][rows].tolist() for rows in parts_of(tubes, 3)[:2]] == [[0, 1, 2, 3], [4, 5, 6]]
    assert [len(rows) for rows in parts_of(tubes, 100)] == [7, 7]
    assert [windows.data["block"][rows].tolist() for rows in segments_of(windows, 3)] == [[0, 1, 2], [3, 4], [5, 6]]
    assert len(segments_of(windows)) == 7
    np.testing.assert_allclose(times_of(windows, tubes), [0.5, 0.5])


def test_tubes_of_two_bags_are_not_joined_by_their_numbers() -> None:
    both = Windows.merge([bag(0, number=5), bag(1, number=9)])
    assert [len(rows) for rows in tubes_of(both)] == [6] * 6


def test_an_instance_is_the_mean_of_its_blocks() -> None:
    windows = bag(0)
    rows = tubes_of(windows)[1]
    wanted = windows.data["region"][rows].astype(np.float32).mean(0)
    np.testing.assert_allclose(averaged(windows.data["region"], [rows])[0], wanted, rtol=1e-6)
    assert averaged(windows.data["region"], []).shape == (0, SIZE)


def test_a_video_without_tubes_has_its_segments_in_their_place() -> None:
    windows = bag(0)
    found = bag_of(windows[windows.track == NO_TRACK], same(np.zeros(0)))
    np.testing.assert_array_equal(found.region, found.moment)
    np.testing.assert_array_equal(found.whole, found.moment)


def test_components_keep_what_varies_most_at_a_mean_variance_of_one() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(400, SIZE)) * np.linspace(3, 0.1, SIZE) + 5
    reduction = Reduction.of(values, KEPT, 0)
    codes = reduction(values)
    assert codes.shape == (400, KEPT)
    assert codes.var(0, ddof=1).mean() == pytest.approx(1, rel=1e-3)
    assert (np.diff(codes.var(0)) <= 1e-6).all()
    np.testing.assert_allclose(codes.mean(0), 0, atol=1e-4)
    assert Reduction.of(values[:3], KEPT, 0).length == 3


def test_a_pair_is_of_an_abnormal_and_a_normal_bag_filled_up_with_zeros(tmp_path: Path) -> None:
    pairs = pairs_of(tmp_path, [(3, 0), (1, 1), (2, 0)])
    taken = pairs.take(np.arange(4))
    assert taken.data["abnormal.tubes"].tolist() == [1] * 4
    assert sorted(taken.data["normal.tubes"][:2].tolist()) == [2, 3]
    assert taken.data["normal.region"].shape == (4, 3, SIZE)
    row = taken.data["normal.tubes"].tolist().index(2)
    wanted = bag_of(bag(2, tubes=2, number=2), same(np.zeros(0)))
    np.testing.assert_allclose(taken.data["normal.region"][row, :2], wanted.region, atol=2e-3)
    assert not taken.data["normal.region"][row, 2:].any()
    np.testing.assert_allclose(taken.data["normal.moment"][row, :6], wanted.moment, atol=2e-3)
    assert len(pairs) == 4


def test_bags_take_turns_and_none_comes_twice_before_the_others_came(tmp_path: Path) -> None:
    pairs = pairs_of(tmp_path, [(1, 0), (2, 0), (3, 0), (1, 1), (2, 1)], pairs=6)
    taken = pairs.take(np.arange(6)).data
    assert sorted(taken["normal.tubes"][:3].tolist()) == sorted(taken["normal.tubes"][3:].tolist()) == [1, 2, 3]
    assert all(sorted(taken["abnormal.tubes"][at : at + 2].tolist()) == [1, 2] for at in (0, 2, 4))


def test_of_too_many_tubes_some_are_drawn(tmp_path: Path) -> None:
    pairs = pairs_of(tmp_path, [(MOST + 30, 0), (1, 1)], pairs=1)
    assert pairs.take(np.arange(1)).data["normal.tubes"].tolist() == [MOST]


def test_what_is_held_out_is_whole_bags_of_both_labels(tmp_path: Path) -> None:
    pairs = pairs_of(tmp_path, [(n + 1, n % 2) for n in range(8)], pairs=12)
    kept, held = pairs.split(0.25, 0)
    assert isinstance(kept, PairStore)
    assert isinstance(held, PairStore)
    assert (len(kept), len(held)) == (12, 2)
    for side in ("abnormal", "normal"):
        name = f"{side}.tubes"
        inside, outside = (set(one.take(np.arange(len(one))).data[name].tolist()) for one in (kept, held))
        assert len(inside) == 3
        assert len(outside) == 1
        assert not inside & outside
    assert kept.fingerprint() != pairs.fingerprint()
    assert len(pairs.split(0, 0)[1]) == len(pairs_of(tmp_path / "few", [(1, 0), (1, 1)]).split(0.5, 0)[1]) == 0


def instances(count: int = 5, bags: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    there = present(torch.tensor([count, count - 2, 1][:bags]), count)
    return torch.randn(bags, count, KEPT) * there[..., None], there, torch.rand(bags, count)


def test_attention_is_that_of_its_equations() -> None:
    x, there, when = instances()
    layer = Attention(KEPT, heads=2)
    found = layer(x, there, when)
    weights = [matrix.weight.detach() for matrix in (layer.query, layer.key, layer.value)]
    for number in range(len(x)):
        own = x[number][there[number]]
        heads = []
        for head in range(2):
            cut = slice(head * KEPT // 2, (head + 1) * KEPT // 2)
            query, key, value = (own @ weight[cut].T for weight in weights)
            heads.append(((query @ key.T) / (KEPT / 2) ** 0.5).softmax(1) @ value)
        torch.testing.assert_close(found[number][there[number]], torch.cat(heads, 1) + own, rtol=1e-4, atol=1e-5)


def test_the_graph_weighs_likeness_and_nearness_in_time() -> None:
    x, there, when = instances(4, 1)
    layer = Graph(KEPT)
    unit = x[0] / x[0].norm(dim=1, keepdim=True)
    graph = ((unit @ unit.T).softmax(1) + (-(when[0][:, None] - when[0]).abs() / 0.05).softmax(1)) / 2
    wanted = torch.relu(graph @ x[0] @ layer.weight.weight.T + layer.weight.bias) + x[0]
    torch.testing.assert_close(layer(x, there, when)[0], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("relations", RELATIONS)
def test_one_instance_computed_alone_is_the_same_as_among_all(relations: Any) -> None:
    x, there, when = instances()
    branch = Branch(KEPT, relations).eval()
    row = torch.tensor([3, 1, 0])
    torch.testing.assert_close(branch.at(x, there, when, row), branch(x, there, when)[torch.arange(3), row])
    assert branch.highest(x, there, when).tolist() == branch(x, there, when).argmax(1).tolist()
    assert not branch.training


@pytest.mark.parametrize("relations", RELATIONS)
def test_what_is_not_there_changes_nothing_and_is_never_the_highest(relations: Any) -> None:
    x, there, when = instances()
    branch = Branch(KEPT, relations).eval()
    noisy = torch.where(there[..., None], x, torch.randn_like(x) * 9)
    torch.testing.assert_close(branch(noisy, there, when), branch(x, there, when))
    assert (branch(x, there, when)[~there] < -1000).all()


def test_looking_for_the_highest_has_no_dropout_and_leaves_training_on() -> None:
    x, there, when = instances()
    branch = Branch(KEPT, "attention").train()
    assert len({tuple(branch.highest(x, there, when).tolist()) for _ in range(8)}) == 1
    assert branch.training


def test_ranking_is_the_mean_of_its_formula_and_its_weight_has_no_gradient() -> None:
    abnormal, normal, weight = (torch.tensor(v, requires_grad=True) for v in ([0.2, 0.9], [0.4, 0.1], [0.5, 1.0]))
    loss = ranking(abnormal, normal, weight)
    assert loss.item() == pytest.approx((0.5 * (1 - 0.2 + 0.4) + (1 - 0.9 + 0.1)) / 2)
    loss.backward()
    assert weight.grad is None
    assert abnormal.grad is not None
    assert ranking(abnormal, normal).item() == pytest.approx((1.2 + 0.2) / 2)


def test_cross_entropy_and_the_hinge_over_all_pairs_are_those_of_brute_force() -> None:
    odds = torch.tensor([0.3, -1.0]), torch.tensor([-2.0, 0.5])
    p, q = (value.sigmoid() for value in odds)
    assert cross_entropy(*odds).item() == pytest.approx(-(p.log() + (1 - q).log()).mean().item(), rel=1e-6)
    wanted = np.mean([max(0, 1 - a + b) for a in p.tolist() for b in q.tolist()])
    assert hinge(p, q).item() == pytest.approx(wanted, rel=1e-6)


def test_smoothness_and_sparsity_are_sums_over_what_is_there() -> None:
    scores, there = torch.tensor([[0.1, 0.5, 0.2], [0.3, 0.7, 0.9]]), present(torch.tensor([3, 1]), 3)
    assert smoothness(scores, there).item() == pytest.approx((0.4**2 + 0.3**2) / 2)
    assert sparsity(scores, there).item() == pytest.approx((0.8 + 0.3) / 2)


def batch_of(folder: Path, task: Any) -> dict[str, torch.Tensor]:
    return dict(task.batch(pairs_of(folder, [(3, 0), (2, 1), (1, 0), (4, 1)]).take(np.arange(4))))


def refinement(**settings: Any) -> Refinement:
    torch.manual_seed(0)
    return Refinement(DualBranch(SIZE, "attention"), WeakTubesSettings(**settings), PLAN)


def test_only_the_branch_whose_turn_it_is_has_a_gradient(tmp_path: Path) -> None:
    task = refinement()
    assert isinstance(task, Alternating)
    batch = batch_of(tmp_path, task)
    for turn, (learns, rests) in enumerate((("temporal", "tube"), ("tube", "temporal"))):
        task.module.zero_grad()
        task.take_turn(turn)
        losses = task.losses(batch)
        assert list(losses) == [f"{learns} ranking", f"{learns} entropy"]
        sum(losses.values()).backward()
        assert all(p.grad is not None for p in getattr(task.network, learns).parameters())
        assert all(p.grad is None for p in getattr(task.network, rests).parameters())


def test_guidance_is_the_other_branchs_score_of_the_highest_instance(tmp_path: Path) -> None:
    task = refinement()
    for layer in task.module.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    batch = batch_of(tmp_path, task)
    task.take_turn(1)
    weights = [ranking(*_tops(task, batch), weight) for weight in (_other(task, batch), 1.0)]
    guided = task.losses(batch)["tube ranking"]
    torch.testing.assert_close(guided, weights[0])
    assert guided.item() != pytest.approx(weights[1].item())
    plain = Refinement(task.network, WeakTubesSettings(ranking="plain"), PLAN)
    plain.take_turn(1)
    torch.testing.assert_close(plain.losses(batch)["tube ranking"], weights[1])
    task.module.eval()  # bags that are held out are compared without a guide
    torch.testing.assert_close(task.losses(batch)["tube ranking"], weights[1])


def _tops(task: Refinement, batch: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    found = []
    for side in ("abnormal", "normal"):
        there = present(batch[f"{side}.tubes"], batch[f"{side}.region"].shape[1])
        odds = task.network.tube(batch[f"{side}.region"], there, batch[f"{side}.when"])
        found.append(odds.max(1).values.sigmoid())
    return found


def _other(task: Refinement, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """What the temporal branch says of the whole picture while the highest tube is there."""
    there = present(batch["abnormal.tubes"], batch["abnormal.region"].shape[1])
    top = task.network.tube(batch["abnormal.region"], there, batch["abnormal.when"]).argmax(1)
    odds = task.network.temporal(batch["abnormal.whole"], there, batch["abnormal.when"])
    return odds[torch.arange(len(top)), top].sigmoid()


@pytest.mark.parametrize(
    ("settings", "terms", "turns"),
    [
        ({}, ["temporal ranking", "temporal entropy"], 2),
        ({"branches": "temporal"}, ["temporal ranking", "temporal entropy"], 1),
        ({"branches": "tube"}, ["tube ranking", "tube entropy"], 1),
        ({"ranking": "none"}, ["temporal entropy"], 2),
        ({"ranking": "plain", "entropy": 0.0}, ["temporal ranking"], 2),
        ({"entropy": 0.0}, ["temporal ranking"], 2),
    ],
)
def test_rows_of_the_tables_are_configurations(
    tmp_path: Path, settings: dict[str, Any], terms: list[str], turns: int
) -> None:
    task = refinement(**settings)
    assert list(task.losses(batch_of(tmp_path, task))) == terms
    assert task.turns == turns


def test_weights_of_the_ranking_change_the_loss_they_are_of(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(SIZE, 1))
    plain = Ranking(network, MilRankingSettings(), PLAN)
    batch = batch_of(tmp_path, plain)
    once = plain.losses(batch)
    twice = Ranking(network, MilRankingSettings(smooth=16e-5, sparse=16e-5), PLAN).losses(batch)
    assert list(once) == ["ranking", "smooth", "sparse"]
    assert twice["smooth"].item() == pytest.approx(2 * once["smooth"].item())
    assert twice["sparse"].item() == pytest.approx(2 * once["sparse"].item())
    tubes = Ranking(network, MilRankingSettings(instances="tubes"), PLAN)
    assert list(tubes.losses(batch_of(tmp_path / "tubes", tubes))) == ["ranking", "sparse"]


def test_what_is_like_something_that_is_kept_counts_less() -> None:
    codes = np.random.default_rng(0).normal(size=(40, KEPT)).astype(np.float32)
    memory = Memory.of(codes, ["a", "b"] * 20, 3)
    assert memory.unlike(codes).tolist() == [1.0] * 40
    more = memory.with_more(codes[:5], 3)
    assert len(more.kept) == 3
    assert more.unlike(codes[2:5]).tolist() == [0.0] * 3
    assert more.unlike(codes[:1])[0] > 0
    halfway = codes[4:5] + np.float32(more.radius / 2 / KEPT**0.5)
    assert more.unlike(halfway)[0] == pytest.approx(0.5, rel=1e-3)
    assert Memory.of(codes, ["a"] * 40, 0).with_more(codes, 0).unlike(codes).tolist() == [1.0] * 40


def test_times_are_shares_of_the_video_across_its_gaps() -> None:
    later = dataclasses.replace(bag(1, number=9), seconds=bag(1).seconds + 10)
    both = Windows.merge([bag(0, number=5), later])
    when = times_of(both, segments_of(both, 4))
    assert (np.diff(when) > 0).all()
    assert when[2] - when[1] > 0.7
