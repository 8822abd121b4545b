"""How `appearance-motion` is trained: cubes as tensors, and the weighted losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from amiss.methods.appearance_motion import losses
from amiss.methods.appearance_motion.network import FRAMES, Seen, TwoStream
from amiss.methods.appearance_motion.settings import AppearanceMotionSettings
from amiss.methods.task import Plan
from amiss.types import Windows

__all__ = ["Prediction", "cubes"]

PLAN = Plan(epochs=20, batch=128, rate=2e-4, decay=0.8, decay_every=10)


def cubes(windows: Windows, flow: Literal["into", "before"]) -> dict[str, Tensor]:
    """What the network takes, from windows of five frames.

    Returns:
        `frames` `(N, 12, 32, 32)` RGB in 0..1 and `flows` `(N, 8, 32, 32)` pixels a frame, the oldest first, and
        `target` `(N, 3, 32, 32)`, the last frame; float32.
    """
    images = torch.from_numpy(np.array(windows.data["image"])).permute(0, 1, 4, 2, 3).float() / 255
    flows = torch.from_numpy(np.array(windows.data["flow"])).permute(0, 1, 4, 2, 3).float()
    kept = flows[:, 1:] if flow == "into" else flows[:, :FRAMES]
    return {"frames": images[:, :FRAMES].flatten(1, 2), "flows": kept.flatten(1, 2), "target": images[:, FRAMES]}


class Prediction:
    """The task of predicting the last frame of a cube (section 2.3, equation 9).

    Args:
        settings: Network and weights.
        seed: Of the first values.
    """

    def __init__(self, settings: AppearanceMotionSettings, seed: int) -> None:
        self.name, self.plan = "appearance-motion", PLAN
        torch.manual_seed(seed)
        self.network = TwoStream(settings)
        self.module: nn.Module = self.network
        self._settings = settings

    def batch(self, windows: Windows) -> Mapping[str, Tensor]:
        """Cubes as tensors."""
        return cubes(windows, self._settings.flow)

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Intensity and gradient, and alignment, compactness and diversity where the settings have them."""
        chosen, target = self._settings, batch["target"]
        seen: Seen = self.network(batch["frames"], batch["flows"])
        terms = {
            "intensity": chosen.intensity_weight * losses.intensity(seen.prediction, target),
            "gradient": chosen.gradient_weight * losses.gradient_difference(seen.prediction, target),
        }
        if chosen.aligned and seen.appearance is not None and seen.motion is not None:
            teacher = seen.motion.detach() if chosen.alignment == "motion" else seen.motion
            terms["alignment"] = chosen.alignment_weight * losses.alignment(seen.appearance, teacher)
        if seen.reads:
            terms["compactness"] = chosen.compactness_weight * losses.compactness(seen.reads)
            terms["diversity"] = chosen.diversity_weight * losses.diversity(seen.reads, chosen.margin)
        return terms
