"""Settings of what is seen in frames before a method looks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from amiss.config.base import Settings

__all__ = [
    "BoxesConfig",
    "ClipFeaturesConfig",
    "FeaturesConfig",
    "FlowConfig",
    "MasksConfig",
    "MotionConfig",
    "PerceptionConfig",
    "Polygon",
    "PosesConfig",
    "ScenesConfig",
    "TracksConfig",
]


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
        description="Box source: network, motion (no weights needed), file (given boxes), tracks (given tracks) or "
        "poses (around given poses; those that have a track are all kept); auto is the network where it is at hand, "
        "else motion.",
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
    """Features of blocks of frames."""

    network: Literal["efficientnet-lite0", "c3d", "i3d", "swin"] = Field(
        "efficientnet-lite0",
        description="Network of blocks: efficientnet-lite0 (of pictures, with numbers of motion beside it), or c3d, "
        "i3d or swin, whose weights are not at hand.",
    )
    weights: Path | None = Field(
        None, description="File of its published weights: .safetensors, .pt or .pth; there are none by default."
    )
    random: bool = Field(
        default=False, description="Run the network with random weights, to try it; its features then mean little."
    )
    size: int | None = Field(
        None, ge=32, le=512, description="Pixels a side of its frames; by default 96, or those it was trained with."
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
        "or poses_testing.npz above a clip, or there in pose/train or pose/test NAME_alphapose_tracked_person.json.",
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
