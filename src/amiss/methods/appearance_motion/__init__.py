"""Two-stream prediction of object cubes with memory-guided suppression of skip connections."""

from amiss.methods.appearance_motion.method import AppearanceMotion
from amiss.methods.appearance_motion.settings import AppearanceMotionSettings

__all__ = ["AppearanceMotion", "AppearanceMotionSettings"]
