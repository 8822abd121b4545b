"""A clip scored whole with the past only, and the same clip frame by frame, give the same numbers and events."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import amiss
import support_footage as support
from amiss.api import Scores
from amiss.config import load_config
from amiss.engine import Stream, Update
from amiss.footage import Footage, open_footage
from amiss.types import Event, RegionScores

NEAR = 1e-9


@pytest.fixture(scope="module")
def causal(model: amiss.Model) -> amiss.Model:
    """The model with files smoothed as live footage must be."""
    return with_settings(model, "scoring.causal=true")


def with_settings(model: amiss.Model, *sets: str) -> amiss.Model:
    return dataclasses.replace(model, config=load_config(sets=sets, base=model.config))


def follow(stream: Stream, footage: Footage) -> tuple[list[Update], list[Event]]:
    updates = [stream.update(frame) for frame in footage]
    ended = [update.event for update in updates if update.event] + [stream.finish()]
    return updates, [event for event in ended if event]


def assert_equal(scores: Scores, updates: Sequence[Update], events: Sequence[Event]) -> None:
    regions = RegionScores.merge([update.regions for update in updates])
    for column in ("frame", "seconds", "box", "track"):
        np.testing.assert_array_equal(getattr(regions, column), getattr(scores.regions, column), column)
    np.testing.assert_allclose(regions.score, scores.regions.score, NEAR, NEAR)
    assert list(regions.parts) == list(scores.regions.parts)
    for name, values in regions.parts.items():
        np.testing.assert_allclose(values, scores.regions.parts[name], NEAR, NEAR, err_msg=name)
    for curve in ("raw", "smoothed", "calibrated"):
        values = [getattr(update, curve) for update in updates]
        np.testing.assert_allclose(values, getattr(scores.frames, curve), NEAR, NEAR, err_msg=curve)
    assert_same_events(events, scores.events)


def assert_same_events(some: Sequence[Event], others: Sequence[Event]) -> None:
    plain = ("id", "camera", "start", "peak", "end", "reasons", "examples")
    assert [[getattr(e, name) for name in plain] for e in some] == [[getattr(e, n) for n in plain] for e in others]
    for one, other in zip(some, others, strict=True):
        assert one.severity == pytest.approx(other.severity, NEAR, NEAR)
        assert dict(one.parts) == pytest.approx(dict(other.parts), NEAR, NEAR)
        for column in ("frame", "seconds", "xyxy", "track"):
            np.testing.assert_array_equal(getattr(one.tube, column), getattr(other.tube, column))
        np.testing.assert_allclose(one.tube.score, other.tube.score, NEAR, NEAR)


@pytest.mark.parametrize("clip", ["wild0", "wild1"])
def test_a_file_and_its_frames_give_the_same(causal: amiss.Model, place: Path, clip: str) -> None:
    footage = open_footage(place / "testing" / f"{clip}.mp4")
    scores = causal.score(footage)
    assert len(scores.regions) > 100
    assert scores.events
    assert scores.events[0].reasons
    assert_equal(scores, *follow(causal.stream(clip), footage))


@pytest.mark.parametrize(
    "sets",
    [
        ("scoring.smoothing=none", "scoring.persistence=1"),
        ("scoring.smoothing=median:5", "scoring.persistence=4"),
        ("scoring.merge=0", "scoring.min_seconds=0", "scoring.release=1"),
        ("scoring.along=9",),
    ],
    ids=lambda sets: sets[0],
)
def test_the_same_under_other_settings(causal: amiss.Model, place: Path, sets: tuple[str, ...]) -> None:
    changed = with_settings(causal, *sets)
    footage = open_footage(place / "testing" / "wild0.mp4")
    assert_equal(changed.score(footage), *follow(changed.stream("wild0"), footage))


def test_a_loaded_model_gives_the_same_as_the_one_in_memory(
    causal: amiss.Model, model_folder: Path, place: Path
) -> None:
    loaded = with_settings(amiss.load(model_folder), "scoring.causal=true")
    footage = open_footage(place / "testing" / "wild0.mp4")
    assert_equal(causal.score(footage), *follow(loaded.stream("wild0"), footage))


def test_from_the_cache_and_without_it_are_the_same(causal: amiss.Model, place: Path, tmp_path: Path) -> None:
    empty = with_settings(causal, f"cache={tmp_path / 'cache'}")
    first = empty.score(place / "testing" / "wild0.mp4")
    assert list((tmp_path / "cache").rglob("entry.json"))
    second = empty.score(place / "testing" / "wild0.mp4")
    for column in ("box", "track", "score"):
        np.testing.assert_array_equal(getattr(first.regions, column), getattr(second.regions, column))
    np.testing.assert_array_equal(first.frames.calibrated, second.frames.calibrated)
    assert_same_events(first.events, second.events)


def test_two_cameras_do_not_mix(causal: amiss.Model, place: Path) -> None:
    clips = [open_footage(place / "testing" / f"wild{number}.mp4") for number in range(2)]
    streams = [causal.stream(clip.name) for clip in clips]
    updates: list[list[Update]] = [[], []]
    for frames in zip(*clips, strict=True):
        for number, frame in enumerate(frames):
            updates[number].append(streams[number].update(frame))
    for clip, stream, seen in zip(clips, streams, updates, strict=True):
        ended = [update.event for update in seen if update.event] + [stream.finish()]
        assert_equal(causal.score(clip), seen, [event for event in ended if event])


def test_no_window_track_or_event_spans_a_gap_in_time(causal: amiss.Model) -> None:
    jump, late = 32, 30.0
    times = [index / support.RATE + late * (index >= jump) for index in range(support.WILD)]
    footage = support.Shown(support.pictures(100, wild=True), times, Path("gap"))
    scores = causal.score(footage)
    assert_equal(scores, *follow(causal.stream("gap"), footage))
    before, after = scores.regions[scores.regions.frame < jump], scores.regions[scores.regions.frame >= jump]
    assert not set(before.track.tolist()) & set(after.track.tolist())
    assert len(after)
    whole = causal.score(support.Shown(footage.images, [i / support.RATE for i in range(support.WILD)], Path("whole")))
    assert any(event.start < jump / support.RATE < event.end for event in whole.events), "the burst lies across it"
    assert not any(event.start < times[jump - 1] + 1 and event.end > late for event in scores.events)
    assert any(event.end <= times[jump - 1] for event in scores.events)
    assert any(event.start >= times[jump] for event in scores.events)


def test_a_scene_without_anything_in_it_scores_as_normal(causal: amiss.Model) -> None:
    footage = support.Shown([support.ground()] * 12, [index / 10 for index in range(12)], Path("empty"))
    scores = causal.score(footage)
    assert_equal(scores, *follow(causal.stream("empty"), footage))
    assert len(scores.regions) == 0
    assert not scores.events
    np.testing.assert_array_equal(scores.frames.raw, np.full(12, causal.calibrations["causal"].floor))
    assert list(scores.regions.parts) == list(causal.method.parts)


def test_what_is_of_tracks_and_places_is_the_same_live(place: Path) -> None:
    parts = "acceleration,curvature,direction,pace,stature,company,closing"
    sets = (f"method.parts=[{parts}]", "method.density=mixture", "method.combine=tail", "scoring.causal=true")
    footage = [open_footage(path) for path in sorted((place / "training").glob("*.mp4"))]
    model = amiss.learn(footage, "attributes", config=load_config(sets=sets))
    clip = open_footage(place / "testing" / "wild0.mp4")
    scores = model.score(clip)
    assert all(values.any() for values in scores.regions.parts.values())
    assert_equal(scores, *follow(model.stream("wild0"), clip))
