"""The samples of the proxy tasks, made of thirteen consecutive frames.

The tasks are our reading of a paper of which only the supplement was at hand: is a frame missing, where is it missing,
and what was in it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from amiss.methods.multi_grained.backbones import CELL, CLIP

__all__ = ["GAPS", "LENGTH", "change", "consecutive", "cropped", "moving", "without"]

LENGTH = CLIP + 1
"""Frames that samples are made of."""
GAPS = LENGTH - 2
"""Frames that can be missing: all but the first and the last, as no clip tells whether those are."""


def without(frames: Tensor, missing: Tensor) -> Tensor:
    """Clips that lack one frame.

    Args:
        frames: `(N, C, 13, H, W)`.
        missing: `(N,)` the frame that each lacks, 1 to 11.

    Returns:
        `(N, C, 12, H, W)`.
    """
    order = torch.arange(CLIP, device=frames.device).expand(len(frames), -1)
    return _picked(frames, order + (order >= missing[:, None]))


def consecutive(frames: Tensor, first: Tensor) -> Tensor:
    """Clips that lack none: `(N, C, 12, H, W)` of `(N, C, 13, H, W)`, from frame `first` `(N,)` on, 0 or 1."""
    return _picked(frames, torch.arange(CLIP, device=frames.device) + first[:, None])


def _picked(frames: Tensor, order: Tensor) -> Tensor:
    """Frames `(N, C, T, H, W)` in the order `(N, L)`."""
    rows = torch.arange(len(frames), device=frames.device)[:, None]
    return frames.transpose(1, 2)[rows, order].transpose(1, 2)


def change(frames: Tensor) -> Tensor:
    """How much cells change from frame to frame, on average over a clip.

    Args:
        frames: `(N, C, T, H, W)` in -1..1.

    Returns:
        `(N, H / 8, W / 8)` grey levels of 255.
    """
    return functional.avg_pool2d(127.5 * frames.diff(dim=2).abs().mean(1), CELL).mean(1)


def moving(frames: Tensor, level: float) -> Tensor:
    """Where clips move: the cells that change by more than so many grey levels from frame to frame, on average.

    A cell that does not move says nothing of missing frames.

    Args:
        frames: `(N, C, T, H, W)` in -1..1.
        level: Grey levels of 255.

    Returns:
        `(N, H / 8, W / 8)` bool.
    """
    return change(frames) > level


def cropped(frames: Tensor, side: int, level: float) -> Tensor:
    """A square of each clip, at random, around a cell that moves where there is one.

    Args:
        frames: `(N, C, T, H, W)` in -1..1.
        side: Pixels; 0 takes clips whole.
        level: As of `moving`.

    Returns:
        `(N, C, T, side, side)`, less where clips are smaller.
    """
    height, width = frames.shape[3:]
    if not side or side >= max(height, width):
        return frames
    moves = moving(frames[:, :, :: LENGTH // 2], level)  # three frames tell enough of where to look
    weights = moves.flatten(1).float() + 1e-4
    cells = torch.multinomial(weights.cpu(), 1)[:, 0]
    columns = moves.shape[2]
    half = side // 2
    jitter = torch.randint(-half // 2, half // 2 + 1, (2, len(frames)))
    top = (cells // columns * CELL + CELL // 2 - half + jitter[0]).clamp(0, max(height - side, 0)).tolist()
    left = (cells % columns * CELL + CELL // 2 - half + jitter[1]).clamp(0, max(width - side, 0)).tolist()
    return torch.stack([frame[..., y : y + side, x : x + side] for frame, y, x in zip(frames, top, left, strict=True)])
