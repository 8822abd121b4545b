"""Tiny synthetic footage and helpers that several folders of tests share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from amiss.config import Config
from amiss.engine.model import make_method
from amiss.engine.progress import silent
from amiss.engine.training import make_trainer
from amiss.methods import Method
from amiss.pipeline import Pipeline
from amiss.types import Boxes, Frame, RegionScores, Windows
from amiss.windows.needs import Needs
from amiss.windows.store import WindowPart, WindowStore

WIDTH, HEIGHT, RATE = 160, 96, 25.0


@dataclass(frozen=True)
class Mover:
    """A textured rectangle that goes its way at a steady pace, in pixels and pixels a frame."""

    x: float
    y: float
    width: int = 12
    height: int = 24
    dx: float = 1.0
    dy: float = 0.0
    flickers: bool = False
    """Whether it looks different in every frame."""

    def box(self, frame: int) -> tuple[int, int, int, int]:
        """Where it is, xyxy; it comes back in on the other side."""
        x = round(self.x + self.dx * frame) % (WIDTH - self.width)
        y = round(self.y + self.dy * frame) % (HEIGHT - self.height)
        return x, y, x + self.width, y + self.height


@dataclass(frozen=True)
class Rectangles:
    """Footage of movers in front of a still, textured background."""

    name: str
    movers: tuple[Mover, ...]
    length: int = 30
    rate: float = RATE
    folder: Path = Path("/nowhere")
    jump: tuple[int, float] | None = None
    """From this frame on, time stamps are later by so many seconds."""

    @property
    def path(self) -> Path:
        return self.folder / self.name

    def __iter__(self) -> Iterator[Frame]:
        background = texture(HEIGHT, WIDTH, 1)
        for index in range(self.length):
            image = background.copy()
            for number, mover in enumerate(self.movers):
                x1, y1, x2, y2 = mover.box(index)
                seed = 100 + number + 1000 * index * mover.flickers
                image[y1:y2, x1:x2] = texture(mover.height, mover.width, seed) // 2 + 120
            yield Frame(image, index, self.seconds(index))

    def seconds(self, index: int) -> float:
        late = self.jump[1] if self.jump and index >= self.jump[0] else 0.0
        return index / self.rate + late

    def fingerprint(self) -> str:
        known = (self.name, self.movers, self.length, self.rate, self.jump)
        return hashlib.blake2b(repr(known).encode(), digest_size=16).hexdigest()


def texture(height: int, width: int, seed: int) -> np.ndarray:
    """`(height, width, 3)` uint8 of soft random blobs in 20..120, so that flow has something to hold on to."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(20, 120, (-(-height // 4), -(-width // 4), 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((4, 4, 1), np.uint8))[:height, :width]


def joint_paths(count: int = 3, frames: int = 8, seed: int = 0) -> np.ndarray:
    """`(N, T, 17, 3)` joints that go their ways, all sure."""
    random = np.random.default_rng(seed)
    pose = random.uniform(20, 60, (count, 1, 17, 3)) + np.arange(frames)[:, None, None] * random.normal(
        size=(count, 1, 17, 3)
    )
    pose[..., 2] = 0.9
    return pose


def walkers(name: str, seed: int, number: int = 3, length: int = 30, **changes: Any) -> Rectangles:
    """Normal footage: things of about one size that walk at about one pace."""
    generator = np.random.default_rng(seed)
    movers = tuple(
        Mover(
            x=float(generator.uniform(0, WIDTH)),
            y=float(lane * 24 + generator.uniform(0, 4)),
            width=int(generator.integers(10, 14)),
            height=int(generator.integers(18, 24)),
            dx=float(generator.uniform(0.8, 1.6)),
        )
        for lane in range(number)
    )
    return Rectangles(name, movers, length, **changes)


def write_boxes(path: Path, clips: Sequence[Rectangles], **extra: np.ndarray) -> Path:
    """The true boxes of some clips as an `.npz` that the box source `file` reads."""
    arrays: dict[str, np.ndarray] = dict(extra)
    for clip in clips:
        rows = [mover.box(frame) for frame in range(clip.length) for mover in clip.movers]
        arrays[f"{clip.name}_boxes"] = np.array(rows, np.float32).reshape(-1, 4)
        arrays[f"{clip.name}_frame_ptr"] = np.arange(clip.length + 1) * len(clip.movers)
    np.savez(path, **arrays)
    return path


def write_tracks(path: Path, clips: Sequence[Rectangles]) -> Path:
    """The true tracks of some clips as an `.npz` that the box source `tracks` reads."""
    arrays: dict[str, np.ndarray] = {"columns": np.array(["Person_ID", "Frame_Number", "State", *CORNERS])}
    for clip in clips:
        rows = [
            (number, frame, 2, *mover.box(frame))
            for number, mover in enumerate(clip.movers)
            for frame in range(clip.length)
        ]
        arrays[clip.name] = np.array(rows, np.float64).reshape(-1, 7)
    np.savez(path, **arrays)
    return path


CORNERS = ("BB_tl_0", "BB_tl_1", "BB_br_0", "BB_br_1")
UPRIGHT = np.array(
    [(0.5, 0.08)]
    + [(0.5 + side * x, y) for x, y in ((0.04, 0.06), (0.08, 0.07), (0.2, 0.2)) for side in (1, -1)]
    + [(0.5 + side * x, y) for x, y in ((0.24, 0.35), (0.24, 0.5), (0.12, 0.5)) for side in (1, -1)]
    + [(0.5 + side * x, y) for x, y in ((0.12, 0.72), (0.12, 0.94)) for side in (1, -1)]
)
"""`(17, 2)` joints of a body that stands, as shares of its box."""
SWING = np.array([0, 0, 0, 0, 0, 0, 0, 0.3, -0.3, 0.6, -0.6, 0, 0, -0.3, 0.3, -0.6, 0.6])
"""How far each joint goes forth and back, likewise."""


def body_of(mover: Mover, frame: int, seed: int = 0) -> np.ndarray:
    """`(17, 3)` joints of a body that walks in the mover's box; one that flickers throws its joints about."""
    x1, y1, x2, y2 = mover.box(frame)
    place = UPRIGHT.copy()
    place[:, 0] += 0.5 * SWING * np.sin(0.7 * frame + mover.x)
    noise = np.random.default_rng([seed, frame, mover.flickers, int(mover.x) % 1000])
    place = noise.uniform(0, 1, (17, 2)) if mover.flickers else place + noise.normal(0, 0.01, (17, 2))
    return np.column_stack([np.clip(place, 0, 1) * (x2 - x1, y2 - y1) + (x1, y1), np.full(17, 0.9)])


def write_poses(path: Path, clips: Sequence[Rectangles]) -> Path:
    """Bodies in the movers of some clips as an `.npz` that the pose source `file` reads."""
    arrays: dict[str, np.ndarray] = {}
    for clip in clips:
        rows = [body_of(mover, frame) for frame in range(clip.length) for mover in clip.movers]
        arrays[f"{clip.name}_joints"] = np.array(rows, np.float32).reshape(-1, 17, 3)
        arrays[f"{clip.name}_frame_ptr"] = np.arange(clip.length + 1) * len(clip.movers)
    np.savez(path, **arrays)
    return path


def write_tracked(path: Path, people: Mapping[int, Mapping[int, np.ndarray]]) -> Path:
    """Joints `(17, 3)` by person and frame, as AlphaPose writes them after tracking."""
    content = {
        str(person): {
            f"{frame:04d}": {"keypoints": joints.reshape(-1).tolist(), "scores": None}
            for frame, joints in moments.items()
        }
        for person, moments in people.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def config_of(folder: Path, clips: Sequence[Rectangles] = (), **groups: Any) -> Config:
    """A configuration whose cache lies in `folder`, and whose boxes and poses are the true ones of `clips`."""
    given: dict[str, Any] = {}
    if clips:
        given["boxes"] = {"source": "file", "path": write_boxes(folder / "boxes.npz", clips)}
        given["poses"] = {"source": "file", "path": write_poses(folder / "bodies.npz", clips)}
    values: dict[str, Any] = {"cache": folder / "cache", "perception": given, "device": "cpu"}
    return Config.build(values | groups)


TUBES = {
    "block": 4,
    "unary": 6,
    "multivariate": 1,
    "features": 16,
    "part": 0.3,
    "steps": 100,
    "batch": 4,
    "examples": 12,
}
SMALL: dict[str, dict[str, Any]] = {
    "appearance-motion": {
        "method": {"width": 4, "memory": (4, 4, 4), "examples": 12},
        "train": {"epochs": 10, "batch": 16, "rate": 2e-3},
    },
    "mgenet": {
        "method": {
            "guide": {"length": 8, "kernel": 3, "stride": 1},
            "every": 1,
            "everything": False,
            "size": 32,
            "width": 24,
            "depth": 1,
            "lsta": 1,
            "kernel": 6,
            "dilation": 2,
            "appearance": 8,
            "behaviours": 16,
            "scenes": 4,
            "pairs": 8,
            "examples": 12,
        },
        "train": {"epochs": 8, "batch": 32, "rate": 3e-3},
    },
    "multi-grained": {
        "method": {
            "rows": 96,
            "columns": 160,
            "backbone": "unet",
            "width": 0.06,
            "crop": 48,
            "features": 16,
            "near": 7,
            "continuity": 0.0,
            "localization": 0.0,
            "examples": 12,
        },
        "train": {"epochs": 8, "batch": 16, "rate": 3e-3},
    },
    "fusion": {
        "method": {"settings": {"appearance-motion": {"width": 4, "memory": (4, 4, 4), "examples": 12}}},
        "train": {"epochs": 10, "batch": 16, "rate": 2e-3},
    },
    "mil-ranking": {"method": TUBES | {"steps": 150}},
    "weak-tubes": {"method": TUBES},
    "pose-flow": {
        "method": {"length": 8, "kernel": 3, "stride": 1, "examples": 12},
        "train": {"epochs": 20, "batch": 32, "rate": 5e-3},
    },
}
"""Settings of the methods that train networks with which they learn in seconds."""


def parts_of(clips: Sequence[Rectangles], needs: Needs, config: Config) -> list[WindowPart]:
    """The windows of some clips, made by the pipeline."""
    pipeline = Pipeline(config, needs)
    return [pipeline.part(clip) for clip in clips]


def marked(parts: Sequence[WindowPart], label: int) -> list[WindowPart]:
    """The same windows, of videos that have a label."""
    return [replace(part, label=label) for part in parts]


def fit(method: Method, parts: Sequence[WindowPart], config: Config, seed: int = 0) -> Method:
    """The method after learning from some windows, as `amiss.learn` lets it."""
    store = WindowStore(parts)
    method.fit(store, seed=seed, progress=silent, trainer=make_trainer(method, store, config, silent))
    return method


def quick_config(
    method: str, folder: Path, clips: Sequence[Rectangles], epochs: int, settings: Mapping[str, Any]
) -> Config:
    """A configuration with which a method that trains networks learns in seconds, in 32 bits on every processor.

    Its cache is the one that tests share, so that what several of them learn in the same way is learned once.
    """
    small = SMALL[method]
    train = {"precision": "32"} | small["train"] | {"epochs": epochs}
    return config_of(folder, clips, method=small["method"] | dict(settings), train=train, cache=None)


def learn_quickly(
    method: str, folder: Path, normal: Sequence[Rectangles], other: Rectangles, epochs: int, settings: Mapping[str, Any]
) -> tuple[Method, Windows]:
    """A method after a little learning from normal clips, and the windows of another."""
    config = quick_config(method, folder, [*normal, other], epochs, settings)
    made = make_method(method, config)
    fit(made, parts_of(normal, made.needs, config), config)
    part = parts_of([other], made.needs, config)[0]
    return made, part[0 : len(part)]


def once(find: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """What `find` gives for some settings, which it is asked for only once."""
    known: dict[str, Any] = {}

    def get(settings: dict[str, Any]) -> Any:
        key = repr(settings)
        if key not in known:
            known[key] = find(settings)
        return known[key]

    return get


def frame_of(seconds: float = 0.0, index: int = 0, level: int = 0, size: tuple[int, int] = (64, 48)) -> Frame:
    """A frame of one grey level."""
    return Frame(np.full((size[1], size[0], 3), level, np.uint8), index, seconds)


def box_table(*rows: Sequence[float], confidence: Sequence[float] | None = None) -> Boxes:
    """Boxes from xyxy rows."""
    xyxy = np.array(rows, np.float32).reshape(-1, 4)
    return Boxes(xyxy, np.ones(len(xyxy)) if confidence is None else np.array(confidence))


def region_table(frames: Sequence[int], scores: Sequence[float], tracks: Sequence[int] | None = None) -> RegionScores:
    """Regions at 10 frames a second, in boxes of no matter."""
    count = len(frames)
    return RegionScores(
        frame=np.array(frames, np.int64),
        seconds=np.array(frames, np.float64) / 10,
        box=np.tile(np.array([0, 0, 10, 20], np.float32), (count, 1)),
        track=np.full(count, -1) if tracks is None else np.array(tracks),
        score=np.array(scores, np.float64),
        parts={"motion": np.array(scores, np.float64)},
    )


def windows_like(windows: Windows, **changes: Any) -> Windows:
    """The same windows with some columns changed."""
    return replace(windows, **changes)
