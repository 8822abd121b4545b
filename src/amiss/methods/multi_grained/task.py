"""How `multi-grained` is trained: the proxy tasks together, and a drawing backbone's own objective beside them."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.methods.multi_grained.backbones import Seen
from amiss.methods.multi_grained.drawing import Drawing
from amiss.methods.multi_grained.losses import averaged, info_nce, likeness
from amiss.methods.multi_grained.network import ProxyNetwork
from amiss.methods.multi_grained.samples import LENGTH, consecutive, cropped, drawn_gaps, moving, scaled, without
from amiss.methods.multi_grained.settings import MultiGrainedSettings
from amiss.methods.task import Plan
from amiss.types import Windows

__all__ = ["ProxyTasks", "frames_of"]

BATCH, STEPS = 16, 900
"""Windows a step, and about so many steps: for a hundred or two, where to look is not found at all."""
ADAPTING = Plan(epochs=10, batch=16, rate=1e-4, clip=5.0)
STILL = 0.02
"""Share of a clip's cells below which it counts as static."""
WITHIN = 0.1
"""Weight, in the estimation, of cells that do not move."""
OTHERS = 8
"""Other clips of the batch, at most, whose missing frames are negatives."""
NEIGHBOURS = (-1, 1)
FURTHER = 2
"""Further frames of the clip that are negatives besides the missing one's neighbours."""


def _plan(count: int) -> Plan:
    """As many epochs as make the steps; in the second half the rate is a quarter."""
    epochs = max(4, round(STEPS * BATCH / count))
    return Plan(epochs=epochs, batch=BATCH, rate=1e-3, decay=0.25, decay_every=-(-epochs // 2), clip=5.0)


def frames_of(windows: Windows) -> Tensor:
    """`(N, 3, 13, H, W)` float32 in -1..1 from the images of windows."""
    return scaled(torch.from_numpy(np.array(windows.data["image"])))


class ProxyTasks:
    """Continuity judgment, discontinuity localization and missing-frame estimation.

    Args:
        settings: Network and weights.
        seed: Of the first values.
        count: Windows that there are to learn from.
        learned: A network to go on from, which is left as it is, gently; None begins anew.
    """

    def __init__(
        self, settings: MultiGrainedSettings, seed: int, count: int, learned: ProxyNetwork | None = None
    ) -> None:
        self.name, self.plan = ("multi-grained", _plan(count)) if learned is None else ("adapted", ADAPTING)
        torch.manual_seed(seed)
        self.network = ProxyNetwork(settings) if learned is None else copy.deepcopy(learned)
        self.module: nn.Module = self.network
        self._settings = settings

    def batch(self, windows: Windows) -> Mapping[str, Tensor]:
        """Thirteen frames a window, uint8 as they are."""
        return {"image": torch.from_numpy(np.array(windows.data["image"]))}

    def losses(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Each task's loss with its weight."""
        settings = self._settings
        frames = scaled(cropped(batch["image"], settings.crop, settings.static))
        terms: dict[str, Tensor] = {}
        if settings.continuity or settings.localization or settings.estimation:
            terms |= self._proxies(frames)
        backbone = self.network.backbone
        if isinstance(backbone, Drawing) and settings.own:
            drawn = backbone.own(frames)
            pictures, target = (value.float().transpose(1, 2).flatten(0, 1) for value in (drawn.pictures, drawn.target))
            terms["own"] = settings.own * (likeness(pictures, target) + drawn.penalty)
        return terms

    def _proxies(self, frames: Tensor) -> dict[str, Tensor]:
        """The losses of the proxy tasks that have a weight."""
        settings, terms = self._settings, dict[str, Tensor]()
        missing = drawn_gaps(len(frames)).to(frames.device)
        clips = [without(frames, missing)]
        if settings.continuity:
            clips.append(consecutive(frames, torch.randint(0, 2, (len(frames),)).to(frames.device)))
        seen: Seen = self.network.backbone(torch.cat(clips))
        broken = seen.first(len(frames))
        moves = moving(frames, settings.static).float()
        if settings.continuity:
            terms["continuity"] = settings.continuity * self._continuity(seen, moves)
        if settings.localization:
            terms["localization"] = settings.localization * self._localization(broken, moves, missing)
        if settings.estimation:
            terms["estimation"] = settings.estimation * self._estimation(broken, frames, moves, missing)
        return terms

    def _continuity(self, seen: Seen, moves: Tensor) -> Tensor:
        """Binary cross-entropy over clips, those that lack a frame first; static ones are left out."""
        odds = self.network.judged(seen).float().mean((1, 2))
        lacks = torch.arange(len(odds), device=odds.device) < len(moves)
        told = (moves.mean((1, 2)) >= STILL).float().repeat(2)
        return averaged(functional.binary_cross_entropy_with_logits(odds, lacks.float(), reduction="none"), told)

    def _localization(self, broken: Seen, moves: Tensor, missing: Tensor) -> Tensor:
        """Cross-entropy over cells that move."""
        chances = self.network.located(broken)
        right = (missing - 1)[:, None, None].expand(-1, *chances.shape[2:])
        return averaged(functional.nll_loss(chances, right, reduction="none"), moves)

    def _estimation(self, broken: Seen, frames: Tensor, moves: Tensor, missing: Tensor) -> Tensor:
        """InfoNCE against other frames of the clip and of other clips, or the loss of the picture that was drawn."""
        rows = torch.arange(len(frames), device=frames.device)
        if isinstance(self.network.backbone, Drawing):
            return likeness(self.network.backbone.missing(broken).float(), frames[rows, :, missing])
        further = torch.randint(2, LENGTH - 2, (FURTHER, len(frames))).to(frames.device)
        apart = [*(torch.full_like(missing, step) for step in (0, *NEIGHBOURS)), *further]
        chosen = (missing + torch.stack(apart)) % LENGTH  # the missing one first; K, N
        codes = self.network.encoder(frames[rows, :, chosen].flatten(0, 1))
        positive, *others = codes.unflatten(0, chosen.shape)
        elsewhere = [positive.roll(shift, 0) for shift in range(1, min(OTHERS, len(frames) - 1) + 1)]
        told = info_nce(self.network.estimated(broken), positive, [*others, *elsewhere], self._settings.temperature)
        return averaged(told, moves + WITHIN)
