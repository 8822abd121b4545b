"""Few-shot transfer: a model of other footage, adapted to the first moments of each test clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import amiss
import support_footage as support
from amiss import engine
from amiss.datasets.folder import PlainFolder
from amiss.engine import Transfer
from amiss.engine.progress import silent
from amiss.errors import ConfigError


@pytest.fixture(scope="module")
def model(place: Path) -> amiss.Model:
    return amiss.learn(place / "training", settings=support.SETTINGS)


def bench(model: amiss.Model, place: Path, out: Path, shots: int) -> dict:
    return engine.bench(PlainFolder(place), model.method.id, model.config, [0], out, silent, Transfer(model, shots))


def test_without_shots_it_is_the_model_as_it_is(model: amiss.Model, place: Path, tmp_path: Path) -> None:
    result = bench(model, place, tmp_path, 0)
    curves = {clip: model.score(place / "testing" / f"{clip}.mp4").frames for clip in result["clips"]}
    labels = engine.evaluate({clip: PlainFolder(place).labels(item) for clip, item in clips_of(place).items()}, curves)
    assert {name: kinds["raw"]["mean"] for name, kinds in result["metrics"].items() if name in labels} == pytest.approx(
        {name: kinds["raw"] for name, kinds in labels.items()}
    )
    assert result["seconds"]["learn"] == 0
    assert result["transfer"] == {"learned": model.learned, "shots": 0}


def clips_of(place: Path) -> dict:
    return {clip.name: clip for clip in PlainFolder(place).testing()}


def test_shots_take_no_part_in_the_evaluation(model: amiss.Model, place: Path, tmp_path: Path) -> None:
    whole, fewer = (bench(model, place, tmp_path / str(shots), shots) for shots in (0, 3))
    clips, length = len(whole["clips"]), model.method.needs.length
    assert whole["frames"] - fewer["frames"] == 3 * length * clips


def test_only_the_shots_are_adapted_to(model: amiss.Model, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    kind = type(model.method)
    monkeypatch.setattr(kind, "update", lambda _, windows: seen.extend(windows.frame.tolist()))
    clip = next(iter(clips_of(place).values()))
    before = {name: array.copy() for name, array in model.method.state().items()}
    transfer = Transfer(model, 40)
    transfer.adapted(clip, 0, silent)
    assert seen
    assert max(seen) < transfer.skipped
    assert all(np.array_equal(before[name], array) for name, array in model.method.state().items())


def test_what_it_is_adapted_to_becomes_more_usual(model: amiss.Model, place: Path) -> None:
    clip = next(iter(clips_of(place).values()))
    length = len(list(clip.footage))
    adapted = Transfer(model, length // model.method.needs.length).adapted(clip, 0, silent)
    before, after = (engine.score_clip(one, clip.footage).frames.raw for one in (model, adapted))
    assert after.mean() < before.mean()


def test_shots_are_not_fewer_than_none(model: amiss.Model) -> None:
    with pytest.raises(ConfigError, match="--shots takes 0 or more"):
        Transfer(model, -1)
