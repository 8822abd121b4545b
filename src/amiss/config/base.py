"""What all groups of settings have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from amiss.errors import ConfigError

__all__ = ["Settings"]


class Settings(BaseModel):
    """Base of all groups of settings: unknown keys are refused, values are checked and never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @classmethod
    def build(cls, values: Mapping[str, Any], prefix: str = "") -> Self:
        """The settings with `values` in place of defaults.

        Args:
            values: Nested mapping of keys to values; text is converted to a field's type.
            prefix: Put before the keys in messages.

        Raises:
            ConfigError: An unknown key, or a value that the key does not take.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(_first_problem(error, cls, prefix)) from None


def _first_problem(error: ValidationError, model: type[Settings], prefix: str) -> str:
    """One line on the first thing that is wrong."""
    problem = error.errors()[0]
    place = [str(item) for item in problem["loc"]]
    key = prefix + ".".join(place)
    if problem["type"] == "missing":
        return f"{key} is missing; give it a value"
    if problem["type"] != "extra_forbidden":
        return f"{key} does not take {problem['input']!r}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
    for step in place[:-1]:
        group = model.model_fields[step].annotation
        if isinstance(group, type) and issubclass(group, Settings):
            model = group
    return f"there is no setting {key!r}; the keys there are: {', '.join(sorted(model.model_fields))}"
