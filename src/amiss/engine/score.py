"""From a model and footage to scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from amiss.datasets.sealed import sealed
from amiss.engine.model import Mode, Model, persistence
from amiss.engine.progress import Counter
from amiss.engine.scores import Scores, read_scores, write_scores
from amiss.errors import ScoresError
from amiss.footage.base import Footage
from amiss.methods.base import Progress
from amiss.perception.cache import content_key
from amiss.pipeline import Pipeline
from amiss.scoring.calibrate import make_finder
from amiss.scoring.combine import hold, persist, worst_region
from amiss.scoring.events import Span, find_spans
from amiss.scoring.explain import make_event, worst_of
from amiss.storage import storage_errors, whole_file
from amiss.types import Event, RegionScores, Windows
from amiss.windows.store import WindowPart

__all__ = ["event_of", "score_clip", "score_clips", "score_part"]

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
    mode = model.mode()
    regions = score_part(model, part)
    clock = np.array(part.clock, np.float64)
    floor = model.calibrations[mode].floor
    raw = worst_region(regions, len(clock), floor)
    frames = model.curve(clock, raw, mode)
    finder = make_finder(model.calibrations[mode].level, model.config.scoring, model.config.footage.gap)
    spans = find_spans(frames.calibrated, frames.seconds, finder)
    events = tuple(event_of(model, mode, footage.name, span, regions, part.of) for span in spans)
    return Scores(footage.name, footage, regions, frames, events, floor)


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
        scores += _kept(folder, key, item) or _scored(folder, key, score_clip(model, item, pipeline, counter))
        counter.at_least(sum(len(one.frames) for one in scores))
    return scores


def _kept(folder: Path, key: str, footage: Footage) -> list[Scores]:
    """The clip's scores if they are whole there, and made by the same model from the same footage; else none."""
    with suppress(
        OSError, ValueError, KeyError, TypeError, ScoresError
    ):  # whatever is wrong with them, they are made anew
        if (folder / KEY).read_text(encoding="utf-8") == key:
            return read_scores(folder, {footage.name: footage})
    return []


def _scored(folder: Path, key: str, scores: Scores) -> list[Scores]:
    """The clip's scores after they were written; the key that says so comes last."""
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / KEY).unlink(missing_ok=True)
    write_scores(folder, [scores], {})
    with whole_file(folder / KEY) as partial:
        partial.write_text(key, encoding="utf-8")
    return [scores]


def score_part(model: Model, part: WindowPart) -> RegionScores:
    """The scores of a clip's windows; a table of the right columns without rows where there are none."""
    batches = [model.method.score(windows) for windows in part.batches()]
    regions = RegionScores.merge(batches) if batches else model.method.score(part[0:0])
    regions = hold(regions, model.needs.stride, part.clock, model.config.footage.gap, model.needs.reach)
    return persist(regions, persistence(model.config, model.method), model.calibrations[model.mode()].floor)


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
    worst = worst_of(regions[(regions.frame >= span.first) & (regions.frame <= span.last)])
    reasons: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    if len(worst):
        why = model.method.explain(worst, windows_of(int(worst.track[0]), int(worst.frame[0])))
        reasons, examples = why.reasons, tuple(f"{index:04d}.jpg" for index in why.examples)
    calibration = model.calibrations[mode]
    level = calibration.tail.value_at(calibration.level * model.config.scoring.release)
    return make_event(camera, span, regions, level, reasons, examples)
