"""The parts of `multi-grained`: samples, losses, backbones, heads, maps and regions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from amiss.errors import WeightsError
from amiss.methods.multi_grained.backbones import I3DBackbone, ObjectBackbone
from amiss.methods.multi_grained.drawing import ConvGRUBackbone, Drawing, MemoryBackbone, UNetBackbone, addressed
from amiss.methods.multi_grained.losses import averaged, info_nce, likeness
from amiss.methods.multi_grained.network import ProxyNetwork
from amiss.methods.multi_grained.places import Places
from amiss.methods.multi_grained.regions import STILL, Region, pooled, regions_of, resampled, told
from amiss.methods.multi_grained.samples import (
    GAPS,
    LENGTH,
    change,
    consecutive,
    cropped,
    drawn_gaps,
    moving,
    scaled,
    without,
)
from amiss.methods.multi_grained.settings import MultiGrainedSettings
from amiss.methods.multi_grained.task import ProxyTasks
from amiss.methods.normal import Usual
from amiss.perception.video.i3d import I3D

WIDTH = 0.0625
ALL = (I3DBackbone, ObjectBackbone, UNetBackbone, MemoryBackbone, ConvGRUBackbone)
DRAW = (UNetBackbone, MemoryBackbone, ConvGRUBackbone)


def numbered(count: int = 1) -> torch.Tensor:
    """`(N, 1, 13, 8, 8)` frames that hold their number."""
    return torch.arange(float(LENGTH)).view(1, 1, -1, 1, 1).expand(count, 1, LENGTH, 8, 8)


def order(clips: torch.Tensor) -> list[list[float]]:
    return clips[:, 0, :, 0, 0].tolist()


def test_every_gap_leaves_out_its_frame_and_no_other() -> None:
    frames = numbered(GAPS)
    missing = torch.arange(1, GAPS + 1)
    wanted = [[float(at) for at in range(LENGTH) if at != gap] for gap in range(1, GAPS + 1)]
    assert order(without(frames, missing)) == wanted


def test_a_clip_that_lacks_no_frame_begins_with_the_first_or_the_second() -> None:
    wanted = [[float(at) for at in range(first, first + 12)] for first in (0, 1)]
    assert order(consecutive(numbered(2), torch.tensor([0, 1]))) == wanted


def test_gaps_are_uniform_over_the_inner_frames() -> None:
    torch.manual_seed(0)
    counts = torch.bincount(drawn_gaps(11_000), minlength=LENGTH)
    assert counts[[0, LENGTH - 1]].tolist() == [0, 0]
    chi_square = float((counts[1:-1] - 1000).square().sum() / 1000)
    assert chi_square < 23.2  # 99 % of a chi-square of ten degrees of freedom


def half_moving(count: int = 2, side: int = 32) -> np.ndarray:
    """`(N, 13, S, S, 3)` uint8 pictures of which the right half flickers."""
    pictures = np.full((count, LENGTH, side, side, 3), 100, np.uint8)
    pictures[:, ::2, :, side // 2 :] += 20
    return pictures


def test_cells_move_where_pictures_change() -> None:
    frames = scaled(torch.from_numpy(half_moving()))
    np.testing.assert_allclose(change(frames)[0, 0], [0, 0, 20, 20], atol=1e-4)
    assert moving(frames, 1.5)[0].tolist() == [[False, False, True, True]] * 4
    assert not moving(frames, 21).any()


def test_squares_are_taken_where_something_moves() -> None:
    torch.manual_seed(0)
    pictures = np.full((64, LENGTH, 64, 96, 3), 100, np.uint8)
    pictures[:, ::4, 8:16, 80:88] = 200
    squares = cropped(torch.from_numpy(pictures), 32, 1.5)
    assert squares.shape == (64, LENGTH, 32, 32, 3)
    assert (squares.flatten(1).amax(1) == 200).all()


@pytest.mark.parametrize("side", [0, 96, 200])
def test_whole_pictures_are_taken_where_no_square_fits_or_is_wanted(side: int) -> None:
    pictures = torch.zeros(2, LENGTH, 64, 96, 3, dtype=torch.uint8)
    assert cropped(pictures, side, 1.5).shape == pictures.shape


def test_info_nce_is_the_cross_entropy_of_the_positive_among_all() -> None:
    torch.manual_seed(1)
    anchor, positive, *negatives = (functional.normalize(torch.randn(2, 8, 3, 4)) for _ in range(5))
    cosines = torch.stack([(anchor * other).sum(1) for other in (positive, *negatives)], 1) / 0.1
    wanted = functional.cross_entropy(cosines, torch.zeros(2, 3, 4, dtype=torch.long), reduction="none")
    torch.testing.assert_close(info_nce(anchor, positive, negatives, 0.1), wanted)


def test_means_with_weights_and_of_nothing() -> None:
    assert float(averaged(torch.tensor([1.0, 5.0, 9.0]), torch.tensor([1.0, 3.0, 0.0]))) == 4
    assert float(averaged(torch.tensor([1.0, 5.0]), torch.zeros(2))) == 0


def test_pictures_that_are_alike_have_no_loss() -> None:
    one = torch.rand(2, 3, 8, 8)
    assert float(likeness(one, one)) == 0
    assert float(likeness(one, one.flip(3))) > 0


@pytest.mark.parametrize("kind", ALL)
def test_backbones_give_features_of_cells(kind: type) -> None:
    backbone = kind(WIDTH)
    seen = backbone(torch.randn(2, 3, 12, 32, 48))
    assert seen.fine.shape == (2, backbone.fine, 4, 6)
    assert seen.coarse.shape[:2] == (2, backbone.coarse)
    assert isinstance(backbone, Drawing) is (kind in DRAW)


@pytest.mark.parametrize("kind", DRAW)
def test_backbones_that_draw_give_pictures_of_the_missing_frame_and_of_their_own(kind: type) -> None:
    backbone, frames = kind(WIDTH), torch.rand(2, 3, LENGTH, 32, 48)
    assert backbone.missing(backbone(frames[:, :, :12])).shape == (2, 3, 32, 48)
    drawn = backbone.own(frames)
    assert drawn.pictures.shape == drawn.target.shape
    torch.testing.assert_close(drawn.target[:, :, drawn.middle], frames[:, :, 6])


@pytest.mark.parametrize("kind", [UNetBackbone, ConvGRUBackbone])
def test_foreseeing_looks_at_nothing_that_comes_later(kind: type) -> None:
    backbone, frames = kind(WIDTH).eval(), torch.rand(1, 3, LENGTH, 32, 32)
    later = frames.clone()
    later[:, :, 6:] = 0
    torch.testing.assert_close(backbone.own(frames).pictures, backbone.own(later).pictures)


def test_a_recurrent_backbone_depends_on_every_frame() -> None:
    backbone, frames = ConvGRUBackbone(WIDTH).eval(), torch.rand(1, 3, 12, 32, 32, requires_grad=True)
    backbone(frames).fine.sum().backward()
    assert (frames.grad.abs().amax((0, 1, 3, 4)) > 0).all()


def test_addresses_of_a_memory_are_sparse_and_add_up() -> None:
    items = torch.eye(4)
    read, address = addressed(torch.tensor([[10.0, 0, 0, 0], [1.0, 1, 0, 0]]), items)
    weights = torch.softmax(torch.tensor([[1.0, 0, 0, 0], [0.5**0.5, 0.5**0.5, 0, 0]]), 1)
    kept = torch.where(weights > 0.25, weights, torch.zeros(()))
    torch.testing.assert_close(address, kept / kept.sum(1, keepdim=True))
    torch.testing.assert_close(read, address @ items)


def settled(backbone: nn.Module, seed: int = 0) -> nn.Module:
    """In evaluation mode, with normalisations that have seen something."""
    generator = torch.Generator().manual_seed(seed)
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
    return backbone.eval()


@torch.no_grad()
def test_clips_that_share_the_first_layer_give_what_each_gives_alone() -> None:
    torch.manual_seed(2)
    backbone = settled(I3DBackbone(0.125))
    frames = torch.randn(18, 3, 48, 64)
    members = torch.stack([torch.arange(12) + first for first in (0, 1, 4, 6)])
    members[3] = torch.tensor([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12])
    alone = backbone(torch.stack([frames[clip] for clip in members]).transpose(1, 2))
    shared = backbone.joined([backbone.shared(frame) for frame in frames], members.tolist())
    torch.testing.assert_close(shared.fine, alone.fine, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(shared.coarse, alone.coarse, atol=1e-5, rtol=1e-5)


def test_published_weights_of_i3d_are_taken_and_want_the_whole_width(tmp_path: Path) -> None:
    torch.manual_seed(3)
    published = I3D()
    path = tmp_path / "i3d.pt"
    torch.save(published.state_dict() | {"logits.conv3d.weight": torch.zeros(2, 1024, 1, 1, 1)}, path)
    backbone = I3DBackbone(1, path)
    torch.testing.assert_close(backbone.trunk[0].conv3d.weight, published[0].conv3d.weight)
    with pytest.raises(WeightsError, match=r"method\.width=1"):
        I3DBackbone(0.25, path)


def windows_of(pictures: np.ndarray) -> dict[str, torch.Tensor]:
    return {"image": torch.from_numpy(pictures)}


def losses_of(task: ProxyTasks, pictures: np.ndarray, seed: int = 0) -> dict[str, float]:
    torch.manual_seed(seed)
    return {name: float(value.detach()) for name, value in task.losses(windows_of(pictures)).items()}


def small(**changes: object) -> MultiGrainedSettings:
    return MultiGrainedSettings.model_validate({"width": WIDTH, "features": 8, "crop": 0} | changes)


def test_static_clips_take_no_part_in_judgment_and_localization() -> None:
    still = np.full((4, LENGTH, 32, 32, 3), 90, np.uint8)
    found = losses_of(ProxyTasks(small(), 0, 100), still)
    assert found["continuity"] == found["localization"] == 0
    assert found["estimation"] > 0


def test_a_static_clip_beside_others_changes_nothing_of_what_they_teach() -> None:
    task = ProxyTasks(small(estimation=0), 0, 100)
    task.module.eval()
    gradients = []
    for level in (20, 200):
        pictures = half_moving(3)
        pictures[2] = level
        task.module.zero_grad()
        torch.manual_seed(0)
        sum(task.losses(windows_of(pictures)).values()).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in task.module.parameters() if p.grad is not None]))
    torch.testing.assert_close(*gradients)
    assert gradients[0].abs().max() > 0


@pytest.mark.parametrize("name", ["continuity", "localization", "estimation", "own"])
def test_each_weight_scales_its_loss_and_nothing_leaves_its_head_out(name: str) -> None:
    pictures = half_moving(3)
    one = losses_of(ProxyTasks(small(backbone="unet"), 0, 100), pictures)
    double = losses_of(ProxyTasks(small(backbone="unet", **{name: 2.0}), 0, 100), pictures)
    assert double[name] == pytest.approx(2 * one[name])
    assert {key: value for key, value in double.items() if key != name} == {
        key: value for key, value in one.items() if key != name
    }
    assert name not in losses_of(ProxyTasks(small(backbone="unet", **{name: 0.0}), 0, 100), pictures)


@pytest.mark.parametrize("backbone", ["i3d", "objects", "unet", "memory", "convgru"])
def test_the_tasks_can_be_learned(backbone: str) -> None:
    torch.manual_seed(0)
    task = ProxyTasks(small(backbone=backbone, width=0.125), 0, 100)
    optimiser = torch.optim.Adam(task.module.parameters(), 3e-3)
    pictures = half_moving(4)
    pictures[:, :, :, 20:] = np.cumsum(np.full((LENGTH, 1, 1, 1), 9), 0).astype(np.uint8) + 60
    totals = []
    for _ in range(30):
        total = sum(task.losses(windows_of(pictures)).values())
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(float(total.detach()))
    assert np.mean(totals[-5:]) < 0.9 * np.mean(totals[:5])


@torch.no_grad()
def test_maps_are_the_parts_of_the_score() -> None:
    torch.manual_seed(0)
    network = ProxyNetwork(small()).eval()
    frames = scaled(torch.from_numpy(half_moving(2)))
    intact = network.backbone(frames[:, :, :12])
    broken = network.backbone(without(frames, torch.tensor([6, 6])))
    maps = network.maps(frames, broken, intact)
    assert maps.raw.shape == (2, 3, 4, 4)
    chance = network.located(broken)[:, 5].exp()
    torch.testing.assert_close(maps.raw[:, 1], ((1 - chance) / chance).log(), atol=1e-4, rtol=1e-4)
    cosine = functional.cosine_similarity(network.estimated(broken), network.encoder(frames[:, :, 6]))
    torch.testing.assert_close(maps.raw[:, 2], 1 - cosine, atol=1e-5, rtol=1e-5)


def test_what_does_not_move_is_as_normal_as_can_be() -> None:
    standard = np.full((2, 1, 4), 5.0)
    parts = told(standard, np.array([[0.0, 1.0, 1.5, 2.0]]), 2.0)
    np.testing.assert_allclose(parts[0, 0], [STILL, STILL, (5 + STILL) / 2, 5])


def test_neighbours_are_averaged() -> None:
    values = np.zeros((5, 5))
    values[2, 2] = 9
    np.testing.assert_allclose(pooled(values, 3)[1:4, 1:4], 1)
    assert pooled(values, 3)[0].max() == 0


def test_regions_are_the_connected_components_from_a_level_on() -> None:
    values = np.zeros((6, 8))
    values[0, 0], values[1, 1] = 3, 2  # they touch at a corner
    values[3:5, 4:7] = 4
    values[4, 6] = 7
    found = {(region.rows, region.columns, region.peak) for region in regions_of(values, 1, 2)}
    assert found == {((0, 2), (0, 2), (0, 0)), ((3, 5), (4, 7), (4, 6))}


def test_a_region_reaches_as_far_as_a_third_of_its_peak_and_takes_in_lower_peaks_there() -> None:
    values = np.array([[0, 1, 2, 9, 5, 2, 6, 2, 0, 2, 0.5]] * 3, float)
    found = regions_of(values, 1, 3.5)
    assert [(region.columns, region.peak[1]) for region in found] == [((3, 5), 3), ((5, 8), 6)]
    joined = regions_of(np.where(values == 2, 3, values), 1, 5.5)
    assert [(region.columns, region.peak[1]) for region in joined] == [((2, 8), 3)]
    alone = regions_of(values, 1, 9)
    assert [(region.columns, region.peak[1]) for region in alone] == [((3, 5), 3)]


def test_a_region_is_as_large_as_its_cells_above_nothing() -> None:
    values = np.full((9, 9), -1.0)
    values[4, 4] = 30
    assert regions_of(values, 3, 1) == [Region((4, 5), (4, 5), (3, 3))]


@pytest.mark.parametrize(("peak", "rows", "columns"), [((0, 0), (0, 2), (0, 2)), ((3, 4), (2, 5), (3, 6))])
def test_without_a_component_there_is_what_is_around_the_highest_cell(
    peak: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    values = np.add.outer(-np.abs(np.arange(6) - peak[0]), -np.abs(np.arange(8) - peak[1])).astype(float)
    assert regions_of(values, 3, 5) == [Region(rows, columns, peak)]


def placed(count: int, raw: np.ndarray, moves: np.ndarray) -> Places:
    places = Places.none(len(raw), moves.shape)
    for _ in range(count):
        places = places.with_more(raw, moves)
    return places


def test_a_place_that_was_never_seen_moving_is_like_all_others() -> None:
    usual = Usual.of(np.random.default_rng(0).normal(3, 2, (500, 2)))
    raw = np.full((2, 4, 5), 7.0)
    spread = np.sqrt(usual.squares / usual.count)
    wanted = np.broadcast_to(((7 - usual.mean) / spread)[:, None, None], raw.shape)
    np.testing.assert_allclose(Places.none(2, (4, 5)).standardised(raw, usual), wanted)


def test_what_is_usual_at_a_place_is_no_longer_high_there() -> None:
    usual = Usual.of(np.random.default_rng(0).normal(0, 1, (500, 1)))
    raw, moves = np.zeros((1, 9, 9)), np.zeros((9, 9), bool)
    raw[0, 2, 2], moves[2, 2] = 5.0, True
    found = placed(3000, raw, moves).standardised(np.full((1, 9, 9), 5.0), usual)[0]
    assert abs(found[2, 2]) < 0.5
    assert found[8, 8] > 4


def test_cells_that_do_not_move_do_not_count() -> None:
    raw = np.full((1, 3, 3), 9.0)
    assert placed(5, raw, np.zeros((3, 3), bool)).total.max() == 0


def test_maps_of_a_region_are_its_own_cells_and_never_below_nothing() -> None:
    values = np.arange(48.0).reshape(1, 6, 8) - 20
    fine = resampled(values, Region((3, 5), (2, 6), (4, 5)), 16)
    assert fine.shape == (1, 16, 16)
    assert fine.dtype == np.float16
    assert (float(fine.min()), float(fine.max())) == (6, 17)
    assert resampled(-values - 100, Region((3, 5), (2, 6), (4, 5)), 16).max() == 0
