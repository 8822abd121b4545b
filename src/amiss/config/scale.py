"""Settings of work that is spread over processes or machines."""

from __future__ import annotations

from pydantic import Field

from amiss.config.base import Settings

__all__ = ["ScaleConfig"]


class ScaleConfig(Settings):
    """How work is spread with `--on`."""

    workers: int | None = Field(
        None, ge=1, description="Workers that each take one core; by default as many as there are cores."
    )
    part: float = Field(
        1800.0,
        ge=0,
        description="Longer footage is cut into parts of about so many seconds, at key frames; 0 never cuts, so that "
        "scores are exactly those of one process.",
    )
    overlap: float = Field(
        60.0, ge=0, description="A part begins so many seconds early, so that tracks and backgrounds are known."
    )
    attempts: int = Field(
        3, ge=1, description="A piece of work that ended its worker, or that one could not reach, is tried so often."
    )
    keep: bool = Field(default=False, description="Whether what workers saw stays in the cache after a clip is scored.")
