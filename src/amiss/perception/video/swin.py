"""Video Swin-T up to its second stage: attention within windows of space and time that shift from block to block.

Source: Liu, Ning, Cao, Wei, Zhang, Lin and Hu, "Video Swin Transformer", 2022, section 3. The sizes are those of
Swin-T: patches of 2×4×4, 96 channels, windows of 8×7×7, heads of 32 channels. The output is that of stage 2 before the
patch merging that follows it: a grid of T/2 × H/8 × W/8 tokens of **192** channels (384 only come with that merging).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amiss.perception.video.checkpoint import Naming

__all__ = ["SWIN_NAMING", "VideoSwin", "attention_mask", "join_windows", "split_windows"]

SWIN_NAMING = Naming(
    unused=(r"layers\.1\.downsample\.", r"layers\.[23]\.", r"norm\.", r"cls_head\.", r".*\.relative_position_index$"),
)
PATCH = (2, 4, 4)
WINDOW = (8, 7, 7)
CHANNELS = 96
HEAD = 32
DEPTH = 2
MLP_RATIO = 4

Triple = tuple[int, int, int]


def split_windows(x: Tensor, window: Triple) -> Tensor:
    """`(N, T, H, W, C)`, whose sizes the window divides → `(N, windows, tokens of a window, C)`."""
    count, frames, height, width, channels = x.shape
    t, h, w = window
    # N, T, H, W, C → N, T / t, t, H / h, h, W / w, w, C
    x = x.reshape(count, frames // t, t, height // h, h, width // w, w, channels)
    windows = (frames // t) * (height // h) * (width // w)
    # → N, T / t, H / h, W / w, t, h, w, C → N, windows, t * h * w, C
    return x.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(count, windows, t * h * w, channels)


def join_windows(x: Tensor, window: Triple, size: Triple) -> Tensor:
    """The inverse of `split_windows`: `(N, windows, tokens, C)` → `(N, T, H, W, C)` with T, H, W of `size`."""
    count, channels = x.shape[0], x.shape[-1]
    t, h, w = window
    # N, windows, t * h * w, C → N, T / t, H / h, W / w, t, h, w, C
    x = x.reshape(count, size[0] // t, size[1] // h, size[2] // w, t, h, w, channels)
    # → N, T / t, t, H / h, h, W / w, w, C → N, T, H, W, C
    return x.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(count, *size, channels)


def attention_mask(size: Triple, window: Triple, shift: Triple) -> Tensor:
    """What may look at what after the grid was rolled by `shift` (section 3.2, shifted windows).

    Rolling brings together in a window what lies at opposite ends of the picture or the clip; these must not attend to
    each other.

    Args:
        size: T, H and W, multiples of the window.
        window: Tokens of a window along each.
        shift: By how many the grid was rolled back along each.

    Returns:
        `(windows, tokens, tokens)` float32: 0, or minus infinity where they may not.
    """
    regions = torch.zeros(size, dtype=torch.int64)
    for axis in range(3):
        place = torch.arange(size[axis])
        # only the last window holds both what was there and what was rolled in behind it
        rolled = (place >= size[axis] - shift[axis]).long()
        shape = [1, 1, 1]
        shape[axis] = -1
        regions = regions * 2 + rolled.reshape(shape)
    # 1, T, H, W, 1 → windows, tokens
    inside = split_windows(regions[None, ..., None], window)[0, :, :, 0]
    apart = inside[:, :, None] != inside[:, None, :]
    return torch.zeros(apart.shape).masked_fill(apart, -torch.inf)


def relative_places(window: Triple) -> Tensor:
    """`(tokens, tokens)` rows of the bias table for each pair of tokens of a window (equation 3 of the paper).

    A window cut short by a small picture takes the middle of the table.
    """
    axes = torch.meshgrid(*(torch.arange(size) for size in window), indexing="ij")
    places = torch.stack(axes).flatten(1)
    # 3, tokens, tokens: from the second token to the first, from 0 on
    steps = places[:, :, None] - places[:, None, :] + torch.tensor(WINDOW)[:, None, None] - 1
    return (steps[0] * (2 * WINDOW[1] - 1) + steps[1]) * (2 * WINDOW[2] - 1) + steps[2]


class Attention(nn.Module):
    """Self-attention of several heads within a window, with a learned bias for each relative place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self._heads = channels // HEAD
        rows = (2 * WINDOW[0] - 1) * (2 * WINDOW[1] - 1) * (2 * WINDOW[2] - 1)
        self.relative_position_bias_table = nn.Parameter(torch.zeros(rows, self._heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor, places: Tensor, mask: Tensor) -> Tensor:
        """Attend.

        Args:
            x: `(N, windows, tokens, C)`.
            places: `(tokens, tokens)` rows of the bias table.
            mask: `(windows, tokens, tokens)` added before the softmax.

        Returns:
            As `x`.
        """
        count, windows, tokens, channels = x.shape
        # N, windows, tokens, 3 * C → 3, N, windows, heads, tokens, C / heads
        qkv = self.qkv(x).reshape(count, windows, tokens, 3, self._heads, HEAD).permute(3, 0, 1, 4, 2, 5)
        # tokens, tokens, heads → heads, tokens, tokens
        bias = self.relative_position_bias_table[places].permute(2, 0, 1)
        weights = qkv[0] * HEAD**-0.5 @ qkv[1].transpose(-1, -2) + bias + mask[:, None]
        # N, windows, heads, tokens, C / heads → N, windows, tokens, C
        found = (weights.softmax(-1) @ qkv[2]).transpose(2, 3).reshape(count, windows, tokens, channels)
        return torch.as_tensor(self.proj(found))


class Mlp(nn.Module):
    """Two layers with a GELU between them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, MLP_RATIO * channels)
        self.fc2 = nn.Linear(MLP_RATIO * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """`(…, C)` → `(…, C)`."""
        return torch.as_tensor(self.fc2(nn.functional.gelu(self.fc1(x))))


class Block(nn.Module):
    """Attention within windows, then an MLP, each after a layer norm and added to its input (equation 1)."""

    def __init__(self, channels: int, *, shifted: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn = Attention(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = Mlp(channels)
        self._shifted = shifted

    def forward(self, x: Tensor) -> Tensor:
        """`(N, T, H, W, C)` → the same."""
        x = x + self._attend(self.norm1(x))
        return torch.as_tensor(x + self.mlp(self.norm2(x)))

    def _attend(self, x: Tensor) -> Tensor:
        frames, height, width = x.shape[1:4]
        grid = (frames, height, width)
        window, shift = fit_window(grid, shifted=self._shifted)
        t, h, w = (-size % step for size, step in zip(grid, window, strict=True))
        # zeros after the last frame, row and column, until whole windows fit
        x = nn.functional.pad(x, (0, 0, 0, w, 0, h, 0, t))
        size = (frames + t, height + h, width + w)
        x = x.roll([-step for step in shift], (1, 2, 3))
        mask = attention_mask(size, window, shift).to(x.device)
        x = self.attn(split_windows(x, window), relative_places(window).to(x.device), mask)
        x = join_windows(x, window, size).roll(shift, (1, 2, 3))
        return x[:, :frames, :height, :width]


def fit_window(size: Triple, *, shifted: bool) -> tuple[Triple, Triple]:
    """The window and its shift on a grid: where the grid is not larger than the window, all of it, and no shift."""
    fits = [grid <= full for grid, full in zip(size, WINDOW, strict=True)]
    t, h, w = (grid if fit else full for grid, full, fit in zip(size, WINDOW, fits, strict=True))
    dt, dh, dw = (full // 2 if shifted and not fit else 0 for full, fit in zip(WINDOW, fits, strict=True))
    return (t, h, w), (dt, dh, dw)


class PatchEmbed(nn.Module):
    """A token for each patch of 2 frames × 4 × 4 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv3d(3, CHANNELS, PATCH, PATCH)
        self.norm = nn.LayerNorm(CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 3, T, H, W)` → `(N, ceil(T / 2), ceil(H / 4), ceil(W / 4), 96)`."""
        t, h, w = (-size % patch for size, patch in zip(x.shape[2:], PATCH, strict=True))
        x = self.proj(nn.functional.pad(x, (0, w, 0, h, 0, t)))
        # N, C, T, H, W → N, T, H, W, C
        return torch.as_tensor(self.norm(x.permute(0, 2, 3, 4, 1)))


class PatchMerging(nn.Module):
    """Four neighbours of a frame become one token of twice the channels; time stays as it is."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, T, H, W, C)` → `(N, T, ceil(H / 2), ceil(W / 2), 2 C)`."""
        x = nn.functional.pad(x, (0, 0, 0, x.shape[3] % 2, 0, x.shape[2] % 2))
        # in the order of published weights: down before right
        four = [x[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return torch.as_tensor(self.reduction(self.norm(torch.cat(four, -1))))


class Stage(nn.Module):
    """Blocks in pairs, plain and shifted, then a patch merging if there is one."""

    def __init__(self, channels: int, *, merges: bool) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Block(channels, shifted=index % 2 == 1) for index in range(DEPTH)))
        self.downsample = PatchMerging(channels) if merges else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """`(N, T, H, W, C)` → the same, or `(N, T, ceil(H / 2), ceil(W / 2), 2 C)`."""
        return torch.as_tensor(self.downsample(self.blocks(x)))


class VideoSwin(nn.Module):
    """Patch embedding and the first two stages of Video Swin-T."""

    features = 2 * CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed()
        self.layers = nn.ModuleList([Stage(CHANNELS, merges=True), Stage(2 * CHANNELS, merges=False)])

    def tokens(self, x: Tensor) -> Tensor:
        """`(N, 3, T, H, W)` normalised RGB → `(N, ceil(T / 2), ceil(H / 8), ceil(W / 8), 192)`."""
        x = self.patch_embed(x)
        for stage in self.layers:
            x = stage(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 3, T, H, W)` normalised RGB → `(N, 192)`, the mean of all tokens."""
        return self.tokens(x).mean((1, 2, 3))
