from __future__ import annotations

import json
from pathlib import Path

import amiss
import support_footage as support
from amiss.footage import open_footage
from amiss.report.write import summary_of


def test_a_clip_scored_in_python_reports_itself(model: amiss.Model, place: Path, tmp_path: Path) -> None:
    scores = model.score(str(place / "testing" / "wild0.mp4"))
    told: list[str] = []
    page = scores.report(tmp_path / "monday", lambda what, _done, _total: told.append(what))
    assert page == tmp_path / "monday" / "report.html"
    events = json.loads((tmp_path / "monday" / "events.json").read_text())
    assert [event["id"] for event in events] == [event.id for event in scores.events]
    assert scores.events[0].reasons[0].split(",")[0] in page.read_text()
    assert set(told) == {"gathering pictures"}, "the model's settings ask for no video"


def test_a_page_says_what_the_model_rests_on(model: amiss.Model) -> None:
    summary = summary_of(model)
    facts = dict(summary.facts)
    assert facts["Learned from"] == "2 clips, 12 seconds of normal footage"
    assert facts["Boxes from"] == "motion"
    assert facts["Alarm budget"] == "2/day"
    assert summary.level == model.calibrations["centred"].level
    assert summary.release == summary.level * model.config.scoring.release
    assert any("motion alone" in note for note in summary.notes)
    assert any("rarer than the held-back footage" in note for note in summary.notes)


def test_opened_footage_and_its_path_score_alike(model: amiss.Model, place: Path) -> None:
    path = place / "testing" / "wild1.mp4"
    one, other = model.score(path), model.score(open_footage(path))
    assert one.name == other.name == "wild1"
    assert one.frames.calibrated.tolist() == other.frames.calibrated.tolist()
    assert len(one.frames) == support.WILD
