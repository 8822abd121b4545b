"""Settings of the method `mil-ranking`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from amiss.methods.weak.settings import WeakSettings

__all__ = ["MilRankingSettings"]


class MilRankingSettings(WeakSettings):
    """Settings of the method `mil-ranking`."""

    instances: Literal["segments", "tubes"] = Field(
        "segments", description="What is ranked: the 32 segments of a video, or its tubes, for which boxes are needed."
    )
    smooth: float = Field(8e-5, ge=0, description="Weight of differences between neighbouring segments.")
    sparse: float = Field(8e-5, ge=0, description="Weight of the sum of scores of an abnormal video.")
