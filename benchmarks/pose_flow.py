"""Segments a second that the flow of `pose-flow` trains on and scores.

    python benchmarks/pose_flow.py --threads 2 --json pose_flow.json
    python benchmarks/pose_flow.py --segments mine.npz

An `.npz` holds `pose` `(N, T, 17, 3)` x, y in pixels and confidence, with `size` `(N, 2)` of the pictures, as
`method.abnormal` takes it, or any one array `(N, 2, T, 18)` of segments that are normalised already; without one,
segments are drawn at random. Speeds are of the flow, from normalised segments: a training step is loss, gradients and
optimiser, in 32 bits; scoring is the negative log-likelihood of each joint in 64 bits, as the method does it. The first
rounds are not counted, and of the others the median is taken.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from amiss.methods.pose_flow.segments import normalised
from amiss.methods.pose_flow.settings import PoseFlowSettings
from amiss.methods.pose_flow.task import Likelihood
from amiss.nn.flow import negative_log_likelihood

WARM, ROUNDS = 2, 9


def read(path: Path | None, count: int) -> Tensor:
    """`(N, 2, T, 18)` float64."""
    if path is None:
        return torch.randn(count, 2, 24, 18, dtype=torch.float64)
    with np.load(path, allow_pickle=False) as archive:
        if {"pose", "size"} <= set(archive.files):
            return torch.from_numpy(normalised(archive["pose"], archive["size"], 0.2))
        arrays = (archive[name] for name in archive.files)
        found = [array for array in arrays if array.ndim == 4 and array.shape[1] == 2 and array.shape[3] == 18]
    if not found:
        raise SystemExit(f"{path} has neither pose and size nor segments (N, 2, T, 18)")
    return torch.from_numpy(np.asarray(found[0], np.float64))


def rate(work: Callable[[Tensor], object], segments: Tensor, batch: int) -> float:
    """Segments a second of `work` on full batches."""
    batches = segments[: len(segments) // batch * batch].split(batch)
    seconds = []
    for _ in range(WARM + ROUNDS):
        start = time.perf_counter()
        for one in batches:
            work(one)
        seconds.append(time.perf_counter() - start)
    return len(batches) * batch / statistics.median(seconds[WARM:])


def measure(segments: Tensor, batch: int) -> dict[str, float]:
    """Segments a second of training and of scoring, and the largest error of the inverse."""
    settings = PoseFlowSettings(length=segments.shape[2])
    task = Likelihood(settings, segments[:batch], segments[:0], len(segments), 0)
    optimiser = torch.optim.Adamax(task.module.parameters(), task.plan.rate)

    def train(one: Tensor) -> None:
        optimiser.zero_grad()
        torch.stack(list(task.losses({"segments": one}).values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(task.module.parameters(), task.plan.clip)
        optimiser.step()

    task.module.train()
    found = {"trained_per_second": rate(train, segments.float(), batch)}
    flow = task.flow.double().eval()
    with torch.no_grad():
        found["scored_per_second"] = rate(lambda one: negative_log_likelihood(*flow(one), 3.0), segments, batch)
        found["inverse_error"] = float((flow.inverse(flow(segments)[0]) - segments).abs().max())
    return found


def main() -> None:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=Path, help="an .npz of segments; drawn at random when left out")
    parser.add_argument("--count", type=int, default=4096, help="how many to draw")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    segments = read(arguments.segments, arguments.count)
    if len(segments) < arguments.batch:
        raise SystemExit(f"{len(segments)} segments do not fill a batch of {arguments.batch}; lower --batch")
    shape = {"segments": list(segments.shape), "batch": arguments.batch, "threads": arguments.threads}
    found = shape | measure(segments, arguments.batch) | {"torch": torch.__version__, "machine": platform.platform()}
    text = json.dumps(found, indent=1)
    if arguments.json:
        arguments.json.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
