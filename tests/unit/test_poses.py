"""Poses from networks: crops, places in the picture, how often, and whose they are."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper
from people import person
from tiny_networks import everybody, save, single

from amiss.config import PerceptionConfig, PosesConfig
from amiss.errors import ConfigError, WeightsError
from amiss.perception.network import Network
from amiss.perception.poses import MOVENET, OPENPOSE, POSE_SOURCES, EverybodyPoses, NetworkPoses, licences, square_crop
from amiss.perception.weights import WEIGHTS as WEIGHTS_TABLE
from amiss.types import NO_TRACK, Boxes, Frame, Label

MOVENET_FILE, OPENPOSE_FILE = (WEIGHTS_TABLE[name].files[0].name for name in (MOVENET, OPENPOSE))
WEIGHTS = Path(os.environ.get("AMISS_WEIGHTS", Path(__file__).parents[2] / "../shared/data/weights"))


def frame(index: int = 0, level: int | tuple[int, int, int] = 255, size: tuple[int, int] = (200, 160)) -> Frame:
    return Frame(np.full((size[1], size[0], 3), level, np.uint8), index, index / 25)


def tracked(*rows: tuple[float, ...], track: int = 0, label: Label = Label.PERSON) -> Boxes:
    numbers = range(track, track + len(rows))
    return Boxes(np.array(rows, np.float32), label=np.full(len(rows), label), track=list(numbers))


def test_a_crop_is_a_square_around_the_box_and_black_beyond_the_picture() -> None:
    image = np.full((100, 120, 3), 9, np.uint8)
    image[20:60, 40:60] = 200
    piece, corner, side = square_crop(image, np.array([40, 20, 60, 60]), 1.5, 30)
    assert (corner.tolist(), side) == ([20, 10], 60)
    assert (piece[6:24, 11:19] == 200).all()
    assert (piece[:, :9] == 9).all()
    piece, corner, side = square_crop(image, np.array([100, 70, 120, 100]), 2, 60)
    assert (corner.tolist(), side) == ([80, 55], 60)
    assert not piece[:, 40:].any()
    assert not piece[45:].any()
    assert (piece[:45, :40] == 9).all()


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (-90, -80, -60, -40), (500, 400, 530, 440), (-20, -20, 220, 200)])
def test_any_box_has_a_crop(box: tuple[float, ...]) -> None:
    piece, _, side = square_crop(np.full((100, 120, 3), 9, np.uint8), np.array(box), 1.25, 16)
    assert piece.shape == (16, 16, 3)
    assert side >= 1


@pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.INT32, TensorProto.FLOAT])
def test_joints_stand_in_the_picture_whatever_the_networks_numbers(tmp_path: Path, kind: int) -> None:
    path = single(tmp_path / "n.onnx", (0.25, 0.5), kind)
    found = NetworkPoses(PosesConfig(scale=1.5), path).update(frame(level=51), tracked((80, 40, 120, 120), track=7))
    assert found.track.tolist() == [7]
    assert found.joints[0] == pytest.approx(np.tile([100, 20 + 30, 0.2], (17, 1)), rel=1e-4)


def test_poses_are_found_every_few_frames_and_move_along_with_the_box(tmp_path: Path) -> None:
    source = NetworkPoses(PosesConfig(every=3), single(tmp_path / "n.onnx"))
    found = [
        source.update(frame(i, 250 - 50 * i), tracked((50 + 5 * i, 40, 90 + 5 * i, 120))).joints[0, 0].round(3)
        for i in range(4)
    ]
    assert [joint[0] for joint in found] == [70, 75, 80, 85]
    assert [joint[2] for joint in found] == pytest.approx([250 / 255] * 3 + [100 / 255], abs=2e-3)


def test_reset_and_time_forget_tracks(tmp_path: Path) -> None:
    source, box = NetworkPoses(PosesConfig(every=5), single(tmp_path / "n.onnx")), tracked((50, 40, 90, 120))
    assert source.update(frame(0, 200), box).joints[0, 0, 2] > 0.7
    source.reset(None)
    assert source.update(frame(1, 100), box).joints[0, 0, 2] < 0.5
    assert source.update(frame(6, 200), box).joints[0, 0, 2] > 0.7


def test_only_tracked_bodies_of_some_height_are_asked_for(tmp_path: Path) -> None:
    source = NetworkPoses(PosesConfig(least=50), single(tmp_path / "n.onnx"))
    rows = np.array([[50, 40, 90, 120], [50, 40, 90, 89], [50, 40, 90, 120], [50, 40, 90, 120], [50, 40, 90, 120]])
    labels = [Label.PERSON, Label.PERSON, Label.VEHICLE, Label.OBJECT, Label.PERSON]
    found = source.update(frame(), Boxes(rows, label=labels, track=[1, 2, 3, 4, NO_TRACK]))
    assert found.track.tolist() == [1, 4]
    assert len(source.update(frame(1), Boxes.empty())) == 0


def test_a_body_outside_the_box_and_one_of_no_confidence_are_no_pose(tmp_path: Path) -> None:
    aside = NetworkPoses(PosesConfig(), single(tmp_path / "n.onnx", (0.5, 0.02)))
    assert len(aside.update(frame(), tracked((80, 40, 120, 120)))) == 0
    dark = NetworkPoses(PosesConfig(), single(tmp_path / "n.onnx"))
    assert len(dark.update(frame(level=0), tracked((80, 40, 120, 120)))) == 0


@pytest.mark.parametrize("size", [(456, 256), (228, 128), (912, 400)])
def test_everybody_stands_where_the_picture_shows_them(tmp_path: Path, size: tuple[int, int]) -> None:
    true = person(20.0), person(40.0)
    source = EverybodyPoses(PosesConfig(), everybody(tmp_path / "n.onnx", *true))
    scale = min(456 / size[0], 256 / size[1])
    found = source.people(frame(level=(255, 0, 0), size=size).image)
    noses = (np.stack([joints[0] for joints in true]) + 0.5) * 8 / scale
    assert np.abs(np.sort(found[:, 0, 0]) - noses[:, 0]).max() < 0.3 * 8 / scale
    assert np.abs(found[:, 0, 1] - noses[:, 1]).max() < 0.3 * 8 / scale
    assert len(source.people(frame(level=(0, 0, 255), size=size).image)) == 0


def test_everybodys_poses_go_to_their_boxes_and_move_along(tmp_path: Path) -> None:
    source = EverybodyPoses(PosesConfig(every=2), everybody(tmp_path / "n.onnx", person(20.0), person(40.0)))
    left, right = (110, 10, 220, 240), (280, 10, 380, 240)
    red, size = (255, 0, 0), (456, 256)
    found = source.update(frame(0, red, size), tracked(right, left, track=3))
    nose = dict(zip(found.track.tolist(), found.joints[:, 0, 0].tolist(), strict=True))
    assert nose == pytest.approx({3: 324, 4: 164}, abs=2)
    moved = source.update(frame(1, 0, size), tracked((290, 10, 390, 240), track=3))
    assert moved.joints[0, 0, 0] == pytest.approx(nose[3] + 10, abs=0.1)
    assert len(source.update(frame(2, 0, size), tracked(right, left, track=3))) == 0


def test_another_kind_of_network_is_refused(tmp_path: Path) -> None:
    one, all_ = single(tmp_path / "one.onnx"), everybody(tmp_path / "all.onnx", person(20.0))
    with pytest.raises(WeightsError, match=r"all\.onnx takes"):
        NetworkPoses(PosesConfig(), all_)
    with pytest.raises(WeightsError, match=r"one\.onnx takes"):
        EverybodyPoses(PosesConfig(), one)
    with pytest.raises(WeightsError, match=r"none\.onnx"):
        NetworkPoses(PosesConfig(), tmp_path / "none.onnx")


def test_networks_of_other_outputs_are_refused(tmp_path: Path) -> None:
    node = [helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[0, 1, 2, 3], keepdims=1)]
    for kind, shape, said in (
        (NetworkPoses, (1, 8, 8, 3), r"not \(17, 3\)"),
        (EverybodyPoses, (1, 3, 8, 8), "38 fields"),
    ):
        given = helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)
        path = save(tmp_path / "mean.onnx", node, given, {"mean": (1, 1, 1, 1)})
        with pytest.raises(WeightsError, match=said):
            kind(PosesConfig(), path)


def test_the_fingerprint_follows_the_network(tmp_path: Path) -> None:
    first, same, other = (
        NetworkPoses(PosesConfig(), single(tmp_path / name, place)).fingerprint(None)
        for name, place in (("a.onnx", (0.5, 0.5)), ("b.onnx", (0.5, 0.5)), ("c.onnx", (0.5, 0.6)))
    )
    assert first == same != other
    crowd = EverybodyPoses(PosesConfig(), everybody(tmp_path / "d.onnx", person(20.0)))
    assert crowd.fingerprint(None) not in ("", first)


def test_sources_are_known_by_name_and_say_where_networks_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(POSE_SOURCES) == ["everybody", "file", "network"]
    with pytest.raises(ConfigError, match="everybody, file, network"):
        POSE_SOURCES["eyes"]
    monkeypatch.delenv("AMISS_WEIGHTS", raising=False)
    with pytest.raises(WeightsError, match="AMISS_WEIGHTS"):
        POSE_SOURCES["network"](PerceptionConfig())


@pytest.fixture
def street() -> Frame:
    """A real frame with a few people near the camera."""
    path = WEIGHTS.parent / "person_boxes" / "v0600.png"
    for needed in (path, WEIGHTS / MOVENET_FILE, WEIGHTS / OPENPOSE_FILE):
        if not needed.is_file():
            pytest.skip(f"{needed} is absent (AMISS_WEIGHTS names the folder of networks)")
    return Frame(np.ascontiguousarray(cv2.imread(str(path))[..., ::-1]), 0, 0.0)


WALKER = (452, 300, 510, 420)


def test_real_bodies_have_their_head_above_their_hips_above_their_feet(street: Frame) -> None:
    """One man who walks to the right, once on his own and once among all."""
    poses = [
        source.update(street, tracked(WALKER)).joints
        for source in (
            NetworkPoses(PosesConfig(), WEIGHTS / MOVENET_FILE),
            EverybodyPoses(PosesConfig(), WEIGHTS / OPENPOSE_FILE),
        )
    ]
    for joints in poses:
        assert len(joints) == 1
        seen = [joints[0, rows][joints[0, rows, 2] > 0, 1].mean() for rows in ([0, 1, 2, 3, 4], [5, 6], [11, 12])]
        assert seen[0] < seen[1] < seen[2]
    apart = np.abs(poses[0] - poses[1])[0, [5, 6, 11, 12], :2]
    assert apart.max() < 15  # the two networks agree on shoulders and hips


def test_the_real_single_network_takes_one_crop_at_a_time() -> None:
    """Its last layers are made for one body, so that crops cannot be asked about together."""
    if not (WEIGHTS / MOVENET_FILE).is_file():
        pytest.skip(f"{WEIGHTS / MOVENET_FILE} is absent (AMISS_WEIGHTS names the folder of networks)")
    together = Network(WEIGHTS / MOVENET_FILE, (2, 192, 192, 3))
    assert together.outputs[0][1] == (1, 1, 17, 3)


@pytest.mark.parametrize(("source", "name"), [("network", MOVENET), ("everybody", OPENPOSE)])
def test_the_licence_of_the_network_is_told(source: str, name: str) -> None:
    (told,) = licences(PosesConfig(source=source))
    assert told.startswith(f"{WEIGHTS_TABLE[name].licence} ({name}")
    assert licences(PosesConfig(source="file")) == []
