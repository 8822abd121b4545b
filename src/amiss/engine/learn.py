"""From normal footage to a model."""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, get_args

import cv2
import numpy as np

from amiss.config import Config
from amiss.datasets.sealed import sealed
from amiss.engine.members import adopted, other_sizes, picture_size
from amiss.engine.model import Mode, Model, along_tracks, make_filter, make_method
from amiss.engine.progress import Counter, silent
from amiss.engine.training import make_trainer
from amiss.errors import ConfigError
from amiss.footage import FeatureFile, Footage
from amiss.footage.names import safe_name
from amiss.methods import Exemplar, Method
from amiss.methods.base import Progress
from amiss.perception.network_boxes import resolve_boxes, why_motion
from amiss.pipeline import Pipeline
from amiss.scoring.calibrate import Calibration, calibrate, parse_budget
from amiss.scoring.combine import hold, worst_region
from amiss.scoring.others import Others
from amiss.scoring.smooth import Smoothing, smooth_stretches
from amiss.train import Launcher
from amiss.types import FloatArray, Image, RegionScores
from amiss.windows.store import WindowPart, WindowStore

__all__ = ["Hands", "Looking", "check_labels", "learn", "learn_parts", "with_boxes"]

LEAST_CLIPS = 4
EXAMPLE_HEIGHT = 120

Looking = Callable[[Sequence[Footage], Pipeline, Progress], list[WindowPart]]
"""Gives the windows of every clip, made with a pipeline."""


@dataclass(frozen=True)
class Hands:
    """Who does the work of learning, where it is not this process.

    Attributes:
        look: Makes windows of the footage.
        launch: Trains networks.
    """

    look: Looking | None = None
    launch: Launcher | None = None


Held = tuple[WindowPart, float]
"""A clip, and the second from which it is held back."""


@sealed("learns")
def learn(
    footage: Sequence[Footage],
    method: str = "attributes",
    config: Config | None = None,
    progress: Progress = silent,
    labels: Mapping[str, int] | None = None,
    hands: Hands | None = None,
) -> Model:
    """Learn what is normal, or from labels of whole videos what is not.

    Part of the footage is held back: whole clips where there are at least four, else the last part of every clip. The
    method learns from the rest, the held-back part calibrates its scores, and then the method takes it in as well.

    Args:
        footage: Normal footage of one camera; for a `weak` method normal and abnormal videos.
        method: Id of the method.
        config: Settings; the defaults when left out.
        progress: Told how far it is.
        labels: For a `weak` method, by the name of each video whether something abnormal happens in it, 0 or 1; of the
            videos, only normal ones are held back.
        hands: Who looks and trains; this process when left out.

    Raises:
        ConfigError: The method or a setting does not exist, or labels are given to a method that takes none, or are
            missing.
        FootageError: Footage cannot be read, or there is too little of it.
    """
    given, hands = adopted(method, config or Config()), hands or Hands()
    given.check(footage)
    config = given.config
    fresh = make_method(method, config)
    fresh.engine.resolved()  # what is not here is told before anything is learned
    given.join(fresh)
    config, note = with_boxes(config) if fresh.needs.boxes else (config, "")
    Smoothing.parse(config.scoring.smoothing)
    parse_budget(config.scoring.budget)
    pipeline = Pipeline(config, fresh.needs)
    footage = [pipeline.masked(item) for item in footage]
    marks = check_labels([item.name for item in footage], fresh, labels)
    seen_parts = (hands.look or perceive)(footage, pipeline, progress)
    parts = [replace(part, label=mark) for part, mark in zip(seen_parts, marks, strict=True)]
    fitted = _fit_parts(parts, fresh, config, progress, hands.launch)
    seen: dict[str, Any] = {
        "clips": [item.name for item in footage],
        "footage": [item.fingerprint() for item in footage],
        "picture": picture_size(footage[0]) if footage and not isinstance(footage[0], FeatureFile) else None,
        "picture_note": "" if _given(footage) else other_sizes(footage),
        "boxes": config.perception.boxes.source if fresh.needs.boxes and not _given(footage) else "none",
        "boxes_note": note,
    }
    if fresh.weak:
        seen["abnormal_clips"] = sum(bool(mark) for mark in marks)
    return fitted.model(config, seen, given.examples or cut_examples(footage, fitted.method.exemplars, progress))


@sealed("learns")
def learn_parts(
    parts: Sequence[WindowPart],
    method: str,
    config: Config,
    pictures: Callable[[Sequence[Exemplar]], Mapping[str, bytes]],
    progress: Progress = silent,
) -> Model:
    """Learn what is normal from windows that were kept, as of a live camera.

    Args:
        parts: A part each stretch of time.
        method: Id of the method, one that learns from normal footage alone.
        config: Settings with which the windows were made.
        pictures: Gives JPEGs of normal examples by name.
        progress: Told how far it is.

    Raises:
        ConfigError: The method needs labels.
        FootageError: There is too little to learn from.
    """
    fresh = make_method(method, config)
    check_labels([part.name for part in parts], fresh, None)
    fitted = _fit_parts(parts, fresh, config, progress)
    seen = {"clips": [part.name for part in parts], "boxes": config.perception.boxes.source, "boxes_note": ""}
    return fitted.model(config, seen, pictures(fitted.method.exemplars))


@dataclass(frozen=True, eq=False)
class _Fitted:
    """What comes of learning, before there are pictures of it."""

    method: Method
    calibrations: Mapping[Mode, Calibration]
    learned: Mapping[str, Any]

    def model(self, config: Config, seen: Mapping[str, Any], examples: Mapping[str, bytes]) -> Model:
        """The model, with what else is told of what it has seen."""
        return Model(self.method, config, self.calibrations, {**seen, **self.learned}, examples)


def _fit_parts(
    parts: Sequence[WindowPart], fresh: Method, config: Config, progress: Progress, launch: Launcher | None = None
) -> _Fitted:
    """Learn from some of the parts, calibrate on the rest, and take that in as well."""
    kept, held = split_parts(parts, config)
    training = _fit(fresh, WindowStore(kept), config, progress, launch)
    late = fresh.quick or fresh.by_heart
    if not late:
        _take_in(fresh, held)
    calibrations = _calibrate(fresh, held, config, progress)
    fitted = fresh
    if fresh.quick:
        fitted = make_method(fresh.id, config)
        training = _fit(fitted, WindowStore(parts), config, progress, launch)
    elif late:
        _take_in(fresh, held)
    learned: dict[str, Any] = {
        "frames": sum(len(part.clock) for part in parts),
        "seconds": round(sum(float(part.clock[-1] - part.clock[0]) for part in parts if len(part.clock)), 3),
        "windows": sum(len(part) for part in parts),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if fitted.borrowed:
        learned["borrowed"] = fitted.borrowed.told()
    return _Fitted(fitted, calibrations, learned | ({"training": training} if training else {}))


def _given(footage: Sequence[Footage]) -> bool:
    """Whether there are features in place of all pictures."""
    return all(isinstance(item, FeatureFile) for item in footage)


def check_labels(names: Sequence[str], method: Method, labels: Mapping[str, int] | None) -> list[int | None]:
    """The label of each video, None for a method that takes none.

    Raises:
        ConfigError: Labels are missing, or are given to a method that takes none, or all are the same.
    """
    if not method.weak:
        if labels:
            raise ConfigError(f"{method.id} learns from normal footage alone; leave the labels out")
        return [None] * len(names)
    if not labels:
        raise ConfigError(f"{method.id} learns from labels of videos; give them with --labels (a table of video,label)")
    labels = {safe_name(name): label for name, label in labels.items()}
    if twice := [name for name, count in collections.Counter(names).items() if count > 1]:
        raise ConfigError(f"there are several videos of the name {twice[0]}, so a label cannot tell them apart")
    if missing := [name for name in names if name not in labels]:
        raise ConfigError(f"the labels do not name {missing[0]}, and {len(missing) - 1} others; give each video one")
    if strange := sorted(set(labels) - set(names)):
        raise ConfigError(f"the labels name {strange[0]}, and there is no such video; leave it out or give its footage")
    if wrong := [name for name, label in labels.items() if label not in (0, 1)]:
        raise ConfigError(f"the label of {wrong[0]} is {labels[wrong[0]]}, not 0 or 1")
    if len({labels[name] for name in names}) < 2:
        raise ConfigError(f"all videos have the same label; {method.id} learns from normal and abnormal ones")
    return [labels[name] for name in names]


def with_boxes(config: Config) -> tuple[Config, str]:
    """The settings with a box source that can be used here, and a sentence if it is not the one that is best."""
    given = config.perception.boxes
    note = why_motion(given) or "" if given.source == "auto" else ""
    perception = config.perception.model_copy(update={"boxes": resolve_boxes(given)})
    return config.model_copy(update={"perception": perception}), note


def _fit(
    method: Method, store: WindowStore, config: Config, progress: Progress, launch: Launcher | None
) -> dict[str, Any]:
    """Let the method learn; returns what is worth keeping of each training of a network."""
    trainer = make_trainer(method, store, config, progress, launch)
    method.fit(store, seed=config.seed, progress=progress, trainer=trainer)
    return trainer.trained


def _take_in(method: Method, held: Sequence[Held]) -> None:
    """Have the method take in the held-back footage as well, without learning anew."""
    for part, start in held:
        for windows in part.between(start, np.inf).batches():
            method.update(windows)


def perceive(footage: Sequence[Footage], pipeline: Pipeline, progress: Progress) -> list[WindowPart]:
    """The windows of every clip, from the cache or into it."""
    counter = Counter("looking at frames", sum(item.length or 0 for item in footage), progress)
    parts: list[WindowPart] = []
    for item in footage:
        parts.append(pipeline.part(item, counter))
        counter.at_least(sum(len(part.clock) for part in parts))
    return parts


def split_parts(parts: Sequence[WindowPart], config: Config) -> tuple[list[WindowPart], list[Held]]:
    """What to learn from and what to hold back: whole clips, or the last part of each where there are few."""
    share = config.scoring.holdout
    if any(part.label for part in parts):
        kept, held = split_parts([part for part in parts if not part.label], config)
        return [part for part in parts if part.label] + kept, held
    if len(parts) < LEAST_CLIPS:
        cuts = [float(np.quantile(part.clock, 1 - share)) for part in parts]
        kept = [part.between(-np.inf, cut) for part, cut in zip(parts, cuts, strict=True)]
        return kept, list(zip(parts, cuts, strict=True))
    order = np.random.default_rng(config.seed).permutation(len(parts))
    back = set(order[: max(1, round(share * len(parts)))].tolist())
    kept = [part for index, part in enumerate(parts) if index not in back]
    return kept, [(part, -np.inf) for index, part in enumerate(parts) if index in back]


def _calibrate(method: Method, held: Sequence[Held], config: Config, progress: Progress) -> dict[Mode, Calibration]:
    """Calibrations of both smoothings on the held-back footage."""
    scored: list[RegionScores] = []
    for done, (part, start) in enumerate(held):
        progress("calibrating", done, len(held))
        inside = part.between(start, np.inf)
        found = RegionScores.merge([method.score(w) for w in inside.batches()] or [method.score(part[0:0])])
        needs = method.needs
        scored.append(hold(found, needs.stride, part.clock, config.footage.gap, needs.reach, margins=needs.margins))
    progress("calibrating", len(held), len(held))
    floor = min((float(regions.score.min()) for regions in scored if len(regions)), default=0.0)
    modes: dict[Mode, Calibration] = {}
    for mode in get_args(Mode):
        smooth, smoothed = make_filter(config, method, mode), []
        for regions, (part, start) in zip(scored, held, strict=True):
            raw = worst_region(along_tracks(config, method, mode, regions, floor), len(part.clock), floor)
            first = int(np.searchsorted(part.clock, start))
            values = smooth_stretches(smooth, raw[first:], part.clock[first:], config.footage.gap)
            smoothed.append((values, part.clock[first:]))
        others = _others(method, scored, config, mode)
        modes[mode] = calibrate(smoothed, floor, config.scoring, config.footage.gap, others)
    return modes


def _others(method: Method, scored: Sequence[RegionScores], config: Config, mode: Mode) -> Others | None:
    """What other cameras that the method borrowed from say of the tail; the own held-back tracks weigh against it."""
    if method.borrowed is None:
        return None
    quantiles = method.borrowed.comparable(config.model_dump(mode="json"), mode)
    tracks = sum(len(np.unique(regions.track)) for regions in scored)
    strength = method.borrowed.strength
    return Others(quantiles, tracks / max(tracks + strength, 1)) if quantiles else None


def cut_examples(footage: Sequence[Footage], exemplars: Sequence[Exemplar], progress: Progress) -> dict[str, bytes]:
    """JPEGs of the normal examples, `0000.jpg` and on, in one pass over the clips that have any."""
    pictures: dict[str, bytes] = {}
    for item in footage:
        wanted = {index: exemplar for index, exemplar in enumerate(exemplars) if exemplar.clip == item.name}
        last = max((exemplar.frame for exemplar in wanted.values()), default=-1)
        for frame in item if wanted and not isinstance(item, FeatureFile) else ():
            here = [index for index, exemplar in wanted.items() if exemplar.frame == frame.index]
            pictures |= {f"{index:04d}.jpg": _thumbnail(frame.image, wanted[index].box) for index in here}
            if frame.index >= last:
                break
        progress("cutting examples", len(pictures), len(exemplars))
    return dict(sorted(pictures.items()))


def _thumbnail(image: Image, box: FloatArray) -> bytes:
    """The box with half its size around it, as a JPEG."""
    x1, y1, x2, y2 = (float(value) for value in box)
    pad_x, pad_y = (x2 - x1) / 2, (y2 - y1) / 4
    height, width = image.shape[:2]
    left, top = int(max(x1 - pad_x, 0)), int(max(y1 - pad_y, 0))
    piece = image[top : int(min(y2 + pad_y, height)) + 1, left : int(min(x2 + pad_x, width)) + 1]
    scale = EXAMPLE_HEIGHT / piece.shape[0]
    size = (max(round(piece.shape[1] * scale), 8), EXAMPLE_HEIGHT)
    shown = cv2.cvtColor(cv2.resize(piece, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
