"""The method `mil-ranking`: multiple-instance ranking of the segments of videos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from amiss.config import Settings
from amiss.methods.mil_ranking.settings import MilRankingSettings
from amiss.methods.mil_ranking.task import Ranking
from amiss.methods.task import Plan, Task
from amiss.methods.weak.bags import Bag
from amiss.methods.weak.method import WeakMethod
from amiss.methods.weak.network import predictor
from amiss.types import FloatArray

__all__ = ["MilRanking"]


class MilRanking(WeakMethod):
    """The highest segment of an abnormal video is to be above the highest of a normal one.

    Source: Sultani, Chen and Shah, "Real-world anomaly detection in surveillance videos", CVPR 2018.
    """

    id = "mil-ranking"
    title = "Which segments of a video are abnormal, from the labels of whole videos"
    settings_type = MilRankingSettings
    rate = 1e-3
    optimiser = "adagrad"
    sentences: ClassVar[Mapping[str, str]] = {
        "ranking": "{0} is more like what videos marked abnormal show than {1} of {2:,} normal segments",
    }

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._chosen = MilRankingSettings.model_validate(settings.model_dump())

    @property
    def parts(self) -> tuple[str, ...]:
        """The ranking alone."""
        return ("ranking",)

    @property
    def _linking(self) -> Any:
        return None if self._chosen.instances == "segments" else self._chosen.linking

    def _network(self, size: int) -> nn.Module:
        return predictor(size)

    def _task(self, network: nn.Module, plan: Plan) -> Task:
        return Ranking(network, self._chosen, plan)

    def _of_tubes(self, bag: Bag) -> Mapping[str, FloatArray]:
        return {"ranking": self._scores(bag.region)}

    def _of_segments(self, bag: Bag) -> Mapping[str, FloatArray]:
        return {"ranking": self._scores(bag.moment)}

    def _judges(self, network: nn.Module) -> Mapping[str, nn.Module]:
        return {"ranking": network}

    @torch.no_grad()
    def _scores(self, values: FloatArray) -> FloatArray:
        """`(n,)` of instances `(n, K)`."""
        if self._module is None:
            raise LookupError("the method has learned nothing yet")
        odds: Tensor = self._module(torch.from_numpy(values)).squeeze(-1)
        return np.asarray(odds.double().sigmoid().numpy())
