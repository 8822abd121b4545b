"""Wires the stages once: the same path for files, for live footage and for learning.

A frame goes in, the windows that it completes come out. Offline the windows of a whole clip are kept in the cache and
scored in larger batches; that is the only difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from amiss.config import Config
from amiss.errors import ConfigError, FootageError
from amiss.footage import FeatureFile, Footage
from amiss.footage.absent import AbsentFootage
from amiss.perception.ahead import ahead, in_groups, shared_cores
from amiss.perception.blocks import make_block_features
from amiss.perception.boxes import BOX_SOURCES, tidy
from amiss.perception.cache import Cache, default_cache
from amiss.perception.features import Asked, Features
from amiss.perception.flow import FLOW_SOURCES
from amiss.perception.log import Rows, StageLog
from amiss.perception.masks import Masked, Masks
from amiss.perception.network_boxes import NetworkBoxes
from amiss.perception.network_boxes import look_together as look
from amiss.perception.poses import POSE_SOURCES
from amiss.perception.scenes import Scene
from amiss.perception.seen import Seen
from amiss.perception.skeleton import PoseSmoother
from amiss.perception.tracks import Tracker
from amiss.perception.trails import WAYS, Trails
from amiss.types import NO_TRACK, Boxes, FloatArray, Frame, Poses, Windows
from amiss.windows.bundle import BundleBuilder, BundlePart, BundleWriter
from amiss.windows.clips import ClipBuilder
from amiss.windows.cubes import CubeBuilder
from amiss.windows.given import given_windows
from amiss.windows.keys import Keys
from amiss.windows.needs import Needs
from amiss.windows.segments import SegmentBuilder
from amiss.windows.store import WindowPart, WindowWriter
from amiss.windows.tubes import TubeBuilder

__all__ = ["Pipeline", "look_together", "resolve_device"]

UNSEEN: frozenset[str] = frozenset(WAYS)
"""What windows carry that comes of tracks alone."""
GIVEN = ("tracks", "file")
"""Sources of boxes that look at no picture."""

Builder = CubeBuilder | SegmentBuilder | ClipBuilder | TubeBuilder | BundleBuilder
BUILDERS: Mapping[str, Callable[[Needs], Builder]] = {
    "cube": CubeBuilder,
    "segment": SegmentBuilder,
    "clip": ClipBuilder,
}


def resolve_device(name: str) -> torch.device:
    """The torch device of a setting; `auto` takes a GPU where there is one.

    Raises:
        ConfigError: There is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"device does not take {name!r} here: {str(error).splitlines()[0]}") from None
    return device


def look_together(pipelines: Sequence[Pipeline], frames: Sequence[Frame]) -> None:
    """Ask the networks that several cameras share about the next frame of each, all at once.

    `Pipeline.update` then finds what they saw; the numbers are those that it gives without this.

    Args:
        pipelines: Of the cameras.
        frames: The next frame of each.
    """
    together: dict[str, list[tuple[NetworkBoxes, Frame]]] = {}
    for pipeline, frame in zip(pipelines, frames, strict=True):
        if network := pipeline.network:
            together.setdefault(network.network, []).append((network, pipeline.shown(frame)))
    for pairs in together.values():
        look([network for network, _ in pairs], [frame for _, frame in pairs])


@dataclass(frozen=True, eq=False)
class _Look:
    """A frame, and what was seen in it alone or beside the one before.

    Attributes:
        frame: The frame.
        step: Seconds since the frame before; 0 where footage begins, at first or after a gap.
        boxes: What was found, not yet followed.
        flow: As in `Seen`.
    """

    frame: Frame
    step: float
    boxes: Boxes
    flow: FloatArray | None


class Pipeline:
    """From frames to windows, for one camera. All state is in the object.

    It looks at frames first (boxes, flow) and then makes something of what it saw (tracks, features, windows), so that
    one can go ahead of the other.

    Args:
        config: Settings of footage and perception.
        needs: What the method asks for; nothing else is computed.
    """

    def __init__(self, config: Config, needs: Needs) -> None:
        self._config = config
        self._needs = needs
        self._boxes = BOX_SOURCES[config.perception.boxes.source](config.perception) if needs.boxes else None
        self._masks = Masks(config.perception.masks)
        self._tracker = Tracker(config.perception.tracks, config.footage.gap)
        flow = config.perception.flow
        self._flow = FLOW_SOURCES[flow.source](flow) if "flow" in needs.arrays else None
        wants_features = "feature" in needs.arrays
        self._features = Features(config.perception.features, resolve_device(config.device)) if wants_features else None
        self._trails = Trails(config.perception.tracks, needs.arrays) if UNSEEN & set(needs.arrays) else None
        poses = config.perception.poses
        self._poses = POSE_SOURCES[poses.source](config.perception) if "pose" in needs.arrays else None
        self._smoother = PoseSmoother(poses.smoothing)
        wants_scene = "scene" in needs.arrays
        self._scene = Scene(config.perception.scenes, resolve_device(config.device)) if wants_scene else None
        self._windows = self._builder(needs)
        self._keys = Keys(config, needs, self._boxes, self._flow, self._poses)
        self._before: float | None = None
        self._logs: dict[str, StageLog] = {}

    def _builder(self, needs: Needs) -> Builder:
        """What makes windows of what is seen."""
        if needs.members:
            return BundleBuilder({name: self._builder(theirs) for name, theirs in needs.members})
        if needs.window != "tube":
            return BUILDERS[needs.window](needs)
        features = make_block_features(self._config.perception.clips, needs.length, resolve_device(self._config.device))
        return TubeBuilder(needs, features)

    def reset(self, origin: Path | None = None) -> None:
        """Begin new footage.

        Args:
            origin: Where it lies, None for frames from elsewhere.

        Raises:
            FootageError: The source of boxes or of poses has nothing for it.
        """
        if self._boxes:
            self._boxes.reset(origin)
        self._tracker.reset()
        if self._poses:
            self._poses.reset(origin)
        self._before = None
        self._after_gap()
        self._windows.reset()
        self.finish()

    def warm(self) -> None:
        """Do now what would be done at the first frames and takes seconds; a camera does not wait for it."""
        if self._features:
            self._features.warm()

    def _after_gap(self) -> None:
        """Forget what must not reach across a jump in time, of what is made of frames."""
        for stage in (self._features, self._trails, self._smoother, self._scene):
            if stage:
                stage.reset()

    def update(self, frame: Frame) -> Windows:
        """The windows that this frame completes."""
        (windows,) = self._understand(self._look([frame]))
        return windows

    def finish(self) -> Windows | None:
        """The windows that the end of the footage completes, or None if none wait for it."""
        return self._windows.finish() if isinstance(self._windows, TubeBuilder) else None

    def _look(self, frames: Sequence[Frame]) -> list[_Look]:
        """Look at frames in their order; a network sees all of them at once."""
        shown = [self._masks.apply(frame) for frame in frames]
        if (network := self.network) and len(frames) > 1 and not self._log("boxes").known:
            look([network] * len(frames), shown)
        return [self._look_at(frame) for frame in shown]

    def _look_at(self, frame: Frame) -> _Look:
        step = 0.0 if self._before is None else frame.seconds - self._before
        self._before = frame.seconds
        if not 0 < step <= self._config.footage.gap:
            step = 0.0
            if self._flow:
                self._flow.reset()
        boxes = self._find(frame)
        return _Look(frame, step, boxes, self._move(frame, boxes))

    def _move(self, frame: Frame, boxes: Boxes) -> FloatArray | None:
        """The flow, where a window may be cut from it."""
        if self._flow is None:
            return None
        if self._needs.window == "cube" and self._needs.length == 1 and not len(boxes):
            self._flow.skip(frame)
            return None
        return self._flow.update(frame)

    def _understand(self, looks: Sequence[_Look]) -> list[Windows]:
        """The windows that each frame completes; the features of all of them are computed at once."""
        told = [self._see(look) for look in looks]
        if self._features:
            self._features.compute()
        return [self._complete(seen, asked) for seen, asked in told]

    def _see(self, look: _Look) -> tuple[Seen, Asked]:
        """All but the features, and those that are wanted."""
        frame = look.frame
        if not look.step:
            self._after_gap()
        boxes = self._follow(frame, look.boxes) if self._boxes else look.boxes
        wants = self._features is not None and not self._log("features").known
        asked = self._features.ask(frame, boxes) if self._features and wants else ()
        ways = self._trails.update(frame, boxes) if self._trails else {}
        scene = self._scene.update(frame) if self._scene else None
        return Seen(frame, look.step, boxes, look.flow, None, ways, self._pose(frame, boxes), scene), asked

    def _complete(self, seen: Seen, asked: Asked) -> Windows:
        if not seen.step:
            self._windows.reset()
        return self._windows.update(replace(seen, features=self._describe(asked)))

    def _find(self, frame: Frame) -> Boxes:
        """Boxes, from the log of an earlier run if there is one."""
        source = self._boxes
        if source is None:
            return Boxes.empty()

        def ask() -> Rows:
            found = tidy(source.update(frame), self._config.perception.boxes, frame.size)
            found = self._masks.inside(found, frame.size)
            columns = "xyxy", "confidence", "label", "track"
            return {name: getattr(found, name) for name in columns}

        return Boxes(**self._log("boxes").next(ask))

    def _follow(self, frame: Frame, boxes: Boxes) -> Boxes:
        """The boxes with their track ids, from the log of an earlier run if there is one."""
        tracks = self._log("tracks").next(lambda: {"track": self._tracker.update(frame, boxes).track})
        followed = replace(boxes, track=tracks["track"])
        return followed[followed.track != NO_TRACK]  # an unsure box that no track expects is no evidence

    def _describe(self, asked: Asked) -> FloatArray | None:
        """`(N, D)` float16 features, from the log of an earlier run if there is one."""
        stage = self._features
        if stage is None:
            return None
        return self._log("features").next(lambda: {"feature": stage.rows(asked).astype(np.float16)})["feature"]

    def _pose(self, frame: Frame, boxes: Boxes) -> Poses | None:
        """The poses, from the log of an earlier run if there is one."""
        source = self._poses
        if source is None:
            return None

        def ask() -> Rows:
            found = self._smoother.update(source.update(frame, boxes), boxes, frame.seconds)
            return {"joints": found.joints, "track": found.track}

        return Poses(**self._log("poses").next(ask))

    def _log(self, stage: str) -> StageLog:
        return self._logs.get(stage) or StageLog()

    def masked(self, footage: Footage) -> Footage:
        """The footage as everybody may see it, pictures for people included; features are as they are.

        Raises:
            FootageError: There are no pictures, and the method needs them.
        """
        if isinstance(footage, FeatureFile):
            return footage
        if isinstance(footage, AbsentFootage):
            self._check_tracks(footage)
        return Masked(footage, self._masks)

    def _check_tracks(self, footage: AbsentFootage) -> None:
        """Whether tracks alone will do."""
        seen = sorted(set(self._needs.arrays) - UNSEEN)
        source = self._config.perception.boxes.source
        if not self._needs.boxes or seen or source not in GIVEN:
            what = f"needs its {', '.join(seen)}" if seen else f"takes boxes from {source}"
            raise FootageError(
                f"there are no pictures of clip {footage.name}, only tracks, and the method {what}; choose attributes "
                "with method.parts=[speed,size,place,dwell] and perception.boxes.source=tracks"
            )

    @property
    def network(self) -> NetworkBoxes | None:
        """The network that finds boxes, which several cameras can be shown to at once; None where none does."""
        return self._boxes if isinstance(self._boxes, NetworkBoxes) else None

    def shown(self, frame: Frame) -> Frame:
        """The frame as it is looked at, with what is private blacked out."""
        return self._masks.apply(frame)

    def windows(self, footage: Footage) -> Iterator[tuple[Frame, Windows]]:
        """Every frame of some footage with the windows that it completes.

        One thread decodes, one looks, and the one that asks makes windows of what was seen.
        """
        self.reset(footage.path)
        looked = ahead(self._look(frames) for frames in ahead(in_groups(footage)))
        try:
            for looks in looked:
                for one, windows in zip(looks, self._understand(looks), strict=True):
                    yield one.frame, windows
        finally:
            looked.close()  # no thread outlives it

    def key(self, footage: Footage) -> str:
        """The cache's key of the footage's windows: its content, and all settings that matter to them."""
        return self._keys.whole(footage)

    def cached(self, footage: Footage) -> WindowPart | None:
        """The windows of the footage if an earlier run has left them."""
        found = {name: self._cache().find(key) for name, key in self._keys.windows(footage).items()}
        parts = {name: WindowPart(footage.name, entry) for name, entry in found.items() if entry}
        if len(parts) < len(found):
            return None
        return BundlePart.of_parts(parts) if self._needs.members else parts[""]

    def part(self, footage: Footage, tick: Callable[[], None] = lambda: None) -> WindowPart:
        """The windows of the footage, from the cache or into it.

        Args:
            footage: The clip.
            tick: Called after each frame that is looked at.

        Raises:
            FootageError: It cannot be read to its end.
            StorageError: The cache cannot be written.
        """
        keys = {name: key for name, key in self._keys.windows(footage).items() if not self._cache().find(key)}
        if keys:
            with self._logged(footage), shared_cores(), ExitStack() as entries:
                writers = {
                    name: WindowWriter(entries.enter_context(self._cache().writing(key))) for name, key in keys.items()
                }
                self._write(footage, BundleWriter(writers) if self._needs.members else writers[""], tick)
        part = self.cached(footage)
        if part is None:
            raise ConfigError(f"the cache {self._cache().root} lost what was just written; is something cleaning it?")
        return part

    def _write(self, footage: Footage, keep: WindowWriter | BundleWriter, tick: Callable[[], None]) -> None:
        """Write the time of every frame, and all windows."""
        if isinstance(footage, FeatureFile) and self._needs.bags and isinstance(keep, WindowWriter):
            for number in range(footage.length):
                keep.at(number / footage.rate)
            keep.close(given_windows(footage, self._needs.length))
            return
        for frame, windows in self.windows(footage):
            keep.append(frame.seconds, windows)
            tick()
        if (last := self.finish()) is not None and isinstance(keep, WindowWriter):
            keep.close(last)

    @contextmanager
    def _logged(self, footage: Footage) -> Iterator[None]:
        """While the block runs, the stages read what an earlier run has left, or leave it for a later one."""
        with ExitStack() as writers:
            for stage, key in self._keys.stages(footage).items():
                cache = self._cache(stage)
                kept = cache.find(key)
                self._logs[stage] = StageLog(kept, None if kept else writers.enter_context(cache.writing(key)))
            try:
                yield
            finally:
                self._logs = {}

    def _cache(self, stage: str = "windows") -> Cache:
        return Cache((self._config.cache or default_cache()) / stage)
