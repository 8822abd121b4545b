"""The rows of a table: several methods, or one with several settings, as in a paper's ablations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from amiss.config import Config, Settings, merged, nested, read_yaml
from amiss.datasets import DATASETS
from amiss.engine.bench import with_preset
from amiss.errors import ConfigError
from amiss.methods import METHODS

__all__ = ["Row", "Sweep", "read_sweep", "row_folder", "rows_of_methods"]
ALL = "all"


def _given(settings: object) -> object:
    texts = isinstance(settings, list) and all(isinstance(text, str) for text in settings)
    if texts or isinstance(settings, dict):
        return settings
    raise ValueError("settings are a mapping, or a list of key=value")


def _printed(numbers: object) -> object:
    """By data set, where numbers that stand for themselves are of all."""
    if not isinstance(numbers, dict):
        return numbers
    groups = {str(name): value for name, value in numbers.items() if isinstance(value, dict)}
    own = {name: value for name, value in numbers.items() if not isinstance(value, dict)}
    return {**groups, ALL: {**groups.get(ALL, {}), **own}}


Given = Annotated[Any, AfterValidator(_given)]
"""Settings as a file has them: a mapping, or `key=value` texts."""
Numbers = Annotated[dict[str, dict[str, float]], BeforeValidator(_printed)]
"""By data set or `ALL`, and by metric."""


def row_folder(name: str) -> str:
    """The folder of a row: letters, digits, `_` and `.` of its name, and `-` for all between them."""
    return re.sub(r"[^\w.]+", "-", name).strip("-.")


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        name: As the table shows it.
        method: Id of the method.
        config: All settings of the row, before what the method has as a preset for the data set.
        paper: The paper's numbers for the row by metric, as printed: in per cent where papers print per cent. None
            where nobody was asked for them.
    """

    name: str
    method: str
    config: Config
    paper: Mapping[str, float] | None = None

    @property
    def folder(self) -> str:
        """The name of its folder."""
        return row_folder(self.name)


@dataclass(frozen=True)
class Sweep:
    """Rows, and what is said of them together.

    Attributes:
        rows: At least one, with different names.
        title: Heading of the table; empty for none.
        source: Where the paper's numbers are printed; empty where there are none.
    """

    rows: Sequence[Row]
    title: str = ""
    source: str = ""


class _RowOfFile(Settings):
    """A row as the file has it."""

    name: str = Field(min_length=1, max_length=80)
    method: str = ""
    settings: Given = Field({})
    paper: Numbers = Field({}, validate_default=False)


class _File(Settings):
    """A whole file; its rows are looked at one by one, so that an error can name them."""

    title: str = ""
    source: str = ""
    method: str = ""
    settings: Given = Field({})
    rows: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]


def rows_of_methods(methods: Sequence[str], config: Config, dataset: str) -> Sweep:
    """A row for each method, named by it.

    Args:
        methods: Ids of methods.
        config: Settings of all.
        dataset: Id of the data set.

    Raises:
        ConfigError: A method is unknown or comes twice, or does not take a setting.
    """
    rows = [Row(name, name, config) for name in methods]
    for row in rows:
        _check_method(row, dataset)
    _check_names(rows, "--method")
    return Sweep(rows)


def read_sweep(file: Path, dataset: str, config: Config, sets: Config, method: str = "") -> Sweep:
    """The rows of a YAML file.

    Settings of a row win over `sets`, these over those that the file has for all rows, and these over `config`.

    Args:
        file: YAML with `rows`, each with `name` and, if wanted, `method`, `settings` and `paper`; and for all rows
            `method`, `settings`, `title` and `source`.
        dataset: Id of the data set.
        config: Settings to begin with.
        sets: What was set for all rows on top of the file.
        method: Of rows that say none in a file that says none.

    Raises:
        ConfigError: The file cannot be read, or it has a key, a method, a data set or a setting that does not exist;
            the message names the file and the row.
    """
    where = f"the sweep {file}"
    values = read_yaml(file, "sweep")
    try:
        parsed = _File.build(values)
        common = merged(_dump(config), nested(parsed.settings))
        base = merged(_dump(Config.build(common)), _dump(sets))
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    rows = [
        _row(where, number, given, base, parsed.method or method, dataset)
        for number, given in enumerate(parsed.rows, 1)
    ]
    _check_names(rows, where)
    return Sweep(rows, parsed.title, parsed.source)


def _dump(config: Config) -> dict[str, Any]:
    return config.model_dump(exclude_unset=True)


def _row(where: str, number: int, given: Mapping[str, Any], base: Mapping[str, Any], method: str, dataset: str) -> Row:
    named = f"{where}, row {given.get('name', number)!r}"
    try:
        parsed = _RowOfFile.build(given)
        config = Config.build(merged(base, nested(parsed.settings)))
        row = Row(parsed.name, parsed.method or method or "attributes", config, _numbers(parsed.paper, dataset))
        _check_method(row, dataset)
    except ConfigError as error:
        raise ConfigError(f"{named}: {error}") from None
    return row


def _numbers(paper: Mapping[str, Mapping[str, float]], dataset: str) -> dict[str, float]:
    """The numbers that hold for a data set: those that stand for all, and its own."""
    for name in paper.keys() - {ALL}:
        DATASETS[name]  # an unknown one is an error, which lists those that there are
    return {**paper.get(ALL, {}), **paper.get(dataset, {})}


def _check_method(row: Row, dataset: str) -> None:
    """Before anything runs: there is such a method, and it takes all of its settings."""
    kind = METHODS[row.method]
    settings = with_preset(row.config, kind.presets.get(dataset, {}))
    kind.settings_type.build(settings.method, "method.")


def _check_names(rows: Sequence[Row], where: str) -> None:
    """Each row has a folder of its own."""
    taken: dict[str, str] = {}
    for row in rows:
        key = row.folder.casefold()
        if not key:
            raise ConfigError(f"{where}: the row {row.name!r} needs letters or digits in its name")
        if key in taken:
            raise ConfigError(f"{where}: the rows {taken[key]!r} and {row.name!r} would share a folder; rename one")
        taken[key] = row.name
