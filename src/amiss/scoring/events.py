"""From a calibrated curve to events: hysteresis, merging, and no event across a gap in time."""

from __future__ import annotations

from dataclasses import dataclass

from amiss.types import FloatArray

__all__ = ["Hysteresis", "Span", "find_spans"]


@dataclass(frozen=True)
class Span:
    """A stretch of time in which something was amiss.

    Attributes:
        first: Number of its first frame.
        peak: Frame of its highest score.
        last: Number of its last frame.
        start: Seconds of the first frame.
        top: Seconds of the peak.
        end: Seconds of the last frame.
        height: Score at the peak.
    """

    first: int
    peak: int
    last: int
    start: float
    top: float
    end: float
    height: float


class Hysteresis:
    """Opens when the score reaches one level and closes when it falls below a lower one, frame by frame.

    Spans closer than `merge` seconds are one, so a span is handed out only when that time has passed after it.

    Args:
        open_at: Level that opens.
        close_at: Level that closes, not above `open_at`.
        merge: Seconds.
        min_seconds: Shorter spans are dropped; a span's length includes its last frame's own duration.
        gap: A jump in time of more seconds than this ends a span.
    """

    def __init__(self, open_at: float, close_at: float, merge: float, min_seconds: float, gap: float) -> None:
        self._open_at, self._close_at = open_at, min(close_at, open_at)
        self._merge, self._min, self._gap = merge, min_seconds, gap
        self.reset()

    def reset(self) -> None:
        """Forget what is open."""
        self._span: Span | None = None
        self._inside = False
        self._before: float | None = None
        self._step = 0.0
        self._tail = 0.0

    @property
    def pending(self) -> Span | None:
        """The span that is open, or may still be merged with what follows."""
        return self._span

    @property
    def sure(self) -> bool:
        """Whether that span is long enough to be handed out whatever follows."""
        return self._span is not None and self._lasts(self._span)

    def update(self, frame: int, seconds: float, score: float) -> Span | None:
        """Take in one frame; gives the span that can no longer grow, if there is one."""
        jumped = self._before is not None and not 0 <= seconds - self._before <= self._gap
        ended = self.finish() if jumped else None
        self._step = 0.0 if jumped or self._before is None else seconds - self._before
        self._before = seconds
        if self._inside:
            self._tail = self._step
        if self._span and not self._inside and seconds - self._span.end > self._merge:
            ended = self._take()
        if score >= (self._close_at if self._inside else self._open_at):
            self._grow(frame, seconds, score)
        else:
            self._inside = False
        return ended

    def finish(self) -> Span | None:
        """End what is open; gives the last span, if there is one."""
        self._inside = False
        return self._take() if self._span else None

    def _grow(self, frame: int, seconds: float, score: float) -> None:
        old = self._span
        self._inside = True
        self._tail = self._step  # until the next frame tells
        if old is None:
            self._span = Span(frame, frame, frame, seconds, seconds, seconds, score)
        elif score > old.height:
            self._span = Span(old.first, frame, frame, old.start, seconds, seconds, score)
        else:
            self._span = Span(old.first, old.peak, frame, old.start, old.top, seconds, old.height)

    def _take(self) -> Span | None:
        span, self._span = self._span, None
        return span if span and self._lasts(span) else None

    def _lasts(self, span: Span) -> bool:
        return span.end - span.start + self._tail >= self._min - 1e-9


def find_spans(curve: FloatArray, seconds: FloatArray, finder: Hysteresis) -> list[Span]:
    """All spans of a whole curve `(T,)` with time stamps `(T,)`, in order."""
    finder.reset()
    found = [finder.update(frame, float(seconds[frame]), float(curve[frame])) for frame in range(len(curve))]
    return [span for span in [*found, finder.finish()] if span]
