"""The method `weak-tubes`: tubes in space and time from video labels alone, by mutually guided branches."""

from amiss.methods.weak_tubes.method import WeakTubes
from amiss.methods.weak_tubes.settings import WeakTubesSettings

__all__ = ["WeakTubes", "WeakTubesSettings"]
