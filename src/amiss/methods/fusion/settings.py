"""Settings of the method `fusion`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from amiss.config import Settings
from amiss.scoring.fuse import Rule

__all__ = ["FusionSettings"]


class FusionSettings(Settings):
    """Settings of the method `fusion`."""

    members: tuple[str, ...] = Field(
        ("attributes", "appearance-motion"),
        min_length=2,
        description="The methods that are fused: ids, or for `amiss learn` folders of models that have learned already "
        "from one and the same footage of this camera.",
    )
    settings: dict[str, dict[str, Any]] = Field(
        {}, description="By the id of a member, its settings: method.settings.attributes.parts=[velocity]."
    )
    combine: Rule = Field(
        "brown",
        description="How the tail probabilities of a region become one: brown (Fisher's sum by the dependence that "
        "normal footage shows), stouffer (normal scores, likewise), cauchy, minimum, or fisher (as if independent).",
    )
    weights: Literal["steady", "equal"] = Field(
        "steady",
        description="A member counts less whose normal scores differ from one stretch of time to another, or all count "
        "the same.",
    )
    holdout: float = Field(
        0.25,
        gt=0,
        lt=1,
        description="Share of what is learned from that no member learns from at first: it gives their tail "
        "probabilities. What scoring.holdout holds back is apart from it, and sets the level of events.",
    )

    @field_validator("members")
    @classmethod
    def _differ(cls, members: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(members)) < len(members):
            raise ValueError("a method is named twice")
        return members
