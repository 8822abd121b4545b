"""Watching cameras."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amiss.cli.common import console, require, tell
from amiss.errors import AmissError, ConfigError

if TYPE_CHECKING:
    from amiss.live.settings import WatchSettings

__all__ = ["doctor", "watch"]

Model = Annotated[Path | None, typer.Option("--model", help="Folder of the model, where an address is given.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="Folder to keep things in, where an address is given; amiss-data.")
]
DATA, ONLY = Path("amiss-data"), "camera"
"""Where it is kept, and what it is called, if a camera comes without a file of settings."""
YAML = (".yaml", ".yml")


def watch(
    what: Annotated[str, typer.Argument(metavar="CONFIG.yaml | ADDRESS", help="A file of settings, or one camera.")],
    model: Model = None,
    data: Data = None,
    budget: Annotated[str | None, typer.Option("--budget", help="Alarm budget of that camera, such as 2/day.")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.0, help="End after so many seconds.")] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="NAME", help="Share the cameras with processes of other names.")
    ] = None,
) -> None:
    """Watch live cameras: keep events, raise alarms within their budgets, tell people."""
    settings = settings_of(what, model, data, budget, shard)
    from amiss.live.watch import Watcher

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("amiss").setLevel(logging.INFO)  # other libraries may tell of addresses as they are
    watcher = Watcher(settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: watcher.stop())
    with watcher:
        count = len(settings.cameras)
        shared = f" with others as shard {settings.shard.name}" if settings.shard.name else ""
        tell(f"watching {count} {'camera' if count == 1 else 'cameras'}{shared}; events are in {settings.data}")
        watcher.run(seconds)
    tell(f"stopped; events are in {settings.data}")


def settings_of(
    what: str, model: Path | None, data: Path | None, budget: str | None, shard: str | None = None
) -> WatchSettings:
    """The settings of a file, or of one camera at an address.

    Raises:
        ConfigError: The file cannot be used, or options are given that it has itself.
    """
    require("watching", "live")
    from amiss.live.settings import CameraSettings, WatchSettings, read_watch

    if Path(what).suffix in YAML:
        if model or budget or data:
            raise ConfigError(f"{what} says all of this itself; leave --model, --budget and --data out")
        return read_watch(Path(what), shard=shard)
    if shard:
        raise ConfigError("cameras are shared by those who read the same file; give its name, with --shard")
    camera = CameraSettings.build({"source": what, "model": model, "budget": budget})
    return WatchSettings(data=data or DATA, cameras={ONLY: camera})


def watched(what: Path) -> WatchSettings:
    """The settings of what was watched: of a file, or of the folder in which one camera without a file was kept.

    Raises:
        ConfigError: It is neither.
    """
    if what.is_dir():
        return settings_of(str(what), None, what, None)
    if what.suffix not in YAML:
        raise ConfigError(f"{what} is neither a file of settings (.yaml) nor a folder of what was watched")
    return settings_of(str(what), None, None, None)


def doctor(config: Annotated[Path, typer.Argument(help="The file of settings that `amiss watch` is given.")]) -> None:
    """Try everything that watching needs: cameras, models, store, alerts."""
    settings = settings_of(str(config), None, None, None)
    from amiss.live.doctor import Level, examine

    bad = 0
    for finding in examine(settings):
        bad += finding.level is Level.BAD
        tell(f"{finding.level}: {finding.what}: {finding.text}")
    if bad:
        console().print(f"amiss: {bad} {'thing is' if bad == 1 else 'things are'} not as they must be")
        raise typer.Exit(AmissError.exit_status)
