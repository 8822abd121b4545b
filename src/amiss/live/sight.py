"""What a camera's frames go through: the scores of a model that it has, or only what is needed to learn one."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from amiss.config import Config
from amiss.engine import Model, Pending, Stream, Update, make_method
from amiss.live.nouns import Arrival
from amiss.pipeline import Pipeline
from amiss.scoring.events import Span
from amiss.types import Event, Frame, Windows

__all__ = ["MOST_FRAMES", "Gathering", "Scoring", "fitted"]

MOST_FRAMES = 2048
"""Frames of an event whose regions are held in memory; of longer ones some."""
SHAPE = 0.02
"""Two sizes of a picture are of one shape if the ratios of their sides differ by less than this share."""


class Gathering:
    """Windows alone: the camera has no model yet.

    Args:
        method: Id of the method that is to learn.
        config: Its settings, with a box source that can be used here.
    """

    def __init__(self, method: str, config: Config) -> None:
        self.pipeline = Pipeline(config, make_method(method, config).needs.live)  # as it will see when it scores
        self.pipeline.reset()

    def see(self, frame: Frame) -> tuple[Windows, Update | None]:
        """The windows that a frame completes, and no scores."""
        return self.pipeline.update(frame), None


class Scoring:
    """Scores of a model, and the windows that they are of.

    Args:
        model: The model, with the camera's own budget.
        camera: Name of the camera.
    """

    def __init__(self, model: Model, camera: str) -> None:
        self.model = model
        self._stream = Stream(model, camera, MOST_FRAMES)

    @property
    def pipeline(self) -> Pipeline:
        """What it sees with."""
        return self._stream.pipeline

    @property
    def level(self) -> float:
        """The level of events."""
        return self.model.calibrations["causal"].level

    @property
    def span(self) -> Span | None:
        """When the event is that goes on and is sure to be one."""
        return self._stream.span

    def see(self, frame: Frame) -> tuple[Windows, Update | None]:
        """The windows that a frame completes, and its scores."""
        update = self._stream.update(frame)
        return update.windows, update

    def pending(self) -> Pending | None:
        """The event that goes on."""
        return self._stream.pending()

    def finish(self) -> Event | None:
        """End: gives the event that was open, if one was."""
        return self._stream.finish()


def fitted(arrival: Arrival, size: tuple[int, int]) -> Arrival | None:
    """A frame at the size that the camera's windows have been made of, as a camera may change to another stream.

    Args:
        arrival: The frame.
        size: Width and height in pixels.

    Returns:
        The same, or shrunk or enlarged; None where it has another shape, and so shows another view.
    """
    width, height = arrival.frame.size
    if (width, height) == size:
        return arrival
    if abs(width / height - size[0] / size[1]) > SHAPE * size[0] / size[1]:
        return None
    how = cv2.INTER_AREA if width > size[0] else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(arrival.frame.image, size, interpolation=how), np.uint8)
    return replace(arrival, frame=replace(arrival.frame, image=image))
