"""The page of all methods on all data sets, and the results it is made from."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from bench_results import result, row, table, write

from amiss.errors import ConfigError
from amiss.report.published import published, published_pairs

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "papers_page.py"))
COMMAND = "amiss bench ped2 --root PED2 --json a.json"
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


@pytest.fixture
def add(tmp_path: Path):
    """Keep a result, and give what was kept."""

    def keep(found: dict[str, Any], command: str = COMMAND, name: str = "") -> list[dict[str, Any]]:
        paths = SCRIPT["add"]([write(tmp_path / "given.json", found)], command, name, tmp_path / "results")
        return [json.loads(path.read_text()) for path in paths]

    return keep


def lines_of(page: str) -> list[dict[str, str]]:
    """The rows of the page; titles that come twice have the metric before them."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    titles = [title if title != "deviation" else f"deviation {place}" for place, title in enumerate(rows[0])]
    return [dict(zip(titles, cells, strict=True)) for cells in rows[2:]]


def lines(folder: Path) -> list[dict[str, str]]:
    return lines_of(SCRIPT["papers_page"](folder / "results"))


def run(folder: Path) -> list[dict[str, str]]:
    return [line for line in lines(folder) if line["made by"]]


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "papers" / "README.md").read_text(encoding="utf-8")
    assert page == SCRIPT["papers_page"](), "run .venv/bin/python scripts/papers_page.py"


def known(value: Any) -> set[str]:
    """Every number of a kept result as the page may write it."""
    if isinstance(value, dict):
        return set().union(*map(known, value.values()))
    if isinstance(value, list):
        return set().union(*map(known, value), [str(len(value))])
    if isinstance(value, str):
        return set(NUMBER.findall(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {f"{value:g}", f"{100 * value:.1f}", f"{value:.3f}", str(value)}
    return set()


def assert_numbers_are_kept(page: str, folder: Path) -> None:
    """Ours are in a result, theirs in the same or in the published table, deviations are their difference."""
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    for line in lines_of(page):
        method = line["method"].split(",")[0]
        own = [one for one in kept if f"`{one['command']}`" == line["made by"] and one["method"] == method]
        numbers = known(own) | {f"{number:g}" for number in published(method, line["data set"]).numbers.values()}
        for title, cell in line.items():
            if not title.startswith("deviation") and title not in ("method", "data set", "made by"):
                assert set(NUMBER.findall(cell)) <= numbers, (title, cell)
        for place, (theirs, ours) in {
            8: ("theirs: micro", "micro smoothed"),
            12: ("theirs: macro", "macro smoothed"),
        }.items():
            if deviation := line[f"deviation {place}"]:
                less = float(line[ours].split(" ")[0]) - float(line[theirs])
                assert float(deviation) == pytest.approx(less, abs=0.06)


def test_every_number_of_the_page_is_kept() -> None:
    assert_numbers_are_kept((ROOT / "papers" / "README.md").read_text(encoding="utf-8"), ROOT / "papers" / "results")


def test_what_is_kept_here_names_its_command_and_no_place() -> None:
    for path in (ROOT / "papers" / "results").glob("*.json"):
        kept = json.loads(path.read_text(encoding="utf-8"))
        assert kept["command"].startswith("amiss bench ")
        assert "machine" not in kept
        assert not list(filter(SCRIPT["_is_outside"], SCRIPT["_texts"](kept)))


def test_without_results_only_what_is_published_is_there(tmp_path: Path) -> None:
    found = lines(tmp_path)
    assert sorted((line["method"], line["data set"]) for line in found) == sorted(published_pairs())
    assert all(line["in a word"] == "no result kept" for line in found)
    assert not any(line["micro smoothed"] or line["made by"] or line["seeds"] for line in found)
    ped2 = next(line for line in found if (line["method"], line["data set"]) == ("attributes", "ped2"))
    assert (ped2["theirs: micro"], ped2["theirs: macro"]) == ("99.1", "99.9")


def test_a_result_takes_the_place_of_the_empty_row(add, tmp_path: Path) -> None:
    before = len(lines(tmp_path))
    add(result(auc_micro=[0.97, 0.99], auc_macro=[0.9, 0.9]))
    (line,) = run(tmp_path)
    assert len(lines(tmp_path)) == before
    assert (line["method"], line["data set"], line["clips"], line["seeds"]) == ("attributes", "ped2", "2", "0, 1")
    assert (line["theirs: micro"], line["ours: micro raw"], line["micro smoothed"]) == (
        "99.1",
        "98.0 ± 1.4",
        "99.0 ± 1.4",
    )
    assert (line["deviation 8"], line["deviation 12"], line["in a word"]) == ("-0.1", "-8.9", "as published")
    assert (line["smoothing"], line["made by"]) == ("gaussian:3", f"`{COMMAND}`")
    assert_numbers_are_kept(SCRIPT["papers_page"](tmp_path / "results"), tmp_path / "results")


@pytest.mark.parametrize(
    ("values", "more", "word"),
    [
        ([0.989], {}, "as published"),
        ([0.97], {}, "below"),
        ([0.998], {}, "above"),
        ([0.90, 0.999], {}, "as published"),
        ([0.97], {"note": "6 of 12 test clips present"}, "below, other clips"),
        ([0.97], {"protocol": "transductive"}, "below, transductive"),
        ([0.97], {"dataset": "world"}, "not published"),
    ],
)
def test_the_deviation_in_a_word(add, tmp_path: Path, values: list[float], more: dict[str, Any], word: str) -> None:
    found = result(auc_micro=[value - 0.01 for value in values])
    add(found | more)
    assert run(tmp_path)[0]["in a word"] == word


def test_rows_of_a_sweep_are_kept_each_with_its_own_numbers(add, tmp_path: Path) -> None:
    rows = (row("ID 1", result("mgenet"), paper={"auc_micro": 84.9}), row("all, both", result("mgenet"), paper={}))
    kept = add(table(*rows) | {"source": "table 2"})
    assert [one["name"] for one in kept] == ["ID 1", "all, both"]
    assert kept[0]["paper"] == {"numbers": {"auc_micro": 84.9}, "source": "table 2"}
    names = {path.name for path in (tmp_path / "results").iterdir()}
    assert names == {"ped2-mgenet-ID-1.json", "ped2-mgenet-all-both.json"}
    assert [line["method"] for line in run(tmp_path)] == ["mgenet, ID 1", "mgenet, all, both"]
    assert [line["theirs: micro"] for line in run(tmp_path)] == ["84.9", ""]
    assert "mgenet: table 2" in SCRIPT["papers_page"](tmp_path / "results")
    assert_numbers_are_kept(SCRIPT["papers_page"](tmp_path / "results"), tmp_path / "results")


def test_what_is_kept_is_less_and_says_nothing_of_the_machine(add) -> None:
    sets = {
        "cache": "/home/me/cache",
        "perception": {"boxes": {"path": "/data/boxes.npz"}},
        "method": {"neighbours": 3},
    }
    (kept,) = add(result(sets=sets))
    assert set(kept) == {
        *("dataset", "method", "command", "seeds", "clips", "frames", "smoothing", "settings", "metrics", "paper"),
        "versions",
    }
    assert kept["settings"] == {"perception.boxes.path": "boxes.npz", "method.neighbours": 3}
    assert kept["clips"] == 2
    text = json.dumps(kept)
    assert "Linux" not in text
    assert "home" not in text


@pytest.mark.parametrize(
    ("found", "command", "told"),
    [
        (result(), "amiss bench ped2 --root /data/ped2", "/data/ped2"),
        (result(), "amiss bench ped2 --root ~/ped2", "~/ped2"),
        (result(), "amiss bench ped2 --root=C:\\data", "C:\\data"),
        (result(), "amiss bench ped2 --root ../ped2", "../ped2"),
        (result() | {"note": "clips of /data/x present"}, COMMAND, "/data/x"),
        (result(), "python run.py", "amiss bench"),
        ({"metrics": 3}, COMMAND, "no result of amiss bench"),
    ],
)
def test_paths_and_other_files_are_refused(add, tmp_path: Path, found: dict, command: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        add(found, command)
    assert told in str(raised.value)
    assert not (tmp_path / "results").exists()


def test_the_same_command_replaces_and_another_one_needs_a_name(add, tmp_path: Path) -> None:
    add(result())
    add(result(auc_micro=[0.5]))
    assert run(tmp_path)[0]["ours: micro raw"] == "50.0"
    other = COMMAND + " --set perception.boxes.source=file"
    with pytest.raises(ConfigError, match="--name"):
        add(result(), other)
    add(result(), other, "given boxes")
    assert [line["method"] for line in run(tmp_path)] == ["attributes", "attributes, given boxes"]


def test_a_transfer_says_its_shots_and_nothing_of_what_it_learned_from(add) -> None:
    (kept,) = add(result() | {"transfer": {"shots": 5, "learned": {"clips": ["/data/secret.mp4"]}}})
    assert (kept["name"], kept["paper"]["numbers"]) == ("5 shots", {})
    assert "secret" not in json.dumps(kept)


def test_the_script_keeps_and_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = SCRIPT["main"].__globals__
    monkeypatch.setitem(changed, "PAPERS", tmp_path)
    monkeypatch.setattr(SCRIPT["add"], "__defaults__", ("", tmp_path / "results"))
    monkeypatch.setattr(SCRIPT["papers_page"], "__defaults__", (tmp_path / "results",))
    given = write(tmp_path / "given.json", result())
    monkeypatch.setattr(sys, "argv", ["papers_page.py", "add", str(given), "--command", COMMAND])
    SCRIPT["main"]()
    assert f"`{COMMAND}`" in (tmp_path / "README.md").read_text()
    monkeypatch.setattr(sys, "argv", ["papers_page.py", "add", str(given), "--command", "amiss bench /x"])
    with pytest.raises(SystemExit):
        SCRIPT["main"]()
    assert "/x is a path" in capsys.readouterr().err


def test_seeds_that_ran_apart_are_kept_as_one_result(tmp_path: Path) -> None:
    whole = result(auc_micro=[0.9, 0.7, 0.8], auc_macro=[0.6, 0.5, 0.4])
    apart = [
        result(auc_micro=[micro], auc_macro=[macro], sets={"seed": seed, "cache": f"kept-{seed}"}) | {"seeds": [seed]}
        for seed, (micro, macro) in enumerate(zip([0.9, 0.7, 0.8], [0.6, 0.5, 0.4], strict=True))
    ]
    files = [write(tmp_path / f"{seed}.json", one) for seed, one in enumerate(apart)]
    kept = json.loads(SCRIPT["add"](files, COMMAND, "", tmp_path / "results")[0].read_text())
    assert kept["seeds"] == [0, 1, 2]
    for metric, kinds in whole["metrics"].items():
        for kind, moments in kinds.items():
            found = kept["metrics"][metric][kind]
            assert found["values"] == moments["values"]
            assert (found["mean"], found["std"]) == pytest.approx((moments["mean"], moments["std"]))


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (result() | {"seeds": [0]}, "a seed comes twice"),
        (result(sets={"scoring": {"persistence": 5}}) | {"seeds": [1]}, "config is not the same"),
        (result(dataset="avenue") | {"seeds": [1]}, "dataset is not the same"),
        (table(row("a", result())), "tables of rows cannot be joined"),
    ],
)
def test_what_is_not_one_result_is_not_joined(other: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        SCRIPT["joined"]([result(), other])
