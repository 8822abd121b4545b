"""Three cameras of everything that one can have, for the tests of the review page in a browser."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

import amiss
from amiss.footage.world import World
from amiss.live.nouns import EventRow, IncidentKind
from amiss.live.store import Life, Role
from support_review import Film, Folder, bench_result, peaks, squares

SPEED = 60.0
"""Pixels a second of the event `square`."""
FASTER = "faster than 99.9 % of 41,000 tracks here"
UNLIKE = "its look is unlike all that was seen here"


def three_cameras(root: Path, model: amiss.Model) -> Folder:
    """The cameras gate, station and yard, and who may see which of them."""
    made = Folder(root)
    plaza, station = world("plaza", "running"), world("platform", "cart")
    model.save(root / "model.amiss")
    of_gate = {"model": str(root / "model.amiss"), "fingerprint": "f00d", "budget": "2/day"}
    made.camera("gate", plaza.pictures[10], **of_gate)
    made.camera("station", station.pictures[10], Life.SHADOW)
    made.camera("yard", squares(0.1).pictures[0], Life.FROZEN)
    rows = _events_of_gate(made, plaza)
    _events_elsewhere(made, station)
    _examples(root / "cameras/gate/examples/f00d", plaza)
    made.curve("gate", *peaks(made.now, rows))
    made.blocks("gate", [made.now - 3600 * hour for hour in [*range(1, 60, 2), *range(80, 150, 5)]])
    made.incident("gate", IncidentKind.GAP, 1000, 42)
    made.incident("yard", IncidentKind.MOVED, 4000, None)
    _benches(root / "benches")
    made.person("ann", Role.ADMIN, None)
    made.person("otto", Role.OPERATOR, ["gate", "station"])
    made.person("vera", Role.VIEWER, ["station"])
    return made


def world(place: str, act: str) -> Film:
    """Some seconds of a synthetic place in which something happens, with the boxes of who does it."""
    pictures, boxes = [], []
    for scene in World(place, seed=3, seconds=4, rate=10, size=(480, 270), act=act).scenes():
        pictures.append(scene.frame.image)
        odd = scene.boxes.xyxy[scene.abnormal]
        boxes.append(odd[0].tolist() if len(odd) else (boxes[-1] if boxes else [225.0, 110.0, 250.0, 165.0]))
    return Film(pictures, boxes)


def _events_of_gate(made: Folder, plaza: Film) -> list[EventRow]:
    values = (np.hypot(*np.mgrid[-1:1:12j, -1:1:8j]) * -1 + 1.4).clip(0).round(3).tolist()
    told = {"map": {"part": "appearance", "box": plaza.boxes[32], "values": values}}
    larger, new = "larger than usual at this place", "a place where nobody stood before"
    late = {"alarm": False, "quiet": "schedule", "reasons": ("stays longer than usual",)}
    return [
        made.event("runner", ago=700, film=plaza, severity=6.2, kind=1, tube=told, reasons=(FASTER, larger)),
        made.event("runner-2", ago=1500, film=plaza, severity=5.4, kind=1, reasons=(FASTER,)),
        made.event("runner-3", ago=2600, film=plaza, severity=5.1, kind=1, reasons=(FASTER,)),
        made.event("square", ago=400, film=squares(5.0, SPEED), severity=4.8, kind=2, part="place", reasons=(new,)),
        made.event("stranger", ago=3600, severity=3.4, kind=3, part="appearance", reasons=(UNLIKE,)),
        made.event("late", ago=5000, severity=3.2, kind=4, **late),
    ]


def _events_elsewhere(made: Folder, station: Film) -> None:
    cart = {"part": "appearance", "repeats": 2, "reasons": (UNLIKE, "a size that is rare at this place")}
    made.event("cart", camera="station", ago=820, film=station, severity=4.4, kind=5, **cart)
    made.event("cart-2", camera="station", ago=9000, film=station, severity=3.9, kind=6, alarm=False, quiet="shadow")
    made.event("yard-1", camera="yard", ago=300, severity=3.6, kind=7, reasons=("only at the yard",))


def _examples(folder: Path, plaza: Film) -> None:
    for index in range(4):
        film_of = plaza.pictures[8 * index]
        for number in range(4):
            left = 40 + 95 * number
            cv2.imwrite(str(folder / f"{number:04d}.jpg"), film_of[90:190, left : left + 60, ::-1])


def _benches(folder: Path) -> None:
    folder.mkdir()
    for name, auc in (("attributes-ped2", 0.84), ("poses-ped2", 0.9)):
        told = bench_result("attributes" if "attr" in name else "pose-flow", auc)
        (folder / f"{name}.json").write_text(json.dumps(told))
