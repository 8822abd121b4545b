"""Results of benchmarks, and the models of cameras."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from amiss.errors import ScoresError
from amiss.live.store import Account
from amiss.report.comparison import Comparison, rows_in
from amiss.report.wording import metric_title
from amiss.web.gates import Here, Person, sees_everything, signed_in
from amiss.web.library import Bench, side_by_side
from amiss.web.pages import page
from amiss.web.routes import Routes
from amiss.web.site import Site

__all__ = ["routes"]

routes = Routes()
MOST_MODELS = 200
MOST_CLIPS = 12


@routes.get("/benches", signed_in)
def benches(request: Request, site: Here, person: Person) -> HTMLResponse:
    """Results, for those who may see all cameras, and the models of one's cameras."""
    names = site.library.names() if person.allowed is None else []
    found = [(name, *_tried(site, name)) for name in names]
    return page(request, "benches.html", benches=found, models=_models(site, person), all=person.allowed is None)


def _tried(site: Site, name: str) -> tuple[Bench | None, str]:
    """A result, or why it cannot be read."""
    try:
        return site.library.read(name), ""
    except ScoresError as error:
        return None, str(error)


def _models(site: Site, person: Account) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for camera in site.cameras(person)[:MOST_MODELS]:
        facts = site.shelf.facts(camera)
        if facts.model is not None:
            try:
                index = json.loads((facts.model / "model.json").read_text(encoding="utf-8"))
                method, learned = str(index["method"]), dict(index["learned"])
            except (OSError, ValueError, KeyError, TypeError):
                method, learned = "cannot be read", {}
            shown = {"camera": camera, "method": method, "learned": learned, "level": facts.level}
            found.append(shown | {"budget": facts.budget, "fingerprint": facts.fingerprint, "name": facts.model.name})
    return found


@routes.get("/benches/{name}", sees_everything)
def bench(request: Request, site: Here, name: str) -> HTMLResponse:
    """One result: its table and its curves."""
    found = _read(site, name)
    headed: dict[str, list[str]] = {}
    for column in found.comparison.columns:
        headed.setdefault(metric_title(column.metric), []).append(column.kind)
    curves = dict(list(side_by_side([found]).items())[:MOST_CLIPS])
    return page(
        request, "bench.html", bench=found, comparison=found.comparison, headed=list(headed.items()), curves=curves
    )


@routes.get("/compare", sees_everything)
def compare(request: Request, site: Here, name: Annotated[list[str] | None, Query()] = None) -> HTMLResponse:
    """Two results on the same footage beside each other."""
    names = [one for one in name or [] if one]
    if len(names) != 2:
        raise HTTPException(422, "give two results to compare")
    both = [_read(site, one) for one in names]
    curves = dict(list(side_by_side(both).items())[:MOST_CLIPS])
    return page(request, "compare.html", benches=both, same=_same(both), rows=_rows(both), curves=curves)


def _read(site: Site, name: str) -> Bench:
    found = site.library.read(name)
    if found is None:
        raise HTTPException(404, "there is no such result")
    return found


def _same(both: Sequence[Bench]) -> tuple[bool, int]:
    """Whether two results are of the same clips of a data set, and how many clips they share."""
    first, second = (rows_in(bench.result)["rows"][0]["result"] for bench in both)
    shared = set(map(str, first["clips"])) & set(map(str, second["clips"]))
    same = first["dataset"] == second["dataset"] and len(shared) == len(first["clips"]) == len(second["clips"])
    return same, len(shared)


def _rows(both: Sequence[Bench]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each metric with what every row of both results has of it, named by the row."""
    tables = [(bench.name, bench.comparison) for bench in both]
    columns = list(dict.fromkeys(column for _, table in tables for column in table.columns))
    return [
        (column.title, [one for name, table in tables for one in _texts(name, table, column)]) for column in columns
    ]


def _texts(name: str, table: Comparison, column: Any) -> list[tuple[str, str]]:
    place = table.columns.index(column) if column in table.columns else None
    return [
        (f"{name}: {line.name}", "" if place is None else table.cells[line.number - 1][place].text)
        for line in table.lines
    ]
