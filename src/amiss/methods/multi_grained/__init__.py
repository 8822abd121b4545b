"""Three proxy tasks on clips: whether a frame is missing, where it is missing, and what was in it."""

from amiss.methods.multi_grained.method import MultiGrained
from amiss.methods.multi_grained.settings import MultiGrainedSettings

__all__ = ["MultiGrained", "MultiGrainedSettings"]
