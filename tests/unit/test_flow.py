"""Flow: pixels a frame, at the present place of what moved."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from amiss.config import FlowConfig
from amiss.perception.flow import Flow
from amiss.types import Frame
from support import Mover, Rectangles, texture


def panned(pixels: int, count: int = 2) -> list[Frame]:
    """A picture whose content moves right by so many pixels a frame."""
    wide = np.repeat(np.repeat(texture(48, 80, 3), 2, 0), 2, 1)
    return [Frame(wide[:, 60 - i * pixels : 140 - i * pixels].copy(), i, i / 25) for i in range(count)]


@pytest.mark.parametrize("preset", ["ultrafast", "fast", "medium"])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_shift_to_the_right_is_positive_x_in_pixels_of_the_picture(preset: str, scale: float) -> None:
    flow = Flow(FlowConfig(preset=preset, scale=scale))
    first, second = (flow.update(frame) for frame in panned(4))
    assert not first.any()
    inner = second[16:-16, 16:-16].reshape(-1, 2)
    assert np.median(inner, axis=0) == pytest.approx([4, 0], abs=0.5)
    assert second.shape == (96, 80, 2)
    assert second.dtype == np.float32


def test_vectors_stand_where_the_mover_is_now() -> None:
    mover = Mover(40, 20, 40, 48, dx=4)
    flow = Flow(FlowConfig())
    *_, (frame, found) = [(frame, flow.update(frame)) for frame in Rectangles("a", (mover,), length=3)]
    x1, y1, x2, y2 = mover.box(frame.index)
    inside = found[y1 + 8 : y2 - 8, x1 + 8 : x2 - 4, 0]
    assert np.median(inside) == pytest.approx(4, abs=1)
    assert np.abs(found[:, x2 + 16 :]).mean() < 0.5


def test_reset_forgets_the_frame_before() -> None:
    flow = Flow(FlowConfig())
    frames = panned(4, 3)
    before = [flow.update(frame) for frame in frames]
    flow.reset()
    again = [flow.update(frame) for frame in frames]
    assert all(np.array_equal(a, b) for a, b in zip(before, again, strict=True))
    assert not again[0].any()


def test_two_cameras_do_not_mix() -> None:
    left, right = Flow(FlowConfig()), Flow(FlowConfig())
    for (a, b), (c, d) in zip(pairwise(panned(4, 3)), pairwise(panned(0, 3)), strict=True):
        left.update(a), right.update(c)
        moving, still = left.update(b), right.update(d)
        assert np.median(moving[16:-16, 16:-16, 0]) > 3
        assert np.abs(still).max() < 0.1
