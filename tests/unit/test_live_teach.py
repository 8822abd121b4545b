"""Learning from what a camera kept, in another process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import support_footage as footage
from amiss.config import Config, load_config
from amiss.engine import Model, Scores, learn, score_clip
from amiss.live.collect import read_blocks
from amiss.live.teach import Teacher, teach
from support_live import AT, keep_blocks
from support_servers import until

NEAR = 1e-9
SEEDS = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(sets=[*footage.SETTINGS, "perception.boxes.source=motion", "method.parts=[speed,size,place]"])


@pytest.fixture(scope="module")
def blocks(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blocks") / "windows"
    keep_blocks(folder, config, [footage.pictures(seed) for seed in SEEDS])
    return folder


@pytest.fixture
def teacher(blocks: Path, config: Config, tmp_path: Path) -> Iterator[Teacher]:
    made = Teacher(blocks, tmp_path / "models", "attributes", config)
    yield made
    made.stop()


def scores_of(model: Model, seed: int = 100) -> Scores:
    causal = replace(model, config=load_config(sets=["scoring.causal=true"], base=model.config))
    times = [index / footage.RATE for index in range(footage.WILD)]
    return score_clip(causal, footage.Shown(footage.pictures(seed, wild=True), times, Path("wild")))


def finished(teacher: Teacher) -> tuple[Path | None, str]:
    until(lambda: (got.append(found) if (found := teacher.done()) else None) or got, 60.0)
    return got.pop()


got: list[tuple[Path | None, str]] = []


def test_it_learns_what_is_learned_from_the_same_footage(teacher: Teacher, config: Config, tmp_path: Path) -> None:
    assert not teacher.busy
    assert teacher.done() is None
    teacher.start("first", ())
    teacher.start("second", ())  # one at a time
    assert teacher.busy
    path, why = finished(teacher)
    assert (path, why) == (tmp_path / "models" / "first.amiss", "")
    assert not teacher.busy
    assert [one.name for one in path.parent.iterdir()] == ["first.amiss"]
    times = [index / footage.RATE for index in range(footage.CALM)]
    clips = [footage.Shown(footage.pictures(seed), times, Path(f"clip{seed}")) for seed in SEEDS]
    learned, same = Model.load(path), learn(clips, "attributes", config)
    assert learned.learned["windows"] == same.learned["windows"] > 100
    ours, theirs = scores_of(learned), scores_of(same)
    assert ours.events
    np.testing.assert_allclose(ours.frames.raw, theirs.frames.raw, NEAR, NEAR)
    np.testing.assert_allclose(ours.frames.calibrated, theirs.frames.calibrated, NEAR, NEAR)
    assert learned.calibrations["causal"].level == pytest.approx(same.calibrations["causal"].level, NEAR)
    assert learned.examples
    assert all(picture[:2] == b"\xff\xd8" for picture in learned.examples.values())


def test_a_failure_gives_its_reason(config: Config, tmp_path: Path) -> None:
    keep_blocks(tmp_path / "windows", config, [[footage.ground()] * 20])
    made = Teacher(tmp_path / "windows", tmp_path / "models", "attributes", config)
    made.start("none", ())
    path, why = finished(made)
    assert path is None
    assert "footage" in why
    assert "\n" not in why
    assert list((tmp_path / "models").iterdir()) == []


def test_it_can_be_given_up(teacher: Teacher, tmp_path: Path) -> None:
    teacher.start("never", ())
    begun = time.monotonic()
    teacher.stop()
    assert time.monotonic() - begun < 5
    assert not teacher.busy
    assert teacher.done() is None
    assert not list(tmp_path.rglob("model.json"))


def test_spoiled_stretches_are_not_learned_from(blocks: Path, config: Config, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.amiss", tmp_path / "part.amiss"
    teach(blocks, whole, "attributes", config, [])
    teach(blocks, part, "attributes", config, [(AT + 1000, AT + 1010), (AT + 2003, AT + 2004)])
    kept = [Model.load(path).learned for path in (whole, part)]
    assert len(kept[0]["clips"]) == 4
    assert len(kept[1]["clips"]) == 3, "of one nothing is left"
    every = sum(len(block.part) for block in read_blocks(blocks))
    assert kept[0]["windows"] == every > kept[1]["windows"]
