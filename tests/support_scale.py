"""Footage with boxes for tests of archives, and workers inside the test's own process."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np

import support_footage as support
from amiss.scale.jobs import Answer, Job
from amiss.scale.team import Setup
from amiss.scale.work import Worker
from support_footage import HEIGHT, WIDTH, Walker

LONG = 600
SETTINGS = (
    "report.video=none",
    "scoring.smoothing=gaussian:2",
    "perception.boxes.source=file",
    "method.parts=[speed,size,place]",
)
BURSTS = (100, 205, 395, 500)
"""Frames at which something fast and large comes into the long clip, once across the middle."""


def walkers(seed: int, bursts: tuple[int, ...] = ()) -> list[Walker]:
    """Everyday people, and what else comes."""
    fast = [Walker(0.0, 40.0, 11.0, 60, 56, (250, 40, 40), start, start + 15) for start in bursts]
    return [*support.people(seed), *fast]


def boxes_of(things: list[Walker], length: int) -> tuple[np.ndarray, np.ndarray]:
    """`(N, 4)` boxes of what is drawn, and `(T + 1,)` the first row of each frame."""
    rows, ends = [], [0]
    for index in range(length):
        for thing in things:
            if thing.first <= index < thing.last:
                span = WIDTH + 2 * thing.width
                left = round((thing.x + thing.speed * (index - thing.first)) % span) - thing.width
                x1, x2 = max(left, 0), min(left + thing.width, WIDTH)
                if x2 - x1 >= 4:
                    rows.append((x1, thing.y, x2, min(thing.y + thing.height, HEIGHT)))
        ends.append(len(rows))
    return np.array(rows, np.float32), np.array(ends, np.int64)


def as_archive(root: Path, clips: dict[str, tuple[int, int, tuple[int, ...]]], split: str) -> Path:
    """Videos with the boxes of what they show beside them: by name seed, frames and bursts."""
    files: dict[str, np.ndarray] = {}
    for name, (seed, length, bursts) in clips.items():
        things, images = walkers(seed, bursts), []
        for index in range(length):
            picture = support.ground()
            for thing in things:
                thing.paint(picture, index)
            images.append(picture)
        support.encoded(root / split / f"{name}.mp4", images, preset="ultrafast", g="20", crf="16")
        files[f"{name}_boxes"], files[f"{name}_frame_ptr"] = boxes_of(things, length)
    np.savez(root / f"boxes_{split}.npz", **files)  # type: ignore[arg-type]  # names of arrays
    return root / split


class Inline:
    """Workers that are not processes: each does its job when it is asked for the answer."""

    def __init__(self, setup: Setup, count: int = 2) -> None:
        self._members = {number: Worker(setup) for number in range(count)}
        self._waiting: deque[tuple[int, Job]] = deque()
        self.jobs: list[Job] = []

    @property
    def workers(self) -> tuple[int, ...]:
        return tuple(self._members)

    def send(self, worker: int, job: Job) -> None:
        self.jobs.append(job)
        self._waiting.append((worker, job))

    def wait(self) -> Answer:
        worker, job = self._waiting.popleft()
        try:
            return Answer(worker, self._members[worker].do(job))
        except Exception as error:  # noqa: BLE001  # as the real ones do
            return Answer(worker, error=error)

    def close(self) -> None:
        for worker in self._members.values():
            worker.close()
