"""What is written of an archive when its clips are scored: tables of all, and a page of the worst."""

from __future__ import annotations

import heapq
import json
from pathlib import Path

from amiss.engine import Model, Scores, read_scores
from amiss.engine.scores import gather_scores
from amiss.errors import FootageError, ScoresError
from amiss.footage import Footage, make_footage
from amiss.scale.archive import Archive
from amiss.scale.jobs import Place
from amiss.scale.remote import is_remote

__all__ = ["gather", "worst_clips"]


def gather(archive: Archive, model: Model) -> int:
    """Write `scores.parquet`, `frames.parquet` and `events.json` of all clips of an archive.

    Args:
        archive: With a clip at least.
        model: What scored it.

    Returns:
        How many events there are.

    Raises:
        ScoresError: What was kept is damaged.
        StorageError: The folder cannot be written.
    """
    folders = [archive.folder_of(place) for place in archive.places]
    gather_scores(archive.folder, folders, {"method": model.method.id, "smoothing": model.config.scoring.smoothing})
    return sum(len(_severities(folder)) for folder in folders)


def worst_clips(archive: Archive, count: int, fps: float) -> list[Scores]:
    """The clips with the most severe events, of those whose footage this machine can read.

    Args:
        archive: With a clip at least.
        count: At most so many, or the first clip where none has an event.
        fps: Frames per second of folders of frames.

    Returns:
        In the order of the archive.
    """
    worst = [max(_severities(archive.folder_of(place)), default=-1.0) for place in archive.places]
    ranked = heapq.nlargest(
        count, (number for number in range(len(worst)) if worst[number] >= 0), key=worst.__getitem__
    )
    found: list[Scores] = []
    for place in (archive.places[number] for number in sorted(ranked) or [0]):
        if footage := _reachable(place, fps):
            found += read_scores(archive.folder_of(place), {place.name: footage})
    return found


def _severities(folder: Path) -> list[float]:
    """Of the events of a clip."""
    try:
        events = json.loads((folder / "events.json").read_text(encoding="utf-8"))
        return [float(event["severity"]) for event in events]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScoresError(f"{folder / 'events.json'} is missing or damaged ({error}); score again") from None


def _reachable(place: Place, fps: float) -> Footage | None:
    if is_remote(place.url):
        return None
    try:
        return make_footage(Path(place.url), fps, place.name)
    except FootageError:
        return None
