"""What there is: methods, data sets, settings, networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from amiss.cli.common import console, settings_table, tell
from amiss.config import Config
from amiss.console import ProgressDisplay

__all__ = ["datasets", "methods", "settings", "weights_get", "weights_list", "weights_verify"]


def methods() -> None:
    """List the methods and their settings."""
    from amiss.methods import METHODS

    for name in METHODS:
        kind = METHODS[name]
        tell(f"{name}: {kind.title}")
        tell(settings_table(kind.settings_type, "method."))


def datasets() -> None:
    """List the datasets that can be read."""
    from amiss.datasets import DATASETS

    table = Table("id", "dataset", "looked for under --root")
    for name in DATASETS:
        table.add_row(name, DATASETS[name].title, DATASETS[name].looked_for)
    tell(table)


def settings() -> None:
    """List all settings for --set and --config."""
    tell(settings_table(Config, ""))


def weights_list() -> None:
    """List the pretrained networks, and where each is."""
    from amiss.perception.weights import WEIGHTS, locate

    for name, weights in WEIGHTS.items():
        places = [locate(file) for file in weights.files]
        where = "absent" if None in places else str(Path(str(places[0])).parent)
        size = sum(file.size for file in weights.files) / 1e6
        tell(f"{name}: {weights.task}")
        tell(f"    {size:.1f} MB, {weights.licence}, {weights.source}: {where}")


def weights_get(name: Annotated[str, typer.Argument(help="A name of `amiss weights list`.")]) -> None:
    """Fetch a network from its official place into the user's cache, unless it is at hand."""
    from amiss.perception.weights import get_weights

    with ProgressDisplay(console()) as progress:
        path = get_weights(name, progress)
    tell(f"{name} is {path}")


def weights_verify() -> None:
    """Compare every file that is here with its published hash."""
    from amiss.errors import WeightsError
    from amiss.perception.weights import WEIGHTS, check, locate

    wrong: list[str] = []
    for file in (file for weights in WEIGHTS.values() for file in weights.files):
        try:
            if place := locate(file):
                check(place, file)
            tell(f"{file.name}: {'as published' if place else 'absent'}")
        except WeightsError as error:
            wrong.append(str(error))
    if wrong:
        raise WeightsError("; ".join(wrong))
