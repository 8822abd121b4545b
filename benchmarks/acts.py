"""Frame AUC of each act of a synthetic world, from what `amiss bench --out` keeps.

    amiss world --out WORLD --acts running,falling,fighting
    amiss bench world --root WORLD --method pose-flow --out RUN
    python benchmarks/acts.py --root WORLD --scores RUN/seed-0 --json acts.json

An act is told from all frames without one: those of clips without an act, and those of its own clips in which nothing
happens. With `--parts` each part of the score is judged by itself: the highest of a frame's regions, with `--along`
averaged along tracks first as `scoring.along` does it with the score.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from amiss.datasets import DATASETS
from amiss.engine import read_scores
from amiss.engine.evaluate import labels_of
from amiss.engine.scores import read_curves
from amiss.metrics import micro_auc
from amiss.scoring.combine import centre, worst_region
from amiss.types import FloatArray


def curves_of(scores: Path, root: Path, *, parts: bool, along: int) -> dict[str, dict[str, FloatArray]]:
    """By kind of score and by clip, `(T,)`."""
    found = read_curves(scores)
    kinds = {kind: {clip: getattr(curve, kind) for clip, curve in found.items()} for kind in ("raw", "smoothed")}
    if parts:
        footage = {clip.name: clip.footage for clip in DATASETS["world"](root).testing()}
        for item in read_scores(scores, footage):
            for name, values in item.regions.parts.items():
                floor = float(values.min()) if len(values) else 0.0
                regions = centre(replace(item.regions, score=values), along)
                kinds.setdefault(name, {})[item.name] = worst_region(regions, len(item.frames), floor)
    return kinds


def main() -> None:
    """Print a row an act."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="the world")
    parser.add_argument("--scores", type=Path, required=True, help="folder of scores")
    parser.add_argument("--parts", action="store_true", help="judge each part of the score, too")
    parser.add_argument("--along", type=int, default=0, help="frames to either side that a part is averaged over")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    asked = parser.parse_args()
    told = json.loads((asked.root / "world.json").read_text())["clips"]
    acts = {clip["name"]: clip["act"] for clip in told if clip["split"] == "testing"}
    labels = labels_of(DATASETS["world"](asked.root), list(acts))
    kinds = curves_of(asked.scores, asked.root, parts=asked.parts, along=asked.along)
    table = {}
    for act in sorted({act for act in acts.values() if act}):
        clips = [clip for clip, its in acts.items() if its in (act, None)]
        truth = {clip: labels[clip] for clip in clips}
        table[act] = {kind: micro_auc(truth, {clip: of[clip] for clip in clips}) for kind, of in kinds.items()}
        print(f"{act:12}", *(f"{kind} {value:.3f}" for kind, value in table[act].items()))
    if asked.json:
        asked.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
