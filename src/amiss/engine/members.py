"""Models that have learned already, as members of a fusion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from amiss.config import Config
from amiss.engine.model import Model
from amiss.errors import ConfigError, FootageError
from amiss.footage import Footage
from amiss.methods import METHODS, Method
from amiss.methods.fusion import Fusion, FusionSettings

__all__ = ["Adopted", "adopted"]

SAME = ("footage", "perception")
"""Groups of settings in which all members have to agree: what they see is seen once for all of them."""
KNOWN = {"clips": "clips", "footage": "footage", "frames": "frames", "seconds": "seconds", "picture": "picture size"}
"""What a model tells of its footage, and what it is called."""


@dataclass(frozen=True, eq=False)
class Adopted:
    """Fitted members of a fusion.

    Attributes:
        config: Settings of the run, in which ids stand for the folders, and all that was learned with is as it was.
        models: The members, by the ids of their methods.
    """

    config: Config
    models: Mapping[str, Model]

    def join(self, method: Method) -> None:
        """Let a fusion take them."""
        if isinstance(method, Fusion) and self.models:
            counts = [len(model.examples) for model in self.models.values()]
            method.adopt({name: model.method for name, model in self.models.items()}, counts)

    @property
    def examples(self) -> dict[str, bytes]:
        """The pictures of normal examples of all members, `0000.jpg` and on."""
        starts = accumulate((len(model.examples) for model in self.models.values()), initial=0)
        return {
            f"{start + number:04d}.jpg": model.examples[name]
            for start, model in zip(starts, self.models.values(), strict=False)
            for number, name in enumerate(sorted(model.examples))
        }

    def check(self, footage: Sequence[Footage]) -> None:
        """Whether the footage can tell how rare the members' scores are.

        Raises:
            FootageError: A member has learned from a clip of it, or its pictures are of another size.
        """
        for name, model in self.models.items():
            known = set(model.learned.get("footage", ()))
            if seen := [item.name for item in footage if item.fingerprint() in known]:
                raise FootageError(
                    f"{name} has learned from {seen[0]}, so its scores there are no example of normal ones; give other "
                    "normal footage of the same camera, or the id of the method in place of its folder"
                )
            size = model.learned.get("picture")
            if footage and size and picture_size(footage[0]) not in (None, size):
                raise FootageError(
                    f"{name} was learned from pictures of {size[0]} x {size[1]} pixels, and {footage[0].name} has "
                    "others; give footage of the same camera"
                )


def other_sizes(footage: Sequence[Footage], size: Sequence[int] | None = None) -> str:
    """A sentence on clips whose pictures have another size than was learned from, or than the first; else nothing.

    Args:
        footage: The clips.
        size: Width and height; of the first clip by default.

    Raises:
        FootageError: A first picture cannot be read.
    """
    found = {item.name: picture_size(item) for item in footage}
    size = list(size) if size else next((one for one in found.values() if one), None)
    others = {name: one for name, one in found.items() if one and one != size}
    if not others or size is None:
        return ""
    name, (width, height) = next(iter(others.items()))
    more = f", as {len(others) - 1} more have others," if len(others) > 1 else ""
    return (
        f"{name} has pictures of {width}x{height} pixels{more} and not of {size[0]}x{size[1]} as what was learned "
        "from: sizes and speeds are compared as they are, so scores mean little there; bring all to one size"
    )


def picture_size(footage: Footage) -> list[int] | None:
    """Width and height of the pictures, None where there are none.

    Raises:
        FootageError: The first picture cannot be read.
    """
    first = next(iter(footage), None) if hasattr(footage, "__iter__") else None
    return None if first is None else [*first.size]


def adopted(method: str, config: Config) -> Adopted:
    """The members of a fusion that are named by the folders of models, if any are.

    Args:
        method: Id of the method; none but `fusion` has any.
        config: Settings of the run.

    Raises:
        ConfigError: Some members are ids and some folders; they were learned from different footage, or with different
            settings of perception, or others than those of the run; or settings are given for them.
        ModelError: A folder is no model.
    """
    if METHODS[method] is not Fusion:
        return Adopted(config, {})
    given = FusionSettings.build(config.method, prefix="method.")
    folders = [name for name in given.members if name not in list(METHODS) and Path(name).is_dir()]
    if not folders:
        return Adopted(config, {})
    if len(folders) < len(given.members):
        learned = next(name for name in given.members if name not in folders)
        raise ConfigError(
            f"method.members names the model {folders[0]} and also {learned}, which is no folder; members learn from "
            "one and the same footage: give ids of methods alone, or folders of models alone"
        )
    models = {folder: Model.load(folder) for folder in folders}
    _check_alike(models)
    _check_settings(config, next(iter(models.items())))
    return _settled(config, given, models)


def _check_alike(models: Mapping[str, Model]) -> None:
    """Whether all models were learned from the same footage, seen in the same way."""
    (first, one), *others = models.items()
    for folder, other in others:
        for key, what in KNOWN.items():
            if one.learned.get(key) != other.learned.get(key):
                raise ConfigError(
                    f"{first} and {folder} were learned from different footage (their {what} differ); learn all "
                    "members from the same footage of one camera"
                )
        for key, value, theirs in _differences(_seen(one.config), _seen(other.config)):
            raise ConfigError(
                f"{first} was learned with {key}={value} and {folder} with {theirs}; learn all members with the same "
                "settings of footage and perception"
            )


def _check_settings(config: Config, member: tuple[str, Model]) -> None:
    """Whether no setting is given that contradicts what a member was learned with."""
    folder, model = member
    given = config.model_dump(mode="json", exclude_unset=True, include=set(SAME))
    for key, value, theirs in _differences(given, _seen(model.config)):
        raise ConfigError(f"{key} is {value}, and {folder} was learned with {theirs}; leave it out")


def _seen(config: Config) -> dict[str, Any]:
    """All that takes part in what is seen."""
    return config.model_dump(mode="json", include=set(SAME))


def _differences(
    some: Mapping[str, Any], others: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """The whole keys, and both values, of what differs from others, among what is there."""
    for key, value in some.items():
        if isinstance(value, Mapping) and isinstance(others.get(key), Mapping):
            yield from _differences(value, others[key], f"{prefix}{key}.")
        elif value != others.get(key):
            yield f"{prefix}{key}", value, others.get(key)


def _settled(config: Config, given: FusionSettings, models: Mapping[str, Model]) -> Adopted:
    """With ids in place of folders, and the settings of members as they were learned with."""
    members = {model.method.id: model for model in models.values()}
    if len(members) < len(models) or given.settings:
        why = "two of method.members are of the same method" if len(members) < len(models) else "method.settings is set"
        raise ConfigError(
            f"{why}, and folders of models bring settings of their own, one for each method; leave one out"
        )
    settings = {name: model.method.settings.model_dump(mode="json") for name, model in members.items()}
    fused = given.model_dump(mode="json") | {"members": [*members], "settings": settings}
    seen = {key: getattr(next(iter(models.values())).config, key) for key in SAME}
    return Adopted(config.model_copy(update={"method": fused, **seen}), members)
