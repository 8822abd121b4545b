"""From a model and its scores to the page and the video."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from amiss.engine import Model, Scores, event_pictures
from amiss.engine.progress import Counter
from amiss.footage import FeatureFile
from amiss.methods.base import Progress
from amiss.report.content import ClipReport, Summary, rarity
from amiss.report.page import write_page
from amiss.report.video import write_video
from amiss.scoring.calibrate import Calibration

__all__ = ["summary_of", "write_report"]

BAND = (0.0, 1.3)
"""Calibrated scores of nineteen in twenty normal frames."""


def write_report(
    folder: Path,
    scores: Sequence[Scores],
    model: Model,
    progress: Progress,
    title: str = "What was amiss",
    facts: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write `annotated.mp4` (where the settings ask for it) and `report.html`; features have no pictures to show.

    Args:
        folder: Where to.
        scores: The clips.
        model: What scored them.
        progress: Told how far it is.
        title: Heading of the page.
        facts: More rows for the list of facts.

    Returns:
        The page.

    Raises:
        FootageError: The footage cannot be read again.
        StorageError: The folder cannot be written.
    """
    clips = _clips(scores, model)
    summary = dataclasses.replace(summary_of(model), title=title)
    summary = dataclasses.replace(summary, facts=[*facts, *summary.facts])
    video = None
    seen = not any(isinstance(item.footage, FeatureFile) for item in scores)
    if model.config.report.video == "all" and seen:
        video = "annotated.mp4"
        offsets = write_video(folder / video, clips, summary, _counted("drawing the video", clips, progress))
        clips = [dataclasses.replace(clip, video_offset=at) for clip, at in zip(clips, offsets, strict=True)]
    else:
        (folder / "annotated.mp4").unlink(missing_ok=True)
    page = folder / "report.html"
    shown, ticks = model.config.report.events if seen else 0, _counted("gathering pictures", clips, progress)
    write_page(page, clips, summary, model.examples, video=video, pictured=shown, progress=ticks)
    return page


def _clips(scores: Sequence[Scores], model: Model) -> list[ClipReport]:
    """The clips, with pictures for as many events as the page shows pictures of."""
    events = sorted((event for item in scores for event in item.events), key=lambda event: -event.severity)
    made = event_pictures(model, scores, events[: model.config.report.events])
    return [ClipReport(item.name, item.frames, item.regions, item.events, item.footage, made=made) for item in scores]


def _counted(what: str, clips: Sequence[ClipReport], progress: Progress) -> Counter:
    return Counter(what, sum(len(clip.frames) for clip in clips), progress)


def summary_of(model: Model) -> Summary:
    """What a page says of a model."""
    calibration = model.calibrations[model.mode()]
    return Summary(
        title="What was amiss",
        method=f"{model.method.id}: {model.method.title.partition(': ')[2] or model.method.title}",
        when=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        level=calibration.level,
        release=calibration.level * model.config.scoring.release,
        normal_band=BAND,
        facts=_facts(model, calibration),
        notes=_notes(model, calibration),
    )


def _facts(model: Model, calibration: Calibration) -> list[tuple[str, str]]:
    learned = model.learned
    windows = f"{int(learned['windows']):,} in {int(learned['frames']):,} frames"
    needs = model.method.needs
    boxed = needs.boxes
    abnormal = learned.get("abnormal_clips")
    kind = "normal footage" if abnormal is None else f"footage, {abnormal} of them marked abnormal"
    what = "Blocks of tubes and of pictures" if needs.bags else "Objects" if boxed else "Clips of whole frames"
    what = "Windows of all methods" if needs.members else what
    return [
        (
            "Learned from",
            f"{len(learned['clips'])} clips, {_duration(float(learned['seconds']))} of {kind}{_beside(learned)}",
        ),
        (f"{what} seen", windows),
        ("Learned on", str(learned["when"])),
        *([("Boxes from", str(learned["boxes"]))] if boxed else []),
        ("Alarm budget", model.config.scoring.budget),
        ("How sure that level is", _sureness(calibration)),
        ("Smoothing", f"{model.config.scoring.smoothing}, {model.mode()}"),
    ]


def _beside(learned: Mapping[str, Any]) -> str:
    """In words, what other cameras had a part in it."""
    count = len(learned.get("borrowed", {}).get("cameras", ()))
    return f", and {count} other {'camera' if count == 1 else 'cameras'}" if count else ""


def _sureness(calibration: Calibration) -> str:
    """In words, how well the held-back footage supports the level."""
    held = f"{_duration(calibration.hours * 3600)} of held-back normal footage with {calibration.peaks} separate peaks"
    between = f"90 % interval: {rarity(calibration.low)} to {rarity(calibration.high)}"
    return f"{between}; from {held}, which had {calibration.seen} events at this level"


def _notes(model: Model, calibration: Calibration) -> list[str]:
    config = model.config
    notes = [str(note)] if (note := model.learned.get("boxes_note")) else []
    source = config.perception.boxes.source if model.method.needs.boxes else "none"
    if source in ("file", "poses"):
        notes.append("Boxes were given in a file, so this shows the method and not what would be missed without them.")
    if source == "motion":
        notes.append("Boxes come from motion alone, so people who stand close together are seen as one.")
    if calibration.extrapolated:
        notes.append(
            "The alarm budget asks for events rarer than the held-back footage is long; the level is continued from "
            "its peaks by a generalised Pareto distribution. More normal footage makes it surer."
        )
    return notes


def _duration(seconds: float) -> str:
    """A length of time in words."""
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
