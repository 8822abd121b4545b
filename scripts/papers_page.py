"""Write `papers/README.md`, all methods on all data sets, from the results in `papers/results`.

    .venv/bin/python scripts/papers_page.py                                      write the page anew
    .venv/bin/python scripts/papers_page.py add am.json --command "amiss bench …"  keep a result, then write the page
    .venv/bin/python scripts/papers_page.py add 0.json 1.json --command "amiss bench … --seeds 0,1"

Seeds that ran apart, as on several machines, are kept as the one command would have made them. What is kept of a result
of `amiss bench --json` says nothing of where or on which machine it was made. A test fails while page and results
disagree.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from amiss.engine import changed_settings
from amiss.errors import ConfigError
from amiss.report.comparison import paper_of, rows_in
from amiss.report.markdown import markdown_table
from amiss.report.published import published, published_pairs
from amiss.report.wording import protocols, shown

__all__ = ["add", "joined", "kept_of", "papers_page"]

PAPERS = Path(__file__).resolve().parents[1] / "papers"
NEAR = 0.5
"""Points of AUC within which a result is as published, where its seeds don't spread more."""
METRICS = ("auc_micro", "auc_macro")
ALIKE = ("dataset", "method", "config", "clips", "clips_with_masks", "protocol", "frames", "transfer")
"""What results of other seeds must have in common to be one result."""

HEAD = f"""# Papers and results

A page for each paper maps it to the code and lists deviations:
[attributes](attributes.md), [appearance-motion](appearance-motion.md), [pose-flow](pose-flow.md), [mgenet](mgenet.md),
[multi-grained](multi-grained.md), [weak-tubes and mil-ranking](weak-tubes.md).

Frame AUC in per cent of all methods on all data sets. *Theirs* is what the papers print, not rerun, on all clips and
with their own perception. *Ours* is the mean of the seeds, with its standard deviation where there are several. The
deviation is ours, smoothed, less theirs: "as published" within {NEAR} points or one standard deviation, else "above" or
"below"; "other clips" where only a part of the data set was at hand, so that the numbers are not of the same footage.

WORLD is a synthetic plaza: `amiss world --out WORLD --places plaza --normal 60 --weak 60 --abnormal 30 --seconds 8`.

This page is written by `scripts/papers_page.py` from `results/*.json`, which `scripts/papers_page.py add` keeps, and
from `src/amiss/report/published.yaml`; don't change it by hand.
"""
COLUMNS = ("method", "data set", "clips", "seeds", "smoothing", "theirs: micro", "ours: micro raw", "micro smoothed")
COLUMNS += ("deviation", "theirs: macro", "ours: macro raw", "macro smoothed", "deviation", "in a word", "made by")


def papers_page(results: Path = PAPERS / "results") -> str:
    """The whole page, as Markdown.

    Args:
        results: Folder of results that were kept.
    """
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))]
    run = {(result["method"], result["dataset"]) for result in found}
    rows = [(_order(result), _measured(result)) for result in found]
    rows += [((*pair, ""), _only_published(*pair)) for pair in published_pairs() if pair not in run]
    table = markdown_table(COLUMNS, [row for _, row in sorted(rows)])
    return f"{HEAD}\n{table}\n\nTheirs are printed in: {'; '.join(_sources(found))}.\n"


def _sources(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Method and source of all numbers of papers, in order of the table, once each."""
    told = [(result["method"], result["paper"]["source"]) for result in found if result["paper"]["source"]]
    told += [(method, published(method, dataset).source) for method, dataset in published_pairs()]
    return [f"{method}: {source}" for method, source in sorted(set(told))]


def _order(result: Mapping[str, Any]) -> tuple[str, str, str]:
    return result["method"], result["dataset"], result.get("name", "")


def _measured(result: Mapping[str, Any]) -> list[str]:
    theirs = result["paper"]["numbers"]
    cells = [cell for metric in METRICS for cell in _compared(metric, result["metrics"].get(metric, {}), theirs)]
    name = ", ".join(filter(None, (result["method"], result.get("name"))))
    seeds = ", ".join(map(str, result["seeds"]))
    word = ", ".join(_words(result))
    return [
        name,
        result["dataset"],
        str(result["clips"]),
        seeds,
        result["smoothing"],
        *cells,
        word,
        f"`{result['command']}`",
    ]


def _compared(metric: str, ours: Mapping[str, Any], theirs: Mapping[str, float]) -> list[str]:
    """Theirs, ours raw and smoothed, and the deviation."""
    told = [shown(metric, ours[kind]) if kind in ours else "" for kind in ("raw", "smoothed")]
    deviation = _deviation(metric, ours, theirs)
    return [f"{theirs[metric]:g}" if metric in theirs else "", *told, "" if deviation is None else f"{deviation:+.1f}"]


def _deviation(metric: str, ours: Mapping[str, Any], theirs: Mapping[str, float]) -> float | None:
    return 100 * ours["smoothed"]["mean"] - theirs[metric] if metric in theirs and "smoothed" in ours else None


def _words(result: Mapping[str, Any]) -> Iterator[str]:
    """How it compares, by the first metric that both have."""
    theirs = result["paper"]["numbers"]
    for metric in METRICS:
        ours = result["metrics"].get(metric, {})
        deviation = _deviation(metric, ours, theirs)
        if deviation is not None:
            near = abs(deviation) <= max(NEAR, 100 * ours["smoothed"]["std"])
            yield "as published" if near else "above" if deviation > 0 else "below"
            break
    else:
        yield "not published"
    if result.get("note"):
        yield "other clips"
    if result.get("protocol"):
        yield result["protocol"]


def _only_published(method: str, dataset: str) -> list[str]:
    numbers = published(method, dataset).numbers
    cells = [cell for metric in METRICS for cell in _compared(metric, {}, numbers)]
    return [method, dataset, "", "", "", *cells, "no result kept", ""]


def kept_of(result: Mapping[str, Any], command: str, name: str = "") -> list[dict[str, Any]]:
    """What is kept of a result: of each of its rows what was measured, by which command and settings.

    Args:
        result: What `amiss bench --json` wrote.
        command: That made it.
        name: What tells it from others of the same method and data set; rows of a sweep have their own.

    Raises:
        ConfigError: The command, or something in the result, has a path of this machine.
    """
    table = rows_in(result)
    kept = [_kept(row, table, " ".join(command.split()), name) for row in table["rows"]]
    if not command.startswith("amiss bench "):
        raise ConfigError(f"--command is the whole amiss bench … that made the result, not {command!r}")
    for text in _texts(kept):
        if paths := [word for word in re.split(r"(?:[\s=,;'\"()\[\]]|:(?!\\))+", text) if _is_outside(word)]:
            raise ConfigError(f"{paths[0]} is a path of this machine; write a name such as PED2 in its place")
    return kept


def _kept(row: Mapping[str, Any], table: Mapping[str, Any], command: str, name: str) -> dict[str, Any]:
    result, paper = row["result"], paper_of(row, table)
    shots = f"{result['transfer']['shots']} shots" if "transfer" in result else ""
    own = row["name"] if row["name"] != row["method"] else ""
    told = {"name": ", ".join(filter(None, (own, shots, name))), "note": result.get("note")}
    told["protocol"] = "; ".join(protocols(result))
    return {
        "dataset": result["dataset"],
        "method": result["method"],
        "command": command,
        "seeds": result["seeds"],
        "clips": len(result["clips"]),
        "frames": result["frames"],
        "smoothing": result["config"]["scoring"]["smoothing"],
        "settings": _bare(changed_settings(result["method"], result["config"])),
        "metrics": result["metrics"],
        "paper": {"numbers": dict(paper.numbers), "source": paper.source},
        "versions": result["versions"],
        **{key: value for key, value in told.items() if value},
    }


def _bare(value: Any) -> Any:
    """Settings with the names of files in place of where they are."""
    if isinstance(value, Mapping):
        return {key: _bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return re.split(r"[\\/]", value)[-1] if isinstance(value, str) and _is_outside(value) else value


def _is_outside(text: str) -> bool:
    """Whether it is a path that means something on one machine only."""
    windows = PureWindowsPath(text)
    rooted = PurePosixPath(text).is_absolute() or text.startswith(("~", "\\\\")) or (windows.drive and windows.root)
    return bool(rooted) or ".." in windows.parts


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (text for item in value.values() for text in _texts(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in _texts(item))
    elif isinstance(value, str):
        yield value


def joined(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The result of all seeds from those of some.

    Args:
        results: What `amiss bench --json` wrote, of one method each; alike but for the seeds.

    Raises:
        ConfigError: Something else differs, a seed comes twice, or one is a table of rows.
    """
    first = dict(results[0])
    if len(results) == 1:
        return first
    if not all("metrics" in result for result in results):
        raise ConfigError("tables of rows cannot be joined; give results of one method each")
    seeds = [seed for result in results for seed in result["seeds"]]
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"a seed comes twice among {seeds}")
    for key in ALIKE:
        if any(_seedless(result.get(key)) != _seedless(first.get(key)) for result in results):
            raise ConfigError(f"these results cannot be joined: {key} is not the same in all")
    metrics = {
        metric: {
            kind: _moments([number for result in results for number in result["metrics"][metric][kind]["values"]])
            for kind in kinds
        }
        for metric, kinds in first["metrics"].items()
        if all(metric in result["metrics"] for result in results)
    }
    return first | {"seeds": seeds, "metrics": metrics}


def _seedless(value: Any) -> Any:
    """Settings without the seed, and without where they were cached."""
    return {k: v for k, v in value.items() if k not in {"seed", "cache"}} if isinstance(value, Mapping) else value


def _moments(values: list[float]) -> dict[str, Any]:
    return {"mean": statistics.fmean(values), "std": statistics.stdev(values), "values": values}


def add(files: Sequence[Path], command: str, name: str = "", results: Path = PAPERS / "results") -> list[Path]:
    """Keep a result, a file for each of its rows, in place of one that the same command made.

    Args:
        files: What `amiss bench --json` wrote; several of one method whose seeds ran apart.
        command: That made it.
        name: What tells it from others of the same method and data set.
        results: Folder to keep it in.

    Raises:
        ConfigError: It is no such file, several cannot be joined, it has paths, or a result of another command is kept
            under its name.
    """
    file = files[0]
    try:
        read = []
        for file in files:
            read.append(json.loads(file.read_text(encoding="utf-8")))
        rows = kept_of(joined(read), command, name)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{file} is no result of amiss bench ({error}); give a file that its --json wrote") from None
    paths = [results / _file_of(row) for row in rows]
    for path, row in zip(paths, rows, strict=True):
        if path.exists() and json.loads(path.read_text(encoding="utf-8"))["command"] != row["command"]:
            raise ConfigError(f"{path.name} is the result of another command; give this one a --name, or remove that")
    results.mkdir(parents=True, exist_ok=True)
    for path, row in zip(paths, rows, strict=True):
        path.write_text(json.dumps(row, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return paths


def _file_of(row: Mapping[str, Any]) -> str:
    parts = filter(None, (row["dataset"], row["method"], row.get("name")))
    return "-".join(re.sub(r"[^\w.]+", "-", part).strip("-.") for part in parts) + ".json"


def main() -> None:
    """Keep a result if there is one to keep, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    adding = parser.add_subparsers(dest="what").add_parser("add", help="keep a result of amiss bench --json")
    adding.add_argument("results", type=Path, nargs="+", help="several where seeds ran apart")
    adding.add_argument("--command", required=True, help="the command that made it, with names in place of paths")
    adding.add_argument("--name", default="", help="what tells it from others of the same method and data set")
    asked = parser.parse_args()
    if asked.what == "add":
        try:
            add(asked.results, asked.command, asked.name)
        except ConfigError as error:
            parser.error(str(error))
    (PAPERS / "README.md").write_text(papers_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
