"""How far what a crop looks like is from the nearest normal looks: features, distances, and what is left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import torch

from amiss.methods.mgenet import Mgenet
from amiss.methods.mgenet.looked import inside
from amiss.methods.mgenet.looks import NEIGHBOURS, Looks, faces_of
from amiss.methods.mgenet.portable import portable_looks
from amiss.methods.mgenet.remembering import looks_apart, remember_looks
from amiss.nn.convert import write_onnx, write_openvino
from amiss.perception.efficientnet import FineTokens, load_efficientnet_lite0
from amiss.types import Windows
from amiss.windows.store import WindowStore
from support import WIDTH, Mover, Rectangles, learn_quickly, parts_of, quick_config, walkers

CUT = (*walkers("normal0", 0).movers, Mover(WIDTH - 14.0, 70), Mover(60, 80, width=4, height=6))
"""Of whom one stands at the edge of the picture, where it cuts what is around him, and of one little is seen."""
NORMAL = [Rectangles("normal0", CUT, length=30), *(walkers(f"normal{seed}", seed, length=30) for seed in range(1, 4))]
OTHER = walkers("other", 9, length=24)


def learned(folder: Path, clips: list[Rectangles] = NORMAL, **settings: Any) -> tuple[Mgenet, Windows]:
    """The method after one epoch, and windows that it has not seen."""
    method, windows = learn_quickly("mgenet", folder, clips, OTHER, 1, settings)
    assert isinstance(method, Mgenet)
    return method, windows


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def crops(count: int, size: int = 48, seed: int = 0) -> torch.Tensor:
    drawn = np.random.default_rng(seed).integers(0, 255, (count, size // 8, size // 8, 3), dtype=np.uint8)
    return torch.from_numpy(np.kron(drawn, np.ones((1, 8, 8, 1), np.uint8)))


def memory(count: int, groups: list[int], seed: int = 0) -> Looks:
    halves = np.random.default_rng(seed).normal(size=(2, count, 40))
    items = np.concatenate([unit(half) for half in halves], 1).astype(np.float32)
    return Looks(torch.from_numpy(items), torch.tensor(groups))


def brute_force(looks: Looks, features: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Mean distance to the nearest of those that are allowed, `(N, M)`, one at a time."""
    items = looks.items.numpy().astype(float)
    found = []
    for row, those in zip(features, allowed, strict=True):
        gaps = np.sort([np.linalg.norm(row - item) for item in items[those]])
        found.append(gaps[:NEIGHBOURS].mean())
    return np.array(found)


def test_what_a_crop_looks_like_is_the_mean_of_fine_tokens_and_that_of_the_middle() -> None:
    network = load_efficientnet_lite0()
    shown = crops(3)
    with torch.no_grad():
        pixels = (shown.float() - 127) / 128
        stem, blocks = network.parts()
        stage = blocks[:5](torch.relu(stem(pixels.permute(0, 3, 1, 2))).clamp_max(6)).permute(0, 2, 3, 1).numpy()
        found = Looks.features(FineTokens(), shown).numpy()
    assert stage.shape == (3, 6, 6, 40)
    centred = stage - stage.mean(3, keepdims=True)
    tokens = centred / np.sqrt(np.square(centred).mean(3, keepdims=True) + 1e-5)
    wanted = np.concatenate([unit(tokens.mean((1, 2))), unit(tokens[:, 1:5, 1:5].mean((1, 2)))], 1)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_distance_is_the_mean_of_that_to_the_eight_nearest() -> None:
    looks = memory(30, [0] * 30)
    features = memory(5, [0] * 5, seed=1).items
    wanted = brute_force(looks, features.numpy(), np.ones((5, 30), bool))
    np.testing.assert_allclose(looks.distance(features).numpy(), wanted, rtol=1e-5)
    few = Looks(looks.items[:3], looks.groups[:3])
    np.testing.assert_allclose(
        few.distance(features).numpy(), brute_force(few, features.numpy(), np.ones((5, 3), bool)), rtol=1e-5
    )
    assert float(few.distance(few.items[:1])) < float(few.distance(features[:1]))


def test_what_belongs_to_the_same_group_is_left_out_unless_there_is_no_other() -> None:
    groups = np.array([0] * 4 + [1] * 20)
    looks = memory(24, groups.tolist())
    features = looks.items[[0, 10]]
    found = looks.distance(features, torch.tensor([0, 1])).numpy()
    wanted = brute_force(looks, features.numpy(), groups[None] != np.array([[0], [1]]))  # for the second only four
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    alone = Looks(looks.items[:4], looks.groups[:4])
    np.testing.assert_array_equal(
        alone.distance(features[:1], torch.tensor([0])).numpy(), alone.distance(features[:1]).numpy()
    )


@pytest.mark.parametrize("number", [1, 4])
def test_normal_segments_are_compared_with_those_of_other_clips_or_tracks(tmp_path: Path, number: int) -> None:
    clips = NORMAL[:number]
    method, _ = learned(tmp_path, clips)
    store = WindowStore(parts_of(clips, method.needs, quick_config("mgenet", tmp_path, [*NORMAL, OTHER], 1, {})))
    rows = np.arange(len(store))
    windows = store.take(rows)
    looks = remember_looks(store, np.random.default_rng(0), lambda *_: None)
    place = windows.data["place"]
    inside = (
        (place.min(1) >= 0) & (place[:, 2] <= windows.data["size"][:, 0]) & (place[:, 3] <= windows.data["size"][:, 1])
    )
    assert inside.sum() <= len(looks.items) < len(store)  # what the edge cuts is not remembered
    with torch.no_grad():
        features = Looks.features(looks.tokens, faces_of(windows))
    found = looks_apart(looks, features.numpy(), store, rows)
    clip = np.repeat(np.arange(number), [len(part) for part in store.parts])
    whose = clip if number > 1 else np.asarray(windows.track)
    assert set(looks.groups.tolist()) <= set(whose.tolist())
    assert len(set(whose.tolist())) > 1
    wanted = brute_force(looks, features.numpy(), whose[:, None] != looks.groups.numpy())
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert (found > looks.distance(features).numpy() + 1e-3).mean() > 0.5


def test_a_thing_that_is_plain_and_unlike_anything_learned_is_found_and_said(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    windows = windows[inside(windows) >= 0.8]
    image = np.array(windows.data["image"])
    side = image.shape[2]
    image[:, :, side // 6 : -side // 6, side // 6 : -side // 6] = (200, 30, 30)
    odd = dataclasses.replace(windows, data={**windows.data, "image": image})
    usual, strange = method.score(windows).parts["looks"], method.score(odd).parts["looks"]
    assert strange.min() > usual.max()
    assert strange.min() > 3
    one, count = odd[[0]], method._known[1].count
    assert method._sentences("looks", 0.99, one, method._look(one)) == [
        f"it is less like the nearest of what was learned here than 99 % of {count:,} normal people are"
    ]
    assert any("less like the nearest" in reason for reason in method.explain(method.score(one), one).reasons)


def test_what_few_pixels_show_says_nothing_of_looks(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, combine="sum")
    windows = windows[inside(windows) >= 0.8]
    usual = method.score(windows).parts["looks"]
    assert len(np.unique(usual)) > 2
    for side, same in ((16, True), (15, False)):
        place = np.full((len(windows), 4), (10, 10, 10 + side, 10 + side), np.float32)
        few = dataclasses.replace(windows, data={**windows.data, "place": place})
        found = method.score(few).parts["looks"]
        assert np.array_equal(found, usual) == same
    np.testing.assert_allclose(found, 0, atol=1e-9)  # the mean of normal looks
    assert method._sentences("looks", 0.5, few[[0]], method._look(few[[0]])) == [
        "too few pixels show it to compare what it looks like"
    ]


def test_only_the_frame_that_is_scored_in_files_is_looked_at(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    image = np.array(windows.data["image"])
    at = image.shape[1] - 1 - method.needs.lag
    image[:, [number for number in range(image.shape[1]) if number != at]] = 0
    changed = dataclasses.replace(windows, data={**windows.data, "image": image})
    np.testing.assert_array_equal(method.score(changed).parts["looks"], method.score(windows).parts["looks"])


def test_a_model_remembers_looks_and_one_without_has_no_part_of_them(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    again = Mgenet(method._settings)
    again.restore(method.state())
    np.testing.assert_allclose(again.score(windows).score, method.score(windows).score, atol=1e-3)  # another engine
    bare, windows = learned(tmp_path, looks=False)
    assert "looks" not in bare.score(windows).parts
    assert "looks" not in bare.networks()
    assert not any(name.startswith("looks") for name in bare.state())


@pytest.mark.parametrize("write", [write_openvino, write_onnx])
def test_looks_are_the_same_in_files_for_other_programs(tmp_path: Path, write: Callable[..., Any]) -> None:
    made = portable_looks(memory(30, [0] * 30), 48, 16)
    compiled = openvino.Core().compile_model(
        write(made, tmp_path, "looks")[0], "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    for count in (1, 3):
        (shown,) = made.example(count)
        with torch.no_grad():
            features, distance = made.module(shown)
        found = compiled([shown.numpy()])
        np.testing.assert_allclose(found[0], features.numpy(), atol=1e-4)
        np.testing.assert_allclose(found[1], distance.numpy(), atol=1e-4)
