"""Benchmarks: one method, several, or the rows of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amiss.cli.common import File, Json, Root, Sets, changed, console, kept, make, tell, tell_note
from amiss.config import load_config
from amiss.console import ProgressDisplay, comparison_table, differences_table, metrics_table
from amiss.errors import ConfigError

if TYPE_CHECKING:
    from amiss.engine import Sweep, Transfer
    from amiss.report import BenchFiles

__all__ = ["bench"]


def bench(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset, see `amiss datasets`.")],
    root: Root,
    method: Annotated[
        str,
        typer.Option("--method", help="Id of the method, or several with commas between them; attributes by default."),
    ] = "",
    config: File = None,
    sets: Sets = [],  # noqa: B006  # typer copies it
    seeds: Annotated[str, typer.Option("--seeds", help="Seeds, with commas between them.")] = "0",
    json_file: Json = None,
    out: Annotated[Path | None, typer.Option("--out", help="Keep models and scores here, and go on from them.")] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="Another result's JSON: a t-test of each metric over the seeds.")
    ] = None,
    transfer_from: Annotated[
        Path | None, typer.Option("--transfer-from", help="A model of other footage, in place of learning.")
    ] = None,
    shots: Annotated[
        int,
        typer.Option(
            "--shots", help="It adapts to so many windows at the start of each test clip, which do not count."
        ),
    ] = 0,
    sweep: Annotated[
        Path | None, typer.Option("--sweep", help="YAML file of rows with settings, as ablations.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write a page with tables and curves here.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Also write the table here, as Markdown.")] = None,
) -> None:
    """Learn, score and evaluate on a benchmark: a method, several, or the rows of a sweep."""
    from amiss import engine
    from amiss.datasets import DATASETS
    from amiss.report import BenchFiles

    settings, numbers = load_config(config, sets), _numbers(seeds)
    files = BenchFiles(DATASETS[dataset](root), json_file, html, markdown)
    for file, option in ((html, "--html"), (markdown, "--markdown")):
        if file:
            make(file.absolute().parent, option)
    if sweep or "," in method:
        if against or transfer_from or shots:
            raise ConfigError("--against, --transfer-from and --shots are for one method, not for a table of rows")
        _bench_table(_rows(dataset, method, sweep, config, sets), files, numbers, out)
        return
    other = engine.read_result(against) if against else None
    source = _source(transfer_from, shots, method, config, sets)
    if source:
        method, settings = source.model.method.id, source.model.config
    with kept(out) as place, ProgressDisplay(console()) as progress:
        data, method = files.dataset, method or "attributes"
        result = engine.bench(data, method, settings, numbers, place, progress, source)
        if other:
            result["against"] = engine.compare(result, other)
        files.write(result, [place / f"seed-{numbers[0]}"], source.skipped if source else 0)
    tell_note(result)
    tell(metrics_table(result["metrics"], result["smoothing"]))
    if other:
        tell(differences_table(result["against"], str(against)))
    seconds = result["seconds"]
    tell(f"learning {seconds['learn']:.1f} s, scoring {seconds['score']:.1f} s, peak {result['peak_rss_mb']:.0f} MB")


def _numbers(seeds: str) -> list[int]:
    try:
        return [int(number) for number in seeds.split(",")]
    except ValueError:
        raise ConfigError(f"--seeds takes whole numbers with commas between them, not {seeds!r}") from None


def _rows(dataset: str, method: str, sweep: Path | None, config: Path | None, sets: list[str]) -> Sweep:
    """What `--method` and `--sweep` ask for, all of it checked."""
    from amiss import engine

    methods = [name.strip() for name in method.split(",")] if method else []
    if not sweep:
        return engine.rows_of_methods(methods, load_config(config, sets), dataset)
    if len(methods) > 1:
        raise ConfigError("the rows of --sweep say their method; give one --method for those that do not, or none")
    return engine.read_sweep(sweep, dataset, load_config(config), load_config(sets=sets), "".join(methods))


def _bench_table(sweep: Sweep, files: BenchFiles, seeds: list[int], out: Path | None) -> None:
    """Row after row; what was asked for is written after each, so that an error in one takes none of the others."""
    from amiss import engine
    from amiss.report import compared

    found: list[dict[str, Any]] = []
    table: dict[str, Any] = {}
    with kept(out) as place, ProgressDisplay(console()) as progress:
        for row in engine.bench_rows(files.dataset, sweep.rows, seeds, place, progress):
            found.append(row)
            table = engine.table_of(files.dataset.id, found, sweep)
            done = sweep.rows[: len(found)]
            files.write(table, [place / row.folder / f"seed-{seeds[0]}" for row in done])
    tell_note(found[0]["result"])
    tell(comparison_table(compared(table)))


def _source(folder: Path | None, shots: int, method: str, config: Path | None, sets: list[str]) -> Transfer | None:
    """What `--transfer-from` and `--shots` ask for."""
    from amiss import engine

    if folder is None:
        if shots:
            raise ConfigError("--shots adapts a model of other footage; give one with --transfer-from")
        return None
    model = engine.Model.load(folder)
    if method not in ("", model.method.id):
        raise ConfigError(f"the model {folder} is of {model.method.id}, not {method}; leave --method out")
    used = model.with_settings(load_config(config, sets, model.config), changed(config, sets))
    return engine.Transfer(used, shots)
