"""What scoring with the default method costs against the length of footage and the number of people in it.

    python benchmarks/attributes_cost.py [--minutes 1,2,4,8] [--people 1,5,10,15,20] [--json F] [--picture FILE.svg]

The footage is made: textured rectangles walk to and fro, each in a lane of its own, before a still background of
320×180 at 5 frames a second; boxes come from motion. One model is learned; then each clip is scored in a process of its
own with nothing in the cache, which tells its seconds, those of the processor, and the most memory of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

import amiss
from amiss.config import load_config
from amiss.types import Frame, Image

WIDTH, HEIGHT, RATE = 320, 180, 5.0
ACROSS, DOWN, TALL, WIDE, STEP = 5, 4, 26, 12, 3
USUAL = 10
"""People in the footage that is learned from, and in clips of different lengths."""


@dataclass(frozen=True)
class Walkers:
    """Footage of people who each walk to and fro in a lane of their own."""

    people: int
    minutes: float
    seed: int = 0

    @property
    def name(self) -> str:
        """What it shows."""
        return f"walkers-{self.people}-{self.minutes:g}-{self.seed}"

    @property
    def path(self) -> Path:
        """Nowhere."""
        return Path("/nowhere") / self.name

    @property
    def rate(self) -> float:
        """Frames a second."""
        return RATE

    @property
    def length(self) -> int:
        """Number of frames."""
        return round(60 * RATE * self.minutes)

    def fingerprint(self) -> str:
        """Of what it shows."""
        return hashlib.blake2b(self.name.encode(), digest_size=16).hexdigest()

    def __iter__(self) -> Iterator[Frame]:
        background = texture(HEIGHT, WIDTH, 1)
        looks = [texture(TALL, WIDE, 100 + number) // 2 + 120 for number in range(self.people)]
        phases = np.random.default_rng(self.seed).integers(0, 1000, self.people)
        way = WIDTH // ACROSS - WIDE - 8
        for index in range(self.length):
            image = background.copy()
            for number, look in enumerate(looks):
                x = (
                    number % ACROSS * (WIDTH // ACROSS)
                    + 4
                    + abs((STEP * index + int(phases[number])) % (2 * way) - way)
                )
                y = number // ACROSS * (HEIGHT // DOWN) + 8
                image[y : y + TALL, x : x + WIDE] = look
            yield Frame(image, index, index / RATE)


def texture(height: int, width: int, seed: int) -> Image:
    """`(height, width, 3)` of soft random blobs."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(20, 120, (-(-height // 4), -(-width // 4), 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((4, 4, 1), np.uint8))[:height, :width]


def score(model: Path, people: int, minutes: float) -> dict[str, Any]:
    """Score one clip in this process, and tell what it cost."""
    with tempfile.TemporaryDirectory() as cache:
        learned = amiss.load(model)
        learned = amiss.Model(**{**vars(learned), "config": learned.config.model_copy(update={"cache": Path(cache)})})
        learned.score(Walkers(people, 0.1, seed=2))  # networks are compiled
        clock, busy = time.perf_counter(), time.process_time()
        with Peak() as peak:
            scores = learned.score(Walkers(people, minutes, seed=1))
        clock, busy = time.perf_counter() - clock, time.process_time() - busy
    frames = len(scores.frames)
    return {
        "people": people,
        "minutes": minutes,
        "boxes_a_frame": round(len(scores.regions) / frames, 1),
        "frames_per_second": round(frames / clock, 1),
        "cpu_ms": round(1000 * busy / frames, 2),
        "peak_mb": round(peak.megabytes),
    }


class Peak:
    """The most memory of its own that this process has while the block runs.

    Files of the cache that are mapped are not its own: the system takes them back when it needs the room.
    """

    def __enter__(self) -> Self:
        self.megabytes = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
            own = int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) / 1024
            self.megabytes = max(self.megabytes, own)


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Two charts side by side as SVG: milliseconds and memory against minutes, and against people."""
    charts = (("minutes", "minutes of footage"), ("people", "people in view"))
    drawn = [_chart(rows, key, title, 60 + 400 * number) for number, (key, title) in enumerate(charts)]
    style = "font-family='sans-serif' font-size='12' fill='#333'"
    text = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 800 260' {style}>"
    text += "<rect width='800' height='260' fill='white'/>" + "".join(drawn) + "</svg>\n"
    path.write_text(text, encoding="utf-8")


def _chart(rows: Sequence[dict[str, Any]], key: str, title: str, left: int) -> str:
    """One chart: dots joined by lines, from nought; processor time blue, memory orange."""
    other, fixed = ("people", USUAL) if key == "minutes" else ("minutes", min(row["minutes"] for row in rows))
    some = sorted((row for row in rows if row[other] == fixed), key=lambda row: float(row[key]))
    most = max(row[key] for row in some)
    parts = [f"<text x='{left + 150}' y='250' text-anchor='middle'>{title}</text>"]
    parts += [f"<path d='M{left},30V210H{left + 300}' fill='none' stroke='#999'/>"]
    for name, unit, colour, side in (("cpu_ms", "ms a frame", "#1f77b4", 0), ("peak_mb", "MB at most", "#d97706", 150)):
        top = 1.2 * max(row[name] for row in rows)
        places = [(left + 300 * row[key] / most, 210 - 180 * row[name] / top, row) for row in some]
        line = " ".join(f"{x:.0f},{y:.0f}" for x, y, _ in places)
        parts += [f"<polyline points='{line}' fill='none' stroke='{colour}' stroke-width='2'/>"]
        parts += [f"<circle cx='{x:.0f}' cy='{y:.0f}' r='3' fill='{colour}'/>" for x, y, _ in places]
        parts += [
            f"<text x='{x:.0f}' y='{y - 7:.0f}' text-anchor='middle' fill='{colour}'>{row[name]:g}</text>"
            for x, y, row in places
        ]
        parts += [f"<text x='{left + side}' y='20' fill='{colour}'>{unit}</text>"]
    parts += [
        f"<text x='{left + 300 * row[key] / most:.0f}' y='228' text-anchor='middle'>{row[key]:g}</text>" for row in some
    ]
    return "".join(parts)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", default="1,2,4,8")
    parser.add_argument("--people", default="1,5,10,15,20")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(score(Path(asked.one[0]), int(asked.one[1]), float(asked.one[2]))))
        return
    minutes = [float(text) for text in asked.minutes.split(",")]
    clips = [(USUAL, length) for length in minutes]
    clips += [(int(text), minutes[0]) for text in asked.people.split(",") if int(text) != USUAL]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(sets=["perception.boxes.source=motion", f"cache={folder}/cache"])
        amiss.learn([Walkers(USUAL, 1.0, seed=number) for number in (3, 4)], config=config).save(Path(folder) / "model")
        for people, length in clips:
            command = [sys.executable, __file__, "--one", f"{folder}/model", str(people), str(length)]
            found = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # this very file
            rows.append(json.loads(found.stdout))
            print(rows[-1])
    if asked.json:
        asked.json.write_text(json.dumps({"benchmark": "attributes_cost", "rows": rows}, indent=1) + "\n")
    if asked.picture:
        draw(rows, asked.picture)


if __name__ == "__main__":
    main()
