"""A registry knows what it was told, refuses an id twice, and says what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from amiss import registry
from amiss.errors import ConfigError, RegistryError
from amiss.registry import Registry


@dataclass(frozen=True)
class Point:
    """What an installed package offers."""

    name: str
    value: Any

    def load(self) -> Any:
        return self.value


def test_an_id_gives_its_item() -> None:
    shapes: Registry[int] = Registry("shape")
    shapes.add("square", 4)
    shapes.add("line", 2)
    assert shapes["square"] == 4
    assert list(shapes) == ["line", "square"]


def test_an_id_is_taken_once() -> None:
    shapes: Registry[int] = Registry("shape")
    shapes.add("square", 4)
    with pytest.raises(RegistryError, match="shape 'square'"):
        shapes.add("square", 5)
    assert shapes["square"] == 4


def test_an_unknown_id_lists_what_there_is() -> None:
    shapes: Registry[int] = Registry("shape")
    shapes.add("square", 4)
    shapes.add("line", 2)
    with pytest.raises(ConfigError, match=r"no shape 'circle'; choose one of: line, square"):
        shapes["circle"]


def test_other_packages_add_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [Point("hexagon", 6)] if group == "amiss.shapes" else []
    )
    shapes: Registry[int] = Registry("shape", group="amiss.shapes")
    shapes.load_entry_points()
    assert shapes["hexagon"] == 6
    with pytest.raises(RegistryError):
        shapes.load_entry_points()


def test_without_a_group_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda **_: [Point("hexagon", 6)])
    shapes: Registry[int] = Registry("shape")
    shapes.load_entry_points()
    assert list(shapes) == []
