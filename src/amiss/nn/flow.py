"""A normalising flow over segments of poses: activation normalisation, channel mixing, and graph couplings.

Source: Yang et al., "A multilevel guidance-exploration network and behavior-scene matching method for human behavior
anomaly detection", ACM MM 2024, section 3.2 (equation 1), after Hirschorn and Avidan, "Normalizing flows for human pose
anomaly detection", ICCV 2023; its steps are those of Kingma and Dhariwal, "Glow", NeurIPS 2018. A segment has two
channels, x and y. They are kept apart as a pair of `(N, T, V)`, so that no step copies what it does not change. A step
scales and shifts one channel by what the other says: the logarithm of the determinant is a sum over frames and joints,
and can be told joint by joint.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from sklearn.covariance import ledoit_wolf_shrinkage
from torch import Tensor, nn
from torch.nn import functional

from amiss.nn.graph import adjacency

__all__ = ["ActNorm", "Coupling", "Mixing", "Reversal", "SegmentFlow", "Whitening", "negative_log_likelihood"]

Pair = tuple[Tensor, Tensor]
"""The two channels, `(N, T, V)` each."""

LEAST_SCALE = 1e-6
JITTER = 0.05
"""Joints stray by so much, in standard deviations of a body's height."""
OPENING = 2.0
"""Added before the sigmoid, so that a coupling begins near the identity."""


class Whitening(nn.Module):
    """Makes a first batch uncorrelated over frames, joints and channels, changing it as little as can be; not learned.

    The matrix is the inverse root of the covariance, shrunk after Ledoit and Wolf, "A well-conditioned estimator for
    large-dimensional covariance matrices", 2004, and with the variance of jitter added, below which nothing stands out.

    Args:
        frames: T.
        joints: V.
        overlap: How many of the first batch's segments tell what one alone does, as they share frames.
    """

    mean: Tensor
    weight: Tensor
    volume: Tensor

    def __init__(self, frames: int, joints: int, overlap: float) -> None:
        super().__init__()
        self._overlap = overlap
        size = 2 * frames * joints
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("weight", torch.eye(size))
        self.register_buffer("volume", torch.zeros(()))

    @torch.no_grad()
    def start(self, pair: Pair) -> None:
        """Take mean and covariance from a batch."""
        flat = torch.stack(pair, 1).flatten(1).double()
        mean = flat.mean(0)
        spread = (flat - mean).T @ (flat - mean) / len(flat)
        shrunk = min(self._overlap * float(ledoit_wolf_shrinkage(flat.numpy())), 1.0)
        spread = (1 - shrunk) * spread + (shrunk * spread.diagonal().mean() + JITTER**2) * torch.eye(len(mean))
        values, vectors = torch.linalg.eigh(spread)
        self.mean.copy_(mean)
        self.weight.copy_(vectors @ (values.rsqrt()[:, None] * vectors.T))
        self.volume.copy_(-values.log().sum() / 2)

    def forward(self, pair: Pair) -> tuple[Pair, Tensor]:
        """The pair after it, and the logarithm of its determinant, in equal parts for each joint in a frame."""
        flat = torch.stack(pair, 1)
        white = ((flat.flatten(1) - self.mean) @ self.weight).view_as(flat)
        return (white[:, 0], white[:, 1]), self.volume / math.prod(pair[0].shape[1:])

    def inverse(self, pair: Pair) -> Pair:
        """The pair before it."""
        flat = torch.stack(pair, 1)
        before = (torch.linalg.solve(self.weight, flat.flatten(1).T).T + self.mean).view_as(flat)
        return before[:, 0], before[:, 1]


class ActNorm(nn.Module):
    """A scale and a shift of each channel; begins with what makes a first batch standard."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(2))
        self.shift = nn.Parameter(torch.zeros(2))

    @torch.no_grad()
    def start(self, pair: Pair) -> None:
        """Give each channel of a batch mean 0 and variance 1."""
        flat = torch.stack([channel.flatten() for channel in pair])
        self.log_scale.copy_(-torch.log(flat.std(1).clamp_min(LEAST_SCALE)))
        self.shift.copy_(-flat.mean(1) * self.log_scale.exp())

    def forward(self, pair: Pair) -> tuple[Pair, Tensor]:
        """The pair after it, and the logarithm of its determinant at a joint in a frame, a single number."""
        scale, shift = self.log_scale.exp(), self.shift
        a, b = (torch.addcmul(shift[i], channel, scale[i]) for i, channel in enumerate(pair))
        return (a, b), self.log_scale.sum()

    def inverse(self, pair: Pair) -> Pair:
        """The pair before it."""
        scale, shift = self.log_scale.exp(), self.shift
        return (pair[0] - shift[0]) / scale[0], (pair[1] - shift[1]) / scale[1]


class Reversal(nn.Module):
    """Swaps the two channels."""

    def forward(self, pair: Pair) -> tuple[Pair, Tensor]:
        """The pair swapped, and 0."""
        return pair[::-1], pair[0].new_zeros(())

    def inverse(self, pair: Pair) -> Pair:
        """The pair before it."""
        return pair[::-1]


class Mixing(nn.Module):
    """A learned 2×2 matrix of the channels, which begins as a rotation by a random angle."""

    def __init__(self) -> None:
        super().__init__()
        angle = 2 * math.pi * torch.rand(())
        rows = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()])
        self.weight = nn.Parameter(rows.view(2, 2))

    def forward(self, pair: Pair) -> tuple[Pair, Tensor]:
        """The pair after it, and the logarithm of its determinant."""
        return self.mixed(pair), torch.linalg.slogdet(self.weight)[1]

    def mixed(self, pair: Pair) -> Pair:
        """The pair after it."""
        return _mixed(pair, self.weight)

    def inverse(self, pair: Pair) -> Pair:
        """The pair before it."""
        return _mixed(pair, torch.linalg.inv(self.weight))


def _mixed(pair: Pair, weight: Tensor) -> Pair:
    a, b = pair
    return torch.addcmul(a * weight[0, 0], b, weight[0, 1]), torch.addcmul(a * weight[1, 0], b, weight[1, 1])


class Coupling(nn.Module):
    """The first channel says how the second is shifted and scaled, through one spatio-temporal graph convolution.

    The block is a 1×1 convolution, a product with the adjacency, batch normalisation and ReLU, a convolution over time
    and batch normalisation, to which a 1×1 convolution of the input and its batch normalisation are added before a last
    ReLU. A 1×1 convolution of one channel that is normalised afterwards is a scale and a shift of the normalised input,
    and is written so; the convolution over time is one matrix.

    Args:
        frames: T.
        near: `(V, D)` adjacency, from `adjacency`.
        kernel: Frames that the convolution over time spans, odd.
        residual: Whether the input is added.
        rectified: Whether the last ReLU is there.
    """

    def __init__(self, frames: int, near: Tensor, kernel: int, *, residual: bool, rectified: bool) -> None:
        super().__init__()
        self.register_buffer("_near", near, persistent=False)
        self.register_buffer("_taps", _taps(frames, kernel), persistent=False)
        self._rectified = rectified
        self.space_norm = nn.BatchNorm1d(1, affine=False)
        self.space_scale = nn.Parameter(torch.where(torch.rand(2) < 0.5, -1.0, 1.0))
        self.space_shift = nn.Parameter(torch.zeros(2))
        bound = 1 / math.sqrt(2 * kernel)
        self.time = nn.Parameter(torch.empty(2, 2, kernel).uniform_(-bound, bound))
        self.time_norm = nn.BatchNorm1d(2)
        self.own_norm = nn.BatchNorm1d(1, affine=False) if residual else None
        self.own_scale = nn.Parameter(torch.where(torch.rand(2) < 0.5, -1.0, 1.0)) if residual else None

    def _shift_and_scale(self, given: Tensor) -> Pair:
        """`(N, T, V)` shift, and scale in 1e-6..1, from the channel that conditions."""
        near: Tensor = self._near  # type: ignore[assignment]
        number, frames, joints = given.shape
        mean = (given @ near).transpose(1, 2).reshape(-1, 1, frames)  # N·D, 1, T
        hidden = functional.relu(self.space_norm(mean) * self.space_scale[:, None] + self.space_shift[:, None])
        moved = self.time_norm((hidden.flatten(1) @ self._time_matrix()).view(-1, 2, frames))
        out = moved.view(number, near.shape[1], 2, frames).permute(2, 0, 3, 1)  # 2, N, T, D
        shift, gate = out[0], out[1]
        if self.own_norm is not None and self.own_scale is not None:
            own = self.own_norm(given.reshape(number, 1, frames * joints)).view_as(given)
            shift, gate = (torch.addcmul(part, own, self.own_scale[i]) for i, part in enumerate((shift, gate)))
        if self._rectified:
            shift, gate = functional.relu(shift), functional.relu(gate)
        return shift, torch.sigmoid(gate + OPENING) + LEAST_SCALE

    def _time_matrix(self) -> Tensor:
        """`(2T, 2T)`: the convolution over time; rows are channels and frames going in, columns those coming out."""
        taps: Tensor = self._taps  # type: ignore[assignment]
        whole = functional.pad(self.time, (0, 1))[:, :, taps]  # out, in, T before, T after
        return whole.permute(1, 2, 0, 3).reshape(2 * len(taps), -1)

    def forward(self, pair: Pair) -> tuple[Pair, Tensor]:
        """The pair after it, and `(N, T, V)` the logarithm of its determinant at each joint."""
        shift, scale = self._shift_and_scale(pair[0])
        return (pair[0], (pair[1] + shift) * scale), scale.log()

    def inverse(self, pair: Pair) -> Pair:
        """The pair before it."""
        shift, scale = self._shift_and_scale(pair[0])
        return pair[0], pair[1] / scale - shift


def _taps(frames: int, kernel: int) -> Tensor:
    """`(T, T)` which tap of the kernel leads from a frame to another; `kernel`, where there is a nought, if none."""
    before, after = torch.arange(frames)[:, None], torch.arange(frames)[None]
    tap = before - after + kernel // 2
    return torch.where((tap >= 0) & (tap < kernel), tap, kernel)


class SegmentFlow(nn.Module):
    """An invertible map of segments to what is normally distributed.

    Args:
        frames: T.
        steps: Number of flow steps.
        hops: Reach of a joint's neighbourhood.
        kernel: Frames that convolutions over time span.
        mixing: What stands between couplings: the channels are swapped, or mixed by a learned matrix.
        rectified: Whether the graph convolutions end with a ReLU, so that couplings only shrink and shift one way.
        whitening: Segments are made uncorrelated first, so many of those that this is seen from being as good as one;
            0: they are not.
    """

    def __init__(
        self,
        frames: int,
        steps: int = 8,
        hops: int = 8,
        kernel: int = 13,
        mixing: Literal["reversal", "learned"] = "reversal",
        *,
        rectified: bool = True,
        whitening: float = 0.0,
    ) -> None:
        super().__init__()
        near = adjacency(hops)
        layers: list[nn.Module] = [Whitening(frames, len(near), whitening)] if whitening else []
        for step in range(steps):
            mixed = Reversal() if mixing == "reversal" else Mixing()
            layers += [ActNorm(), mixed, Coupling(frames, near, kernel, residual=step > 0, rectified=rectified)]
        self.layers = nn.ModuleList(layers)

    @torch.no_grad()
    def start(self, segments: Tensor) -> None:
        """Let whitening and activation normalisations begin with what is right for some `(N, 2, T, V)` segments."""
        pair: Pair = (segments[:, 0], segments[:, 1])
        for layer in self.layers:
            if isinstance(layer, ActNorm | Whitening):
                layer.start(pair)
            pair, _ = layer(pair)

    def forward(self, segments: Tensor) -> Pair:
        """Map segments; always in float32, as the determinant does not bear fewer digits.

        Args:
            segments: `(N, 2, T, V)`.

        Returns:
            `(N, 2, T, V)` float32, and `(N, T, V)` what each joint adds to the logarithm of the determinant.
        """
        with torch.autocast(segments.device.type, enabled=False):
            segments = segments if segments.dtype == torch.float64 else segments.float()
            pair: Pair = (segments[:, 0], segments[:, 1])
            volume = torch.zeros_like(pair[0])
            for layer in self.layers:
                pair, more = layer(pair)
                volume = volume + more
            return torch.stack(pair, 1), volume

    def inverse(self, latent: Tensor) -> Tensor:
        """`(N, 2, T, V)` the segments that `forward` maps there."""
        with torch.autocast(latent.device.type, enabled=False):
            pair: Pair = (latent[:, 0], latent[:, 1])
            for layer in reversed(self.layers):
                pair = layer.inverse(pair)  # type: ignore[operator]
            return torch.stack(pair, 1)


def negative_log_likelihood(latent: Tensor, volume: Tensor, mean: Tensor | float) -> Tensor:
    """What each joint adds to the negative log-likelihood of a segment under a normal prior of unit variance.

    Args:
        latent: `(N, 2, T, V)`.
        volume: `(N, T, V)` logarithm of the determinant.
        mean: Of the prior, a number or `(N, 1, 1, 1)`.

    Returns:
        `(N, V)` nats; their sum is that of the segment.
    """
    energy = (latent - mean).square().sum((1, 2)) / 2  # N, V
    constant = latent.shape[1] * latent.shape[2] * math.log(2 * math.pi) / 2
    return energy + constant - volume.sum(1)
