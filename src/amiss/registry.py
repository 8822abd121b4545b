"""From an id to the thing it names. A registry is filled by explicit lines of code, and by entry points."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from amiss.errors import ConfigError, RegistryError

__all__ = ["Registry"]

Item = TypeVar("Item")


class Registry(Generic[Item]):
    """Ids and what they name.

    Args:
        noun: What the items are called in messages, such as "method".
        group: Entry point group through which other packages add items.
    """

    def __init__(self, noun: str, group: str | None = None) -> None:
        self.noun = noun
        self._group = group
        self._items: dict[str, Item] = {}

    def add(self, name: str, item: Item) -> None:
        """Make `item` known as `name`.

        Raises:
            RegistryError: The id is taken.
        """
        if name in self._items:
            raise RegistryError(f"the {self.noun} {name!r} is registered twice")
        self._items[name] = item

    def load_entry_points(self) -> None:
        """Add what other installed packages offer under the entry point group.

        Raises:
            RegistryError: One of them takes an id that is taken.
        """
        for point in entry_points(group=self._group) if self._group else ():
            self.add(point.name, point.load())

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._items))

    def __getitem__(self, name: str) -> Item:
        """What `name` stands for.

        Raises:
            ConfigError: There is no such id; the message lists those that there are.
        """
        if name not in self._items:
            raise ConfigError(f"there is no {self.noun} {name!r}; choose one of: {', '.join(self)}")
        return self._items[name]
