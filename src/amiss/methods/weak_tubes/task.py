"""How `weak-tubes` is trained: the branches take turns, each guided by what the other says of its highest instance.

Source: Wu et al., IJCAI 2021, section 3.3 and algorithm 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from amiss.methods.task import Plan
from amiss.methods.weak.bags import SIDES
from amiss.methods.weak.losses import cross_entropy, ranking
from amiss.methods.weak.network import Branch, present, settled
from amiss.methods.weak_tubes.network import DualBranch
from amiss.methods.weak_tubes.settings import WeakTubesSettings
from amiss.types import Windows

__all__ = ["Refinement"]


class Seen(NamedTuple):
    """The instances of some videos, as a branch takes them.

    Attributes:
        shown: `(B, n, K)` numbers.
        there: `(B, n)` bool, which there are.
        when: `(B, n)` when each is, as a share of the video.
    """

    shown: Tensor
    there: Tensor
    when: Tensor


class Refinement:
    """Mutually guided progressive refinement.

    Args:
        network: Both branches.
        settings: Losses, and which branches learn.
        plan: Epochs and batches.
    """

    name = "weak-tubes"

    def __init__(self, network: DualBranch, settings: WeakTubesSettings, plan: Plan) -> None:
        self.network, self.plan = network, plan
        self.module: nn.Module = network
        self._settings = settings
        self._learns = {"both": ("temporal", "tube"), "tube": ("tube",), "temporal": ("temporal",)}[settings.branches]
        self._turn = self._learns[0]
        self.turns = len(self._learns)

    def take_turn(self, turn: int) -> None:
        """From now on another branch learns, the temporal one first."""
        self._turn = self._learns[turn]

    def batch(self, windows: Windows) -> Mapping[str, Tensor]:
        """The pairs of bags as they are."""
        return {name: torch.tensor(array) for name, array in windows.data.items()}

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The ranking loss and the cross-entropy of the branch whose turn it is.

        Only the highest instance of a bag has a gradient, so the others are looked at without one.
        """
        own: Branch = getattr(self.network, self._turn)
        kind = {"tube": "region", "temporal": "moment"}[self._turn]
        seen = [_seen(batch, side, kind) for side in SIDES]
        tops = [own.highest(*side) for side in seen]
        abnormal, normal = (own.at(*side, top) for side, top in zip(seen, tops, strict=True))
        terms: dict[str, Tensor] = {}
        if self._settings.ranking != "none":
            weight = self._guidance(batch, tops[0])
            terms[f"{self._turn} ranking"] = ranking(abnormal.sigmoid(), normal.sigmoid(), weight)
        if self._settings.entropy:
            terms[f"{self._turn} entropy"] = self._settings.entropy * cross_entropy(abnormal, normal)
        return terms

    @torch.no_grad()
    def _guidance(self, batch: Mapping[str, Tensor], top: Tensor) -> Tensor | float:
        """`(B,)` what the other branch says of each abnormal bag's highest instance; 1 where nothing guides.

        Nothing does on bags that are held out: with a weight that changes, epochs could not be compared.
        The tube branch takes segments as tubes; the temporal branch sees the whole picture while a tube is there.
        """
        if self._settings.ranking == "plain" or self.turns == 1 or not self.network.training:
            return 1.0
        if self._turn == "temporal":
            other, kind = self.network.tube, "moment"
        else:
            other, kind = self.network.temporal, "whole"
        with settled(other):
            return other.at(*_seen(batch, SIDES[0], kind), top).sigmoid()


def _seen(batch: Mapping[str, Tensor], side: str, kind: str) -> Seen:
    """What videos show: in tubes (`region`), as a whole while tubes are there (`whole`), or in segments (`moment`)."""
    shown = batch[f"{side}.{kind}"]
    names = ("moments", "clock") if kind == "moment" else ("tubes", "when")
    count, when = (batch[f"{side}.{name}"] for name in names)
    return Seen(shown, present(count, shown.shape[1]), when)
