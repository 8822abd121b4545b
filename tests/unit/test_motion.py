"""Boxes from motion: what moves or stands out is found where it is, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.config import MotionConfig
from amiss.perception.motion import MotionBoxes
from amiss.types import Boxes, Frame
from support import HEIGHT, WIDTH, Mover, Rectangles, frame_of


def run(source: MotionBoxes, clip: Rectangles) -> list[Boxes]:
    return [source.update(frame) for frame in clip]


def test_a_mover_is_found_where_it_is() -> None:
    mover, source = Mover(20, 20, 20, 40, dx=2), MotionBoxes(MotionConfig())
    run(source, Rectangles("empty", (), length=20))
    found = run(source, Rectangles("a", (mover,), length=30))
    for index in range(2, 30):  # in one piece or in several, and a little of where it has just been
        xyxy = found[index].xyxy
        whole = np.concatenate([xyxy[:, :2].min(0), xyxy[:, 2:].max(0)])
        assert whole == pytest.approx(mover.box(index), abs=12)
        assert whole[1:] == pytest.approx(mover.box(index)[1:], abs=5)


def test_a_still_scene_is_empty() -> None:
    assert [len(boxes) for boxes in run(MotionBoxes(MotionConfig()), Rectangles("a", (), length=8))] == [0] * 8


def test_what_stops_stands_out_for_a_while() -> None:
    class Stops(Mover):
        def box(self, frame: int) -> tuple[int, int, int, int]:
            return super().box(min(frame, 30))

    found = run(MotionBoxes(MotionConfig()), Rectangles("a", (Stops(20, 20, 20, 40, dx=2),), length=36))
    assert all(len(boxes) for boxes in found[31:])


def test_slow_light_is_no_motion() -> None:
    source = MotionBoxes(MotionConfig())
    pictures = [frame_of(i / 25, i, level=60 + i // 10) for i in range(60)]
    assert sum(len(source.update(picture)) for picture in pictures) == 0


def test_small_and_long_things_are_dropped() -> None:
    for mover, config in (
        (Mover(20, 20, 6, 6, dx=2), MotionConfig(min_area=400)),
        (Mover(20, 20, 80, 6, dx=0, dy=2), MotionConfig(max_aspect=2)),
    ):
        clip = Rectangles("a", (mover,), length=12)
        assert any(map(len, run(MotionBoxes(MotionConfig(min_area=30)), clip)))
        assert not any(map(len, run(MotionBoxes(config), clip)))


def test_reset_forgets_frames_and_background() -> None:
    source = MotionBoxes(MotionConfig())
    clip = Rectangles("a", (Mover(20, 20, 20, 40, dx=2),), length=6)
    first = run(source, clip)
    source.reset(None)
    assert [b.xyxy.tolist() for b in run(source, clip)] == [b.xyxy.tolist() for b in first]
    source.reset(None)
    other = Frame(np.full((HEIGHT, WIDTH, 3), 250, np.uint8), 0, 0.0)
    assert len(source.update(other)) == 0


def test_nothing_but_footage_and_settings_goes_in() -> None:
    assert MotionBoxes(MotionConfig()).fingerprint(None) == ""
