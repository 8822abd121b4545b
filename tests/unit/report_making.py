"""Small clips for the tests of the report: a bright square that moves over a dark ground."""

from pathlib import Path

import cv2
import numpy as np

from amiss.errors import FootageError
from amiss.report import ClipReport, Summary
from amiss.types import Event, Frame, FrameScores, RegionScores, Tube

SQUARE = (40, 200, 90)
SUMMARY = Summary("Gate", "attributes", "1 May 2026, 10:00", level=3.0, release=2.0, normal_band=(0.0, 1.0))


class Moving:
    """Footage of one square, 12 x 12 pixels, that moves two pixels a frame. It counts what is read of it."""

    def __init__(self, count=20, size=(96, 64), times=None, fails_at=None):
        self.name, self.path, self.length, self.rate = "moving", Path("moving"), count, 10.0
        self.size, self.fails_at = size, fails_at
        self.times = [index / self.rate for index in range(count)] if times is None else times
        self.passes = self.read = 0

    def box(self, index):
        left = 10.0 + 2 * index
        return np.array([left, 20, left + 12, 32], np.float32)

    def __iter__(self):
        self.passes += 1
        for index, seconds in enumerate(self.times):
            if index == self.fails_at:
                raise FootageError("moving: picture 5 cannot be read")
            image = np.full((self.size[1], self.size[0], 3), 30, np.uint8)
            x1, y1, x2, y2 = self.box(index).astype(int)
            image[y1:y2, x1:x2] = SQUARE
            self.read += 1
            yield Frame(image, index, seconds)

    def fingerprint(self):
        return "moving"


def curve(footage, high=()):
    """Scores that are 0.5, and 4 in the frames `high`; raw is ten times calibrated."""
    calibrated = np.full(len(footage.times), 0.5)
    calibrated[list(high)] = 4.0
    return FrameScores(np.arange(len(calibrated)), footage.times, calibrated * 10, calibrated * 10, calibrated)


def regions(footage, frames):
    """Two regions a frame: the square with the score of its frame, and a still box of low score."""
    number = np.repeat(frames.frame, 2)
    still = np.array([70, 40, 80, 60], np.float32)
    boxes = np.array([box for index in frames.frame for box in (footage.box(index), still)])
    scores = np.array([score for raw in frames.raw for score in (raw, 5.0)])
    return RegionScores(number, np.repeat(frames.seconds, 2), boxes, np.tile([1, 2], len(frames)), scores)


def event(footage, first, last, **changes):
    """An event of the square from frame `first` to `last`, with its peak in the middle."""
    rows = np.arange(first, last + 1)
    times = np.array(footage.times)[rows]
    boxes = np.array([footage.box(index) for index in rows])
    tube = Tube(rows, times, boxes, np.ones(len(rows), int), np.ones(len(rows)))
    values = {"id": f"e{first}", "camera": "gate", "severity": 4.0, "parts": {"motion": 3.0, "place": -1.0}}
    values |= {"reasons": ("Faster than 99 % of 800 tracks here.",), "examples": ("a.jpg", "gone.jpg"), "tube": tube}
    peak = float(times[len(times) // 2])
    return Event(start=float(times[0]), peak=peak, end=float(times[-1]), **(values | changes))


def clip(name="gate", high=range(5, 12), events=((5, 11),), footage=None, **changes):
    """A whole clip of `footage` with events at the given first and last frames."""
    footage = Moving() if footage is None else footage
    frames = curve(footage, high)
    found = [event(footage, *span) for span in events]
    values = {"frames": frames, "regions": regions(footage, frames), "events": found, "footage": footage}
    return ClipReport(name=name, **(values | changes))


def empty_scores():
    """A curve without a frame, and a table without a region."""
    none = np.zeros(0)
    return FrameScores(none, none, none, none, none), RegionScores(none, none, np.zeros((0, 4)))


def example():
    """A JPEG of a normal example."""
    return cv2.imencode(".jpg", np.full((20, 10, 3), 128, np.uint8))[1].tobytes()
