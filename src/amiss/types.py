"""The nouns: frozen dataclasses of arrays, checked at birth.

A noun with a row per thing (boxes, windows, scores) is a `Table`: all its columns have the same length, slicing it
gives the same noun, and `merge` puts several together. Arrays are read-only; a noun never changes after its birth.
Pixels are counted from the top left corner of the picture; a box is `x1, y1, x2, y2` with the far edge outside it.
Colours are RGB. Time is in seconds of the footage. A higher score is more abnormal.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache, partial
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from amiss.errors import ShapeError

__all__ = [
    "NO_TRACK",
    "BoolArray",
    "Boxes",
    "Event",
    "FloatArray",
    "Frame",
    "FrameScores",
    "Image",
    "IntArray",
    "Label",
    "Poses",
    "RegionScores",
    "Table",
    "Track",
    "Tube",
    "Window",
    "Windows",
]

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]
Image = NDArray[np.uint8]

NO_TRACK = -1
"""The track id of a box that belongs to no track."""


class Label(IntEnum):
    """What a box holds, as far as its source can tell."""

    OBJECT = 0
    PERSON = 1
    VEHICLE = 2
    CYCLE = 3
    BAG = 4


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of the footage.

    Attributes:
        image: `(H, W, 3)` uint8, RGB.
        index: Number of the picture in its footage, from 0.
        seconds: Time stamp of the picture within its footage.

    Raises:
        ShapeError: The image is not `(H, W, 3)` uint8, or the index is negative.
    """

    image: Image
    index: int
    seconds: float

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ShapeError(f"a frame's image is (H, W, 3) uint8, not {self.image.shape} {self.image.dtype}")
        if self.index < 0 or not np.isfinite(self.seconds):
            raise ShapeError(f"a frame has an index from 0 and a time, not {self.index} at {self.seconds} s")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


def _frozen(name: str, value: ArrayLike, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """A read-only view of `value` as `dtype`, whose shape must be `shape` (-1 at first: any length)."""
    array = np.asarray(value, dtype)
    if array.ndim != len(shape) or shape[0] not in (-1, array.shape[0]) or array.shape[1:] != shape[1:]:
        raise ShapeError(f"{name} has the shape {array.shape}, not {shape} (-1: any)")
    view = array.view()
    view.flags.writeable = False
    return view


def _rows(column: NDArray[Any], chosen: slice | NDArray[Any]) -> NDArray[Any]:
    """Some rows of a column, read-only as the column is."""
    some = column[chosen]
    some.flags.writeable = False
    return some


def _column(dtype: DTypeLike, *trailing: int, fill: float | None = None, finite: bool = True) -> Any:
    """A column of a `Table`: `(N, *trailing)` of `dtype`; with `fill` it may be left out."""
    metadata = {"dtype": dtype, "trailing": trailing, "fill": fill, "finite": finite}
    return field(metadata=metadata) if fill is None else field(default=None, metadata=metadata)


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length. Its fields are columns, mappings of named columns, or plain values of the whole."""

    _ordered: ClassVar[bool] = False
    """Whether its rows have an order, which a choice of them may break."""

    def __post_init__(self) -> None:
        length = -1
        for item in self._columns():
            checked = self._checked(item, getattr(self, item.name), length)
            length = len(checked)
            object.__setattr__(self, item.name, checked)
        for item in self._mappings():
            given = getattr(self, item.name) or {}
            named = MappingProxyType({key: self._named(item.name, key, value, length) for key, value in given.items()})
            object.__setattr__(self, item.name, named)

    def _checked(self, item: dataclasses.Field[Any], value: ArrayLike | None, length: int) -> NDArray[Any]:
        """The column as an array of the stated dtype and shape."""
        meta = item.metadata
        shape = (length, *meta["trailing"])
        if value is None:
            value = np.full(shape, meta["fill"], meta["dtype"])
        name = f"{type(self).__name__}.{item.name}"
        array = _frozen(name, value, meta["dtype"], shape)
        if meta["finite"] and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ShapeError(f"{name} holds values that are not finite")
        return array

    def _named(self, name: str, key: str, value: ArrayLike, length: int) -> NDArray[Any]:
        """One array of a mapping of columns, whose first axis must have the table's length."""
        array = np.asarray(value)
        return _frozen(f"{type(self).__name__}.{name}[{key!r}]", array, array.dtype, (length, *array.shape[1:]))

    @classmethod
    @cache
    def _columns(cls) -> tuple[dataclasses.Field[Any], ...]:
        return tuple(item for item in dataclasses.fields(cls) if "fill" in item.metadata)

    @classmethod
    @cache
    def _mappings(cls) -> tuple[dataclasses.Field[Any], ...]:
        return tuple(item for item in dataclasses.fields(cls) if item.metadata.get("mapping"))

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process makes it of its fields; views of mappings do not travel."""
        fields = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        fields |= {item.name: dict(fields[item.name]) for item in self._mappings()}
        return partial(type(self), **fields), ()

    def __len__(self) -> int:
        return len(getattr(self, self._columns()[0].name))

    def __getitem__(self, rows: slice | IntArray | BoolArray | Sequence[int]) -> Self:
        """The chosen rows, as the same noun.

        Args:
            rows: A slice, integer indices, or a boolean per row.
        """
        chosen = rows if isinstance(rows, slice) else np.asarray(rows, None if len(rows) else np.intp)
        changes: dict[str, Any] = {item.name: _rows(getattr(self, item.name), chosen) for item in self._columns()}
        for item in self._mappings():
            columns = {key: _rows(value, chosen) for key, value in getattr(self, item.name).items()}
            changes[item.name] = MappingProxyType(columns)
        if self._ordered:
            return dataclasses.replace(self, **changes)
        some = object.__new__(type(self))  # rows of a checked table need no check
        some.__dict__.update(self.__dict__ | changes)
        return some

    @classmethod
    def merge(cls, tables: Sequence[Self]) -> Self:
        """All rows of `tables`, in order.

        Raises:
            ShapeError: There is none to merge, or their mappings have different keys.
        """
        if not tables:
            raise ShapeError(f"no {cls.__name__} to merge")
        if "merge" in vars(type(tables[0])) and type(tables[0]) is not cls:
            return type(tables[0]).merge(tables)  # a special kind knows what else belongs together
        changes: dict[str, Any] = {
            item.name: np.concatenate([getattr(table, item.name) for table in tables]) for item in cls._columns()
        }
        for item in cls._mappings():
            keys = list(getattr(tables[0], item.name))
            if any(list(getattr(table, item.name)) != keys for table in tables):
                raise ShapeError(f"the {cls.__name__} to merge have different {item.name}")
            changes[item.name] = {k: np.concatenate([getattr(table, item.name)[k] for table in tables]) for k in keys}
        return dataclasses.replace(tables[0], **changes)


@dataclass(frozen=True, eq=False)
class Boxes(Table):
    """Things found in one frame.

    Attributes:
        xyxy: `(N, 4)` float32 pixels, `x2 >= x1` and `y2 >= y1`.
        confidence: `(N,)` float32 in 0..1.
        label: `(N,)` int16, a `Label`.
        track: `(N,)` int64 track ids, `NO_TRACK` where there is none.

    Raises:
        ShapeError: A column does not fit, or a box is inside out.
    """

    xyxy: FloatArray = _column(np.float32, 4)
    confidence: FloatArray = _column(np.float32, fill=1.0)
    label: IntArray = _column(np.int16, fill=Label.OBJECT)
    track: IntArray = _column(np.int64, fill=NO_TRACK)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.xyxy[:, 2:] < self.xyxy[:, :2]).any():
            raise ShapeError("a box has its far corner before its near one")

    @classmethod
    def empty(cls) -> Boxes:
        """No boxes."""
        return cls(np.zeros((0, 4), np.float32))

    @property
    def area(self) -> FloatArray:
        """`(N,)` square pixels."""
        return np.asarray((self.xyxy[:, 2] - self.xyxy[:, 0]) * (self.xyxy[:, 3] - self.xyxy[:, 1]))


@dataclass(frozen=True, eq=False)
class Track(Table):
    """The boxes of one object in time order, at most one a frame.

    Attributes:
        frame: `(T,)` int64 frame numbers, increasing.
        seconds: `(T,)` float64.
        xyxy: `(T, 4)` float32 pixels.
        id: The track's number, unique within its footage.
        label: What it is.

    Raises:
        ShapeError: Frames do not increase.
    """

    _ordered: ClassVar[bool] = True

    frame: IntArray = _column(np.int64)
    seconds: FloatArray = _column(np.float64)
    xyxy: FloatArray = _column(np.float32, 4)
    id: int = NO_TRACK
    label: Label = Label.OBJECT

    def __post_init__(self) -> None:
        super().__post_init__()
        if (np.diff(self.frame) <= 0).any():
            raise ShapeError(f"the frames of track {self.id} do not increase")


@dataclass(frozen=True, eq=False)
class Tube(Table):
    """A volume in space and time: the boxes of one object (unary) or of several that belong together (multivariate).

    Attributes:
        frame: `(M,)` int64 frame numbers, not decreasing; a frame may have several boxes.
        seconds: `(M,)` float64.
        xyxy: `(M, 4)` float32 pixels.
        track: `(M,)` int64 track ids.
        score: `(M,)` float64 score of each box.

    Raises:
        ShapeError: Frames decrease.
    """

    _ordered: ClassVar[bool] = True

    frame: IntArray = _column(np.int64)
    seconds: FloatArray = _column(np.float64)
    xyxy: FloatArray = _column(np.float32, 4)
    track: IntArray = _column(np.int64, fill=NO_TRACK)
    score: FloatArray = _column(np.float64, fill=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (np.diff(self.frame) < 0).any():
            raise ShapeError("the frames of a tube decrease")


@dataclass(frozen=True, eq=False)
class Poses(Table):
    """Bodies found in one frame.

    Attributes:
        joints: `(N, 17, 3)` float32: the COCO joints' x, y in pixels and confidence in 0..1.
        track: `(N,)` int64 track ids.
    """

    joints: FloatArray = _column(np.float32, 17, 3)
    track: IntArray = _column(np.int64, fill=NO_TRACK)


@dataclass(frozen=True, eq=False)
class Window:
    """What a method scores: an object cube, a person segment, a whole-frame clip or a tube.

    Attributes:
        frame: Number of the frame that its score is written at.
        seconds: Time of that frame.
        box: `(4,)` float32 pixels, its place in that frame.
        track: Track id.
        label: What it holds.
        data: Named arrays, as the window's kind states them.
    """

    frame: int
    seconds: float
    box: FloatArray
    track: int
    label: Label
    data: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Windows(Table):
    """A batch of windows of one kind; iterating gives each `Window`.

    Attributes:
        frame: `(N,)` int64 number of the frame a window's score is written at.
        seconds: `(N,)` float64 time of that frame.
        box: `(N, 4)` float32 pixels.
        track: `(N,)` int64 track ids.
        label: `(N,)` int16, a `Label`.
        data: Named arrays, each with N as its first axis.
    """

    frame: IntArray = _column(np.int64)
    seconds: FloatArray = _column(np.float64)
    box: FloatArray = _column(np.float32, 4)
    track: IntArray = _column(np.int64, fill=NO_TRACK)
    label: IntArray = _column(np.int16, fill=Label.OBJECT)
    data: Mapping[str, NDArray[Any]] = field(default_factory=dict, metadata={"mapping": True})

    def __iter__(self) -> Iterator[Window]:
        for row in range(len(self)):
            data = {key: value[row] for key, value in self.data.items()}
            place = int(self.frame[row]), float(self.seconds[row]), self.box[row]
            yield Window(*place, int(self.track[row]), Label(int(self.label[row])), data)


@dataclass(frozen=True, eq=False)
class RegionScores(Table):
    """A row for each scored region of one piece of footage.

    Attributes:
        frame: `(N,)` int64 frame numbers.
        seconds: `(N,)` float64.
        box: `(N, 4)` float32 pixels.
        track: `(N,)` int64 track ids.
        score: `(N,)` float64, higher is more abnormal.
        parts: What the score is made of (motion, appearance, …), `(N,)` float64 each.
        maps: Where within its box each region is amiss, `(N, S, S)` float16 each, named like the part that it is of;
            rows from the top of the box, higher is more abnormal, 0 where nothing is, in units that are the same for
            all regions.

    Raises:
        ShapeError: A column does not fit, or a map is not square or not finite.
    """

    frame: IntArray = _column(np.int64)
    seconds: FloatArray = _column(np.float64)
    box: FloatArray = _column(np.float32, 4)
    track: IntArray = _column(np.int64, fill=NO_TRACK)
    score: FloatArray = _column(np.float64, fill=0.0)
    parts: Mapping[str, FloatArray] = field(default_factory=dict, metadata={"mapping": True})
    maps: Mapping[str, FloatArray] = field(default_factory=dict, metadata={"mapping": True})

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, values in self.maps.items():
            if values.ndim != 3 or values.shape[1] != values.shape[2] or values.dtype != np.float16:
                raise ShapeError(f"the map {name!r} is (N, S, S) float16, not {values.shape} {values.dtype}")
            if not np.isfinite(values).all():
                raise ShapeError(f"the map {name!r} holds values that are not finite")


@dataclass(frozen=True, eq=False)
class FrameScores(Table):
    """One curve of one piece of footage, a row a frame.

    Attributes:
        frame: `(T,)` int64 frame numbers.
        seconds: `(T,)` float64.
        raw: `(T,)` float64, the worst region of each frame.
        smoothed: `(T,)` float64, `raw` after the smoothing in time.
        calibrated: `(T,)` float64, -log10 of the share of normal footage that scores as high or higher.
    """

    frame: IntArray = _column(np.int64)
    seconds: FloatArray = _column(np.float64)
    raw: FloatArray = _column(np.float64)
    smoothed: FloatArray = _column(np.float64)
    calibrated: FloatArray = _column(np.float64)


@dataclass(frozen=True, eq=False)
class Event:
    """Something that was amiss: when, where and why.

    Attributes:
        id: Stable: the same footage and model give the same id.
        camera: Name of the camera or clip.
        start: Seconds at which it rose.
        peak: Seconds of its highest score.
        end: Seconds at which it fell.
        severity: -log10 of the share of normal footage that scores as high as its peak.
        tube: Its regions.
        parts: The parts of the score at the worst region.
        reasons: Sentences that say why, in neutral words.
        examples: Names of the nearest normal examples (files in the model's `examples/`).
    """

    id: str
    camera: str
    start: float
    peak: float
    end: float
    severity: float
    tube: Tube
    parts: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.start <= self.peak <= self.end:
            raise ShapeError(f"event {self.id} does not start, peak and end in this order")
