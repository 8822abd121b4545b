"""The networks of `mgenet` beside its guide: RGB encoder, mask encoder, heads and memories.

Source: Yang et al., "A multilevel guidance-exploration network and behavior-scene matching method for human behavior
anomaly detection", 2024, section 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from amiss.methods.mgenet.lsta import MotionHead
from amiss.methods.mgenet.matching import MovementMatching, WeightMatching
from amiss.methods.mgenet.memory import Memory
from amiss.methods.mgenet.settings import MgenetSettings
from amiss.nn.attention import Encoder, places
from amiss.perception.efficientnet import EfficientNetTokens
from amiss.perception.video.clip_features import CLIP_NETWORKS
from amiss.perception.video.swin import VideoSwin
from amiss.types import BoolArray

__all__ = ["CUBE", "Explorer", "Seen", "cubes_of", "grid_of"]

CUBE = (2, 8, 8)
"""Frames and pixels of a token."""
TOGETHER, QUERIES = 16, 8192
"""Segments that are looked at together, and tokens that the memory of behaviours begins from."""
SWIN = CLIP_NETWORKS["swin"]


def grid_of(frames: int, size: int) -> tuple[int, int, int]:
    """Tokens in time, down and across of so many frames of so many pixels a side."""
    return frames // CUBE[0], size // CUBE[1], size // CUBE[2]


def cubes_of(crops: Tensor) -> Tensor:
    """`(N, P, 384)` the pixels of each token, -1..1, of crops `(N, T, S, S, 3)` uint8."""
    t, h, w = grid_of(crops.shape[1], crops.shape[2])
    count = crops.shape[0]  # len() would be a fixed number in files for other programs
    split = crops.reshape(count, t, CUBE[0], h, CUBE[1], w, CUBE[2], 3).permute(0, 1, 3, 5, 2, 4, 6, 7)
    return split.reshape(count, t * h * w, -1).float() / 127.5 - 1


@dataclass(frozen=True)
class Seen:
    """What the networks make of segments.

    Attributes:
        motion: `(N, T, D)` f_rgb.
        tokens: `(N, P, C)` e_b.
        target: `(N, P, 2, C_app)` f_u of each token and frame, from which no gradient flows.
        behaviour: `(N, P, N_b)` addressing weights W_b.
    """

    motion: Tensor
    tokens: Tensor
    target: Tensor
    behaviour: Tensor


def matching_of(settings: MgenetSettings, behaviour: int) -> MovementMatching | WeightMatching:
    """The memory of behaviours and scenes, `behaviour` being how many addressing weights a behaviour has."""
    items, scenes, top = settings.remembered, settings.scenes, settings.top
    if settings.match == "movements":
        return MovementMatching(items, scenes, top)
    return WeightMatching(items, behaviour, scenes, top, settings.temperature)


def _tokenizer(name: str) -> tuple[VideoSwin | EfficientNetTokens | None, int]:
    """What makes tokens of crops beside or in place of their pixels, if anything, and the numbers of a token."""
    pixels = 3 * math.prod(CUBE)
    if name == "swin":
        return VideoSwin().requires_grad_(requires_grad=False), VideoSwin.features
    if name == "efficientnet":
        return EfficientNetTokens(), pixels + CUBE[0] * EfficientNetTokens.features
    return None, pixels


class Explorer(nn.Module):
    """All that learns beside the guide.

    Args:
        settings: Of the method.
        frames: Of a segment.
        latent: Numbers a frame of the guide's latent.
        scene: Numbers of a scene's feature.
    """

    where: Tensor

    def __init__(self, settings: MgenetSettings, frames: int, latent: int, scene: int) -> None:
        super().__init__()
        width, grid = settings.width, grid_of(frames, settings.size)
        self.grid = grid
        self.tokenizer, inputs = _tokenizer(settings.tokenizer)
        self.register_buffer("where", places(grid, width), persistent=False)
        self.embed, self.embed_masked = nn.Linear(inputs, width), nn.Linear(inputs, width)
        self.encoder = Encoder(width, settings.depth, settings.heads)
        self.masked = Encoder(width, settings.depth, settings.heads)
        self.head = MotionHead(width, grid, settings.lsta, settings.kernel, settings.dilation, latent)
        # The target's head stays as it was drawn: were it to learn, both sides could agree on nothing.
        self.target_head = nn.Linear(2 * width, 2 * settings.appearance).requires_grad_(requires_grad=False)
        self.masked_head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 2 * settings.appearance))
        self.behaviours = Memory(settings.behaviours, width, settings.temperature)
        self.scenes = Memory(settings.scenes, scene, settings.temperature)
        self.matching = matching_of(settings, grid[0] * grid[1] * grid[2] * settings.behaviours)

    @torch.no_grad()
    def start(self, crops: Tensor, scenes: Tensor) -> None:
        """Let the memories begin with what some segments show; matching begins when it is written."""
        tokens = torch.cat(
            [self.encoder(self.embed(self.inputs(some)) + self.where) for some in torch.split(crops, TOGETHER)]
        )
        every = max(tokens.shape[0] * tokens.shape[1] // QUERIES, 1)
        self.behaviours.start(tokens.flatten(0, 1)[::every])
        self.scenes.start(scenes)

    def inputs(self, crops: Tensor) -> Tensor:
        """`(N, P, inputs)` tokens, not yet embedded, of crops `(N, T, S, S, 3)` uint8: pixels, features, or both."""
        if self.tokenizer is None:
            return cubes_of(crops)
        if isinstance(self.tokenizer, EfficientNetTokens):
            with torch.no_grad():
                pixels = ((crops.float() - 127) / 128).flatten(0, 1).permute(0, 3, 1, 2)  # N * T, 3, S, S
                shown = self.tokenizer(pixels).unflatten(0, (crops.shape[0], self.grid[0], CUBE[0]))  # N, t, 2, h, w, D
            return torch.cat([cubes_of(crops), shown.permute(0, 1, 3, 4, 2, 5).flatten(4).flatten(1, 3)], dim=2)
        mean, spread = (torch.tensor(values, device=crops.device) for values in (SWIN.mean, SWIN.spread))
        with torch.no_grad():
            pixels = ((crops.float() - mean) / spread).permute(0, 4, 1, 2, 3)  # N, 3, T, S, S
            return self.tokenizer.tokens(pixels).flatten(1, 3)

    def forward(self, cubes: Tensor) -> Seen:
        """Look at all tokens `(N, P, inputs)`."""
        tokens = self.encoder(self.embed(cubes) + self.where).float()
        read, behaviour = self.behaviours.read(tokens)
        with torch.no_grad():
            both = torch.cat([functional.normalize(tokens, dim=-1), read], dim=-1)  # f_b, as memories are read
            target = self.target_head(both).float().unflatten(2, (2, -1))
        return Seen(self.head(tokens).float(), tokens, target, behaviour)

    def guess(self, cubes: Tensor, hidden: BoolArray) -> tuple[Tensor, Tensor]:
        """What the mask encoder makes of the tokens that it sees.

        Args:
            cubes: `(N, P, inputs)` all tokens.
            hidden: `(h, w)`, True where places are hidden, at all times.

        Returns:
            `(N, V, 2, C_app)` features of the V visible tokens, and `(V,)` their numbers.
        """
        rows = np.flatnonzero(np.broadcast_to(~hidden, self.grid).ravel())
        visible = torch.from_numpy(rows).to(cubes.device)
        tokens = self.masked(self.embed_masked(cubes[:, visible]) + self.where[visible])
        return self.masked_head(tokens).float().unflatten(2, (2, -1)), visible
