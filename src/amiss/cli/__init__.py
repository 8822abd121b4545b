"""The command line: a thin coat over the library.

Exit status 0 is done, 2 bad usage or input, 1 a failure of ours or an interruption. Heavy modules are imported inside
the commands, so that help answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, cast

import typer

from amiss import __version__
from amiss.cli import bench, evaluate, export, judging, learn, lists, live, prior, review, synthetic
from amiss.cli.common import FULL, console, tell
from amiss.errors import AmissError

__all__ = ["app", "main"]

app = typer.Typer(
    help="Learns what is normal in front of a fixed camera and shows what is not: when, where and why.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

weights_app = typer.Typer(help="Pretrained networks: what there is, and how it comes here.")
app.add_typer(weights_app, name="weights")
COMMANDS: tuple[Callable[..., int | None], ...] = (
    learn.learn,
    learn.score,
    evaluate.evaluate,
    bench.bench,
    export.export,
    prior.prior,
    live.watch,
    live.doctor,
    review.review,
    judging.events,
    judging.judge,
    judging.camera,
    judging.backtest,
    synthetic.world,
    synthetic.demo,
    lists.methods,
    lists.datasets,
    lists.settings,
)
WEIGHTS: dict[str, Callable[..., None]] = {
    "list": lists.weights_list,
    "get": lists.weights_get,
    "verify": lists.weights_verify,
}
for command in COMMANDS:
    app.command()(command)
for name, command in WEIGHTS.items():
    weights_app.command(name)(command)

UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])
"""What the parser raises on bad usage; it exports only this child of it."""
INTERRUPTED = 130
"""Status with which newer parsers answer to Ctrl-C; older ones raise `typer.Abort`."""


def _version(value: bool) -> None:  # noqa: FBT001  # typer calls it so
    if value:
        tell(f"amiss {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")]


@app.callback(invoke_without_command=True)
def _root(context: typer.Context, version: Version = False) -> None:  # noqa: ARG001, FBT002  # typer makes a switch of it
    """Learns what is normal in front of a fixed camera and shows what is not: when, where and why."""
    if context.invoked_subcommand is None:
        tell(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the command line; every error becomes one line on standard error."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    # Threads that spin while they wait take the cores from the decoder and from other programs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(_run())


def _run() -> int:
    """The exit status of the command that was given."""
    try:
        status = app(prog_name="amiss", standalone_mode=False)
    except AmissError as error:
        return _fail(str(error), error.exit_status)
    except UsageError as error:
        asked = error.ctx.command_path if error.ctx else "amiss"
        return _fail(f"{error.format_message().rstrip('.')}; see `{asked} --help`", 2)
    except OSError as error:
        return _fail_storage(error)
    except (typer.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    if status == INTERRUPTED:
        return _fail("interrupted; what was finished is kept, run it again to go on", 1)
    return int(status or 0)


def _fail(message: str, status: int) -> int:
    console().print(f"amiss: {' '.join(message.split())}")
    return status


def _fail_storage(error: OSError) -> int:
    """What no stage has put into words: a full disk or a closed place, perhaps that of standard output itself."""
    with suppress(OSError, ValueError):  # what is left in its buffer must not raise once more at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    place = f" at {error.filename}" if error.filename else ""
    if error.errno in FULL:
        return _fail(f"the disk is full{place}; free some space and run it again", 1)
    return _fail(f"{error.strerror or error}{place}; check the place and run it again", 1)
