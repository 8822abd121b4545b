"""Flow: pixels a frame, at the present place of what moved."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from amiss.config import FlowConfig
from amiss.errors import ConfigError, WeightsError
from amiss.perception.flow import FLOW_SOURCES, DisFlow, NetworkFlow
from amiss.types import Frame
from support import Mover, Rectangles, texture
from support_networks import write_constant, write_flow


def panned(pixels: int, count: int = 2) -> list[Frame]:
    """A picture whose content moves right by so many pixels a frame."""
    wide = np.repeat(np.repeat(texture(48, 80, 3), 2, 0), 2, 1)
    return [Frame(wide[:, 60 - i * pixels : 140 - i * pixels].copy(), i, i / 25) for i in range(count)]


@pytest.mark.parametrize("preset", ["ultrafast", "fast", "medium"])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_shift_to_the_right_is_positive_x_in_pixels_of_the_picture(preset: str, scale: float) -> None:
    flow = DisFlow(FlowConfig(preset=preset, scale=scale))
    first, second = (flow.update(frame) for frame in panned(4))
    assert not first.any()
    inner = second[16:-16, 16:-16].reshape(-1, 2)
    assert np.median(inner, axis=0) == pytest.approx([4, 0], abs=0.5)
    assert second.shape == (96, 80, 2)
    assert second.dtype == np.float32


def test_vectors_stand_where_the_mover_is_now() -> None:
    mover = Mover(40, 20, 40, 48, dx=4)
    flow = DisFlow(FlowConfig())
    *_, (frame, found) = [(frame, flow.update(frame)) for frame in Rectangles("a", (mover,), length=3)]
    x1, y1, x2, y2 = mover.box(frame.index)
    inside = found[y1 + 8 : y2 - 8, x1 + 8 : x2 - 4, 0]
    assert np.median(inside) == pytest.approx(4, abs=1)
    assert np.abs(found[:, x2 + 16 :]).mean() < 0.5


def test_reset_forgets_the_frame_before() -> None:
    flow = DisFlow(FlowConfig())
    frames = panned(4, 3)
    before = [flow.update(frame) for frame in frames]
    flow.reset()
    again = [flow.update(frame) for frame in frames]
    assert all(np.array_equal(a, b) for a, b in zip(before, again, strict=True))
    assert not again[0].any()


@pytest.mark.parametrize("kind", ["dis", "network"])
def test_after_a_frame_that_was_skipped_the_flow_is_as_if_it_was_not(kind: str, tmp_path: Path) -> None:
    network = write_flow(tmp_path / "flow.onnx", 40, 12) if kind == "network" else None
    flow = FLOW_SOURCES[kind](FlowConfig(source=kind, network=network))
    frames = panned(4, 3)
    expected = [flow.update(frame) for frame in frames][2]
    flow.reset()
    flow.update(frames[0])
    flow.skip(frames[1])
    np.testing.assert_array_equal(flow.update(frames[2]), expected)
    assert expected.any()


def test_two_cameras_do_not_mix() -> None:
    left, right = DisFlow(FlowConfig()), DisFlow(FlowConfig())
    for (a, b), (c, d) in zip(pairwise(panned(4, 3)), pairwise(panned(0, 3)), strict=True):
        left.update(a), right.update(c)
        moving, still = left.update(b), right.update(d)
        assert np.median(moving[16:-16, 16:-16, 0]) > 3
        assert np.abs(still).max() < 0.1


def coloured(red: int, blue: int, index: int = 0) -> Frame:
    image = np.zeros((48, 80, 3), np.uint8)
    image[..., 0], image[..., 2] = red, blue
    return Frame(image, index, index / 25)


def test_a_network_is_asked_from_the_present_to_the_past_and_its_vectors_are_turned_and_scaled(tmp_path: Path) -> None:
    """The network says that red has come by 20 and blue gone by 10 input pixels, seen from the present."""
    flow = NetworkFlow(FlowConfig(network=write_flow(tmp_path / "flow.onnx", 40, 12)))
    assert not flow.update(coloured(30, 50)).any()
    found = flow.update(coloured(50, 40, 1))
    assert found.shape == (48, 80, 2)
    assert found.dtype == np.float32
    assert found[..., 0] == pytest.approx(-20 * 80 / 40)
    assert found[..., 1] == pytest.approx(10 * 48 / 12)
    flow.reset()
    assert not flow.update(coloured(90, 90, 2)).any()


def test_a_network_is_known_by_its_content(tmp_path: Path) -> None:
    first, same, other = (
        NetworkFlow(FlowConfig(network=write_flow(tmp_path / name, 40, 12, gain))).fingerprint()
        for name, gain in (("a.onnx", 1.0), ("b.onnx", 1.0), ("c.onnx", 2.0))
    )
    assert first == same != other
    assert DisFlow(FlowConfig()).fingerprint() == ""


def test_what_is_no_flow_network_is_told(tmp_path: Path) -> None:
    assert list(FLOW_SOURCES) == ["dis", "network"]
    with pytest.raises(ConfigError, match=r"needs perception\.flow\.network"):
        FLOW_SOURCES["network"](FlowConfig())
    with pytest.raises(WeightsError, match="is not a network"):
        NetworkFlow(FlowConfig(network=tmp_path / "absent.onnx"))
    one = write_constant(tmp_path / "one.onnx", (1, 3, 12, 40), {"flow": np.zeros((1, 2, 12, 40))})
    for path in (one, write_flow(tmp_path / "three.onnx", 40, 12, outputs=3)):
        with pytest.raises(ConfigError, match="it must take two pictures") as told:
            NetworkFlow(FlowConfig(network=path))
        assert "\n" not in str(told.value)
