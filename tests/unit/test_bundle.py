"""The windows of several methods: seen once, kept apart, handed out together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amiss.config import Config
from amiss.pipeline import Pipeline
from amiss.types import Frame, Windows
from amiss.windows.bundle import Bundle, BundlePart
from amiss.windows.needs import Needs
from amiss.windows.store import WindowPart, WindowStore
from support import Mover, Rectangles, config_of, walkers

CUBES = Needs("cube", ("flow", "dwell"), length=1, size=8)
LONG = Needs("cube", ("image", "flow"), length=5, size=8)
SEGMENTS = Needs("segment", ("pose",), length=7, at="middle")
FRAMES = Needs("clip", ("image",), length=3, shape=(24, 40), at="middle")
MEMBERS = {"cubes": CUBES, "long": LONG, "segments": SEGMENTS, "frames": FRAMES}
CLIPS = [walkers("a", 1), Rectangles("b", (Mover(5, 40),), 20)]


class Counted(Rectangles):
    """Footage that counts how often it is looked through."""

    looked: list[str] = []  # noqa: RUF012  # emptied by who looks

    def __iter__(self) -> Iterator[Frame]:
        self.looked.append(self.name)
        return super().__iter__()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(tmp_path, CLIPS)


def part_of(config: Config, clip: Rectangles = CLIPS[0], needs: Needs | None = None) -> WindowPart:
    return Pipeline(config, needs or Needs.together(MEMBERS)).part(clip)


def assert_same(some: Windows, others: Windows) -> None:
    for name in ("frame", "seconds", "box", "track", "label"):
        np.testing.assert_array_equal(getattr(some, name), getattr(others, name))
    assert some.data.keys() == others.data.keys()
    for name, values in some.data.items():
        np.testing.assert_array_equal(values, others.data[name])


def test_what_is_asked_for_together_is_all_that_any_asks_for() -> None:
    needs = Needs.together(MEMBERS | {"seldom": dataclasses.replace(SEGMENTS, stride=3, length=9)})
    assert set(needs.arrays) == {"flow", "dwell", "image", "pose"}
    assert (needs.stride, needs.span, needs.lag) == (3, 9, 4)
    assert (needs.early, needs.late) == (0, 0), "one of them scores the first frame, and the last"
    assert {theirs.stride for _, theirs in needs.members} == {3}
    assert needs.boxes
    assert needs.tracked
    assert not needs.bags
    assert {theirs.lag for _, theirs in needs.live.members} == {0}
    whole = Needs.together({"a": FRAMES, "b": dataclasses.replace(FRAMES, length=5)})
    assert not whole.boxes
    assert not whole.tracked
    assert (whole.early, whole.late) == (1, 1)


def test_each_method_gets_the_windows_that_it_has_alone(config: Config, tmp_path: Path) -> None:
    together = part_of(config)
    assert isinstance(together, BundlePart)
    apart = config.model_copy(update={"cache": tmp_path / "apart"})
    for name, needs in MEMBERS.items():
        alone = part_of(apart, needs=needs)
        assert_same(together.parts[name][:], alone[:])
        assert together.parts[name].entry.key == alone.entry.key, "the cache serves either"


def test_footage_is_looked_at_once_for_all(config: Config) -> None:
    clip = Counted(**vars(CLIPS[0]))
    part_of(config, clip)
    assert Counted.looked == ["a"]
    Pipeline(config, LONG).part(clip)
    assert Counted.looked == ["a"], "one of them alone has its windows now"
    more = Needs.together(MEMBERS | {"more": dataclasses.replace(LONG, size=16)})
    before = {path.name: path.stat().st_mtime_ns for path in (config.cache or Path()).glob("windows/*")}
    part_of(config, clip, more)
    after = {path.name: path.stat().st_mtime_ns for path in (config.cache or Path()).glob("windows/*")}
    assert len(after) == len(before) + 1, "only what lacks is written"
    assert before.items() <= after.items()
    Counted.looked.clear()


def test_windows_come_in_order_of_frames_and_batches_keep_frames_whole(config: Config) -> None:
    part = part_of(config)
    whole = part[:]
    assert isinstance(whole, Bundle)
    assert (np.diff(whole.frame) >= 0).all()
    assert len(whole) == len(part) == sum(len(each) for each in part.parts.values())  # type: ignore[attr-defined]
    np.testing.assert_array_equal(part.column("seconds"), whole.seconds)
    batches = list(part.batches(10))
    assert len(batches) > 3
    frames = [set(batch.frame.tolist()) for batch in batches]
    assert all(not one & other for one, other in pairwise(frames))
    assert_same(Windows.merge(batches), whole)
    for name in MEMBERS:
        assert_same(Windows.merge(batches).of(name), whole.of(name))  # type: ignore[attr-defined]


def test_some_rows_are_windows_of_some_methods(config: Config) -> None:
    whole = part_of(config)[:]
    assert isinstance(whole, Bundle)
    some = whole[(whole.frame > 8) & (whole.box[:, 3] < 60)]
    own = whole.of("long")
    assert_same(some.of("long"), own[(own.frame > 8) & (own.box[:, 3] < 60)])
    assert [len(whole[:0].of(name)) for name in MEMBERS] == [0] * 4
    backwards = whole[::-1]
    assert_same(backwards.of("cubes")[::-1], whole.of("cubes"))


def test_a_part_is_cut_and_chosen_from_in_all_its_methods(config: Config) -> None:
    part = part_of(config)
    early = part.between(-np.inf, 0.4)
    assert 0 < len(early) < len(part)
    assert (early.column("seconds") < 0.4).all()
    chosen = part.column("frame") <= 9
    assert_same(part.only(chosen)[:], part[np.flatnonzero(chosen)])
    assert_same(part.at(9)[:], part[np.flatnonzero(part.column("frame") == 9)])
    assert "flow" not in part.without("flow")[:].of("long").data  # type: ignore[attr-defined]
    fingerprints = {WindowStore([one]).fingerprint() for one in (part, early, part.only(chosen), part.without())}
    assert len(fingerprints) == 3


def test_a_track_has_a_window_of_each_method_and_of_the_whole_frame(config: Config) -> None:
    part = part_of(config)
    track = int(part.column("track").max())
    found = part.of(track, 1)
    assert isinstance(found, Bundle)
    assert {name: found.of(name).frame.tolist() for name in MEMBERS} == {
        "cubes": [1],
        "long": [4],
        "segments": [3],
        "frames": [1],
    }
    assert {int(one) for name in ("cubes", "long", "segments") for one in found.of(name).track} == {track}


def test_parts_of_a_store_are_held_out_in_all_their_methods(config: Config) -> None:
    store = WindowStore([part_of(config, clip) for clip in CLIPS])
    kept, held = store.split(0.25, 0)
    assert len(kept) + len(held) == len(store)
    for one, other in zip(kept.parts, held.parts, strict=True):
        assert one.column("seconds").max() < other.column("seconds").min()


def test_frame_by_frame_a_bundle_has_what_the_frame_completes(config: Config) -> None:
    pipeline = Pipeline(config, Needs.together(MEMBERS).live)
    pipeline.reset(CLIPS[0].path)
    made: list[Any] = [pipeline.update(frame) for frame in CLIPS[0]]
    assert all(set(windows.frame.tolist()) <= {index} for index, windows in enumerate(made))
    assert_same(Windows.merge(made), part_of(config, needs=Needs.together(MEMBERS).live)[:])
