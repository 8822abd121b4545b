"""Average precision and time of the built-in detectors on frames whose people are known.

    AMISS_WEIGHTS=../shared/data/weights python benchmarks/perception_boxes.py --json boxes.json

`AMISS_DATA` (by default `../shared/data`) holds `person_boxes/`: pictures and `boxes.json` with the people of each
(`gt`) and people that may be found or not (`ignore`). A box is right if it overlaps (IoU) with somebody not yet found
by .4; average precision is the area under precision over recall at all thresholds, precision made not to rise with
recall.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from amiss.config import BoxesConfig
from amiss.perception.detector import BUILT_IN
from amiss.perception.network_boxes import NetworkBoxes
from amiss.perception.overlap import iou_matrix
from amiss.types import BoolArray, Boxes, FloatArray, Frame, Image, Label

DATA = Path(os.environ.get("AMISS_DATA", "../shared/data"))
IOU = 0.4
LEAST = 0.05
REPEATS = 20
Known = tuple[Image, FloatArray, FloatArray]
"""A picture, its people, and people that may be found or not."""


def match(boxes: Boxes, people: FloatArray, ignored: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Confidence of each box that counts, surest first, and whether it is right."""
    overlap, beside = iou_matrix(boxes.xyxy, people), iou_matrix(boxes.xyxy, ignored)
    free, sure, right = np.ones(len(people), np.bool_), [], []
    for row in np.argsort(-boxes.confidence, kind="stable"):
        fits = np.where(free, overlap[row], 0.0)
        if fits.max(initial=0.0) >= IOU:
            free[fits.argmax()] = False
        elif beside[row].max(initial=0.0) >= IOU:
            continue
        right.append(bool(fits.max(initial=0.0) >= IOU))
        sure.append(float(boxes.confidence[row]))
    return np.array(sure), np.array(right, np.bool_)


def average_precision(sure: FloatArray, right: BoolArray, people: int) -> float:
    """The area under precision over recall, over all thresholds."""
    hits = np.cumsum(right[np.argsort(-sure, kind="stable")])
    precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
    return float((np.diff(hits, prepend=0) * precision).sum() / people)


def frames(folder: Path) -> list[Known]:
    """Each picture as RGB, its people, and those that may be found or not, `(n, 4)` xyxy."""
    known = json.loads((folder / "boxes.json").read_text(encoding="utf-8"))
    rows = []
    for name, people in known["gt"].items():
        image = cv2.imread(str(folder / f"{name}.png"))[:, :, ::-1]
        ignored = np.array(known["ignore"].get(name, []), np.float32).reshape(-1, 4)
        rows.append((np.ascontiguousarray(image), np.array(people, np.float32).reshape(-1, 4), ignored))
    return rows


def four_in_one(known: list[Known]) -> list[Known]:
    """Four pictures in each, so that people are half as tall to a network: where tiles should help."""
    width, height = 768, 576
    merged = []
    for first in range(0, len(known), 4):
        canvas, people, ignored = np.zeros((2 * height, 2 * width, 3), np.uint8), [], []
        for place, (image, true, beside) in enumerate(known[first : first + 4]):
            x, y = width * (place % 2), height * (place // 2)
            canvas[y : y + height, x : x + width] = cv2.resize(image, (width, height))
            scale = np.array([width / image.shape[1], height / image.shape[0]] * 2)
            people.append(true * scale + [x, y, x, y])
            ignored.append(beside * scale + [x, y, x, y])
        merged.append((canvas, np.concatenate(people), np.concatenate(ignored)))
    return merged


def measure(network: str, tiles: int, known: list[Known]) -> dict[str, Any]:
    """Average precision, what single thresholds give, and milliseconds a picture."""
    settings = BoxesConfig(source="network", network=network, tiles=tiles, confidence=LEAST, motion_added=False)
    source = NetworkBoxes(settings)
    shown = [Frame(image, index, float(index)) for index, (image, _, _) in enumerate(known)]
    found = [source.update(frame) for frame in shown]
    people = [boxes[boxes.label == Label.PERSON] for boxes in found]
    matched = [match(boxes, true, ignored) for boxes, (_, true, ignored) in zip(people, known, strict=True)]
    sure, right = (np.concatenate(column) for column in zip(*matched, strict=True))
    total = sum(len(true) for _, true, _ in known)
    seconds = []
    for frame in shown * REPEATS:
        start = time.perf_counter()
        source.update(frame)
        seconds.append(time.perf_counter() - start)
    at = {
        str(level): {"found": int(right[sure >= level].sum()), "wrong": int((~right[sure >= level]).sum())}
        for level in (0.1, 0.2, 0.3, 0.4, 0.5)
    }
    return {
        "network": network,
        "tiles": tiles,
        "people": total,
        "average_precision": average_precision(sure, right, total),
        "thresholds": at,
        "milliseconds": 1000 * median(seconds),
    }


def main() -> None:
    """Measure each built-in detector on the whole picture and on tiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    arguments = parser.parse_args()
    known = frames(DATA / "person_boxes")
    sets = {"as given": known, "four in one": four_in_one(known)}
    result = [
        {"pictures": name, **measure(network, tiles, pictures)}
        for name, pictures in sets.items()
        for network in BUILT_IN
        for tiles in (1, 2)
    ]
    arguments.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
