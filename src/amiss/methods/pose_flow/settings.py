"""Settings of the method `pose-flow`, and the published ones of each data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from amiss.config import Settings

__all__ = ["PRESETS", "PoseFlowSettings"]


class PoseFlowSettings(Settings):
    """Settings of the method `pose-flow`."""

    length: int = Field(24, ge=2, description="Frames of a segment.")
    stride: int = Field(6, ge=1, description="It learns from segments at every so many-th frame; all are scored.")
    missing: int = Field(2, ge=0, description="In so many frames of a segment the person may be without a pose.")
    at: Literal["middle", "last"] = Field(
        "middle", description="The frame of a segment that has its score; live it is always the last."
    )
    ends: bool = Field(
        default=True,
        description="The first and the last segment of a track speak for its frames before and after, too; not live.",
    )
    steps: int = Field(8, ge=1, description="Flow steps.")
    hops: int = Field(8, ge=0, description="Links of the body that the graph convolutions reach across.")
    kernel: int = Field(13, ge=1, description="Frames that the convolutions over time span, an odd number.")
    mixing: Literal["reversal", "learned"] = Field(
        "reversal", description="Before a coupling x and y are swapped, or mixed by a learned matrix."
    )
    rectified: bool = Field(
        default=True, description="Couplings end with a ReLU, so that each only shrinks and shifts one way."
    )
    whitening: bool = Field(
        default=True, description="Segments are made uncorrelated over frames and joints first; not so in the paper."
    )
    mean: float = Field(
        3.0, description="Mean of the prior of normal segments; that of labelled abnormal ones is its negative."
    )
    abnormal: Path | None = Field(
        None,
        description="An .npz of labelled abnormal segments to learn from as well: `pose` (N, length, 17, 3) x, y in "
        "pixels and confidence, and `size` (N, 2), width and height of the picture.",
    )
    flip: bool = Field(default=True, description="Half of the segments, drawn at random, are learned from mirrored.")
    updates: int = Field(
        2000, ge=0, description="Epochs are added to those planned until there are so many training steps."
    )
    confidence: float = Field(
        0.2, ge=0, le=1, description="A joint less sure than this is taken between where it was and will be sure."
    )
    joints: int = Field(
        14, ge=1, le=17, description="A segment with fewer sure joints, on average, says nothing and counts as normal."
    )
    examples: int = Field(96, ge=3, description="Normal examples kept to show.")


PUBLISHED: Mapping[str, Any] = {"updates": 0, "confidence": 0.0, "joints": 1, "whitening": False, "ends": False}
RUN: Mapping[str, Any] = {
    "train": {"holdout": 0.0, "choose": "last"},
    "scoring": {"smoothing": "cascade:6", "persistence": 1},
    "bench": {"cameras": "together"},
}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "shanghaitech": {"method": PUBLISHED, **RUN},
    "ubnormal": {"method": {**PUBLISHED, "length": 16, "kernel": 9}, **RUN},
}
"""What is published for a data set, as settings of a run."""
