"""What the commands share: options, messages, folders."""

from __future__ import annotations

import errno
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from amiss.config import load_config, setting_rows
from amiss.errors import ConfigError

FULL = (errno.ENOSPC, errno.EDQUOT)

Footage = Annotated[
    list[str],
    typer.Argument(help="Video files, folders of frames, folders of those, patterns with *, or @FILE of such lines."),
]
Model = Annotated[Path, typer.Option("--model", help="Folder of the model.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to.")]
Sets = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="A setting; may be given several times.")]
File = Annotated[Path | None, typer.Option("--config", help="YAML file of settings.")]
Json = Annotated[Path | None, typer.Option("--json", help="Also write the result here, as JSON.")]
Root = Annotated[Path, typer.Option("--root", help="Folder of the dataset.")]


def console() -> Console:
    """For progress and messages: standard error, so that results can be piped."""
    return Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def tell(value: Any) -> None:
    """Print a result."""
    Console(highlight=False, soft_wrap=True, markup=False, emoji=False).print(value)


def write_json(path: Path | None, result: Any) -> None:
    """Write a result as JSON, if somewhere is said where to."""
    if path:
        with import_module("amiss.storage").whole_file(path) as partial:
            partial.write_text(json.dumps(result, indent=1), encoding="utf-8")


def make(folder: Path, option: str) -> None:
    """Make a folder that results go into before any work is done for them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in FULL:
            raise
        reason = "there is a file" if isinstance(error, FileExistsError) else error.strerror
        raise typer.BadParameter(
            f"the folder {folder} cannot be made ({reason}); give another place for {option}"
        ) from None


def changed(config: Path | None, sets: list[str]) -> tuple[str, ...]:
    """The keys that a file or `--set` speaks of."""
    given = load_config(config, sets).model_dump(exclude_unset=True)
    return tuple(_leaves(given, ""))


def _leaves(values: dict[str, Any], prefix: str) -> list[str]:
    found: list[str] = []
    for key, value in values.items():
        found += _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
    return found


def tell_note(result: dict[str, Any]) -> None:
    """Print what a result says of itself, such as that only a part of the clips was there."""
    if result["note"]:
        console().print(result["note"])


@contextmanager
def kept(out: Path | None) -> Iterator[Path]:
    """The folder that results are kept in, or one that passes."""
    if out:
        make(out, "--out")
        yield out
        return
    with tempfile.TemporaryDirectory() as passing:
        yield Path(passing)


def settings_table(model: Any, prefix: str) -> Table:
    """Settings with their defaults and what they do."""
    table = Table(Column("setting", no_wrap=True), "default", "what it does")
    for key, _, default, description in setting_rows(model, prefix):
        table.add_row(key, str(default), description)
    return table


EXTRAS = {
    "export": ("onnx", "onnxscript"),
    "openvino": ("openvino",),
    "live": ("sqlalchemy", "alembic", "paho.mqtt", "apprise", "prometheus_client", "threadpoolctl"),
    "web": ("fastapi", "uvicorn", "argon2", "python_multipart"),
}
"""What each extra brings that its commands cannot do without."""


def require(what: str, *extras: str) -> None:
    """Make sure that what some extras bring is installed.

    Args:
        what: What needs it, for the message.
        extras: Names of the extras.

    Raises:
        ConfigError: Something is missing.
    """
    for module in (module for extra in extras for module in EXTRAS[extra]):
        try:
            import_module(module)
        except ImportError:
            raise ConfigError(f"{what} needs {module}: pip install 'amiss[{','.join(extras)}]'") from None
