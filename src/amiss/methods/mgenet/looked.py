"""What the networks of `mgenet` make of segments, and where in a crop that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from amiss.types import BoolArray, FloatArray, IntArray, Windows

__all__ = ["TOGETHER", "Looked", "batches", "in_boxes", "inside", "padded", "where", "whole_and_clear"]

TOGETHER = 16
"""Segments that the networks look at together, always so many: sums may round otherwise in a batch of another size."""
TINY = 1e-9
WHOLE = 0.8
"""A crop of which less lies in the picture says nothing of looks: the edge of the picture cuts and stretches it."""
LEAST = 16
"""Pixels a side of the picture under which a crop is a blur: what others hide of somebody but for a hand."""
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "middle", "right")


@dataclass(frozen=True, eq=False)
class Looked:
    """What the networks make of segments.

    Attributes:
        raw: `(N, P)` the parts of the score before they can be compared.
        vectors: `(N, C)` e_b, averaged over tokens.
        features: `(N, 80)` what the crop looks like; without looks `(N, 0)`.
        unlike: `(N, h, w)` S_app of each place of the crop.
        familiar: `(N, 1)` the largest cosine of the place and a learned one; without matching 1.
        told: `(N,)` whether enough of a body is seen to speak of its movement.
        whole: `(N,)` whether the crop lies in the picture, but for a fifth of it.
        clear: `(N,)` whether it is, besides, of at least sixteen pixels a side of the picture.
        kin: `(N,)` how many of the K pairs with the most similar behaviour belong to a place like this.
    """

    raw: FloatArray
    vectors: FloatArray
    features: FloatArray
    unlike: FloatArray
    familiar: FloatArray
    kin: IntArray
    told: BoolArray
    whole: BoolArray
    clear: BoolArray

    @classmethod
    def merge(cls, looked: Sequence[Looked]) -> Looked:
        """All rows, in order."""
        return cls(*(np.concatenate([getattr(one, name) for one in looked]) for name in cls.__dataclass_fields__))


def batches(rows: IntArray, size: int) -> Iterator[IntArray]:
    """So many at once; a single batch of none where there are none."""
    for start in range(0, max(len(rows), 1), size):
        yield rows[start : start + size]


def padded(tensor: Tensor) -> Tensor:
    """As many segments as the networks look at together, those that lack being zeros."""
    lacking = TOGETHER - len(tensor)
    return torch.cat([tensor, tensor.new_zeros(lacking, *tensor.shape[1:])]) if lacking else tensor


def where(unlike: FloatArray) -> str:
    """In words, where a map `(h, w)` of a crop is highest."""
    row, column = np.unravel_index(int(unlike.argmax()), unlike.shape)
    down, across = (3 * int(place) // length for place, length in zip((row, column), unlike.shape, strict=True))
    if (down, across) == (1, 1):
        return "in the middle"
    return f"at the {ROWS[down]} {COLUMNS[across]}"


def inside(windows: Windows) -> FloatArray:
    """`(N,)` share of each crop's square that lies in the picture."""
    place = np.asarray(windows.data["place"], np.float64).reshape(-1, 2, 2)  # N, corner, x or y
    size = np.asarray(windows.data["size"], np.float64)[:, None]
    sides = np.diff(np.clip(place, 0, size), axis=1) / np.maximum(np.diff(place, axis=1), TINY)
    return np.asarray(sides[:, 0].prod(1))


def whole_and_clear(windows: Windows) -> tuple[BoolArray, BoolArray]:
    """`(N,)` whether the crop lies in the picture, and whether it is large enough, too, to tell what it looks like."""
    whole = inside(windows) >= WHOLE
    place = np.asarray(windows.data["place"], np.float64).reshape(-1, 4)
    return whole, whole & (place[:, 2] - place[:, 0] >= LEAST)


def in_boxes(maps: FloatArray, windows: Windows) -> FloatArray:
    """Maps `(N, h, w)` of crops as maps of the boxes, 0 where a box reaches beyond the crop."""
    if not len(windows):
        return maps
    size = maps.shape[1]
    share = (np.arange(size) + 0.5) / size
    box, place = windows.box[:, None], windows.data["place"][:, None]  # N, 1, 4
    across = (box[..., 0] + share * (box[..., 2] - box[..., 0]) - place[..., 0]) / (place[..., 2] - place[..., 0])
    down = (box[..., 1] + share * (box[..., 3] - box[..., 1]) - place[..., 1]) / (place[..., 3] - place[..., 1])
    grid = np.stack(np.broadcast_arrays(across[:, None, :], down[:, :, None]), -1).astype(np.float32)
    found = functional.grid_sample(
        torch.from_numpy(maps.astype(np.float32))[:, None], torch.from_numpy(2 * grid - 1), align_corners=False
    )
    return np.asarray(found[:, 0].numpy())
