"""Privacy masks and regions of interest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amiss
from amiss.config import Config, MasksConfig
from amiss.errors import ConfigError
from amiss.perception.masks import Masked, Masks
from amiss.pipeline import Pipeline
from amiss.types import Frame
from amiss.windows.needs import Needs
from support import Mover, Rectangles, box_table, config_of, frame_of, walkers

LEFT = [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]
LOWER = [[[0, 0.5], [1, 0.5], [1, 1], [0, 1]]]


def masks(**polygons: Any) -> Masks:
    return Masks(MasksConfig.build(polygons))


def test_privacy_is_black_and_all_else_is_kept() -> None:
    frame = frame_of(level=90)
    seen = masks(privacy=LEFT).apply(frame)
    assert seen.image[:, :32].max() == 0
    assert seen.image[:, 34:].min() == 90
    assert (seen.index, seen.seconds) == (frame.index, frame.seconds)
    assert frame.image.min() == 90
    assert masks(region=LEFT).apply(frame) is frame


def test_overlapping_polygons_do_not_cancel_out() -> None:
    seen = masks(privacy=[*LEFT, *LOWER]).apply(frame_of(level=90))
    assert seen.image[40, 10].max() == seen.image[40, 60].max() == seen.image[10, 10].max() == 0
    assert seen.image[10, 60].min() == 90


def test_what_stands_in_the_region_counts() -> None:
    """Size 64 by 48: the feet of the first are in the lower half, the head is not."""
    boxes = box_table([10, 10, 20, 40], [10, 2, 20, 20], [60, 30, 64, 48], [30, 40, 40, 60])
    assert masks(region=LOWER).inside(boxes, (64, 48)).xyxy[:, 1].tolist() == [10, 30, 40]
    assert masks(region=[*LOWER, *LEFT]).inside(boxes, (64, 48)).xyxy[:, 1].tolist() == [10, 2, 30, 40]
    assert masks().inside(boxes, (64, 48)) is boxes
    assert len(masks(region=LOWER).inside(boxes[:0], (64, 48))) == 0


@pytest.mark.parametrize("polygons", [[[[0, 0], [1, 1]]], [[[0, 0], [1, 0], [1, 1.5]]], [[[0, 0], [1, 0], [1]]], [0.5]])
def test_what_is_no_polygon_is_refused(polygons: Any) -> None:
    with pytest.raises(ConfigError, match="privacy"):
        MasksConfig.build({"privacy": polygons}, prefix="perception.masks.")


def boxes_of(config: Config, clip: Rectangles) -> list[Any]:
    return [windows.box.tolist() for _, windows in Pipeline(config, Needs()).windows(clip)]


def test_nothing_sees_what_is_masked(tmp_path: Path) -> None:
    clip = Rectangles("both", (Mover(10, 20, dx=1), Mover(100, 20, dx=1)), length=12)
    hidden = config_of(tmp_path, perception={"masks": {"privacy": LEFT}, "boxes": {"source": "motion"}})
    found = [box for frame in boxes_of(hidden, clip) for box in frame]
    assert found
    assert min(box[0] for box in found) >= 76  # the edge of the mask itself
    whole = config_of(tmp_path, perception={"boxes": {"source": "motion"}})
    assert min(box[0] for frame in boxes_of(whole, clip) for box in frame) < 30


def test_pictures_for_people_are_masked_too(tmp_path: Path) -> None:
    clips = [walkers(f"normal{seed}", seed) for seed in range(4)]
    given = config_of(tmp_path, clips, method={"parts": ["size"]})
    perception = given.perception.model_dump() | {"masks": {"privacy": LEFT}}
    model = amiss.learn(clips, config=config_of(tmp_path, clips, method={"parts": ["size"]}, perception=perception))
    scores = model.score(clips[0])
    assert isinstance(scores.footage, Masked)
    shown: Frame = next(iter(scores.footage))
    assert shown.image[:, :79].max() == 0
    assert np.array_equal(shown.image[:, 82:], next(iter(clips[0])).image[:, 82:])
    assert (scores.footage.length, scores.footage.rate) == (clips[0].length, clips[0].rate)
