"""Boxes from a detection network that a small description makes known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field

from amiss.config import Settings
from amiss.errors import ConfigError, WeightsError
from amiss.perception.network import Network, Pictures
from amiss.perception.overlap import suppressed
from amiss.types import Boxes, FloatArray, Image, Label

__all__ = ["BUILT_IN", "Detector", "DetectorDescription", "read_description"]

FAINTEST = 0.02
"""Rows of less confidence are not looked at."""
MOST = 1000
"""Networks that leave suppression to others give thousands of rows; so many of them, the surest, are looked at."""

Divisor = Annotated[float, Field(gt=0)]


class DetectorDescription(Settings):
    """What a detection network takes and gives."""

    path: Path = Field(description="The network: .xml, .onnx or .tflite.")
    width: int = Field(ge=16, description="Input width in pixels.")
    height: int = Field(ge=16, description="Input height in pixels.")
    layout: Literal["NCHW", "NHWC"] = Field("NCHW", description="Order of the input's axes.")
    colours: Literal["RGB", "BGR"] = Field("BGR", description="Order of the colours.")
    dtype: Literal["uint8", "float32"] = Field("float32", description="Type of the input's numbers.")
    mean: tuple[float, float, float] = Field((0.0, 0.0, 0.0), description="Taken off each colour, in the order above.")
    scale: tuple[Divisor, Divisor, Divisor] = Field(
        (1.0, 1.0, 1.0), description="Each colour is divided by this afterwards."
    )
    fit: Literal["stretch", "letterbox"] = Field(
        "stretch",
        description="How a picture is brought to the input's size: stretched, or with grey bars below or right.",
    )
    boxes: str = Field("", description="Name of the output with a row a box; empty: the only or first one.")
    transposed: bool = Field(default=False, description="Whether that output holds a column a box.")
    columns: int = Field(0, ge=0, description="The column at which the four coordinates begin.")
    coordinates: Literal["xyxy", "cxcywh"] = Field("xyxy", description="Two corners, or the centre and the size.")
    unit: Literal["pixels", "fraction"] = Field("pixels", description="Pixels of the input, or fractions of it.")
    confidence: int | str | None = Field(4, description="Column, or name of the output, of the confidence; null: none.")
    label: int | str | None = Field(None, description="Column, or name of the output, of the class; null: none.")
    classes: int | str | None = Field(
        None, description="The column at which a score a class begins, or name of the output of them; null: none."
    )
    names: dict[int, str] = Field(
        {}, description="Class → object, person, vehicle, cycle or bag; others are dropped; none: all are objects."
    )
    nms: float | None = Field(None, gt=0, le=1, description="Of boxes of a class that overlap more, the best is kept.")


_TWO_THOUSAND = {"boxes": "boxes", "label": "labels", "names": {0: "vehicle", 1: "person", 2: "cycle"}}
BUILT_IN: Mapping[str, Mapping[str, Any]] = {
    "person-vehicle-bike-detection-2004": {"width": 448, "height": 256, **_TWO_THOUSAND},
    "person-vehicle-bike-detection-2003": {"width": 864, "height": 480, **_TWO_THOUSAND},
}
"""Descriptions of the networks in the table of weights, without their path."""


def read_description(path: Path) -> DetectorDescription:
    """A description from a YAML file; the network's path in it is relative to the file.

    Raises:
        ConfigError: The file cannot be read, or a field of it does not fit.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"the detector description {path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"the detector description {path} is not a mapping; it needs path, width and height at least")
    description = DetectorDescription.build(values, prefix=f"{path}: ")
    return description.model_copy(update={"path": path.parent / description.path})


class Detector:
    """Finds boxes in pictures.

    Args:
        description: What the network takes and gives.

    Raises:
        WeightsError: The network cannot be read.
        ConfigError: The description does not fit it.
    """

    def __init__(self, description: DetectorDescription) -> None:
        self._about = description
        self._labels = _label_map(description)
        self._network = Network(description.path)
        _check_input(self._network, description)
        about = description
        self._network.show(Pictures(about.layout, about.colours, about.dtype, about.mean, about.scale))
        try:
            self._read(self._network.many([self._blob(np.zeros((8, 8, 3), np.uint8))])[0], 1.0, 1.0)
        except (WeightsError, IndexError, KeyError, ValueError) as error:
            raise ConfigError(f"the description of the detector {description.path} does not fit it: {error}") from None

    def find(self, images: Sequence[Image]) -> list[Boxes]:
        """The boxes in each picture `(H, W, 3)` uint8 RGB, the surest first, in pixels of the picture."""
        given = self._network.many([self._blob(image) for image in images])
        return [self._place(outputs, image) for outputs, image in zip(given, images, strict=True)]

    def _place(self, outputs: Mapping[str, NDArray[Any]], image: Image) -> Boxes:
        """What the network gave for a picture, in pixels of the picture."""
        height, width = image.shape[:2]
        across, down = self._about.width / width, self._about.height / height
        if self._about.fit == "letterbox":
            across = down = min(across, down)
        return self._read(outputs, across, down)

    def _blob(self, image: Image) -> Image:
        """`(1, h, w, 3)`: a picture at the size that the network takes."""
        return _fitted(image, self._about)[None]

    def _read(self, outputs: Mapping[str, NDArray[Any]], across: float, down: float) -> Boxes:
        """Boxes from what the network gave; `across` and `down` are input pixels for each pixel of the picture."""
        about = self._about
        given = outputs[about.boxes or next(iter(outputs))]
        if not given.size:
            return Boxes.empty()
        rows = _table(given, about)
        confidence, label = self._classify(rows, outputs)
        known = np.isfinite(rows).all(1) & np.isfinite(confidence) & (confidence >= FAINTEST)
        if self._labels:
            known &= np.isin(label, list(self._labels))
        kept = np.flatnonzero(known)
        kept = kept[np.argsort(-confidence[kept], kind="stable")[:MOST]]
        xyxy = _corners(rows[kept], about) / np.array([across, down, across, down])
        labels = [self._labels.get(int(item), Label.OBJECT) for item in label[kept]]
        boxes = Boxes(xyxy, confidence[kept].clip(0, 1), np.array(labels, np.int16))
        return boxes if about.nms is None else boxes[~suppressed(boxes, about.nms)]

    def _classify(self, rows: FloatArray, outputs: Mapping[str, NDArray[Any]]) -> tuple[FloatArray, NDArray[Any]]:
        """Confidence and class `(n,)` of each row."""
        about = self._about
        confidence = _column(rows, outputs, about.confidence, 1.0)
        label = np.nan_to_num(_column(rows, outputs, about.label, 0.0), nan=-1, posinf=-1, neginf=-1).astype(np.int64)
        if about.classes is not None:
            scores = _scores(rows, outputs, about.classes, about)
            label = scores.argmax(1) if scores.size else label
            confidence = confidence * scores.max(1, initial=0.0)
        return confidence, label


def _column(
    rows: FloatArray, outputs: Mapping[str, NDArray[Any]], where: int | str | None, default: float
) -> FloatArray:
    """`(n,)` a number a row: from a column, from an output of its own, or always the same."""
    if where is None:
        return np.full(len(rows), default)
    found = rows[:, where] if isinstance(where, int) else np.asarray(outputs[where], np.float64).reshape(-1)
    if len(found) != len(rows):
        raise ValueError(f"{where} has {len(found)} values for {len(rows)} boxes")
    return np.asarray(found)


def _table(values: NDArray[Any], about: DetectorDescription) -> FloatArray:
    """`(n, columns)` numbers of an output, whatever axes of length one stand before."""
    rows = np.asarray(values, np.float64)
    return rows.reshape(rows.shape[-2:]).T if about.transposed else rows.reshape(-1, rows.shape[-1])


def _scores(
    rows: FloatArray, outputs: Mapping[str, NDArray[Any]], where: int | str, about: DetectorDescription
) -> FloatArray:
    """`(n, classes)` scores of each row, from its last columns or from an output of their own."""
    if isinstance(where, int):
        if not 0 <= where < rows.shape[1]:
            raise ValueError(f"its rows have {rows.shape[1]} columns, and the scores begin at {where}")
        return rows[:, where:]
    scores = _table(outputs[where], about)
    if len(scores) != len(rows):
        raise ValueError(f"{where} has {len(scores)} rows for {len(rows)} boxes")
    return scores


def _corners(rows: FloatArray, about: DetectorDescription) -> FloatArray:
    """`(n, 4)` xyxy in input pixels, never inside out."""
    four = rows[:, about.columns : about.columns + 4]
    if four.shape[1] < 4:
        raise ValueError(f"its rows have {rows.shape[1]} columns, and the coordinates begin at {about.columns}")
    if about.unit == "fraction":
        four = four * np.array([about.width, about.height, about.width, about.height])
    if about.coordinates == "cxcywh":
        return np.concatenate([four[:, :2] - four[:, 2:] / 2, four[:, :2] + np.abs(four[:, 2:]) / 2], axis=1)
    return np.concatenate([np.minimum(four[:, :2], four[:, 2:]), np.maximum(four[:, :2], four[:, 2:])], axis=1)


def _fitted(image: Image, about: DetectorDescription) -> Image:
    """`(h, w, 3)`: the picture at the input's size."""
    if about.fit == "stretch":
        return np.asarray(cv2.resize(image, (about.width, about.height), interpolation=cv2.INTER_LINEAR), np.uint8)
    shrink = min(about.width / image.shape[1], about.height / image.shape[0])
    size = max(round(image.shape[1] * shrink), 1), max(round(image.shape[0] * shrink), 1)
    picture = np.full((about.height, about.width, 3), 114, np.uint8)
    picture[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return picture


def _label_map(about: DetectorDescription) -> dict[int, Label]:
    """Class → label; empty where nothing is named, and everything is an object."""
    try:
        return {key: Label[name.upper()] for key, name in about.names.items()}
    except KeyError as error:
        known = ", ".join(label.name.lower() for label in Label)
        raise ConfigError(f"{about.path}: there is no label {str(error).lower()}; choose of: {known}") from None


def _check_input(network: Network, about: DetectorDescription) -> None:
    """Make sure that the network takes one picture of the described shape."""
    wanted = (1, 3, about.height, about.width) if about.layout == "NCHW" else (1, about.height, about.width, 3)
    shapes = [shape for _, shape in network.inputs]
    fits = (
        len(shapes) == 1 and len(shapes[0]) == 4 and all(a in (-1, b) for a, b in zip(shapes[0], wanted, strict=True))
    )
    if not fits:
        raise ConfigError(
            f"the detector {about.path} takes {shapes}, and its description says {wanted}; mend the description"
        )
    known = [name for name, _ in network.outputs]
    asked = (about.boxes, about.confidence, about.label, about.classes)
    if missing := [name for name in asked if name and isinstance(name, str) and name not in known]:
        raise ConfigError(f"the detector {about.path} has no output {missing[0]!r}; it has {', '.join(known)}")
