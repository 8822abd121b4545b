"""RBDC and TBDC on published scores of real footage."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from amiss.cli import main
from amiss.datasets import DATASETS
from amiss.engine.plain import read_region_scores
from amiss.metrics import region_curve

FRAMES = 40_791


def golden(shared_data: Path, name: str) -> Path:
    path = shared_data / "golden" / "rbdc_tbdc" / name
    if not path.is_dir():
        pytest.skip(f"{path} is absent")
    return path


def test_shanghaitech_to_a_millionth(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detections, out = golden(shared_data, "detections"), tmp_path / "out.json"
    arguments = ["--region-scores", detections, "--dataset", "shanghaitech", "--root", shared_data / "shanghaitech"]
    monkeypatch.setattr("sys.argv", ["amiss", "evaluate", *map(str, arguments), "--json", str(out)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    result = json.loads(out.read_text())
    assert result["frames"] == FRAMES
    assert result["metrics"]["rbdc"]["raw"] == pytest.approx(0.403623, abs=1e-6)
    assert result["metrics"]["tbdc"]["raw"] == pytest.approx(0.807230, abs=1e-6)


def test_the_toy_set_is_found_whole(shared_data: Path, tmp_path: Path) -> None:
    tracks = golden(shared_data, "toy_tracks")
    (tmp_path / "rbdc_tbdc_tracks").symlink_to(tracks)
    np.savez(tmp_path / "frame_labels.npz", **{"01": np.ones(5, np.uint8), "02": np.ones(5, np.uint8)})
    dataset = DATASETS["folder"](tmp_path)
    found = read_region_scores(golden(shared_data, "toy_detections"), dataset)
    truth = {clip.name: dataset.tracks(clip) or [] for clip in dataset.testing()}
    curve = region_curve(truth, found, 10)
    assert (curve.rbdc, curve.tbdc) == (1, 1)
