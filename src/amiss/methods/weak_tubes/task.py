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
from amiss.methods.weak.network import Branch, highest, present
from amiss.methods.weak_tubes.network import DualBranch
from amiss.methods.weak_tubes.settings import WeakTubesSettings
from amiss.types import Windows

__all__ = ["Refinement"]


class Side(NamedTuple):
    """The abnormal or the normal videos of a batch.

    Attributes:
        region: `(B, n, K)` what tubes show.
        whole: `(B, n, K)` what the whole picture shows while they are there.
        moment: `(B, m, K)` what the whole picture shows in each segment.
        tubes: `(B, n)` bool, which tubes there are.
        moments: `(B, m)` bool, likewise.
        when: `(B, n)` when tubes are, as a share of the video.
        clock: `(B, m)` when segments are.
    """

    region: Tensor
    whole: Tensor
    moment: Tensor
    tubes: Tensor
    moments: Tensor
    when: Tensor
    clock: Tensor


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
        return {name: torch.from_numpy(array) for name, array in windows.data.items()}

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The ranking loss and the cross-entropy of the branch whose turn it is."""
        abnormal, normal = (_side(batch, side) for side in SIDES)
        own: Branch = getattr(self.network, self._turn)
        tops = [highest(_seen(own, side, self._turn)) for side in (abnormal, normal)]
        terms: dict[str, Tensor] = {}
        if self._settings.ranking != "none":
            weight = self._guidance(abnormal, tops[0][1])
            terms[f"{self._turn} ranking"] = ranking(tops[0][0].sigmoid(), tops[1][0].sigmoid(), weight)
        if self._settings.entropy:
            terms[f"{self._turn} entropy"] = self._settings.entropy * cross_entropy(tops[0][0], tops[1][0])
        return terms

    @torch.no_grad()
    def _guidance(self, side: Side, top: Tensor) -> Tensor | float:
        """`(B,)` what the branch whose turn it is not says of each bag's highest instance; 1 where nothing guides."""
        if self._settings.ranking == "plain" or self.turns == 1:
            return 1.0
        other = self.network.tube if self._turn == "temporal" else self.network.temporal
        training = other.training
        other.eval()
        if self._turn == "temporal":
            odds = other(side.moment, side.moments, side.clock)  # segments, regarded as tubes
        else:
            odds = other(side.whole, side.tubes, side.when)
        other.train(training)
        return torch.as_tensor(odds.sigmoid().gather(1, top[:, None]).squeeze(1))


def _seen(branch: Branch, side: Side, turn: str) -> Tensor:
    """`(B, n)` the log odds of the instances that a branch learns from."""
    if turn == "tube":
        return branch(side.region, side.tubes, side.when)  # type: ignore[no-any-return]  # a module
    return branch(side.moment, side.moments, side.clock)  # type: ignore[no-any-return]


def _side(batch: Mapping[str, Tensor], side: str) -> Side:
    region, whole, moment, when = (batch[f"{side}.{name}"] for name in ("region", "whole", "moment", "when"))
    tubes, moments = batch[f"{side}.tubes"], batch[f"{side}.moments"]
    clock = torch.arange(moment.shape[1], device=moment.device) / moments[:, None].clamp(min=1)
    return Side(region, whole, moment, present(tubes, region.shape[1]), present(moments, moment.shape[1]), when, clock)
