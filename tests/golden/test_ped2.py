"""A small run on real footage with given boxes; the numbers of the whole benchmark come from `amiss bench`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import amiss
from amiss.config import Config, load_config
from amiss.datasets.ucsd import Ped2
from amiss.engine.evaluate import evaluate, labels_of
from amiss.perception.boxes import read_boxes, tidy

TRAINING, TESTING = ("01", "06", "11", "16"), ("03", "07")
SETTINGS = ("perception.boxes.source=file", "perception.tracks.confirm=1", "scoring.smoothing=gaussian:8")


def measured(
    shared_data: Path, method: str, config: Config
) -> tuple[dict[str, amiss.Scores], dict[str, dict[str, float]]]:
    """Scores of two test clips after learning from four, and the metrics of both together."""
    if not (shared_data / "ped2").is_dir():
        pytest.skip("the shared data has no ped2/")
    dataset = Ped2(shared_data / "ped2")
    training = [clip.footage for clip in dataset.training() if clip.name in TRAINING]
    assert len(training) == len(TRAINING)
    model = amiss.learn(training, method, config=config)
    scores = {clip.name: model.score(clip.footage) for clip in dataset.testing() if clip.name in TESTING}
    return scores, evaluate(labels_of(dataset, list(scores)), {name: item.frames for name, item in scores.items()})


@pytest.mark.timeout(240)
def test_four_clips_of_ped2_tell_two_others(shared_data: Path) -> None:
    config = load_config(sets=SETTINGS)
    scores, found = measured(shared_data, "attributes", config)
    assert found["auc_micro"]["smoothed"] >= 0.95, found
    assert found["auc_micro"]["raw"] >= 0.9, found
    for name, item in scores.items():
        boxes, rows = read_boxes(shared_data / "ped2" / "boxes_testing.npz", name)
        kept = [
            len(tidy(boxes[a:b], config.perception.boxes, (360, 240))) for a, b in np.stack([rows[:-1], rows[1:]], 1)
        ]
        np.testing.assert_array_equal(np.bincount(item.regions.frame, minlength=len(item.frames)), kept)


@pytest.mark.timeout(240)
def test_a_small_network_trained_for_seconds_sees_some_of_it(shared_data: Path) -> None:
    """An eighth of the width and three epochs are far from the published numbers, and far from chance."""
    small = ("method.width=8", "train.epochs=3", "train.rate=2e-3", "scoring.smoothing=median:17")
    _, found = measured(shared_data, "appearance-motion", load_config(sets=(SETTINGS[0], *small)))
    assert found["auc_micro"]["smoothed"] >= 0.85, found
