"""How `mgenet` is trained: the guide leads the RGB encoder, which leads the mask encoder."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.methods.mgenet.masks import block_mask
from amiss.methods.mgenet.memory import separateness
from amiss.methods.mgenet.network import Explorer
from amiss.methods.mgenet.settings import MgenetSettings
from amiss.methods.pose_flow import PoseFlow
from amiss.methods.pose_flow.segments import told
from amiss.methods.task import Plan
from amiss.perception.video.checkpoint import load_checkpoint
from amiss.perception.video.swin import SWIN_NAMING, VideoSwin
from amiss.types import Windows

__all__ = ["Exploration", "pictures_of", "scenes_of"]

PLANS = {
    "adam": Plan(epochs=10, batch=32, rate=3e-4),
    "sgd": Plan(epochs=10, batch=32, rate=1e-4, optimiser="sgd", momentum=0.5),
}


def pictures_of(windows: Windows) -> Tensor:
    """`(N, T, S, S, 3)` uint8 crops of segments."""
    return torch.from_numpy(np.array(windows.data["image"]))


def scenes_of(windows: Windows) -> Tensor:
    """`(N, D)` float32 features of the places of segments."""
    return torch.from_numpy(np.array(windows.data["scene"], np.float32))


class Exploration:
    """The task of foreseeing the guide's latent from pictures, and the RGB encoder's features from half of them.

    Args:
        settings: Networks and weights.
        guide: Trained; it learns nothing here.
        first: Segments that the memories begin with.
        seed: Of the first values.

    Raises:
        WeightsError: The tokenizer's checkpoint does not fit.
    """

    def __init__(self, settings: MgenetSettings, guide: PoseFlow, first: Windows, seed: int) -> None:
        self.name, self.plan = "mgenet", PLANS[settings.optimiser]
        self._settings, self._guide = settings, guide
        torch.manual_seed(seed)
        latent, scene = guide.latent(first[:1]), scenes_of(first) if settings.matching else torch.zeros(1, 1)
        self.network = Explorer(settings, latent.shape[1], latent.shape[2], scene.shape[1])
        self.module: nn.Module = self.network
        if isinstance(self.network.tokenizer, VideoSwin) and settings.checkpoint is not None:
            load_checkpoint(self.network.tokenizer, settings.checkpoint, SWIN_NAMING)
        self.network.start(pictures_of(first), scene)

    def batch(self, windows: Windows) -> Mapping[str, Tensor]:
        """Crops, what the guide makes of the joints, and what the place looks like."""
        body = torch.from_numpy(told(windows.data["pose"], self._settings.guide))
        made = {"crops": pictures_of(windows), "guide": self._guide.latent(windows), "body": body}
        return made | ({"scene": scenes_of(windows)} if self._settings.matching else {})

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """L_mo (equation 4) and L_app (equation 6), means over all numbers, and separateness (equations 11 and 12).

        What leads learns nothing from what follows: the guide is finished, and `Explorer` gives targets without
        gradients. The memories are written as they are read, while training.
        """
        chosen, network = self._settings, self.network
        cubes = network.inputs(batch["crops"])
        seen = network(cubes)
        terms = {}
        if chosen.motion:
            body = batch["body"].float()  # what has no pose is looked at all the same
            away = (seen.motion - batch["guide"]).square().mean((1, 2))
            terms["motion"] = (away * body).sum() / body.sum().clamp_min(1)
        if chosen.masking:
            guess, visible = network.guess(cubes, block_mask(*network.grid[1:], chosen.mask, _generator()))
            terms["appearance"] = chosen.appearance_weight * _unlike(guess, seen.target[:, visible]).mean()
        tokens = seen.tokens.flatten(0, 1)
        apart = {"behaviours": separateness(tokens, network.behaviours.items, chosen.margin)}
        if chosen.matching:
            apart["scenes"] = separateness(batch["scene"], network.scenes.items, chosen.margin)
        if self.module.training:
            network.behaviours.write(tokens.detach())
            if chosen.matching:
                network.scenes.write(batch["scene"])
        return terms | {name: chosen.separateness_weight * term for name, term in apart.items()}


def _unlike(one: Tensor, other: Tensor) -> Tensor:
    """One minus the cosine of the last axis."""
    return 1 - functional.cosine_similarity(one, other, dim=-1)


def _generator() -> np.random.Generator:
    """Draws what torch's seed decides."""
    return np.random.default_rng(int(torch.randint(1 << 62, (1,))))
