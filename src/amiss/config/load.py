"""Settings from files and from `key=value` texts, and what settings there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from amiss.config.base import Settings
from amiss.config.run import Config
from amiss.errors import ConfigError

__all__ = ["load_config", "setting_rows"]


def load_config(file: Path | None = None, sets: Sequence[str] = (), base: Config | None = None) -> Config:
    """The settings of a run.

    Args:
        file: YAML file of settings.
        sets: `key=value` texts, keys with dots; they win over the file.
        base: Settings to begin with in place of the defaults.

    Raises:
        ConfigError: The file cannot be read, a key is unknown, or a value does not fit.
    """
    values = _read_yaml(file) if file else base.model_dump(exclude_unset=True) if base else {}
    for text in sets:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise ConfigError(f"--set takes key=value, not {text!r}")
        _put(values, key.split("."), _parse(value), key)
    return Config.build(values)


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration {file} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"the configuration {file} is not YAML: {' '.join(str(error).split())}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"the configuration {file} is not a mapping of settings")
    return values


def _parse(value: str) -> Any:
    """A value as YAML reads it (numbers, booleans, lists), or as it stands."""
    try:
        return yaml.safe_load(value) if value else ""
    except yaml.YAMLError:
        return value


def _put(values: dict[str, Any], path: list[str], value: Any, key: str) -> None:
    """Write `value` at the nested `path`."""
    for step in path[:-1]:
        values = values.setdefault(step, {})
        if not isinstance(values, dict):
            raise ConfigError(f"there is no setting {key!r}; {step!r} is not a group of settings")
    values[path[-1]] = value


def setting_rows(model: type[Settings], prefix: str = "") -> Iterator[tuple[str, str, Any, str]]:
    """Key, type, default and description of every setting, groups opened up."""
    for name, info in model.model_fields.items():
        if isinstance(info.default, Settings):
            yield from setting_rows(type(info.default), f"{prefix}{name}.")
        elif info.annotation != dict[str, Any]:
            kind = info.annotation.__name__ if isinstance(info.annotation, type) else str(info.annotation)
            kind = kind.replace("typing.", "").replace("pathlib._local.", "").replace("pathlib.", "")
            yield f"{prefix}{name}", kind, info.default, info.description or ""
