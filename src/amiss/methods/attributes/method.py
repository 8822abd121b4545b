"""The method `attributes`: learns in seconds what moves, looks, measures, stands and stays how, and is the default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from amiss.config import Settings
from amiss.errors import FootageError
from amiss.methods.attributes.attribute import add_usual_size
from amiss.methods.attributes.density import Density, Form, Forms
from amiss.methods.attributes.evidence import blocks_of, track_numbers
from amiss.methods.attributes.lent import Lent
from amiss.methods.attributes.parts import ATTRIBUTES
from amiss.methods.attributes.perspective import Perspective
from amiss.methods.attributes.prior import read_prior
from amiss.methods.base import Exemplar, Explanation, Method, Progress
from amiss.methods.borrowed import Borrowed
from amiss.methods.normal import spread_out
from amiss.methods.task import Trainer
from amiss.types import FloatArray, IntArray, RegionScores, Windows
from amiss.windows.needs import Array, Needs
from amiss.windows.store import WindowStore

__all__ = ["Attributes", "AttributesSettings"]

GROUPS = 16
LEAST = 32
NEAREST = 3


Part = Literal[
    "velocity", "speed", "appearance", "size", "place", "dwell", "pose",
    "acceleration", "curvature", "direction", "pace", "stature", "company", "closing",
]  # fmt: skip
Combine = Literal["max", "sum", "tail"]


class AttributesSettings(Settings):
    """Settings of the method `attributes`."""

    parts: tuple[Part, ...] = Field(
        ("velocity", "appearance", "size", "place", "dwell"),
        min_length=1,
        description="The attributes that are looked at.",
    )
    density: Form = Field(
        "neighbours",
        description="How normal samples are described, where an attribute has no natural unit and is not compared with "
        "its place: by themselves, by a Gaussian mixture or by a network; auto takes what held-back normal clips are "
        "likeliest under.",
    )
    combine: Combine = Field(
        "max",
        description="The score is the attribute that is furthest from normal, or the sum of those above normal, or "
        "that which is rarest among held-back normal samples (tail).",
    )
    size_weight: float = Field(
        0.5,
        ge=0,
        description="What size counts beside the others; velocity is compared among things of a size already.",
    )
    dwell_weight: float = Field(
        0.75, ge=0, description="What dwell counts beside the others; spots that were seen but briefly make it unsure."
    )
    pose_weight: float = Field(
        0.5, ge=0, description="What pose counts beside the others; half-hidden bodies look odd."
    )
    neighbours: int = Field(5, ge=1, description="Distance is taken to this nearest of the normal samples.")
    memory: int = Field(32_768, ge=LEAST, description="Most items an attribute keeps in memory.")
    prior: tuple[str, ...] = Field(
        (),
        description="Models of other cameras, or files made of them by `amiss prior`: what they have shown counts "
        "where this camera has shown little.",
    )
    prior_strength: float = Field(8.0, ge=0, description="So many tracks of its own count as much as all of the prior.")
    samples: int = Field(200_000, ge=LEAST, description="Most normal windows looked at when learning.")
    crop: int = Field(16, ge=4, le=128, description="Flow crops are resized to this many pixels a side.")
    examples: int = Field(96, ge=NEAREST, description="Normal examples kept to show.")


class Attributes(Method):
    """Distance from normal in each attribute, calibrated leave-one-clip-out; the one furthest from normal counts.

    An object is not excused by walking like all others for looking like none: what is nearer to normal than normal
    samples are on average counts as average.
    """

    id = "attributes"
    title = "Attribute densities: velocity, appearance, size, place and dwell"
    settings_type = AttributesSettings
    quick = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = AttributesSettings.model_validate(settings.model_dump())
        chosen = self._settings
        forms = Forms(chosen.memory, chosen.neighbours, chosen.density)
        self._densities = [Density(ATTRIBUTES[name], forms) for name in chosen.parts]
        self._perspective = Perspective()
        self._shown: dict[str, FloatArray] = {}
        self._lent = Lent(chosen.prior_strength, chosen.neighbours)

    @property
    def borrowed(self) -> Borrowed | None:
        """What the prior gave when this was fitted."""
        return self._lent.borrowed

    @property
    def needs(self) -> Needs:
        """What the chosen attributes need of boxes; one frame at a time."""
        asked = {array for name in self._settings.parts for array in ATTRIBUTES[name].arrays}
        arrays: tuple[Array, ...] = tuple(sorted(asked))
        return Needs("cube", arrays, length=1, size=self._settings.crop)

    @property
    def parts(self) -> tuple[str, ...]:
        """The chosen attributes."""
        return self._settings.parts

    def fit(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:  # noqa: ARG002
        """Fill a memory for each attribute, and calibrate it on clips left out.

        Raises:
            FootageError: Fewer than 32 windows.
        """
        if len(store) < LEAST:
            raise FootageError(
                f"only {len(store)} objects were found in the normal footage and {LEAST} are needed; "
                "give more footage, or lower perception.boxes.min_area "
                "(of boxes from motion also perception.boxes.motion.min_area)"
            )
        generator = np.random.default_rng(seed)
        windows, owners = store.sample(self._settings.samples, generator)
        self._perspective.fit(windows.box, windows.data["cut"])
        windows = add_usual_size(windows, self._perspective)
        tracks = track_numbers(owners, windows.track)
        groups = _groups(owners, tracks)
        for done, density in enumerate(self._densities):
            progress("learning attributes", done, len(self._densities))
            density.fit(windows, groups, seed)
            density.widen(windows, tracks)
        progress("learning attributes", len(self._densities), len(self._densities))
        self._lent.fit([ATTRIBUTES[name] for name in self.parts], windows, tracks, groups)
        if self._settings.prior:
            self._lent.borrow(read_prior(self._settings.prior), self.parts)
        self._choose_exemplars(store, windows, owners)

    def _choose_exemplars(self, store: WindowStore, windows: Windows, owners: IntArray) -> None:
        """Keep windows that differ as much as they can, to show as normal."""
        every = windows[:: -(-len(windows) // 4096)]
        joint = np.concatenate([_unit_spread(density.vectors(every)) for density in self._densities], axis=1)
        rows = spread_out(joint, min(self._settings.examples, len(every)))
        owner = owners[:: -(-len(windows) // 4096)][rows]
        chosen = every[rows]
        names = [store.parts[int(index)].name for index in owner]
        self.exemplars = [Exemplar(name, w.frame, w.box) for name, w in zip(names, chosen, strict=True)]
        self._shown = {density.attribute.id: density.vectors(chosen) for density in self._densities}

    def score(self, windows: Windows) -> RegionScores:
        """Standard deviations above the average normal sample: of the worst attribute, or added up.

        Or how rare the worst attribute is, in nats.
        """
        windows = add_usual_size(windows, self._perspective)
        parts = {d.attribute.id: self._lent.mixed(d.attribute, windows, d.score(windows)) for d in self._densities}
        score = self.combined(parts, self._settings.combine)
        place = windows.frame, windows.seconds, windows.box, windows.track
        return RegionScores(*place, score=score, parts=parts)

    def combined(self, parts: Mapping[str, FloatArray], how: Combine) -> FloatArray:
        """`(N,)` score of some of the attributes, from what `score` says of each."""
        chosen = self._settings
        weight = {"size": chosen.size_weight, "dwell": chosen.dwell_weight, "pose": chosen.pose_weight}
        told = parts
        if how == "tail":
            told = {
                d.attribute.id: d.surprise(parts[d.attribute.id]) for d in self._densities if d.attribute.id in parts
            }
        above = np.stack([weight.get(name, 1.0) * np.maximum(values, 0.0) for name, values in told.items()])
        return np.asarray(above.sum(axis=0) if how == "sum" else above.max(axis=0))

    @property
    def forms(self) -> Mapping[str, str]:
        """Which density was learned of each attribute."""
        return {density.attribute.id: density.form for density in self._densities}

    def update(self, windows: Windows) -> None:
        """Take in more normal windows at once; what they show is normal from the next score on."""
        self._lent.update(len(windows))
        for density in self._densities:
            density.update(add_usual_size(windows, self._perspective))

    def explain(self, region: RegionScores, windows: Windows) -> Explanation:
        """A sentence for each attribute that is further from normal than 99 % of normal, at least the strongest."""
        window = add_usual_size(windows[[_row_of(region, windows)]], self._perspective)
        scored = sorted(self._densities, key=lambda density: -float(region.parts[density.attribute.id][0]))
        ranks = {d.attribute.id: d.rank(window, float(region.parts[d.attribute.id][0])) for d in scored}
        telling = [d for d in scored if ranks[d.attribute.id].nearer >= 0.99] or scored[:1]
        reasons = tuple(density.attribute.sentence(ranks[density.attribute.id]) for density in telling)
        return Explanation(reasons, self._nearest_examples(telling[0], window))

    def _nearest_examples(self, density: Density, window: Windows) -> tuple[int, ...]:
        """The exemplars most like the window in the attribute that stands out."""
        gaps = np.linalg.norm(self._shown[density.attribute.id] - density.vectors(window), axis=1)
        return tuple(int(index) for index in np.argsort(gaps)[:NEAREST])

    def state(self) -> Mapping[str, NDArray[Any]]:
        """The densities, and the vectors of the examples."""
        state = {f"{d.attribute.id}.{name}": array for d in self._densities for name, array in d.state().items()}
        state |= {f"perspective.{name}": array for name, array in self._perspective.state().items()}
        return state | {f"{name}.shown": array for name, array in self._shown.items()} | self._lent.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        self._perspective.restore({name: state[f"perspective.{name}"] for name in ("line", "range", "width")})
        self._lent.restore(state)
        for density in self._densities:
            prefix = f"{density.attribute.id}."
            density.restore({key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)})
            self._shown[density.attribute.id] = state[prefix + "shown"]


def _groups(owners: IntArray, tracks: IntArray) -> IntArray:
    """Each window's group for leaving out: its clip, or where few clips hold most of them the time its track began."""
    clips, number, count = np.unique(owners, return_inverse=True, return_counts=True)
    if len(clips) >= 4 and 2 * count.max() <= len(owners):
        return np.asarray(number % GROUPS)
    return blocks_of(tracks, GROUPS)


def _unit_spread(vectors: FloatArray) -> FloatArray:
    """Scaled so that every attribute has the same total variance."""
    return np.asarray(vectors / max(float(np.sqrt(vectors.var(0).sum())), 1e-9))


def _row_of(region: RegionScores, windows: Windows) -> int:
    """The window that a region is of: the nearest box."""
    return int(np.abs(windows.box - region.box[0]).sum(1).argmin())
