"""Behaviour-scene matching: which behaviours were seen in which scenes.

Source: Yang et al., MGENet, section 3.4, equations 8 to 10 and 15; the supplement, section 1.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.methods.mgenet.memory import Memory
from amiss.methods.mgenet.movement import MOVEMENT
from amiss.methods.normal import spread_out

__all__ = ["KIN", "MovementMatching", "WeightMatching"]

COMPONENTS = 8
"""Principal components by which movements are compared, each of unit variance over normal footage."""
ELSEWHERE = 10.0
"""How much farther a movement counts as that was seen in a scene with nothing in common, in the same units."""
FAR = 1e3
"""Farther than any movement: of what is left out."""
KIN = 0.5
"""Scenes whose weights have at least this cosine are alike."""
LEAST_SHARE = 1e-6
"""Components with less of the first one's deviation than this are noise and left out."""


class WeightMatching(nn.Module):
    """Remembers pairs of addressing weights of behaviours and scenes, as published.

    Args:
        items: How many pairs.
        behaviour: L_b, numbers of the weights of a behaviour: tokens times items of its memory.
        scene: L_s, items of the memory of scenes.
        top: K, items that are compared.
        temperature: What cosines are divided by before a softmax; 1 in the paper.
    """

    def __init__(self, items: int, behaviour: int, scene: int, top: int, temperature: float) -> None:
        super().__init__()
        self._behaviour, self._top, self._temperature = behaviour, top, temperature
        self.memory = Memory(items, behaviour + scene, temperature)

    def pairs(self, behaviour: Tensor, scene: Tensor) -> Tensor:
        """`(N, L_b + L_s)` pairs of weights `(N, P, N_b)` and `(N, N_s)` (equation 8), each of unit length.

        There are thousands of weights of a behaviour and few of a scene: as they are, the scene would not count where
        pairs are told apart.
        """
        return torch.cat([functional.normalize(half, dim=1) for half in (behaviour.flatten(1), scene)], dim=1)

    def difference(self, behaviour: Tensor, scene: Tensor) -> tuple[Tensor, Tensor]:
        """S_mm, how differently behaviour and scene match the same pairs (equations 10 and 15).

        Args:
            behaviour: `(N, P, N_b)` weights.
            scene: `(N, N_s)` weights.

        Returns:
            `(N,)` the distance between the matching weights of the K pairs whose behaviour is most alike, and `(N, K)`
            which pairs these are.
        """
        items = self.memory.items
        c_b = self._weights(behaviour.flatten(1), items[:, : self._behaviour])
        c_s = self._weights(scene, items[:, self._behaviour :])
        largest = c_b.topk(min(self._top, items.shape[0]), dim=1)
        return (largest.values - c_s.gather(1, largest.indices)).norm(dim=1), largest.indices

    def kin(self, pairs: Tensor, scene: Tensor) -> Tensor:
        """`(N, K)` cosines of the scenes of pairs `(N, K)`, given by number, and of scenes `(N, N_s)`."""
        return _cosines(self.memory.items[:, self._behaviour :], scene).gather(1, pairs)

    def _weights(self, queries: Tensor, items: Tensor) -> Tensor:
        return (_cosines(items, queries.float()) / self._temperature).softmax(1)


class MovementMatching(nn.Module):
    """Remembers pairs of movements and scenes; ours, not the paper's.

    Addressing weights of tokens tell where somebody stands rather than what somebody does, and many normal behaviours
    are usual in all scenes, where weights of behaviours and of one scene differ without anything being amiss. Here a
    behaviour is how the joints move (`movement_of`), and what counts is how much farther the nearest normal movement
    is in a scene like this than in any: nothing for what is usual everywhere or strange everywhere.

    Args:
        items: How many pairs.
        scene: L_s, items of the memory of scenes.
        top: K, nearest pairs whose distances are averaged.
    """

    centre: Tensor
    basis: Tensor
    movements: Tensor
    places: Tensor
    clips: Tensor

    def __init__(self, items: int, scene: int, top: int) -> None:
        super().__init__()
        self._top = min(top, items)
        self.register_buffer("centre", torch.zeros(MOVEMENT, dtype=torch.float64))
        self.register_buffer("basis", torch.zeros(MOVEMENT, COMPONENTS, dtype=torch.float64))
        self.register_buffer("movements", torch.zeros(items, COMPONENTS, dtype=torch.float64))
        self.register_buffer("places", torch.zeros(items, scene, dtype=torch.float64))
        self.register_buffer("clips", torch.zeros(items, dtype=torch.int64))

    def write(self, movement: Tensor, scene: Tensor, clip: Tensor) -> None:
        """Remember normal segments whose movements are far from each other, with their scenes.

        Args:
            movement: `(N, 74)` from `movement_of`, N at least 1.
            scene: `(N, N_s)` weights.
            clip: `(N,)` int64, the number of the clip that each is of.
        """
        numbers = movement.double().numpy()
        centre, spread = numbers.mean(0), np.maximum(numbers.std(0), LEAST_SHARE)
        _, deviation, axes = np.linalg.svd((numbers - centre) / spread, full_matrices=False)
        deviation = deviation[:COMPONENTS] / np.sqrt(len(numbers))
        kept = deviation > LEAST_SHARE * max(float(deviation[0]), LEAST_SHARE)
        basis = np.zeros((MOVEMENT, COMPONENTS))
        basis[:, : len(kept)] = np.where(kept, axes[:COMPONENTS].T / np.where(kept, deviation, 1), 0) / spread[:, None]
        self.centre.copy_(torch.from_numpy(centre))
        self.basis.copy_(torch.from_numpy(basis))
        places = self._placed(movement)
        rows = spread_out(places.numpy(), min(len(self.movements), len(places)))
        rows = np.resize(rows, len(self.movements))  # of fewer segments than items some stand twice
        self.movements.copy_(places[rows])
        self.places.copy_(scene[rows])
        self.clips.copy_(clip[rows])

    def difference(self, movement: Tensor, scene: Tensor, clip: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """How much farther the nearest normal movements are in scenes like this than in any.

        Args:
            movement: `(N, 74)`.
            scene: `(N, N_s)` weights.
            clip: `(N,)` int64, what is remembered of which clip is left out for each, as for normal segments that were
                learned from; nothing for those of a clip beside which there is no other.

        Returns:
            `(N,)` in deviations of normal movements, from 0 to about 10, and `(N, K)` which pairs have the most similar
            movement.
        """
        gap = (self._placed(movement)[:, None] - self.movements).square().sum(2).sqrt()  # N, items
        if clip is not None:
            own = clip[:, None] == self.clips
            gap = torch.where(own & ~own.all(1, keepdim=True), FAR, gap)
        # Like scenes cost nothing at all: in one that wavers a little, the part stays 0 for everybody.
        here = gap + ELSEWHERE * (1 - (_cosines(self.places, scene.double()) / KIN).clamp(0, 1))
        anywhere = gap.topk(self._top, dim=1, largest=False)
        return here.topk(self._top, dim=1, largest=False).values.mean(1) - anywhere.values.mean(1), anywhere.indices

    def kin(self, pairs: Tensor, scene: Tensor) -> Tensor:
        """`(N, K)` cosines of the scenes of pairs `(N, K)`, given by number, and of scenes `(N, N_s)`."""
        return _cosines(self.places, scene.double()).gather(1, pairs)

    def _placed(self, movement: Tensor) -> Tensor:
        return (movement.double() - self.centre) @ self.basis


def _cosines(items: Tensor, queries: Tensor) -> Tensor:
    """`(N, items)` cosines of all queries and all items."""
    return functional.normalize(queries, dim=1) @ functional.normalize(items, dim=1).T
