"""The method `weak-tubes`: which tubes of a video are abnormal, learned from labels of whole videos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from amiss.config import Settings
from amiss.errors import ConfigError
from amiss.methods.task import Plan, Task
from amiss.methods.weak.bags import Bag
from amiss.methods.weak.method import WeakMethod
from amiss.methods.weak.network import Branch
from amiss.methods.weak_tubes.network import DualBranch
from amiss.methods.weak_tubes.settings import PRESETS, WeakTubesSettings
from amiss.methods.weak_tubes.task import Refinement
from amiss.types import FloatArray

__all__ = ["WeakTubes"]


class WeakTubes(WeakMethod):
    """Mutually guided refinement of a branch that sees tubes and one that sees segments of time.

    Source: Wu et al., "Weakly-supervised spatio-temporal anomaly detection in surveillance video", IJCAI 2021. A part
    of a tube is scored by the mean of both branches (equation 9): the tube branch sees what the box shows, the temporal
    branch what the whole picture does meanwhile.
    """

    id = "weak-tubes"
    title = "Which tubes in space and time are abnormal, from the labels of whole videos"
    settings_type = WeakTubesSettings
    presets = PRESETS
    after_training = WeakMethod.after_training | {"frames"}
    sentences: ClassVar[Mapping[str, str]] = {
        "tube": "{0} is more like what videos marked abnormal show than {1} of {2:,} normal parts of tubes",
        "temporal": "the whole picture at this time is more like that of videos marked abnormal than with {1} of {2:,} "
        "normal parts of tubes",
    }

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._chosen = WeakTubesSettings.model_validate(settings.model_dump())
        if self._chosen.ranking == "none" and not self._chosen.entropy:
            raise ConfigError("without method.ranking and method.entropy there is nothing to learn; give one of them")

    @property
    def parts(self) -> tuple[str, ...]:
        """The branches."""
        return {"both": ("tube", "temporal"), "tube": ("tube",), "temporal": ("temporal",)}[self._chosen.branches]

    @property
    def _segments_only(self) -> bool:
        return self._chosen.frames == "segments"

    def _network(self, size: int) -> nn.Module:
        return DualBranch(size, self._chosen.relations)

    def _task(self, network: nn.Module, plan: Plan) -> Task:
        return Refinement(cast("DualBranch", network), self._chosen, plan)

    def _of_tubes(self, bag: Bag) -> Mapping[str, FloatArray]:
        shown = {"tube": bag.region, "temporal": bag.whole}
        return {name: self._odds(name, shown[name], bag.when) for name in self.parts}

    def _of_segments(self, bag: Bag) -> Mapping[str, FloatArray]:
        return {name: self._odds(name, bag.moment, bag.clock) for name in self.parts}

    def _judges(self, network: nn.Module) -> Mapping[str, nn.Module]:
        return {name: getattr(network, name) for name in self.parts}

    @property
    def _related(self) -> bool:
        return True

    @torch.no_grad()
    def _odds(self, name: str, values: FloatArray, when: FloatArray) -> FloatArray:
        """`(n,)` how likely each instance of a bag is abnormal, as a branch sees it."""
        if not len(values):
            return np.zeros(0)
        branch: Branch = getattr(self._module, name)
        there = torch.ones(1, len(values), dtype=torch.bool)
        odds: Tensor = branch(torch.from_numpy(values)[None], there, torch.from_numpy(when)[None])
        return np.asarray(odds[0].double().sigmoid().numpy())
