"""Looks: the same for the same thing, another for another, whatever else is looked at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tiny_networks import save

from amiss.errors import ConfigError, WeightsError
from amiss.perception.reid import REIDS, HistogramReid, NetworkReid, Reid
from support import texture

WEIGHTS = Path(os.environ.get("AMISS_WEIGHTS", Path(__file__).parents[2] / "../shared/data/weights"))
PUBLISHED = WEIGHTS / "person-reidentification-retail-0288.xml"
RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def mean_colour(path: Path, shape: tuple[int, ...] = (1, 3, 8, 4), **given: Any) -> Path:
    """A network whose vector is the mean of each of its input's channels."""
    node = helper.make_node("ReduceMean", ["picture"], ["look"], axes=given.get("axes", [2, 3]), keepdims=0)
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)
    return save(path, [node], picture, {"look": given.get("output", (1, 3))})


def picture(*colours: tuple[int, int, int]) -> np.ndarray:
    """Bands 20 pixels wide side by side."""
    return np.repeat(np.tile(np.array(colours, np.uint8), (40, 1, 1)), 20, axis=1)


def bands(count: int) -> np.ndarray:
    return np.array([[20 * i, 0, 20 * i + 20, 40] for i in range(count)], np.float32)


@pytest.fixture(params=["histogram", "network"])
def reid(request: pytest.FixtureRequest, tmp_path: Path) -> Reid:
    return HistogramReid() if request.param == "histogram" else NetworkReid(mean_colour(tmp_path / "net.onnx"))


def test_the_same_colours_look_the_same_and_others_unlike(reid: Reid) -> None:
    red, green, again = reid(picture(RED, GREEN, RED), bands(3))
    assert red @ again == pytest.approx(1, abs=1e-6)
    assert 1 - red @ green > reid.same


def test_looks_are_of_length_one_and_do_not_depend_on_the_others(reid: Reid) -> None:
    image = texture(60, 80, 3)
    boxes = np.random.default_rng(0).uniform(0, 40, (7, 4)).astype(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    together = reid(image, boxes)
    assert together.shape == (7, reid.dimensions)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(7), abs=1e-5)
    assert np.array_equal(together, np.concatenate([reid(image, box[None]) for box in boxes]))


@pytest.mark.parametrize("box", [[5, 5, 5, 5], [-30, -30, -10, -10], [500, 500, 600, 600], [-9, -9, 900, 900]])
def test_boxes_without_area_or_outside_the_picture_have_a_look(reid: Reid, box: list[int]) -> None:
    look = reid(texture(40, 60, 3), np.array([box], np.float32))
    assert np.isfinite(look).all()
    assert np.linalg.norm(look) == pytest.approx(1, abs=1e-5)


def test_no_boxes_have_no_looks(reid: Reid) -> None:
    assert reid(texture(40, 60, 3), np.zeros((0, 4), np.float32)).shape == (0, reid.dimensions)


def test_the_histogram_tells_trousers_from_shirts() -> None:
    image = np.concatenate([picture(RED, BLUE), picture(BLUE, RED)])
    shirt, trousers = HistogramReid()(image, np.array([[0, 0, 20, 80], [20, 0, 40, 80]], np.float32))
    assert 1 - shirt @ trousers > HistogramReid.same


def test_the_histogram_looks_at_the_middle_more_than_at_the_sides() -> None:
    plain, middle, sides = picture(RED, RED, RED), picture(GREEN, RED, GREEN), picture(RED, GREEN, RED)
    whole = np.array([[0, 0, 60, 40]], np.float32)
    looks = [HistogramReid()(image, whole)[0] for image in (plain, middle, sides)]
    # roots of the shares: were all pixels alike, a third and two thirds
    assert looks[0] @ looks[1] > (1 / 3) ** 0.5 + 0.05
    assert looks[0] @ looks[2] < (2 / 3) ** 0.5 - 0.05


def test_the_network_sees_blue_green_red_in_0_to_255(tmp_path: Path) -> None:
    found = NetworkReid(mean_colour(tmp_path / "net.onnx"))(picture((200, 100, 0)), bands(1))
    assert found[0] == pytest.approx(np.array([0, 100, 200]) / np.hypot(100, 200), abs=1e-5)


def test_networks_of_other_kinds_are_refused(tmp_path: Path) -> None:
    grey = mean_colour(tmp_path / "grey.onnx", (1, 1, 8, 4), output=(1, 1))
    with pytest.raises(WeightsError, match=r"grey\.onnx"):
        NetworkReid(grey)
    (tmp_path / "cut.onnx").write_bytes(onnx.load(grey).SerializeToString()[:40])
    with pytest.raises(WeightsError, match=r"cut\.onnx"):
        NetworkReid(tmp_path / "cut.onnx")


def test_what_is_absent_or_unknown_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match=r"nowhere\.onnx"):
        NetworkReid(tmp_path / "nowhere.onnx")
    with pytest.raises(ConfigError, match="appearance of tracks 'smell'; choose one of: histogram, network, none"):
        REIDS["smell"]
    assert REIDS["none"]() is None


def test_the_published_network_knows_a_person_again(shared_data: Path) -> None:
    if not PUBLISHED.is_file():
        pytest.skip(f"{PUBLISHED} is absent (AMISS_WEIGHTS names the folder of networks)")
    reid = NetworkReid(PUBLISHED)
    shirt, trousers = texture(60, 30, 1), texture(60, 30, 2)
    image = np.concatenate([np.concatenate([shirt, trousers]), np.concatenate([trousers[::-1] // 3, shirt])], axis=1)
    one, other = reid(image, np.array([[0, 0, 30, 120], [30, 0, 60, 120]], np.float32))
    moved = reid(image, np.array([[1, 1, 30, 120]], np.float32))[0]
    assert reid.dimensions == 256
    assert one @ moved > one @ other
    assert 1 - one @ moved < reid.same
