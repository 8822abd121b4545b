"""From a model and footage to scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amiss.datasets.sealed import sealed
from amiss.engine.model import Mode, Model, along_tracks
from amiss.engine.progress import Counter
from amiss.engine.scores import Scores, read_scores, write_scores
from amiss.errors import ScoresError
from amiss.footage.base import Footage
from amiss.methods.base import Progress
from amiss.perception.cache import content_key
from amiss.pipeline import Pipeline
from amiss.scoring.calibrate import make_finder
from amiss.scoring.combine import hold, worst_region
from amiss.scoring.events import Span, find_spans
from amiss.scoring.explain import make_event, worst_of
from amiss.storage import storage_errors, whole_file
from amiss.types import Event, FloatArray, FrameScores, RegionScores, Windows
from amiss.windows.store import WindowPart

__all__ = [
    "Settled",
    "event_of",
    "keep_scores",
    "kept_key",
    "raw_regions",
    "score_clip",
    "score_clips",
    "settle",
]

KEY = "key"
"""Name of the file that says what a clip's scores were made of; written last."""


@sealed("scores")
def score_clip(
    model: Model, footage: Footage, pipeline: Pipeline | None = None, tick: Callable[[], None] = lambda: None
) -> Scores:
    """Score one clip.

    Args:
        model: The model.
        footage: The clip.
        pipeline: To use for several clips in turn; made anew when left out.
        tick: Called after each frame that is looked at.

    Raises:
        FootageError: The footage cannot be read to its end.
    """
    pipeline = pipeline or Pipeline(model.config, model.needs)
    footage = pipeline.masked(footage)
    part = pipeline.part(footage, tick)
    settled = settle(model, raw_regions(model, part), np.array(part.clock, np.float64))
    return settled.scores(model, footage, part.of)


@dataclass(frozen=True, eq=False)
class Settled:
    """A clip that is scored, before anything is said of its events.

    Attributes:
        regions: Of every frame.
        frames: The curve.
        spans: When its events were.
    """

    regions: RegionScores
    frames: FrameScores
    spans: tuple[Span, ...]

    def worst(self, span: Span) -> RegionScores:
        """The region of an event that it is explained by; no row where it has none."""
        return worst_of(_within(self.regions, span))

    def scores(self, model: Model, footage: Footage, windows_of: Callable[[int, int], Windows]) -> Scores:
        """The clip with its events explained.

        Args:
            model: What scored it.
            footage: The clip.
            windows_of: Gives the windows of a track whose score stands at a frame.
        """
        mode, name = model.mode(), footage.name
        events = tuple(event_of(model, mode, name, span, self.regions, windows_of) for span in self.spans)
        return Scores(name, footage, self.regions, self.frames, events, model.calibrations[mode].floor)


def settle(model: Model, raw: RegionScores, clock: FloatArray) -> Settled:
    """From the scores of a whole clip's windows to its curve, and when it had events.

    Args:
        model: What scored them.
        raw: What `raw_regions` gives.
        clock: `(T,)` seconds of all its frames.
    """
    mode, config = model.mode(), model.config
    calibration = model.calibrations[mode]
    regions = hold(raw, model.needs.stride, clock, config.footage.gap, model.needs.reach, margins=model.needs.margins)
    regions = along_tracks(config, model.method, mode, regions, calibration.floor)
    frames = model.curve(clock, worst_region(regions, len(clock), calibration.floor), mode)
    finder = make_finder(calibration.level, config.scoring, config.footage.gap)
    return Settled(regions, frames, tuple(find_spans(frames.calibrated, frames.seconds, finder)))


@sealed("scores")
def score_clips(model: Model, footage: Sequence[Footage], out: Path, progress: Progress) -> list[Scores]:
    """Score clips one by one; each is written when it is done, and not scored again by a later run that is the same.

    Args:
        model: The model.
        footage: The clips.
        out: Folder; the scores of each clip are kept in `parts/CLIP/` until something about them changes.
        progress: Told how far it is.

    Raises:
        FootageError: A clip cannot be read to its end; the clips before it are kept.
        StorageError: The folder cannot be written.
    """
    pipeline = Pipeline(model.config, model.needs)
    counter = Counter("scoring", sum(item.length or 0 for item in footage), progress)
    scores: list[Scores] = []
    for item in map(pipeline.masked, footage):
        folder = out / "parts" / item.name
        key = content_key(model.fingerprint(), pipeline.key(item))
        scores += _kept(folder, key, item) or [keep_scores(folder, key, score_clip(model, item, pipeline, counter))]
        counter.at_least(sum(len(one.frames) for one in scores))
    return scores


def _kept(folder: Path, key: str, footage: Footage) -> list[Scores]:
    """The clip's scores if they are whole there, and made by the same model from the same footage; else none."""
    with suppress(
        OSError, ValueError, KeyError, TypeError, ScoresError
    ):  # whatever is wrong with them, they are made anew
        if kept_key(folder) == key:
            return read_scores(folder, {footage.name: footage})
    return []


def kept_key(folder: Path) -> str:
    """What the scores of a clip that are kept in a folder were made of; nothing where none are whole."""
    try:
        return (folder / KEY).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def keep_scores(folder: Path, key: str, scores: Scores) -> Scores:
    """Write the scores of a clip; the key that says that they are whole comes last.

    Args:
        folder: Where to.
        key: What they were made of.
        scores: Of the clip.

    Raises:
        StorageError: They cannot be written.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / KEY).unlink(missing_ok=True)
    write_scores(folder, [scores], {})
    with whole_file(folder / KEY) as partial:
        partial.write_text(key, encoding="utf-8")
    return scores


def raw_regions(model: Model, part: WindowPart) -> RegionScores:
    """The scores of a clip's windows; a table of the right columns without rows where there are none."""
    batches = [model.method.score(windows) for windows in part.batches()]
    return RegionScores.merge(batches) if batches else model.method.score(part[0:0])


def _within(regions: RegionScores, span: Span) -> RegionScores:
    return regions[(regions.frame >= span.first) & (regions.frame <= span.last)]


def event_of(
    model: Model, mode: Mode, camera: str, span: Span, regions: RegionScores, windows_of: Callable[[int, int], Windows]
) -> Event:
    """The event of a span, explained at its worst region.

    Args:
        model: The model.
        mode: How the curve was smoothed.
        camera: Name of the camera or clip.
        span: When.
        regions: At least all regions of the span's frames.
        windows_of: Gives the windows of a track whose score stands at a frame.
    """
    worst = worst_of(_within(regions, span))
    reasons: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    if len(worst):
        why = model.method.explain(worst, windows_of(int(worst.track[0]), int(worst.frame[0])))
        reasons, examples = why.reasons, tuple(f"{index:04d}.jpg" for index in why.examples)
    calibration = model.calibrations[mode]
    level = calibration.tail.value_at(calibration.level * model.config.scoring.release)
    return make_event(camera, span, regions, level, reasons, examples)
