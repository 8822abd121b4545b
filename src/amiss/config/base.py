"""What all groups of settings have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from amiss.errors import ConfigError

__all__ = ["Settings"]


class Settings(BaseModel):
    """Base of all groups of settings: unknown keys are refused, values are checked and never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
    hidden: ClassVar[frozenset[str]] = frozenset()
    """Keys in this group, or in groups below it, whose values no message may repeat."""

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
    problems = error.errors()
    unknown = [one for one in problems if one["type"] == "extra_forbidden"]
    # what is missing may only be misspelt
    problem = unknown[0] if unknown and problems[0]["type"] == "missing" else problems[0]
    place = [str(item) for item in problem["loc"]]
    key = prefix + ".".join(place)
    if problem["type"] == "missing":
        return f"{key} is missing; give it a value"
    if problem["type"] != "extra_forbidden":
        given = _shown(problem["input"], place, model.hidden)
        return f"{key} does not take {given}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
    for step in place[:-1]:
        field = model.model_fields.get(step)  # none for the name of one of several groups
        model = _group(field.annotation) or model if field else model
    return f"there is no setting {key!r}; the keys there are: {', '.join(sorted(model.model_fields))}"


def _group(annotation: Any) -> type[Settings] | None:
    """The group that a field is, or has several of."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    return next((group for inner in get_args(annotation) if (group := _group(inner))), None)


def _shown(given: Any, place: Sequence[str], hidden: frozenset[str]) -> str:
    """What was given, unless it is or may hold something secret."""
    secret = hidden & set(place) or (hidden and isinstance(given, Mapping | list | tuple))
    return "this" if secret else repr(given)
