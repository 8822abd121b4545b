"""Several rows in one call of the command line, with the pages that are made of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import support_footage as support
from support_cli import Run, problem

SWEEP = """
title: What size adds
source: "table 2"
settings: ["method.examples=4"]
rows:
  - name: speed alone
    settings: ["method.parts=[velocity]"]
    paper: {auc_micro: 92.4}
  - name: speed, size
    settings: {method: {parts: [velocity, size]}, scoring.smoothing: median:5}
"""


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    file = tmp_path / "rows.yaml"
    file.write_text(SWEEP)
    return file


def test_a_sweep_from_end_to_end_and_again(place: Path, tmp_path: Path, sweep: Path, run: Run) -> None:
    out, html, markdown = tmp_path / "runs", tmp_path / "t.html", tmp_path / "t.md"
    given = ("bench", "folder", "--root", place, "--sweep", sweep, "--seeds", "0,1", "--out", out)
    answer = run(*given, "--json", tmp_path / "t.json", "--html", html, "--markdown", markdown)
    assert answer.status == 0, answer
    assert "speed alone" in answer.out
    table = json.loads((tmp_path / "t.json").read_text())
    assert list(table) == ["dataset", "title", "source", "rows", "tests"]
    assert [(row["name"], row["method"], row["paper"]) for row in table["rows"]] == [
        ("speed alone", "attributes", {"auc_micro": 92.4}),
        ("speed, size", "attributes", {}),
    ]
    one, other = (row["result"] for row in table["rows"])
    assert one["config"]["method"] == {"parts": ["velocity"], "examples": 4}
    assert other["config"]["scoring"]["smoothing"] == "median:5"
    assert (one["seeds"], one["clips"], one["frames"]) == ([0, 1], ["wild0", "wild1"], 2 * support.WILD)
    assert table["tests"][0]["rows"] == ["speed alone", "speed, size"]
    micro = table["tests"][0]["metrics"]["auc_micro"]["smoothed"]
    assert set(micro) == {"difference", "p", "p_holm"}
    assert micro["difference"] == pytest.approx(
        one["metrics"]["auc_micro"]["smoothed"]["mean"] - other["metrics"]["auc_micro"]["smoothed"]["mean"]
    )
    page = html.read_text()
    assert all(words in page for words in ("What size adds", "gaussian:3", "median:5", "92.4", "wild1", "seed 0"))
    assert page.rstrip().endswith("</html>")
    assert "://" not in page
    assert "| 1 | speed alone | attributes | 0, 1 | gaussian:3 |" in markdown.read_text()

    notes = sorted(out.glob("*/seed-*/run.json"))
    assert [note.parent.parent.name for note in notes] == ["speed-alone"] * 2 + ["speed-size"] * 2
    times = [note.stat().st_mtime_ns for note in notes]
    assert run(*given, "--json", tmp_path / "again.json").status == 0
    assert [note.stat().st_mtime_ns for note in notes] == times
    again = json.loads((tmp_path / "again.json").read_text())
    assert [row["result"]["metrics"] for row in again["rows"]] == [row["result"]["metrics"] for row in table["rows"]]


def test_methods_with_commas_are_rows_and_one_that_fails_leaves_the_others(
    place: Path, tmp_path: Path, run: Run
) -> None:
    given = ("bench", "folder", "--root", place, "--method", "attributes,pose-flow", "--json", tmp_path / "t.json")
    answer = run(*given, "--out", tmp_path / "runs", "--html", tmp_path / "t.html", "--set", "train.epochs=1")
    assert "the row 'pose-flow': " in problem(answer)
    table = json.loads((tmp_path / "t.json").read_text())
    assert [row["name"] for row in table["rows"]] == ["attributes"]
    assert table["tests"] == []
    assert "paper" not in table["rows"][0]
    assert (tmp_path / "runs" / "attributes" / "seed-0" / "run.json").exists()
    assert "attributes on folder" in (tmp_path / "t.html").read_text()


def test_one_method_has_pages_too_and_its_json_is_that_of_one(place: Path, tmp_path: Path, run: Run) -> None:
    files = ("--json", tmp_path / "a.json", "--html", tmp_path / "a.html", "--markdown", tmp_path / "a.md")
    answer = run("bench", "folder", "--root", place, "--set", "method.parts=[velocity]", *files)
    assert answer.status == 0, answer
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["method"] == "attributes"
    assert "rows" not in found
    assert "attributes on folder" in (tmp_path / "a.html").read_text()
    micro = found["metrics"]["auc_micro"]["raw"]["mean"]
    assert f"| {100 * micro:.1f} |" in (tmp_path / "a.md").read_text()


def test_a_transfer_is_drawn_without_its_shots(place: Path, model_folder: Path, tmp_path: Path, run: Run) -> None:
    given = ("bench", "folder", "--root", place, "--transfer-from", model_folder)
    answer = run(*given, "--shots", "2", "--html", tmp_path / "a.html", "--json", tmp_path / "a.json")
    assert answer.status == 0, answer
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["transfer"]["shots"] == 2
    assert f">{found['frames'] // 2 - 1}</text>" in (tmp_path / "a.html").read_text()


def test_what_does_not_go_together_is_told_before_the_work(
    place: Path, tmp_path: Path, sweep: Path, model_folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*given: object) -> None:
        raise AssertionError("the work had begun")

    monkeypatch.setattr("amiss.engine.rows.bench", never)
    given = ("bench", "folder", "--root", place)
    assert "for one method" in problem(run(*given, "--sweep", sweep, "--transfer-from", model_folder))
    assert "for one method" in problem(run(*given, "--method", "attributes,mgenet", "--shots", "1"))
    assert "for one method" in problem(run(*given, "--sweep", sweep, "--against", tmp_path / "x.json"))
    assert "--sweep" in problem(run(*given, "--sweep", sweep, "--method", "attributes,mgenet"))
    assert "'magic'" in problem(run(*given, "--method", "attributes,magic"))
    assert "method.parts" in problem(run(*given, "--method", "attributes,mgenet", "--set", "method.parts=[velocity]"))
    assert "--html" in problem(run(*given, "--sweep", sweep, "--html", sweep / "t.html"))
    assert "--markdown" in problem(run(*given, "--sweep", sweep, "--markdown", sweep / "t.md"))
    sweep.write_text(SWEEP.replace("method.examples", "method.nope"))
    assert f"{sweep}, row 'speed alone': there is no setting 'method.nope'" in problem(run(*given, "--sweep", sweep))
    assert "none.yaml" in problem(run(*given, "--sweep", tmp_path / "none.yaml"))


def test_labels_that_do_not_fit_name_the_row(place: Path, tmp_path: Path, sweep: Path, run: Run) -> None:
    other = tmp_path / "other"
    shutil.copytree(place, other)
    np.savez(other / "frame_labels.npz", wild0=np.zeros(support.WILD, np.uint8), wild1=np.zeros(support.WILD, np.uint8))
    line = problem(run("bench", "folder", "--root", other, "--sweep", sweep, "--json", tmp_path / "t.json"))
    assert "the row 'speed alone': " in line
    assert not (tmp_path / "t.json").exists()
