"""Events say when, where and why, and survive JSON."""

from __future__ import annotations

import json

import pytest

from amiss.scoring.events import Span
from amiss.scoring.explain import event_from_json, event_to_json, make_event, worst_of
from amiss.types import Event
from support import region_table

SPAN = Span(2, 3, 4, 0.2, 0.3, 0.4, 5.5)
REGIONS = region_table([0, 2, 3, 3, 4, 5], [9, 4, 7, 1, 3, 9], [1, 1, 1, 2, 1, 1])


def event(camera: str = "gate", span: Span = SPAN, level: float = 3.5) -> Event:
    return make_event(camera, span, REGIONS, level, ("moves at 3",), ("0001.jpg",))


def test_an_event_has_the_times_and_the_height_of_its_span() -> None:
    found = event()
    assert (found.start, found.peak, found.end, found.severity) == (0.2, 0.3, 0.4, 5.5)
    assert (found.camera, found.reasons, found.examples) == ("gate", ("moves at 3",), ("0001.jpg",))


def test_its_tube_holds_the_high_regions_of_its_frames() -> None:
    assert event().tube.frame.tolist() == [2, 3]
    assert event().tube.score.tolist() == [4, 7]
    assert event(level=0).tube.track.tolist() == [1, 1, 2, 1]


def test_the_worst_region_always_belongs_to_it() -> None:
    assert event(level=100).tube.score.tolist() == [7]
    assert event().parts == {"motion": 7.0}


def test_an_event_without_regions_is_still_one() -> None:
    found = make_event("gate", Span(8, 8, 8, 0.8, 0.8, 0.8, 3), REGIONS, 1.0, (), ())
    assert len(found.tube) == 0
    assert found.parts == {}


def test_ids_are_stable_and_told_apart_by_camera_and_start() -> None:
    later = Span(3, 3, 4, 0.3, 0.3, 0.4, 5.5)
    assert event().id == event(level=1).id
    assert len({event().id, event(camera="door").id, event(span=later).id}) == 3


def test_the_worst_of_none_is_none() -> None:
    assert len(worst_of(REGIONS[0:0])) == 0
    assert worst_of(REGIONS[1:4]).score.tolist() == [7]


@pytest.mark.parametrize("level", [0.0, 100.0])
def test_an_event_survives_json(level: float) -> None:
    found = event(level=level)
    plain = json.loads(json.dumps(event_to_json(found)))
    again = event_from_json(plain)
    assert event_to_json(again) == event_to_json(found)
    assert again.tube.xyxy.dtype == found.tube.xyxy.dtype


def test_an_event_without_regions_survives_json() -> None:
    found = make_event("gate", Span(8, 8, 8, 0.8, 0.8, 0.8, 3), REGIONS, 1.0, (), ())
    assert len(event_from_json(json.loads(json.dumps(event_to_json(found)))).tube) == 0


def test_an_incomplete_event_is_told() -> None:
    plain = event_to_json(event())
    del plain["tube"]
    with pytest.raises(KeyError):
        event_from_json(plain)
