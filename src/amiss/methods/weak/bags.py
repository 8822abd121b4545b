"""Bags of instances on disk, in pairs of an abnormal and a normal video, as the training loop asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amiss.methods.weak.instances import SEGMENTS, averaged, segments_of, times_of, tubes_of
from amiss.methods.weak.reduction import Reduction
from amiss.perception.cache import Cache, Entry, content_key
from amiss.types import FloatArray, IntArray, Windows
from amiss.windows.store import WindowStore

__all__ = ["MOST", "SIDES", "Bag", "PairStore", "bag_of", "write_bags"]

MOST = 200
"""Instances of a video that training sees, at most."""
SIDES = ("abnormal", "normal")
KEY = "bags"


@dataclass(frozen=True, eq=False)
class Bag:
    """The instances of a video.

    Attributes:
        region: `(n, K)` float32 what each tube shows.
        whole: `(n, K)` float32 what the whole picture shows while it is there.
        when: `(n,)` float32 when it is there, as a share of the video.
        moment: `(m, K)` float32 what the whole picture shows in each segment of time.
        clock: `(m,)` float32 when these are.
    """

    region: FloatArray
    whole: FloatArray
    when: FloatArray
    moment: FloatArray
    clock: FloatArray


def bag_of(windows: Windows, reduction: Reduction) -> Bag:
    """The instances of a video that training sees: its tubes, or its segments in their place where it has none."""
    moments = segments_of(windows)
    moment, clock = reduction(averaged(windows.data["whole"], moments)), times_of(windows, moments)
    tubes = tubes_of(windows)
    if not tubes:
        return Bag(moment, moment, clock, moment, clock)
    region, whole = (reduction(averaged(windows.data[name], tubes)) for name in ("region", "whole"))
    return Bag(region, whole, times_of(windows, tubes), moment, clock)


def write_bags(folder: Path, store: WindowStore, reduction: Reduction, seed: int) -> Entry:
    """Write the bag of every video that has windows; where there are too many tubes, some are drawn.

    Returns:
        `region`, `whole` `(n, K)` float16 and `when` `(n,)` float32 of all bags, `moment` `(m, K)` float16 and `clock`
        `(m,)` float32; `tubes` and `moments`, how many each bag has of them, and its `label`.
    """
    cache, random = Cache(folder), np.random.default_rng(seed)
    with cache.writing(KEY) as writer:
        for part in store.parts:
            if not len(part):
                continue
            bag = bag_of(part[:], reduction)
            kept = np.sort(random.permutation(len(bag.region))[:MOST])
            writer.append(
                {
                    "region": bag.region[kept].astype(np.float16),
                    "whole": bag.whole[kept].astype(np.float16),
                    "when": bag.when[kept],
                    "moment": bag.moment.astype(np.float16),
                    "clock": bag.clock,
                    "tubes": np.array([len(kept)], np.int64),
                    "moments": np.array([len(bag.moment)], np.int64),
                    "label": np.array([part.label or 0], np.int64),
                }
            )
    entry = cache.find(KEY)
    if entry is None:
        raise LookupError(f"{folder} lost what was just written")
    return entry


class PairStore(WindowStore):
    """Pairs of an abnormal and a normal bag, which take turns; only those that are asked for are in memory.

    A row has for each side `SIDE.region` and `SIDE.whole` `(N, n, K)` float32, `SIDE.when` `(N, n)` float32,
    `SIDE.moment` `(N, m, K)` and `SIDE.clock` `(N, m)` float32, filled up with zeros, and `SIDE.tubes` and
    `SIDE.moments` `(N,)` int64, how many of them there are.

    Args:
        entry: As `write_bags` left it.
        pairs: How many pairs there are, each bag coming several times.
        bags: Numbers of the bags that take part; all by default.
        seed: Of their order.
        made: Key of what the bags were made of.
    """

    def __init__(self, entry: Entry, pairs: int, seed: int, made: str, bags: IntArray | None = None) -> None:
        super().__init__([])
        self._entry, self._pairs, self._seed, self._made = entry, pairs, seed, made
        labels = np.asarray(entry.arrays["label"])
        self._bags = np.arange(len(labels)) if bags is None else bags
        self._starts = {name: np.concatenate([[0], np.cumsum(entry.arrays[name])]) for name in ("tubes", "moments")}
        self._most = int(np.max(entry.arrays["tubes"]))
        random = np.random.default_rng(seed)
        self._order = {
            side: _turns(self._bags[labels[self._bags] == label], pairs, random)
            for side, label in (("abnormal", 1), ("normal", 0))
        }

    def __len__(self) -> int:
        return self._pairs

    def take(self, rows: IntArray) -> Windows:
        """Pairs by their number."""
        data: dict[str, FloatArray] = {}
        for side in SIDES:
            bags = self._order[side][rows]
            for name in ("region", "whole", "when"):
                data[f"{side}.{name}"] = self._filled(name, "tubes", bags, self._most)
            for name in ("moment", "clock"):
                data[f"{side}.{name}"] = self._filled(name, "moments", bags, SEGMENTS)
            data |= {f"{side}.{name}": self._entry.arrays[name][bags] for name in ("tubes", "moments")}
        count = len(rows)
        return Windows(frame=rows, seconds=np.zeros(count), box=np.zeros((count, 4)), data=data)

    def _filled(self, name: str, owner: str, bags: IntArray, most: int) -> FloatArray:
        """`(N, most, …)` float32: the rows of some bags, and zeros after them."""
        column, starts = self._entry.arrays[name], self._starts[owner]
        out = np.zeros((len(bags), most, *column.shape[1:]), np.float32)
        for row, bag in enumerate(bags):
            out[row, : starts[bag + 1] - starts[bag]] = column[starts[bag] : starts[bag + 1]]
        return out

    def split(self, share: float, seed: int) -> tuple[WindowStore, WindowStore]:
        """Pairs of some bags of each label, and pairs of the others; none are held out where a label has only one."""
        labels = np.asarray(self._entry.arrays["label"])
        held: list[int] = []
        for label in (0, 1):
            bags = self._bags[labels[self._bags] == label]
            count = min(round(share * len(bags)), len(bags) - 1)
            held += np.random.default_rng([seed, label]).permutation(bags)[:count].tolist()
        if len({int(labels[bag]) for bag in held}) < 2:
            return self, WindowStore([])
        kept = np.setdiff1d(self._bags, held)
        return self._with(kept, self._pairs), self._with(np.sort(np.array(held)), len(held))

    def _with(self, bags: IntArray, pairs: int) -> PairStore:
        return PairStore(self._entry, pairs, self._seed, self._made, bags)

    def fingerprint(self) -> str:
        """A key of the pairs."""
        return content_key(self._made, self._pairs, self._seed, self._bags.tolist())


def _turns(bags: IntArray, count: int, random: np.random.Generator) -> IntArray:
    """Bags in `count` turns: each round in another order."""
    rounds = [random.permutation(bags) for _ in range(-(-count // max(len(bags), 1)))]
    return np.concatenate(rounds)[:count] if len(bags) else np.zeros(0, np.int64)
