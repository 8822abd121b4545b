"""Which density suits an attribute: by likelihood on held-back normal clips, never by labels.

Distances and unnormalised energies are no likelihoods. Any score can be made a density, though: with samples of some
reference density q at hand, and r the histogram of the score among normal samples over that among those of q,
q(x) r(score(x)) integrates to one. Its logarithm on further normal samples, beside that of q, is mean log r: nats by
which the score knows more than q does. It is a proper likelihood, the same whatever increasing function is applied to
the score, and q, being the same for all, need not be known. Here q is what is held back itself, blurred by noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from amiss.methods.attributes.estimators import drawn
from amiss.types import FloatArray, IntArray

__all__ = ["best", "likelihoods"]

LEARNED, HELD = 10_000, 3000
"""Samples to learn from, and of each half of those held back."""
BLURS = (0.25, 1.0, 3.0)
"""Standard deviations of the noise, in those of the samples: q has a shape to be told from, and reaches far."""
BINS = 20
LEAST_GROUPS = 4


class _Learner(Protocol):
    def learn(self, vectors: FloatArray, seed: int) -> None: ...

    def score(self, vectors: FloatArray) -> FloatArray: ...


def likelihoods(learners: Mapping[str, _Learner], vectors: FloatArray, groups: IntArray, seed: int) -> FloatArray:
    """`(K, G)` mean nats of each learner on each held-back group, above those of the reference.

    Args:
        learners: They learn from half of the groups.
        vectors: `(N, d)` normal samples.
        groups: `(N,)` group of each, at least four of them.
        seed: Of the halves and the noise.
    """
    generator = np.random.default_rng([seed, len(vectors)])
    names = generator.permutation(np.unique(groups))
    held = np.flatnonzero(np.isin(groups, names[: len(names) // 2]))
    learned = np.flatnonzero(~np.isin(groups, names[: len(names) // 2]))
    learned = learned[drawn(len(learned), LEARNED, seed)]
    held = held[drawn(len(held), 2 * HELD, seed)]
    blurred = vectors[generator.choice(held, 2 * HELD)]
    noise = generator.normal(size=blurred.shape) * generator.choice(BLURS, (len(blurred), 1)) * vectors.std(0)
    blurred = np.asarray(blurred + noise, np.float32)
    half = np.isin(groups[held], names[: len(names) // 4])
    found = []
    for learner in learners.values():
        learner.learn(vectors[learned], seed)
        normal, reference = learner.score(vectors[held]), learner.score(blurred)
        gain = np.empty(len(held))
        for one in (half, ~half):
            gain[~one] = _log_ratio(normal[one], reference, normal[~one])
        found.append([float(gain[groups[held] == name].mean()) for name in np.unique(groups[held])])
    return np.array(found)


def _log_ratio(normal: FloatArray, reference: FloatArray, asked: FloatArray) -> FloatArray:
    """`(N,)` log r at scores `asked`: how much more often such scores are normal ones' than the reference's."""
    both = np.concatenate([np.repeat(normal, max(len(reference) // max(len(normal), 1), 1)), reference])
    edges = np.unique(np.quantile(both, np.arange(1, BINS) / BINS))
    bins = len(edges) + 1

    def share(scores: FloatArray) -> FloatArray:
        counts = np.bincount(np.searchsorted(edges, scores, side="right"), minlength=bins) + 0.5
        return np.asarray(counts / counts.sum())

    ratio = np.log(share(normal)) - np.log(share(reference))
    return np.asarray(ratio[np.searchsorted(edges, asked, side="right")])


def best(learners: Mapping[str, _Learner], vectors: FloatArray, groups: IntArray, seed: int) -> tuple[str, FloatArray]:
    """The first learner that no later one beats by more than a standard error, and the nats of all.

    Returns:
        Its name, and `(K,)` mean nats; zeros where there are too few groups to tell, and the first learner then.
    """
    names = list(learners)
    if len(np.unique(groups)) < LEAST_GROUPS:
        return names[0], np.zeros(len(names))
    nats = likelihoods(learners, vectors, groups, seed)
    top = int(nats.mean(1).argmax())
    behind = nats[top] - nats  # K, G
    error = behind.std(1, ddof=1) / np.sqrt(nats.shape[1])
    return names[int(np.flatnonzero(behind.mean(1) <= error)[0])], nats.mean(1)
