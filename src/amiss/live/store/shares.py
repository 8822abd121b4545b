"""How many cameras each of several shards is to have."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["shares"]


def shares(held: Mapping[str, int], count: int) -> dict[str, int]:
    """A fair share for each, equal but for one; those that have most get the larger ones, so that few things move.

    Args:
        held: How many each has, by name.
        count: How many there are to be shared.
    """
    if not held:
        return {}
    each, more = divmod(count, len(held))
    order = sorted(held, key=lambda name: (-held[name], name))
    return {name: each + (place < more) for place, name in enumerate(order)}
