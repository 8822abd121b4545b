"""Which places of a crop are hidden: blocks, of exactly one share, the same in all frames.

Source: Yang et al., MGENet, section 3.3; the blocks after Bao et al., BEiT, algorithm 1.
"""

from __future__ import annotations

import math

import numpy as np

from amiss.types import BoolArray

__all__ = ["block_mask", "covering_masks"]

LEAST = 16
"""Places of a block, at least, where so many are to be hidden."""
ASPECT = 0.3
"""Aspects of blocks lie between this and one over it."""
TRIES = 200


def block_mask(height: int, width: int, share: float, generator: np.random.Generator) -> BoolArray:
    """`(height, width)`: True where hidden, `round(share · height · width)` places in rectangular blocks.

    Blocks with areas from 16 places on and log-uniform aspects are put down until the next would hide too much; single
    places next to them make up for what lacks.
    """
    wanted = round(share * height * width)
    hidden = np.zeros((height, width), np.bool_)
    for _ in range(TRIES):
        lacking = wanted - int(hidden.sum())
        if not lacking:
            break
        area = generator.uniform(min(LEAST, lacking), lacking)
        aspect = math.exp(generator.uniform(math.log(ASPECT), -math.log(ASPECT)))
        tall, wide = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if not (0 < tall <= height and 0 < wide <= width):
            continue
        top, left = generator.integers(height - tall + 1), generator.integers(width - wide + 1)
        block = hidden[top : top + tall, left : left + wide]
        if 0 < (~block).sum() <= lacking:
            block[:] = True
    return _filled(hidden, wanted, generator)


def _filled(hidden: BoolArray, wanted: int, generator: np.random.Generator) -> BoolArray:
    """Places beside what is hidden, or anywhere where nothing is, hidden too until there are as many as wanted."""
    while (lacking := wanted - int(hidden.sum())) > 0:
        beside = np.zeros_like(hidden)
        beside[1:] |= hidden[:-1]
        beside[:-1] |= hidden[1:]
        beside[:, 1:] |= hidden[:, :-1]
        beside[:, :-1] |= hidden[:, 1:]
        places = np.flatnonzero(beside & ~hidden if hidden.any() else ~hidden)
        hidden.ravel()[generator.permutation(places)[: min(lacking, len(places)) if hidden.any() else 1]] = True
    return hidden


def covering_masks(height: int, width: int, share: float, generator: np.random.Generator) -> list[BoolArray]:
    """Masks of one share each that together hide every place: at half, a mask and its opposite.

    Returns:
        `max(2, ceil(1 / share))` masks `(height, width)`.
    """
    count, wanted = max(2, math.ceil(1 / share - 1e-9)), round(share * height * width)
    first = block_mask(height, width, share, generator)
    masks, seen = [first], first.copy()
    for _ in range(count - 1):
        mask = ~seen
        spare = np.flatnonzero(mask)
        if len(spare) > wanted:  # as they come, row by row: the next mask takes the others
            mask.ravel()[spare[wanted:]] = False
        elif len(spare) < wanted:
            again = generator.permutation(np.flatnonzero(seen))[: wanted - len(spare)]
            mask.ravel()[again] = True
        masks.append(mask)
        seen |= mask
    return masks
