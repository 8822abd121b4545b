"""A method that learns from the labels of whole videos which of their instances are abnormal."""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from amiss.config import Settings
from amiss.errors import FootageError
from amiss.methods.base import Exemplar, Explanation, Method, Progress
from amiss.methods.normal import Usual, percent, spread_out
from amiss.methods.task import Plan, Task, Trainer
from amiss.methods.weak.bags import Bag, PairStore, write_bags
from amiss.methods.weak.instances import Rows, averaged, bags_of, parts_of, segments_of, times_of, tubes_of
from amiss.methods.weak.memory import Memory
from amiss.methods.weak.portable import portable
from amiss.methods.weak.reduction import Reduction
from amiss.methods.weak.settings import WeakSettings
from amiss.nn.portable import Portable
from amiss.types import NO_TRACK, FloatArray, RegionScores, Windows
from amiss.windows.needs import Needs
from amiss.windows.store import WindowPart, WindowStore
from amiss.windows.tubes import MOMENT

__all__ = ["WeakMethod"]

SAMPLE = 3000
"""Windows that the principal components are of."""
STEPS = 100
"""Of an epoch, about: after each the held-out bags are looked at."""
SHOWN_OF_EACH = 8
"""Normal instances of each video among which examples are chosen."""
NEAREST = 3
USUAL = ("count", "mean", "squares", "sample")


class WeakMethod(Method):
    """What such methods have in common: bags, reduced features, and scores of tubes and of segments of time."""

    weak = True
    settings_type: ClassVar[type[WeakSettings]]
    after_training = frozenset({"part", "horizon", "memory", "examples"})
    rate: ClassVar[float] = 5e-4
    optimiser: ClassVar[Literal["adam", "adagrad"]] = "adam"
    sentences: ClassVar[Mapping[str, str]]
    """By part of the score, what is said of it, with places for a share and a count."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._given: WeakSettings = self.settings_type.model_validate(settings.model_dump())
        self._module: nn.Module | None = None
        self._reduction: Reduction | None = None
        self._usual: Usual | None = None
        self._memory = Memory.none(0)
        self._shown: FloatArray = np.zeros((0, 0), np.float32)

    @property
    def needs(self) -> Needs:
        """Blocks of tubes and of whole pictures."""
        return Needs(
            "tube",
            ("block",),
            length=self._given.block,
            at="middle",
            linking=self._linking,
            horizon=self._given.horizon,
        )

    @property
    def _linking(self) -> Any:
        """How boxes become tubes, None where none are needed."""
        return self._given.linking

    @abstractmethod
    def _network(self, size: int) -> nn.Module:
        """A network that has learned nothing yet.

        Args:
            size: Numbers an instance.
        """

    @abstractmethod
    def _task(self, network: nn.Module, plan: Plan) -> Task:
        """What trains it."""

    @abstractmethod
    def _of_tubes(self, bag: Bag) -> Mapping[str, FloatArray]:
        """By part of the score, `(n,)` how abnormal each tube is, in 0..1."""

    @abstractmethod
    def _of_segments(self, bag: Bag) -> Mapping[str, FloatArray]:
        """By part of the score, `(m,)` how abnormal each segment of time is, in 0..1."""

    @property
    def _segments_only(self) -> bool:
        """Whether frames are scored by their segment of time even where there are tubes."""
        return False

    def fit(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        """Learn from videos that are normal and videos in which something abnormal happens.

        Raises:
            FootageError: A video has no label, or there is none of one kind in which anything is seen.
            TrainingError: A loss is not a number.
        """
        parts = self._checked([part for part in store.parts if len(part)])
        sample, _ = store.sample(SAMPLE, np.random.default_rng(seed))
        values = np.concatenate([sample.data["region"], sample.data["whole"]])
        self._reduction = Reduction.of(values, self._given.features, seed)
        torch.manual_seed(seed)
        network = self._network(self._reduction.length)
        epochs = max(round(self._given.steps / STEPS), 1)
        pairs = -(-self._given.steps // epochs) * self._given.batch
        plan = Plan(epochs=epochs, batch=self._given.batch, rate=self.rate, optimiser=self.optimiser)
        with tempfile.TemporaryDirectory() as folder:
            entry = write_bags(Path(folder), store, self._reduction, seed)
            trainer(self._task(network, plan), PairStore(entry, pairs, seed, store.fingerprint()), seed)
        self._module = network.eval()
        self._look_back([part for part in parts if part.label == 0], seed, progress)

    def _checked(self, parts: Sequence[WindowPart]) -> Sequence[WindowPart]:
        """Videos of both labels, with features of one kind."""
        if unmarked := [part.name for part in parts if part.label is None]:
            raise FootageError(f"{unmarked[0]} has no label; {self.id} learns from videos that are marked 0 or 1")
        for label, word in enumerate(("normal", "abnormal")):
            if label not in {part.label for part in parts}:
                raise FootageError(f"nothing is seen in any {word} video; give more footage")
        size = parts[0].column("data.region").shape[1]
        if other := [part.name for part in parts if part.column("data.region").shape[1] != size]:
            raise FootageError(f"{other[0]} has other features than {parts[0].name}; give all of one kind")
        return parts

    def _look_back(self, parts: Sequence[WindowPart], seed: int, progress: Progress) -> None:
        """See how normal instances score, how far apart they are, and keep examples."""
        values: list[FloatArray] = []
        seen: list[tuple[str, Exemplar, FloatArray]] = []
        for number, part in enumerate(parts):
            for windows in part.batches():
                groups, bag = self._parts_in(windows)
                values.append(_columns(self._of_tubes(bag)))
                for row in np.random.default_rng([seed, number]).permutation(len(groups))[:SHOWN_OF_EACH]:
                    middle = int(groups[row][len(groups[row]) // 2])
                    place = Exemplar(part.name, int(windows.frame[middle]), windows.box[middle])
                    seen.append((part.name, place, bag.region[row]))
            progress("looking at normal videos", number + 1, len(parts))
        self._usual = Usual.of(np.concatenate(values))
        codes = np.stack([code for _, _, code in seen])
        chosen = spread_out(codes, min(self._given.examples, len(seen)))
        self._shown, self.exemplars = codes[chosen], [seen[one][1] for one in chosen]
        self._memory = Memory.of(codes, [name for name, _, _ in seen], self._given.memory)

    def _parts_in(self, windows: Windows) -> tuple[Rows, Bag]:
        """The rows of each part of a tube, or of each segment where there are no tubes, and the bag of them."""
        size = self._blocks_of_part(windows)
        segments = segments_of(windows)
        groups = parts_of(tubes_of(windows), size) or segments
        return groups, self._bag(windows, groups, segments)

    def _bag(self, windows: Windows, groups: Rows, segments: Rows) -> Bag:
        region, whole = (self._reduced(averaged(windows.data[name], groups)) for name in ("region", "whole"))
        moment = self._reduced(averaged(windows.data["whole"], segments))
        return Bag(region, whole, times_of(windows, groups), moment, times_of(windows, segments))

    def _reduced(self, values: FloatArray) -> FloatArray:
        if self._reduction is None:
            raise LookupError("the method has learned nothing yet")
        if values.shape[1] != self._reduction.mean.shape[0]:
            raise FootageError(
                f"features of {values.shape[1]} numbers, but {self._reduction.mean.shape[0]} were learned from; "
                "give footage or features of the same kind"
            )
        return self._reduction(values)

    def _blocks_of_part(self, windows: Windows) -> int:
        """Blocks that make about the seconds of a part."""
        step = float(np.median(windows.data["step"])) if len(windows) else 0.0
        return max(round(self._given.part / max(step * self._given.block, 1e-6)), 1)

    @property
    def _known(self) -> Usual:
        if self._usual is None:
            raise LookupError("the method has learned nothing yet")
        return self._usual

    def score(self, windows: Windows) -> RegionScores:
        """For each frame of each bag a row for every tube in it, in order of frames; for the whole picture elsewhere.

        A tube is scored part by part, and all frames of a part have its score.
        """
        found = [self._scored(windows[rows]) for rows in bags_of(windows)]
        return RegionScores.merge(found) if found else self._rows(windows, np.zeros((0, len(self.parts))))

    def _scored(self, windows: Windows) -> RegionScores:
        """The rows of one bag."""
        size = self._blocks_of_part(windows)
        tubes, segments = parts_of(tubes_of(windows), size), segments_of(windows)
        bag = self._bag(windows, tubes, segments)
        values = np.zeros((len(windows), len(self.parts)))
        for groups, found, codes in (
            (tubes, self._of_tubes(bag), bag.region),
            (segments, self._of_segments(bag), bag.moment),
        ):
            scores = _columns(found) * self._memory.unlike(codes)[:, None]
            for rows, score in zip(groups, scores, strict=True):
                values[rows] = score
        return self._rows(windows, values)

    def _rows(self, windows: Windows, values: FloatArray) -> RegionScores:
        """The scored frames of windows `(N, P)`: those of tubes, and of whole pictures where there is no tube."""
        number = windows.data["number"]
        shown = (number >= 0) & windows.data["now"][:, None]
        moment = windows.data["kind"] == MOMENT
        if self._segments_only:
            shown &= moment[:, None]
        else:
            covered = np.unique(number[shown & ~moment[:, None]])
            shown &= ~moment[:, None] | ~np.isin(number, covered)
        row, place = np.nonzero(shown)
        order = np.argsort(number[row, place], kind="stable")
        row, place = row[order], place[order]
        parts = {name: values[row, column] for column, name in enumerate(self.parts)}
        return RegionScores(
            frame=number[row, place],
            seconds=windows.data["clock"][row, place],
            box=windows.data["boxes"][row, place],
            track=windows.track[row],
            score=values[row].mean(1),
            parts=parts,
        )

    def update(self, windows: Windows) -> None:
        """Let more normal instances count: what is like them is as normal as can be; the network stays as it is."""
        for rows in bags_of(windows):
            here = windows[rows]
            _, bag = self._parts_in(here)
            self._usual = self._known.with_more(_columns(self._of_tubes(bag)))
            # where there are no tubes, segments are in their place already
            codes = np.concatenate([bag.region, bag.moment]) if len(tubes_of(here)) else bag.moment
            self._memory = self._memory.with_more(codes, self._given.memory)

    def explain(self, region: RegionScores, windows: Windows) -> Explanation:
        """A sentence for each part that is higher than at 99 % of normal instances, at least the strongest."""
        values = np.array([float(region.parts[name][0]) for name in self.parts])
        below = dict(zip(self.parts, self._known.below(values), strict=True))
        ranked = sorted(below, key=lambda name: -float(region.parts[name][0]))
        telling = [name for name in ranked if below[name] >= 0.99] or ranked[:1]
        rows = np.flatnonzero((windows.track == region.track[0]) & windows.data["now"])
        near = windows[rows if len(rows) else np.arange(min(len(windows), 1))]
        code = self._reduced(np.asarray(near.data["region"][:1], np.float32))
        gaps = np.linalg.norm(self._shown - code, axis=1)
        reasons = tuple(self._sentence(name, below[name], int(region.track[0])) for name in telling)
        return Explanation(reasons, tuple(int(index) for index in np.argsort(gaps)[:NEAREST]))

    def _sentence(self, part: str, below: float, track: int) -> str:
        count, kept = self._known.count, len(self._known.sample)
        share = "all" if below > 1 - 1 / kept else percent(below)
        what = "the picture" if track == NO_TRACK else "what is in the box"
        return self.sentences[part].format(what, share, count)

    def networks(self) -> Mapping[str, Portable]:
        """A network for each part of the score, from features as they come to log odds."""
        if self._module is None or self._reduction is None:
            raise LookupError("the method has learned nothing yet")
        ways, mean = torch.from_numpy(self._reduction.ways), torch.from_numpy(self._reduction.mean)
        judges = self._judges(self._module)
        return {name: portable(judge, mean, ways, related=self._related) for name, judge in judges.items()}

    @abstractmethod
    def _judges(self, network: nn.Module) -> Mapping[str, nn.Module]:
        """By part of the score, what gives log odds of reduced features."""

    @property
    def _related(self) -> bool:
        """Whether instances of a video are judged together, with what is there and when, or each on its own."""
        return False

    def state(self) -> Mapping[str, NDArray[Any]]:
        """The network, the components, how normal instances scored, what was taken in, and examples."""
        if self._module is None or self._reduction is None:
            raise LookupError("the method has learned nothing yet")
        state = {f"network.{name}": tensor.numpy() for name, tensor in self._module.state_dict().items()}
        state |= {f"reduction.{name}": array for name, array in self._reduction.state().items()}
        state |= {f"usual.{name}": array for name, array in self._known.state().items()}
        state |= {f"memory.{name}": array for name, array in self._memory.state().items()}
        return state | {"shown": self._shown}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        self._reduction = Reduction(state["reduction.mean"], state["reduction.ways"])
        network = self._network(self._reduction.length)
        try:
            network.load_state_dict({name: torch.tensor(state[f"network.{name}"]) for name in network.state_dict()})
        except RuntimeError as error:  # the shape of a tensor
            raise ValueError(str(error)) from None
        self._module = network.eval()
        self._usual = Usual.from_state({name: state[f"usual.{name}"] for name in USUAL})
        self._memory = Memory(state["memory.kept"], float(state["memory.radius"]))
        self._shown = state["shown"]


def _columns(values: Mapping[str, FloatArray]) -> FloatArray:
    """`(n, P)` of the columns `(n,)`."""
    return np.column_stack(list(values.values()))
