"""An archive that is scored in parts by several workers has the scores that one process gives."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import amiss
from amiss import scale
from amiss.config import ScaleConfig, load_config
from amiss.engine import Model, Scores, read_scores, score_clip
from amiss.engine.progress import silent
from amiss.footage import VideoFile
from amiss.scale.jobs import Score, Show
from amiss.types import IntArray
from support_scale import BURSTS, LONG, SETTINGS, Inline, as_archive

NEAR = 1e-9
CUT = ("scale.part=20", "scale.overlap=15")
CLIPS = {"long": (5, LONG, BURSTS), "short": (6, 60, (20,))}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips to score: one of a minute, and one that is not cut."""
    root = tmp_path_factory.mktemp("archive")
    as_archive(root, {"calm0": (0, 120, ()), "calm1": (1, 120, ())}, "training")
    return as_archive(root, CLIPS, "testing")


@pytest.fixture(scope="module")
def model(archive: Path) -> Model:
    return amiss.learn(archive.parent / "training", settings=SETTINGS)


@pytest.fixture(scope="module")
def alone(archive: Path, model: Model) -> dict[str, Scores]:
    """What one process gives."""
    return {name: score_clip(model, VideoFile(archive / f"{name}.mp4")) for name in CLIPS}


def with_settings(model: Model, *sets: str) -> Model:
    return dataclasses.replace(model, config=load_config(sets=sets, base=model.config))


Together = Callable[..., dict[str, Scores]]


@pytest.fixture
def together(archive: Path, model: Model, tmp_path: Path) -> Together:
    """What a team gives."""

    def score(make: Callable[[scale.Setup], scale.Team], *sets: str) -> dict[str, Scores]:
        asked = with_settings(model, *sets)
        places = scale.list_places([str(archive)])
        team = make(scale.scoring_setup(asked))
        try:
            found = scale.score_archive(asked, places, tmp_path / "out", team, silent)
        finally:
            team.close()
        assert not found.failures
        assert [place.name for place in found.places] == list(CLIPS)
        footage = {name: VideoFile(archive / f"{name}.mp4") for name in CLIPS}
        return {name: read_scores(found.folder / "parts" / name, footage)[0] for name in CLIPS}

    return score


def by_appearance(track: IntArray) -> IntArray:
    """Tracks numbered in the order in which they come, for a cut gives new ones other numbers."""
    first = dict.fromkeys(track.tolist())
    numbers = {one: place for place, one in enumerate(first)}
    return np.array([numbers[one] for one in track.tolist()], np.int64)


def assert_same(one: Scores, other: Scores, near: float = 0.0) -> None:
    for column in ("frame", "seconds", "box"):
        np.testing.assert_array_equal(getattr(one.regions, column), getattr(other.regions, column), column)
    np.testing.assert_array_equal(by_appearance(one.regions.track), by_appearance(other.regions.track))
    if not near:
        np.testing.assert_array_equal(one.regions.track, other.regions.track)
    np.testing.assert_allclose(one.regions.score, other.regions.score, near, near)
    for name, values in one.regions.parts.items():
        np.testing.assert_allclose(values, other.regions.parts[name], near, near, err_msg=name)
    for curve in ("seconds", "raw", "smoothed", "calibrated"):
        np.testing.assert_allclose(getattr(one.frames, curve), getattr(other.frames, curve), near, near, err_msg=curve)
    assert len(one.events) == len(other.events)
    for event, twin in zip(one.events, other.events, strict=True):
        assert (event.id, event.camera, event.reasons, event.examples) == (
            twin.id,
            twin.camera,
            twin.reasons,
            twin.examples,
        )
        assert event.severity == pytest.approx(twin.severity, near, near)
        np.testing.assert_array_equal(by_appearance(event.tube.track), by_appearance(twin.tube.track))


def test_whole_clips_are_equal_to_the_last_bit(together: Together, alone: dict[str, Scores]) -> None:
    found = together(Inline, "scale.part=0")
    for name, scores in alone.items():
        assert_same(found[name], scores)


def test_clips_that_are_cut_are_equal_with_tracks_across_the_cuts(together: Together, alone: dict[str, Scores]) -> None:
    teams: list[Inline] = []

    def make(setup: scale.Setup) -> scale.Team:
        teams.append(Inline(setup))
        return teams[0]

    found = together(make, *CUT)
    parts = {job.part.number for job in teams[0].jobs if isinstance(job, Score) and job.place.name == "long"}
    assert parts == {0, 1, 2}
    assert any(isinstance(job, Show) for job in teams[0].jobs)
    tracks = alone["long"].regions
    for cut in (200, 400):
        crossing = set(tracks.track[tracks.frame == cut - 1]) & set(tracks.track[tracks.frame == cut])
        assert len(crossing) >= 2, "or the test shows nothing"
    for name, scores in alone.items():
        assert_same(found[name], scores, NEAR)
    assert len(alone["long"].events) >= 2


def test_processes_and_a_cluster_give_the_same(
    together: Together, alone: dict[str, Scores], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", tempfile.gettempdir())  # its sockets' paths must be short
    monkeypatch.setenv("TMPDIR", str(temporary))
    for on in ("processes", "ray"):
        config = ScaleConfig(workers=2)
        found = together(lambda setup, on=on, config=config: scale.make_team(on, setup, config), *CUT)
        (tmp_path / "out").rename(tmp_path / on)
        assert_same(found["long"], alone["long"], NEAR)
        assert not list(temporary.glob("amiss-worker-*")), "what workers kept on disk is gone with them"


def test_without_enough_overlap_a_track_still_goes_on(together: Together, alone: dict[str, Scores]) -> None:
    found = together(Inline, "scale.part=20", "scale.overlap=2")["long"]
    assert len(found.frames) == LONG
    near = np.isclose(found.frames.raw, alone["long"].frames.raw, 1e-6)
    assert near.mean() > 0.9
    for cut in (200, 400):
        at = [set(found.regions.track[found.regions.frame == frame].tolist()) for frame in (cut - 1, cut)]
        assert len(at[0] & at[1]) >= 2


def test_a_fusion_is_scored_in_parts_as_in_one(archive: Path, tmp_path: Path) -> None:
    small = "{width: 4, memory: [4, 4, 4], examples: 4}"
    sets = [*SETTINGS[:-1], "method.settings.attributes.parts=[speed,size]", "train.epochs=1"]
    sets += ["scoring.budget=9/hour", f"method.settings.appearance-motion={small}"]
    fused = amiss.learn(archive.parent / "training", "fusion", settings=sets)
    clip = as_archive(tmp_path, {"some": (5, 200, (130,))}, "testing") / "some.mp4"
    alone = score_clip(fused, VideoFile(clip))
    asked = with_settings(fused, "scale.part=7", "scale.overlap=4")
    team = Inline(scale.scoring_setup(asked))
    found = scale.score_archive(asked, scale.list_places([str(clip)]), tmp_path / "out", team, silent)
    team.close()
    assert {job.part.number for job in team.jobs if isinstance(job, Score)} > {0}
    assert alone.events
    assert_same(read_scores(found.folder / "parts" / "some", {"some": VideoFile(clip)})[0], alone, 1e-5)
