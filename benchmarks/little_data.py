"""How well a camera is told that has seen little: frame AUC against the normal footage it has learned from.

    python benchmarks/little_data.py --root OTHERS --dataset world --cameras MODELS
    python benchmarks/little_data.py --root PLAZA --dataset world --prior CROSSING.amiss --prior PLATFORM.amiss \
        --clips 1,2,4,10,20 --draws 3 --json plaza.json
    python benchmarks/little_data.py --root PED2 --dataset ped2 --clips 1,2,4,8,16 --draws 3 --json ped2.json
    python benchmarks/little_data.py --plot plaza.json ped2.json --svg little-data.svg
    python benchmarks/little_data.py --strength MODEL MODEL MODEL

Of the training clips some are drawn, several times over, and each draw is learned from with and without the prior; all
test clips are scored by each. Labels only evaluate.

With --cameras a model of each camera of a data set that has six training clips is learned, from fourteen at most.
With --strength nothing is scored: of the samples that models of several cameras share, two groups of tracks of each
are held against the rest of it, and the mean logarithm of the density of that rest is told for mixtures with all other
cameras, by how many tracks these count. No label takes part.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from scipy.special import logsumexp

from amiss import metrics
from amiss.config import load_config
from amiss.console import ProgressDisplay
from amiss.datasets import DATASETS, Dataset
from amiss.engine import learn, score_clip
from amiss.footage import Footage
from amiss.methods.attributes.prior import Camera, read_prior

LEAST, MOST = 6, 14
"""Training clips of a camera that lends."""
STRENGTHS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 1e9)
WIDTH, HEIGHT, EDGE = 640, 360, 48
COLOURS = ("#1b6ca8", "#c4572b", "#3f8f4f", "#7a4fa3", "#8a7a1f", "#555555")


def amount(dataset: Dataset, count: int, draws: int) -> Iterator[list[Footage]]:
    """Draws of so many training clips; all of them are drawn but once."""
    clips = [clip.footage for clip in dataset.training()]
    for draw in range(1 if count >= len(clips) else draws):
        rows = np.sort(np.random.default_rng([count, draw]).permutation(len(clips))[:count])
        yield [clips[row] for row in rows]


def cameras(asked: argparse.Namespace) -> dict[str, list[str]]:
    """Models of the cameras of a data set, and the clips that they are of."""
    clips: dict[str, list[Footage]] = {}
    for clip in DATASETS[asked.dataset](asked.root).training():
        clips.setdefault(clip.camera, []).append(clip.footage)
    made = {}
    for camera, footage in clips.items():
        if len(footage) >= LEAST:
            rows = np.sort(np.random.default_rng(5).permutation(len(footage))[:MOST])
            model = learn([footage[row] for row in rows], "attributes", load_config(sets=asked.set))
            model.save(asked.cameras / f"{asked.dataset}-{camera}.amiss")
            made[camera] = list(model.learned["clips"])
    return made


def measured(dataset: Dataset, footage: Sequence[Footage], sets: Sequence[str]) -> dict[str, float]:
    """What is learned from some clips is worth on all test clips."""
    model = learn(footage, "attributes", load_config(sets=sets))
    curves = {clip.name: score_clip(model, clip.footage).frames.smoothed for clip in dataset.testing()}
    labels = {clip.name: dataset.labels(clip) for clip in dataset.testing()}
    learned = model.learned
    return {
        "frames": float(learned["frames"]),
        "seconds": float(learned["seconds"]),
        "auc_micro": metrics.micro_auc(labels, curves),
    }


def curve(asked: argparse.Namespace) -> dict[str, Any]:
    """A row for each amount and each of with and without the prior."""
    dataset, rows = DATASETS[asked.dataset](asked.root), []
    priors = {"alone": []} | ({"prior": [f"method.prior=[{','.join(map(str, asked.prior))}]"]} if asked.prior else {})
    for count in map(int, asked.clips.split(",")):
        for footage in amount(dataset, count, asked.draws):
            for kind, more in priors.items():
                rows.append({"clips": count, "kind": kind} | measured(dataset, footage, [*asked.set, *more]))
                Console(stderr=True).print(rows[-1])
    return {"benchmark": "little_data", "name": asked.name or asked.dataset, "sets": asked.set, "rows": rows}


def points(found: dict[str, Any], kind: str) -> list[tuple[float, float, float, float]]:
    """Of a curve: minutes, and mean, lowest and highest AUC of the draws, for each amount."""
    rows = [row for row in found["rows"] if row["kind"] == kind]
    result = []
    for count in sorted({row["clips"] for row in rows}):
        here = [row for row in rows if row["clips"] == count]
        values = [row["auc_micro"] for row in here]
        minutes = float(np.mean([row["seconds"] for row in here])) / 60
        result.append((minutes, float(np.mean(values)), min(values), max(values)))
    return result


def drawn(curves: Sequence[dict[str, Any]]) -> str:
    """An SVG of AUC against minutes, on a logarithmic scale: dashed without a prior, whole with one."""
    lines = [(one["name"], kind, points(one, kind)) for one in curves for kind in ("alone", "prior")]
    lines = [line for line in lines if line[2]]
    minutes = [point[0] for _, _, line in lines for point in line]
    low, high = np.log(min(minutes)), np.log(max(minutes))
    floor = np.floor(10 * min(point[2] for _, _, line in lines for point in line)) / 10
    names = list(dict.fromkeys(name for name, _, _ in lines))

    def at(x: float, y: float) -> tuple[float, float]:
        across = EDGE + (np.log(x) - low) / max(high - low, 1e-9) * (WIDTH - 4 * EDGE)
        return round(float(across), 1), round(float(HEIGHT - EDGE - (y - floor) / (1 - floor) * (HEIGHT - 2 * EDGE)), 1)

    made = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">']
    made.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    for level in np.arange(floor, 1.01, 0.1):
        x, y = at(min(minutes), float(level))
        made.append(f'<path d="M{x} {y}H{WIDTH - 3 * EDGE}" stroke="#ddd"/>')
        made.append(f'<text x="{x - 8}" y="{y + 4}" font-size="11" text-anchor="end">{level:.1f}</text>')
    for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10):
        if min(minutes) <= tick <= max(minutes):
            x, y = at(tick, float(floor))
            made.append(f'<text x="{x}" y="{y + 16}" font-size="11" text-anchor="middle">{tick:g}</text>')
    middle = (WIDTH - 2 * EDGE) // 2
    made.append(
        f'<text x="{middle}" y="{HEIGHT - 10}" font-size="12" text-anchor="middle">minutes of normal footage</text>'
    )
    made.append(f'<text x="8" y="{EDGE - 20}" font-size="12">frame AUC; dashed: alone, whole: with a prior</text>')
    for name, kind, line in lines:
        colour, dash = COLOURS[names.index(name) % len(COLOURS)], ' stroke-dasharray="6 4"' if kind == "alone" else ""
        way = "L".join("{} {}".format(*at(x, y)) for x, y, _, _ in line)
        made.append(f'<path d="M{way}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
    for number, name in enumerate(names):
        y = EDGE + 18 * number
        made.append(
            f'<text x="{WIDTH - 3 * EDGE + 8}" y="{y}" font-size="12" fill="{COLOURS[number % 6]}">{name}</text>'
        )
    return "\n".join([*made, "</svg>", ""])


def density(samples: np.ndarray, width: np.ndarray, at: np.ndarray) -> np.ndarray:
    """`(N,)` logarithm of a kernel density."""
    apart = ((at[:, None] - samples[None]) / width) ** 2
    return np.asarray(logsumexp(-apart.sum(2) / 2, axis=1) - np.log(len(samples) * np.prod(width)))


def likelihoods(cameras: Sequence[Camera], name: str) -> np.ndarray:
    """`(C, S)` mean log density, of each camera but two of its groups, by those two and the others."""
    result = []
    for camera in cameras:
        own, groups = camera.arrays[f"{name}.samples"].astype(float), camera.arrays[f"{name}.groups"]
        others = np.concatenate([one.arrays[f"{name}.samples"] for one in cameras if one is not camera]).astype(float)
        little = np.isin(groups, np.unique(groups)[:2])
        tracks = float(camera.arrays["tracks"]) * 2 / len(np.unique(groups))
        scale, root = others.std(0), 1 / (own.shape[1] + 4)
        mine = density(own[little], 0.5 * scale * tracks**-root, own[~little])
        theirs = density(others, scale * (20 * len(cameras)) ** -root, own[~little])
        with np.errstate(divide="ignore"):
            result.append(
                [
                    np.logaddexp(mine + np.log(tracks / (tracks + k)), theirs + np.log(k / (tracks + k))).mean()
                    for k in STRENGTHS
                ]
            )
    return np.array(result)


def strengths(models: Sequence[Path]) -> dict[str, dict[str, float]]:
    """The mean over cameras, by attribute and by strength."""
    cameras = read_prior(models).cameras
    names = [name for name in cameras[0].attributes if all(name in camera.attributes for camera in cameras)]
    found = {name: likelihoods(cameras, name).mean(0) for name in names}
    return {
        name: {f"{k:g}": round(float(v), 3) for k, v in zip(STRENGTHS, row, strict=True)} for name, row in found.items()
    }


def main() -> None:
    """Measure a curve, draw curves, or compare strengths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="folder of the data set")
    parser.add_argument("--dataset", default="world")
    parser.add_argument("--name", help="what the curve is called")
    parser.add_argument("--clips", default="1,2,4,8,16", help="numbers of training clips")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--prior", type=Path, action="append", default=[], help="a model of another camera")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path, nargs="+", help="draw these results")
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--cameras", type=Path, help="folder for models of each camera")
    parser.add_argument("--strength", type=Path, nargs="+", help="models of at least three cameras")
    asked = parser.parse_args()
    if asked.plot:
        asked.svg.write_text(drawn([json.loads(path.read_text()) for path in asked.plot]))
        return
    with ProgressDisplay(Console(stderr=True)):
        learned = cameras(asked) if asked.cameras else None
        found = learned or (strengths(asked.strength) if asked.strength else curve(asked))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
    Console(highlight=False).print_json(data=found)


if __name__ == "__main__":
    main()
