"""Where in its box a region is amiss."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.scoring.events import Span
from amiss.scoring.explain import make_event
from amiss.scoring.localise import event_masks, event_regions, outlines, pixel_scores, relative_map
from support_maps import mapped

SIZE = (80, 60)
BOX = [8.0, 4.0, 56.0, 52.0]


def spot(*cells: tuple[int, int], side: int = 16, strength: float = 1.0) -> np.ndarray:
    """A map with 3 by 3 cells of some strength around each place."""
    values = np.zeros((side, side))
    for y, x in cells:
        values[y - 1 : y + 2, x - 1 : x + 2] = strength
    return values


def covered(lines: list[np.ndarray], point: tuple[float, float]) -> bool:
    """Whether a point lies in one of the polygons, by counting the edges to its right."""
    inside = False
    for line in lines:
        for (x1, y1), (x2, y2) in zip(line, np.roll(line, -1, 0), strict=True):
            if (y1 > point[1]) != (y2 > point[1]) and point[0] < x1 + (point[1] - y1) / (y2 - y1) * (x2 - x1):
                inside = not inside
    return inside


def test_what_lies_outside_all_boxes_is_at_the_floor() -> None:
    picture = pixel_scores(mapped([[2, 3, 5, 6], [4, 3, 8, 4]], [2.0, 7.0]), (10, 8), -1.0)
    assert picture.shape == (8, 10)
    assert picture[3, 2:9].tolist() == [2, 2, 7, 7, 7, 7, -1]
    assert picture[5, 2:6].tolist() == [2, 2, 2, -1]
    assert (picture[[0, 2, 6]] == -1).all()
    assert (pixel_scores(mapped([], []), (4, 3), 0.5) == 0.5).all()


def test_a_map_keeps_the_score_at_its_peak_and_falls_to_the_floor() -> None:
    picture = pixel_scores(mapped([BOX], [5.0], [spot((4, 4))]), SIZE, 1.0)
    # Cells are three pixels wide, so the spot's middle lies 13.5 pixels from the corner of the box.
    assert picture[17, 21] == picture.max() == 5
    assert picture[45, 50] == pytest.approx(1)
    along = picture[17, 21:56]
    assert (np.diff(along) <= 0).all()
    assert len(np.unique(along[(along > 1.1) & (along < 4.9)])) >= 2


def test_rows_of_a_map_are_counted_from_the_top() -> None:
    values = np.zeros((16, 16))
    values[:3] = 1
    picture = pixel_scores(mapped([BOX], [5.0], [values]), SIZE, 0.0)
    assert (picture[4:10, 8:56] == 5).all()
    assert (picture[40:52] < 0.01).all()


@pytest.mark.parametrize("values", [np.full((8, 8), 3.0), np.zeros((8, 8)), np.full((8, 8), -2.0)])
def test_a_map_that_says_nothing_leaves_the_box_whole(values: np.ndarray) -> None:
    picture = pixel_scores(mapped([BOX], [5.0], [values]), SIZE, 0.0)
    assert (picture[4:52, 8:56] == 5).all()


def test_parts_weigh_their_maps() -> None:
    maps = {"left": spot((4, 4)), "right": spot((4, 12), side=16, strength=40)}
    both = relative_map(maps, {"left": 3.0, "right": 3.0})
    assert both is not None
    assert both[4, 4] == pytest.approx(both[4, 12])
    mostly_left = relative_map(maps, {"left": 3.0, "right": 1.0})
    assert mostly_left is not None
    assert mostly_left[4, 12] == pytest.approx(1 / 3, abs=0.01)
    only_right = relative_map(maps, {"left": -2.0, "right": 0.1})
    assert only_right is not None
    assert only_right[4, 4] == pytest.approx(0, abs=0.01)
    unknown = relative_map(maps, {"left": -2.0, "right": -1.0})
    assert unknown is not None
    assert unknown == pytest.approx(both)


def test_maps_of_several_sizes_are_joined() -> None:
    joined = relative_map({"a": np.eye(4), "b": np.ones((8, 8))}, {"a": 1.0, "b": 1.0})
    assert joined is not None
    assert joined.shape == (8, 8)
    assert joined[0, 0] > joined[0, 7]


def test_an_outline_goes_round_what_is_amiss() -> None:
    lines = outlines(mapped([BOX], [5.0], [spot((4, 4), (11, 11))]), 0)
    assert len(lines) == 2
    inside = [(8 + 3 * 4.5, 4 + 3 * 4.5), (8 + 3 * 11.5, 4 + 3 * 11.5)]
    assert all(covered(lines, point) for point in inside)
    assert not covered(lines, (8 + 24, 4 + 24))
    corners = np.concatenate(lines)
    assert (corners >= BOX[:2]).all()
    assert (corners <= BOX[2:]).all()


def test_a_box_that_is_amiss_all_over_is_outlined_as_a_whole() -> None:
    (line,) = outlines(mapped([BOX], [5.0], [np.ones((8, 8))]), 0)
    np.testing.assert_allclose([line.min(0), line.max(0)], np.reshape(BOX, (2, 2)), atol=1)


def test_specks_are_dropped() -> None:
    values = np.zeros((48, 48))
    values[4:24, 4:24] = 1
    values[40:44, 40:44] = 1
    assert len(outlines(mapped([BOX], [5.0], [values]), 0)) == 1
    values[34:46, 34:46] = 1
    assert len(outlines(mapped([BOX], [5.0], [values]), 0)) == 2


def test_without_maps_there_is_no_outline() -> None:
    assert outlines(mapped([BOX], [5.0]), 0) == []
    assert outlines(mapped([BOX], [5.0], [np.zeros((4, 4))]), 0) == []


def test_an_event_has_a_mask_for_each_of_its_frames() -> None:
    boxes = [BOX, [60, 4, 70, 20], BOX, [0, 0, 4, 4]]
    maps = [spot((4, 4)), spot((8, 8)), spot((11, 11)), spot((8, 8))]
    regions = mapped(boxes, [5.0, 0.5, 6.0, 7.0], maps, frames=[3, 3, 4, 9])
    event = make_event("gate", Span(3, 4, 4, 0.3, 0.4, 0.4, 3.0), regions, 4.0, (), ())
    assert event_regions(event, regions).frame.tolist() == [3, 4]
    masks = dict(event_masks(event, regions, SIZE))
    assert list(masks) == [3, 4]
    assert masks[3].shape == (60, 80)
    assert masks[3][17, 21]
    assert masks[4][38, 42]
    assert not masks[3][38, 42]
    assert not masks[3][4:20, 60:70].any()
    assert 0 < masks[3].sum() < 48 * 48 / 4
    plain = mapped(boxes, [5.0, 0.5, 6.0, 7.0], frames=[3, 3, 4, 9])
    assert dict(event_masks(event, plain, SIZE))[3].sum() == 48 * 48
