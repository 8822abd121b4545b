from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import amiss
import support_footage as support
from amiss.config import load_config
from amiss.datasets.folder import PlainFolder
from amiss.engine.learn import split_parts
from amiss.engine.members import other_sizes
from amiss.errors import FootageError
from amiss.footage import find_footage
from amiss.methods import METHODS
from amiss.pipeline import Pipeline
from amiss.windows.store import WindowPart


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[WindowPart]:
    """The windows of eight short clips."""
    folder = tmp_path_factory.mktemp("eight")
    for number in range(8):
        support.as_video(folder / f"{number}.mp4", number, 12)
    config = load_config(sets=["method.parts=[velocity]"])
    pipeline = Pipeline(config, METHODS["attributes"](METHODS["attributes"].settings_type(parts=("velocity",))).needs)
    return [pipeline.part(footage) for footage in find_footage([folder])]


@pytest.mark.parametrize(("number", "share", "back"), [(4, 0.25, 1), (8, 0.25, 2), (8, 0.5, 4), (5, 0.01, 1)])
def test_whole_clips_are_held_back_from_four_on(parts: list[WindowPart], number: int, share: float, back: int) -> None:
    kept, held = split_parts(parts[:number], load_config(sets=[f"scoring.holdout={share}"]))
    assert len(held) == back
    assert all(start == -np.inf for _, start in held)
    names = [part.name for part in kept] + [part.name for part, _ in held]
    assert sorted(names) == [str(name) for name in range(number)]


def test_the_seed_chooses_what_is_held_back(parts: list[WindowPart]) -> None:
    def back(seed: int) -> list[str]:
        return [part.name for part, _ in split_parts(parts, load_config(sets=[f"seed={seed}"]))[1]]

    assert back(0) == back(0)
    assert len({tuple(back(seed)) for seed in range(8)}) > 1


def test_below_four_clips_the_end_of_each_is_held_back(parts: list[WindowPart]) -> None:
    kept, held = split_parts(parts[:3], load_config(sets=["scoring.holdout=0.25"]))
    assert len(kept) == len(held) == 3
    for before, (whole, start) in zip(kept, held, strict=True):
        after = whole.between(start, np.inf)
        assert len(before) + len(after) == len(whole)
        assert before[:].seconds.max() < start <= after[:].seconds.min()
        assert start == pytest.approx(0.75 * whole.clock[-1])


def test_learning_is_the_same_each_time_and_by_seed(model: amiss.Model, place: Path) -> None:
    again = amiss.learn([place / "training" / "calm0.mp4", place / "training" / "calm1.mp4"], settings=support.SETTINGS)
    assert again.fingerprint() == model.fingerprint()
    assert again.examples == model.examples
    sampled = [*support.SETTINGS, "method.samples=60"]
    some = [amiss.learn(place / "training", settings=[*sampled, f"seed={seed}"]) for seed in (0, 1)]
    values = [next(v for k, v in m.method.state().items() if k.endswith("velocity.samples")) for m in some]
    assert not np.array_equal(values[0], values[1])


def test_what_was_learned_from_is_told(model: amiss.Model, place: Path) -> None:
    assert model.learned["clips"] == ["calm0", "calm1"]
    assert model.learned["frames"] == 2 * support.CALM
    assert model.learned["seconds"] == pytest.approx(2 * (support.CALM - 1) / support.RATE)
    assert model.learned["boxes"] == "motion"
    assert model.learned["windows"] > 200
    assert len(model.examples) > 10
    assert all(picture.startswith(b"\xff\xd8") for picture in model.examples.values())


def test_a_budget_that_allows_more_opens_earlier(place: Path, model: amiss.Model) -> None:
    many = amiss.learn(place / "training", budget="2000/hour", settings=support.SETTINGS)
    assert many.config.scoring.budget == "2000/hour"
    assert many.calibrations["centred"].level < model.calibrations["centred"].level


def test_footage_that_was_opened_before_is_taken_too(place: Path, model: amiss.Model) -> None:
    opened = find_footage([place / "training"])
    assert amiss.learn(opened, settings=support.SETTINGS).fingerprint() == model.fingerprint()


def test_too_little_footage_is_told(tmp_path: Path) -> None:
    support.as_folder(tmp_path / "short", 1, 3)
    with pytest.raises(FootageError, match="objects were found"):
        amiss.learn(tmp_path / "short")


def test_labels_are_never_asked_for_while_learning_and_scoring(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(PlainFolder, "_read_labels", lambda _self, clip: asked.append(clip.name))
    monkeypatch.setattr(PlainFolder, "_read_masks", lambda _self, clip: asked.append(clip.name))
    dataset = PlainFolder(place)
    assert {name for clip in dataset.training() for name in vars(clip)} == {"name", "split", "footage", "camera"}
    model = amiss.learn([clip.footage for clip in dataset.training()], settings=support.SETTINGS)
    amiss.engine.score_clips(model, [clip.footage for clip in dataset.testing()], tmp_path, lambda *_: None)
    assert asked == []


def test_another_picture_size_is_said(place: Path, model: amiss.Model, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    for number in range(3):
        cv2.imwrite(str(tmp_path / "small" / f"{number}.png"), support.ground()[::2, ::2])
    clips = [*find_footage([place / "training"]), *find_footage([tmp_path / "small"], 25.0)]
    said = other_sizes(clips, model.learned["picture"])
    assert said.startswith(f"small has pictures of {support.WIDTH // 2}x{support.HEIGHT // 2} pixels and not of ")
    assert other_sizes(clips) == said
    assert other_sizes(clips[:-1]) == ""
    assert model.learned["picture_note"] == ""
