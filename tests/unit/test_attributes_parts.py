"""The attributes: what they measure, and the sentences they say."""

from __future__ import annotations

import numpy as np
import pytest

from amiss.methods.attributes.attribute import Rank, add_usual_size, relative_extent
from amiss.methods.attributes.parts import ATTRIBUTES, STANDING, speed
from amiss.methods.attributes.perspective import Perspective
from amiss.types import Windows


def usual(height: float, width: float) -> Perspective:
    """A place where everything is usually so tall and wide, in pixels."""
    perspective = Perspective()
    perspective.restore(
        {"line": np.array([0, height]), "range": np.array([1.0, 1000.0]), "width": np.array(width / height)}
    )
    return perspective


def bent_body(box: tuple[float, ...], degrees: float, confidence: float = 1) -> np.ndarray:
    """`(1, 17, 3)` joints in pixels: legs that stand, and all from the hips on up turned to the right."""
    joints = STANDING.copy()
    turn = np.radians(degrees)
    hip = np.array([0, STANDING[11, 1]])
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    joints[:11] = (joints[:11] - hip) @ turned + hip
    foot, height = np.array([(box[0] + box[2]) / 2, box[3]]), max(box[3] - box[1], 1)
    return np.column_stack([joints * height + foot, np.full(17, confidence)])[None].astype(np.float32)


def windows(
    flow: float = 2.0,
    step: float = 0.04,
    box: tuple[float, ...] = (10, 20, 30, 60),
    count: int = 1,
    cut: tuple[bool, bool] = (False, False),
) -> Windows:
    """Windows 20 pixels wide and 40 tall where 50 tall and 25 wide is usual."""
    data = {
        "flow": np.full((count, 1, 4, 4, 2), [flow, 0], np.float16),
        "step": np.full(count, step, np.float32),
        "feature": np.full((count, 6), 0.5, np.float16),
        "dwell": np.full(count, 9.0, np.float32),
        "speed": np.full(count, 80.0, np.float32),
        "path": np.tile(np.array([30, -40, 5, 10, 1.0], np.float32), (count, 1)),
        "company": np.tile(np.array([100, -25], np.float32), (count, 1)),
        "cut": np.tile(np.array(cut), (count, 1)),
        "pose": np.tile(bent_body(box, 30), (count, 1, 1)),
    }
    plain = Windows(np.zeros(count), np.zeros(count), np.tile(np.array(box, np.float32), (count, 1)), data=data)
    return add_usual_size(plain, usual(50, 25))


def from_hips(pose: np.ndarray, height: float) -> np.ndarray:
    """`(N, 17, 2)` joints from the middle of the hips, in heights."""
    pose = pose.reshape(-1, 17, 3)
    return (pose[..., :2] - pose[:, [11, 12], :2].mean(1, keepdims=True)) / height


def test_speed_is_in_pixels_a_second_whatever_the_frame_rate() -> None:
    assert speed(windows(flow=2, step=0.04)) == pytest.approx([50])
    assert speed(windows(flow=4, step=0.08)) == pytest.approx([50])
    assert speed(windows(flow=-2)) == pytest.approx([50])


def test_without_a_frame_before_there_is_no_speed() -> None:
    assert speed(windows(step=0.0)).tolist() == [0]
    assert speed(windows(count=0)).shape == (0,)


def test_speed_is_that_of_what_moves_and_not_of_the_ground() -> None:
    item = windows(flow=0)
    flow = item.data["flow"].copy()
    flow[:, :, 0, :, 1] = 3
    half = Windows(item.frame, item.seconds, item.box, data={**item.data, "flow": flow})
    assert speed(half) == pytest.approx([75])


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("velocity", 50 / 50),
        ("speed", 80 / 50),
        ("size", 40 / 50),
        ("place", 20),
        ("appearance", 0.5 * np.sqrt(6)),
        ("dwell", 9),
        ("pose", 30),
        ("acceleration", (30 * 5 - 40 * 10) / 50 / 50),
        ("curvature", 50 * 500 / 50**3),
        ("direction", np.degrees(np.arctan2(40, 30))),
        ("pace", 50 / 50),
        ("stature", 40 / 50),
        ("company", 100 / 50),
        ("closing", -25 / 50),
    ],
)
def test_quantities_are_in_their_units(name: str, quantity: float) -> None:
    assert ATTRIBUTES[name].quantity(windows()) == pytest.approx([quantity])


@pytest.mark.parametrize(
    ("name", "vector"),
    [
        ("velocity", [50 / 50, np.log(20 / 50), np.log(40 / 50)]),
        ("speed", [80 / 50]),
        ("size", [np.log(20 / 50), np.log(40 / 50)]),
        ("place", [20, 60]),
        ("dwell", [20, 60, np.log(10)]),
        ("appearance", [0.5] * 6),
        ("pose", from_hips(bent_body((10, 20, 30, 60), 30), 50).ravel().tolist()),
        ("acceleration", [-0.1, 0.2]),
        ("curvature", [np.log(1.2)]),
        ("direction", [20, 60, 0.6, 0.8]),
        ("pace", [20, 60, np.log(1.1)]),
        ("stature", [20, 60, np.log(0.8)]),
        ("company", [np.log(2.1)]),
        ("closing", [-0.5, np.log(2.1)]),
    ],
)
def test_vectors_are_what_is_compared(name: str, vector: list[float]) -> None:
    found = ATTRIBUTES[name].vectors(windows(count=2))
    assert found == pytest.approx(np.array([vector, vector]), rel=1e-5)
    assert ATTRIBUTES[name].vectors(windows(count=0)).shape == (0, len(vector))


def test_a_box_without_an_area_is_one_pixel() -> None:
    vectors = ATTRIBUTES["velocity"].vectors(windows(box=(5, 5, 5, 5)))
    assert vectors == pytest.approx(np.array([[1, np.log(1 / 50), np.log(1 / 50)]]), rel=1e-5)


def test_the_usual_size_is_that_of_the_place_and_all_else_is_kept() -> None:
    perspective = Perspective()
    perspective.restore({"line": np.array([0.5, 10]), "range": np.array([1.0, 45.0]), "width": np.array(0.4)})
    plain = windows(count=2)
    box = np.array([[0, 0, 9, 20], [0, 0, 9, 90]], np.float32)
    found = add_usual_size(Windows(plain.frame, plain.seconds, box, data=plain.data), perspective)
    assert found.data["usual_height"] == pytest.approx([20, 45])
    assert found.data["usual_width"] == pytest.approx([8, 18])
    assert all(np.array_equal(found.data[name], plain.data[name]) for name in ("flow", "step", "feature", "cut"))
    assert np.array_equal(found.box, box)


@pytest.mark.parametrize(
    ("cut", "extent"),
    [
        ((False, False), (20, 40)),
        ((True, False), (25, 40)),
        ((False, True), (20, 50)),
        ((True, True), (25, 50)),
    ],
)
def test_what_the_picture_cuts_counts_as_usual(cut: tuple[bool, bool], extent: tuple[float, float]) -> None:
    item = windows(cut=cut)
    assert relative_extent(item) == pytest.approx(np.log(np.array([extent]) / 50), rel=1e-5)
    assert ATTRIBUTES["size"].quantity(item) == pytest.approx([extent[1] / 50])


def test_far_and_near_things_of_one_kind_are_alike() -> None:
    far, near = windows(flow=1, box=(10, 20, 20, 40)), windows(flow=2, box=(10, 20, 30, 60))
    far, near = add_usual_size(far, usual(25, 12.5)), add_usual_size(near, usual(50, 25))
    for name in ("velocity", "size"):
        assert ATTRIBUTES[name].vectors(far) == pytest.approx(ATTRIBUTES[name].vectors(near))


@pytest.mark.parametrize(
    ("name", "below", "said"),
    [
        ("velocity", 0.999, "moves at 3.0 body heights a second, faster than 99.9 % of 41,000 objects here"),
        ("velocity", 0.001, "moves at 3.0 body heights a second, slower than 99.9 % of 41,000 objects here"),
        ("velocity", 0.5, "for its size more unusual than 99.5 % of 41,000"),
        ("size", 0.999, "taller than 99.9 % of"),
        ("size", 0.001, "lower than 99.9 % of"),
        ("size", 0.5, "of a shape more unusual than 99.5 % of"),
        ("place", 0.999, "further off the usual ways than 99.5 % of"),
        ("dwell", 0.999, "has stayed on one spot for 3 s, longer than 99.9 % of"),
        ("dwell", 0.5, "for this spot more unusual than 99.5 % of"),
        ("pose", 0.999, "holds its trunk 3 degrees from upright, further than 99.9 % of 41,000 objects here"),
        ("pose", 0.001, "holds itself in a way more unusual than 99.5 % of"),
        ("pose", 0.5, "holds itself in a way more unusual than 99.5 % of"),
        (
            "acceleration",
            0.999,
            "changes its speed by +3.0 body heights a second squared, speeding up more than",
        ),
        ("acceleration", 0.001, "slowing down more than 99.9 % of 41,000"),
        ("curvature", 0.999, "goes a way of 3.0 turns of a radian a body height, bent more than 99.9 % of"),
        (
            "direction",
            0.999,
            "goes towards the right of the picture, at this place a direction more unusual than 9",
        ),
        ("pace", 0.999, "goes at 3.0 body heights a second, faster than 99.9 % of"),
        ("pace", 0.5, "for this place more unusual than 99.5 % of"),
        ("stature", 0.001, "lower than 99.9 % of"),
        ("company", 0.001, "is 3.0 body heights from the nearest other, nearer than 99.9 % of"),
        (
            "closing",
            0.999,
            "comes nearer to the nearest other at 3.0 body heights a second, closing faster than 9",
        ),
        ("closing", 0.001, "parting faster than 99.9 % of"),
        ("appearance", 0.0, "looks unlike what is seen here, more so than 99.5 % of"),
    ],
)
def test_sentences_say_in_which_way_something_is_odd(name: str, below: float, said: str) -> None:
    assert said in ATTRIBUTES[name].sentence(Rank(3.0, below, 0.995, 41_000))


@pytest.mark.parametrize(
    ("rank", "said"),
    [
        (Rank(1, 1.0, 1.0, 41_000), "all of 41,000"),
        (Rank(1, 0.0, 1.0, 40), "all of 40"),
        (Rank(1, 0.5, 0.98, 40), "all of 40"),
        (Rank(1, 0.5, 0.0, 40), "under 1 % of 40"),
        (Rank(1, 0.5, 0.009, 41_000), "under 1 % of 41,000"),
        (Rank(1, 0.5, 0.01, 41_000), "1 % of 41,000"),
        (Rank(1, 0.5, 0.1, 41_000), "10 % of 41,000"),
        (Rank(1, 0.5, 0.12345, 41_000), "12 % of 41,000"),
        (Rank(1, 0.5, 0.9, 41_000), "90 % of 41,000"),
        (Rank(1, 0.5, 0.986, 41_000), "99 % of 41,000"),
        (Rank(1, 0.5, 0.99001, 41_000), "99 % of 41,000"),
        (Rank(1, 0.5, 0.9912345, 41_000), "99.12 % of 41,000"),
        (Rank(1, 0.995, 0.5, 41_000), "99.5 % of 41,000"),
        (Rank(1, 0.005, 0.5, 41_000), "99.5 % of 41,000"),
        (Rank(1, 0.5, 0.99997, 41_000), "99.99 % of 41,000"),
    ],
)
def test_a_share_is_short_and_never_rarer_than_what_was_seen(rank: Rank, said: str) -> None:
    assert rank.share() == said


def posed(degrees: float, confidence: float = 1, cut: tuple[bool, bool] = (False, False)) -> Windows:
    """One body, its trunk turned from upright, in the box of `windows`."""
    item = windows(cut=cut)
    pose = bent_body((10, 20, 30, 60), degrees, confidence)
    return Windows(item.frame, item.seconds, item.box, data={**item.data, "pose": pose})


@pytest.mark.parametrize("degrees", [-120, -30, 0, 45, 90, 180])
def test_the_trunk_is_so_many_degrees_from_upright_to_either_side(degrees: float) -> None:
    assert ATTRIBUTES["pose"].quantity(posed(degrees)) == pytest.approx([abs(degrees)], abs=1e-3)


def test_a_pose_is_the_same_near_and_far() -> None:
    near, far = posed(50), windows(box=(100, 50, 110, 70))
    pose = bent_body((100, 50, 110, 70), 50)
    far = Windows(far.frame, far.seconds, far.box, data={**far.data, "pose": pose})
    near, far = add_usual_size(near, usual(50, 25)), add_usual_size(far, usual(25, 12.5))
    assert ATTRIBUTES["pose"].vectors(near) == pytest.approx(ATTRIBUTES["pose"].vectors(far), abs=1e-5)


def test_joints_that_are_not_seen_are_those_of_a_standing_body() -> None:
    vectors = [ATTRIBUTES["pose"].vectors(posed(90, confidence)) for confidence in (0, 0.2, 0.4, 1)]
    assert vectors[0] == pytest.approx((STANDING - STANDING[[11, 12]].mean(0)).reshape(1, -1))
    assert vectors[1] == pytest.approx((vectors[0] + vectors[3]) / 2, abs=1e-6)
    assert vectors[2] == pytest.approx(vectors[3])
    assert STANDING[9].tolist() == (STANDING[10] * [-1, 1]).tolist()


def test_a_pose_is_known_if_most_joints_are_seen_of_a_body_that_is_not_cut() -> None:
    known = ATTRIBUTES["pose"].known
    assert [bool(known(item)[0]) for item in (posed(0), posed(0, 0.1), posed(0, cut=(False, True)))] == [1, 0, 0]
    half = posed(0).data["pose"].copy()
    half[:, 8:] = 0
    item = posed(0)
    assert not known(Windows(item.frame, item.seconds, item.box, data={**item.data, "pose": half})).any()
    assert ATTRIBUTES["size"].known(windows(count=3)).all()


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
def test_words_are_neutral(name: str) -> None:
    assert ATTRIBUTES[name].id == name
    for below in (0.0, 0.5, 1.0):
        text = ATTRIBUTES[name].sentence(Rank(1, below, 1.0, 100)).lower()
        assert not any(word in text for word in ("suspicious", "abnormal", "danger", "intent", "person", "nan"))


def along(path: list[float], company: tuple[float, float] = (100, 0)) -> Windows:
    """One window with such a path."""
    item = windows()
    told = {"path": np.array([path], np.float32), "company": np.array([company], np.float32)}
    return Windows(item.frame, item.seconds, item.box, data={**item.data, **told})


def circle(radius: float, speed: float) -> list[float]:
    """Goes to the right and turns down, at pixels a second."""
    return [speed, 0, 0, speed**2 / radius, 1.0]


@pytest.mark.parametrize("speed", [30, 60, 200])
def test_the_curvature_of_a_circle_is_one_over_its_radius_at_any_speed(speed: float) -> None:
    assert ATTRIBUTES["curvature"].quantity(along(circle(200, speed))) == pytest.approx([50 / 200])
    assert ATTRIBUTES["acceleration"].quantity(along(circle(200, speed))) == pytest.approx([0], abs=1e-6)


@pytest.mark.parametrize(
    ("path", "degrees", "way"),
    [
        ([40, 0, 0, 0, 1], 0, "towards the right"),
        ([0, -40, 0, 0, 1], 90, "towards the top"),
        ([-30, 30, 0, 0, 1], -135, "towards the lower left"),
        ([-40, 0.001, 0, 0, 1], -180, "towards the left"),
    ],
)
def test_directions_go_against_the_clock_from_the_right(path: list[float], degrees: float, way: str) -> None:
    found = ATTRIBUTES["direction"].quantity(along(path))
    assert found == pytest.approx([degrees], abs=0.01)
    assert way in ATTRIBUTES["direction"].sentence(Rank(float(found[0]), 0.5, 0.99, 100))


@pytest.mark.parametrize(
    ("name", "path", "known"),
    [
        ("acceleration", [0, 0, 1, 1, 0.9], True),
        ("acceleration", [40, 0, 1, 1, 0.5], False),
        ("curvature", [40, 0, 1, 1, 0.9], True),
        ("curvature", [20, 0, 1, 1, 0.9], False),
        ("direction", [20, 0, 0, 0, 0.4], True),
        ("direction", [20, 0, 0, 0, 0.3], False),
        ("direction", [10, 0, 0, 0, 1.0], False),
        ("pace", [0, 0, 0, 0, 0.4], True),
        ("pace", [90, 0, 0, 0, 0.2], False),
    ],
)
def test_short_tracks_and_what_hardly_moves_count_as_usual(name: str, path: list[float], known: bool) -> None:
    assert ATTRIBUTES[name].known(along(path)).tolist() == [known]


def test_who_is_alone_has_no_company_and_what_is_cut_no_stature() -> None:
    alone = along([0] * 5, (np.inf, 0))
    for name in ("company", "closing"):
        assert ATTRIBUTES[name].known(alone).tolist() == [False]
        assert np.isfinite(ATTRIBUTES[name].vectors(alone)).all()
        assert ATTRIBUTES[name].known(windows()).tolist() == [True]
    assert [bool(ATTRIBUTES["stature"].known(windows(cut=cut))[0]) for cut in ((True, False), (False, True))] == [1, 0]
