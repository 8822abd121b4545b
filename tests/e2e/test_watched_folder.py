"""A folder that was watched, without its file of settings; and folders that were not."""

from __future__ import annotations

import time
from pathlib import Path

from amiss.live.nouns import Change
from amiss.live.store import Life, Store
from support_cli import Run
from support_stores import event


def test_the_cameras_of_a_folder_are_those_that_its_store_knows(tmp_path: Path, run: Run) -> None:
    at = time.time() - 60
    with Store.open(tmp_path / "amiss.sqlite", tmp_path / "media") as store:
        store.set_life("gate", Life.LIVE, "said", "ann")
        store.put_event(event("e1", camera="gate", start=at, peak=at, end=at + 1, open=False), Change.END)
    assert "gate: live" in run("camera", tmp_path).out
    assert "1 event" in run("events", tmp_path, "--camera", "gate").out
    wrong = run("events", tmp_path, "--camera", "typo")
    assert wrong.status == 2
    assert "there is no camera 'typo'; the cameras are: gate" in wrong.err
    assert "gate raises no alarms" in run("judge", tmp_path, "gate", "snooze").out


def test_a_folder_in_which_nothing_was_watched_is_refused_and_left_as_it_is(tmp_path: Path, run: Run) -> None:
    for asked in (("events", tmp_path), ("camera", tmp_path), ("judge", tmp_path, "gate", "snooze")):
        answer = run(*asked)
        assert answer.status == 2
        assert "nothing was watched into" in answer.err
    assert not list(tmp_path.iterdir())
