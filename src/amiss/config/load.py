"""Settings from files and from `key=value` texts, and what settings there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from amiss.config.base import Settings
from amiss.config.run import Config
from amiss.errors import ConfigError

__all__ = ["load_config", "merged", "nested", "read_yaml", "setting_rows"]


def load_config(file: Path | None = None, sets: Sequence[str] = (), base: Config | None = None) -> Config:
    """The settings of a run.

    Args:
        file: YAML file of settings; its keys may have dots, too.
        sets: `key=value` texts, keys with dots; they win over the file.
        base: Settings to begin with in place of the defaults.

    Raises:
        ConfigError: The file cannot be read, a key is unknown, or a value does not fit.
    """
    values = read_yaml(file, "configuration") if file else base.model_dump(exclude_unset=True) if base else {}
    return Config.build(nested(sets, nested(values)))


def nested(given: Sequence[str] | Mapping[str, Any], values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Settings as a nested mapping.

    Args:
        given: `key=value` texts, or a mapping; keys may have dots in both.
        values: A nested mapping that they win over.

    Raises:
        ConfigError: A text is not `key=value`, or a key goes below a value.
    """
    found: dict[str, Any] = dict(values or {})
    pairs = given.items() if isinstance(given, Mapping) else map(_pair, given)
    for key, value in pairs:
        found = merged(found, _at(str(key).split("."), value, found, str(key)))
    return found


def _pair(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise ConfigError(f"a setting is given as key=value, not {text!r}")
    return key, _parse(value)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings in one; where both have a value it is that of `above`."""
    shared = {key: value for key, value in above.items() if isinstance(value, Mapping)}
    both = {key: merged(below[key], value) for key, value in shared.items() if isinstance(below.get(key), Mapping)}
    return {**below, **above, **both}


def read_yaml(file: Path, noun: str) -> dict[str, Any]:
    """The mapping in a YAML file, read without making any objects; an empty file is an empty one.

    Args:
        file: To read.
        noun: What the file is called in messages.

    Raises:
        ConfigError: It cannot be read, or is something else.
    """
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the {noun} {file} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"the {noun} {file} is not YAML: {_where(error)}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"the {noun} {file} is not a mapping of keys to values")
    return values


def _where(error: yaml.YAMLError) -> str:
    """Where a file is no YAML, and why; without its text, which may hold a password."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return "it holds a character that is not allowed there"
    place = f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
    why = error.problem or ""
    return f"{why} ({place})" if why and "'" not in why else f"it cannot be read from {place} on"


def _parse(value: str) -> Any:
    """A value as YAML reads it (numbers, booleans, lists), or as it stands."""
    try:
        return yaml.safe_load(value) if value else ""
    except yaml.YAMLError:
        return value


def _at(path: Sequence[str], value: Any, values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """`value` at the nested `path`, which does not lead below a value of `values`."""
    step, *more = path
    if not more:
        return {step: nested(value) if isinstance(value, Mapping) else value}
    below = values.get(step, {})
    if not isinstance(below, Mapping):
        raise ConfigError(f"there is no setting {key!r}; {step!r} is not a group of settings")
    return {step: _at(more, value, below, key)}


def setting_rows(model: type[Settings], prefix: str = "") -> Iterator[tuple[str, str, Any, str]]:
    """Key, type, default and description of every setting, groups opened up."""
    for name, info in model.model_fields.items():
        if isinstance(info.default, Settings):
            yield from setting_rows(type(info.default), f"{prefix}{name}.")
        elif info.annotation != dict[str, Any]:
            kind = info.annotation.__name__ if isinstance(info.annotation, type) else str(info.annotation)
            kind = kind.replace("typing.", "").replace("pathlib._local.", "").replace("pathlib.", "")
            yield f"{prefix}{name}", kind, info.default, info.description or ""
