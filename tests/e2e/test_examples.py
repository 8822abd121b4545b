"""The examples of the documentation run, in the order in which a reader tries them."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run an example as a reader does, and give what it printed."""

    def start(name: str, *arguments: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return start


def test_the_examples_are_known_to_this_test() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {"library.py", "metrics.py", "stream.py"}


def test_library_then_stream(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMISS_CACHE", str(tmp_path / "cache"))
    told = run("library.py", tmp_path)
    page = tmp_path / "report" / "report.html"
    assert f"the report is {page}" in told
    events = json.loads((tmp_path / "report" / "events.json").read_text())
    assert told.count("severity") == len(events) >= 1
    assert events[0]["id"] in page.read_text()
    assert (tmp_path / "report" / "annotated.mp4").stat().st_size > 0

    told = run("stream.py", tmp_path / "plaza.amiss", tmp_path / "world" / "testing" / "plaza_02.mp4")
    assert told.count("gate: ") >= 1
    rarest = re.search(r"one in ([\d,]+) normal", told)
    assert rarest
    assert int(rarest[1].replace(",", "")) > 100


def test_metrics(run) -> None:
    told = run("metrics.py")
    numbers = dict(re.findall(r"^(.+) (\d\.\d{3})$", told, re.MULTILINE))
    assert len(numbers) == 5
    assert 0.8 < float(numbers["micro AUC"]) < 0.95
    assert float(numbers["equal error rate"]) < 0.3
