"""One attribute's density with its calibration: how far from normal, in units of how normal samples differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from amiss.methods.attributes.attribute import Attribute, Rank
from amiss.methods.attributes.choosing import best
from amiss.methods.attributes.estimators import Estimator, Neighbours
from amiss.methods.attributes.evidence import widened
from amiss.methods.attributes.matching import ScoreMatching
from amiss.methods.attributes.mixture import Mixture
from amiss.methods.attributes.places import LocalHistograms
from amiss.types import FloatArray, IntArray, Windows
from amiss.windows.needs import Array

__all__ = ["Density", "Form", "Forms"]

QUANTILES = np.concatenate([np.linspace(0, 0.99, 496), np.linspace(0.99, 1, 505)[1:]])
SCALE_SAMPLES = 20_000
"""Windows from which means, spreads and directions are taken, evenly through all."""
WIDTH_SAMPLES = 4096
"""Windows from which it is told how far apart samples are, evenly through all."""
CHUNK = 4096
"""Windows that are turned into vectors at once: deep features of all would fill the memory."""
TAIL = 0.95
"""Share of normal samples from which on distances are taken to thin out exponentially."""

Form = Literal["neighbours", "mixture", "score-matching", "auto"]
CHOICE = ("neighbours", "mixture", "score-matching")
"""What `auto` chooses from, the first where nothing is better."""


@dataclass(frozen=True)
class Forms:
    """Which densities may be learned.

    Attributes:
        capacity: Most items in memory.
        neighbours: The k of the k-th nearest sample.
        form: That of attributes without natural units; `auto` chooses one for each.
    """

    capacity: int
    neighbours: int
    form: Form = "neighbours"

    def make(self, form: str) -> Neighbours | Mixture | ScoreMatching:
        """A density that has learned nothing."""
        if form == "mixture":
            return Mixture(self.neighbours)
        return ScoreMatching(self.neighbours) if form != "neighbours" else Neighbours(self.capacity, self.neighbours)


class Density:
    """How unlike normal windows a window is in one attribute.

    Args:
        attribute: The attribute. One with natural units keeps its samples, so that distances are in those; one that is
            compared with its place has a histogram for each place.
        forms: What may be learned of all others.
    """

    def __init__(self, attribute: Attribute, forms: Forms) -> None:
        self.attribute = attribute
        self._forms = forms
        self._state: dict[str, NDArray[Any]] = {}
        self._estimator: Estimator = self._make(forms.form if forms.form in CHOICE else CHOICE[0])

    def _make(self, form: str) -> Estimator:
        return LocalHistograms(self.attribute.scale) if self.attribute.scale else self._forms.make(form)

    def fit(self, windows: Windows, groups: IntArray, seed: int) -> None:
        """Learn from normal windows; distances are calibrated on groups that were left out.

        Only windows that show the attribute count. Where they are not from two groups at least, nothing can be said of
        it, and every window counts as usual.

        Args:
            windows: The windows.
            groups: `(N,)` group of each, such as its clip.
            seed: Of the choice of what is kept, and of what a density begins with.
        """
        known = self.attribute.known(windows)
        if len(np.unique(groups[known])) < 2:
            self._say_nothing(windows)
            return
        if not known.all():
            windows, groups = self._lightened(windows)[known], groups[known]
        some = self.attribute.vectors(windows[:: -(-len(windows) // SCALE_SAMPLES)])
        units = self.attribute.units(windows)
        mean = np.zeros(some.shape[1], np.float32) if self.attribute.scale else some.mean(0)
        self._state = {"mean": mean, "basis": self._basis(some, units)}
        vectors = self.vectors(windows)
        form, nats = self._chosen(vectors, groups, seed, free=units is None)
        self._estimator = self._make(CHOICE[form])
        left_out = self._estimator.fit(vectors, groups, _weights(windows), seed)
        self._state |= {
            "centre": np.array(left_out.mean()),
            "spread": np.array(max(float(left_out.std()), self.attribute.least_spread)),
            "distances": np.quantile(left_out, QUANTILES),
            "quantities": np.quantile(self.attribute.quantity(windows), QUANTILES),
            "form": np.array(form),
            "nats": nats,
        }

    def _chosen(self, vectors: FloatArray, groups: IntArray, seed: int, *, free: bool) -> tuple[int, FloatArray]:
        """Which form it is to have, and the held-back likelihood of each where they were compared."""
        if not free or self._forms.form != "auto":
            return CHOICE.index(self._forms.form) if free and self._forms.form in CHOICE else 0, np.zeros(len(CHOICE))
        name, nats = best({name: self._forms.make(name) for name in CHOICE}, vectors, groups, seed)
        return CHOICE.index(name), nats

    def widen(self, windows: Windows, tracks: IntArray) -> None:
        """Have the few tracks that it was learned from speak of no more than they can, see `widened`.

        Only of distances to neighbours: other forms have a tail of their own where nothing was seen.

        Args:
            windows: What it was fitted to.
            tracks: `(N,)` number of the track of each, as `track_numbers` gives it.
        """
        known = self.attribute.known(windows)
        if not isinstance(self._estimator, Neighbours) or not self._estimator.seen:
            return
        some = self.vectors(self._lightened(windows)[np.flatnonzero(known)[:: -(-int(known.sum()) // WIDTH_SAMPLES)]])
        reach = float(np.sqrt(some.var(0, dtype=np.float64).sum())) - float(self._state["centre"])
        spread = widened(float(self._state["spread"]), reach, len(np.unique(tracks[known])))
        self._state["spread"] = np.array(spread)

    def _lightened(self, windows: Windows) -> Windows:
        """Without the arrays of other attributes, which need not be copied."""
        others = set(get_args(Array)) - set(self.attribute.arrays)
        return replace(windows, data={name: array for name, array in windows.data.items() if name not in others})

    def _say_nothing(self, windows: Windows) -> None:
        """Have an empty memory, from which nothing is far."""
        length = self.attribute.vectors(windows[:0]).shape[1]
        self._state = dict.fromkeys(("distances", "quantities"), np.zeros(len(QUANTILES)))
        self._state |= {"mean": np.zeros(length, np.float32), "basis": np.eye(length, dtype=np.float32)}
        self._state |= {"centre": np.array(0.0), "spread": np.array(1.0)}
        self._state |= {"form": np.array(0), "nats": np.zeros(len(CHOICE))}
        scale = self.attribute.scale
        forms = self._forms
        self._estimator = (
            LocalHistograms(scale) if scale else Neighbours(forms.capacity, forms.neighbours, dimension=length)
        )

    def _basis(self, some: FloatArray, units: FloatArray | None) -> FloatArray:
        """`(d, e)` that standardises each number or measures it in `units`, or projects to the principal directions."""
        if units is not None:
            return np.diag(1 / units).astype(np.float32)
        if not self.attribute.projection:
            return np.diag(1 / np.maximum(some.std(0), 1e-6)).astype(np.float32)
        return _principal_directions(some - some.mean(0), self.attribute.projection)

    def _project(self, raw: FloatArray) -> FloatArray:
        # In double precision, whose rounding does not show: products round differently in batches of other sizes.
        centred = raw.astype(np.float64) - self._state["mean"]
        return np.asarray(centred @ self._state["basis"].astype(np.float64), np.float32)

    def update(self, windows: Windows) -> None:
        """Take in more normal windows."""
        known = self.attribute.known(windows)
        if known.any() and self._estimator.seen:
            self._estimator.add(self.vectors(windows)[known], _weights(windows)[known])

    def vectors(self, windows: Windows) -> FloatArray:
        """`(N, e)` vectors in the memory's space."""
        starts = range(0, max(len(windows), 1), CHUNK)
        pieces = [self._project(self.attribute.vectors(windows[start : start + CHUNK])) for start in starts]
        return np.concatenate(pieces)

    def score(self, windows: Windows) -> FloatArray:
        """`(N,)` distance from normal, in standard deviations of left-out normal samples; 0 is an average one."""
        if not self._estimator.seen:
            return np.zeros(len(windows))
        known = self.attribute.known(windows)
        distance = self._estimator.score(self.vectors(windows))
        return np.where(known, (distance - self._state["centre"]) / self._state["spread"], 0.0)

    def surprise(self, score: FloatArray) -> FloatArray:
        """`(N,)` minus the logarithm of how often left-out normal windows have such a score or a higher one, over ½.

        Beyond what nearly all of them have, scores are taken to thin out exponentially, as fast as the last ones do.
        """
        if not self._estimator.seen:
            return np.zeros(len(score))
        distances = self._state["distances"]
        distance = score * float(self._state["spread"]) + float(self._state["centre"])
        edge = float(np.interp(TAIL, QUANTILES, distances))
        tail = np.interp(np.linspace(TAIL, 1, 201), QUANTILES, distances)
        thinning = max(float(tail.mean()) - edge, 1e-3 * float(self._state["spread"]))
        below = -np.log1p(-np.minimum(np.interp(distance, distances, QUANTILES), TAIL))
        return np.asarray(np.maximum(below + np.maximum(distance - edge, 0) / thinning - np.log(2), 0))

    def rank(self, windows: Windows, score: float) -> Rank:
        """Where a single window with this score stands among normal samples."""
        quantity = float(self.attribute.quantity(windows)[0])
        distance = score * float(self._state["spread"]) + float(self._state["centre"])
        below = float(np.interp(quantity, self._state["quantities"], QUANTILES, 0, 1))
        nearer = float(np.interp(distance, self._state["distances"], QUANTILES, 0, 1))
        return Rank(quantity, below, nearer, self._estimator.seen)

    @property
    def form(self) -> str:
        """What was learned."""
        return "places" if self.attribute.scale else CHOICE[int(self._state["form"])]

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned."""
        return self._state | self._estimator.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        names = ("mean", "basis", "centre", "spread", "distances", "quantities", "form", "nats")
        self._state = {name: state[name] for name in names}
        self._estimator = self._make(CHOICE[int(state["form"])])
        self._estimator.restore(state)


def _weights(windows: Windows) -> FloatArray:
    """`(N,)` seconds since the frame before each."""
    return np.asarray(windows.data.get("step", np.ones(len(windows))), np.float64)


def _principal_directions(centred: FloatArray, count: int) -> FloatArray:
    """`(d, count)` float32: the directions in which `(N, d)` varies most, the widest first."""
    scatter = np.zeros((centred.shape[1], centred.shape[1]))
    for start in range(0, len(centred), CHUNK):
        piece = centred[start : start + CHUNK].astype(np.float64)
        scatter += piece.T @ piece
    _, directions = np.linalg.eigh(scatter)
    return np.asarray(directions[:, ::-1][:, :count], np.float32)
