"""Frame by frame: the same numbers as a whole file that is smoothed with the past only."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from amiss.engine.model import Model, needs_in, persistence
from amiss.engine.score import event_of
from amiss.pipeline import Pipeline
from amiss.scoring.calibrate import make_finder
from amiss.scoring.combine import persist
from amiss.scoring.events import Span
from amiss.scoring.explain import worst_of
from amiss.scoring.smooth import CausalFilter, Smoothing, is_jump
from amiss.types import Event, Frame, RegionScores, Windows

__all__ = ["Pending", "Stream", "Update"]


@dataclass(frozen=True, eq=False)
class Update:
    """What one frame brought.

    Attributes:
        regions: Its scored regions.
        raw: Its score: that of the worst region.
        smoothed: The score smoothed with the past.
        calibrated: -log10 of the share of normal footage that scores as high.
        event: An event that ended, if one did.
        windows: The windows that the frame was scored by.
    """

    regions: RegionScores
    raw: float
    smoothed: float
    calibrated: float
    event: Event | None
    windows: Windows


@dataclass(frozen=True, eq=False)
class Pending:
    """An event that goes on.

    Attributes:
        event: So far.
        windows: The windows of its worst frame, or none.
        region: Its worst region, with maps where the method makes any; no row where nothing was seen.
    """

    event: Event
    windows: Windows | None
    region: RegionScores | None = None


class Stream:
    """Scores frames as they come. All state is in the object: two cameras are two streams.

    Args:
        model: The model.
        camera: Name for the events.
        most: Of an event that goes on for longer, not more than about so many frames' regions are kept, evenly spread.
    """

    def __init__(self, model: Model, camera: str = "camera", most: int | None = None) -> None:
        self._model, self._camera = model, camera
        self._pipeline = Pipeline(model.config, needs_in("causal", model.method.needs))
        self._pipeline.reset()
        self._calibration = model.calibrations["causal"]
        self._filter = CausalFilter(Smoothing.parse(model.config.scoring.smoothing))
        self._finder = make_finder(self._calibration.level, model.config.scoring, model.config.footage.gap)
        self._held = _Held(most)
        self._before: float | None = None
        self._standing: tuple[RegionScores, Windows] | None = None
        self._recent: deque[RegionScores] = deque(maxlen=persistence(model.config, model.method))

    @property
    def pipeline(self) -> Pipeline:
        """What it sees with."""
        return self._pipeline

    def update(self, frame: Frame) -> Update:
        """Score one frame; frames come in order of time."""
        if self._before is not None and is_jump(self._before, frame.seconds, self._model.config.footage.gap):
            self._filter.reset()
            self._standing = None
        self._before = frame.seconds
        scored, windows = self._score(frame)
        regions = self._persist(scored, frame.index)
        raw = float(regions.score.max(initial=self._calibration.floor))
        smoothed = self._filter.update(raw)
        calibrated = float(self._calibration.tail.rarity(np.array([smoothed]))[0])
        span = self._finder.update(frame.index, frame.seconds, calibrated)
        event = self._event(span) if span else None
        self._held.add(frame.index, regions, windows, self._finder.pending)
        return Update(regions, raw, smoothed, calibrated, event, windows)

    @property
    def span(self) -> Span | None:
        """When the event is that goes on and is sure to be one; None where there is none."""
        return self._finder.pending if self._finder.sure else None

    def pending(self) -> Pending | None:
        """The event that goes on and is sure to be one, as far as it has come."""
        span = self.span
        if span is None:
            return None
        return Pending(self._event(span), self._held.known, worst_of(self._held.regions()))

    def _score(self, frame: Frame) -> tuple[RegionScores, Windows]:
        """The regions of this frame and the windows they are of; between two that are scored, those of the one before.

        Like `hold` does it for whole files.
        """
        windows = self._pipeline.update(frame)
        if frame.index % self._model.needs.stride == 0 or self._standing is None:
            self._standing = self._model.method.score(windows), windows
        scored, windows = self._standing
        count = len(scored)
        return replace(scored, frame=np.full(count, frame.index), seconds=np.full(count, frame.seconds)), windows

    def _persist(self, regions: RegionScores, frame: int) -> RegionScores:
        """The regions of this frame, with scores averaged along their tracks."""
        self._recent.append(regions)
        known = persist(RegionScores.merge(list(self._recent)), self._recent.maxlen or 1, self._calibration.floor)
        return known[known.frame == frame]

    def finish(self) -> Event | None:
        """End the stream; gives the event that was open, if one was."""
        span = self._finder.finish()
        return self._event(span) if span else None

    def _event(self, span: Span) -> Event:
        regions, windows = self._held.regions(), self._held.windows
        return event_of(self._model, "causal", self._camera, span, regions, lambda *_: windows)


class _Held:
    """What an open event needs: its regions, and the windows of its worst frame."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._forget()

    def _forget(self) -> None:
        self._inside: list[RegionScores] = []
        self._after: list[tuple[RegionScores, Windows]] = []
        self._worst = float("-inf")
        self._windows: Windows | None = None
        self._every, self._met = 1, 0

    @property
    def known(self) -> Windows | None:
        """The windows of the worst frame, or None."""
        return self._windows

    @property
    def windows(self) -> Windows:
        """The windows of the worst frame.

        Raises:
            LookupError: No frame of the event had any.
        """
        if self._windows is None:
            raise LookupError("no window in the event")
        return self._windows

    def regions(self) -> RegionScores:
        """All regions of the event so far."""
        return RegionScores.merge(self._inside)

    def add(self, frame: int, regions: RegionScores, windows: Windows, span: Span | None) -> None:
        """Keep a frame while an event is open, or may still be joined to the next."""
        if span is None or span.first == frame:
            self._forget()
        if span is None:
            return
        self._after.append((regions, windows))
        if span.last == frame:
            for some, theirs in self._after:
                self._take(some, theirs)
            self._after.clear()

    def _take(self, regions: RegionScores, windows: Windows) -> None:
        worst = worst_of(regions)
        worse = len(worst) > 0 and float(worst.score[0]) > self._worst
        if worse:
            self._worst, self._windows = float(worst.score[0]), windows
        if worse or self._met % self._every == 0:
            self._inside.append(regions)
        self._met += 1
        if self._most and len(self._inside) > self._most:
            self._thin()

    def _thin(self) -> None:
        """Drop every second frame, but not the worst; from now on take in half as many."""
        self._every *= 2
        worst = max(self._inside, key=lambda regions: float(regions.score.max(initial=-np.inf)))
        self._inside = [one for number, one in enumerate(self._inside) if number % 2 == 0 or one is worst]
