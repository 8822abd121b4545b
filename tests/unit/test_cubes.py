"""Cubes: cut at the present box, from the last few frames, never across a gap."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from amiss.perception.seen import Seen
from amiss.types import Boxes, Frame, Windows
from amiss.windows.cubes import CubeBuilder
from amiss.windows.needs import Needs
from support import box_table


def seen(index: int, step: float = 0.04, boxes: Boxes | None = None) -> Seen:
    """Frame `index` has its level in every pixel, its flow and its features."""
    if boxes is None:
        boxes = dataclasses.replace(box_table([0, 0, 10, 20], [20, 5, 40, 45]), track=np.array([3, 4]))
    frame = Frame(np.full((48, 64, 3), index, np.uint8), index, index * 0.04)
    flow = np.full((48, 64, 2), index, np.float32)
    return Seen(frame, step if index else 0.0, boxes, flow, np.full((len(boxes), 5), index, np.float32))


def run(needs: Needs, items: list[Seen]) -> list[Windows]:
    builder = CubeBuilder(needs)
    return [builder.update(item) for item in items]


def test_a_cube_has_the_place_of_its_box_and_the_time_of_its_frame() -> None:
    windows = run(Needs(), [seen(0), seen(1)])[1]
    assert windows.frame.tolist() == [1, 1]
    assert windows.seconds.tolist() == [0.04, 0.04]
    assert windows.track.tolist() == [3, 4]
    assert windows.box.tolist() == [[0, 0, 10, 20], [20, 5, 40, 45]]
    assert windows.data["step"].tolist() == [np.float32(0.04)] * 2


def test_there_is_none_before_so_many_frames_have_passed() -> None:
    assert [len(w) for w in run(Needs(length=3), [seen(i) for i in range(5)])] == [0, 0, 2, 2, 2]


def test_a_cube_holds_the_last_frames_in_order() -> None:
    needs = Needs("cube", ("image", "flow", "feature"), length=3, size=6)
    data = run(needs, [seen(i) for i in range(5)])[-1].data
    assert data["image"].shape == (2, 3, 6, 6, 3)
    assert data["image"][0, :, 0, 0, 0].tolist() == [2, 3, 4]
    assert data["flow"].shape == (2, 3, 6, 6, 2)
    assert data["flow"][1, :, 0, 0, 0].tolist() == [2, 3, 4]
    assert data["feature"].tolist() == [[4.0] * 5] * 2
    assert [data[name].dtype for name in ("image", "flow", "feature")] == [np.uint8, np.float16, np.float16]


@pytest.mark.parametrize("arrays", [("image",), ("flow",), ("feature",), ()])
def test_only_what_is_needed_is_cut(arrays: tuple[str, ...]) -> None:
    windows = run(Needs("cube", arrays), [seen(0)])[0]  # type: ignore[arg-type]  # the literals of Needs
    assert set(windows.data) == {"step", "cut", *arrays}


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ((3, 3, 61, 45), (False, False)),
        ((2, 3, 20, 40), (True, False)),
        ((20, 3, 62, 40), (True, False)),
        ((20, 2, 40, 40), (False, True)),
        ((20, 3, 40, 46), (False, True)),
        ((0, 0, 64, 48), (True, True)),
    ],
)
def test_a_cube_knows_what_the_edge_of_the_picture_cuts(box: tuple[int, ...], cut: tuple[bool, bool]) -> None:
    found = run(Needs(), [seen(0, boxes=box_table(box, (10, 10, 20, 20)))])[0].data["cut"]
    assert found.dtype == np.bool_
    assert found.tolist() == [list(cut), [False, False]]


def test_frames_without_boxes_have_nothing_cut() -> None:
    assert run(Needs(), [seen(0, boxes=Boxes.empty())])[0].data["cut"].shape == (0, 2)


def test_no_cube_spans_a_gap() -> None:
    items = [seen(0), seen(1), seen(2), seen(3, step=0.0), seen(4), seen(5)]
    assert [len(w) for w in run(Needs(length=2), items)] == [0, 2, 2, 0, 2, 2]


def test_reset_forgets_the_frames_before() -> None:
    builder = CubeBuilder(Needs(length=2))
    builder.update(seen(0)), builder.update(seen(1))
    builder.reset()
    assert len(builder.update(seen(2))) == 0


@pytest.mark.parametrize("length", [1, 2])
def test_frames_without_boxes_give_the_same_columns(length: int) -> None:
    needs = Needs("cube", ("image", "flow", "feature"), length=length, size=6)
    filled, empty = run(needs, [seen(0), seen(1), seen(2, boxes=Boxes.empty())])[1:]
    assert len(empty) == 0
    assert {k: (v.dtype, v.shape[1:]) for k, v in empty.data.items()} == {
        k: (v.dtype, v.shape[1:]) for k, v in filled.data.items()
    }
    assert len(Windows.merge([filled, empty])) == len(filled)
