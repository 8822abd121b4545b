"""The method `multi-grained`: three proxy tasks that are hard where something moves or looks unlike normal footage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from amiss.config import Settings
from amiss.errors import ConfigError, FootageError
from amiss.methods.base import Exemplar, Explanation, Method, Progress
from amiss.methods.multi_grained.drawing import MIDDLE
from amiss.methods.multi_grained.look import Onlooker
from amiss.methods.multi_grained.network import Maps, ProxyNetwork, parts_of
from amiss.methods.multi_grained.places import Places
from amiss.methods.multi_grained.portable import portable
from amiss.methods.multi_grained.regions import Region, pooled, regions_of, resampled, told
from amiss.methods.multi_grained.samples import LENGTH, moving
from amiss.methods.multi_grained.settings import PRESETS, MultiGrainedSettings
from amiss.methods.multi_grained.task import ProxyTasks, frames_of
from amiss.methods.normal import Usual, percent, spread_out
from amiss.methods.task import Trainer
from amiss.nn.portable import Portable
from amiss.types import FloatArray, Image, RegionScores, Windows
from amiss.windows.needs import Needs
from amiss.windows.store import WindowStore

__all__ = ["MultiGrained"]

LEAST = 16
LOOKED = 128
"""Windows in which something has to move."""
SAMPLE = 512
"""Normal windows, at most, that the parts are standardised by."""
RARE = 0.95
"""Share of normal windows that reach the level of regions nowhere: what is usual in a crowd bounds no region."""
SIDE = 16
"""Cells a side of the maps of a region."""
NEAREST = 3
HOT = 6.0
"""Standard deviations that pictures show as white."""
SENTENCES = {
    "continuity": "it moves as if a frame were missing, though none is, more than {} of {:,} normal places that move",
    "localization": "where a frame was left out is harder to tell than at {} of {:,} normal places that move",
    "estimation": "what a frame that was left out showed is harder to tell than at {} of {:,} normal places that move",
    "own": "what is seen is harder to foresee than at {} of {:,} normal places that move",
}
PICTURES = {
    "continuity": "whether one is missing",
    "localization": "where it is missing",
    "estimation": "what is missing",
    "own": "what comes",
}
USUAL = ("count", "mean", "squares", "sample")


@dataclass(frozen=True, eq=False)
class _Place:
    """A region of a window.

    Attributes:
        box: `(4,)` pixels of the frame.
        score: Of its peak.
        parts: `(P,)` of its peak.
        raw: `(P,)` of its peak, not standardised.
        maps: `(P, S, S)` float16.
        code: `(D,)` features of its peak.
    """

    box: FloatArray
    score: float
    parts: FloatArray
    raw: FloatArray
    maps: FloatArray
    code: FloatArray


class MultiGrained(Method):
    """Continuity judgment, discontinuity localization and missing-frame estimation on any backbone.

    Source: Zhang et al., "Multi-scale video anomaly detection by multi-grained spatio-temporal representation
    learning", CVPR 2024, supplementary material; the tasks themselves are our reading. The score is the weighted mean
    of the parts, each in standard deviations above its mean over normal cells that move, of the same place and all, at
    the highest place of a region.
    """

    id = "multi-grained"
    title = "Whether a frame is missing, where it is missing, and what was in it"
    settings_type = MultiGrainedSettings
    presets = PRESETS
    after_training = frozenset(
        {"examples", "near", "continuity_share", "localization_share", "estimation_share", "own_share"}
    )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = MultiGrainedSettings.model_validate(settings.model_dump())
        self._weights = parts_of(self._settings)
        if not self._weights:
            raise ConfigError(
                f"method.backbone={self._settings.backbone} has nothing to learn; give method.continuity, "
                "method.localization or method.estimation a weight"
            )
        if not sum(self._shares.values()):
            raise ConfigError("the shares of all parts in the score are 0; give one of method.*_share a value")
        self._onlooker: Onlooker | None = None
        self._usual: Usual | None = None
        self._by_place = Places.none(len(self.parts), (1, 1))
        self._level = 0.0
        self._shown: FloatArray = np.zeros((0, 0), np.float32)

    @property
    def needs(self) -> Needs:
        """Thirteen whole frames, or what a box shows in them, the middle one being scored."""
        chosen = self._settings
        if chosen.windows == "cubes":
            return Needs("cube", ("image",), length=LENGTH, size=chosen.size, at="middle")
        shape = chosen.rows, chosen.columns
        return Needs("clip", ("image",), length=LENGTH, pace=chosen.pace, shape=shape, at="middle")

    @property
    def parts(self) -> tuple[str, ...]:
        """The tasks that have a weight, and a drawing backbone's own objective."""
        return tuple(self._weights)

    def fit(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        """Train the network, then see how normal places score.

        Raises:
            FootageError: Fewer than 16 windows, or nothing in them moves.
            TrainingError: A loss is not a number.
            WeightsError: Published weights do not fit.
        """
        if len(store) < LEAST:
            raise FootageError(
                f"only {len(store)} windows of {LENGTH} frames were found in the normal footage and {LEAST} are "
                "needed; give more footage"
            )
        sample, _ = store.sample(LOOKED, np.random.default_rng(seed))
        if not any(moving(frames_of(sample[[row]]), self._settings.static).any() for row in range(len(sample))):
            raise FootageError("nothing moves in the normal footage; give footage with life, or lower method.static")
        task = ProxyTasks(self._settings, seed, len(store))
        trainer(task, store, seed)
        self._onlooker = Onlooker(task.network.eval())
        sample, owners = store.sample(SAMPLE, np.random.default_rng(seed))
        self._standardise(sample, progress)
        self._keep_examples(sample, [store.parts[int(index)].name for index in owners])

    def _standardise(self, windows: Windows, progress: Progress) -> None:
        """Learn the moments of cells that move, and the level that one window in twenty reaches somewhere."""
        kept: list[tuple[FloatArray, FloatArray]] = []
        for maps in self._looker.look(windows):
            kept.append(_arrays(maps))
            progress("looking at normal clips", len(kept), len(windows))
        self._usual = Usual.of(np.concatenate([self._moving(raw, change) for raw, change in kept]))
        self._by_place = self._placed(kept)
        near = self._settings.near
        highest = [pooled(self._total(self._told(*one)), near).max() for one in kept]
        self._level = float(np.quantile(highest, RARE))

    def _placed(self, kept: Sequence[tuple[FloatArray, FloatArray]]) -> Places:
        """The sums by place of some windows; the cells of object cubes are of no place."""
        places = Places.none(len(self.parts), kept[0][1].shape)
        for raw, change in kept if self._settings.windows == "clips" else ():
            places = places.with_more(raw, change >= self._settings.static)
        return places

    def _moving(self, raw: FloatArray, change: FloatArray) -> FloatArray:
        """`(K, P)` the parts of the cells of a window that move."""
        return np.asarray(raw[:, change >= self._settings.static].T)

    def _told(self, raw: FloatArray, change: FloatArray) -> FloatArray:
        """`(P, h, w)` the parts, standardised, where they say something."""
        return told(self._by_place.standardised(raw, self._known), change, self._settings.static)

    def _total(self, parts: FloatArray) -> FloatArray:
        """The weighted mean of parts `(P, …)`."""
        shares = np.array(list(self._shares.values()))
        return np.asarray(np.tensordot(shares / shares.sum(), parts, 1))

    def _keep_examples(self, windows: Windows, names: Sequence[str]) -> None:
        """Keep the highest places of some windows, to show."""
        rows = np.linspace(0, len(windows) - 1, min(len(windows), 2 * self._settings.examples)).round().astype(int)
        found = [places[0] for places in self._places(windows[rows])]
        chosen = spread_out(np.stack([place.code for place in found]), min(self._settings.examples, len(found)))
        self._shown = np.stack([found[one].code for one in chosen])
        self.exemplars = [Exemplar(names[rows[one]], int(windows.frame[rows[one]]), found[one].box) for one in chosen]

    @property
    def _shares(self) -> Mapping[str, float]:
        """Weight of each part in the score."""
        given = {name: getattr(self._settings, f"{name}_share") for name in self.parts}
        return {name: self._weights[name] if share is None else share for name, share in given.items()}

    @property
    def _looker(self) -> Onlooker:
        if self._onlooker is None:
            raise LookupError("the method has learned nothing yet")
        return self._onlooker

    @property
    def _known(self) -> Usual:
        if self._usual is None:
            raise LookupError("the method has learned nothing yet")
        return self._usual

    def look(self, windows: Windows) -> Iterator[Maps]:
        """What the network makes of each window, before it is standardised: the same whatever the shares are."""
        return self._looker.look(windows)

    def highest(self, maps: Maps) -> float:
        """The score of the highest place of a window that was looked at, which is that of a clip's frame."""
        return float(pooled(self._total(self._told(*_arrays(maps))), self._settings.near).max())

    def _places(self, windows: Windows) -> Iterator[list[_Place]]:
        """The regions of each window, the highest first; an object cube is one region."""
        for box, maps in zip(windows.box, self._looker.look(windows), strict=True):
            yield self._places_in(box, maps)

    def _places_in(self, box: FloatArray, maps: Maps) -> list[_Place]:
        raw, change = _arrays(maps)
        parts = self._told(raw, change)
        around = self._settings.near
        near, total = pooled(parts, around), self._total(parts)
        level = self._level if self._settings.windows == "clips" else np.inf
        found = []
        for region in regions_of(total, around, level):
            row, column = region.peak
            found.append(
                _Place(
                    box=_box(box, region, total.shape) if self._settings.windows == "clips" else box,
                    score=float(self._total(near[:, row, column])),
                    parts=near[:, row, column],
                    raw=pooled(raw, around)[:, row, column],
                    maps=resampled(parts, region if self._settings.windows == "clips" else _whole(total), SIDE),
                    code=maps.code[0, :, row, column].numpy(),
                )
            )
        return sorted(found, key=lambda place: -place.score)

    def score(self, windows: Windows) -> RegionScores:
        """A row for each region of each window, in the order of the windows, the highest region of a window first.

        A region is what is around a peak of the combined map, averaged over `method.near` cells, that reaches the level
        that one normal clip in twenty reaches somewhere; it goes as far as a third of its peak. A window without such a
        peak has what is around its highest cell. An object cube is one region.
        """
        found = [(row, place) for row, places in enumerate(self._places(windows)) for place in places]
        rows, places = np.array([row for row, _ in found], np.int64), [place for _, place in found]
        parts = np.array([place.parts for place in places]).reshape(-1, len(self.parts))
        maps = np.array([place.maps for place in places], np.float16).reshape(-1, len(self.parts), SIDE, SIDE)
        return RegionScores(
            frame=windows.frame[rows],
            seconds=windows.seconds[rows],
            box=np.array([place.box for place in places], np.float32).reshape(-1, 4),
            track=windows.track[rows],
            score=np.array([place.score for place in places], np.float64),
            parts={name: parts[:, column] for column, name in enumerate(self.parts)},
            maps={name: maps[:, column] for column, name in enumerate(self.parts)},
        )

    def update(self, windows: Windows) -> None:
        """Let more normal cells count in what the parts are standardised by; the network stays as it is."""
        for raw, change in map(_arrays, self._looker.look(windows)):
            self._usual = self._known.with_more(self._moving(raw, change))
            if self._settings.windows == "clips":
                self._by_place = self._by_place.with_more(raw, change >= self._settings.static)

    def adapt(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        """Train the network a little further, and let the new place count as much as all that was learned before."""
        task = ProxyTasks(self._settings, seed, len(store), self._looker.network)
        trainer(task, store, seed)
        self._onlooker = Onlooker(task.network.eval())
        windows, _ = store.sample(SAMPLE, np.random.default_rng(seed))
        kept = [_arrays(maps) for maps in self._onlooker.look(windows)]
        values = np.concatenate([self._moving(*one) for one in kept])
        if len(values):
            self._usual = self._known.weighing(len(values)).with_more(values)
        self._by_place = self._placed(kept)
        progress("adapting", len(windows), len(windows))

    def explain(self, region: RegionScores, windows: Windows) -> Explanation:
        """A sentence for each part that is higher than at 99 % of normal places that move, at least the strongest."""
        window = windows[[int(np.abs(windows.box - region.box[0]).sum(1).argmin())]]
        places = next(self._places(window))
        place = min(places, key=lambda one: float(np.abs(one.box - region.box[0]).sum()))
        below = dict(zip(self.parts, self._known.below(place.raw), strict=True))
        ranked = sorted(below, key=lambda name: -float(place.parts[self.parts.index(name)]))
        telling = [name for name in ranked if below[name] >= 0.99] or ranked[:1]
        gaps = np.linalg.norm(self._shown - place.code, axis=1)
        reasons = tuple(self._sentence(name, below[name]) for name in telling)
        return Explanation(reasons, tuple(int(index) for index in np.argsort(gaps)[:NEAREST]))

    def _sentence(self, part: str, below: float) -> str:
        count, kept = self._known.count, len(self._known.sample)
        return SENTENCES[part].format("all" if below > 1 - 1 / kept else percent(below), count)

    def pictures(self, windows: Windows) -> Mapping[str, Image]:
        """The middle frame, and where each part is high: from black (usual) over red to white (6 deviations)."""
        frames = np.asarray(windows.data["image"][:, MIDDLE])
        shown = {"frame": frames} | {PICTURES[name]: np.zeros_like(frames) for name in self.parts}
        for row, maps in enumerate(self._looker.look(windows)):
            for name, values in zip(self.parts, self._told(*_arrays(maps)), strict=True):
                shown[PICTURES[name]][row] = _heat(values, frames.shape[1:3])
        return shown

    def networks(self) -> Mapping[str, Portable]:
        """Backbone and heads, with normalisations folded into convolutions."""
        chosen = self._settings
        shape = (chosen.rows, chosen.columns) if chosen.windows == "clips" else (chosen.size, chosen.size)
        return {"clips": portable(self._looker.seeing, shape)}

    def state(self) -> Mapping[str, NDArray[Any]]:
        """The network, how normal cells scored, the level of regions, and the features of the examples."""
        state = {f"network.{name}": tensor.numpy() for name, tensor in self._looker.network.state_dict().items()}
        state |= {f"usual.{name}": array for name, array in self._known.state().items()}
        state |= {f"places.{name}": array for name, array in self._by_place.state().items()}
        return state | {"level": np.array(self._level), "shown": self._shown}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        network = ProxyNetwork(self._settings.model_copy(update={"weights": None}))
        tensors = {name: torch.tensor(state[f"network.{name}"]) for name in network.state_dict()}
        try:
            network.load_state_dict(tensors)
        except RuntimeError as error:  # the shape of a tensor
            raise ValueError(str(error)) from None
        self._onlooker = Onlooker(network.eval())
        self._usual = Usual.from_state({name: state[f"usual.{name}"] for name in USUAL})
        self._by_place = Places(*(state[f"places.{name}"] for name in self._by_place.state()))
        self._level, self._shown = float(state["level"]), state["shown"]


def _arrays(maps: Maps) -> tuple[FloatArray, FloatArray]:
    """`(P, h, w)` the parts of one window, and `(h, w)` how much its cells change."""
    return maps.raw[0].double().numpy(), maps.change[0].double().numpy()


def _whole(values: FloatArray) -> Region:
    """All of a map `(h, w)`."""
    return Region((0, values.shape[0]), (0, values.shape[1]), (0, 0))


def _box(whole: FloatArray, region: Region, shape: tuple[int, ...]) -> FloatArray:
    """`(4,)` pixels of a region of a map that is spread over a box."""
    corner, cell = whole[:2], (whole[2:] - whole[:2]) / shape[::-1]
    first, last = np.column_stack([region.columns, region.rows])
    return np.asarray(np.concatenate([corner + cell * first, corner + cell * last]), np.float32)


def _heat(values: FloatArray, size: tuple[int, ...]) -> Image:
    """`(H, W, 3)` RGB of a map `(h, w)` of standard deviations."""
    levels = np.clip(255 * values / HOT, 0, 255).astype(np.uint8)
    fine = cv2.resize(levels, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.applyColorMap(fine, cv2.COLORMAP_HOT)[..., ::-1], np.uint8)
