"""Settings that methods share which learn from the labels of whole videos."""

from __future__ import annotations

from pydantic import Field

from amiss.config import Settings
from amiss.windows.tubing import Linking

__all__ = ["WeakSettings"]


class WeakSettings(Settings):
    """How videos become bags of instances, and how frames are scored."""

    overlap: float = Field(0.1, ge=0, lt=1, description="Boxes overlapping more than this (IoU) are linked to tubes.")
    weight: float = Field(2.0, ge=0, description="Weight of overlap beside confidence where several boxes may be next.")
    unary: int = Field(100, ge=1, description="Frames from which a tube of one object counts.")
    multivariate: int = Field(
        50, ge=0, description="Frames from which a tube of objects that touch counts; 0: there are no such tubes."
    )
    block: int = Field(16, ge=4, description="Frames of a block, the time over which a feature is taken.")
    features: int = Field(256, ge=8, description="Principal components that features are reduced to.")
    part: float = Field(2.0, gt=0, description="Seconds of the parts of a tube that are scored.")
    horizon: float = Field(20.0, gt=0, description="Seconds of the past that are looked at live, for tubes too.")
    steps: int = Field(1000, ge=1, description="Steps of training, in each of which batches of pairs take part.")
    batch: int = Field(30, ge=1, description="Pairs of an abnormal and a normal video in a step.")
    memory: int = Field(
        2048, ge=0, description="Normal instances kept that came after training; what is like them counts as normal."
    )
    examples: int = Field(64, ge=3, description="Normal examples kept to show.")

    @property
    def linking(self) -> Linking:
        """How boxes become tubes."""
        return Linking(self.overlap, self.weight, self.unary, self.multivariate)
