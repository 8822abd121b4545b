"""From heat maps and fields, made from known people, back to the people."""

from __future__ import annotations

import numpy as np
import pytest
from people import SIZE, maps, person

from amiss.perception.grouping import COCO_ORDER, FIELDS, HEAT_MAPS, find_people
from amiss.perception.skeleton import JOINTS, PAIRS

NAMES = (
    *("nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist"),
    *("right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle"),
    *("right eye", "left eye", "right ear", "left ear"),
)


def test_the_order_of_coco_names_the_same_joints() -> None:
    assert [NAMES[index] for index in COCO_ORDER] == list(JOINTS)
    assert {joint for limb in FIELDS for joint in limb} == set(range(HEAT_MAPS))


def test_one_person_comes_back_between_the_cells() -> None:
    true = person(20.3)
    (found,) = find_people(*maps(true))
    assert np.abs(found[:, :2] - true).max() < 0.2
    assert (found[:, 2] > 0.7).all()


def test_people_side_by_side_are_told_apart() -> None:
    true = [person(12.0), person(23.4), person(40.0, scale=1.0)]
    found = find_people(*maps(*true))
    assert len(found) == 3
    for joints, known in zip(found[np.argsort(found[:, 1, 0])], true, strict=True):
        assert np.abs(joints[:, :2] - known).max() < 0.3


def test_joints_go_with_the_field_and_not_with_what_is_near() -> None:
    """Two people cross their right fore-arms: each wrist is nearer to the other's elbow."""
    left, right = person(16.0), person(22.0)
    left[4], right[4] = (19.4, 18.0), (13.4, 15.0)
    found = find_people(*maps(left, right))
    found = found[np.argsort(found[:, 1, 0])]
    assert np.abs(found[0, 4, :2] - left[4]).max() < 0.5
    assert np.abs(found[1, 4, :2] - right[4]).max() < 0.5


def test_joints_that_are_not_seen_are_noughts() -> None:
    (found,) = find_people(*maps(person(20.0), missing=(4, 10)))
    assert not found[[4, 10]].any()
    assert found[:, 2].astype(bool).sum() == HEAT_MAPS - 2


def test_without_fields_or_with_few_joints_there_is_nobody() -> None:
    heat, fields = maps(person(20.0))
    assert len(find_people(heat, np.zeros_like(fields))) == 0
    assert len(find_people(*maps(person(20.0), missing=tuple(range(3, HEAT_MAPS))))) == 0
    assert find_people(np.zeros_like(heat), fields).shape == (0, 18, 3)


def test_a_plateau_is_one_peak_and_the_edge_of_the_map_is_no_trouble() -> None:
    heat, fields = maps(person(20.0), person(3.0))
    found = find_people(np.minimum(heat, 0.8), fields)
    assert len(found) == 2
    assert np.isfinite(found).all()


def test_left_and_right_keep_their_sides() -> None:
    (found,) = find_people(*maps(person(20.0)))
    coco = found[COCO_ORDER]
    assert all(coco[left, 0] > coco[right, 0] for left, right in PAIRS)


@pytest.mark.parametrize("seed", [1, 2])
def test_noise_gives_finite_people_or_none(seed: int) -> None:
    noise = np.random.default_rng(seed)
    found = find_people(noise.random((19, *SIZE)), noise.normal(size=(38, *SIZE)))
    assert np.isfinite(found).all()
