"""Work that is spread over processes or a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from amiss.cli.common import console, make, tell
from amiss.config import Config
from amiss.console import ProgressDisplay

if TYPE_CHECKING:
    from amiss.engine import Model
    from amiss.scale import Archive, Setup, Team

__all__ = ["score_on", "team_of"]

SHOWN = 10
"""Failures that are printed; all are in failures.json."""


@contextmanager
def team_of(on: str, setup: Setup, config: Config) -> Iterator[Team]:
    """Workers, for as long as the block runs."""
    from amiss.scale import make_team

    team = make_team(on, setup, config.scale)
    try:
        yield team
    finally:
        team.close()


def score_on(on: str, model: Model, footage: list[str], out: Path, *, video: bool) -> int:
    """Score an archive on a team; gives the exit status.

    Args:
        on: Which.
        model: With all settings.
        footage: As the user named it.
        out: Folder to write to.
        video: Whether the annotated video was asked for; of a whole archive it is long.
    """
    from amiss.scale import list_places, score_archive, scoring_setup
    from amiss.storage import whole_file

    places = list_places(footage)
    make(out, "--out")
    with ProgressDisplay(console()) as progress:
        with team_of(on, scoring_setup(model), model.config) as team:
            archive = score_archive(model, places, out, team, progress)
        said = _finished(archive, model, progress, video=video)
    with whole_file(out / "failures.json") as partial:
        partial.write_text(json.dumps(archive.failures, indent=1), encoding="utf-8")
    tell(said)
    if not archive.failures:
        return 0
    console().print(f"amiss: {len(archive.failures)} of {len(places)} clips could not be scored:")
    for place, reason in list(archive.failures.items())[:SHOWN]:
        console().print(f"  {reason if place in reason else f'{place}: {reason}'}")
    if len(archive.failures) > SHOWN:
        console().print(f"  and {len(archive.failures) - SHOWN} more, see {out / 'failures.json'}")
    return 1


def _finished(archive: Archive, model: Model, progress: ProgressDisplay, *, video: bool) -> str:
    """Write the tables and the page of what is scored; gives what is told."""
    from amiss.report import write_report
    from amiss.scale import gather, worst_clips

    if not archive.places:
        return "no clip was scored"
    events = gather(archive, model)
    config = model.config
    shown = worst_clips(archive, config.report.events, config.footage.fps)
    page = archive.folder / "events.json"
    if shown:
        report = config.report if video else config.report.model_copy(update={"video": "none"})
        quiet = model.with_settings(config.model_copy(update={"report": report}))
        title = "What was amiss" if len(shown) == len(archive.places) else f"The worst of {len(archive.places)} clips"
        page = write_report(archive.folder, shown, quiet, progress, title, _facts(archive, len(shown)))
    again = len(archive.places) - archive.fresh
    before = f", {again} of them by an earlier run" if again else ""
    count = f"{events} {'event' if events == 1 else 'events'} in {len(archive.places)} clips{before}"
    return f"{count}; the report is {page}"


def _facts(archive: Archive, shown: int) -> list[tuple[str, str]]:
    """What the page says of the archive."""
    which = "all are shown" if shown == len(archive.places) else f"the {shown} with the most severe events shown"
    facts = [("Clips", f"{len(archive.places)} scored, {which}")]
    failed = len(archive.failures)
    return facts + ([("Could not be scored", f"{failed} clips, see failures.json")] if failed else [])
