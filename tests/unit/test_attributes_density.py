"""One attribute's memory with its calibration."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from amiss.methods.attributes import matching
from amiss.methods.attributes.attribute import add_usual_size
from amiss.methods.attributes.density import QUANTILES, Density, Form, Forms
from amiss.methods.attributes.parts import ATTRIBUTES, STANDING
from amiss.methods.attributes.perspective import Perspective
from amiss.perception.skeleton import from_box
from amiss.types import Windows

USUAL = 40.0


def usual() -> Perspective:
    """Everything is usually 40 pixels tall and 20 wide."""
    perspective = Perspective()
    perspective.restore({"line": np.array([0, USUAL]), "range": np.array([1, 1000.0]), "width": np.array(0.5)})
    return perspective


def boxes(number: int, seed: int = 0, height: float = 40.0) -> Windows:
    generator = np.random.default_rng(seed)
    corner = generator.uniform(0, 200, (number, 2))
    size = np.array([20.0, height]) * generator.uniform(0.9, 1.1, (number, 2))
    looks = np.random.default_rng(77).normal(size=(3, 100))
    feature = (generator.normal(size=(number, 3)) @ looks).astype(np.float16)
    data = {"feature": feature, "cut": np.zeros((number, 2), bool)}
    place = np.concatenate([corner, corner + size], 1)
    return add_usual_size(Windows(np.arange(number), np.arange(number) / 25, place, data=data), usual())


def fitted(name: str = "size", capacity: int = 1000, neighbours: int = 3) -> Density:
    density = Density(ATTRIBUTES[name], Forms(capacity, neighbours))
    density.fit(boxes(300), np.arange(300) % 6, seed=0)
    return density


@pytest.mark.parametrize("name", ["size", "appearance"])
def test_normal_things_score_about_nought_with_a_spread_of_about_one(name: str) -> None:
    score = fitted(name).score(boxes(300, seed=5))
    assert abs(score.mean()) < 0.5
    assert 0.5 < score.std() < 2


def test_places_are_told_apart_by_body_heights_and_not_finer() -> None:
    """The normal places are a few pixels apart, which is no unit of how far something is out of place."""
    density = fitted("place")
    assert density.state()["spread"] == 1.0
    assert density.score(boxes(300, seed=5)).max() < 1
    away = boxes(2)
    far = dataclasses.replace(away, box=away.box + np.array([400.0, 0, 400, 0], np.float32))
    assert (density.score(far) > 3).all()


def test_odd_things_score_more_the_odder_they_are() -> None:
    found = [float(fitted().score(boxes(1, height=height))[0]) for height in (40, 80, 160)]
    assert found[0] < 3 < found[1] < found[2]


def test_calibration_leaves_the_own_group_out() -> None:
    """Each of two clips shows one size many times over: from the other clip's side, both are far off."""
    both = Windows.merge([boxes(50, height=20), boxes(50, height=80)])
    apart, mixed = Density(ATTRIBUTES["size"], Forms(1000, 1)), Density(ATTRIBUTES["size"], Forms(1000, 1))
    apart.fit(both, np.repeat([0, 1], 50), seed=0)
    mixed.fit(both, np.arange(100) % 2, seed=0)
    assert apart.state()["centre"] > 10 * mixed.state()["centre"]


def test_what_was_taken_in_is_normal_from_then_on() -> None:
    density, odd = fitted(neighbours=1), boxes(5, height=160)
    before = density.score(odd)
    density.update(odd)
    assert (density.score(odd) < 1).all()
    assert (before > 10).all()


def test_a_single_odd_sample_excuses_nothing() -> None:
    density, odd = fitted(neighbours=3), boxes(1, height=160)
    density.update(odd)
    assert density.score(odd) > 10


def test_appearance_is_projected_and_others_are_standardised() -> None:
    assert fitted("appearance").vectors(boxes(4)).shape == (4, 64)
    vectors = fitted("size").vectors(boxes(300))
    assert vectors.std(0) == pytest.approx(np.ones(2), rel=1e-3)
    assert vectors.mean(0) == pytest.approx(np.zeros(2), abs=1e-3)


def test_places_are_in_usual_heights() -> None:
    windows = boxes(300)
    height = float(np.median(windows.data["usual_height"]))
    apart = np.ptp(fitted("place").vectors(windows), axis=0)
    assert apart == pytest.approx(np.ptp(ATTRIBUTES["place"].vectors(windows), axis=0) / height, rel=1e-3)


def test_a_rank_says_where_something_stands() -> None:
    density = fitted()
    tall, usual = boxes(1, height=160), boxes(1, height=40)
    high = density.rank(tall, float(density.score(tall)[0]))
    assert (high.below, high.nearer, high.count, high.side) == (1, 1, 300, "high")
    assert high.quantity == pytest.approx((tall.box[0, 3] - tall.box[0, 1]) / USUAL)
    assert 0 < density.rank(usual, 0.0).below < 1
    assert 0.2 < density.rank(usual, 0.0).nearer < 0.9


def test_equal_normal_things_do_not_divide_by_nought() -> None:
    same = boxes(1)[[0] * 40]
    density = Density(ATTRIBUTES["size"], Forms(100, 3))
    density.fit(same, np.arange(40) % 4, seed=0)
    assert np.isfinite(density.score(boxes(3, seed=2))).all()
    assert density.score(same).max() < 1e-3


def test_state_gives_the_same_density_and_learns_on() -> None:
    density = fitted()
    density.update(boxes(20, seed=3, height=90))
    again = Density(ATTRIBUTES["size"], Forms(1000, 3))
    again.restore(density.state())
    for other in (density, again):
        other.update(boxes(20, seed=4, height=120))
    probe = boxes(50, seed=9, height=100)
    assert np.array_equal(again.score(probe), density.score(probe))
    assert again.rank(probe[[0]], 2.0) == density.rank(probe[[0]], 2.0)


def test_an_incomplete_state_is_told() -> None:
    state = fitted().state()
    del state["samples"]
    with pytest.raises(KeyError):
        Density(ATTRIBUTES["size"], Forms(1000, 3)).restore(state)


def bodies(number: int, seed: int = 0, seen: float = 1.0, lying: bool = False) -> Windows:
    """People who stand about as people do; `seen` is the share whose pose is known."""
    windows = boxes(number, seed)
    generator = np.random.default_rng([seed, 1])
    joints = STANDING[None] + generator.normal(0, 0.03, (number, 17, 2))
    joints = joints[..., ::-1] if lying else joints
    pose = from_box(np.concatenate([joints, np.ones((number, 17, 1))], axis=2), windows.box)
    pose[generator.random(number) >= seen] = 0
    return dataclasses.replace(windows, data={**windows.data, "pose": pose})


def posed(windows: Windows, groups: int = 6) -> Density:
    density = Density(ATTRIBUTES["pose"], Forms(1000, 3))
    density.fit(windows, np.arange(len(windows)) % groups, seed=0)
    return density


def test_poses_that_are_not_known_count_as_usual_and_teach_nothing() -> None:
    density, some = posed(bodies(300, seen=0.5)), bodies(300, seed=5, seen=0.5)
    known, score = ATTRIBUTES["pose"].known(some), density.score(some)
    assert 100 < known.sum() < 200
    assert not score[~known].any()
    assert abs(score[known].mean()) < 1.5
    assert (density.score(bodies(20, seed=6, lying=True)) > 5).all()
    before = density.state()["seen"]
    density.update(some)
    assert density.state()["seen"] - before == known.sum()
    assert before == ATTRIBUTES["pose"].known(bodies(300, seen=0.5)).sum()


@pytest.mark.parametrize(("seen", "groups"), [(0.0, 6), (1.0, 1)])
def test_without_known_poses_of_two_groups_all_count_as_usual(seen: float, groups: int) -> None:
    density = posed(bodies(60, seen=seen), groups)
    odd = bodies(9, seed=3, lying=True)
    assert density.score(odd).tolist() == [0] * 9
    density.update(odd)
    again = Density(ATTRIBUTES["pose"], Forms(1000, 3))
    again.restore(density.state())
    assert again.score(odd).tolist() == [0] * 9
    assert again.rank(odd[[0]], 0.0).count == 0
    assert again.vectors(odd).shape == (9, 34)


def test_what_is_rare_among_left_out_samples_is_surprising_without_end() -> None:
    density = fitted()
    state = density.state()
    quantiles = np.interp([0.1, 0.5, 0.9, 0.95], QUANTILES, state["distances"])
    found = density.surprise((quantiles - state["centre"]) / state["spread"])
    assert found == pytest.approx([0, 0, np.log(5), np.log(10)], abs=1e-6)
    far = density.surprise(np.array([10.0, 20, 30]))
    assert np.diff(far) == pytest.approx(np.full(2, far[1] - far[0]))
    assert far[0] > np.log(10)


@pytest.mark.parametrize("form", ["mixture", "score-matching", "auto"])
def test_other_densities_tell_odd_things_too(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "STEPS", 100)
    density = Density(ATTRIBUTES["size"], Forms(1000, 3, form))
    density.fit(boxes(300), np.arange(300) % 6, seed=0)
    assert density.form == form or form == "auto"
    assert bool(density.state()["nats"].any()) == (form == "auto")
    usual = density.score(boxes(300, seed=5))
    assert abs(np.median(usual)) < 1
    assert (density.score(boxes(5, height=160)) > np.quantile(usual, 0.99)).all()
    again = Density(ATTRIBUTES["size"], Forms(1000, 3, form))
    again.restore(density.state())
    assert again.form == density.form
    for other in (density, again):
        other.update(boxes(20, seed=4, height=160))
    probe = boxes(50, seed=9, height=100)
    assert np.array_equal(again.score(probe), density.score(probe))


def test_attributes_with_natural_units_keep_their_samples() -> None:
    density = Density(ATTRIBUTES["place"], Forms(1000, 3, "mixture"))
    density.fit(boxes(300), np.arange(300) % 6, seed=0)
    assert density.form == "neighbours"
    local = Density(ATTRIBUTES["stature"], Forms(1000, 3, "mixture"))
    local.fit(boxes(300), np.arange(300) % 6, seed=0)
    assert local.form == "places"
    assert (local.score(boxes(5, height=100)) > 3).all()
