"""Boxes by a network: tiles, added motion, and what `auto` stands for."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import yaml

from amiss.config import BoxesConfig, Config, PerceptionConfig
from amiss.errors import ConfigError, WeightsError
from amiss.footage import open_footage
from amiss.perception import network_boxes
from amiss.perception.boxes import BOX_SOURCES, BoxSource, tidy
from amiss.perception.motion import MotionBoxes
from amiss.perception.network_boxes import NetworkBoxes, _put_back, _tiles, licences, resolve_boxes, why_motion
from amiss.types import Boxes, Frame, Label
from support import Mover, Rectangles, box_table
from support_networks import write_constant

NAME = "person-vehicle-bike-detection-2004"
STILL, MOVING = Mover(20, 40, dx=0), Mover(60, 10, dx=3)


def described(folder: Path, rows: np.ndarray) -> str:
    """A YAML description of a network that always finds the same boxes, in a picture of 160 by 96."""
    write_constant(folder / "net.onnx", (1, 3, 96, 160), {"boxes": rows})
    (folder / "net.yaml").write_text(yaml.safe_dump({"path": "net.onnx", "width": 160, "height": 96}))
    return str(folder / "net.yaml")


def config(folder: Path, rows: np.ndarray, **changes: object) -> BoxesConfig:
    return BoxesConfig.build(
        {"source": "network", "network": described(folder, rows), "motion_added": False, "tiles": 1, **changes}
    )


def named(network: str) -> BoxSource:
    """The box source `network` with the network of this name."""
    return BOX_SOURCES["network"](PerceptionConfig(boxes=BoxesConfig(source="network", network=network)))


def test_unsure_boxes_are_dropped(tmp_path: Path) -> None:
    rows = np.array([[0, 0, 20, 20, 0.9], [50, 0, 70, 20, 0.1]])
    frame = Frame(np.zeros((96, 160, 3), np.uint8), 0, 0.0)
    assert len(NetworkBoxes(config(tmp_path, rows, confidence=0.5)).update(frame)) == 1
    assert len(NetworkBoxes(config(tmp_path, rows, confidence=0.05)).update(frame)) == 2


def test_motion_is_added_only_where_the_network_sees_nothing(tmp_path: Path) -> None:
    clip = Rectangles("two", (Mover(10, 10, dx=2), Mover(60, 60, dx=2)), length=12)
    covered = np.array([[0, 0, 60, 45, 0.9]])
    plain, added = (NetworkBoxes(config(tmp_path, covered, motion_added=added)) for added in (False, True))
    assert all(len(plain.update(frame)) == 1 for frame in clip)
    found = [added.update(frame) for frame in clip][-1].xyxy
    x1, y1, x2, y2 = clip.movers[1].box(11)
    assert len(found) > 1
    assert (found[1:, :2] >= [x1 - 8, y1 - 8]).all()
    assert (found[1:, 2:] <= [x2 + 8, y2 + 8]).all()
    both = MotionBoxes(BoxesConfig().motion)
    assert [both.update(frame) for frame in clip][-1].xyxy[:, 1].min() < 45


def test_what_a_known_thing_trails_is_not_found_beside_it() -> None:
    """A box that follows a fast thing does not cover where it was two frames ago."""
    clip = Rectangles("one", (Mover(10, 20, 20, 40, dx=8),), length=12)
    alone, beside = MotionBoxes(BoxesConfig().motion), MotionBoxes(BoxesConfig().motion)
    for frame in Rectangles("empty", (), length=20):
        alone.update(frame)
        beside.update(frame)
    for frame in clip:
        whole = alone.update(frame)
        left = beside.beyond(frame, box_table(clip.movers[0].box(frame.index)))
        assert len(left) == 0
    assert whole.xyxy[:, 0].min() < clip.movers[0].box(11)[0] - 8


def test_a_large_thing_with_a_small_known_one_on_it_is_found() -> None:
    clip = Rectangles("cart", (Mover(10, 20, 60, 40, dx=4),), length=12)
    source = MotionBoxes(BoxesConfig().motion)
    for frame in clip:
        x1, y1, _, _ = clip.movers[0].box(frame.index)
        left = source.beyond(frame, box_table([x1, y1, x1 + 10, y1 + 20]))
    assert left.area.max() > 1000


def test_tiles_overlap_and_cover_the_picture() -> None:
    for number in (2, 3):
        seen = np.zeros((97, 161), int)
        for x1, y1, x2, y2 in _tiles(161, 97, number):
            seen[y1:y2, x1:x2] += 1
        assert len(_tiles(161, 97, number)) == number**2
        assert seen.min() == 1
        assert seen.max() > 1


def test_boxes_of_tiles_come_back_to_their_place_and_cut_ones_are_dropped() -> None:
    boxes = box_table([0, 5, 10, 30], [30, 5, 40, 30], [69, 5, 79, 30])
    back = _put_back(boxes, (80, 0, 160, 48), (96, 160))
    assert back.xyxy.tolist() == [[110, 5, 120, 30], [149, 5, 159, 30]]  # the outer edge cuts for real
    assert _put_back(boxes, (0, 0, 80, 48), (96, 160)).xyxy[:, 0].tolist() == [0, 30]


def test_a_thing_seen_by_several_tiles_is_one(tmp_path: Path) -> None:
    frame = Frame(np.zeros((96, 160, 3), np.uint8), 0, 0.0)
    rows = np.array([[60, 36, 100, 60, 0.9]])
    found = NetworkBoxes(config(tmp_path, rows, tiles=2)).update(frame)
    assert len(found) == 5  # the same place in the whole and in each tile is another place of the picture
    everywhere = np.array([[0, 0, 160, 96, 0.9]])
    assert len(NetworkBoxes(config(tmp_path, everywhere, tiles=2)).update(frame)) == 1  # tiles cut it


def test_another_network_or_description_is_another_cache_entry(tmp_path: Path) -> None:
    rows = np.array([[0, 0, 20, 20, 0.9]])
    first = NetworkBoxes(config(tmp_path, rows)).fingerprint(None)
    assert NetworkBoxes(config(tmp_path, rows)).fingerprint(None) == first
    assert NetworkBoxes(config(tmp_path, rows + 1)).fingerprint(None) != first


def test_auto_is_motion_without_the_network_and_says_why() -> None:
    given = BoxesConfig()
    assert given.source == "auto"
    assert resolve_boxes(given).source == "motion"
    assert "amiss weights get" in (why_motion(given) or "")
    assert isinstance(BOX_SOURCES["auto"](PerceptionConfig()), MotionBoxes)
    assert resolve_boxes(BoxesConfig(source="file")).source == "file"


def test_auto_is_motion_without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_boxes, "find_spec", lambda _: None)
    for network in (NAME, "mine.yaml"):
        assert "OpenVINO is not installed" in (why_motion(BoxesConfig(network=network)) or "")


def test_a_network_that_is_asked_for_and_absent_is_told() -> None:
    with pytest.raises(WeightsError, match="AMISS_WEIGHTS"):
        named("person-vehicle-bike-detection-2003")


def test_an_unknown_detector_lists_the_known() -> None:
    with pytest.raises(ConfigError, match=f"no detector 'eyes'; .*{NAME}"):
        named("eyes")


@pytest.mark.parametrize("other", ["person-reidentification-retail-0288.xml", f"{NAME}.xml"])
def test_a_description_of_another_network_is_told(shared_data: Path, tmp_path: Path, other: str) -> None:
    about = {"path": str(shared_data / "weights" / other), "width": 864, "height": 480}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(about))
    with pytest.raises(ConfigError, match="mend the description"):
        named(str(tmp_path / "mine.yaml"))


def test_auto_is_the_network_where_it_is_at_hand(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMISS_WEIGHTS", str(shared_data / "weights"))
    assert why_motion(BoxesConfig()) is None
    assert resolve_boxes(BoxesConfig()).source == "network"
    assert licences(resolve_boxes(BoxesConfig())) == [f"Apache-2.0 ({NAME}, OpenVINO Open Model Zoo)"]
    assert licences(BoxesConfig(source="motion")) == []


def test_people_are_found_in_real_pictures(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from amiss.footage import open_footage

    monkeypatch.setenv("AMISS_WEIGHTS", str(shared_data / "weights"))
    source = NetworkBoxes(BoxesConfig(source="network", motion_added=False))
    frame = next(iter(open_footage(shared_data / "sample" / "vtest.avi", 25)))
    found = source.update(frame)
    assert np.count_nonzero(found.label == Label.PERSON) >= 3
    assert len(source.update(Frame(np.full_like(frame.image, 90), 1, 0.1))) == 0


def test_three_hundred_boxes_and_boxes_outside_or_without_area_are_tidied() -> None:
    generator = np.random.default_rng(0)
    corner = generator.uniform(-200, 900, (300, 2))
    boxes = Boxes(np.concatenate([corner, corner + generator.uniform(0, 80, (300, 2))], 1))
    nothing = Boxes(np.array([[5, 5, 5, 5], [700, 10, 720, 90], [-9, -9, -1, -1]], np.float32))
    kept = tidy(Boxes.merge([boxes, nothing]), Config().perception.boxes, (640, 360))
    assert 0 < len(kept) < 300
    assert (kept.area >= Config().perception.boxes.min_area).all()
    assert kept.xyxy.min() >= 0
    assert (kept.xyxy <= [640, 360, 640, 360]).all()


def test_a_picture_gives_the_same_boxes_alone_as_among_others(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit: else a file, whose tiles come one way, is not what a live camera among others is."""
    pytest.importorskip("openvino")
    if not (shared_data / "weights").is_dir() or not (shared_data / "sample" / "vtest.avi").is_file():
        pytest.skip("the shared data has no weights/, or no sample/vtest.avi")
    monkeypatch.setenv("AMISS_WEIGHTS", str(shared_data / "weights"))
    pictures = [frame.image for frame in islice(open_footage(shared_data / "sample" / "vtest.avi"), 6)]
    source = NetworkBoxes(BoxesConfig(source="network", tiles=1))
    for picture, among_others in zip(pictures, source.find(pictures), strict=True):
        (alone,) = source.find([picture])
        assert len(alone) > 3
        for column in ("xyxy", "confidence", "label"):
            np.testing.assert_array_equal(getattr(alone, column), getattr(among_others, column))
