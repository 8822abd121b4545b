"""How `mil-ranking` is trained."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from amiss.methods.mil_ranking.settings import MilRankingSettings
from amiss.methods.task import Plan
from amiss.methods.weak.bags import SIDES
from amiss.methods.weak.losses import hinge, smoothness, sparsity
from amiss.methods.weak.network import present
from amiss.types import Windows

__all__ = ["Ranking"]


class Ranking:
    """The hinge of the highest instances over all pairs, and smooth and sparse scores in abnormal videos.

    Source: Sultani et al., CVPR 2018, equation 7.

    Args:
        network: From numbers of an instance to log odds.
        settings: Instances and weights.
        plan: Epochs and batches.
    """

    name = "mil-ranking"

    def __init__(self, network: nn.Module, settings: MilRankingSettings, plan: Plan) -> None:
        self.module, self.plan, self._settings = network, plan, settings

    def batch(self, windows: Windows) -> Mapping[str, Tensor]:
        """The instances that are ranked, and how many each bag has."""
        name, count = ("moment", "moments") if self._settings.instances == "segments" else ("region", "tubes")
        found = {f"{side}.shown": windows.data[f"{side}.{name}"] for side in SIDES}
        found |= {f"{side}.count": windows.data[f"{side}.{count}"] for side in SIDES}
        return {key: torch.tensor(array) for key, array in found.items()}

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Each term with its weight; tubes follow each other in no order, so they are not smoothed."""
        scores, there = {}, {}
        for side in SIDES:
            shown = batch[f"{side}.shown"]
            there[side] = present(batch[f"{side}.count"], shown.shape[1])
            scores[side] = self.module(shown).squeeze(-1).sigmoid().masked_fill(~there[side], 0.0)
        abnormal, normal = (scores[side].max(1).values for side in SIDES)
        terms = {"ranking": hinge(abnormal, normal)}
        if self._settings.smooth and self._settings.instances == "segments":
            terms["smooth"] = self._settings.smooth * smoothness(scores["abnormal"], there["abnormal"])
        if self._settings.sparse:
            terms["sparse"] = self._settings.sparse * sparsity(scores["abnormal"], there["abnormal"])
        return terms
