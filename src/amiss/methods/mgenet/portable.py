"""The networks of `mgenet` as other programs can take them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.methods.mgenet.looks import Looks
from amiss.methods.mgenet.matching import MovementMatching
from amiss.methods.mgenet.movement import MOVEMENT
from amiss.methods.mgenet.network import CUBE, Explorer, Seen
from amiss.nn.portable import Portable, is_written
from amiss.types import BoolArray

__all__ = ["portable_explorer", "portable_looks", "portable_matching", "portable_places", "portable_tokenizer"]


class _Explorer(nn.Module):
    """The encoders, and how unlike each place is to what is guessed where it is seen and others are hidden."""

    times: Tensor

    def __init__(self, network: Explorer, masks: Sequence[BoolArray]) -> None:
        super().__init__()
        self.network, self._masks = network, tuple(masks)
        seen = [np.broadcast_to(~mask, network.grid).ravel() for mask in masks]
        for number, visible in enumerate(seen):  # which of the visible tokens a place is, the last after them if none
            order = np.where(visible, np.cumsum(visible) - 1, visible.sum())
            self.register_buffer(f"order{number}", torch.from_numpy(order), persistent=False)
        times = torch.from_numpy(np.sum(seen, axis=0)).float() if seen else torch.ones(1)
        self.register_buffer("times", times.clamp_min(1), persistent=False)

    def forward(self, cubes: Tensor) -> tuple[Tensor, ...]:
        """f_rgb, e_b, W_b, and with masks S_app of each place."""
        seen: Seen = self.network(cubes)
        found = seen.motion, seen.tokens, seen.behaviour
        return (*found, self._unlike(cubes, seen)) if self._masks else found

    def _unlike(self, cubes: Tensor, seen: Seen) -> Tensor:
        """`(N, h, w)` S_app of each place (equation 14): all are seen, each by those masks that leave it."""
        total = torch.zeros_like(cubes[:, :, 0])
        for number, mask in enumerate(self._masks):
            guess, visible = self.network.guess(cubes, mask)
            apart = 1 - _cosine(guess, seen.target[:, visible]).mean(2)
            total = total + functional.pad(apart, (0, 1))[:, getattr(self, f"order{number}")]
        maps = (total / self.times).reshape(-1, *self.network.grid)
        return torch.as_tensor(maps.mean(1).clamp_min(0))


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    """Cosine along the last axis."""
    if is_written():  # OpenVINO does not know the function
        return (functional.normalize(one, dim=-1) * functional.normalize(other, dim=-1)).sum(-1)
    return functional.cosine_similarity(one, other, dim=-1)


class _Places(nn.Module):
    """The memory of scenes."""

    def __init__(self, network: Explorer) -> None:
        super().__init__()
        self.memory = network.scenes

    def forward(self, scene: Tensor) -> tuple[Tensor, ...]:
        """Weights, and the largest cosine."""
        return self.memory.weights(scene), self.memory.similarity(scene).amax(1)


class _Matching(nn.Module):
    """The memory of pairs of behaviours and scenes."""

    def __init__(self, network: Explorer) -> None:
        super().__init__()
        self.matching = network.matching

    def forward(self, behaviour: Tensor, place: Tensor) -> tuple[Tensor, ...]:
        """S_mm; the behaviour is weights, or a movement."""
        return (self.matching.difference(behaviour, place)[0],)


class _Tokenizer(nn.Module):
    """Crops as tokens by Video Swin."""

    def __init__(self, network: Explorer) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """`(N, P, C)`."""
        return (self.network.inputs(crops),)


def portable_explorer(network: Explorer, masks: Sequence[BoolArray], together: int) -> Portable:
    """The encoders.

    Args:
        network: In evaluation mode.
        masks: `(h, w)` each, what is hidden from the mask encoder in turn; none, if there is none.
        together: Segments that torch looks at together.
    """
    tokens, size = math.prod(network.grid), network.embed.in_features
    unlike = {"unlike": "(N, h, w) one minus the cosine of what is guessed of each place of the crop and what is there"}
    return Portable(
        module=_Explorer(network, masks).eval(),
        inputs={
            "cubes": "(N, P, D) tokens of the crops of a person, of `tokenizer` where there is one, else the "
            f"pixels of {CUBE[0]} frames of {CUBE[1]} by {CUBE[2]}, RGB in -1..1"
        },
        outputs={
            "motion": "(N, T, D) what is foreseen of the output `latent` of `guide`, x and then y of 18 joints",
            "tokens": "(N, P, C) features of the tokens",
            "behaviour": "(N, P, items) weights of the items of the memory of behaviours",
            **(unlike if len(masks) else {}),
        },
        example=lambda count: (_drawn(count, tokens, size).tanh(),),
        axes=(0,),
        counted="segments",
        together=together,
    )


def portable_tokenizer(network: Explorer, frames: int, size: int) -> Portable:
    """What makes tokens of crops."""
    return Portable(
        module=_Tokenizer(network).eval(),
        inputs={"crops": "(N, T, S, S, 3) crops of a person, RGB, uint8"},
        outputs={"cubes": "(N, P, D) tokens, for `explorer`"},
        example=lambda count: ((255 * _drawn(count, frames, size, size, 3).sigmoid()).to(torch.uint8),),
        axes=(0,),
        counted="segments",
    )


def portable_looks(looks: Looks, size: int, together: int) -> Portable:
    """What crops look like, and how far that is from the nearest normal looks."""
    return Portable(
        module=looks.eval(),
        inputs={"crops": "(N, S, S, 3) crops of a person in the middle of segments, RGB, uint8"},
        outputs={
            "features": f"(N, {looks.items.shape[1]}) what the whole crop and its middle look like",
            "distance": "(N,) from the nearest remembered crops, before standardising",
        },
        example=lambda count: ((255 * _drawn(count, size, size, 3).sigmoid()).to(torch.uint8),),
        axes=(0,),
        counted="segments",
        together=together,
    )


def portable_places(network: Explorer) -> Portable:
    """The memory of scenes."""
    return Portable(
        module=_Places(network).eval(),
        inputs={"scene": "(N, D) feature of the place, as the network of scenes gives it"},
        outputs={
            "place": "(N, items) weights of the items of the memory of scenes, for `matching`",
            "familiar": "(N,) the largest cosine of the place and an item",
        },
        example=lambda count: (_drawn(count, network.scenes.items.shape[1]),),
        axes=(0,),
        counted="segments",
    )


def portable_matching(network: Explorer) -> Portable:
    """The memory of pairs."""
    tokens, behaviours, scenes = math.prod(network.grid), *(len(m.items) for m in (network.behaviours, network.scenes))
    moves = isinstance(network.matching, MovementMatching)
    told = {
        "behaviour": "(N, 74) movement of the joints, as `mgenet/movement.py` describes it, float64"
        if moves
        else "(N, P, items) weights of `explorer`"
    }
    said = "how much farther such a movement is in such a place"
    said = said if moves else "how differently behaviour and place match the same pairs"

    def example(count: int) -> tuple[Tensor, Tensor]:
        movement = _drawn(count, MOVEMENT).double()
        return movement if moves else _drawn(count, tokens, behaviours).softmax(2), _drawn(count, scenes).softmax(1)

    return Portable(
        module=_Matching(network).eval(),
        inputs=told | {"place": "(N, items) weights of `places`"},
        outputs={"difference": f"(N,) {said}, before standardising"},
        example=example,
        axes=(0, 0),
        counted="segments",
    )


def _drawn(count: int, *shape: int) -> Tensor:
    """Standard normal numbers, always the same."""
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(count))
