"""Several cameras watched at once: frames dropped, latencies, memory.

    python benchmarks/watch.py VIDEO... --model MODEL --rate 10 --minutes 5 --json watch.json

Each video is played as a camera, over and over, at so many frames a second. What is told: frames that arrived and were
dropped, seconds from a frame's decoding to its score and from an event's frame to its alarm in the store (with its
picture), and the memory of all processes over time, as the proportional share of each (PSS, where the system tells it).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

if TYPE_CHECKING:
    from amiss.live.nouns import Arrival

# amiss is imported where it is used: the processes of cameras run this file again, and need nothing of it


def memory_of(process: int) -> float:
    """Mebibytes of a process and those it started, what they share counted once."""
    return sum(_pss(one) for one in [process, *_children(process)]) / 1024


def _children(process: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *_children(int(child))]
    return found


def _pss(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1])


def measure(videos: list[Path], model: Path, rate: float, minutes: float, data: Path) -> dict[str, Any]:
    """Watch, and tell what was measured."""
    from amiss.live.health import Health
    from amiss.live.settings import CameraSettings, MediaSettings, MetricsSettings, WatchSettings
    from amiss.live.watch import Watcher

    alarms: list[float] = []

    class Counting(Health):
        """Remembers each latency of an alarm."""

        def alarm(self, camera: str, seconds: float) -> None:
            super().alarm(camera, seconds)
            alarms.append(seconds)

    cameras = {
        f"camera{number}": CameraSettings(source=str(video.resolve()), model=model, rate=rate, repeat=True)
        for number, video in enumerate(videos)
    }
    settings = WatchSettings(data=data, cameras=cameras, media=MediaSettings(before=2, after=1))
    health = Counting(MetricsSettings(), data)
    scored: list[float] = []
    curve: list[tuple[float, float]] = []
    lost: list[tuple[float, int]] = []
    watcher = Watcher(settings, lambda arrival, _: scored.append(_since(arrival)), health)
    with watcher:
        begin, busy = time.monotonic(), time.process_time()
        stop = threading.Event()

        def look() -> None:
            while not stop.wait(min(10.0, 6 * minutes)):
                curve.append((round(time.monotonic() - begin, 1), round(memory_of(os.getpid()), 1)))
                lost.append((curve[-1][0], sum(one.numbers.dropped for one in watcher.cameras.values())))

        thread = threading.Thread(target=look)
        thread.start()
        watcher.run(60 * minutes)
        seconds = time.monotonic() - begin
        stop.set()
        thread.join()
        numbers = {name: camera.numbers for name, camera in watcher.cameras.items()}
        found = len(watcher.store.events(limit=100_000))
    return {
        "cameras": len(cameras),
        "seconds": seconds,
        "arrived": sum(one.arrived for one in numbers.values()),
        "dropped": sum(one.dropped for one in numbers.values()),
        "frames_per_second": len(scored) / seconds,
        "score_seconds": _quantiles(scored),
        "alarm_seconds": _quantiles(alarms),
        "alarms": len(alarms),
        "events": found,
        "cpu_ms_a_frame": 1000 * (time.process_time() - busy) / max(len(scored), 1),
        "memory_mb": curve,
        "dropped_by": lost,
        "cores": os.cpu_count(),
    }


def _since(arrival: Arrival) -> float:
    return time.monotonic() - arrival.clock


def _quantiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    return {name: float(np.quantile(values, at)) for name, at in (("median", 0.5), ("p95", 0.95), ("max", 1.0))}


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    data = Path(tempfile.mkdtemp(prefix="amiss-watch-"))
    try:
        result = measure(given.videos, given.model, given.rate, given.minutes, data)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    if given.json:
        given.json.write_text(json.dumps(result, indent=1))
    console = Console(highlight=False)
    console.print({name: value for name, value in result.items() if name not in ("memory_mb", "dropped_by")})
    lost = [(0.0, 0), *result["dropped_by"]]
    later = [at for (at, now), (_, before) in zip(lost[1:], lost, strict=False) if now > before]
    if later:
        console.print(f"frames were dropped until {max(later):.0f} s after the start")
    half = [value for at, value in result["memory_mb"] if at > result["seconds"] / 2]
    if half:
        console.print(f"memory in the second half: {min(half):.0f} to {max(half):.0f} MB")


if __name__ == "__main__":
    main()
