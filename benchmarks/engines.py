"""How many objects a second the network of `appearance-motion` takes, on torch and on OpenVINO.

    python benchmarks/engines.py --json engines.json
    python benchmarks/engines.py --width 64

Each runs the same random network (speed does not depend on what was learned) on the same cubes, in turn, so that what
else the machine does touches all alike; rates are medians. `scored` counts all of `AppearanceMotion.score` but the
making of windows, `network` the network alone. Torch in bf16 is the network alone, as amiss does not score so.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amiss.errors import ConfigError
from amiss.methods.appearance_motion import AppearanceMotion, AppearanceMotionSettings
from amiss.methods.normal import Usual
from amiss.nn.engines import Engine, make_runner
from amiss.train.device import native_bf16
from amiss.types import Windows

ENGINES = {"torch": Engine("torch"), "openvino": Engine("openvino"), "openvino bf16": Engine("openvino", "bf16")}


def cubes(count: int) -> Windows:
    """Cubes of noise."""
    draw = np.random.default_rng(0)
    flow = draw.normal(size=(count, 5, 32, 32, 2)).astype(np.float16)
    return Windows(
        frame=np.arange(count),
        seconds=np.arange(count) / 25,
        box=np.tile(np.array([0, 0, 10, 20], np.float32), (count, 1)),
        track=np.arange(count),
        data={"image": draw.integers(0, 256, (count, 5, 32, 32, 3), dtype=np.uint8), "flow": flow},
    )


def fitted(width: int, engine: Engine) -> AppearanceMotion:
    """A method with a network as it is before learning, and some idea of what is usual."""
    torch.manual_seed(0)
    method = AppearanceMotion(AppearanceMotionSettings(width=width))
    usual = Usual.of(np.random.default_rng(0).random((64, len(method.parts))))
    method.restore(dict(_state(method)) | {f"usual.{name}": array for name, array in usual.state().items()})
    method.run_on(engine)
    return method


def _state(method: AppearanceMotion) -> dict[str, Any]:
    network = method.networks()["cubes"].module.network.state_dict()
    state = {f"network.{name}": tensor.numpy() for name, tensor in network.items()}
    pictures = {f"items.{level}": np.zeros((40, 32, 32, 3), np.uint8) for level in range(3)}
    return state | pictures | {"shown": np.zeros((0, 0), np.float32)}


def runs_of(width: int, count: int) -> dict[str, dict[str, Callable[[], object]]]:
    """What is timed, by what it counts and by engine."""
    windows = cubes(count)
    scored: dict[str, Callable[[], object]] = {}
    network: dict[str, Callable[[], object]] = {}
    for name, engine in ENGINES.items():
        try:
            method = fitted(width, engine)
            portable = method.networks()["cubes"]
            runner, inputs = make_runner(portable, engine), portable.example(count)
        except ConfigError:  # no such engine, or no such numbers
            continue
        scored[name] = lambda method=method: method.score(windows)  # type: ignore[misc]
        network[name] = lambda runner=runner, inputs=inputs: runner(*inputs)  # type: ignore[misc]
    if native_bf16(torch.device("cpu")):
        plain = make_runner(fitted(width, ENGINES["torch"]).networks()["cubes"], ENGINES["torch"])

        def bf16() -> object:
            with torch.autocast("cpu", torch.bfloat16):
                return plain(*inputs)

        network["torch bf16"] = bf16
    return {"scored": scored, "network": network}


def rates(runs: dict[str, Callable[[], object]], count: int, rounds: int) -> dict[str, float]:
    """Median objects a second of each, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if number:  # the first compiles
                taken[name].append(time.perf_counter() - start)
    return {name: round(count / statistics.median(times), 1) for name, times in taken.items()}


def processor() -> str:
    """Its name, where the system tells it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.is_file() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    """Print the rates, and how they compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=AppearanceMotionSettings().width, help="of the network")
    parser.add_argument("--count", type=int, default=64, help="objects a run")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="write the result here as well")
    asked = parser.parse_args()
    result: dict[str, Any] = {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "width": asked.width,
        "objects": asked.count,
    }
    for counts, runs in runs_of(asked.width, asked.count).items():
        found = rates(runs, asked.count, asked.rounds)
        ratio = {name: round(rate / found["torch"], 2) for name, rate in found.items()}
        result[counts] = {"objects_per_second": found, "times_torch": ratio}
    print(json.dumps(result, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
