"""Behaviour-scene matching: which behaviours were seen in which scenes.

Source: Yang et al., MGENet, section 3.4, equations 8 to 10 and 15; the supplement, section 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.methods.mgenet.memory import Memory

__all__ = ["Matching"]


class Matching(nn.Module):
    """Remembers pairs of addressing weights of behaviours and scenes.

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
        items = functional.normalize(self.memory.items[:, self._behaviour :], dim=1)[pairs]
        return (items * functional.normalize(scene, dim=1)[:, None]).sum(2)

    def _weights(self, queries: Tensor, items: Tensor) -> Tensor:
        cosine = functional.normalize(queries.float(), dim=1) @ functional.normalize(items, dim=1).T
        return (cosine / self._temperature).softmax(1)
