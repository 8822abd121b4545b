"""A detector does what its description says, and a description that does not fit is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from amiss.errors import AmissError, ConfigError, WeightsError
from amiss.perception.detector import Detector, DetectorDescription, read_description
from amiss.perception.network import Network
from amiss.perception.overlap import iou_matrix
from amiss.types import Boxes, Image, Label
from support_networks import write_constant, write_mean_box

WIDTH, HEIGHT = 64, 32
ROWS = np.array([[4, 8, 12, 24, 0.5], [20, 4, 36, 28, 0.9]])


def picture(width: int = WIDTH, height: int = HEIGHT, level: int = 100) -> Image:
    return np.full((height, width, 3), level, np.uint8)


def detector(
    folder: Path, outputs: dict[str, Any], shape: tuple[int, ...] = (1, 3, HEIGHT, WIDTH), **about: Any
) -> Detector:
    path = write_constant(folder / "net.onnx", shape, outputs, about.get("dtype", "float32"))
    return Detector(DetectorDescription.build({"path": path, "width": WIDTH, "height": HEIGHT, **about}))


def find(folder: Path, outputs: dict[str, Any], size: tuple[int, int] = (WIDTH, HEIGHT), **about: Any) -> Boxes:
    return detector(folder, outputs, **about).find([picture(*size)])[0]


def test_boxes_are_in_pixels_of_the_picture_and_the_surest_comes_first(tmp_path: Path) -> None:
    found = find(tmp_path, {"boxes": ROWS}, size=(128, 96))
    assert found.xyxy.tolist() == [[40, 12, 72, 84], [8, 24, 24, 72]]
    assert found.confidence == pytest.approx([0.9, 0.5])
    assert found.label.tolist() == [Label.OBJECT, Label.OBJECT]


def test_a_letterbox_keeps_the_shape(tmp_path: Path) -> None:
    found = find(tmp_path, {"boxes": ROWS}, size=(64, 64), fit="letterbox")
    assert found.xyxy[1].tolist() == [8, 16, 24, 48]


def test_centre_and_size_in_fractions_with_a_score_a_class_in_columns(tmp_path: Path) -> None:
    """The layout of detectors that give a column a box."""
    table = np.array([[0.5, 0.5, 0.25, 0.5, 0.1, 0.7], [0.25, 0.5, 0.25, 0.5, 0.6, 0.2]]).T
    about = {"transposed": True, "unit": "fraction", "coordinates": "cxcywh", "confidence": None, "classes": 4}
    found = find(tmp_path, {"out": table[None]}, **about, names={0: "person", 1: "vehicle"})
    assert found.xyxy == pytest.approx(np.array([[24, 8, 40, 24], [8, 8, 24, 24]]), abs=1e-4)
    assert found.label.tolist() == [Label.VEHICLE, Label.PERSON]
    assert found.confidence == pytest.approx([0.7, 0.6])


def test_classes_of_an_output_of_their_own_are_named_or_dropped(tmp_path: Path) -> None:
    found = find(
        tmp_path, {"boxes": ROWS, "kinds": np.array([1, 7])}, boxes="boxes", label="kinds", names={1: "person"}
    )
    assert found.label.tolist() == [Label.PERSON]
    assert found.confidence == pytest.approx([0.5])


def test_without_names_every_class_is_an_object(tmp_path: Path) -> None:
    found = find(tmp_path, {"boxes": ROWS, "kinds": np.array([1, 7])}, boxes="boxes", label="kinds")
    assert found.label.tolist() == [Label.OBJECT, Label.OBJECT]


def test_a_class_that_is_no_number_is_dropped_where_classes_are_named(tmp_path: Path) -> None:
    outputs = {"boxes": ROWS, "kinds": np.array([np.nan, 1])}
    found = find(tmp_path, outputs, boxes="boxes", label="kinds", names={1: "person"})
    assert found.confidence == pytest.approx([0.9])


def test_scores_of_an_output_of_their_own_times_the_confidence(tmp_path: Path) -> None:
    outputs = {"boxes": ROWS, "scores": np.array([[0.2, 0.8], [0.5, 0.1]])}
    found = find(tmp_path, outputs, boxes="boxes", classes="scores", names={0: "cycle", 1: "person"})
    assert found.label.tolist() == [Label.CYCLE, Label.PERSON]
    assert found.confidence == pytest.approx([0.45, 0.4])


def test_thousands_of_rows_are_suppressed_at_once(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    corner = generator.uniform(0, 30, (8400, 2))
    rows = np.concatenate([corner, corner + generator.uniform(1, 30, (8400, 2)), generator.random((8400, 1))], axis=1)
    found = find(tmp_path, {"boxes": rows}, nms=0.3)
    assert 1 < len(found) <= 1000
    assert (iou_matrix(found.xyxy, found.xyxy) - np.eye(len(found))).max() <= 0.3
    assert found.confidence[0] == pytest.approx(rows[:, 4].max())


def test_of_overlapping_boxes_the_surest_is_kept(tmp_path: Path) -> None:
    rows = np.array([[0, 0, 20, 20, 0.5], [1, 0, 20, 20, 0.8], [30, 0, 50, 20, 0.3]])
    assert find(tmp_path, {"boxes": rows}, nms=0.5).confidence == pytest.approx([0.8, 0.3])
    assert len(find(tmp_path, {"boxes": rows})) == 3


def test_colours_mean_and_scale_reach_the_network(tmp_path: Path) -> None:
    write_mean_box(tmp_path / "mean.onnx", WIDTH, HEIGHT)
    about = {"path": tmp_path / "mean.onnx", "width": WIDTH, "height": HEIGHT}
    image = picture()
    image[..., 0] = 250
    plain = Detector(DetectorDescription.build(about)).find([image])[0].confidence[0]
    moved = Detector(DetectorDescription.build({**about, "mean": [0, 0, 150], "scale": [1, 1, 2]})).find([image])[0]
    assert plain == pytest.approx(150 / 255, rel=1e-2)
    assert moved.confidence[0] == pytest.approx((100 + 100 + 50) / 3 / 255, rel=1e-2)  # blue, green, red
    turned = Detector(DetectorDescription.build({**about, "mean": [0, 0, 150], "scale": [1, 1, 2], "colours": "RGB"}))
    assert turned.find([image])[0].confidence[0] == pytest.approx((250 + 100 - 25) / 3 / 255, rel=1e-2)


def test_a_batch_gives_what_each_picture_gives(tmp_path: Path) -> None:
    write_mean_box(tmp_path / "mean.onnx", WIDTH, HEIGHT)
    about = DetectorDescription.build({"path": tmp_path / "mean.onnx", "width": WIDTH, "height": HEIGHT})
    images = [picture(level=level) for level in (50, 100, 200)]
    together = Detector(about).find(images)
    assert [float(boxes.confidence[0]) for boxes in together] == [
        float(Detector(about).find([image])[0].confidence[0]) for image in images
    ]
    assert Detector(about).find([]) == []


def test_rows_of_no_use_are_dropped(tmp_path: Path) -> None:
    rows = np.array([[np.nan, 0, 1, 1, 0.9], [9, 9, 2, 2, 0.8], [0, 0, 5, 5, 0.0], [-50, -50, 900, 900, 7.0]])
    found = find(tmp_path, {"boxes": rows})
    assert found.xyxy.tolist() == [[-50, -50, 900, 900], [2, 2, 9, 9]]
    assert found.confidence == pytest.approx([1.0, 0.8])


def test_nobody_there_gives_no_boxes(tmp_path: Path) -> None:
    assert len(find(tmp_path, {"boxes": np.zeros((3, 5))})) == 0


@pytest.mark.parametrize(
    ("outputs", "about", "said"),
    [
        ({"boxes": ROWS}, {"width": 128}, "its description says"),
        ({"boxes": ROWS}, {"layout": "NHWC"}, "its description says"),
        ({"boxes": ROWS}, {"boxes": "rows"}, "no output 'rows'; it has boxes"),
        ({"boxes": ROWS}, {"confidence": 9}, "does not fit it"),
        ({"boxes": ROWS}, {"classes": 5}, "the scores begin at 5"),
        ({"boxes": ROWS}, {"classes": "scores"}, "no output 'scores'"),
        ({"boxes": ROWS, "scores": np.zeros((3, 2))}, {"boxes": "boxes", "classes": "scores"}, "3 rows for 2 boxes"),
        ({"boxes": ROWS}, {"scale": [1, 0, 1]}, r"scale\.1 does not take 0"),
        ({"boxes": ROWS, "kinds": np.zeros(3)}, {"boxes": "boxes", "label": "kinds"}, "3 values for 2 boxes"),
        ({"boxes": ROWS}, {"names": {1: "elephant"}}, "no label 'elephant'; choose of: object, person"),
        ({"boxes": np.zeros((2, 3))}, {"confidence": None}, "does not fit it"),
    ],
)
def test_a_description_that_does_not_fit_is_one_line(
    tmp_path: Path, outputs: dict[str, Any], about: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as told:
        detector(tmp_path, outputs, **about)
    assert "\n" not in str(told.value)


def test_a_description_is_read_beside_its_network(tmp_path: Path) -> None:
    write_constant(tmp_path / "net.onnx", (1, HEIGHT, WIDTH, 3), {"boxes": ROWS}, "uint8")
    values = {
        "path": "net.onnx",
        "width": WIDTH,
        "height": HEIGHT,
        "layout": "NHWC",
        "dtype": "uint8",
        "colours": "RGB",
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(values))
    assert len(Detector(read_description(tmp_path / "mine.yaml")).find([picture()])[0]) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "not a mapping"),
        ("a: [", "cannot be read"),
        ("width: 64\nheight: 32", "path"),
        ("path: x\nwidth: 64\nheight: 32\nsize: 1", "no setting 'size'|size"),
    ],
)
def test_a_damaged_description_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_description(tmp_path / "mine.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_description(tmp_path / "absent.yaml")


@pytest.mark.parametrize("name", ["absent.onnx", "cut.onnx", "net.pt", "noise.xml", "noise.tflite"])
def test_a_file_that_is_no_network_is_told(tmp_path: Path, name: str) -> None:
    write_constant(tmp_path / "net.onnx", (1, 3, 32, 32), {"boxes": ROWS})
    (tmp_path / "cut.onnx").write_bytes((tmp_path / "net.onnx").read_bytes()[:60])
    for noise in ("net.pt", "noise.xml", "noise.tflite"):
        (tmp_path / noise).write_bytes(b"\x00\x01nothing of use")
    with pytest.raises(WeightsError) as told:
        Network(tmp_path / name)
    assert "\n" not in str(told.value)


def test_what_does_not_fit_a_network_is_told(tmp_path: Path) -> None:
    network = Network(write_constant(tmp_path / "net.onnx", (1, 3, 32, 32), {"boxes": ROWS}))
    assert network.inputs == [("image", (1, 3, 32, 32))]
    assert network.outputs == [("boxes", (2, 5))]
    for ask in (network, lambda array: network.many([array])):
        with pytest.raises(AmissError, match="does not take"):
            ask(np.zeros((1, 3, 8, 8), np.float32))
    assert network.many([]) == []


def test_a_network_has_as_many_threads_as_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    network = Network(write_constant(tmp_path / "net.onnx", (1, 3, HEIGHT, WIDTH), {"boxes": ROWS}, "float32"))
    network(np.zeros((1, 3, HEIGHT, WIDTH), np.float32))
    assert network._compiled.get_property("INFERENCE_NUM_THREADS") == 1  # of all cores, without a word
