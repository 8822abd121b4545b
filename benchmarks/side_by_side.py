r"""Metrics of amiss beside those of other programs, on the same files.

    python benchmarks/side_by_side.py --region-scores DETECTIONS --dataset shanghaitech --root SHANGHAITECH
    python benchmarks/side_by_side.py ... --clips 01_0014 --python OTHER/bin/python

Frame AUC is held against scikit-learn's. RBDC and TBDC take as long as is said, with reading, and as much memory. With
`--python`, an interpreter that has `py-ssvad-metrics` (1.0.0, with `pydantic<2` and `opencv-python-headless`), its
numbers for the clips named stand beside ours. It makes a map of pixels of boxes, averages where they overlap, takes
connected parts of the map above each of 103 levels for regions, ends the curve where the last level does, and knows one
track a frame. So its numbers are not those of the published rules, which ours follow.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from amiss import metrics
from amiss.datasets import DATASETS, Dataset
from amiss.engine.plain import read_region_scores
from amiss.engine.protocols import highest
from amiss.types import RegionScores, Track

THEIRS = (
    "import json, sys; from ssvad_metrics import accumulated_evaluate; "
    "print(json.dumps(accumulated_evaluate(sys.argv[1], sys.argv[2], show_progress=False)))"
)


def frames_beside(dataset: Dataset, found: dict[str, RegionScores]) -> dict[str, float]:
    """Frame AUC of the highest region of each frame, by amiss and by scikit-learn."""
    labels = {clip.name: dataset.labels(clip) for clip in dataset.testing()}
    scores = highest(found, labels)
    whole = [np.concatenate([table[name] for name in labels]) for table in (labels, scores)]
    return {"amiss": metrics.micro_auc(labels, scores), "scikit_learn": float(roc_auc_score(*whole))}


Row = tuple[int, Sequence[float], float, int]
"""A frame, a box, a score and a track."""


def annotation(boxes: Sequence[Row], frames: int, size: Sequence[int], *, true: bool) -> dict[str, object]:
    """What the other program reads."""
    rows: list[dict[str, object]] = []
    for frame in range(frames):
        own = [row for row in boxes if row[0] == frame]
        regions = [{"bounding_box": [int(value) for value in box], "score": score} for _, box, score, _ in own]
        highest_of = max([0.0, *(row[2] for row in own)])
        rows.append({"frame_id": frame + 1, "anomalous_regions": regions, "frame_level_score": highest_of})
        if true:
            rows[-1]["anomaly_track_id"] = own[0][3] if own else -1
    return {
        "is_gt": true,
        "frames_count": frames,
        "is_anomalous_regions_available": True,
        "is_anomaly_track_id_available": true,
        "frame_width": size[0],
        "frame_height": size[1],
        "frames": rows,
    }


def theirs(
    python: Path, truth: dict[str, list[Track]], found: dict[str, RegionScores], lengths: dict[str, int]
) -> dict[str, float]:
    """RBDC and TBDC of the other program."""
    with tempfile.TemporaryDirectory() as folder:
        folders = [Path(folder) / kind for kind in ("true", "own")]
        for each in folders:
            each.mkdir()
        for name, table in found.items():
            true = [
                (int(frame), box, 1.0, number)
                for number, track in enumerate(truth[name])
                for frame, box in zip(track.frame, track.xyxy.tolist(), strict=True)
            ]
            own = [
                (int(frame), box, min(max(float(score), 0.0), 1.0), -1)
                for frame, box, score in zip(table.frame, table.box.tolist(), table.score, strict=True)
            ]
            size = [int(max(row[1][side] for row in (*true, *own))) + 2 for side in (2, 3)]
            for each, rows in zip(folders, (true, own), strict=True):
                made = annotation(rows, lengths[name], size, true=rows is true)
                (each / f"{name}.json").write_text(json.dumps(made))
        command = [python, "-c", THEIRS, *folders]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # named by the user
    if answer.returncode:
        raise SystemExit(answer.stderr)
    numbers = json.loads(answer.stdout.splitlines()[-1])
    return {"rbdc": numbers["region_roc_auc"], "tbdc": numbers["track_roc_auc"]}


def main() -> None:
    """Print what each says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region-scores", type=Path, required=True, help="a text file a clip")
    parser.add_argument("--dataset", default="shanghaitech", help="id of the data set")
    parser.add_argument("--root", type=Path, required=True, help="its folder")
    parser.add_argument("--clips", nargs="+", default=[], help="clips for the other program; all take long")
    parser.add_argument("--python", type=Path, help="an interpreter that has py-ssvad-metrics")
    parser.add_argument("--json", type=Path, help="write the result here as well")
    asked = parser.parse_args()
    start = time.perf_counter()
    dataset = DATASETS[asked.dataset](asked.root)
    found = read_region_scores(asked.region_scores, dataset)
    truth = {clip.name: dataset.tracks(clip) or [] for clip in dataset.testing()}
    lengths = {clip.name: len(dataset.labels(clip)) for clip in dataset.testing()}
    curve = metrics.region_curve(truth, found, sum(lengths.values()))
    seconds = time.perf_counter() - start
    result: dict[str, object] = {
        "rbdc": curve.rbdc,
        "tbdc": curve.tbdc,
        "seconds": seconds,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "frame_auc": frames_beside(dataset, found),
    }
    if asked.python:
        some = {name: found[name] for name in asked.clips or found}
        ours = metrics.region_curve({n: truth[n] for n in some}, some, sum(lengths[n] for n in some))
        result["clips"] = list(some)
        result["ours"] = {"rbdc": ours.rbdc, "tbdc": ours.tbdc}
        result["theirs"] = theirs(asked.python, truth, some, lengths)
    print(json.dumps(result, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
