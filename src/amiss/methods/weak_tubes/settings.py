"""Settings of the method `weak-tubes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from amiss.methods.weak.network import Relations
from amiss.methods.weak.settings import WeakSettings

__all__ = ["PRESETS", "WeakTubesSettings"]


class WeakTubesSettings(WeakSettings):
    """Settings of the method `weak-tubes`."""

    branches: Literal["both", "tube", "temporal"] = Field("both", description="Branches that learn and score.")
    relations: Relations = Field(
        "attention", description="How instances see each other: attention, graph (convolution), or none."
    )
    ranking: Literal["guided", "plain", "none"] = Field(
        "guided", description="Ranking loss: guided by the other branch, plain, or none."
    )
    entropy: float = Field(1.0, ge=0, description="Weight of the cross-entropy of the highest instances.")
    frames: Literal["tubes", "segments"] = Field(
        "tubes",
        description="What a frame is scored by: tubes in it, or, as for the published frame AUC, its segment of time.",
    )


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "ped2": {"method": {"unary": 30, "multivariate": 15}},
    "ucf-crime": {"method": {"frames": "segments"}},
    "world": {"method": {"unary": 32, "multivariate": 16}},
}
"""What a data set needs: the paper scores frames of UCF-Crime by segments (appendix F), Ped2 has ten frames a second,
and whoever runs through the world is gone in two seconds."""
