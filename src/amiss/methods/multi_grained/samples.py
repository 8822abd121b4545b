"""The samples of the proxy tasks, made of thirteen consecutive frames.

The tasks are our reading of a paper of which only the supplement was at hand: is a frame missing, where is it missing,
and what was in it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from amiss.methods.multi_grained.backbones import CELL, CLIP

__all__ = ["GAPS", "LENGTH", "change", "consecutive", "cropped", "drawn_gaps", "moving", "scaled", "without"]

LENGTH = CLIP + 1
"""Frames that samples are made of."""
GAPS = LENGTH - 2
"""Frames that can be missing: all but the first and the last, as no clip tells whether those are."""


def drawn_gaps(count: int) -> Tensor:
    """`(count,)` frames to leave out, each of 1 to 11 as likely as any other; torch's random numbers decide."""
    return torch.randint(1, GAPS + 1, (count,))


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
    return functional.avg_pool2d(127.5 * (frames[:, :, 1:] - frames[:, :, :-1]).abs().mean(1), CELL).mean(1)


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


def scaled(images: Tensor) -> Tensor:
    """`(N, 3, T, H, W)` float32 in -1..1 from pictures `(N, T, H, W, 3)` uint8."""
    return images.permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def cropped(images: Tensor, side: int, level: float) -> Tensor:
    """A square of each clip, at random, around a cell that moves where there is one.

    Args:
        images: `(N, T, H, W, 3)` uint8.
        side: Pixels; 0 takes clips whole.
        level: As of `moving`.

    Returns:
        `(N, T, side, side, 3)` uint8, less where clips are smaller.
    """
    height, width = images.shape[2:4]
    if not side or side >= max(height, width):
        return images
    moves = moving(scaled(images[:, :: LENGTH // 2]), level)  # three frames tell enough of where to look
    cells = torch.multinomial(moves.flatten(1).float().cpu() + 1e-6, 1)[:, 0]
    columns, half = moves.shape[2], side // 2
    jitter = torch.randint(-half // 2, half // 2 + 1, (2, len(images)))
    top = (cells // columns * CELL + CELL // 2 - half + jitter[0]).clamp(0, max(height - side, 0)).tolist()
    left = (cells % columns * CELL + CELL // 2 - half + jitter[1]).clamp(0, max(width - side, 0)).tolist()
    return torch.stack([clip[:, y : y + side, x : x + side] for clip, y, x in zip(images, top, left, strict=True)])
