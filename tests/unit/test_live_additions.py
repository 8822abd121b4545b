"""What the live side needed of the engine: other budgets, long events, views that are kept."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import amiss
import support_footage as footage
from amiss.config import ScenesConfig, ScoringConfig, load_config
from amiss.engine import Stream
from amiss.errors import ModelError
from amiss.perception.scenes import Flag, ViewHealth
from amiss.scoring.calibrate import calibrate
from amiss.scoring.events import Hysteresis
from amiss.types import Event, Frame

GAP = 1.0


def curve(seconds: float = 3600, rate: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    values = np.random.default_rng(1).normal(size=int(seconds * rate))
    return np.convolve(values, np.ones(15) / 15, "same"), np.arange(len(values)) / rate


@pytest.mark.parametrize("budget", ["10/hour", "1/hour", "1/week"])
@pytest.mark.parametrize("merge", [2.0, 10.0])
def test_another_budget_gives_what_learning_with_it_gives(budget: str, merge: float) -> None:
    curves, config = [curve(), curve(600)], ScoringConfig(budget=budget, merge=merge)
    once, changed = calibrate(curves, 0.0, ScoringConfig(), GAP), calibrate(curves, 0.0, config, GAP)
    assert once.with_budget(config, GAP).to_json() == changed.to_json() != once.to_json()
    assert once.with_budget(config, GAP).with_budget(ScoringConfig(), GAP).to_json() == once.to_json()


def with_budget(model: amiss.Model, budget: str) -> amiss.Model:
    return model.with_settings(load_config(sets=[f"scoring.budget={budget}"], base=model.config), ("scoring.budget",))


def test_so_it_does_for_a_model_that_was_loaded(model: amiss.Model, model_folder: Path, place: Path) -> None:
    loaded = with_budget(amiss.load(model_folder), "30/hour")
    same = amiss.learn(place / "training", settings=[*footage.SETTINGS, "scoring.budget=30/hour"])
    for mode in ("centred", "causal"):
        assert loaded.calibrations[mode].to_json() == same.calibrations[mode].to_json()
    assert loaded.fingerprint() == same.fingerprint() != model.fingerprint()


def test_a_model_that_keeps_no_curves_says_so(model: amiss.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "old.amiss")
    (tmp_path / "old.amiss" / "calibration.safetensors").unlink()
    index = json.loads((tmp_path / "old.amiss" / "model.json").read_text())
    del index["files"]["calibration.safetensors"]
    (tmp_path / "old.amiss" / "model.json").write_text(json.dumps(index))
    old = amiss.load(tmp_path / "old.amiss")
    with pytest.raises(ModelError, match="keeps no curves to set a budget by; learn it anew"):
        with_budget(old, "1/hour")
    assert old.fingerprint() == model.fingerprint()


def events_of(stream: Stream, frames: list[Frame]) -> list[Event]:
    ended = [update.event for update in map(stream.update, frames)]
    return [event for event in [*ended, stream.finish()] if event]


def test_of_a_long_event_some_frames_are_kept_and_the_worst(model: amiss.Model) -> None:
    frames = [Frame(image, n, n / footage.RATE) for n, image in enumerate(footage.pictures(100, wild=True))]
    low = {mode: dataclasses.replace(one, level=0.3) for mode, one in model.calibrations.items()}
    eager = dataclasses.replace(model, calibrations=low)
    whole, thinned = events_of(Stream(eager), frames), events_of(Stream(eager, most=4), frames)
    assert [(event.start, event.end, event.severity) for event in whole] == [
        (event.start, event.end, event.severity) for event in thinned
    ]
    longest = max(range(len(whole)), key=lambda number: len(whole[number].tube))
    ours, all_of_it = thinned[longest], whole[longest]
    assert len(set(ours.tube.frame.tolist())) <= 5 < len(set(all_of_it.tube.frame.tolist()))
    assert ours.tube.score.max() == all_of_it.tube.score.max()
    assert (ours.reasons, ours.examples, dict(ours.parts)) == (
        all_of_it.reasons,
        all_of_it.examples,
        dict(all_of_it.parts),
    )


def test_what_goes_on_is_told_once_it_is_sure_and_is_then_what_ends(model: amiss.Model) -> None:
    frames = [Frame(image, n, n / footage.RATE) for n, image in enumerate(footage.pictures(100, wild=True))]
    stream, seen = Stream(model), []
    assert stream.pending() is None
    ended: list[Event] = []
    for frame in frames:
        update = stream.update(frame)
        ended += [update.event] if update.event else []
        pending = stream.pending()
        assert (stream.span is None) == (pending is None)
        if pending:
            seen.append(pending)
            assert pending.event.end - pending.event.start >= model.config.scoring.min_seconds - 0.11
            assert pending.event.reasons
            assert pending.windows is not None
    last = stream.finish()
    ended += [last] if last else []
    assert {pending.event.start for pending in seen} == {event.start for event in ended}
    assert seen[-1].event.severity == ended[-1].severity
    assert seen[-1].event.reasons == ended[-1].reasons


def test_a_span_is_sure_once_it_is_long_enough_whatever_follows() -> None:
    finder = Hysteresis(2.0, 1.0, merge=1.0, min_seconds=0.3, gap=1.0)
    scores = [0, 3, 3, 3, 3, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0]
    sure, ended = [], []
    for frame, score in enumerate(scores):
        span = finder.update(frame, frame / 10, score)
        sure.append(finder.sure)
        ended += [span] if span else []
    assert not any(sure[:3])
    assert all(sure[4:17])
    assert not any(sure[19:]), "one frame is too short"
    assert len(ended) == 1
    assert finder.finish() is None


def test_a_view_is_kept_and_taken_up_again() -> None:
    config = ScenesConfig(memory=1.0, hold=0.2)
    first, later = ViewHealth(config), ViewHealth(config)
    assert first.state() == {}
    shown = footage.pictures(0)
    for number, image in enumerate(shown):
        first.update(Frame(image, number, number / 10))
    state = first.state()
    assert set(state) == {"edges", "marks"}
    later.restore(state)
    moved = [np.asarray(np.roll(image, 30, axis=1)) for image in footage.pictures(1)]
    flags = [later.update(Frame(image, number, number / 10)) for number, image in enumerate(moved[:20])]
    assert flags[0] == ()
    assert [flag.kind for flag in flags[-1]] == [Flag.MOVED]
    later.restore({})
    assert [later.update(Frame(image, n, n / 10)) for n, image in enumerate(moved[:20])][-1] == ()
    with pytest.raises(KeyError):
        later.restore({"edges": state["edges"]})
