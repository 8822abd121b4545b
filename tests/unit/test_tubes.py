"""Windows of tubes: block by block, whole stretches or the past only, never across a gap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from amiss.perception.seen import Seen
from amiss.types import NO_TRACK, Boxes, FloatArray, Frame, Image, Label, Windows
from amiss.windows.needs import Needs
from amiss.windows.tubes import MOMENT, MULTIVARIATE, UNARY, TubeBuilder
from amiss.windows.tubing import Linking

LENGTH = 4
LINKING = Linking(unary=6, multivariate=3)
NEEDS = Needs("tube", ("block",), length=LENGTH, at="middle", linking=LINKING, horizon=1.0)


class Levels:
    """The mean grey level of a box in the first and in the third frame of a block, and how often it was asked."""

    dimensions = 2
    looks = (0, 2)

    def __init__(self) -> None:
        self.asked = 0

    def name(self) -> str:
        return "levels"

    def of(self, pictures: Sequence[Image], boxes: FloatArray, seconds: FloatArray) -> FloatArray:
        assert len(seconds) == len(pictures) == boxes.shape[1]
        self.asked += len(boxes)
        return np.array([[_level(p, box) for p, box in zip(pictures, places, strict=True)] for places in boxes])


def _level(picture: Image, box: FloatArray) -> float:
    x1, y1, x2, y2 = box.astype(int)
    return float(picture[y1:y2, x1:x2].mean())


def seen(index: int, boxes: Sequence[Sequence[float]] = (), gap: bool = False, late: float = 0.0) -> Seen:
    """A frame whose grey level is ten times its number, a box being 100 brighter."""
    image = np.full((40, 60, 3), 8 * index, np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] += 100
    found = Boxes(np.array(boxes, np.float32).reshape(-1, 4))
    return Seen(Frame(image, index, index * 0.1 + late), 0.0 if gap or not index else 0.1, found)


def feed(builder: TubeBuilder, items: Sequence[Seen]) -> list[Windows]:
    """What each frame completes; a gap is told as the pipeline tells it."""
    given = []
    for item in items:
        if not item.step:
            builder.reset()
        given.append(builder.update(item))
    return given


def whole(items: Sequence[Seen], needs: Needs = NEEDS) -> Windows:
    builder = TubeBuilder(needs, Levels())
    return Windows.merge([*feed(builder, items), builder.finish()])


def walk(count: int, start: int = 0) -> list[Seen]:
    """One thing that goes to the right by two pixels a frame."""
    return [seen(index, [(2 * index, 10, 2 * index + 16, 30)]) for index in range(start, start + count)]


def test_a_bag_has_a_window_of_the_picture_and_of_each_tube_in_every_block() -> None:
    windows = whole(walk(10))
    assert windows.data["kind"].tolist() == [MOMENT, UNARY, MULTIVARIATE] * 3
    assert windows.data["block"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert windows.track.tolist() == [NO_TRACK, 0, 1] * 3
    assert len(set(windows.data["bag"].tolist())) == 1
    assert windows.frame.tolist() == [2, 2, 2, 6, 6, 6, 9, 9, 9]
    assert windows.data["now"].all()
    np.testing.assert_allclose(windows.data["step"], 0.1)


def test_nothing_is_given_before_the_stretch_has_ended() -> None:
    builder = TubeBuilder(NEEDS, Levels())
    assert [len(one) for one in feed(builder, walk(10))] == [0] * 10
    assert len(builder.finish()) == 9
    assert len(builder.finish()) == 0


def test_boxes_and_times_are_those_of_each_frame() -> None:
    windows = whole(walk(10))
    tube = windows[windows.data["kind"] == UNARY]
    assert tube.data["number"].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, -1, -1]]
    assert tube.data["boxes"][1, 2].tolist() == [12, 10, 28, 30]
    assert tube.data["boxes"][2, 2:].tolist() == [[0] * 4] * 2
    np.testing.assert_allclose(tube.data["clock"][0], [0, 0.1, 0.2, 0.3])
    assert tube.box.tolist() == [tube.data["boxes"][0, 2].tolist(), tube.data["boxes"][1, 2].tolist(), [18, 10, 34, 30]]


def test_the_region_is_what_the_box_shows_and_the_whole_is_the_pictures() -> None:
    windows = whole(walk(8))
    tube, moment = windows[windows.data["kind"] == UNARY], windows[windows.data["kind"] == MOMENT]
    np.testing.assert_allclose(tube.data["region"], [[100, 116], [132, 148]], atol=4)  # JPEG
    np.testing.assert_array_equal(tube.data["whole"], moment.data["whole"])
    np.testing.assert_array_equal(moment.data["region"], moment.data["whole"])
    np.testing.assert_allclose(moment.data["whole"], [[13, 29], [45, 61]], atol=4)


def test_a_block_that_the_footage_ends_in_shows_its_last_picture_on() -> None:
    moment = whole([seen(index) for index in range(9)])[-1:]
    np.testing.assert_allclose(moment.data["whole"], [[64, 64]], atol=1)


def test_short_tubes_are_left_out_and_several_that_touch_are_one() -> None:
    pair = [seen(index, [(10, 10, 30, 30), (20, 10, 40, 30)]) for index in range(5)]
    windows = whole(pair)
    tube = windows[windows.data["kind"] != MOMENT]
    assert set(tube.data["kind"].tolist()) == {MULTIVARIATE}
    assert tube.data["boxes"][0, 0].tolist() == [10, 10, 40, 30]
    assert set(tube.label.tolist()) == {int(Label.OBJECT)}


def test_without_linking_there_are_only_pictures() -> None:
    windows = whole(walk(8), Needs("tube", ("block",), length=LENGTH, at="middle"))
    assert windows.data["kind"].tolist() == [MOMENT, MOMENT]


def test_a_gap_in_time_ends_tubes_and_bags() -> None:
    later = [seen(i, [(2 * i, 10, 2 * i + 16, 30)], gap=i == 8, late=60.0) for i in range(8, 16)]
    windows = whole([*walk(8), *later])
    bags = windows.data["bag"]
    assert len(set(bags.tolist())) == 2
    first, second = windows[bags == bags[0]], windows[bags == bags[-1]]
    assert first.frame.max() < 8 <= second.frame.min()
    assert second.data["number"][second.data["number"] >= 0].min() == 8
    assert set(first.track.tolist()) & set(second.track.tolist()) == {NO_TRACK}


def test_live_what_is_there_is_scored_after_each_block_with_the_horizon_before_it() -> None:
    needs = NEEDS.live
    assert (needs.at, needs.stride) == ("last", LENGTH)
    builder = TubeBuilder(needs, Levels())
    given = feed(builder, walk(18))
    assert [index for index, one in enumerate(given) if len(one)] == [4, 8, 12, 16]
    last = given[16]
    assert set(last.frame.tolist()) == {16}
    now = last[last.data["now"]]
    assert now.data["kind"].tolist() == [MOMENT, UNARY, MULTIVARIATE]
    assert now.data["number"].tolist() == [[16, -1, -1, -1]] * 3
    assert now.data["boxes"][1, 0].tolist() == [32, 10, 48, 30]
    before = last[~last.data["now"]]
    seen_frames = before.data["number"][before.data["number"] >= 0]
    assert seen_frames.min() >= 4  # a second before the present frame, in whole blocks
    assert seen_frames.max() == 15


def test_live_what_has_gone_is_not_scored() -> None:
    builder = TubeBuilder(NEEDS.live, Levels())
    given = feed(builder, [*walk(7), *(seen(index) for index in range(7, 9))])
    assert given[4].data["kind"][given[4].data["now"]].tolist() == [MOMENT, MULTIVARIATE]
    assert given[8].data["kind"][given[8].data["now"]].tolist() == [MOMENT]


def test_live_a_box_is_looked_at_once() -> None:
    features = Levels()
    feed(TubeBuilder(NEEDS.live, features), [seen(index, [(10, 10, 30, 30)]) for index in range(17)])
    assert features.asked == 4 * 2  # the picture and the box, in each of four blocks


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_frames_do_no_harm(count: int) -> None:
    windows = whole([seen(index) for index in range(count)])
    assert len(windows) == min(count, 1)
