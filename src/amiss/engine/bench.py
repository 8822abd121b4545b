"""Learn, score and evaluate on a benchmark, over seeds."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from amiss import __version__
from amiss.config import Config, merged
from amiss.datasets import Clip, Dataset
from amiss.engine.evaluate import evaluate, evaluate_alarms, labels_of
from amiss.engine.learn import learn
from amiss.engine.model import make_method
from amiss.engine.pixels import evaluate_pixels
from amiss.engine.progress import silent
from amiss.engine.regions import evaluate_regions
from amiss.engine.score import score_clips
from amiss.engine.scores import read_curves, write_scores
from amiss.engine.transfer import Transfer
from amiss.engine.videos import evaluate_videos
from amiss.errors import ScoresError
from amiss.footage.names import content_hash
from amiss.methods import METHODS
from amiss.methods.base import Progress
from amiss.perception.cache import content_key
from amiss.pipeline import Pipeline
from amiss.storage import storage_errors, whole_file
from amiss.types import Image

__all__ = ["bench"]

PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "opencv-python-headless", "av")
RUN = "run.json"


def bench(
    dataset: Dataset,
    method: str,
    config: Config,
    seeds: Sequence[int],
    out: Path,
    progress: Progress = silent,
    transfer: Transfer | None = None,
) -> dict[str, Any]:
    """Learn on the training clips, score the test clips and evaluate, once a seed.

    What the method was published with for this data set takes the place of defaults (`Method.presets`).
    A seed whose scores are already whole in `out`, made by the same settings from the same footage, is not run again.

    Args:
        dataset: The benchmark.
        method: Id of the method.
        config: Settings; the seed in them is replaced, and those that were not given by those of the method's preset.
        seeds: At least one.
        out: Folder of models and scores, `seed-N/` each.
        progress: Told how far it is.
        transfer: A model from elsewhere, which is adapted to each test clip in place of learning; method and settings
            are its own then.

    Returns:
        What `amiss bench --json` writes.

    Raises:
        InputError: Footage, labels or settings cannot be used.
    """
    config = transfer.model.config if transfer else with_preset(config, METHODS[method].presets.get(dataset.id, {}))
    runs = [_one(dataset, method, config.model_copy(update={"seed": seed}), out, progress, transfer) for seed in seeds]
    names = [clip.name for clip in dataset.testing()]
    skipped = transfer.skipped if transfer else 0
    labels = {name: truth[skipped:] for name, truth in labels_of(dataset, names).items()}
    pixels = [evaluate_pixels(Path(run["folder"]), dataset, skipped) for run in runs]
    regions = [evaluate_regions(Path(run["folder"]), dataset, skipped) for run in runs]
    videos = [evaluate_videos(Path(run["folder"]), dataset) if METHODS[method].weak else {} for run in runs]
    measured = [
        _frames_of(Path(run["folder"]), labels, skipped) | a | c | b
        for run, (a, _), b, c in zip(runs, pixels, videos, regions, strict=True)
    ]
    seconds = {kind: statistics.fmean(run[kind] for run in runs) for kind in ("learn", "score")}
    frames = sum(len(truth) for truth in labels.values())
    told = {"transfer": {"learned": transfer.model.learned, "shots": transfer.shots}} if transfer else {}
    return told | {
        "dataset": dataset.id,
        "method": method,
        "config": config.model_dump(mode="json"),
        "seeds": list(seeds),
        "clips": names,
        "clips_with_masks": pixels[0][1],
        "tracks_from": "rbdc_tbdc_tracks" if dataset.lists_tracks else "masks",
        "protocol": "standard",
        "smoothing": config.scoring.smoothing,
        "note": dataset.note(),
        "cameras": runs[0]["cameras"],
        "frames": frames,
        "metrics": _spread(measured),
        "seconds": seconds,
        "frames_per_second": frames / max(seconds["score"], 1e-9),
        "clips_from_cache": max(run["cached"] for run in runs),
        "peak_rss_mb": _peak_rss_mb(),
        "versions": {"amiss": __version__} | {name: version(name) for name in PACKAGES},
        "machine": {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()},
    }


def _frames_of(folder: Path, labels: Mapping[str, Image], skipped: int) -> dict[str, dict[str, float]]:
    """The metrics of frames and of events, without the first frames of each clip."""
    curves = {name: curve[skipped:] for name, curve in read_curves(folder).items()}
    return evaluate(labels, curves) | evaluate_alarms(folder, labels, curves)


def with_preset(config: Config, preset: Mapping[str, Any]) -> Config:
    """The settings with a preset, a nested mapping, in place of defaults; what was given stays."""
    return Config.build(merged(preset, config.model_dump(exclude_unset=True)))


def _peak_rss_mb() -> float:
    """Peak resident memory of this process, in mebibytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, kibibytes elsewhere


def _spread(measured: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    """Mean, standard deviation and values over seeds, by metric and by raw or smoothed."""
    return {
        metric: {kind: _moments([run[metric][kind] for run in measured]) for kind in kinds}
        for metric, kinds in measured[0].items()
        if all(metric in run for run in measured)
    }


def _moments(values: list[float]) -> dict[str, Any]:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": statistics.fmean(values), "std": spread, "values": values}


def _one(
    dataset: Dataset, method: str, config: Config, out: Path, progress: Progress, transfer: Transfer | None
) -> dict[str, Any]:
    """One seed: from its folder if it is whole there, else run."""
    folder = out / f"seed-{config.seed}"
    pipeline = Pipeline(config, make_method(method, config).needs)
    training = [] if transfer else learned_from(dataset, method)  # what a model from elsewhere has no use for
    clips = [pipeline.key(clip.footage) for clip in [*(clip for clip, _ in training), *dataset.testing()]]
    marks = [mark for _, mark in training if mark is not None]
    settings = config.model_dump(mode="json", exclude={"cache", "report"})
    more = [*([marks] if marks else []), *contents_of(settings["method"])]
    key = content_key(__version__, method, settings, clips, transfer.key if transfer else "", *more)
    if kept := _kept(folder, key):
        return kept | {"folder": str(folder)}
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RUN).unlink(missing_ok=True)
    made = _transferred(dataset, transfer, config.seed, folder, progress) if transfer else None
    run = (made or _run(dataset, method, config, folder, progress)) | {"key": key}
    with whole_file(folder / RUN) as partial:
        partial.write_text(json.dumps(run), encoding="utf-8")
    return run | {"folder": str(folder)}


def contents_of(values: Any) -> list[str]:
    """A hash of each file, or folder of files, that settings name: what is in it may change, and its name does not.

    A bare word is never taken for a file: a folder may happen to be called like a method or a part.

    Args:
        values: Settings as plain values, nested as they may be.
    """
    if isinstance(values, Mapping | list):
        each = values.values() if isinstance(values, Mapping) else values
        return [found for value in each for found in contents_of(value)]
    with suppress(OSError, ValueError):  # a text that cannot be the name of a file
        path = Path(values) if isinstance(values, str) and values else None
        if path and (path.suffix or len(path.parts) > 1) and path.exists():
            files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
            return [content_hash(files)]
    return []


def _kept(folder: Path, key: str) -> dict[str, Any] | None:
    """What was noted of a run that is whole in the folder and was made of the same, or None."""
    with suppress(OSError, ValueError, KeyError, TypeError, ScoresError):  # whatever is wrong with it, it is run anew
        run: dict[str, Any] = json.loads((folder / RUN).read_text(encoding="utf-8"))
        if run["key"] == key and read_curves(folder):
            return run
    return None


def _run(dataset: Dataset, method: str, config: Config, folder: Path, progress: Progress) -> dict[str, Any]:
    seconds = {"learn": 0.0, "score": 0.0}
    scores, cached = [], 0
    cameras = cameras_of(dataset, config, method)
    labels = {clip.name: mark for clip, mark in learned_from(dataset, method) if mark is not None}
    for camera, (training, testing) in cameras.items():
        start = time.perf_counter()
        model = learn([clip.footage for clip in training], method, config, progress, labels)
        seconds["learn"] += time.perf_counter() - start
        model.save(folder / f"{camera}.amiss")
        pipeline = Pipeline(config, model.needs)
        cached += sum(pipeline.cached(clip.footage) is not None for clip in testing)
        start = time.perf_counter()
        scores += score_clips(model, [clip.footage for clip in testing], folder / camera, progress)
        seconds["score"] += time.perf_counter() - start
    write_scores(folder, scores, {"method": method, "smoothing": config.scoring.smoothing})
    return seconds | {"cached": cached, "cameras": list(cameras)}


def _transferred(dataset: Dataset, transfer: Transfer, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """One seed of a transfer; nothing is learned but from the shots, the time of which counts as scoring."""
    start = time.perf_counter()
    scores = transfer.score(dataset.testing(), folder / dataset.id, seed, progress)
    config = transfer.model.config
    write_scores(folder, scores, {"method": transfer.model.method.id, "smoothing": config.scoring.smoothing})
    seconds = {"learn": 0.0, "score": time.perf_counter() - start}
    return seconds | {"cached": 0, "cameras": [dataset.id]}


def learned_from(dataset: Dataset, method: str) -> list[tuple[Clip, int | None]]:
    """The clips that a method learns from, each with the label of the whole video where the method is told it."""
    if METHODS[method].weak:
        return [*dataset.weak_training()]
    return [(clip, None) for clip in dataset.training()]


def cameras_of(
    dataset: Dataset, config: Config, method: str = "attributes"
) -> dict[str, tuple[list[Clip], list[Clip]]]:
    """Training and test clips of each model to learn: one a camera, or one for all, as where videos have labels."""
    training, testing = [clip for clip, _ in learned_from(dataset, method)], dataset.testing()
    known = {clip.camera for clip in training}
    if METHODS[method].weak or config.bench.cameras == "together" or not {clip.camera for clip in testing} <= known:
        return {dataset.id: (training, testing)}
    of = {camera: [clip for clip in training if clip.camera == camera] for camera in known}
    tests = {camera: [clip for clip in testing if clip.camera == camera] for camera in sorted(known)}
    return {camera: (of[camera], clips) for camera, clips in tests.items() if clips}
