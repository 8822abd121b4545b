"""Parts of the review page: thinned curves, tried budgets, queues and accounts in both databases, the command."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import amiss
from amiss.errors import ConfigError
from amiss.live.backtest import backtest
from amiss.live.nouns import Change, Verdict
from amiss.live.settings import ScheduleSettings
from amiss.live.store import Place, Queue, Role, Store
from amiss.web.curves import thin
from amiss.web.trial import BUDGETS, _telling, _with_budget
from support_cli import Run, problem
from support_review import PASSWORD, Folder, client, peaks, site_of, squares
from support_stores import AT, event


@given(st.integers(1, 400), st.integers(10, 60), st.integers(0, 2**32 - 1))
def test_a_thinned_curve_keeps_order_ends_and_extremes(count: int, points: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    at, scores = np.cumsum(generator.uniform(0.01, 1, count)), generator.standard_normal(count).round(1)
    drawn = thin(at, scores, points)
    assert drawn.exact == (count <= points)
    assert len(drawn.at) <= points + 2
    assert np.all(np.diff(drawn.at) > 0)
    assert (drawn.at[0], drawn.at[-1]) == (at[0], at[-1])
    assert (drawn.calibrated.min(), drawn.calibrated.max()) == (scores.min(), scores.max())
    assert set(zip(drawn.at, drawn.calibrated, strict=True)) <= set(zip(at, scores, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_frames_that_make_no_difference_make_none(model: amiss.Model, seed: int) -> None:
    generator = np.random.default_rng(seed)
    steps = generator.choice(
        [0.1, 0.1, 0.1, 0.1, 0.45, 0.9, 40.0], 20_000, p=[0.24, 0.24, 0.24, 0.24, 0.02, 0.018, 0.002]
    )
    at = 1e9 + np.cumsum(steps)
    scores = np.convolve(generator.exponential(1.0, 20_000), np.ones(8) / 8, "same") * generator.uniform(1, 4)
    tried = _with_budget(model, "5/hour")
    calibration = tried.calibrations["causal"]
    scores *= calibration.level / np.quantile(scores, 0.995)
    rows = _telling(at, scores, calibration.level * tried.config.scoring.release, tried.config.footage.gap)
    assert rows.mean() < 0.7, "it would save nothing"
    some = np.ones(len(at), np.bool_)
    few, every = (backtest(tried, at[kept], scores[kept], ScheduleSettings()) for kept in (rows, some))
    assert len(every.spans) > 20
    without = [[replace(span, first=0, peak=0, last=0) for span in found.spans] for found in (few, every)]
    assert without[0] == without[1]
    assert few.hours == pytest.approx(every.hours)


def test_budgets_are_tried_once_for_a_model_and_its_curves(tmp_path: Path, model: amiss.Model) -> None:
    made = Folder(tmp_path)
    model.save(tmp_path / "model.amiss")
    made.camera("gate", squares(0.1).pictures[0], model=str(tmp_path / "model.amiss"), budget="3/day")
    site = site_of(made)
    with pytest.raises(ConfigError, match="scored nothing"):
        site.trials.run("gate", 7)
    rows = [made.event(f"e{number}", ago=600 + 300 * number, severity=3.0 + number) for number in range(8)]
    made.curve("gate", *peaks(made.now, rows))
    found = site.trials.run("gate", 7)
    assert found.own == "3/day"
    assert [budget for budget, _ in found.results] == [*BUDGETS[:4], "3/day", *BUDGETS[4:]]
    levels = [result.level for _, result in found.results]
    assert levels == sorted(levels, reverse=True)
    assert len(found.results[-1][1].spans) > len(found.results[0][1].spans)
    assert site.trials.run("gate", 7) is found
    made.curve("gate", np.array([made.now + 1.0]), np.array([0.1]))
    assert site.trials.run("gate", 7) is not found
    made.store.close()


def test_a_queue_in_both_databases(store: Store) -> None:
    for number in range(9):
        likeness = {"part": ("pose", "velocity")[number % 2], "by": "nothing", "places": [], "look": []}
        camera = f"c{number % 3}"
        row = event(f"e{number}", camera=camera, start=AT + number, severity=3.0 + number % 4, likeness=likeness)
        store.put_event(row, Change.END)
    store.set_verdict("e7", Verdict.RIGHT, "ann")
    ranked = [row.id for row in store.queue(Queue())]
    assert ranked == ["e3", "e6", "e2", "e5", "e1", "e8", "e4", "e0", "e7"]
    assert [row.id for row in store.queue(Queue(order="newest"), limit=2)] == ["e8", "e6"]
    second = store.event("e6")
    assert second
    assert [row.id for row in store.queue(Queue(), store.place(second), 3)] == ranked[2:5]
    assert store.beside(Queue(), second) == ("e3", "e2")
    assert store.beside(Queue(allowed=["c0"]), second) == ("e3", "e0")
    assert store.queue(Queue(allowed=[])) == []
    assert store.parts(["c0"]) == ["pose", "velocity"]
    assert store.queue_size(Queue(part="pose", state="open")) == (5, 5)
    assert store.queue(Queue(), Place(1, 0.0, 0.0, "z")) == []
    first = store.queue(Queue(), limit=1)[0]
    assert (first.tube, first.likeness) == ({}, {"part": "velocity"})
    assert store.queue_whole(Queue(), limit=1)[0] == store.event("e3")
    assert store.alarms_since(AT + 4, ["c0", "c1"]) == {"c0": 1, "c1": 2}


def test_what_is_covered_is_uncovered(store: Store) -> None:
    for name in ("a", "b", "c"):
        store.put_event(event(name), Change.END)
    store.set_verdict("c", Verdict.RIGHT, "ann")
    store.cover(5, ["a", "b", "c"])
    assert [row.id for row in store.queue(Queue(state="covered"))] == ["a", "b"], "what was reviewed stays as it is"
    assert store.uncover("elsewhere", [5]) == []
    assert store.uncover("gate", [4, 5]) == ["a", "b"]
    assert store.queue_size(Queue(state="open"))[0] == 2


def test_accounts_in_both_databases(store: Store) -> None:
    assert not store.has_accounts()
    ann = store.add_account(" Ann ", "hash", Role.ADMIN, None, "first run", first=True)
    assert (ann.name, ann.allowed, ann.sees("anything")) == ("Ann", None, True)
    for wrong in ("ANN", "ann ", "\uff21nn"):  # the last begins with a wide letter
        with pytest.raises(ConfigError, match="already"):
            store.add_account(wrong, "hash", Role.VIEWER, [], "Ann")
    with pytest.raises(ConfigError, match="sign in"):
        store.add_account("eve", "hash", Role.ADMIN, None, "eve", first=True)
    otto = store.add_account("otto", "hash", Role.OPERATOR, ["yard", "gate"], "Ann")
    assert otto.cameras == ("gate", "yard")
    assert otto.operates("gate")
    assert not otto.sees("roof")
    store.begin_session(otto.id, "token", AT + 10, "192.0.2.1")
    assert store.session_account("token") == otto
    assert store.session_account("other") is None
    changed = store.change_account(otto.id, "Ann", role=Role.VIEWER, cameras=None)
    assert store.session_account("token") == changed
    assert changed.sees("roof")
    assert not changed.operates("roof")
    store.change_account(otto.id, "Ann", password="new")  # noqa: S106  # stands for a hash
    assert store.session_account("token") is None
    assert store.password_of("OTTO") == (otto.id, "new")
    store.add_attempt("otto", "192.0.2.9")
    assert store.attempts("Otto", "192.0.2.9", AT - 1) == ([AT], [AT])
    with pytest.raises(ConfigError, match="only admin"):
        store.remove_account(ann.id, "Ann")
    store.remove_account(otto.id, "Ann")
    assert [account.name for account in store.accounts()] == ["Ann"]
    assert {"account made as admin of all cameras", "account removed"} <= {entry.what for entry in store.entries()}


def test_the_command_says_what_is_wrong(run: Run, tmp_path: Path) -> None:
    assert "there is no folder" in problem(run("review", "--data", tmp_path / "none"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "give another --port" in problem(run("review", "--data", tmp_path, "--port", port))
    assert "cannot be used" in problem(run("review", "--data", tmp_path, "--store", "mysql://here"))


def test_the_command_serves_and_prints_the_first_link(tmp_path: Path) -> None:
    line = [
        sys.executable,
        "-c",
        "from amiss.cli import main; main()",
        "review",
        "--data",
        str(tmp_path),
        "--port",
        "0",
    ]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own
        assert process.stdout
        first, second = process.stdout.readline(), process.stdout.readline()
        link = re.search(r"http://127\.0\.0\.1:\d+/first\?token=\S+", first)
        address = re.search(r"http://127\.0\.0\.1:\d+", second)
        assert link
        assert address
        with urllib.request.urlopen(link[0], timeout=20) as answer:  # noqa: S310  # our own
            assert "The first account" in answer.read().decode()
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 1, -signal.SIGINT)
        assert time.monotonic() - begun < 10


def test_a_fault_of_ours_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Folder(tmp_path)
    made.person("ann", Role.ADMIN, None)
    from amiss.web import make_app

    browser = client(make_app(site_of(made)), "ann")
    monkeypatch.setattr(Store, "queue", lambda *_: 1 / 0)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert PASSWORD not in answer.text
    made.store.close()
