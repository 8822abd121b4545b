"""Large spatial-temporal attention: which places and times of a person's tokens matter for how it moves.

Source: Yang et al., MGENet, section 3.2, equations 2 and 3, and figure 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Attention", "MotionHead"]


class Attention(nn.Module):
    """LSTA: the mean of the channels, a convolution with a large kernel in three parts, a map that raises what matters.

    Args:
        kernel: k, what the parts together span.
        dilation: d of the dilated part.
    """

    def __init__(self, kernel: int, dilation: int) -> None:
        super().__init__()
        near, wide = 2 * dilation - 1, kernel // dilation
        self.large = nn.Sequential(
            nn.Conv3d(1, 1, near, padding="same"),
            nn.Conv3d(1, 1, wide, padding="same", dilation=dilation),
            nn.Conv3d(1, 1, 1),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """`(N, C, t, h, w)` to the same: `x + x ⊙ sigmoid(3DLKA(mean of channels))`."""
        with torch.autocast(maps.device.type, enabled=False):  # a single channel: nothing is won, and digits are lost
            weight = self.large(maps.float().mean(1, keepdim=True)).sigmoid()
        return torch.as_tensor(maps + maps * weight.to(maps.dtype))


class MotionHead(nn.Module):
    """H_B: several LSTA modules, the mean over places, and a perceptron to the guide's latent.

    Args:
        width: Channels of a token.
        grid: Tokens in time, down and across.
        modules: L, how many LSTA modules; 0 leaves them out.
        kernel: k.
        dilation: d.
        latent: Numbers a frame of the guide's latent.
    """

    def __init__(
        self, width: int, grid: tuple[int, int, int], modules: int, kernel: int, dilation: int, latent: int
    ) -> None:
        super().__init__()
        self._grid, self._latent = grid, latent
        self.attention = nn.Sequential(*(Attention(kernel, dilation) for _ in range(modules)))
        self.mix = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, 2 * latent))

    def forward(self, tokens: Tensor) -> Tensor:
        """`(N, P, C)` features e_b to `(N, T, latent)` f_rgb; a token in time stands for two frames."""
        maps = tokens.transpose(1, 2).reshape(tokens.shape[0], -1, *self._grid)
        seen = self.attention(maps).mean((3, 4)).transpose(1, 2)  # N, t, C
        return torch.as_tensor(self.mix(seen).unflatten(2, (2, self._latent)).flatten(1, 2))
