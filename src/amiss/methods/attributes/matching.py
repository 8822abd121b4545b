"""Denoising score matching at many noise levels: a network learns minus the logarithm of a density, at every blur.

Source: Micorek et al., "MULDE: multiscale log-density estimation via denoising score matching for video anomaly
detection", 2024. A network f(x, σ) is trained so that its gradient points from a noisy sample back to the clean one,
which is the gradient of minus the logarithm of the density blurred by σ. At test, f at 16 σ's is a vector, and a small
Gaussian mixture over such vectors of normal samples gives the score. Ours is narrow and has a higher learning rate, so
that it is learned in half a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr
from torch import nn
from torch.nn import functional

from amiss.methods.attributes.estimators import Shape
from amiss.methods.attributes.mixture import fit_mixture, minus_log_density
from amiss.types import FloatArray

__all__ = ["ScoreMatching"]

WIDTH = 128
LOWEST, HIGHEST = 1e-3, 1.0
"""Noise levels, in standard deviations of the samples."""
LEVELS = np.geomspace(LOWEST, HIGHEST, 16)
ANCHOR = 0.1
"""What the square of f at clean samples counts: only the gradient of f is known otherwise."""
ANCHORED = 4
"""Of every so many samples, one is taken for that."""
STEPS, BATCH, RATE, BETAS = 2000, 128, 2e-3, (0.5, 0.9)
PARTS = (1, 2, 3)
CHUNK = 2048


class ScoreMatching(Shape):
    """Minus the logarithm of a mixture's density, over what the network says at 16 noise levels."""

    layers = ("w1", "b1", "w2", "b2", "w3", "b3")
    arrays = (*layers, "input_mean", "input_scale", "level_mean", "level_scale", "weights", "means", "precisions")

    def learned(self, vectors: FloatArray, seed: int) -> dict[str, NDArray[Any]]:
        """The network's layers, and the mixture over its answers."""
        mean, scale = vectors.mean(0, np.float64), np.maximum(vectors.std(0, np.float64), 1e-6)
        network = _train(np.asarray((vectors - mean) / scale, np.float32), seed)
        linear = network.first, network.second, network.third
        tensors = [tensor.detach().numpy() for layer in linear for tensor in (layer.weight.T, layer.bias)]
        learned = {name: tensor.copy() for name, tensor in zip(self.layers, tensors, strict=True)}
        learned |= {"input_mean": mean, "input_scale": scale}
        said = _answers(learned, vectors)
        spread = {"level_mean": said.mean(0), "level_scale": np.maximum(said.std(0), 1e-6)}
        return learned | spread | fit_mixture((said - said.mean(0)) / spread["level_scale"], PARTS, seed)

    def judged(self, learned: Mapping[str, NDArray[Any]], vectors: FloatArray) -> FloatArray:
        """`(N,)` nats, of the answers' density."""
        said = (_answers(learned, vectors) - learned["level_mean"]) / learned["level_scale"]
        return minus_log_density(learned, said)


def _level(log_sigma: FloatArray) -> FloatArray:
    """The logarithm of σ as the network is told, brought to -1 … 1."""
    low, high = np.log([LOWEST, HIGHEST])
    return np.asarray(2 * (log_sigma - low) / (high - low) - 1)


class _Network(nn.Module):
    """f(x, σ): three layers with GELU between them, and its gradient by x."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(width + 1, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`(B,)` f and `(B, d)` its gradient, at `(B, d + 1)` of samples and their noise levels.

        The gradient is written out, so that learning needs a single pass back.
        """
        first = self.first(x)
        second = self.second(functional.gelu(first))
        f = self.third(functional.gelu(second))[:, 0]
        inner = (_gelu_slope(second) * self.third.weight) @ self.second.weight
        return f, (_gelu_slope(first) * inner) @ self.first.weight[:, :-1]


def _gelu_slope(x: torch.Tensor) -> torch.Tensor:
    slope: torch.Tensor = torch.special.ndtr(x) + x * torch.exp(-0.5 * x.square()) / np.sqrt(2 * np.pi)
    return slope


def _train(samples: NDArray[np.float32], seed: int) -> _Network:
    """The network, from standardised samples `(N, d)`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _Network(samples.shape[1])
        optimiser = torch.optim.Adam(network.parameters(), lr=RATE, betas=BETAS)
        slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
        known = torch.from_numpy(samples)
        for _ in range(STEPS):
            loss = _loss(network, known[torch.randint(len(known), (BATCH,))])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
            optimiser.step()
            slower.step()
    return network


def _loss(network: _Network, clean: torch.Tensor) -> torch.Tensor:
    """σ² |∇f(x + σε, σ) - ε/σ|² + 0.1 f(x, σ)², σ log-uniform; every ε also with the other sign, which varies less."""
    level = 2 * torch.rand(len(clean), 1) - 1
    sigma = HIGHEST * (LOWEST / HIGHEST) ** ((1 - level) / 2)
    noise = torch.randn_like(clean)
    noise, sigma, level = torch.cat([noise, -noise]), sigma.repeat(2, 1), level.repeat(2, 1)
    _, slope = network(torch.cat([clean.repeat(2, 1) + sigma * noise, level], 1))
    f, _ = network(torch.cat([clean, level[: len(clean)]], 1)[: len(clean) // ANCHORED])
    loss: torch.Tensor = (sigma * slope - noise).square().sum(1).mean() + ANCHOR * f.square().mean()
    return loss


def _answers(learned: Mapping[str, NDArray[Any]], vectors: FloatArray) -> FloatArray:
    """`(N, 16)` f at each noise level; in double precision, whose rounding does not show."""
    w1, b1, w2, b2, w3, b3 = (learned[name].astype(np.float64) for name in ScoreMatching.layers)
    scaled = (np.asarray(vectors, np.float64) - learned["input_mean"]) / learned["input_scale"]
    found = np.empty((len(scaled), len(LEVELS)))
    for start in range(0, len(scaled), CHUNK):
        first = scaled[start : start + CHUNK] @ w1[:-1] + b1
        for column, level in enumerate(_level(np.log(LEVELS))):
            hidden = _gelu(_gelu(first + level * w1[-1]) @ w2 + b2)
            found[start : start + CHUNK, column] = (hidden @ w3 + b3)[:, 0]
    return found


def _gelu(x: FloatArray) -> FloatArray:
    return np.asarray(x * ndtr(x))
