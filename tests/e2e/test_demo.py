from __future__ import annotations

import json
from pathlib import Path

import pytest

import amiss
from support_cli import Run


def test_the_demo_does_the_main_job_from_end_to_end(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A smaller world than people see, so that it is quick; the numbers of the whole are a benchmark's."""
    for name, value in {"NORMAL": 2, "ACTS": ("running", "cycling"), "SECONDS": 6.0, "SIZE": (320, 180)}.items():
        monkeypatch.setattr(f"amiss.demo.{name}", value)
    answer = run("demo", "--out", tmp_path, "--set", "report.video=none")
    assert answer.status == 0, answer
    assert f"the report is {tmp_path / 'report.html'}" in answer.out
    assert "frame AUC 0." in answer.out or "frame AUC 1." in answer.out
    assert len(amiss.load(tmp_path / "plaza.amiss").learned["clips"]) == 2
    assert isinstance(json.loads((tmp_path / "events.json").read_text()), list)
    assert "Frame AUC here" in (tmp_path / "report.html").read_text()
