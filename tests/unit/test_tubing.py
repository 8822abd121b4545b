"""Tubes: what is linked, what is kept, and the same as by following the printed algorithms box by box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.errors import ConfigError, ShapeError
from amiss.windows import tubing
from amiss.windows.tubing import Linking, multivariate_tubes, unary_tubes, union_boxes

UNHURRIED = settings(deadline=None, max_examples=60)
SHORT = Linking(unary=3, multivariate=2)
Scene = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Sets = list[list[int]]


def iou(one: np.ndarray, other: np.ndarray) -> float:
    a, b = one.tolist(), other.tolist()
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def unary_by_hand(scene: Scene, linking: Linking) -> Sets:
    """Algorithm 1, line by line."""
    frame, xyxy, confidence, label = scene
    kept = []
    for kind in sorted(set(label.tolist())):
        left = [row for row in range(len(frame)) if label[row] == kind]
        while left:
            start = max(left, key=lambda row: (confidence[row], -row))
            tube = [start]
            for direction in (1, -1):
                now = start
                while True:
                    near = [j for j in left if frame[j] == frame[now] + direction]
                    near = [j for j in near if iou(xyxy[now], xyxy[j]) > linking.overlap]
                    if not near:
                        break
                    now = max(near, key=lambda j, i=now: (score(scene, i, j, linking), -j))
                    tube.append(now)
            if len(tube) >= linking.unary:
                kept.append(sorted(tube))
            left = [row for row in left if row not in tube]
    return kept


def score(scene: Scene, i: int, j: int, linking: Linking) -> float:
    """Equation 11."""
    _, xyxy, confidence, _ = scene
    return float(confidence[i]) + float(confidence[j]) + linking.weight * iou(xyxy[i], xyxy[j])


def multivariate_by_hand(scene: Scene, linking: Linking) -> Sets:
    """Algorithm 2, line by line."""
    frame, xyxy, confidence, _ = scene
    left, kept = list(range(len(frame))), []

    def grown(members: list[int], at: int) -> list[int]:
        """Members with all boxes of their frame that touch one of them, or one that does."""
        while True:
            more = [
                j for j in left
                if frame[j] == at and j not in members and any(iou(xyxy[i], xyxy[j]) > linking.overlap for i in members)
            ]  # fmt: skip
            if not more:
                return members
            members = members + more

    while left:
        start = max(left, key=lambda row: (confidence[row], -row))
        clusters = {int(frame[start]): grown([start], frame[start])}
        for direction in (1, -1):
            at = int(frame[start])
            while True:
                touched = [
                    j for j in left
                    if frame[j] == at + direction and any(iou(xyxy[i], xyxy[j]) > linking.overlap for i in clusters[at])
                ]  # fmt: skip
                if not touched:
                    break
                at += direction
                clusters[at] = grown(touched, at)
        tube = sorted(row for members in clusters.values() for row in members)
        if len(clusters) >= linking.multivariate:
            kept.append(tube)
        left = [row for row in left if row not in tube]
    return kept


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Boxes on a coarse grid, so that many overlap, tie, cross or have no area; some frames are missing."""
    count = draw(st.integers(0, 24))
    frame = np.sort(np.array(draw(st.lists(st.integers(-2, 7), min_size=count, max_size=count)), np.int64))
    corner = st.tuples(*[st.integers(0, 6)] * 2, *[st.sampled_from([0, 2, 3, 4, 4])] * 2)
    corners = np.array(draw(st.lists(corner, min_size=count, max_size=count)), np.float32).reshape(-1, 4)
    xyxy = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], axis=1)
    confidence = np.array(draw(st.lists(st.sampled_from([0.25, 0.5, 0.75]), min_size=count, max_size=count)))
    label = np.array(draw(st.lists(st.sampled_from([0, 0, 3]), min_size=count, max_size=count)), np.int16)
    return frame, xyxy, confidence, label


@st.composite
def linkings(draw: st.DrawFn) -> Linking:
    least = st.integers(1, 4)
    overlap, weight = draw(st.sampled_from([0.0, 0.1, 0.3])), draw(st.sampled_from([0.0, 0.5, 2.0]))
    return Linking(overlap, weight, draw(least), draw(least))


def movers(seed: int, frames: int = 40, boxes: int = 6) -> Scene:
    """Objects that cross each other on their ways, of which one in ten boxes is missing."""
    random = np.random.default_rng(seed)
    start, speed = random.uniform(0, 100, (boxes, 2)), random.uniform(-3, 3, (boxes, 2))
    near = (start + speed * np.arange(frames)[:, None, None]).reshape(-1, 2)
    seen = random.random(len(near)) < 0.9
    xyxy = np.concatenate([near, near + np.array([25, 35])], axis=1).astype(np.float32)
    label = np.tile(random.integers(0, 2, boxes), frames)
    columns = np.repeat(np.arange(frames), boxes), xyxy, random.random(len(near)).astype(np.float32), label
    return tuple(column[seen] for column in columns)


def unary(scene: Scene, linking: Linking = SHORT) -> Sets:
    return [rows.tolist() for rows in unary_tubes(*scene, linking)]


def multivariate(scene: Scene, linking: Linking = SHORT) -> Sets:
    return [rows.tolist() for rows in multivariate_tubes(*scene[:3], linking)]


def scene_of(*boxes: tuple[int, tuple[float, float, float, float], float, int]) -> Scene:
    frame, xyxy, confidence, label = zip(*boxes, strict=True)
    return np.array(frame), np.array(xyxy, np.float32), np.array(confidence, np.float64), np.array(label)


def still(frames: list[int], x: float = 0, confidence: float = 0.5, label: int = 0) -> list[Any]:
    return [(frame, (x, 0.0, x + 10, 10.0), confidence, label) for frame in frames]


def in_order(*tracks: list[Any]) -> Scene:
    return scene_of(*sorted((box for track in tracks for box in track), key=lambda box: box[0]))


@UNHURRIED
@given(scenes(), linkings())
def test_unary_tubes_are_those_of_the_printed_algorithm(scene: Scene, linking: Linking) -> None:
    assert unary(scene, linking) == unary_by_hand(scene, linking)


@UNHURRIED
@given(scenes(), linkings())
def test_multivariate_tubes_are_those_of_the_printed_algorithm(scene: Scene, linking: Linking) -> None:
    assert multivariate(scene, linking) == multivariate_by_hand(scene, linking)


@pytest.mark.parametrize("seed", range(5))
def test_both_are_those_of_the_printed_algorithms_where_objects_cross(seed: int) -> None:
    scene = movers(seed)
    assert unary(scene) == unary_by_hand(scene, SHORT)
    assert multivariate(scene) == multivariate_by_hand(scene, SHORT)


@pytest.mark.parametrize("pairs", [1, 7, 100])
def test_how_many_pairs_are_compared_at_a_time_changes_nothing(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = movers(9)
    before = unary(scene), multivariate(scene)
    monkeypatch.setattr(tubing, "PAIRS", pairs)
    assert (unary(scene), multivariate(scene)) == before


@UNHURRIED
@given(scenes(), linkings())
def test_a_box_is_in_one_tube_and_a_tube_has_no_gap(scene: Scene, linking: Linking) -> None:
    for tubes, least in ((unary(scene, linking), linking.unary), (multivariate(scene, linking), linking.multivariate)):
        rows = [row for tube in tubes for row in tube]
        assert len(set(rows)) == len(rows)
        for tube in tubes:
            frames = np.unique(scene[0][tube])
            assert least <= len(frames) <= len(np.unique(scene[0]))
            assert (np.diff(frames) == 1).all()
    assert all(len(np.unique(scene[0][tube])) == len(tube) for tube in unary(scene, linking))
    assert all(len(set(scene[3][tube].tolist())) == 1 for tube in unary(scene, linking))


@UNHURRIED
@given(scenes())
def test_every_box_is_in_a_tube_where_one_frame_is_enough(scene: Scene) -> None:
    every = Linking(unary=1, multivariate=1)
    for build in (unary, multivariate):
        assert sorted(row for tube in build(scene, every) for row in tube) == list(range(len(scene[0])))


@UNHURRIED
@given(scenes())
def test_boxes_that_touch_nothing_make_the_same_tubes_of_both_kinds(scene: Scene) -> None:
    frame, xyxy, confidence, _ = scene
    first = np.unique(frame, return_index=True)[1]
    alone = frame[first], xyxy[first], confidence[first], np.zeros(len(first), int)
    assert sorted(unary(alone, Linking(unary=2))) == sorted(multivariate(alone, Linking(multivariate=2)))


def test_a_missing_frame_ends_a_tube() -> None:
    scene = in_order(still([0, 1, 2, 4, 5, 6, 7]))
    assert sorted(unary(scene)) == [[0, 1, 2], [3, 4, 5, 6]]
    assert sorted(multivariate(scene)) == [[0, 1, 2], [3, 4, 5, 6]]


def test_frames_of_one_class_do_not_follow_those_of_another() -> None:
    scene = in_order(still([0, 1, 2], label=1), still([3, 4, 5], label=2))
    assert unary(scene) == [[0, 1, 2], [3, 4, 5]]
    assert multivariate(scene) == [[0, 1, 2, 3, 4, 5]]


def test_a_surer_box_is_linked_before_one_that_overlaps_a_little_more() -> None:
    scene = scene_of((0, (0, 0, 10, 10), 0.9, 0), (1, (0, 0, 10, 10), 0.3, 0), (1, (0, 0, 10, 9), 0.8, 0))
    assert unary(scene, Linking(unary=2)) == [[0, 2]]
    assert unary(scene, Linking(unary=2, weight=9.0)) == [[0, 1]]


def test_a_tube_begins_at_its_surest_box_and_goes_both_ways() -> None:
    scene = in_order(still([0, 1, 2, 3, 4]), still([2], x=3, confidence=0.9))
    assert unary(scene) == [[0, 1, 3, 4, 5]]


def test_of_equals_the_first_row_counts() -> None:
    scene = in_order(still([0, 1, 2]), still([0, 1, 2]))
    assert unary(scene) == [[0, 2, 4], [1, 3, 5]]


def test_boxes_of_short_tubes_are_used_up() -> None:
    sure = [(2, (0.0, 0.0, 10.0, 10.0), 0.9, 0), (3, (0.0, 0.0, 10.0, 10.0), 0.8, 0)]
    scene = scene_of(*still([0]), *still([1], x=9.5), *sure)
    assert unary(scene, Linking(unary=2)) == [[2, 3]]
    assert unary(scene) == []


def test_boxes_without_area_are_linked_to_nothing() -> None:
    flat = [(frame, (5.0, 0.0, 5.0, 10.0), 0.9, 0) for frame in range(4)]
    scene = in_order(flat, still([0, 1, 2, 3]))
    lenient = Linking(overlap=0.0, unary=2, multivariate=2)
    assert unary(scene, lenient) == [[1, 3, 5, 7]]
    assert multivariate(scene, lenient) == [[1, 3, 5, 7]]


def test_a_multivariate_tube_is_the_union_of_what_touches() -> None:
    chain = still([0, 1], 0, 0.9), still([0, 1], 6, label=1), still([0, 1], 12, label=2), still([0, 1], 40)
    scene = in_order(*chain)
    (first, second) = multivariate(scene)
    assert first == [0, 1, 2, 4, 5, 6]
    assert second == [3, 7]
    frames, boxes = union_boxes(scene[0], scene[1], np.array(first))
    assert frames.tolist() == [0, 1]
    assert boxes.tolist() == [[0, 0, 22, 10], [0, 0, 22, 10]]


def test_a_box_reached_in_the_next_frame_brings_what_touches_it_there() -> None:
    scene = in_order(still([0, 1]), still([1, 2], 6), still([2], 12))
    assert multivariate(scene) == [[0, 1, 2, 3, 4]]


def test_what_no_longer_touches_anything_of_a_tube_leaves_it() -> None:
    scene = in_order(still([0, 1], confidence=0.9), still([0], 6), still([1], 17))
    assert multivariate(scene) == [[0, 1, 2]]


@pytest.mark.parametrize("build", [unary, multivariate])
@pytest.mark.parametrize("name", ["overlap", "weight", "unary", "multivariate"])
def test_every_setting_changes_the_tubes_that_it_speaks_of(name: str, build: Callable[..., Sets]) -> None:
    scene, base = movers(2), Linking(unary=4, multivariate=4)
    other = replace(base, **{"overlap": {"overlap": 0.8}, "weight": {"weight": 0.0}}.get(name, {name: 30}))
    concerned = name in ("overlap", build.__name__) or (name == "weight" and build is unary)
    assert (build(scene, base) != build(scene, other)) is concerned


def test_the_defaults_are_the_papers() -> None:
    assert Linking() == Linking(overlap=0.1, weight=2.0, unary=100, multivariate=50)
    assert [len(tube) for tube in unary(in_order(still(list(range(100)))), Linking())] == [100]
    assert unary(in_order(still(list(range(99)))), Linking()) == []
    assert [len(tube) for tube in multivariate(in_order(still(list(range(50)))), Linking())] == [50]
    assert multivariate(in_order(still(list(range(49)))), Linking()) == []


@pytest.mark.parametrize(
    "wrong",
    [{"overlap": -0.1}, {"overlap": 1.0}, {"weight": -1.0}, {"weight": np.nan}, {"unary": 0}, {"multivariate": -1}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="not"):
        Linking(**wrong)


def test_without_boxes_there_are_no_tubes() -> None:
    nothing = np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0), np.zeros(0, np.int16)
    assert unary(nothing) == []
    assert multivariate(nothing) == []
    frames, boxes = union_boxes(nothing[0], nothing[1], np.zeros(0, np.int64))
    assert (frames.shape, boxes.shape, boxes.dtype) == ((0,), (0, 4), np.float32)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (0, np.array([2, 1]), "decrease"),
        (0, np.array([0.0, 1.0]), "whole numbers"),
        (0, np.array([0, 1, 2]), "N frames"),
        (1, np.zeros((2, 3)), "N frames"),
        (1, np.array([[0, 0, 1, 1], [2, 0, 1, 1.0]]), "far corner"),
        (1, np.full((2, 4), np.nan), "finite"),
        (2, np.array([0.5]), "N frames"),
        (2, np.array([0.5, np.inf]), "finite"),
        (3, np.array([1]), "N frames"),
        (3, np.array([1.0, 2.0]), "whole numbers"),
    ],
)
def test_columns_that_do_not_fit_are_refused(column: int, value: np.ndarray, words: str) -> None:
    scene = list(in_order(still([0, 1])))
    scene[column] = value
    with pytest.raises(ShapeError, match=words):
        unary_tubes(*scene, SHORT)
    if column < 3:
        with pytest.raises(ShapeError, match=words):
            multivariate_tubes(*scene[:3], SHORT)


def test_rows_of_a_tube_are_in_order_of_frames() -> None:
    frame, xyxy, _, _ = in_order(still([0, 1, 2]))
    with pytest.raises(ShapeError, match="order of frames"):
        union_boxes(frame, xyxy, np.array([2, 0]))
