"""The exception tree is the one drawn at the top of the module, with the exit statuses it states."""

from __future__ import annotations

import inspect
import re

import pytest

from amiss import errors
from amiss.errors import AmissError, InputError

CLASSES = {name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AmissError)}


def drawn() -> dict[str, str]:
    """Class → its base, as the tree in the docstring draws them."""
    bases, tree = ["AmissError"], {}
    for line in (errors.__doc__ or "").splitlines():
        if found := re.search(r"[├└]── (\w+)", line):
            depth = found.start() // 4
            bases[depth:] = [found[1]]
            tree[found[1]] = bases[depth - 1]
    return tree


def test_the_tree_is_drawn_as_it_is() -> None:
    assert drawn() == {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items() if kind is not AmissError}


def test_all_errors_are_public_and_documented() -> None:
    assert sorted(CLASSES) == sorted(errors.__all__)
    assert all(kind.__doc__ for kind in CLASSES.values())


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_what_the_user_can_mend_exits_with_two(name: str) -> None:
    assert CLASSES[name].exit_status == (2 if issubclass(CLASSES[name], InputError) else 1)
