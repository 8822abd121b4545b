"""The synthetic world, and the main job on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amiss.cli.common import Out, Sets, console, make, tell
from amiss.config import load_config
from amiss.console import ProgressDisplay

__all__ = ["demo", "world"]

DEMO_SETS = (
    "perception.boxes.source=file",
    "perception.poses.source=file",
    "method.parts=[velocity,appearance,size,place,dwell,pose]",
    "scoring.budget=20/hour",
)
"""The demo's world comes with boxes and joints, and its few minutes of normal footage cannot speak of a day."""


def world(
    out: Out,
    seed: Annotated[int, typer.Option(help="The same seed gives the same pixels.")] = 0,
    normal: Annotated[int, typer.Option(min=1, help="Clips of everyday life to learn from.")] = 6,
    abnormal: Annotated[int, typer.Option(min=0, help="Clips in which something abnormal happens.")] = 6,
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of a clip.")] = 20.0,
    places: Annotated[
        str, typer.Option(help="Places, with commas between them: plaza, platform, crossing, office.")
    ] = "plaza,platform,crossing",
    acts: Annotated[str, typer.Option(help="Only these acts, with commas between them; by default all.")] = "",
    allowed: Annotated[str, typer.Option(help="Places in which these acts belong to everyday life.")] = "",
    weak: Annotated[int, typer.Option(min=0, help="Clips to learn from in which something abnormal happens.")] = 0,
) -> None:
    """Render synthetic footage with the full truth about it."""
    from amiss.footage.world import write_world

    make(out, "--out")
    with ProgressDisplay(console()) as progress:
        write_world(
            out,
            seed=seed,
            normal=normal,
            abnormal=abnormal,
            seconds=seconds,
            places=tuple(places.split(",")),
            acts=tuple(acts.split(",")) if acts else (),
            allowed=tuple(allowed.split(",")) if allowed else (),
            weak=weak,
            progress=lambda done, total: progress("rendering", done, total),
        )
    tell(f"the world is {out}; read it with --dataset world --root {out}")


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("amiss-demo"),
    sets: Sets = [],  # noqa: B006  # typer copies it
) -> None:
    """Learn, score, evaluate and report on synthetic footage, with the boxes and joints that come with it."""
    from amiss.demo import demo as run

    make(out, "--out")
    with ProgressDisplay(console()) as progress:
        found = run(out, load_config(sets=[*DEMO_SETS, *sets]), progress)
    tell(f"frame AUC {found.auc:.3f} on clips that were not learned from")
    tell(f"the model is {found.model}")
    tell(f"the report is {found.page}")
