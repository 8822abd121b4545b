"""The method `mgenet`: whether what people look like tells how they move, and what half of the picture hides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from amiss.config import Settings
from amiss.errors import ConfigError, FootageError
from amiss.methods.base import Exemplar, Explanation, Method, Progress
from amiss.methods.mgenet.combine import combined, comparable, tails_of
from amiss.methods.mgenet.looked import TOGETHER, Looked, batches, in_boxes, padded, whole_and_clear
from amiss.methods.mgenet.looks import Looks, faces_of
from amiss.methods.mgenet.masks import covering_masks
from amiss.methods.mgenet.matching import KIN, MovementMatching
from amiss.methods.mgenet.movement import movement_of
from amiss.methods.mgenet.network import Explorer, grid_of
from amiss.methods.mgenet.portable import (
    portable_explorer,
    portable_looks,
    portable_matching,
    portable_places,
    portable_tokenizer,
)
from amiss.methods.mgenet.reasons import statement
from amiss.methods.mgenet.remembering import (
    FIRST,
    SAMPLE,
    clips_of,
    looks_apart,
    remember_looks,
    remember_pairs,
    scenes_apart,
)
from amiss.methods.mgenet.settings import PRESETS, MgenetSettings
from amiss.methods.mgenet.task import Exploration, pictures_of, scenes_of
from amiss.methods.normal import Usual, percent, spread_out
from amiss.methods.pose_flow import PoseFlow
from amiss.methods.pose_flow.segments import apart, told, with_bodies
from amiss.methods.task import Trainer
from amiss.nn.portable import Portable
from amiss.scoring.tail import Tail
from amiss.types import BoolArray, FloatArray, Image, IntArray, RegionScores, Windows
from amiss.windows.needs import Array, Needs
from amiss.windows.store import WindowStore

__all__ = ["Mgenet"]

LEAST = 32
NEAREST = 3
STRANGE = 6.0
"""A place less like the learned ones by more than so many standard deviations is a place never seen."""


class Mgenet(Method):
    """Guidance and exploration at two levels, and behaviour-scene matching.

    Source: Yang et al., "A multilevel guidance-exploration network and behavior-scene matching method for human
    behavior anomaly detection", ACM MM 2024. A pose flow guides an RGB encoder, which guides a mask encoder; where they
    differ, or where a behaviour does not belong to the scene, something is amiss. By default there is a part that is
    ours, how far what a crop looks like is from the nearest normal looks, and the part that is rarest among normal
    segments counts; the paper adds its parts up (equation 16).
    """

    id = "mgenet"
    title = "Poses guide pictures, pictures guide halves of them, behaviours are matched with scenes"
    settings_type = MgenetSettings
    by_heart = False
    presets = PRESETS
    after_training = frozenset(
        {
            "measure",
            "appearance_share",
            "looks",
            "looks_share",
            "scene_share",
            "combine",
            "top",
            "examples",
        }
    )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = MgenetSettings.model_validate(settings.model_dump())
        if not (self._settings.motion or self._settings.masking):
            raise ConfigError("method.motion and method.masking cannot both be false: nothing would be learned")
        if not any(self._shares[name] > 0 for name in self.parts):
            raise ConfigError(
                f"no part counts: give {' or '.join(f'method.{name}_share' for name in self.parts)} a weight above 0"
            )
        if self._settings.checkpoint is not None and self._settings.tokenizer != "swin":
            raise ConfigError("method.checkpoint holds weights of a Video Swin-T: it needs method.tokenizer=swin")
        if self._settings.kernel // self._settings.dilation % 2 == 0:
            raise ConfigError("method.kernel over method.dilation, rounded down, is the width of a kernel: make it odd")
        self._guide = PoseFlow(self._settings.guide)
        self._network: Explorer | None = None
        self._looks: Looks | None = None
        self._usual: Usual | None = None
        self._places: Usual | None = None
        self._tails: Sequence[Tail] = ()
        self._shown: FloatArray = np.zeros((0, 0), np.float32)
        # The same masks for all segments and runs: what is hidden must not decide who is odd.
        grid = grid_of(self._settings.guide.length, self._settings.size)
        self._masks = covering_masks(*grid[1:], self._settings.mask, np.random.default_rng(0))

    @property
    def needs(self) -> Needs:
        """Segments with crops of the person, poses, and for the matching the scene."""
        chosen = self._settings
        arrays: tuple[Array, ...] = ("image", "pose", "scene") if chosen.matching else ("image", "pose")
        guide = self._guide.needs
        missing = guide.length if chosen.everything else guide.missing
        return replace(guide, arrays=arrays, size=chosen.size, stride=chosen.every, missing=missing)

    @property
    def pretrained(self) -> tuple[str, ...]:
        """What makes tokens and looks, where it comes with amiss."""
        return ("efficientnet-lite0",) if self._settings.tokenizer == "efficientnet" or self._settings.looks else ()

    @property
    def parts(self) -> tuple[str, ...]:
        """S_mo, S_app, the distance of looks and S_mm, as far as the settings have them."""
        chosen = self._settings
        there = {
            "motion": chosen.motion,
            "appearance": chosen.masking,
            "looks": chosen.looks,
            "scene": chosen.matching,
        }
        return tuple(name for name, counts in there.items() if counts)

    def fit(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        """Train the guide, then the encoders, write the matching memory, and see how normal segments score.

        Raises:
            ConfigError: The tokenizer needs a checkpoint and none is given.
            FootageError: Fewer than 32 segments.
            TrainingError: A loss is not a number.
            WeightsError: The tokenizer's checkpoint does not fit.
        """
        chosen = self._settings
        if chosen.tokenizer == "swin" and chosen.checkpoint is None:
            raise ConfigError("method.tokenizer=swin needs the weights of a Video Swin-T in method.checkpoint")
        store = WindowStore([apart(part, chosen.guide.stride, chosen.every) for part in store.parts])
        bodies = WindowStore([with_bodies(part, chosen.guide) for part in store.without("image", "scene").parts])
        if len(bodies) < LEAST:
            raise FootageError(
                f"only {len(bodies)} segments of {chosen.guide.length} frames with the joints of a person were found "
                f"in the normal footage and {LEAST} are needed; give more footage, or lower method.guide.stride"
            )
        self._guide.fit_to(bodies, seed=seed, progress=progress, trainer=trainer)
        random = np.random.default_rng(seed)
        rows = np.sort(random.permutation(len(store))[:SAMPLE])
        task = Exploration(chosen, self._guide, store.take(random.permutation(rows)[:FIRST]), seed)
        trainer(task, store, seed)
        self._network = task.network.eval()
        self._renewed()
        if chosen.matching:
            remember_pairs(self._network, chosen.guide, store, random, progress)
        if chosen.looks:
            self._looks = remember_looks(store, random, progress)
        looked = self._look_through(store, rows, progress)
        if self._looks is not None:
            looked.raw[:, self.parts.index("looks")] = looks_apart(self._looks, looked.features, store, rows)
        apart_scenes = scenes_apart(self._network, chosen.guide, store, rows) if chosen.matching else None
        if apart_scenes is not None:
            looked.raw[:, self.parts.index("scene")] = apart_scenes
        sure = looked.told & looked.clear
        counted = sure | ~sure.any()  # among many things there may be no person in the sample
        self._compare_with(Usual.of(looked.raw[counted]), Usual.of(looked.familiar))
        shown = spread_out(looked.vectors, min(chosen.examples, len(rows)))
        light = store.without("image", "scene")
        owners = clips_of(store, rows[shown])
        windows = light.take(rows[shown])
        names = [store.parts[int(index)].name for index in owners]
        self.exemplars = [Exemplar(name, w.frame, w.box) for name, w in zip(names, windows, strict=True)]
        self._shown = looked.vectors[shown]

    def _movement(self, windows: Windows) -> Tensor:
        return torch.from_numpy(movement_of(windows, self._settings.guide))

    def _look_through(self, store: WindowStore, rows: IntArray, progress: Progress) -> Looked:
        """What the networks make of some segments of a store."""
        looked = []
        for number, some in enumerate(batches(rows, TOGETHER)):
            progress("looking at normal people", number * TOGETHER, len(rows))
            looked.append(self._look(store.take(some)))
        progress("looking at normal people", len(rows), len(rows))
        return Looked.merge(looked)

    @property
    def _known(self) -> tuple[Explorer, Usual, Usual]:
        """The networks, how normal segments score, and how like each other normal places are."""
        if self._network is None:
            raise LookupError("the method has learned nothing yet")
        none = Usual.of(np.zeros((1, len(self.parts))))
        return self._network, self._usual or none, self._places or none

    def _compare_with(self, usual: Usual, places: Usual) -> None:
        """Take these as what the parts, and the places, of normal segments are."""
        self._usual, self._places, self._tails = usual, places, tails_of(usual)

    def score(self, windows: Windows) -> RegionScores:
        """The parts, what they come to together, and a map of S_app.

        Where too little of the body is seen, the motion is that of the most usual segment; where the picture ends, so
        is S_app, and the distance of looks is the mean; where the place was never seen, the match of behaviour and
        scene is again the most usual.
        """
        looked = self._look(windows)
        parts, chosen = self._parts(looked), self._settings
        score = combined(parts, self._shares, chosen.combine)
        place = windows.frame, windows.seconds, windows.box, windows.track
        maps = {"appearance": in_boxes(looked.unlike, windows).astype(np.float16)} if chosen.masking else {}
        return RegionScores(*place, score=score, parts=parts, maps=maps)

    @property
    def _shares(self) -> Mapping[str, float]:
        """What each part weighs in the score."""
        chosen = self._settings
        others = {"looks": chosen.looks_share, "scene": chosen.scene_share}
        return {"motion": 1.0, "appearance": chosen.appearance_share, **others}

    def _parts(self, looked: Looked) -> dict[str, FloatArray]:
        """Each part of the score, `(N,)`, in numbers that can be compared."""
        values = comparable(self._sure(looked), self._known[1], self._tails, self._settings.combine)
        return {name: values[:, column] for column, name in enumerate(self.parts)}

    def _sure(self, looked: Looked) -> FloatArray:
        """`(N, P)` the raw parts, usual where there is nothing to say of one."""
        usual, raw = self._known[1], looked.raw.copy()
        nothing = ~looked.told if self._settings.match == "movements" else np.zeros(len(looked.told), bool)
        unsure = {
            "motion": ~looked.told,
            "appearance": ~looked.whole,
            "looks": ~looked.clear,
            "scene": nothing | self._strange(looked),
        }
        for column, name in enumerate(self.parts):
            # looks count in full: who walks out of the picture would seem most usual of all, once averaged along it
            raw[unsure[name], column] = (usual.mean if name == "looks" else usual.sample[0])[column]
        return raw

    def _told(self, windows: Windows) -> BoolArray:
        return told(windows.data["pose"], self._settings.guide)

    def _strange(self, looked: Looked) -> BoolArray:
        """`(N,)` whether the place is like none that was learned from."""
        return np.asarray(self._known[2].standardised(looked.familiar)[:, 0] < -STRANGE)

    def update(self, windows: Windows) -> None:
        """Let more normal segments count in what the parts are compared with; the networks stay as they are."""
        _, usual, places = self._known
        looked = self._look(windows)
        sure = looked.told & looked.clear
        self._compare_with(usual.with_more(looked.raw[sure]), places.with_more(looked.familiar))

    def explain(self, region: RegionScores, windows: Windows) -> Explanation:
        """A sentence for each part that counts and is above 99 % of normal segments, at least the strongest."""
        window = windows[[int(np.abs(windows.box - region.box[0]).sum(1).argmin())]]
        looked = self._look(window)
        below = dict(zip(self.parts, self._known[1].below(self._sure(looked)[0]), strict=True))
        parts = self._parts(looked)
        ranked = sorted(below, key=lambda name: -float(parts[name][0]))
        ranked = [name for name in ranked if self._shares[name] > 0] or ranked
        telling = [name for name in ranked if below[name] >= 0.99] or ranked[:1]
        reasons = [sentence for name in telling for sentence in self._sentences(name, below[name], window, looked)]
        gaps = np.linalg.norm(self._shown - looked.vectors[0], axis=1)
        return Explanation(tuple(reasons), tuple(int(index) for index in np.argsort(gaps)[:NEAREST]))

    def _sentences(self, part: str, below: float, window: Windows, looked: Looked) -> list[str]:
        usual = self._known[1]
        rank = ("all" if below > 1 - 1 / len(usual.sample) else percent(below)), usual.count
        said = [statement(part, rank, looked, self._settings, strange=bool(self._strange(looked)[0]))]
        if part == "motion" and looked.told[0]:
            said.append(self._guide.explain(self._guide.score(window), window).reasons[-1])
        return said

    def pictures(self, windows: Windows) -> Mapping[str, Image]:
        """The person at the frame that is scored, and where it looks strange: from black over red to white (0.5)."""
        looked, at = self._look(windows), len(windows.data["image"][0]) - 1 - self.needs.lag if len(windows) else 0
        shown = {"person": np.asarray(windows.data["image"][:, at])}
        if self._settings.masking:
            levels = np.minimum(510 * looked.unlike, 255).astype(np.uint8)
            size = (self._settings.size, self._settings.size)
            heat = [cv2.applyColorMap(cv2.resize(one, size), cv2.COLORMAP_HOT)[..., ::-1] for one in levels]
            shown["strange"] = np.array(heat, np.uint8).reshape(shown["person"].shape)
        return shown

    def _look(self, windows: Windows) -> Looked:
        """All that the networks make of segments."""
        rows = np.arange(len(windows))
        return Looked.merge([self._look_at(windows[some]) for some in batches(rows, TOGETHER)])

    @torch.no_grad()
    def _look_at(self, windows: Windows) -> Looked:
        """What the networks make of at most so many segments as they look at together."""
        chosen, network, count = self._settings, self._known[0], len(windows)
        cubes = network.inputs(padded(pictures_of(windows)))[:count]
        # sums of few segments are made like those of many, as they round otherwise in another number of rows
        moved, tokens, behaviour, *others = (padded(tensor) for tensor in self._run("explorer", cubes))
        motion = self._motion(self._guide.latent(windows), moved[:count])
        unlike = others[0][:count] if others else torch.zeros(count, *network.grid[1:])
        raw = {"motion": motion, "appearance": unlike.double().mean((1, 2))}
        features = torch.zeros(count, 0)
        if self._looks is not None:
            features = self._run("looks", faces_of(windows))[0]
            raw["looks"] = self._looks.distance(features)  # engines have it in single precision
        familiar, kin = torch.ones(count), torch.zeros(count)
        if chosen.matching:
            scenes = padded(scenes_of(windows))
            place = network.scenes.weights(scenes)
            moves = isinstance(network.matching, MovementMatching)
            what = padded(self._movement(windows)) if moves else behaviour.double()
            raw["scene"], pairs = network.matching.difference(what, place.double())
            familiar = network.scenes.similarity(scenes).amax(1)
            kin = (network.matching.kin(pairs, place) >= KIN).sum(1)
        columns = torch.stack([raw[name][:count].double() for name in self.parts], 1)
        whole, clear = whole_and_clear(windows)
        return Looked(
            raw=columns.numpy(),
            vectors=tokens.mean(1)[:count].numpy(),
            features=features.numpy(),
            unlike=unlike.numpy(),
            familiar=familiar[:count, None].numpy(),
            kin=kin[:count].numpy(),
            told=self._told(windows),
            whole=whole,
            clear=clear,
        )

    def _motion(self, guide: Tensor, explorer: Tensor) -> Tensor:
        """`(N,)` S_mo (equation 13), or another of the measures of table 3."""
        one, other = guide.double().flatten(1), explorer.double().flatten(1)
        if self._settings.measure == "cosine":
            return 1 - functional.cosine_similarity(one, other, dim=1)
        measured = {"difference": one - other, "guide": one, "explorer": other, "sum": one + other}
        return torch.as_tensor(measured[self._settings.measure].norm(dim=1))

    def networks(self) -> Mapping[str, Portable]:
        """Guide, encoders, what crops look like, and where behaviours are matched with scenes the memories of both."""
        network, chosen = self._known[0], self._settings
        masks = self._masks if chosen.masking else ()
        guide, explorer = self._guide.networks()["flow"], portable_explorer(network, masks, TOGETHER)
        found = {"guide": guide, "explorer": explorer}
        if network.tokenizer is not None:
            found["tokenizer"] = portable_tokenizer(network, chosen.guide.length, chosen.size)
        if self._looks is not None:
            found["looks"] = portable_looks(self._looks, chosen.size, TOGETHER)
        if chosen.matching:
            found |= {"places": portable_places(network), "matching": portable_matching(network)}
        return found

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Guide and networks, normal looks, how normal segments scored, and the vectors of the examples."""
        network, usual, places = self._known
        state = {f"guide.{name}": array for name, array in self._guide.state().items()}
        state |= {f"network.{name}": tensor.numpy() for name, tensor in network.state_dict().items()}
        for prefix, one in (("usual", usual), ("places", places)):
            state |= {f"{prefix}.{name}": array for name, array in one.state().items()}
        if self._looks is not None:
            state |= {"looks.items": self._looks.items.numpy(), "looks.groups": self._looks.groups.numpy()}
        return state | {"shown": self._shown}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        self._guide.restore(_under("guide.", state))
        tensors = {name: torch.tensor(array) for name, array in _under("network.", state).items()}
        latent = tensors["head.mix.2.weight"].shape[0] // 2
        network = Explorer(self._settings, self._settings.guide.length, latent, tensors["scenes.items"].shape[1])
        try:
            network.load_state_dict(tensors)
        except RuntimeError as error:  # the shape of a tensor
            raise ValueError(str(error)) from None
        self._network = network.eval()
        if self._settings.looks:
            self._looks = Looks(*(torch.tensor(state[f"looks.{name}"]) for name in ("items", "groups"))).eval()
        self._renewed()
        self._compare_with(*(Usual.from_state(_under(f"{prefix}.", state)) for prefix in ("usual", "places")))
        self._shown = state["shown"]


def _under(prefix: str, state: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What is kept under a prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
