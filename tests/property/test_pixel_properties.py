"""The pixel-level AUC and pixel scores against brute-force twins."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amiss import metrics
from amiss.scoring.localise import HALF, pixel_scores, relative_map
from support_maps import mapped

UNHURRIED = settings(deadline=None, max_examples=60)
SHAPE = (3, 5)


@st.composite
def footage(draw):
    """Masks and scores with many ties, of frames that are not all normal and not all abnormal."""
    count = draw(st.integers(2, 8))
    masks = draw(arrays(np.bool_, (count, *SHAPE)))
    masks[0], masks[1] = False, masks[1] | (np.arange(15).reshape(SHAPE) == draw(st.integers(0, 14)))
    return masks, draw(arrays(np.int64, (count, *SHAPE), elements=st.integers(-3, 3))) / 2


def found(mask, scores, threshold):
    """Whether a frame counts at a threshold, by the words of the criterion."""
    marked = scores >= threshold
    if not mask.any():
        return bool(marked.any())
    return Fraction(int((marked & mask).sum()), int(mask.sum())) >= Fraction(40, 100)


def swept_auc(masks, scores):
    """The area under the ROC, by trying every score as a threshold and drawing straight lines between."""
    abnormal = masks.any(axis=(1, 2))
    points = [(0.0, 0.0)]
    for threshold in np.unique(scores)[::-1]:
        called = np.array([found(mask, pixels, threshold) for mask, pixels in zip(masks, scores, strict=True)])
        points.append((called[~abnormal].mean(), called[abnormal].mean()))
    x, y = np.array(points).T
    return float(((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2).sum())


@UNHURRIED
@given(footage())
def test_pixel_auc_is_that_of_all_thresholds(clip):
    assert metrics.pixel_auc(*clip) == pytest.approx(swept_auc(*clip))


@UNHURRIED
@given(footage())
def test_a_frame_counts_up_to_its_level_and_not_above(clip):
    for mask, scores in zip(*clip, strict=True):
        level = metrics.detection_level(mask, scores)
        assert found(mask, scores, level)
        assert not found(mask, scores, np.nextafter(level, np.inf))


@UNHURRIED
@given(footage())
def test_frames_that_are_marked_whole_have_their_frame_auc(clip):
    masks, scores = clip
    worst = scores.max(axis=(1, 2))
    whole = np.broadcast_to(worst[:, None, None], scores.shape)
    assert metrics.pixel_auc(masks, whole) == pytest.approx(metrics.frame_auc(masks.any(axis=(1, 2)), worst))


SIZE = (12, 9)
EDGES = st.integers(-8, 56).map(lambda n: n / 4)


@st.composite
def regions(draw):
    """Up to four boxes, some beyond the picture, some without a map's say."""
    count = draw(st.integers(0, 4))
    boxes = [
        [min(a, b), min(c, d), max(a, b), max(c, d)]
        for a, b, c, d in draw(st.lists(st.tuples(EDGES, EDGES, EDGES, EDGES), min_size=count, max_size=count))
    ]
    scores = draw(st.lists(st.integers(-4, 12).map(float), min_size=count, max_size=count))
    maps = draw(arrays(np.int8, (count, 4, 4), elements=st.integers(-1, 5)))
    return mapped(boxes, scores, maps if draw(st.booleans()) else None)


def twin(table, size, floor):
    """Pixel by pixel: which boxes is its centre in, and what does each say."""
    picture = np.full(size[::-1], floor)
    for row, (x1, y1, x2, y2) in enumerate(table.box.astype(float)):
        inside = [(y, x) for y in range(size[1]) for x in range(size[0]) if x1 <= x + 0.5 < x2 and y1 <= y + 0.5 < y2]
        maps = {name: values[row] for name, values in table.maps.items()}
        values = relative_map(maps, {"red": float(table.score[row])}) if maps else None
        read = [1.0 if values is None else bilinear(values, (x + 0.5 - x1) / (x2 - x1), (y + 0.5 - y1) / (y2 - y1))
                for y, x in inside]  # fmt: skip
        peak = max(read, default=0)
        for place, value in zip(inside, read, strict=True):
            share = min(1.0, value / (HALF * peak)) if values is not None and peak > 0 else 1.0
            picture[place] = max(picture[place], floor + (float(table.score[row]) - floor) * share)
    return picture


def bilinear(values, x, y):
    """A map at a place of its box, both 0..1 from the top left corner."""
    side = len(values)
    u, v = np.clip([x * side - 0.5, y * side - 0.5], 0, side - 1)
    i, j = min(int(v), side - 2), min(int(u), side - 2)
    a, b = v - i, u - j
    return (
        (1 - a) * (1 - b) * values[i, j] + (1 - a) * b * values[i, j + 1]
        + a * (1 - b) * values[i + 1, j] + a * b * values[i + 1, j + 1]
    )  # fmt: skip


@UNHURRIED
@given(regions(), st.sampled_from([-2.0, 0.0, 1.5]))
def test_pixel_scores_are_those_of_every_pixel_on_its_own(table, floor):
    picture = pixel_scores(table, SIZE, floor)
    assert picture.dtype == np.float32
    np.testing.assert_allclose(picture, twin(table, SIZE, floor), rtol=1e-5, atol=1e-5)


@UNHURRIED
@given(regions())
def test_maps_move_scores_within_boxes_and_never_up(table):
    plain = mapped(table.box.tolist(), table.score.tolist())
    with_maps, without = pixel_scores(table, SIZE, -4.0), pixel_scores(plain, SIZE, -4.0)
    assert (with_maps <= without + 1e-6).all()
    assert with_maps.max() == pytest.approx(without.max())


@UNHURRIED
@given(arrays(np.int8, (6, 6), elements=st.integers(0, 9)), st.floats(0.01, 100))
def test_a_relative_map_has_no_unit(values, factor):
    one, other = (relative_map({"red": values * scale}, {}) for scale in (1.0, factor))
    if not values.any():
        assert one is None
        assert other is None
        return
    np.testing.assert_allclose(one, other, rtol=1e-9)
    assert one.max() == pytest.approx(1)
    assert one.min() >= 0
