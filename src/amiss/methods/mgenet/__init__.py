"""Multilevel guidance and exploration, and behaviour-scene matching."""

from amiss.methods.mgenet.method import Mgenet
from amiss.methods.mgenet.settings import MgenetSettings

__all__ = ["Mgenet", "MgenetSettings"]
