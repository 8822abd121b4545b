"""Every setting and its default, written once.

`--set key=value`, configuration files, their schema and the page `docs/configuration.md` all come from these fields.
The settings of a method live beside the method, and are reached as `method.KEY`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amiss.errors import ConfigError

__all__ = [
    "BenchConfig",
    "BoxesConfig",
    "ClipFeaturesConfig",
    "Config",
    "FeaturesConfig",
    "FlowConfig",
    "FootageConfig",
    "MasksConfig",
    "PerceptionConfig",
    "Polygon",
    "PosesConfig",
    "ReportConfig",
    "ScenesConfig",
    "ScoringConfig",
    "Settings",
    "TracksConfig",
    "load_config",
    "setting_rows",
]


class Settings(BaseModel):
    """Base of all groups of settings: unknown keys are refused, values are checked and never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @classmethod
    def build(cls, values: Mapping[str, Any], prefix: str = "") -> Self:
        """The settings with `values` in place of defaults.

        Args:
            values: Nested mapping of keys to values; text is converted to a field's type.
            prefix: Put before the keys in messages.

        Raises:
            ConfigError: An unknown key, or a value that the key does not take.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(_first_problem(error, cls, prefix)) from None


def _first_problem(error: ValidationError, model: type[Settings], prefix: str) -> str:
    """One line on the first thing that is wrong."""
    problem = error.errors()[0]
    place = [str(item) for item in problem["loc"]]
    key = prefix + ".".join(place)
    if problem["type"] != "extra_forbidden":
        return f"{key} does not take {problem['input']!r}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
    for step in place[:-1]:
        group = model.model_fields[step].annotation
        if isinstance(group, type) and issubclass(group, Settings):
            model = group
    return f"there is no setting {key!r}; the keys there are: {', '.join(sorted(model.model_fields))}"


class FootageConfig(Settings):
    """How footage is read."""

    fps: float = Field(25.0, gt=0, description="Frames per second of folders of pictures, which carry no time.")
    gap: float = Field(1.0, gt=0, description="A jump in time of more seconds than this ends tracks and windows.")


class MotionConfig(Settings):
    """Boxes from motion: background subtraction and frame difference, without any weights."""

    threshold: int = Field(
        18, ge=1, le=510, description="Summed grey-level difference from the two frames before that is motion."
    )
    background: float = Field(
        16.0, gt=0, description="Squared distance from the background, in its variances, that stands out from it."
    )
    memory: int = Field(500, ge=2, description="Frames that the background remembers.")
    close: float = Field(0.014, ge=0, le=0.2, description="Gaps up to this share of the picture's height are closed.")
    min_area: float = Field(100.0, ge=1, description="Smallest box in square pixels.")
    extend: int = Field(1, ge=0, description="Pixels by which a box is extended on each side.")
    max_aspect: float = Field(10.0, ge=1, description="Boxes longer than this many times their width are dropped.")


class BoxesConfig(Settings):
    """Where boxes come from."""

    source: str = Field(
        "auto",
        description="Box source: network, motion (no weights needed) or file (given boxes); auto is the network where "
        "it is at hand, else motion.",
    )
    network: str = Field(
        "person-vehicle-bike-detection-2004",
        description="The detection network: a name of `amiss weights list`, or a YAML file that describes another one.",
    )
    tiles: int = Field(
        2,
        ge=1,
        le=8,
        description="The network also looks at so many by so many overlapping parts: it sees smaller things.",
    )
    motion_added: bool = Field(
        default=False,
        description="Boxes from motion are added for what the network misses: more is found, and more falsely.",
    )
    path: Path | None = Field(
        None, description="The .npz of given boxes; by default boxes_training.npz or boxes_testing.npz above a clip."
    )
    confidence: float = Field(0.2, ge=0, le=1, description="Boxes below this confidence are dropped.")
    min_area: float = Field(50.0, ge=0, description="Boxes smaller than this many square pixels are dropped.")
    covered: float = Field(
        0.8, gt=0, le=1, description="The smaller of two boxes is dropped if more than this share of it is covered."
    )
    motion: MotionConfig = Field(MotionConfig(), description="Settings of the motion source.")


class TracksConfig(Settings):
    """How boxes are linked in time."""

    high: float = Field(0.3, ge=0, le=1, description="Confidence from which a box may start a track.")
    confirm: int = Field(2, ge=1, description="Boxes from which a track counts; in the first frame all do at once.")
    iou: float = Field(0.1, ge=0, le=1, description="Least overlap (IoU) of a box with a predicted track.")
    lost: float = Field(2.0, ge=0, description="Seconds that a track lives on without a box.")
    appearance: str = Field(
        "histogram",
        description="By what looks tracks are told apart and found again: none, histogram (of colours) or network (of "
        "people).",
    )
    memory: float = Field(
        5.0,
        ge=0,
        description="Seconds for which a lost track can be found again by its look; not if there is none.",
    )
    trail: float = Field(60.0, gt=0, description="Seconds for which the way of a track is remembered.")

    @property
    def life(self) -> float:
        """Seconds after which a track that is not seen is forgotten."""
        return self.lost if self.appearance == "none" else max(self.lost, self.memory)


class FlowConfig(Settings):
    """Optical flow."""

    source: str = Field("dis", description="Flow source: dis (dense inverse search) or network (given in a file).")
    network: Path | None = Field(None, description="The flow network: .xml, .onnx or .tflite.")
    preset: Literal["ultrafast", "fast", "medium"] = Field("fast", description="Preset of the DIS flow.")
    scale: float = Field(1.0, gt=0, le=1, description="The flow is computed on the picture shrunk by this factor.")


class FeaturesConfig(Settings):
    """Deep appearance features of crops."""

    source: str = Field("efficientnet-lite0", description="Feature source: efficientnet-lite0.")
    size: int = Field(64, ge=32, le=224, description="Crops are resized to this many pixels a side.")
    every: int = Field(3, ge=1, description="Along a track, a feature is computed on every so many frames.")


class ClipFeaturesConfig(Settings):
    """Features of whole clips from a network with published weights."""

    network: Literal["c3d", "i3d", "swin"] = Field("i3d", description="Network of clips: c3d, i3d or swin.")
    weights: Path | None = Field(
        None, description="File of its published weights: .safetensors, .pt or .pth; there are none by default."
    )
    random: bool = Field(
        default=False, description="Run the network with random weights, to try it; its features then mean little."
    )
    length: int = Field(16, ge=2, le=256, description="Frames of a clip; c3d takes 16 only.")
    size: int | None = Field(
        None, ge=32, le=512, description="Pixels a side of its frames; by default those it was trained with."
    )


class ScenesConfig(Settings):
    """The scene behind what moves, and whether the camera still sees it."""

    memory: float = Field(10.0, gt=0, description="Seconds over which the view is learned, or the background reaches.")
    hold: float = Field(1.0, ge=0, description="Seconds that a sign must last before its flag is raised or taken down.")
    shift: float = Field(0.02, gt=0, le=1, description="A view that has shifted by this share of its width has moved.")
    contrast: float = Field(0.3, gt=0, lt=1, description="Less of the learned contrast than this is a blocked view.")
    sharpness: float = Field(0.4, gt=0, lt=1, description="Less of the learned sharpness than this is a blurred view.")
    colour: float = Field(6.0, gt=0, description="Change of the mean colourfulness (0..255) when colours go or come.")
    frozen: float = Field(3.0, gt=0, description="The very same picture for so many seconds is a frozen view.")


Corner = tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]]
Polygon = Annotated[tuple[Corner, ...], Field(min_length=3)]
"""Corners x, y in fractions of the picture's width and height."""


class MasksConfig(Settings):
    """Parts of the view."""

    privacy: tuple[Polygon, ...] = Field(
        (), description="Polygons that are blacked out before anything sees the picture: [[[x, y], …], …] in 0..1."
    )
    region: tuple[Polygon, ...] = Field(
        (), description="Polygons of interest: only what stands in one of them counts; none: everywhere."
    )


class PosesConfig(Settings):
    """Poses of people."""

    source: str = Field(
        "network",
        description="Pose source: network (each box on its own), everybody (all at once) or file (given poses).",
    )
    path: Path | None = Field(
        None,
        description="The .npz or .json of given poses, or a folder with a .json a clip; by default poses_training.npz "
        "or poses_testing.npz above a clip.",
    )
    every: int = Field(2, ge=1, description="Along a track, a network looks for the pose on every so many frames.")
    smoothing: float = Field(
        0.1, ge=0, description="Time constant in seconds of the exponential filter along a track; 0 takes poses as is."
    )
    least: float = Field(40.0, ge=1, description="A network is not asked about boxes lower than this many pixels.")
    scale: float = Field(
        1.25, ge=1, le=4, description="Side of the square shown to the network, in longer sides of the box."
    )


class PerceptionConfig(Settings):
    """What is seen in frames before a method looks."""

    masks: MasksConfig = Field(MasksConfig(), description="Privacy masks and the region of interest.")
    boxes: BoxesConfig = Field(BoxesConfig(), description="Boxes.")
    tracks: TracksConfig = Field(TracksConfig(), description="Tracks.")
    flow: FlowConfig = Field(FlowConfig(), description="Optical flow.")
    features: FeaturesConfig = Field(FeaturesConfig(), description="Appearance features.")
    scenes: ScenesConfig = Field(ScenesConfig(), description="Scene and health of the view.")
    clips: ClipFeaturesConfig = Field(ClipFeaturesConfig(), description="Features of clips.")
    poses: PosesConfig = Field(PosesConfig(), description="Poses.")


class ScoringConfig(Settings):
    """From region scores to curves and events."""

    persistence: int = Field(
        3, ge=1, description="A region's score is the mean over its track's last so many frames; 1 takes it as it is."
    )
    smoothing: str = Field(
        "gaussian:3", description="Filter over a clip's frame scores: none, gaussian:SIGMA or median:WIDTH, in frames."
    )
    causal: bool = Field(
        default=False, description="Smooth with the past only, as live footage must; files then give the same numbers."
    )
    holdout: float = Field(
        0.25, gt=0, lt=1, description="Share of the normal footage held back from learning, for calibration."
    )
    budget: str = Field("2/day", description="Alarm budget of a camera: NUMBER/hour, /day or /week.")
    release: float = Field(
        0.6, gt=0, le=1, description="An event closes when the calibrated score falls below this share of its level."
    )
    merge: float = Field(2.0, ge=0, description="Events closer than this many seconds are one.")
    min_seconds: float = Field(0.2, ge=0, description="Events shorter than this many seconds are dropped.")


class ReportConfig(Settings):
    """What is written for people."""

    video: Literal["all", "none"] = Field("all", description="Whether annotated.mp4 is written.")
    events: int = Field(40, ge=1, description="At most so many events, the most severe, get pictures on the page.")


class BenchConfig(Settings):
    """How `amiss bench` measures."""

    cameras: Literal["each", "together"] = Field(
        "each",
        description="One model for each camera of a benchmark, or one for all; cameras without normal footage of their "
        "own always share one.",
    )


class Config(Settings):
    """All settings of a run."""

    footage: FootageConfig = Field(FootageConfig(), description="Reading footage.")
    perception: PerceptionConfig = Field(PerceptionConfig(), description="Perception.")
    method: dict[str, Any] = Field({}, description="Settings of the method, see `amiss methods`.")
    scoring: ScoringConfig = Field(ScoringConfig(), description="Scoring.")
    report: ReportConfig = Field(ReportConfig(), description="Report.")
    bench: BenchConfig = Field(BenchConfig(), description="Benchmarks.")
    device: str = Field("auto", description="Where networks run: auto, cpu, cuda, cuda:1, mps, …")
    seed: int = Field(0, ge=0, description="Seed of everything that draws at random.")
    cache: Path | None = Field(
        None, description="Folder of what perception found; by default AMISS_CACHE or the user's cache folder."
    )


def load_config(file: Path | None = None, sets: Sequence[str] = (), base: Config | None = None) -> Config:
    """The settings of a run.

    Args:
        file: YAML file of settings.
        sets: `key=value` texts, keys with dots; they win over the file.
        base: Settings to begin with in place of the defaults.

    Raises:
        ConfigError: The file cannot be read, a key is unknown, or a value does not fit.
    """
    values = _read_yaml(file) if file else base.model_dump(exclude_unset=True) if base else {}
    for text in sets:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise ConfigError(f"--set takes key=value, not {text!r}")
        _put(values, key.split("."), _parse(value), key)
    return Config.build(values)


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration {file} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"the configuration {file} is not YAML: {' '.join(str(error).split())}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"the configuration {file} is not a mapping of settings")
    return values


def _parse(value: str) -> Any:
    """A value as YAML reads it (numbers, booleans, lists), or as it stands."""
    try:
        return yaml.safe_load(value) if value else ""
    except yaml.YAMLError:
        return value


def _put(values: dict[str, Any], path: list[str], value: Any, key: str) -> None:
    """Write `value` at the nested `path`."""
    for step in path[:-1]:
        values = values.setdefault(step, {})
        if not isinstance(values, dict):
            raise ConfigError(f"there is no setting {key!r}; {step!r} is not a group of settings")
    values[path[-1]] = value


def setting_rows(model: type[Settings], prefix: str = "") -> Iterator[tuple[str, str, Any, str]]:
    """Key, type, default and description of every setting, groups opened up."""
    for name, info in model.model_fields.items():
        if isinstance(info.default, Settings):
            yield from setting_rows(type(info.default), f"{prefix}{name}.")
        elif info.annotation != dict[str, Any]:
            kind = info.annotation.__name__ if isinstance(info.annotation, type) else str(info.annotation)
            kind = kind.replace("typing.", "").replace("pathlib._local.", "").replace("pathlib.", "")
            yield f"{prefix}{name}", kind, info.default, info.description or ""
