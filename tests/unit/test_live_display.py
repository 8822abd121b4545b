"""What a camera leaves on the disk to be shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import amiss
from amiss.live.display import Display, read_told
from amiss.live.likeness import map_of
from amiss.live.nouns import Arrival
from amiss.live.settings import CameraSettings
from amiss.types import Frame, RegionScores
from support_stores import AT

SETTINGS = CameraSettings.build(
    {"source": "gate.mp4", "rate": 5, "zones": {"door": {"polygon": [[0, 0], [1, 0], [1, 1]]}}}
)


def arrival(level: int, clock: float) -> Arrival:
    return Arrival("gate", Frame(np.full((40, 60, 3), level, np.uint8), 0, clock), 1e9 + clock, clock)


def test_the_newest_picture_is_written_about_once_a_second(tmp_path: Path) -> None:
    display = Display(tmp_path, SETTINGS)
    for number in range(12):
        display.show(arrival(10 * number, number / 10))
    picture = cv2.imread(str(tmp_path / "now.jpg"))
    assert picture is not None
    assert picture.shape == (40, 60, 3)
    assert picture.mean() == pytest.approx(100, abs=2)


def test_a_disk_that_cannot_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "gate").write_text("a file, where a folder should be")
    Display(tmp_path / "gate", SETTINGS).show(arrival(1, 0.0))
    assert "cannot be written" in caplog.text


def test_examples_and_what_is_set_are_those_of_the_model(model: amiss.Model, tmp_path: Path) -> None:
    Display(tmp_path, SETTINGS).take_up(model)
    told = read_told(tmp_path)
    assert told["fingerprint"] == model.fingerprint()
    assert told["level"] == model.calibrations["causal"].level
    assert (told["rate"], list(told["zones"])) == (5, ["door"])
    kept = {path.name: path.read_bytes() for path in (tmp_path / "examples" / model.fingerprint()).iterdir()}
    assert kept == dict(model.examples)


def test_examples_of_old_models_go(model: amiss.Model, tmp_path: Path) -> None:
    for number in range(5):
        scoring = model.config.scoring.model_copy(update={"merge": float(number)})
        other = replace(model, config=model.config.model_copy(update={"scoring": scoring}))
        Display(tmp_path, SETTINGS).take_up(other)
    left = {path.name for path in (tmp_path / "examples").iterdir()}
    assert len(left) == 3
    assert other.fingerprint() in left


@pytest.mark.parametrize("text", ["", "{", json.dumps([1])])
def test_a_damaged_file_tells_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    assert read_told(tmp_path) == {}
    assert read_told(tmp_path / "nowhere") == {}


def test_the_map_that_rises_highest_is_shown() -> None:
    low, high = np.zeros((1, 2, 2), np.float16), np.array([[[0, 0.5], [3, 0]]], np.float16)
    place = np.array([1]), np.array([0.1]), np.array([[1, 2, 3, 4]], np.float32)
    region = RegionScores(*place, score=np.array([1.0]), maps={"where": low, "what": high})
    values = [[0.0, 0.5], [3.0, 0.0]]
    assert map_of(region, AT) == {"part": "what", "at": AT + 0.1, "box": [1.0, 2.0, 3.0, 4.0], "values": values}
    assert map_of(region[:0], AT) is None
    assert map_of(replace(region, maps={}), AT) is None
