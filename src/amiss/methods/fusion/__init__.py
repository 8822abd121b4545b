"""The method `fusion`."""

from amiss.methods.fusion.method import Fusion
from amiss.methods.fusion.settings import FusionSettings

__all__ = ["Fusion", "FusionSettings"]
