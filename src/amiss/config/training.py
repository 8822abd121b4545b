"""Settings of the training loop."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from amiss.config.base import Settings

__all__ = ["TrainConfig"]


class TrainConfig(Settings):
    """How methods that train networks are trained; what is left open is as the method plans it."""

    epochs: int | None = Field(None, ge=1, description="Passes over the windows; by default as the method plans.")
    batch: int | None = Field(None, ge=1, description="Windows a step, at most; by default as the method plans.")
    rate: float | None = Field(None, gt=0, description="Learning rate; by default as the method plans.")
    schedule: Literal["step", "cosine", "constant"] = Field(
        "step", description="The rate over the epochs: step (the method's plan), cosine (down to nothing) or constant."
    )
    clip: float | None = Field(
        None,
        ge=0,
        description="A gradient with a larger norm than this is scaled down to it, 0: none; by default as the method "
        "plans.",
    )
    precision: Literal["auto", "32", "bf16"] = Field(
        "auto",
        description="Numbers of 32 bits, or bf16 where that will do; auto: bf16 if the device computes in it.",
    )
    devices: int = Field(
        1, ge=1, description="Devices of the kind of `device`, or processes on a CPU, that share every batch."
    )
    holdout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the windows kept from training, to choose by: whole clips, or the end of each of few.",
    )
    choose: Literal["best", "last"] = Field(
        "best", description="The state that is kept: of the epoch of least loss on what was held out, or of the last."
    )
    save_seconds: float = Field(
        300.0, ge=0, description="Within an epoch, a checkpoint is written when so many seconds have passed."
    )
