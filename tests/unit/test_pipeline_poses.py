"""Poses in the pipeline: asked only where needed, on each window, the same live and from the cache."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amiss.config import Config
from amiss.perception import poses
from amiss.perception.pose_files import FilePoses
from amiss.perception.seen import Seen
from amiss.perception.skeleton import PoseSmoother
from amiss.pipeline import Pipeline
from amiss.types import NO_TRACK, Boxes, Frame, Poses, Windows
from amiss.windows.cubes import CubeBuilder
from amiss.windows.needs import Needs
from support import Rectangles, config_of, walkers

CLIP = walkers("clip", 4, length=12)
NEEDS = Needs("cube", ("pose",))


def write_given(path: Path, clip: Rectangles, shift: float = 0) -> Path:
    """A body in the middle of each box but that of the last mover."""
    boxes = np.array([mover.box(frame) for frame in range(clip.length) for mover in clip.movers[:-1]], np.float64)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 + [0, shift]
    joints = np.tile(np.column_stack([middle, np.ones(len(boxes))])[:, None], (1, 17, 1))
    np.savez(path, clip_joints=joints, clip_frame_ptr=np.arange(clip.length + 1) * (len(clip.movers) - 1))
    return path


def config(folder: Path, clip: Rectangles = CLIP, **changes: Any) -> Config:
    given = {"source": "file", "path": write_given(folder / "poses.npz", clip), "smoothing": 0, **changes}
    boxes = config_of(folder, [clip]).perception.boxes
    return config_of(folder, perception={"boxes": boxes, "poses": given, "tracks": {"confirm": 1}})


def all_windows(settings: Config, clip: Rectangles = CLIP) -> Windows:
    part = Pipeline(settings, NEEDS).part(clip)
    return part[0 : len(part)]


def test_each_window_has_the_pose_of_its_box(tmp_path: Path) -> None:
    windows = all_windows(config(tmp_path))
    assert windows.data["pose"].shape == (12 * 3, 17, 3)
    assert windows.data["pose"].dtype == np.float32
    there = windows.data["pose"][..., 2].any(1)
    assert there.sum() == 12 * 2
    middle = (windows.box[there, :2] + windows.box[there, 2:]) / 2
    assert windows.data["pose"][there, 5, :2] == pytest.approx(middle)
    assert not windows.data["pose"][~there].any()


def test_live_gives_what_the_cache_keeps(tmp_path: Path) -> None:
    settings = config(tmp_path, smoothing=0.2)
    live = Pipeline(settings, NEEDS)
    live.reset(CLIP.path)
    found = Windows.merge([live.update(frame) for frame in CLIP])
    for _ in range(2):
        assert np.array_equal(all_windows(settings).data["pose"], found.data["pose"])


def test_another_method_reads_the_poses_of_an_earlier_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config(tmp_path)
    first = all_windows(settings)
    monkeypatch.setattr(FilePoses, "update", lambda *_: pytest.fail("the stage was asked"))
    part = Pipeline(settings, Needs("cube", ("dwell", "pose"))).part(CLIP)
    assert np.array_equal(part[0 : len(part)].data["pose"], first.data["pose"])


def test_the_key_follows_settings_and_given_poses_only_where_they_matter(tmp_path: Path) -> None:
    def keys(settings: Config) -> tuple[str, str]:
        return Pipeline(settings, NEEDS).key(CLIP), Pipeline(settings, Needs("cube", ())).key(CLIP)

    plain, smooth = keys(config(tmp_path)), keys(config(tmp_path, smoothing=0.5))
    assert plain[0] != smooth[0]
    settings = config(tmp_path)
    write_given(tmp_path / "poses.npz", CLIP, shift=2)
    moved = keys(settings)
    assert moved[0] != plain[0]
    assert plain[1] == smooth[1] == moved[1]


def test_poses_that_nobody_needs_are_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poses, "FilePoses", lambda *_: pytest.fail("the source was made"))
    monkeypatch.setattr(FilePoses, "__init__", lambda *_: pytest.fail("the source was made"))
    windows = [found for _, found in Pipeline(config(tmp_path), Needs("cube", ())).windows(CLIP)]
    assert all("pose" not in found.data for found in windows)


def test_smoothing_does_not_reach_across_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten = []
    reset = PoseSmoother.reset
    monkeypatch.setattr(PoseSmoother, "reset", lambda stage: (forgotten.append(stage), reset(stage)))
    late = dataclasses.replace(CLIP, jump=(6, 30.0))
    list(Pipeline(config(tmp_path), NEEDS).windows(late))
    assert len(forgotten) == 4  # made, new footage, first frame, gap


def test_a_cube_without_a_track_or_a_pose_has_noughts() -> None:
    boxes = Boxes(np.tile(np.array([4, 4, 20, 40], np.float32), (3, 1)), track=[3, NO_TRACK, 5])
    frame = Frame(np.zeros((48, 64, 3), np.uint8), 0, 0.0)
    found = Poses(np.ones((1, 17, 3), np.float32), [5])
    data = CubeBuilder(NEEDS).update(Seen(frame, 0.0, boxes, poses=found)).data
    assert data["pose"].any((1, 2)).tolist() == [False, False, True]
    waiting = CubeBuilder(Needs("cube", ("pose",), length=2)).update(Seen(frame, 0.0, boxes, poses=found)).data
    assert waiting["pose"].shape == (0, 17, 3)
