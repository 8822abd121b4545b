"""Windows from features that were made of a video before, in place of its pictures."""

from __future__ import annotations

import numpy as np

from amiss.errors import FootageError
from amiss.footage import FeatureFile
from amiss.types import NO_TRACK, Windows
from amiss.windows.tubes import MOMENT

__all__ = ["given_windows"]


def given_windows(footage: FeatureFile, length: int) -> Windows:
    """The windows of whole pictures that `TubeBuilder` would give, with the features of a file.

    Each part of the video comes in as many blocks as the longest needs, all with its feature.

    Args:
        footage: The file.
        length: Frames of a block, at most.

    Raises:
        FootageError: The file is damaged, or its values are too large.
    """
    features, edges = footage.features(), footage.edges()
    blocks = max(-(-int(np.diff(edges).max()) // length), 1)
    shares = np.arange(blocks + 1) / blocks
    cuts = (edges[:-1, None] + np.diff(edges)[:, None] * shares).astype(np.int64)  # T, blocks + 1
    first, last = cuts[:, :-1].ravel(), cuts[:, 1:].ravel()
    count = len(first)
    number = first[:, None] + np.arange(length)
    there = number < last[:, None]
    middle = np.minimum((first + last) // 2, footage.length - 1)
    if np.abs(features).max(initial=0) > np.finfo(np.float16).max:
        raise FootageError(f"{footage.path} holds values above 65,504; scale the features down")
    shown = np.repeat(features, blocks, axis=0).astype(np.float16)
    box = np.tile(np.array((0, 0, 1, 1), np.float32), (count, 1))
    return Windows(
        frame=middle,
        seconds=middle / footage.rate,
        box=box,
        track=np.full(count, NO_TRACK),
        data={
            "bag": np.full(count, int(footage.fingerprint()[:15], 16), np.int64),
            "block": np.arange(count, dtype=np.int64),
            "kind": np.full(count, MOMENT, np.int8),
            "region": shown,
            "whole": shown,
            "boxes": np.where(there[..., None], box[:, None], 0).astype(np.float32),
            "number": np.where(there, number, -1),
            "clock": number / footage.rate,
            "now": np.ones(count, np.bool_),
            "step": np.full(count, 1 / footage.rate, np.float32),
        },
    )
