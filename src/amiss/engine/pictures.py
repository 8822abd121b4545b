"""What a method's network made of the worst region of an event, to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from amiss.engine.model import Model
from amiss.engine.scores import Scores
from amiss.methods import Method
from amiss.pipeline import Pipeline
from amiss.types import Event, Image, Windows
from amiss.windows.bundle import Bundle
from amiss.windows.store import WindowPart

__all__ = ["event_pictures"]


def event_pictures(model: Model, scores: Sequence[Scores], events: Sequence[Event]) -> dict[str, Mapping[str, Image]]:
    """The pictures of some events, made from the windows that scoring has left in the cache.

    They are not part of the scores: windows are, as long as the cache keeps them, so a report that is written again has
    the same pictures. Without the windows there are none.

    Args:
        model: What scored the clips.
        scores: The clips.
        events: Of these clips.

    Returns:
        By the event's id, pictures by name, `(H, W, 3)` uint8 RGB each; nothing for an event without a region, or of a
        method that makes no pictures.
    """
    if type(model.method).pictures is Method.pictures:
        return {}
    pipeline = Pipeline(model.config, model.needs)
    asked = {event.camera for event in events}
    parts = {item.name: pipeline.cached(item.footage) for item in scores if item.name in asked}
    made = {}
    for event in events:
        part = parts.get(event.camera)
        windows = _worst(event, part) if part is not None and len(event.tube) else None
        if windows is not None:
            made[event.id] = {name: images[0] for name, images in model.method.pictures(windows).items()}
    return {key: pictures for key, pictures in made.items() if pictures}


def _worst(event: Event, part: WindowPart) -> Windows | None:
    """The window of an event's worst region, one for each method, or None where the cache does not have it."""
    worst = int(event.tube.score.argmax())
    windows = part.of(int(event.tube.track[worst]), int(event.tube.frame[worst]))
    if not len(windows):
        return None
    if isinstance(windows, Bundle):
        return windows
    return windows[[int(np.abs(windows.box - event.tube.xyxy[worst]).sum(1).argmin())]]
