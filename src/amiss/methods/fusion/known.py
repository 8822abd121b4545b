"""What normal footage that no member of a fusion learned from says of their scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.errors import FootageError
from amiss.methods.fusion.align import Aligned, align
from amiss.scoring.dependence import Dependence, depend, log_tail, steadiness, tail_of
from amiss.scoring.tail import Pareto, Tail
from amiss.types import FloatArray, IntArray, RegionScores
from amiss.windows.store import WindowStore

__all__ = ["Known", "check_enough", "seconds_of"]

LEAST = 16
"""Held-back regions of each member, fewer than which have no tail."""
BLOCKS = 8
"""Stretches that held-back footage is looked at in, where it has fewer clips than four."""
FEW = 4


@dataclass(frozen=True, eq=False)
class Known:
    """What normal footage that no member learned from says of their scores.

    Attributes:
        tails: Of the scores of each member's regions.
        weights: `(K,)` of the members.
        dependence: Of their tail probabilities.
    """

    tails: tuple[Tail, ...]
    weights: FloatArray
    dependence: Dependence

    def logs(self, aligned: Aligned, tables: Sequence[RegionScores]) -> FloatArray:
        """`(N, K)` logarithms of tail probabilities, NaN where a member scored nothing."""
        columns = [
            aligned.column(member, log_tail(tail, table.score), np.nan)
            for member, (tail, table) in enumerate(zip(self.tails, tables, strict=True))
        ]
        return np.stack(columns, axis=1)

    def state(self) -> dict[str, NDArray[Any]]:
        """All of it as arrays."""
        state: dict[str, NDArray[Any]] = {"weights": self.weights}
        state |= {"dependence.log": self.dependence.log, "dependence.normal": self.dependence.normal}
        for number, tail in enumerate(self.tails):
            beyond = tail.threshold, tail.share, tail.pareto.shape, tail.pareto.scale
            state |= {f"tail.{number}": tail.quantiles, f"tail.{number}.beyond": np.array(beyond)}
        return state

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]], count: int) -> Known:
        """What `state` gave.

        Raises:
            KeyError: Something is missing.
        """
        tails = []
        for number in range(count):
            threshold, share, shape, scale = state[f"tail.{number}.beyond"].tolist()
            tails.append(Tail(state[f"tail.{number}"], threshold, share, Pareto(shape, scale)))
        dependence = Dependence(state["dependence.normal"], state["dependence.log"])
        return cls(tuple(tails), state["weights"], dependence)

    @classmethod
    def of(cls, scored: Sequence[Sequence[RegionScores]], *, steady: bool) -> Known:
        """What the regions of normal clips say.

        Args:
            scored: Of each clip, the regions of each member.
            steady: Whether members count by how steady they are.
        """
        blocks = [block for tables in scored for block in _stretches(tables, _slices(len(scored)))]
        scores = [[tables[member].score for tables in blocks] for member in range(len(scored[0]))]
        tails = tuple(tail_of(np.concatenate(own)) for own in scores)
        weights = steadiness(scores) if steady else np.ones(len(tails))
        alone = cls(tails, weights, Dependence.none(len(tails)))
        return replace(alone, dependence=depend([alone.logs(align(tables), tables) for tables in blocks]))


def check_enough(name: str, count: int, seconds: float) -> None:
    """Whether there is enough to calibrate a member.

    Args:
        name: The member.
        count: Regions that it scored in what was held back.
        seconds: How long that is.

    Raises:
        FootageError: There is not; it says how much is needed.
    """
    if count >= LEAST:
        return
    wanted = f", which takes about {seconds * LEAST / count:.2g} seconds" if count else ""
    raise FootageError(
        f"{name} scored only {count} regions in the {seconds:.2g} seconds of normal footage that fusion holds back, "
        f"and {LEAST} are needed to tell what is usual{wanted}; give more footage, or raise method.holdout"
    )


def _slices(parts: int) -> int:
    """How many stretches of time each part is looked at in."""
    return 1 if parts >= FEW else -(-BLOCKS // max(parts, 1))


def _stretches(tables: Sequence[RegionScores], number: int) -> Iterator[list[RegionScores]]:
    """The regions of each member in so many stretches of time of about as many regions each."""
    every = np.sort(np.concatenate([table.seconds for table in tables]))
    edges = np.unique(np.quantile(every, np.linspace(0, 1, number + 1)[1:-1])) if len(every) else np.zeros(0)
    places: list[IntArray] = [np.searchsorted(edges, table.seconds, "right") for table in tables]
    for stretch in range(len(edges) + 1):
        yield [table[place == stretch] for table, place in zip(tables, places, strict=True)]


def seconds_of(store: WindowStore) -> float:
    """How much time the windows of a store are of."""
    columns = [np.asarray(part.column("seconds")) for part in store.parts if len(part)]
    return sum(float(seconds.max() - seconds.min()) for seconds in columns)
