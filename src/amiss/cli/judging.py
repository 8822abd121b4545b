"""Looking at the events of live cameras, and saying what is normal."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from amiss.cli.common import Json, require, tell, write_json
from amiss.cli.live import ONLY, watched
from amiss.errors import ConfigError

if TYPE_CHECKING:
    from amiss.live.settings import WatchSettings
    from amiss.live.store import Store

__all__ = ["backtest", "camera", "events", "judge"]

DAY = 86_400.0
Watched = Annotated[
    Path,
    typer.Argument(metavar="CONFIG.yaml | FOLDER", help="What `amiss watch` is given, or the folder it writes to."),
]
Days = Annotated[float, typer.Option("--days", min=0.0, help="So many days back.")]
Name = Annotated[str, typer.Option("--camera", help="Name of the camera.")]


@contextmanager
def _store(config: Path) -> Iterator[tuple[WatchSettings, Store]]:
    settings = watched(config)
    from amiss.live.watch import store_of

    if config.is_dir() and not (config / "amiss.sqlite").is_file():
        raise ConfigError(
            f"nothing was watched into {config}: there is no amiss.sqlite in it; give the right folder or file"
        )
    store = store_of(settings)
    try:
        if config.is_dir():  # which cameras there were only the store knows
            kept = settings.cameras[ONLY]
            settings = settings.model_copy(update={"cameras": dict.fromkeys(store.lives(), kept) or settings.cameras})
        yield settings, store
    finally:
        store.close()


def events(
    config: Watched,
    days: Days = 1.0,
    name: Annotated[str | None, typer.Option("--camera", help="Only of this camera.")] = None,
    alarms: Annotated[bool, typer.Option("--alarms", help="Only those that somebody was told of.")] = False,  # noqa: FBT002
    json_file: Json = None,
) -> None:
    """List the events of live cameras, the newest first."""
    require("looking at live cameras", "live")
    from amiss.live.notify.wording import rarity
    from amiss.live.store.bodies import event_body

    with _store(config) as (settings, store):
        if name is not None and name not in settings.cameras:
            raise ConfigError(f"there is no camera {name!r}; the cameras are: {', '.join(settings.cameras)}")
        rows = store.events(name, time.time() - days * DAY, alarm=True if alarms else None, limit=10_000)
    write_json(json_file, [event_body(row) for row in rows])
    for row in rows:
        told = "alarm" if row.alarm else f"quiet ({row.quiet})"
        start = datetime.fromtimestamp(row.start).astimezone()
        when = f"{start:%Y-%m-%d %H:%M:%S}, {row.end - row.start:.1f} s"
        tell(f"{row.id} {row.camera} {when}, {rarity(row.severity)}, {told}")
        for reason in row.reasons:
            tell(f"    {reason}")
    tell(f"{len(rows)} {'event' if len(rows) == 1 else 'events'}")


def judge(
    config: Watched,
    what: Annotated[str, typer.Argument(help="Id of an event; for snooze and wake the name of a camera.")],
    verdict: Annotated[
        Literal["normal", "right", "undo", "snooze", "wake"],
        typer.Argument(help="normal here, right to be raised, take back; raise no alarms for a while, or again."),
    ],
    days: Annotated[float | None, typer.Option("--days", min=0.0, help="normal: for how long; for ever.")] = None,
    hours: Annotated[float, typer.Option("--hours", min=0.0, help="snooze: for how long.")] = 8.0,
) -> None:
    """Say what is normal here and what was right; it holds within seconds."""
    require("looking at live cameras", "live")
    from amiss.live import people

    who = getpass.getuser()
    with _store(config) as (settings, store):
        if verdict in ("snooze", "wake") and what not in settings.cameras:
            raise ConfigError(f"there is no camera {what!r}; the cameras are: {', '.join(settings.cameras)}")
        if verdict == "normal":
            people.call_normal(store, what, who, days)
            tell(f"nobody is told of events like {what} any more" + (f" for {days:g} days" if days is not None else ""))
        elif verdict == "right":
            people.call_right(store, what, who)
            tell(f"events like {what} stay alarms")
        elif verdict == "undo":
            count = people.take_back(store, what, who)
            tell(f"{count} {'thing' if count == 1 else 'things'} that were said of {what} are taken back")
        elif verdict == "snooze":
            people.snooze(store, what, who, hours)
            tell(f"{what} raises no alarms for {hours:g} hours")
        else:
            people.wake(store, what, who)
            tell(f"{what} raises alarms again")


def camera(
    config: Watched,
    name: Annotated[str | None, typer.Argument(help="Name of a camera; all by default.")] = None,
    state: Annotated[
        Literal["collecting", "shadow", "live", "frozen"] | None, typer.Argument(help="Put it there by hand.")
    ] = None,
) -> None:
    """Show where cameras are in their lives and what they have learned, or put one somewhere."""
    require("looking at live cameras", "live")
    from amiss.live import people
    from amiss.live.collect import learned, read_blocks
    from amiss.live.display import read_told
    from amiss.live.store import Life

    with _store(config) as (settings, store):
        if name is not None and name not in settings.cameras:
            raise ConfigError(f"there is no camera {name!r}; the cameras are: {', '.join(settings.cameras)}")
        if name and state == "collecting" and settings.cameras[name].model:
            raise ConfigError(f"{name} is given a model; take that out of the settings to have it learn by itself")
        if name and state:
            people.put(store, name, Life(state), getpass.getuser())
            tell(f"{name} is {state}")
            return
        lives, holders = store.lives(), store.holders()
        named = [name] if name else list(settings.cameras)
        since_yesterday = time.time() - DAY
        alarms = {one: len(store.events(one, since_yesterday, alarm=True, limit=10_000)) for one in named}
    for one in named:
        life = lives.get(one)
        since = f" since {datetime.fromtimestamp(life.since).astimezone():%Y-%m-%d %H:%M}: {life.why}" if life else ""
        held = f" (watched by {holders[one]})" if one in holders else ""
        tell(f"{one}: {life.life if life else 'not watched yet'}{since}{held}")
        if told := read_told(settings.data / "cameras" / one):
            sure = (
                f"level {told['level']:.2f}, with 90 % confidence {told['level_low']:.2f} to {told['level_high']:.2f}"
            )
            tell(f"    {alarms[one]} alarms in 24 hours, the budget is {told['budget']} ({sure})")
        seen = learned(read_blocks(settings.data / "cameras" / one / "windows"), settings.cameras[one].schedule.zone)
        if seen.blocks:
            tell(
                f"    kept {seen.hours.sum():.1f} hours; {'; '.join(seen.missing) or 'something of every hour and day'}"
            )


def backtest(
    config: Watched,
    name: Name,
    budget: Annotated[str, typer.Option("--budget", help="The budget to try, such as 1/day.")],
    days: Days = 7.0,
    json_file: Json = None,
) -> None:
    """Tell what another alarm budget would have raised in what a camera has seen."""
    require("looking at live cameras", "live")
    from amiss.live.backtest import backtest as run
    from amiss.live.curves import read_curve
    from amiss.live.notify.wording import rarity
    from amiss.live.school import School
    from amiss.live.store.bodies import iso

    with _store(config) as (settings, store):
        if name not in settings.cameras:
            raise ConfigError(f"there is no camera {name!r}; the cameras are: {', '.join(settings.cameras)}")
        now = time.time()
        curves = store.curves(name, now - days * DAY, now)
    asked = settings.cameras[name].model_copy(update={"budget": budget})
    model = School(asked, settings.data / "cameras" / name).model()
    if not curves:
        raise ConfigError(f"{name} has scored nothing in the last {days:g} days; watch it first")
    if model is None and config.is_dir():
        raise ConfigError(
            f"{config} does not say which model {name} was given; give the file of settings, with its model"
        )
    if model is None:
        raise ConfigError(f"{name} has no model, by which to set another level")
    at, calibrated = read_curve([Path(curve.path) for curve in curves])
    late = at >= now - days * DAY
    found = run(model, at[late], calibrated[late], asked.schedule)
    result: dict[str, Any] = {"camera": name, "budget": budget, "level": found.level, "hours": found.hours}
    spans = [{"start": iso(span.start), "end": iso(span.end), "severity": span.height} for span in found.spans]
    write_json(json_file, result | {"events": spans})
    tell(f"{len(spans)} events in {found.hours:.2f} hours of footage, at level {found.level:.2f}")
    for span in found.spans:
        tell(f"    {iso(span.start)}: {rarity(span.height)}")
