"""Synthetic places with full truth: footage that can be made anywhere, of which everything is known."""

from amiss.footage.world.footage import World
from amiss.footage.world.places import PLACES
from amiss.footage.world.truth import Scene
from amiss.footage.world.writer import write_world

__all__ = ["PLACES", "Scene", "World", "write_world"]
