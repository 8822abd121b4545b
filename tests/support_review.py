"""A folder of data as the watcher lays it out, with people who look at it, for the tests of the review page."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from amiss.config import Config
from amiss.footage.encode import VideoEncoder
from amiss.live.nouns import Change, EventRow, Incident, IncidentKind
from amiss.live.store import Curve, Life, Role, Store
from amiss.perception.cache import Cache
from amiss.types import FloatArray, Image, Windows
from amiss.web import Site
from amiss.windows.store import WindowWriter

PASSWORD = "a long enough password"  # noqa: S105  # of people who are made up
SIZE = (320, 180)
RATE = 10.0
BEFORE = 2.0
ODD = "quo\"te <b>&'=1+1"
"""A camera whose name has quotes and markup, as no settings file allows and a store still may hold."""
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@cache
def hashed() -> str:
    """The password as accounts keep it, but quick to check."""
    return QUICK.hash(PASSWORD)


@dataclass
class Film:
    """Pictures with the box of what stands out in each."""

    pictures: Sequence[Image]
    boxes: Sequence[Sequence[float]]

    @property
    def size(self) -> tuple[int, int]:
        return self.pictures[0].shape[1], self.pictures[0].shape[0]


def squares(seconds: float = 5.0, speed: float = 60.0) -> Film:
    """A white square of 30 pixels that moves to the right over a dark ground with a gradient."""
    width, height = SIZE
    ground = np.zeros((height, width, 3), np.uint8)
    ground[..., 2] = np.linspace(40, 90, height, dtype=np.uint8)[:, None]
    ground[..., 1] = 40
    pictures, boxes = [], []
    for index in range(round(seconds * RATE)):
        left = 10 + speed * index / RATE
        picture = ground.copy()
        picture[75:105, round(left) : round(left) + 30] = 255
        pictures.append(picture)
        boxes.append([round(left), 75, round(left) + 30, 105])
    return Film(pictures, boxes)


def write_film(path: Path, film: Film) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoEncoder(path) as video:
        video.open(film.size, RATE)
        for index, picture in enumerate(film.pictures):
            video.write(picture, index / RATE, 1 / RATE)


def write_picture(path: Path, picture: Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def look(seed: int) -> list[float]:
    """A unit vector; the same seed gives the same."""
    values = np.random.default_rng(seed).standard_normal(48)
    return [round(float(value), 4) for value in values / np.linalg.norm(values)]


@dataclass
class Folder:
    """A folder of data that grows."""

    root: Path
    now: float = field(default_factory=time.time)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store.open(self.root / "amiss.sqlite", self.root / "media", patience=2.0)

    def event(self, name: str, camera: str = "gate", ago: float = 600.0, **changes: Any) -> EventRow:
        """Keep an event; `film` gives it a clip and a snapshot, `kind` says what it is alike."""
        film: Film | None = changes.pop("film", None)
        kind: int = changes.pop("kind", abs(hash(name)) % 10_000)
        start = self.now - ago
        size = film.size if film else SIZE
        boxes = film.boxes if film else [[100.0, 60.0, 130.0, 120.0]] * 10
        first = start - BEFORE
        kept = range(round(BEFORE * RATE), len(boxes)) if film else range(len(boxes))
        at = [first + index / RATE for index in kept] if film else [start + index / RATE for index in kept]
        tube = {
            "at": [round(value, 3) for value in at],
            "xyxy": [list(map(float, boxes[index])) for index in kept],
            "track": [7] * len(kept),
            "score": [round(4.0 - abs(place / len(kept) - 0.6), 4) for place in range(len(kept))],
            "clip_start": first,
        } | changes.pop("tube", {})
        part = changes.get("part", "velocity")
        changes.pop("part", None)
        places = [[value / side for value, side in zip(tube["xyxy"][0], (*size, *size), strict=True)]]
        values: dict[str, Any] = {
            "id": name,
            "camera": camera,
            "start": start,
            "peak": at[int(0.6 * len(at))],
            "end": at[-1],
            "open": False,
            "alarm": True,
            "severity": 4.0,
            "level": 3.0,
            "model": "f00d",
            "parts": {part: 4.0, "appearance": 1.5, "place": 0.4},
            "reasons": ("faster than 99.9 % of 41,000 tracks here", "larger than usual at this place"),
            "examples": ("0000.jpg", "0001.jpg"),
            "tube": tube,
            "size": size,
            "zones": ("entrance",),
            "likeness": {"part": part, "by": "picture", "places": places, "look": look(kind)},
        }
        row = EventRow(**values | changes)
        self.store.put_event(row, Change.END)
        if film:
            self.media(row, film)
        return row

    def media(self, row: EventRow, film: Film) -> None:
        clip, snapshot = f"{row.camera}/{row.id}-clip.mp4", f"{row.camera}/{row.id}-snapshot.jpg"
        write_film(self.root / "media" / clip, film)
        write_picture(self.root / "media" / snapshot, film.pictures[len(film.pictures) // 2])
        self.store.set_media(row.id, snapshot=snapshot, clip=clip)

    def camera(self, name: str, picture: Image, life: Life = Life.LIVE, **settings: Any) -> Path:
        """A camera that is watched: its life, its picture, its settings, two normal examples."""
        self.store.set_life(name, Life.COLLECTING, "new", "rule")
        self.store.set_life(name, life, "scored 24.0 hours in the shadow", "rule")
        home = self.root / "cameras" / name
        write_picture(home / "now.jpg", picture)
        for index in range(4):
            write_picture(home / "examples" / "f00d" / f"{index:04d}.jpg", picture[60 : 120 + index, 40:90])
        told: dict[str, Any] = {
            "budget": "2/day",
            "level": 3.0,
            "level_low": 2.8,
            "level_high": 3.4,
            "schedule": {"zone": "Europe/Berlin"},
            "rate": 10.0,
        }
        told |= {"zones": {"entrance": {}}, "model": None, "fingerprint": "f00d"} | settings
        (home / "settings.json").write_text(json.dumps(told), encoding="utf-8")
        return home

    def curve(self, camera: str, at: FloatArray, calibrated: FloatArray) -> None:
        """Keep a curve in files of ten minutes."""
        home = self.root / "cameras" / camera / "curves"
        home.mkdir(parents=True, exist_ok=True)
        for first in range(0, len(at), 6000):
            some = slice(first, first + 6000)
            path = home / f"{first:08d}.parquet"
            pq.write_table(pa.table({"at": at[some], "calibrated": calibrated[some]}), path)
            self.store.add_curve(Curve(camera, at[some][0], at[some][-1], str(path), len(at[some])))

    def blocks(self, camera: str, starts: Sequence[float]) -> None:
        """Keep blocks of ten minutes from some times on."""
        for number, start in enumerate(starts):
            with Cache(self.root / "cameras" / camera / "windows").writing(f"b{number:04d}") as writer:
                windows = WindowWriter(writer)
                for second in range(3):
                    box = np.array([[10, 10, 30, 50]], np.float32)
                    windows.append(second * 300.0, Windows(np.array([second]), np.array([second * 300.0]), box))
                writer.meta = {"start": start, "hours": 1 / 6}

    def incident(self, camera: str, kind: IncidentKind, ago: float, lasted: float | None) -> None:
        start = self.now - ago
        end = None if lasted is None else start + lasted
        self.store.put_incident(Incident(camera, kind, start, end, f"the view: {kind.value}"))

    def person(self, name: str, role: Role, cameras: Sequence[str] | None) -> None:
        self.store.add_account(name, hashed(), role, cameras, "test")


def peaks(now: float, rows: Sequence[EventRow], hours: float = 2.0) -> tuple[FloatArray, FloatArray]:
    """A curve of so many hours up to now, at ten frames a second, which rises far where events are."""
    count = round(hours * 3600 * RATE)
    at = now - hours * 3600 + np.arange(count) / RATE
    noise = np.abs(np.random.default_rng(5).standard_normal(count))
    calibrated = np.convolve(noise, np.ones(25) / 25, "same") * 0.9
    for row in rows:
        inside = (at >= row.start) & (at <= row.end)
        calibrated[inside] = 2 * row.severity - 0.4 * np.abs(np.linspace(-1, 1, int(inside.sum())))
    return at, calibrated


def client(site_app: Any, name: str = "", address: str = "testclient") -> TestClient:
    """A browser, signed in by form where a name is given."""
    found = TestClient(site_app, follow_redirects=False, client=(address, 50000), raise_server_exceptions=False)
    if name:
        page = found.get("/sign-in")
        given = {"csrf": csrf_in(page.text), "name": name, "password": PASSWORD, "next": "/"}
        answer = found.post("/sign-in", data=given)
        assert answer.status_code == 303, answer.text
    return found


def csrf_in(page: str) -> str:
    found = re.search(r'<meta name="csrf" content="([0-9a-f]+)">', page)
    assert found, page[:500]
    return found[1]


def post(browser: TestClient, path: str, body: dict[str, Any] | None = None) -> Any:
    """A call that changes something, as our pages make it."""
    token = csrf_in(browser.get("/account").text)
    return browser.post(path, json=body if body is not None else {}, headers={"X-CSRF-Token": token})


def site_of(folder: Folder) -> Site:
    """The site, which looks at passwords quickly: what that costs is the library's matter."""
    site = Site(folder.store, folder.root)
    site.doorman._hasher, site.doorman._nobody = QUICK, hashed()
    return site


def bench_result(method: str, auc: float) -> dict[str, Any]:
    """What `amiss bench --json` writes, with curves of its clips."""
    generator = np.random.default_rng(round(1000 * auc))
    means = {"raw": auc, "smoothed": auc + 0.02}
    level = {kind: {"mean": mean, "std": 0.004, "values": [mean - 0.004, mean + 0.004]} for kind, mean in means.items()}
    clips = ["Test001", "Test002"]
    bump = np.exp(-(((np.arange(600) - 330) / 60.0) ** 2))
    curves = {clip: (bump + generator.uniform(0, 0.3, 600)).round(4).tolist() for clip in clips}
    return {
        "dataset": "ped2",
        "method": method,
        "config": Config.build({}).model_dump(mode="json"),
        "seeds": [0, 1],
        "clips": clips,
        "clips_with_masks": [],
        "note": None,
        "cameras": ["ped2"],
        "frames": 1200,
        "metrics": {"auc_micro": level, "auc_macro": level, "eer": level},
        "seconds": {"learn": 1.0, "score": 2.0},
        "frames_per_second": 600.0,
        "clips_from_cache": 0,
        "peak_rss_mb": 100.0,
        "versions": {"amiss": "0.1.0", "numpy": "2"},
        "machine": {"system": "Linux", "python": "3.11", "cores": 2},
        "curves": curves,
    }
