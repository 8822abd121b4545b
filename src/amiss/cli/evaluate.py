"""Comparing scores with labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amiss.cli.common import Json, Root, console, tell, tell_note, write_json
from amiss.config import load_config
from amiss.console import metrics_table
from amiss.errors import ConfigError

__all__ = ["evaluate"]


def evaluate(
    dataset: Annotated[str, typer.Option("--dataset", help="Id of the dataset, see `amiss datasets`.")],
    root: Root,
    scores: Annotated[Path | None, typer.Option("--scores", help="Folder that `amiss score` wrote.")] = None,
    region_scores: Annotated[
        Path | None,
        typer.Option("--region-scores", help="Of any program: a text file a clip with rows frame,x1,y1,x2,y2,score."),
    ] = None,
    frame_scores: Annotated[
        Path | None,
        typer.Option("--frame-scores", help="Of any program: .npz, .npy, a table clip,frame,score, or a folder."),
    ] = None,
    smoothing: Annotated[
        str | None, typer.Option("--smoothing", help="Filter for scores of other programs, such as gaussian:3.")
    ] = None,
    protocol: Annotated[
        str, typer.Option("--protocol", help="standard; or legacy or transductive, which are not comparable with it.")
    ] = "standard",
    json_file: Json = None,
) -> None:
    """Compare scores, of amiss or of any program, with a dataset's labels."""
    from amiss import engine
    from amiss.datasets import DATASETS

    data = DATASETS[dataset](root)
    if scores is not None:
        if region_scores or frame_scores or smoothing:
            raise ConfigError("--scores has regions, frames and smoothing of its own; leave the other options out")
        result = engine.evaluate_folder(scores, data, protocol)
    else:
        filtered = smoothing or load_config().scoring.smoothing
        result = engine.evaluate_plain(
            data, frame_scores=frame_scores, region_scores=region_scores, smoothing=filtered, protocol=protocol
        )
    write_json(json_file, result)
    tell_note(result)
    if result["clips_without_scores"]:
        console().print(f"no scores for the test clips {' '.join(result['clips_without_scores'])}")
    named = "" if protocol == "standard" else f", protocol {protocol}: not comparable with standard"
    tell(metrics_table(result["metrics"], f"{result['smoothing'] or 'as scored'}{named}"))
