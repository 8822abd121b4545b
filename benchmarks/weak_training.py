"""How long weak-tubes takes to learn from a thousand bags of 200 tubes with 4096 numbers each, and how much memory.

    python benchmarks/weak_training.py --json weak_training.json

Bags are random numbers on disk, half of them with a few odd tubes. The time is of all of `fit`: principal components,
writing the reduced bags, and the steps of training.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from amiss.config import load_config
from amiss.console import ProgressDisplay
from amiss.engine.model import make_method
from amiss.engine.training import make_trainer
from amiss.perception.cache import Cache
from amiss.types import NO_TRACK, Windows
from amiss.windows.store import WindowPart, WindowStore, WindowWriter
from amiss.windows.tubes import MOMENT, UNARY

SEGMENTS, LENGTH = 32, 16
ODD = 5


def bag(number: int, tubes: int, size: int, *, odd: bool) -> Windows:
    """The windows of a video: one block of each tube, and of the whole picture in each segment."""
    random = np.random.default_rng(number)
    count = SEGMENTS + tubes
    shown = np.maximum(random.normal(size=(count, size)), 0).astype(np.float16)
    if odd:
        shown[-ODD:, : size // 64] += 2
    kind = np.repeat([MOMENT, UNARY], [SEGMENTS, tubes]).astype(np.int8)
    track = np.where(kind == MOMENT, NO_TRACK, np.arange(count))
    block = np.where(kind == MOMENT, np.arange(count), np.arange(count) % SEGMENTS)
    order = np.argsort(block, kind="stable")
    frames = block[:, None] * LENGTH + np.arange(LENGTH)
    whole = shown[block]
    windows = Windows(
        frame=frames[:, LENGTH // 2],
        seconds=frames[:, LENGTH // 2] / 30,
        box=np.tile(np.array((0, 0, 1, 1), np.float32), (count, 1)),
        track=track,
        data={
            "bag": np.full(count, number, np.int64),
            "block": block.astype(np.int64),
            "kind": kind,
            "region": shown,
            "whole": whole,
            "boxes": np.tile(np.array((0, 0, 1, 1), np.float32), (count, LENGTH, 1)),
            "number": frames.astype(np.int64),
            "clock": frames / 30,
            "now": np.ones(count, np.bool_),
            "step": np.full(count, 1 / 30, np.float32),
        },
    )
    return windows[order]


def write(folder: Path, bags: int, tubes: int, size: int) -> list[WindowPart]:
    """The bags on disk, the first half normal."""
    cache, parts = Cache(folder), []
    for number in range(bags):
        with cache.writing(str(number)) as writer:
            keep = WindowWriter(writer)
            for frame in range(SEGMENTS * LENGTH):
                keep.at(frame / 30)
            keep.close(bag(number, tubes, size, odd=number >= bags // 2))
        entry = cache.find(str(number))
        if entry is None:
            raise LookupError(f"{folder} lost what was just written")
        parts.append(WindowPart(str(number), entry, label=int(number >= bags // 2)))
    return parts


def main() -> None:
    """Print seconds and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bags", type=int, default=1000)
    parser.add_argument("--tubes", type=int, default=200)
    parser.add_argument("--size", type=int, default=4096, help="numbers of a feature")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="write the result here as well")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ProgressDisplay(Console(stderr=True)) as progress:
        place = Path(folder)
        parts = write(place / "bags", asked.bags, asked.tubes, asked.size)
        config = load_config(sets=[f"cache={place / 'cache'}", f"method.steps={asked.steps}", "train.holdout=0"])
        method, store = make_method("weak-tubes", config), WindowStore(parts)
        trainer = make_trainer(method, store, config, progress)
        start = time.perf_counter()
        method.fit(store, seed=0, progress=progress, trainer=trainer)
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    found = {"seconds": seconds, "training": trainer.trained["weak-tubes"]["seconds"], "peak_rss_mb": peak}
    print(f"{seconds:.0f} s in all, {found['training']:.0f} s of them {asked.steps} steps, peak {peak:.0f} MB")
    if asked.json:
        asked.json.write_text(json.dumps(found | vars(asked) | {"json": str(asked.json)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
