"""The command line: a thin coat over the library.

Exit status 0 is done, 2 bad usage or input, 1 a failure of ours or an interruption. Heavy modules are imported inside
the commands, so that help answers at once.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Column, Table

from amiss import __version__
from amiss.config import Config, load_config, setting_rows
from amiss.console import ProgressDisplay, comparison_table, differences_table, metrics_table
from amiss.errors import AmissError, ConfigError

if TYPE_CHECKING:
    from amiss.engine import Sweep, Transfer
    from amiss.report import BenchFiles

__all__ = ["app", "main"]

DEMO_SETS = (
    "perception.boxes.source=file",
    "perception.poses.source=file",
    "method.parts=[velocity,appearance,size,place,dwell,pose]",
    "scoring.budget=20/hour",
)
"""The demo's world comes with boxes and joints, and its few minutes of normal footage cannot speak of a day."""

app = typer.Typer(
    help="Learns what is normal in front of a fixed camera and shows what is not: when, where and why.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

weights_app = typer.Typer(help="Pretrained networks: what there is, and how it comes here.")
app.add_typer(weights_app, name="weights")

UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])
"""What the parser raises on bad usage; it exports only this child of it."""
FULL = (errno.ENOSPC, errno.EDQUOT)
INTERRUPTED = 130
"""Status with which newer parsers answer to Ctrl-C; older ones raise `typer.Abort`."""

Footage = Annotated[list[Path], typer.Argument(help="Video files, folders of frames, or folders of those.")]
Model = Annotated[Path, typer.Option("--model", help="Folder of the model.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to.")]
Sets = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="A setting; may be given several times.")]
File = Annotated[Path | None, typer.Option("--config", help="YAML file of settings.")]
Json = Annotated[Path | None, typer.Option("--json", help="Also write the result here, as JSON.")]
Root = Annotated[Path, typer.Option("--root", help="Folder of the dataset.")]


def _console() -> Console:
    """For progress and messages: standard error, so that results can be piped."""
    return Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def _print(value: Any) -> None:
    Console(highlight=False, soft_wrap=True, markup=False, emoji=False).print(value)


def _write_json(path: Path | None, result: dict[str, Any]) -> None:
    if path:
        with import_module("amiss.storage").whole_file(path) as partial:
            partial.write_text(json.dumps(result, indent=1), encoding="utf-8")


def _make(folder: Path, option: str) -> None:
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


@app.command()
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
) -> None:
    """Learn what is normal in front of one camera."""
    from amiss import api
    from amiss.engine import check_target

    extra = [f"seed={seed}"] if seed is not None else []
    settings = load_config(config, [*sets, *extra, *([f"scoring.budget={budget}"] if budget else [])])
    check_target(model)
    _make(model.absolute().parent, "--model")
    with ProgressDisplay(_console()) as progress:
        learned = api.learn(list(footage), method, config=settings, progress=progress, labels=labels)
        learned.save(model)
    clips, seconds = learned.learned["clips"], float(learned.learned["seconds"])
    _print(f"learned from {len(clips)} clips, {seconds / 60:.1f} minutes; the model is {model}")


@app.command()
def score(footage: Footage, model: Model, out: Out, config: File = None, sets: Sets = []) -> None:  # noqa: B006
    """Score footage: tables, events, a report page and an annotated video."""
    from amiss import api, engine
    from amiss.footage import find_footage
    from amiss.report import write_report

    known = api.load(model)
    used = known.with_settings(load_config(config, sets, known.config), _changed(config, sets))
    clips = find_footage(footage, used.config.footage.fps)
    _make(out, "--out")
    with ProgressDisplay(_console()) as progress:
        scores = engine.score_clips(used, clips, out, progress)
        engine.write_scores(out, scores, {"method": used.method.id, "smoothing": used.config.scoring.smoothing})
        page = write_report(out, scores, used, progress, scores[0].name if len(scores) == 1 else "What was amiss")
    events = sum(len(item.events) for item in scores)
    _print(f"{events} {'event' if events == 1 else 'events'} in {len(scores)} clips; the report is {page}")


def _changed(config: Path | None, sets: list[str]) -> tuple[str, ...]:
    """The keys that a file or `--set` speaks of."""
    given = load_config(config, sets).model_dump(exclude_unset=True)
    return tuple(_leaves(given, ""))


def _leaves(values: dict[str, Any], prefix: str) -> list[str]:
    found: list[str] = []
    for key, value in values.items():
        found += _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
    return found


@app.command()
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
    _write_json(json_file, result)
    _tell_note(result)
    if result["clips_without_scores"]:
        _console().print(f"no scores for the test clips {' '.join(result['clips_without_scores'])}")
    named = "" if protocol == "standard" else f", protocol {protocol}: not comparable with standard"
    _print(metrics_table(result["metrics"], f"{result['smoothing'] or 'as scored'}{named}"))


def _tell_note(result: dict[str, Any]) -> None:
    if result["note"]:
        _console().print(result["note"])


@app.command()
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
            _make(file.absolute().parent, option)
    if sweep or "," in method:
        if against or transfer_from or shots:
            raise ConfigError("--against, --transfer-from and --shots are for one method, not for a table of rows")
        _bench_table(_rows(dataset, method, sweep, config, sets), files, numbers, out)
        return
    other = engine.read_result(against) if against else None
    source = _source(transfer_from, shots, method, config, sets)
    if source:
        method, settings = source.model.method.id, source.model.config
    with _kept(out) as place, ProgressDisplay(_console()) as progress:
        data, method = files.dataset, method or "attributes"
        result = engine.bench(data, method, settings, numbers, place, progress, source)
        if other:
            result["against"] = engine.compare(result, other)
        files.write(result, [place / f"seed-{numbers[0]}"], source.skipped if source else 0)
    _tell_note(result)
    _print(metrics_table(result["metrics"], settings.scoring.smoothing))
    if other:
        _print(differences_table(result["against"], str(against)))
    seconds = result["seconds"]
    _print(f"learning {seconds['learn']:.1f} s, scoring {seconds['score']:.1f} s, peak {result['peak_rss_mb']:.0f} MB")


def _numbers(seeds: str) -> list[int]:
    try:
        return [int(number) for number in seeds.split(",")]
    except ValueError:
        raise ConfigError(f"--seeds takes whole numbers with commas between them, not {seeds!r}") from None


@contextmanager
def _kept(out: Path | None) -> Iterator[Path]:
    """The folder that results are kept in, or one that passes."""
    if out:
        _make(out, "--out")
        yield out
        return
    with tempfile.TemporaryDirectory() as passing:
        yield Path(passing)


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
    with _kept(out) as place, ProgressDisplay(_console()) as progress:
        for row in engine.bench_rows(files.dataset, sweep.rows, seeds, place, progress):
            found.append(row)
            table = engine.table_of(files.dataset.id, found, sweep)
            done = sweep.rows[: len(found)]
            files.write(table, [place / row.folder / f"seed-{seeds[0]}" for row in done])
    _tell_note(found[0]["result"])
    _print(comparison_table(compared(table)))


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
    used = model.with_settings(load_config(config, sets, model.config), _changed(config, sets))
    return engine.Transfer(used, shots)


@app.command()
def world(
    out: Out,
    seed: Annotated[int, typer.Option(help="The same seed gives the same pixels.")] = 0,
    normal: Annotated[int, typer.Option(min=1, help="Clips of everyday life to learn from.")] = 6,
    abnormal: Annotated[int, typer.Option(min=0, help="Clips in which something abnormal happens.")] = 6,
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of a clip.")] = 20.0,
    places: Annotated[str, typer.Option(help="Places, with commas between them.")] = "plaza,platform,crossing",
    acts: Annotated[str, typer.Option(help="Only these acts, with commas between them; by default all.")] = "",
    allowed: Annotated[str, typer.Option(help="Places in which these acts belong to everyday life.")] = "",
    weak: Annotated[int, typer.Option(min=0, help="Clips to learn from in which something abnormal happens.")] = 0,
) -> None:
    """Render synthetic footage with the full truth about it."""
    from amiss.footage.world import write_world

    _make(out, "--out")
    with ProgressDisplay(_console()) as progress:
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
    _print(f"the world is {out}; read it with --dataset world --root {out}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("amiss-demo"),
    sets: Sets = [],  # noqa: B006  # typer copies it
) -> None:
    """Learn, score, evaluate and report on synthetic footage, with the boxes and joints that come with it."""
    from amiss.demo import demo as run

    _make(out, "--out")
    with ProgressDisplay(_console()) as progress:
        found = run(out, load_config(sets=[*DEMO_SETS, *sets]), progress)
    _print(f"frame AUC {found.auc:.3f} on clips that were not learned from")
    _print(f"the model is {found.model}")
    _print(f"the report is {found.page}")


@app.command()
def methods() -> None:
    """List the methods and their settings."""
    from amiss.methods import METHODS

    for name in METHODS:
        kind = METHODS[name]
        _print(f"{name}: {kind.title}")
        _print(_settings_table(kind.settings_type, "method."))


def _settings_table(model: Any, prefix: str) -> Table:
    table = Table(Column("setting", no_wrap=True), "default", "what it does")
    for key, _, default, description in setting_rows(model, prefix):
        table.add_row(key, str(default), description)
    return table


@app.command()
def datasets() -> None:
    """List the datasets that can be read."""
    from amiss.datasets import DATASETS

    table = Table("id", "dataset", "looked for under --root")
    for name in DATASETS:
        table.add_row(name, DATASETS[name].title, DATASETS[name].looked_for)
    _print(table)


@app.command()
def settings() -> None:
    """List all settings for --set and --config."""
    _print(_settings_table(Config, ""))


@weights_app.command("list")
def weights_list() -> None:
    """List the pretrained networks, and where each is."""
    from amiss.perception.weights import WEIGHTS, locate

    for name, weights in WEIGHTS.items():
        places = [locate(file) for file in weights.files]
        where = "absent" if None in places else str(Path(str(places[0])).parent)
        size = sum(file.size for file in weights.files) / 1e6
        _print(f"{name}: {weights.task}")
        _print(f"    {size:.1f} MB, {weights.licence}, {weights.source}: {where}")


@weights_app.command("get")
def weights_get(name: Annotated[str, typer.Argument(help="A name of `amiss weights list`.")]) -> None:
    """Fetch a network from its official place into the user's cache, unless it is at hand."""
    from amiss.perception.weights import get_weights

    with ProgressDisplay(_console()) as progress:
        path = get_weights(name, progress)
    _print(f"{name} is {path}")


@weights_app.command("verify")
def weights_verify() -> None:
    """Compare every file that is here with its published hash."""
    from amiss.errors import WeightsError
    from amiss.perception.weights import WEIGHTS, check, locate

    wrong: list[str] = []
    for file in (file for weights in WEIGHTS.values() for file in weights.files):
        try:
            if place := locate(file):
                check(place, file)
            _print(f"{file.name}: {'as published' if place else 'absent'}")
        except WeightsError as error:
            wrong.append(str(error))
    if wrong:
        raise WeightsError("; ".join(wrong))


def _version(value: bool) -> None:  # noqa: FBT001  # typer calls it so
    if value:
        _print(f"amiss {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")]


@app.callback(invoke_without_command=True)
def _root(context: typer.Context, version: Version = False) -> None:  # noqa: ARG001, FBT002  # typer makes a switch of it
    """Learns what is normal in front of a fixed camera and shows what is not: when, where and why."""
    if context.invoked_subcommand is None:
        _print(context.get_help())
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
    _console().print(f"amiss: {' '.join(message.split())}")
    return status


def _fail_storage(error: OSError) -> int:
    """What no stage has put into words: a full disk or a closed place, perhaps that of standard output itself."""
    with suppress(OSError, ValueError):  # what is left in its buffer must not raise once more at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    place = f" at {error.filename}" if error.filename else ""
    if error.errno in FULL:
        return _fail(f"the disk is full{place}; free some space and run it again", 1)
    return _fail(f"{error.strerror or error}{place}; check the place and run it again", 1)
