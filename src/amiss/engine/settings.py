"""Which settings a result was made with, beside those that everything has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amiss.config import Config
from amiss.methods import METHODS

__all__ = ["changed_settings"]

ASIDE = ("cache", "device", "report", "seed")
"""Groups that take no part in a result, or are told elsewhere."""


def changed_settings(method: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that differ from their defaults, by their whole key; those of a preset are among them.

    Args:
        method: Id of the method; defaults of one that is not installed are not known, so that all it has are told.
        config: As a result has it.
    """
    defaults = Config().model_dump(mode="json")
    if method in list(METHODS):
        defaults["method"] = METHODS[method].settings_type().model_dump(mode="json")
    given = {key: value for key, value in config.items() if key not in ASIDE}
    return dict(_changed(given, defaults, ""))


def _changed(values: Mapping[str, Any], defaults: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        usual = defaults.get(key)
        if isinstance(value, Mapping):
            yield from _changed(value, usual if isinstance(usual, Mapping) else {}, f"{prefix}{key}.")
        elif key not in defaults or value != usual:
            yield f"{prefix}{key}", value
