"""Learning from footage, and scoring it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amiss.cli.archive import score_on, team_of
from amiss.cli.common import File, Footage, Model, Out, Sets, changed, console, make, tell
from amiss.config import Config, load_config
from amiss.console import ProgressDisplay

if TYPE_CHECKING:
    from amiss.engine.learn import Hands

__all__ = ["learn", "score"]

On = Annotated[
    str | None,
    typer.Option("--on", help="Spread the work: processes, ray, ray:auto or ray://HOST:PORT."),
]


def learn(
    footage: Footage,
    model: Model,
    method: Annotated[str, typer.Option("--method", help="Id of the method, see `amiss methods`.")] = "attributes",
    config: File = None,
    sets: Sets = [],  # noqa: B006  # typer copies it
    seed: Annotated[int | None, typer.Option("--seed", help="The same as --set seed=N.")] = None,
    budget: Annotated[str | None, typer.Option("--budget", help="Alarm budget, such as 2/day.")] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="Table of video,label (0 or 1), for methods that learn from it.")
    ] = None,
    on: On = None,
) -> None:
    """Learn what is normal in front of one camera."""
    from amiss import api
    from amiss.engine import check_target

    extra = [f"seed={seed}"] if seed is not None else []
    settings = load_config(config, [*sets, *extra, *([f"scoring.budget={budget}"] if budget else [])])
    check_target(model)
    make(model.absolute().parent, "--model")
    with ProgressDisplay(console()) as progress, _hands(on, settings, method) as hands:
        learned = api.learn(list(footage), method, config=settings, progress=progress, labels=labels, hands=hands)
        learned.save(model)
    if note := learned.learned.get("picture_note"):
        console().print(f"amiss: {note}")
    clips, seconds = learned.learned["clips"], float(learned.learned["seconds"])
    others = len(learned.learned.get("borrowed", {}).get("cameras", ()))
    beside = f" and {others} other cameras" if others else ""
    tell(f"learned from {len(clips)} clips, {seconds / 60:.1f} minutes{beside}; the model is {model}")


@contextmanager
def _hands(on: str | None, config: Config, method: str) -> Iterator[Hands]:
    """Who looks at the footage and trains."""
    from amiss.engine.learn import Hands

    if on is None:
        yield Hands()
        return
    from amiss.scale import Perceiver, RayLauncher, learning_setup

    with team_of(on, learning_setup(config, method), config) as team:
        look = Perceiver(team, config.scale.attempts, config.cache)
        yield Hands(look, RayLauncher(on) if on.startswith("ray") else None)


def score(
    footage: Footage,
    model: Model,
    out: Out,
    config: File = None,
    sets: Sets = [],  # noqa: B006  # typer copies it
    on: On = None,
) -> int:
    """Score footage: tables, events, a report page and an annotated video."""
    from amiss import api, engine
    from amiss.engine.members import other_sizes
    from amiss.footage import find_footage
    from amiss.report import write_report

    known = api.load(model)
    keys = changed(config, sets)
    used = known.with_settings(load_config(config, sets, known.config), keys)
    if on is not None:
        return score_on(on, used, list(footage), out, video="report.video" in keys)
    clips = find_footage(footage, used.config.footage.fps)
    if used.learned.get("picture") and (note := other_sizes(clips, used.learned["picture"])):
        console().print(f"amiss: {note}")
    make(out, "--out")
    with ProgressDisplay(console()) as progress:
        scores = engine.score_clips(used, clips, out, progress)
        engine.write_scores(out, scores, {"method": used.method.id, "smoothing": used.config.scoring.smoothing})
        page = write_report(out, scores, used, progress, scores[0].name if len(scores) == 1 else "What was amiss")
    events = sum(len(item.events) for item in scores)
    tell(f"{events} {'event' if events == 1 else 'events'} in {len(scores)} clips; the report is {page}")
    return 0
