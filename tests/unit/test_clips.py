"""Clips of whole frames: the last few frames made smaller, never across a gap or a cut."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.perception.seen import Seen
from amiss.types import NO_TRACK, Boxes, Frame, Windows
from amiss.windows.clips import ClipBuilder, is_cut
from amiss.windows.needs import Needs

NEEDS = Needs("clip", ("image",), length=3, shape=(24, 32), at="middle")


def seen(index: int, step: float = 0.04, image: np.ndarray | None = None) -> Seen:
    picture = np.full((48, 64, 3), index, np.uint8) if image is None else image
    return Seen(Frame(picture, index, index * 0.04), step if index else 0.0, Boxes.empty())


def run(items: list[Seen], needs: Needs = NEEDS) -> list[Windows]:
    builder = ClipBuilder(needs)
    return [builder.update(item) for item in items]


def test_a_clip_holds_its_frames_in_order_and_is_scored_at_the_middle_one() -> None:
    windows = run([seen(index) for index in range(5)])
    assert [len(one) for one in windows] == [0, 0, 1, 1, 1]
    last = windows[-1]
    assert last.data["image"].shape == (1, 3, 24, 32, 3)
    assert last.data["image"].dtype == np.uint8
    assert last.data["image"][0, :, 0, 0, 0].tolist() == [2, 3, 4]
    assert last.frame.tolist() == [3]
    assert last.seconds.tolist() == [3 * 0.04]


def test_its_box_is_the_whole_picture_and_it_has_no_track() -> None:
    last = run([seen(index) for index in range(3)])[-1]
    assert last.box.tolist() == [[0, 0, 64, 48]]
    assert last.track.tolist() == [NO_TRACK]
    assert last.data["size"].tolist() == [[64, 48]]
    assert last.data["step"].tolist() == [np.float32(0.04)]


def test_neighbouring_clips_share_their_pictures_by_number() -> None:
    numbers = [one.data["crop"].tolist() for one in run([seen(index) for index in range(5)])[2:]]
    assert numbers == [[[0, 1, 2]], [[1, 2, 3]], [[2, 3, 4]]]


def test_live_it_is_scored_at_its_last_frame() -> None:
    needs = Needs("clip", ("image",), length=3, shape=(24, 32))
    assert run([seen(index) for index in range(3)], needs)[-1].frame.tolist() == [2]


def test_clips_come_at_every_so_many_frames() -> None:
    needs = Needs("clip", ("image",), length=3, shape=(24, 32), at="middle", stride=2)
    frames = [one.frame.tolist() for one in run([seen(index) for index in range(7)], needs)]
    assert frames == [[], [], [], [2], [], [4], []]


def test_clips_may_hold_every_other_frame() -> None:
    needs = Needs("clip", ("image",), length=3, pace=2, shape=(24, 32), at="middle")
    windows = run([seen(index) for index in range(6)], needs)
    assert [len(one) for one in windows] == [0, 0, 0, 0, 1, 1]
    assert windows[-1].frame.tolist() == [3]
    assert windows[-1].data["image"][0, :, 0, 0, 0].tolist() == [1, 3, 5]
    assert windows[-1].data["crop"].tolist() == [[1, 3, 5]]


def test_none_spans_a_gap_in_time() -> None:
    steps = [0.0, 0.04, 0.04, 0.0, 0.04, 0.04]
    assert [len(one) for one in run([seen(i, step) for i, step in enumerate(steps)])] == [0, 0, 1, 0, 0, 1]


def test_none_spans_a_cut() -> None:
    street = np.kron(
        np.random.default_rng(0).integers(20, 220, (6, 8, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8)
    )
    pictures = [street] * 3 + [street[::-1, ::-1].copy()] * 3
    lengths = [len(one) for one in run([seen(i, image=picture) for i, picture in enumerate(pictures)])]
    assert lengths == [0, 0, 1, 0, 0, 1]


def test_after_a_reset_nothing_is_left() -> None:
    builder = ClipBuilder(NEEDS)
    for index in range(3):
        builder.update(seen(index))
    builder.reset()
    assert len(builder.update(seen(3))) == 0


@pytest.mark.parametrize(
    ("change", "cut"), [(0.0, False), (80.0, False), ([0.0] * 200 + [90.0] * 56, False), ([90.0, -90.0] * 128, True)]
)
def test_light_and_large_things_are_no_cut(change: float | list[float], cut: bool) -> None:
    before = np.linspace(20, 90, 256)
    assert is_cut(before, before + np.array(change)) is cut
