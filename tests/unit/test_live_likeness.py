"""What events are compared by."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import support_footage as footage
from amiss.live.likeness import alike, closeness, likeness_of
from amiss.types import Event, Image, Windows
from support_live import SIZE, event, painted

BOX = (20, 60, 40, 100)


def like(one: Event | None = None, image: Image | None = None, windows: Windows | None = None) -> dict[str, Any]:
    picture = painted((200, 30, 30)) if image is None else image
    return likeness_of(one or event(0, 1), SIZE, picture, windows)


def windows_of(features: list[np.ndarray], boxes: list[tuple[int, ...]]) -> Windows:
    count = len(boxes)
    return Windows(
        frame=np.zeros(count, np.int64),
        seconds=np.zeros(count),
        box=np.array(boxes, np.float32),
        track=np.arange(count),
        label=np.zeros(count, np.int64),
        data={"feature": np.stack(features).astype(np.float16)},
    )


def test_it_is_plain_and_the_same_each_time() -> None:
    one = like()
    assert json.loads(json.dumps(one)) == one == like()
    assert one["part"] == "velocity"
    assert one["by"] == "picture"
    assert 1 <= len(one["places"]) <= 12
    assert np.linalg.norm(one["look"]) == pytest.approx(1, abs=1e-3)


def test_the_same_thing_at_the_same_place_is_alike() -> None:
    shifted = event(5, 7, box=(24, 58, 44, 98))
    again = like(shifted, painted((200, 30, 30), (24, 58, 44, 98)))
    assert alike(like(), again)
    assert closeness(like(), like()) == pytest.approx(1, abs=1e-3)
    assert closeness(like(), again) == closeness(again, like())


@pytest.mark.parametrize(
    "other",
    [
        event(0, 1, box=(100, 60, 120, 100)),
        event(0, 1, box=(20, 60, 30, 79)),
        event(0, 1, parts={"velocity": 0.5, "size": 4.0}),
    ],
    ids=["elsewhere", "smaller", "odd in another part"],
)
def test_another_place_size_or_part_is_not(other: Event) -> None:
    box = tuple(int(value) for value in other.tube.xyxy[0])
    assert not alike(like(), like(other, painted((200, 30, 30), box)))


def test_another_look_is_not() -> None:
    assert not alike(like(), like(image=painted((30, 30, 200), seed=5)))


def test_things_of_one_colour_are_alike() -> None:
    flat = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    assert alike(like(image=flat), like(image=flat))
    assert not alike(like(image=flat), like())


def test_with_features_the_look_is_that_of_the_worst_box() -> None:
    generator = np.random.default_rng(0)
    one, other = generator.normal(size=(2, 64))
    first = like(windows=windows_of([other, one], [(100, 0, 120, 40), BOX]))
    assert first["by"] == "feature"
    assert alike(first, like(image=footage.ground(), windows=windows_of([one * 1.1], [BOX])))
    assert not alike(first, like(windows=windows_of([other], [BOX])))
    assert not alike(first, like()), "a feature and a picture cannot be compared"


def test_places_are_spread_over_the_whole_event() -> None:
    long = event(0, 60)
    moved = np.linspace(0, 100, len(long.tube))
    boxes = np.asarray(long.tube.xyxy) + np.stack([moved, 0 * moved, moved, 0 * moved], axis=1)
    walked = Event(**vars(long) | {"tube": type(long.tube)(**vars(long.tube) | {"xyxy": boxes.astype(np.float32)})})
    found = like(walked, footage.ground())
    assert len(found["places"]) == 12
    xs = [place[0] for place in found["places"]]
    assert min(xs) == pytest.approx(20 / 160)
    assert max(xs) == pytest.approx(120 / 160)


def test_events_of_which_nothing_was_seen_are_alike_only_among_themselves() -> None:
    empty = event(0, 1)
    nothing = Event(**vars(empty) | {"tube": empty.tube[0:0], "parts": {}})
    assert closeness(like(nothing), like(nothing)) == 1
    assert not alike(like(nothing), like())


@pytest.mark.parametrize("seed", range(5))
def test_unrelated_features_are_hardly_ever_alike(seed: int) -> None:
    looks = np.random.default_rng(seed).normal(size=(20, 1280))
    found = [like(windows=windows_of([look], [BOX])) for look in looks]
    pairs = [(one, other) for number, one in enumerate(found) for other in found[:number]]
    assert not any(alike(one, other) for one, other in pairs)
