"""How long the review page takes with many events: the first page, filters, an event, and a curve of two hours.

Time on the server, without a network, of calls one after the other; median and slowest of several. Run it with the
project's Python:

    .venv/bin/python benchmarks/review.py --events 50000
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from argon2 import PasswordHasher

from amiss.live.store import Curve, Life, Role, Store
from amiss.live.store.tables import EventTable
from amiss.web import Site, make_app

PARTS = ("velocity", "appearance", "place", "pose")
PASSWORD = "a long enough password"  # noqa: S105  # of a person who is made up
CAMERAS, BOXES, BATCH, RATE = 30, 100, 1000, 10
LIMIT = 0.3
"""Seconds that the first page and filters may take."""


def event(number: int, now: float, generator: np.random.Generator) -> dict[str, Any]:
    """The columns of an event with so many boxes as a real one has."""
    start = now - 600.0 * float(generator.uniform(0, 6000))
    boxes = (np.array([100, 60, 130, 120]) + generator.integers(0, 200, (BOXES, 1))).astype(float)
    look = generator.standard_normal(48)
    part = PARTS[number % len(PARTS)]
    verdict = ("none", "none", "normal", "right")[int(generator.integers(4))]
    likeness = {"part": part, "by": "picture", "places": [[0.1, 0.2, 0.2, 0.5]] * 12}
    return {
        "id": f"event-{number:06d}",
        "camera": f"camera-{int(generator.integers(CAMERAS)):02d}",
        "start": start,
        "peak": start + 5,
        "end": start + 10,
        "open": False,
        "alarm": bool(generator.integers(2)),
        "quiet": "",
        "severity": float(3 + generator.exponential()),
        "level": 3.0,
        "model": "f00d",
        "parts": dict.fromkeys(PARTS, 1.0),
        "reasons": ["faster than 99.9 % of 41,000 tracks here"],
        "examples": ["0000.jpg"],
        "tube": {
            "at": [start + index / RATE for index in range(BOXES)],
            "xyxy": boxes.tolist(),
            "track": [number] * BOXES,
            "score": [3.5] * BOXES,
        },
        "size": [640, 360],
        "zones": [],
        "likeness": likeness | {"look": (look / np.linalg.norm(look)).round(4).tolist()},
        "repeats": 0,
        "verdict": verdict,
        "suppressed": None,
        "snapshot": None,
        "clip": None,
        "part": part,
    }


def fill(store: Store, data: Path, count: int, now: float) -> None:
    """Events, cameras, a person and a curve of two hours."""
    generator = np.random.default_rng(0)
    for first in range(0, count, BATCH):
        rows = [event(number, now, generator) for number in range(first, min(first + BATCH, count))]
        store._database.write(lambda session, rows=rows: session.execute(sa.insert(EventTable), rows))  # noqa: SLF001
    for number in range(CAMERAS):
        store.set_life(f"camera-{number:02d}", Life.LIVE, "for trial", "rule")
    store.add_account("ann", PasswordHasher().hash(PASSWORD), Role.ADMIN, None, "trial")
    for piece in range(12):
        at = now - 7200 + 600 * piece + np.arange(6000) / RATE
        path = data / "cameras" / "camera-00" / "curves" / f"{piece:02d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"at": at, "calibrated": np.abs(generator.standard_normal(6000))}), path)
        store.add_curve(Curve("camera-00", at[0], at[-1], str(path), 6000))


def asked(now: float) -> dict[str, str]:
    """What is measured, by name."""
    curve = f"/api/v1/cameras/camera-00/curve?start={now - 7200}&end={now}&points=3000"
    return {
        "first page": "/",
        "the newest first": "/?order=newest",
        "one camera": "/?camera=camera-07",
        "a part": "/?part=pose",
        "of a week": "/?hours=168",
        "rare ones": "/?severity=6",
        "quiet ones": "/?told=quiet",
        "called normal": "/?state=normal",
        "all at once": "/?camera=camera-03&part=place&severity=4&told=alarm&state=open&hours=5000",
        "ten cameras": "/?" + "&".join(f"camera=camera-{number:02d}" for number in range(10)),
        "an event": "/events/event-000100",
        "alike events": "/api/v1/events/event-000100/alike",
        "cameras": "/cameras",
        "curve of two hours": curve,
    }


def timed(call: Callable[[], httpx.Response], rounds: int) -> list[float]:
    """Seconds of some calls, after one that is not counted."""
    found = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        answer = call()
        found.append(time.perf_counter() - begun)
        if answer.status_code != httpx.codes.OK:
            raise SystemExit(f"{answer.url} answered {answer.status_code}: {answer.text[:200]}")
    return found[1:]


def main() -> None:
    """Fill a store, serve it, ask, and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    given = parser.parse_args()
    now = time.time()
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "a.sqlite", Path(folder) / "m") as store:
        fill(store, Path(folder), given.events, now)
        results = measure(Site(store, Path(folder)), now, given.rounds)
    for name, (middle, slowest) in results.items():
        print(f"{name:22} {1000 * middle:7.0f} ms, slowest {1000 * slowest:7.0f} ms")
    if given.json:
        given.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    late = [name for name, (middle, _) in results.items() if middle > LIMIT]
    if late:
        sys.exit(f"slower than {1000 * LIMIT:.0f} ms: {', '.join(late)}")


def measure(site: Site, now: float, rounds: int) -> dict[str, tuple[float, float]]:
    """Median and slowest of each, in seconds."""
    from starlette.testclient import TestClient

    browser = TestClient(make_app(site))
    token = browser.post("/api/v1/sessions", json={"name": "ann", "password": PASSWORD}).json()["token"]
    browser.headers["Authorization"] = f"Bearer {token}"
    found = {name: timed(lambda path=path: browser.get(path), rounds) for name, path in asked(now).items()}
    return {name: (statistics.median(times), max(times)) for name, times in found.items()}


if __name__ == "__main__":
    main()
