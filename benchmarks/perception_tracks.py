"""Number and length of tracks on a real street, and milliseconds a frame, for each way to tell tracks apart.

    AMISS_WEIGHTS=../shared/data/weights python benchmarks/perception_tracks.py --json tracks.json

`AMISS_DATA` (by default `../shared/data`) holds `sample/vtest.avi`. Its boxes are those of the default detection
network, and are the same for each. Few and long tracks are good only as long as each stays on its person: `--strips
FOLDER` writes a picture for each setting, with a row of crops along every track, to see whether they do.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from amiss.config import BoxesConfig, TracksConfig
from amiss.footage import find_footage
from amiss.perception.boxes import tidy
from amiss.perception.network_boxes import NetworkBoxes
from amiss.perception.reid import REIDS
from amiss.perception.tracks import Tracker
from amiss.types import NO_TRACK, Boxes, FloatArray, Frame, Image, IntArray, Label

DATA = Path(os.environ.get("AMISS_DATA", "../shared/data"))
GAP = 1.0
SHORT = 10
"""Tracks of fewer frames do not count as tracks in `tracks` and `median`; `all` counts them."""
CROPS = 14
Seen = list[tuple[Frame, Boxes]]


def look(limit: int | None) -> Seen:
    """The frames and the boxes of people; the parked cars would be tracks as long as the footage."""
    config = BoxesConfig(source="network")
    source, seen = NetworkBoxes(config), []
    (footage,) = find_footage([DATA / "sample" / "vtest.avi"])
    source.reset(footage.path)
    for frame in footage:
        if frame.index == limit:
            break
        boxes = tidy(source.update(frame), config, frame.size)
        seen.append((frame, boxes[boxes.label == Label.PERSON]))
    return seen


def follow(seen: Seen, appearance: str) -> tuple[list[IntArray], FloatArray]:
    """Track ids of each frame's boxes, and seconds each frame took."""
    tracker, ids, times = Tracker(TracksConfig(appearance=appearance), GAP), [], []
    for frame, boxes in seen:
        start = time.perf_counter()
        ids.append(tracker.update(frame, boxes).track)
        times.append(time.perf_counter() - start)
    return ids, np.array(times)


def measure(ids: list[IntArray], times: FloatArray) -> dict[str, Any]:
    """What is reported of one setting."""
    every = np.concatenate(ids)
    _, lengths = np.unique(every[every != NO_TRACK], return_counts=True)
    long = lengths[lengths >= SHORT]
    return {
        "tracks": len(long),
        "median": float(np.median(long)),
        "all": len(lengths),
        "median_all": float(np.median(lengths)),
        "boxes": len(every),
        "boxes_without_track": int((every == NO_TRACK).sum()),
        "ms_per_frame": float(times.mean() * 1e3),
    }


def strip(seen: Seen, ids: list[IntArray], track: int) -> Image:
    """Crops along a track, the first to the last, side by side."""
    rows = [(frame, boxes.xyxy[own == track][0]) for (frame, boxes), own in zip(seen, ids, strict=True) if track in own]
    crops = []
    for row in np.linspace(0, len(rows) - 1, CROPS).round().astype(int):
        frame, (x1, y1, x2, y2) = rows[row][0], rows[row][1].astype(int).tolist()
        crops.append(cv2.resize(frame.image[y1 : y2 + 1, x1 : x2 + 1], (48, 96)))
    return np.asarray(np.concatenate(crops, axis=1), np.uint8)


def main() -> None:
    """Look once, then follow by each setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--strips", type=Path)
    parser.add_argument("--frames", type=int, help="only so many frames")
    given = parser.parse_args()
    seen, found = look(given.frames), {}
    for appearance in REIDS:
        ids, times = follow(seen, appearance)
        found[appearance] = measure(ids, times)
        if given.strips:
            given.strips.mkdir(parents=True, exist_ok=True)
            tracks = np.unique(np.concatenate(ids))
            rows = [strip(seen, ids, track) for track in tracks[tracks != NO_TRACK].tolist()]
            cv2.imwrite(str(given.strips / f"{appearance}.png"), np.concatenate(rows)[..., ::-1])
    text = json.dumps({"footage": "vtest.avi", "frames": len(seen), "appearance": found}, indent=2)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
