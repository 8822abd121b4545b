"""How long the review page takes with many events and many cameras: the first page, filters, an event, a curve.

First the time on the server, without a network, of calls one after the other; then, where there is a Chromium, how long
a browser takes until keys work, with nothing kept from before, and how evenly it draws while a curve is dragged (of 20
pictures 19 came as soon). Median and slowest of several. Run it with the project's Python:

    .venv/bin/python benchmarks/review.py --events 50000
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
import uvicorn
from argon2 import PasswordHasher

from amiss.live.store import Curve, Life, Role, Store
from amiss.live.store.tables import CameraTable, EventTable
from amiss.web import Site, make_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PARTS = ("velocity", "appearance", "place", "pose")
PASSWORD = "a long enough password"  # noqa: S105  # of a person who is made up
CAMERAS, BOXES, BATCH, RATE = 30, 100, 1000, 10
"""Cameras with events, boxes of an event, events written at once, frames a second."""
LIMIT, USABLE, EVEN = 0.3, 1.0, 0.1
"""Seconds that an answer may take, that a browser may take until keys work, and that may pass between two pictures."""
PICTURE = "camera-00/picture.jpg"


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
        "snapshot": PICTURE,
        "clip": None,
        "part": part,
    }


def fill(store: Store, data: Path, count: int, cameras: int, now: float) -> None:
    """Events, cameras, two people and a curve of two hours."""
    generator = np.random.default_rng(0)
    for first in range(0, count, BATCH):
        rows = [event(number, now, generator) for number in range(first, min(first + BATCH, count))]
        store._database.write(lambda session, rows=rows: session.execute(sa.insert(EventTable), rows))  # noqa: SLF001  # in bulk
    names = [f"camera-{number:02d}" for number in range(max(cameras, CAMERAS))]
    told = {"life": Life.LIVE, "since": now, "why": "for trial", "by": "rule", "detail": {}}
    lives = [{"name": name, **told} for name in names]
    store._database.write(lambda session: session.execute(sa.insert(CameraTable), lives))  # noqa: SLF001  # in bulk
    for name in names:
        (data / "cameras" / name).mkdir(parents=True)
    password = PasswordHasher().hash(PASSWORD)
    store.add_account("ann", password, Role.ADMIN, None, "trial")
    store.add_account("vera", password, Role.VIEWER, names, "trial")
    picture = store.media / PICTURE
    picture.parent.mkdir(parents=True, exist_ok=True)
    noise = generator.integers(0, 255, (90, 160, 3)).astype(np.uint8)
    picture.write_bytes(cv2.imencode(".jpg", cv2.resize(noise, (640, 360)))[1].tobytes())
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
        "part of a camera's name": "/api/v1/cameras?like=ra-07&limit=20",
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
    parser.add_argument("--cameras", type=int, default=10_000, help=f"known ones; {CAMERAS} of them have events")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    given = parser.parse_args()
    now = time.time()
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "a.sqlite", Path(folder) / "m") as store:
        fill(store, Path(folder), given.events, given.cameras, now)
        site = Site(store, Path(folder))
        results = measure(site, now, given.rounds) | browsed(site, given.rounds)
    for name, (middle, slowest, _) in results.items():
        print(f"{name:32} {1000 * middle:7.0f} ms, slowest {1000 * slowest:7.0f} ms")
    if given.json:
        given.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    late = [f"{name} (over {1000 * limit:.0f} ms)" for name, (middle, _, limit) in results.items() if middle > limit]
    if late:
        sys.exit(f"too slow: {', '.join(late)}")


Figures = dict[str, tuple[float, float, float]]
"""By name: median, slowest, and what the median may be, in seconds."""


def measure(site: Site, now: float, rounds: int) -> Figures:
    """How long the server takes."""
    from starlette.testclient import TestClient

    browser = TestClient(make_app(site))

    def sign_in(name: str) -> None:
        token = browser.post("/api/v1/sessions", json={"name": name, "password": PASSWORD}).json()["token"]
        browser.headers["Authorization"] = f"Bearer {token}"

    sign_in("ann")
    found = {name: timed(lambda path=path: browser.get(path), rounds) for name, path in asked(now).items()}
    sign_in("vera")
    found["of one with a list of cameras"] = timed(lambda: browser.get("/"), rounds)
    return {name: (statistics.median(times), max(times), LIMIT) for name, times in found.items()}


def browsed(site: Site, rounds: int) -> Figures:
    """How long a browser takes."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        print("there is no Chromium: nothing is measured in a browser", file=sys.stderr)
        return {}
    from playwright.sync_api import sync_playwright

    with served(site) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(f"{address}/sign-in")
        page.fill("input[name=name]", "ann")
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/")
        first = [usable(browser, context, address) for _ in range(rounds)]
        filtered = [chosen(page, address, part) for part in (*PARTS, *PARTS)[:rounds]]
        gaps = dragged(page, address)
        browser.close()
    return {
        "first page, usable in a browser": (statistics.median(first), max(first), USABLE),
        "a filter, usable in a browser": (statistics.median(filtered), max(filtered), USABLE),
        "between pictures while dragging": (statistics.quantiles(gaps, n=20)[-1], max(gaps), EVEN),
    }


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The address at which a site is served, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(make_app(site), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def usable(browser: Browser, signed_in: BrowserContext, address: str) -> float:
    """Seconds until the first page can be used by a browser in which nothing was kept from before."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, storage_state=signed_in.storage_state())
    page = context.new_page()
    page.goto(address)
    seconds = since_asked(page)
    context.close()
    return seconds


def chosen(page: Page, address: str, part: str) -> float:
    """Seconds until it can be used again after a filter was set."""
    page.goto(address)
    page.select_option("select[name=part]", part)
    page.wait_for_url(f"**/?part={part}")
    return since_asked(page)


def since_asked(page: Page) -> float:
    """Seconds from asking for a page until its scripts had run, by the browser's own clock; from then on keys work."""
    page.keyboard.press("j")
    page.wait_for_selector("#queue > li:nth-child(2).now")
    return float(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")) / 1000


def dragged(page: Page, address: str) -> list[float]:
    """Seconds between the pictures that a browser draws while two hours of a curve, seen in part, are dragged."""
    page.goto(f"{address}/cameras/camera-00")
    page.wait_for_selector("#curve[data-points]:not([data-points='0'])")
    page.click("[data-zoom='0.5']")
    page.wait_for_timeout(1500)
    page.locator("#curve").scroll_into_view_if_needed()
    place = page.locator("#curve .nsewdrag").first.bounding_box()
    if place is None:
        raise SystemExit("the curve cannot be dragged")
    across, down = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.evaluate("""() => { window.drawn = [];
        const note = (at) => { window.drawn.push(at); requestAnimationFrame(note); };
        requestAnimationFrame(note); }""")
    page.mouse.move(across, down)
    page.mouse.down()
    for step in range(120):
        page.mouse.move(across + 3 * (60 - abs(step - 60)), down)
    page.mouse.up()
    return [(after - before) / 1000 for before, after in pairwise(page.evaluate("window.drawn"))]


if __name__ == "__main__":
    main()
