"""The places there are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from amiss.errors import ConfigError
from amiss.footage.world.crossing import CROSSING
from amiss.footage.world.office import OFFICE
from amiss.footage.world.place import Place
from amiss.footage.world.platform import PLATFORM
from amiss.footage.world.plaza import PLAZA

__all__ = ["PLACES", "find_place"]

PLACES: Mapping[str, Place] = MappingProxyType({place.name: place for place in (PLAZA, PLATFORM, CROSSING, OFFICE)})
"""Every place by its name, with the tables of what is normal in it (`normal`) and what is not (`abnormal`)."""


def find_place(name: str) -> Place:
    """The place called `name`.

    Raises:
        ConfigError: There is none; the message lists those that there are.
    """
    if name not in PLACES:
        raise ConfigError(f"there is no place {name!r} in the world; choose one of: {', '.join(PLACES)}")
    return PLACES[name]
