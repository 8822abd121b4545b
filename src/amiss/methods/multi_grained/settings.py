"""Settings of the method `multi-grained`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from amiss.config import Settings

__all__ = ["DRAWING", "PRESETS", "MultiGrainedSettings"]

DRAWING = ("unet", "memory", "convgru")
"""Backbones that draw frames and have an objective of their own."""


class MultiGrainedSettings(Settings):
    """Settings of the method `multi-grained`."""

    backbone: Literal["i3d", "objects", "unet", "memory", "convgru"] = Field(
        "i3d",
        description="The network under the heads: I3D, a small one for object cubes, or one that draws frames: a "
        "U-Net, a memory-augmented autoencoder, a recurrent one with several paths.",
    )
    windows: Literal["clips", "cubes"] = Field("clips", description="Clips of whole frames, or object cubes.")
    pace: int = Field(
        1, ge=1, description="Clips take every so many-th frame: 1 for 10 frames a second, 2 for 25, 3 for 30."
    )
    rows: int = Field(160, ge=32, multiple_of=16, description="Pixels that frames of clips are brought to, down.")
    columns: int = Field(240, ge=32, multiple_of=16, description="Pixels that frames of clips are brought to, across.")
    size: int = Field(64, ge=32, multiple_of=16, description="Pixels a side of object cubes.")
    width: float = Field(0.25, gt=0, le=1, description="Share of the backbone's published channels.")
    weights: Path | None = Field(None, description="Published weights of I3D, which has its whole width then.")
    features: int = Field(64, ge=4, description="Numbers that a cell of a frame is encoded in, to be estimated.")
    crop: int = Field(
        64, ge=0, multiple_of=16, description="Training takes squares of so many pixels out of clips; 0: whole frames."
    )
    static: float = Field(
        1.5, ge=0, description="Cells that change by fewer grey levels from frame to frame take no part in training."
    )
    continuity: float = Field(1.0, ge=0, description="Weight of continuity judgment: is a frame missing?")
    localization: float = Field(1.0, ge=0, description="Weight of discontinuity localization: where is it missing?")
    estimation: float = Field(1.0, ge=0, description="Weight of missing-frame estimation: what was in it?")
    own: float = Field(1.0, ge=0, description="Weight of the objective of a backbone that draws frames.")
    continuity_share: float | None = Field(
        None, ge=0, description="Weight of continuity judgment in the score; by default that of its loss."
    )
    localization_share: float | None = Field(
        None, ge=0, description="Weight of discontinuity localization in the score, likewise."
    )
    estimation_share: float | None = Field(
        None, ge=0, description="Weight of missing-frame estimation in the score, likewise."
    )
    own_share: float | None = Field(None, ge=0, description="Weight of the own objective in the score, likewise.")
    near: int = Field(
        5,
        ge=1,
        description="Maps are averaged over squares of so many cells of 8 pixels a side, about what people fill.",
    )
    temperature: float = Field(0.1, gt=0, description="What cosines are divided by in the contrastive loss.")
    examples: int = Field(64, ge=3, description="Normal examples kept to show.")

    @property
    def draws(self) -> bool:
        """Whether the backbone draws frames, and has an objective of its own."""
        return self.backbone in DRAWING


PRESETS: Mapping[str, Mapping[str, Any]] = {"world": {"method": {"pace": 2}}}
"""What a data set needs: of the world's 25 frames a second, next to nothing moves from one to the next."""
