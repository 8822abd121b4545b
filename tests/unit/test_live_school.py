"""When a camera learns, from what, and which model it has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import amiss
from amiss.errors import ConfigError, ModelError
from amiss.live.life import Course
from amiss.live.school import School, budgeted
from amiss.live.store import Life
from support_live import camera

LEARNING = {"collect": 1.0, "every": 24.0, "settings": {"perception.boxes.source": "motion"}}
NOW = 1_770_000_000.0


class FakeTeacher:
    """Learns nothing, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.started: list[tuple[str, Sequence[tuple[float, float]]]] = []
        self.result: tuple[Path | None, str] | None = None
        self.busy = self.stopped = False

    def start(self, name: str, without: Sequence[tuple[float, float]]) -> None:
        self.started.append((name, without))
        self.busy = True

    def done(self) -> tuple[Path | None, str] | None:
        result, self.result = self.result, None
        self.busy = self.busy and result is None
        return result

    def stop(self) -> None:
        self.stopped, self.busy = True, False


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[float, float]]:
    """What there is to learn from."""
    kept = {"a": (NOW, 0.6)}
    monkeypatch.setattr("amiss.live.school.block_times", lambda _: kept)
    return kept


def school(home: Path, **settings: Any) -> tuple[School, FakeTeacher]:
    made = School(camera(learning=LEARNING | settings), home)
    teacher = FakeTeacher()
    made._teacher = teacher  # type: ignore[assignment]
    return made, teacher


def course(life: Life) -> Course:
    return Course(life, NOW, "")


def tick(made: School, now: float, life: Life = Life.COLLECTING, going_on: bool = False) -> amiss.Model | None:
    return made.tick(now, course(life), lambda: [(1.0, 2.0)], going_on=going_on)


def test_it_learns_when_enough_is_collected(tmp_path: Path, hours: dict[str, Any]) -> None:
    made, teacher = school(tmp_path)
    assert made.learns
    assert tick(made, NOW) is None
    assert (teacher.started, made.collected) == ([], 0.6)
    hours["b"] = (NOW, 0.6)
    tick(made, NOW + 30)
    assert teacher.started == [], "it is counted once a minute"
    tick(made, NOW + 60)
    assert teacher.started == [("20260202T024100", [(1.0, 2.0)])]
    assert made.busy


def learned(folder: Path, hours: dict[str, Any], model: amiss.Model) -> tuple[School, FakeTeacher]:
    """A school whose teacher has just finished a model."""
    made, teacher = school(folder)
    hours["b"] = (NOW, 0.6)
    tick(made, NOW)
    model.save(folder / "models" / "x.amiss")
    teacher.result = (folder / "models" / "x.amiss", "")
    return made, teacher


def test_what_was_learned_is_taken_up_but_not_in_the_middle_of_an_event(
    tmp_path: Path, hours: dict[str, Any], model: amiss.Model
) -> None:
    made, _ = learned(tmp_path, hours, model)
    assert tick(made, NOW + 5, going_on=True) is None
    assert tick(made, NOW + 6, going_on=True) is None
    taken = tick(made, NOW + 7)
    assert taken is not None
    assert taken.fingerprint() == model.fingerprint()
    assert tick(made, NOW + 8) is None


def test_a_learning_that_failed_is_tried_again_later(
    tmp_path: Path, hours: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    made, teacher = school(tmp_path)
    hours["b"] = (NOW, 0.6)
    tick(made, NOW)
    teacher.result = (None, "there is too little")
    tick(made, NOW + 10)
    assert "learning came to nothing: there is too little" in caplog.text
    tick(made, NOW + 500)
    assert len(teacher.started) == 1
    tick(made, NOW + 611)
    assert len(teacher.started) == 2
    teacher.result = (tmp_path / "nowhere.amiss", "")
    tick(made, NOW + 700)
    assert "what was learned cannot be used" in caplog.text


def test_it_learns_anew_every_so_often_and_keeps_the_newest_models(
    tmp_path: Path, hours: dict[str, Any], model: amiss.Model
) -> None:
    made, teacher = school(tmp_path)
    hours["b"] = (NOW, 3.0)
    for number in range(5):
        path = tmp_path / "models" / f"2026020{number}T000000.amiss"
        model.save(path)
        os.utime(path, (NOW - 86_400 * (5 - number), NOW - 86_400 * (5 - number)))
    tick(made, NOW - 3600, Life.LIVE)
    assert teacher.started == [], "a day has not gone by since the last one"
    tick(made, NOW + 1, Life.FROZEN)
    assert teacher.started == [], "not while the view is not its own"
    tick(made, NOW + 61, Life.LIVE)
    assert len(teacher.started) == 1
    teacher.result = (path, "")
    assert tick(made, NOW + 70, Life.LIVE) is not None
    left = sorted(one.name for one in (tmp_path / "models").iterdir())
    assert left == ["20260202T000000.amiss", "20260203T000000.amiss", "20260204T000000.amiss"]
    never, asked = school(tmp_path, every=0)
    tick(never, NOW + 1e9, Life.LIVE)
    assert asked.started == []


def test_the_newest_model_that_can_be_read_is_taken(
    tmp_path: Path, model: amiss.Model, caplog: pytest.LogCaptureFixture
) -> None:
    made, _ = school(tmp_path)
    assert made.model() is None
    for name in ("1", "2"):
        model.save(tmp_path / "models" / f"{name}.amiss")
    (tmp_path / "models" / "2.amiss" / "model.json").write_text("{")
    found = made.model()
    assert found is not None
    assert "an older one is taken" in caplog.text
    os.utime(tmp_path / "models" / "1.amiss", (NOW, NOW))
    assert made.model(after=NOW + 1) is None
    assert made.model(after=NOW - 1) is not None


def test_a_model_that_was_given_is_the_one(tmp_path: Path, model: amiss.Model, model_folder: Path) -> None:
    made = School(camera(model=model_folder, budget="1/week", learning={"method": "pose-flow"}), tmp_path)
    assert not made.learns
    found = made.model()
    assert found is not None
    assert found.config.scoring.budget == "1/week"
    assert found.calibrations["causal"].level > model.calibrations["causal"].level
    assert tick(made, NOW, Life.LIVE) is None
    assert made.gathering().pipeline is not None, "by the method of the model, whatever else is said"
    with pytest.raises(ModelError, match="there is no model"):
        School(camera(model=tmp_path / "none"), tmp_path)


def test_a_budget_that_is_none_and_settings_that_do_not_fit_are_refused(tmp_path: Path, model: amiss.Model) -> None:
    with pytest.raises(ConfigError, match=r"scoring\.budget does not take"):
        budgeted(model, camera(budget="often"))
    assert budgeted(model, camera()) is model
    assert budgeted(model, camera(budget=model.config.scoring.budget)) is model
    with pytest.raises(ConfigError, match="there is no setting"):
        School(camera(learning={"settings": {"perception.boxes.colour": 1}}), tmp_path)
    with pytest.raises(ConfigError):
        School(camera(learning={"method": "nothing"}), tmp_path)


def test_boxes_come_from_what_can_be_used_here(tmp_path: Path) -> None:
    assert School(camera(), tmp_path).config.perception.boxes.source == "motion", "there is no network in tests"
    assert School(camera(budget="1/hour"), tmp_path).config.scoring.budget == "1/hour"


def test_what_is_being_learned_is_given_up_when_it_begins_anew(
    tmp_path: Path, hours: dict[str, Any], model: amiss.Model
) -> None:
    made, teacher = learned(tmp_path, hours, model)
    assert tick(made, NOW + 1, going_on=True) is None
    made.forget()
    assert teacher.stopped
    hours.clear()
    assert tick(made, NOW + 2) is None
