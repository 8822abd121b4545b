"""How fast `multi-grained` scores, and how much of that its network needs.

    python benchmarks/multi_grained_speed.py --clip PED2/testing/frames/01 --json speed.json

Frames a second of the whole path, from the files to regions, with and without what neighbouring clips share; the
network's own limit is its two clips and the middle frame, read from memory. Speed does not depend on what was learned,
so the network is as it is before learning.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from amiss.config import load_config
from amiss.engine.model import make_method
from amiss.footage import open_footage
from amiss.methods.multi_grained.look import Onlooker, folded
from amiss.methods.multi_grained.network import ProxyNetwork
from amiss.methods.multi_grained.regions import regions_of
from amiss.methods.multi_grained.samples import consecutive, without
from amiss.methods.multi_grained.settings import MultiGrainedSettings
from amiss.methods.multi_grained.task import frames_of
from amiss.pipeline import Pipeline
from amiss.types import Windows


def rate(run: Callable[[], int], times: int = 3) -> float:
    """Median frames a second."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        found.append(run() / (time.perf_counter() - start))
    return float(np.median(found))


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, required=True, help="footage")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting")
    parser.add_argument("--json", type=Path, help="write the result here as well")
    asked = parser.parse_args()
    config = load_config(sets=asked.set)
    method = make_method("multi-grained", config)
    settings = MultiGrainedSettings.model_validate(method.settings.model_dump())
    torch.manual_seed(0)
    network = folded(ProxyNetwork(settings).eval())
    footage = open_footage(asked.clip, config.footage.fps)
    pipeline = Pipeline(config, method.needs)
    found = Windows.merge([windows for _, windows in pipeline.windows(footage)])

    def whole(*, shares: bool) -> int:
        onlooker, count = Onlooker(network, shares=shares), 0
        for _, windows in pipeline.windows(footage):
            for maps in onlooker.look(windows):
                regions_of(maps.raw[0].double().numpy().mean(0), settings.near, 0.0)
                count += 1
        return count

    @torch.no_grad()
    def alone() -> int:
        for row in range(len(found)):
            frames = frames_of(found[[row]])
            clips = [without(frames, torch.tensor([6])), consecutive(frames, torch.tensor([0]))]
            seen = network.backbone(torch.cat(clips))
            network.maps(frames, seen.first(1), seen.rest(1))
        return len(found)

    result = {
        "threads": torch.get_num_threads(),
        "input": [settings.rows, settings.columns],
        "shared": rate(lambda: whole(shares=True)),
        "not_shared": rate(lambda: whole(shares=False)),
        "network": rate(alone),
    }
    print(result)
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
