"""C3D, I3D and the first stages of Video Swin-T: sizes, windows, masks, and how many weights there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from amiss.perception.video.c3d import C3D
from amiss.perception.video.i3d import I3D, Pool, Unit, pad_same
from amiss.perception.video.swin import (
    Block,
    PatchMerging,
    VideoSwin,
    attention_mask,
    fit_window,
    join_windows,
    relative_places,
    split_windows,
)

SMALL = st.tuples(*[st.integers(1, 3)] * 3)


def parameters(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def test_c3d_has_as_many_weights_as_published() -> None:
    with torch.device("meta"):
        network = C3D()
    widths = [(3, 64), (64, 128), (128, 256), (256, 256), (256, 512), (512, 512), (512, 512), (512, 512)]
    convolutions = sum(27 * inputs * outputs + outputs for inputs, outputs in widths)
    assert parameters(network) == convolutions + 8192 * 4096 + 4096
    fc7, classes = 4096 * 4096 + 4096, 4096 * 487 + 487
    assert (parameters(network) + fc7) / 1e6 == pytest.approx(78.0, abs=0.05)
    assert (parameters(network) + fc7 + classes) / 1e6 == pytest.approx(80.0, abs=0.05)


def test_i3d_has_as_many_weights_as_published() -> None:
    with torch.device("meta"):
        network = I3D()
    assert parameters(network) / 1e6 == pytest.approx(12.3, abs=0.05)


@pytest.mark.parametrize(
    ("name", "channels"),
    [("3b", 256), ("3c", 480), ("4b", 512), ("4c", 512), ("4d", 512), ("4e", 528), ("4f", 832),
     ("5b", 832), ("5c", 1024)],
)  # fmt: skip
def test_inception_blocks_give_as_many_channels_as_published(name: str, channels: int) -> None:
    with torch.device("meta"):
        layers = dict(I3D().named_children())
        block = layers[f"Mixed_{name}"]
        inputs = next(weight.shape[1] for weight in block.parameters())
        assert block(torch.zeros(1, inputs, 2, 3, 3)).shape == (1, channels, 2, 3, 3)


def test_swin_has_as_many_weights_as_published() -> None:
    def block(c: int) -> int:
        attention = 3 * c * c + 3 * c + c * c + c + 15 * 13 * 13 * c // 32
        return attention + 4 * c * c + 4 * c + 4 * c * c + c + 4 * c

    embedding = 3 * 2 * 4 * 4 * 96 + 96 + 2 * 96
    merging = 2 * 4 * 96 + 4 * 96 * 2 * 96
    assert parameters(VideoSwin()) == embedding + 2 * block(96) + merging + 2 * block(192)


def test_c3d_gives_what_fc6_says_of_its_only_size() -> None:
    torch.manual_seed(0)
    with torch.inference_mode():
        found = C3D().eval()(torch.randn(1, 3, 16, 112, 112))
    assert found.shape == (1, 4096)
    assert found.min() == 0
    assert found.max() > 0


@pytest.mark.parametrize("size", [(8, 64, 32), (5, 33, 47)])
def test_i3d_takes_any_size(size: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    network = I3D().eval()
    with torch.inference_mode():
        clip = torch.randn(1, 3, *size)
        assert network(clip).shape == (1, 1024)
        deep = torch.nn.Sequential(*list(network)[:-2])(clip)
    assert deep.shape == (1, 832, *(-(-axis // step) for axis, step in zip(size, (8, 32, 32), strict=True)))


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), [(7, 3, 2), (8, 3, 2), (8, 2, 2), (5, 2, 2), (9, 7, 2), (5, 3, 1)]
)
def test_same_padding_fits_the_ceiling_of_the_size_and_pads_after_before(size: int, kernel: int, stride: int) -> None:
    padded = pad_same(torch.ones(1, 1, 1, 1, size), (1, 1, kernel), (1, 1, stride)).flatten()
    assert (len(padded) - kernel) // stride + 1 == -(-size // stride)
    before, after = int(padded.argmax()), len(padded) - int(padded.argmax()) - size
    assert after - before in (0, 1)
    assert padded.sum() == size


def test_a_unit_and_a_pool_round_sizes_up() -> None:
    clip = torch.rand(1, 2, 3, 5, 7)
    assert Unit(2, 4, 3, 2).eval()(clip).shape == (1, 4, 2, 3, 4)
    pooled = Pool((1, 3, 3), (1, 2, 2))(clip)
    assert pooled.shape == (1, 2, 3, 3, 4)
    assert pooled[0, 0, 0, 0, 0] == clip[0, 0, 0, :2, :2].max()


@pytest.mark.parametrize(("size", "grid"), [((4, 32, 48), (2, 4, 6)), ((17, 61, 70), (9, 8, 9))])
def test_swin_gives_tokens_of_stage_two(size: tuple[int, int, int], grid: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    network = VideoSwin().eval()
    with torch.inference_mode():
        clip = torch.randn(2, 3, *size)
        tokens = network.tokens(clip)
        assert torch.allclose(network(clip), tokens.flatten(1, 3).mean(1), atol=1e-5)
    assert tokens.shape == (2, *grid, 192)
    assert torch.isfinite(tokens).all()


@given(window=SMALL, counts=SMALL, clips=st.integers(0, 2), channels=st.integers(1, 3))
def test_joining_undoes_splitting_and_a_window_is_a_piece(
    window: tuple[int, int, int], counts: tuple[int, int, int], clips: int, channels: int
) -> None:
    t, h, w = (size * count for size, count in zip(window, counts, strict=True))
    grid = torch.arange(clips * t * h * w * channels).reshape(clips, t, h, w, channels)
    split = split_windows(grid, window)
    assert split.shape == (clips, int(np.prod(counts)), int(np.prod(window)), channels)
    assert torch.equal(join_windows(split, window, (t, h, w)), grid)
    if clips:
        last = grid[-1, t - window[0] :, h - window[1] :, w - window[2] :]
        assert torch.equal(split[-1, -1], last.reshape(-1, channels))


@pytest.mark.parametrize(
    ("size", "window", "shift"),
    [((4, 6, 6), (2, 3, 3), (1, 1, 1)), ((8, 4, 6), (4, 4, 3), (2, 0, 1)), ((2, 3, 8), (2, 3, 4), (0, 0, 2))],
)
def test_masks_part_what_rolling_brought_together(
    size: tuple[int, int, int], window: tuple[int, int, int], shift: tuple[int, int, int]
) -> None:
    places = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), -1)
    rolled = np.roll(places, [-step for step in shift], (0, 1, 2))
    mask = attention_mask(size, window, shift)
    here = split_windows(torch.from_numpy(places)[None], window)[0]
    came_from = split_windows(torch.from_numpy(rolled.copy())[None], window)[0]
    for number, first, second in itertools.product(*map(range, mask.shape)):
        # neighbours in a window may attend if they were as near to each other before rolling
        apart = here[number, first] - here[number, second]
        before = came_from[number, first] - came_from[number, second]
        assert mask[number, first, second] == (0 if torch.equal(apart, before) else -torch.inf)


@pytest.mark.parametrize("window", [(8, 7, 7), (2, 7, 7), (3, 2, 5)])
def test_the_bias_of_two_tokens_is_that_of_their_distance(window: tuple[int, int, int]) -> None:
    places = list(itertools.product(*map(range, window)))
    rows = relative_places(window)
    generator = np.random.default_rng(0)
    for first, second in generator.integers(0, len(places), (300, 2)):
        t, h, w = (a - b for a, b in zip(places[first], places[second], strict=True))
        assert rows[first, second] == (t + 7) * 13 * 13 + (h + 6) * 13 + (w + 6)


def test_a_grid_within_the_window_is_one_window_and_does_not_shift() -> None:
    assert fit_window((8, 14, 7), shifted=True) == ((8, 7, 7), (0, 3, 0))
    assert fit_window((9, 3, 8), shifted=True) == ((8, 3, 7), (4, 0, 3))
    assert fit_window((9, 14, 8), shifted=False) == ((8, 7, 7), (0, 0, 0))


def test_attention_does_not_reach_round_the_edge() -> None:
    torch.manual_seed(0)
    blocks = torch.nn.Sequential(Block(32, shifted=False), Block(32, shifted=True)).eval().double()
    grid = torch.randn(1, 2, 21, 7, 32, dtype=torch.float64)
    changed = grid.clone()
    changed[:, :, 20] = torch.randn(7, 32, dtype=torch.float64)
    with torch.inference_mode():
        differs = (blocks(grid) - blocks(changed)).abs().amax((0, 1, 3, 4)) > 1e-12
    # rows 14 to 20 share a window; shifted by 3 these reach up to row 10
    assert differs.tolist() == [row >= 10 for row in range(21)]


def test_merging_takes_down_before_right() -> None:
    merging = PatchMerging(1)
    merging.norm = torch.nn.Identity()  # type: ignore[assignment]  # to see the order itself
    merging.reduction = torch.nn.Identity()  # type: ignore[assignment]
    grid = torch.tensor([[1.0, 3.0], [2.0, 4.0]]).reshape(1, 1, 2, 2, 1)
    assert merging(grid).flatten().tolist() == [1, 2, 3, 4]
    assert merging(grid[:, :, :1]).flatten().tolist() == [1, 0, 3, 0]
