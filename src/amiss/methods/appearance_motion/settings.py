"""Settings of the method `appearance-motion`, and the published ones of each data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, PositiveInt

from amiss.config import Settings

__all__ = ["PRESETS", "AppearanceMotionSettings"]


class AppearanceMotionSettings(Settings):
    """Settings of the method `appearance-motion`."""

    width: int = Field(
        16, ge=4, description="Channels of the outermost level, doubled at each further one; 64 in the paper."
    )
    convolutions: int = Field(
        2, ge=1, le=4, description="Convolutions a level of the appearance encoder and the decoder."
    )
    streams: Literal["both", "appearance", "motion"] = Field("both", description="The encoders that there are.")
    replacement: bool = Field(
        default=True, description="The decoder starts from the motion feature in place of the appearance feature."
    )
    skips: int = Field(3, ge=0, le=3, description="Skip connections, counted from the outermost level.")
    suppression: bool = Field(default=True, description="Memories suppress what the skips carry.")
    memory: tuple[PositiveInt, PositiveInt, PositiveInt] = Field(
        (40, 40, 40), description="Items of each memory, the outermost level first."
    )
    temperature: float = Field(
        1.0, gt=0, description="What cosines are divided by before the softmax over memory items; 1 in the paper."
    )
    alignment: Literal["both", "motion", "none"] = Field(
        "both",
        description="How appearance and motion features are aligned: both learn from it, the motion feature is the "
        "teacher and learns nothing from it, or not at all.",
    )
    flow: Literal["into", "before"] = Field(
        "into", description="The flows into the last four frames, or into the four before the predicted one."
    )
    intensity_weight: float = Field(1.0, ge=0, description="Weight of the intensity loss.")
    gradient_weight: float = Field(1.0, ge=0, description="Weight of the gradient loss.")
    alignment_weight: float = Field(1.0, ge=0, description="Weight of the alignment loss.")
    compactness_weight: float = Field(5e-3, ge=0, description="Weight of the compactness loss.")
    diversity_weight: float = Field(1e-4, ge=0, description="Weight of the diversity loss.")
    margin: float = Field(1.0, ge=0, description="Margin of the diversity loss, which is not bounded without it.")
    error: Literal["relative", "squared"] = Field(
        "relative",
        description="The prediction error: mean squared difference as a share of the target's variance, or as it is.",
    )
    prediction_share: float = Field(0.5, ge=0, description="Weight of the prediction error in the score.")
    consistency_share: float = Field(0.5, ge=0, description="Weight of the inconsistency of the features in the score.")
    examples: int = Field(96, ge=3, description="Normal examples kept to show.")

    @property
    def aligned(self) -> bool:
        """Whether there are two features that learn to agree, so that their inconsistency says something."""
        return self.streams == "both" and self.alignment != "none"


MEDIAN = {"smoothing": "median:17"}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "ped2": {"scoring": MEDIAN},
    "avenue": {"scoring": MEDIAN},
    "shanghaitech": {
        "scoring": MEDIAN,
        "train": {"batch": 384},
        "method": {"alignment_weight": 10.0, "memory": (40, 60, 80)},
    },
}
"""What differs between data sets, as settings of a run: section 3.2, and the median filter of published scores.

The published shares of the two parts are not among them: they go with errors that are not relative.
"""
