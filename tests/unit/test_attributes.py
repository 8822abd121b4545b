"""The method `attributes` beyond what every method keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amiss.errors import ConfigError
from amiss.methods.attributes import Attributes, AttributesSettings
from amiss.methods.attributes.method import _groups
from amiss.types import Windows
from support import Mover, Rectangles, config_of, fit, parts_of, walkers, write_boxes

CLIPS = [walkers(f"0{seed}", seed, length=20) for seed in range(4)]
FAST = Rectangles("fast", (Mover(0, 24, 12, 21, dx=8.0),), length=12)
BIG = Rectangles("big", (Mover(0, 24, 40, 70, dx=1.0),), length=12)
BELOW = Rectangles("below", (Mover(0, 74, 12, 21, dx=1.2),), length=12)


def fitted(folder: Path, **settings: Any) -> tuple[Attributes, list[Windows]]:
    """A method without networks, and the windows of what is fast, big, and in an odd place."""
    config = config_of(folder, [*CLIPS, FAST, BIG, BELOW])
    method = Attributes(AttributesSettings.build({"parts": ["velocity", "size", "place"]} | settings))
    fit(method, parts_of(CLIPS, method.needs, config), config)
    odd = parts_of([FAST, BIG, BELOW], method.needs, config)
    return method, [part[3 : len(part)] for part in odd]


def test_what_is_odd_shows_in_its_own_part(tmp_path: Path) -> None:
    method, (fast, big, below) = fitted(tmp_path, size_weight=1)
    worst = [
        max((parts := method.score(w).parts), key=lambda k: float(np.median(parts[k]))) for w in (fast, big, below)
    ]
    assert worst[0] == "velocity"
    assert worst[1] in ("size", "velocity")  # velocity is compared among things of a size
    assert worst[2] == "place"


def test_the_worst_part_counts_or_all_add_up(tmp_path: Path) -> None:
    for combine, together in (("max", np.max), ("sum", np.sum)):
        method, (fast, *_) = fitted(tmp_path, combine=combine, size_weight=1)
        regions = method.score(fast)
        above = np.maximum(np.stack(list(regions.parts.values())), 0)
        assert regions.score == pytest.approx(together(above, axis=0))


def test_parts_may_count_by_how_rare_they_are(tmp_path: Path) -> None:
    """A part that tells nothing adds nothing: what is usual in it has no surprise."""
    method, (fast, *_) = fitted(tmp_path, combine="tail", size_weight=1)
    regions = method.score(fast)
    rare = [density.surprise(regions.parts[density.attribute.id]) for density in method._densities]
    assert regions.score == pytest.approx(np.max(rare, axis=0))
    assert method.combined(regions.parts, "max") != pytest.approx(regions.score)


def test_whoever_goes_against_the_way_of_all_others_is_told_apart(tmp_path: Path) -> None:
    """At the usual pace: only its direction is unusual."""
    lanes = [Rectangles(f"lane{n}", (Mover(20 * n, 24, 12, 21, dx=1.0),), length=40) for n in range(4)]
    along = Rectangles("along", (Mover(10, 24, 12, 21, dx=1.0),), length=40)
    against = Rectangles("against", (Mover(130, 24, 12, 21, dx=-1.0),), length=40)
    boxes = {"source": "file", "path": write_boxes(tmp_path / "boxes.npz", [*lanes, along, against])}
    config = config_of(tmp_path, perception={"boxes": boxes})
    method = Attributes(AttributesSettings(parts=("direction", "pace")))
    fit(method, parts_of(lanes, method.needs, config), config)
    usual, other = (part[20 : len(part)] for part in parts_of([along, against], method.needs, config))
    assert method.forms == {"direction": "places", "pace": "places"}
    assert method.score(other).parts["direction"].min() > method.score(usual).parts["direction"].max() + 2
    assert method.score(other).parts["pace"].max() < 0
    told = method.explain(method.score(other)[[0]], other[[0]]).reasons[0]
    assert "towards the left of the picture, at this place a direction more unusual than" in told


def test_the_reason_names_what_is_odd_first(tmp_path: Path) -> None:
    method, (fast, _, below) = fitted(tmp_path)
    for windows, said in ((fast, "faster than"), (below, "where few have been")):
        regions = method.score(windows)
        row = int(regions.score.argmax())
        assert said in method.explain(regions[[row]], windows[[row]]).reasons[0]


def test_examples_are_far_from_each_other_and_bounded(tmp_path: Path) -> None:
    method, _ = fitted(tmp_path, examples=5)
    assert len(method.exemplars) == 5
    assert len({(item.clip, item.frame, tuple(item.box)) for item in method.exemplars}) == 5
    assert len({item.clip for item in method.exemplars}) > 1


def test_features_are_asked_for_only_where_looks_count() -> None:
    assert "feature" in Attributes(AttributesSettings()).needs.arrays
    assert Attributes(AttributesSettings(parts=("size",))).needs.arrays == ()
    assert Attributes(AttributesSettings(parts=("velocity",))).needs.arrays == ("flow",)
    assert Attributes(AttributesSettings(parts=("dwell",))).needs.arrays == ("dwell",)
    assert Attributes(AttributesSettings(crop=9)).needs.size == 9


def test_unknown_and_missing_parts_are_refused() -> None:
    for parts in ([], ["aura"]):
        with pytest.raises(ConfigError, match=r"method\.parts"):
            AttributesSettings.build({"parts": parts}, prefix="method.")


def test_groups_are_clips_where_there_are_enough() -> None:
    assert _groups(np.repeat([0, 3, 5, 9], 10), np.arange(40)).tolist() == np.repeat([0, 1, 2, 3], 10).tolist()


@pytest.mark.parametrize("owners", [np.zeros(64, int), np.repeat([0, 1], 32), np.repeat([0, 1, 2, 3], [61, 1, 1, 1])])
def test_groups_are_blocks_of_time_where_few_clips_hold_most(owners: np.ndarray) -> None:
    groups = _groups(owners, np.arange(64))
    assert (np.diff(groups) >= 0).all()
    assert np.bincount(groups).tolist() == [4] * 16


def test_many_clips_share_sixteen_groups() -> None:
    assert set(_groups(np.arange(100), np.arange(100)).tolist()) == set(range(16))
