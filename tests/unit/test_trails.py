"""Trails tell for how long tracks stay on one spot, and how fast they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from amiss.config import TracksConfig
from amiss.perception.trails import Trails
from amiss.types import NO_TRACK, Boxes
from support import box_table, frame_of


def tracked(x: float, y: float = 10.0, track: int = 0) -> Boxes:
    """A box 10 pixels wide and 20 tall."""
    return dataclasses.replace(box_table([x, y, x + 10, y + 20]), track=np.array([track]))


def follow(steps: list[tuple[float, Boxes]], config: TracksConfig | None = None) -> list[np.ndarray]:
    trails = Trails(config or TracksConfig())
    return [trails.update(frame_of(seconds, i), boxes)["dwell"] for i, (seconds, boxes) in enumerate(steps)]


def speeds(steps: list[tuple[float, Boxes]]) -> list[float]:
    trails = Trails(TracksConfig())
    return [float(trails.update(frame_of(seconds, i), boxes)["speed"][0]) for i, (seconds, boxes) in enumerate(steps)]


def test_dwell_grows_on_one_spot_and_begins_anew_elsewhere() -> None:
    stands = [(i / 10, tracked(50 + i % 2)) for i in range(30)]
    walks = [(3 + i / 10, tracked(50.0 + 8 * i)) for i in range(10)]
    dwell = [float(found[0]) for found in follow(stands + walks)]
    assert dwell[:30] == pytest.approx([i / 10 for i in range(30)], abs=1e-5)
    assert dwell[-1] == pytest.approx(0.1, abs=1e-5)  # three quarters of 20 pixels are one step of eight


def test_dwell_is_remembered_for_a_bounded_time() -> None:
    steps = [(i / 10, tracked(50)) for i in range(400)]
    assert follow(steps, TracksConfig(trail=3.0))[-1][0] == pytest.approx(3.0, abs=1e-5)
    assert follow(steps)[-1][0] == pytest.approx(39.9, abs=1e-4)


def test_boxes_without_a_track_have_no_trail_and_tracks_do_not_mix() -> None:
    pair = Boxes.merge([tracked(0, track=1), tracked(80, track=2), tracked(40, track=NO_TRACK)])
    moved = Boxes.merge([tracked(88, track=2), tracked(0, track=1), tracked(44, track=NO_TRACK)])
    last = follow([(0.0, pair), (0.5, moved)])[-1]
    assert last.tolist() == pytest.approx([0.5, 0.5, 0])


def test_a_track_that_was_lost_too_long_or_reset_begins_anew() -> None:
    trails = Trails(TracksConfig(lost=0.4, memory=0.4))
    trails.update(frame_of(0.0, 0), tracked(0))
    trails.update(frame_of(0.5, 1), Boxes.empty())
    assert trails.update(frame_of(0.6, 2), tracked(0))["dwell"].tolist() == [0]
    trails.update(frame_of(0.9, 3), tracked(0))
    trails.reset()
    assert trails.update(frame_of(1.0, 4), tracked(0))["dwell"].tolist() == [0]


def test_no_boxes_give_no_trails() -> None:
    (found,) = follow([(0.0, Boxes.empty())])
    assert found.shape == (0,)


def test_a_track_that_can_be_found_again_keeps_its_trail() -> None:
    steps = [(0.0, tracked(0)), (3.0, Boxes.empty()), (4.0, tracked(0))]
    assert follow(steps, TracksConfig(lost=0.4, memory=5, appearance="histogram"))[-1].tolist() == [4]
    assert follow(steps, TracksConfig(lost=0.4, memory=5, appearance="none"))[-1].tolist() == [0]


def test_speed_is_that_of_the_last_half_second() -> None:
    walks = [(i / 10, tracked(50.0 + 3 * i, 10.0 + 4 * i)) for i in range(8)]
    found = speeds([*walks, *[(0.8 + i / 10, tracked(71.0, 38.0)) for i in range(6)]])
    assert found[0] == 0
    assert found[1:8] == pytest.approx([50] * 7, abs=1e-3)
    assert found[9] == pytest.approx(30, abs=1e-3)  # three of five steps
    assert found[-1] == pytest.approx(0, abs=1e-3)


def test_speed_is_of_the_middle_and_does_not_depend_on_the_frame_rate() -> None:
    grows = [(i / 10, dataclasses.replace(box_table([0, -i, 10, 20 + i]), track=np.zeros(1, int))) for i in range(5)]
    assert speeds(grows) == pytest.approx([0] * 5)
    assert speeds([(i / 25, tracked(2.0 * i)) for i in range(30)])[-1] == pytest.approx(50, abs=1e-3)


def told(steps: list[tuple[float, Boxes]], name: str) -> list[np.ndarray]:
    trails = Trails(TracksConfig(), [name])
    return [trails.update(frame_of(seconds, i), boxes)[name] for i, (seconds, boxes) in enumerate(steps)]


@pytest.mark.parametrize("rate", [5, 10, 25])
def test_a_parabola_gives_its_velocity_and_acceleration_at_any_frame_rate(rate: int) -> None:
    """x = 40 t + 5 t², y = 10 - 20 t: half a second ago, at 2.5 s, it was at 65 pixels a second across."""
    times = np.arange(3 * rate + 1) / rate
    path = told([(t, tracked(40 * t + 5 * t**2, 10 - 20 * t)) for t in times], "path")
    assert path[-1][0] == pytest.approx([40 + 10 * 2.5, -20, 10, 0, 1.0], abs=0.05)
    assert path[0][0].tolist() == [0] * 5
    assert path[1][0, 2:] == pytest.approx([0, 0, 1 / rate], abs=1e-3)


def test_jitter_of_boxes_hardly_moves_a_path() -> None:
    noise = np.random.default_rng(0).normal(0, 0.5, (300, 2))
    path = np.concatenate(told([(i / 25, tracked(2 * i + x, 10 + y)) for i, (x, y) in enumerate(noise)], "path"))[30:]
    assert path[:, :2].mean(0) == pytest.approx([50, 0], abs=0.5)
    assert path[:, :2].std(0).max() < 1  # two frames alone would be 18 off
    assert path[:, 2:4].std(0).max() < 5


def test_whoever_comes_nearer_closes_and_whoever_parts_does_not() -> None:
    def at(t: float) -> Boxes:
        return Boxes.merge(
            [tracked(30 * t, track=1), tracked(300 - 10 * t, track=2), tracked(400 + 5 * t, 400, track=3)]
        )

    company = told([(i / 10, at(i / 10)) for i in range(21)], "company")
    assert company[0][:, 0] == pytest.approx([300, 300, np.hypot(100, 390)], rel=1e-4)
    assert not any(found[:, 1].any() for found in company[:4])
    assert company[4][:, 1].all()
    assert company[-1][:2, 0] == pytest.approx([220, 220], abs=0.01)
    assert company[-1][:2, 1] == pytest.approx([40, 40], abs=0.1)
    assert company[-1][2, 1] < 0


def test_who_is_alone_has_company_infinitely_far_away() -> None:
    assert told([(0.0, tracked(5))], "company")[0].tolist() == [[np.inf, 0]]
    beside = Boxes.merge([tracked(0, track=1), tracked(9, track=NO_TRACK)])
    assert told([(0.0, beside)], "company")[0].tolist() == [[np.inf, 0], [0, 0]]


def test_only_what_is_wanted_is_told() -> None:
    assert set(Trails(TracksConfig(), ["flow", "path"]).update(frame_of(0.0, 0), tracked(0))) == {"path"}
    assert set(Trails(TracksConfig()).update(frame_of(0.0, 0), Boxes.empty())) == {"dwell", "speed", "path", "company"}
