from __future__ import annotations

import io

import pytest
from rich.console import Console

from amiss import console
from amiss.console import ProgressDisplay, metrics_table


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(console, "time", made)
    return made


def plain() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=100, highlight=False), text


def test_quick_work_says_nothing_without_a_terminal(clock: Clock) -> None:
    out, text = plain()
    with ProgressDisplay(out) as progress:
        for done in range(11):
            progress("scoring", done, 10)
            clock.now += 0.1
    assert text.getvalue() == ""


def test_long_work_tells_the_time_left_now_and_then(clock: Clock) -> None:
    out, text = plain()
    with ProgressDisplay(out) as progress:
        for done in range(101):
            progress("scoring", done, 100)
            clock.now += 1
    lines = text.getvalue().splitlines()
    assert lines[0] == "scoring: 2 of 100, about 98 s left"
    assert lines[1] == "scoring: 17 of 100, about 83 s left"
    assert lines[-1] == "scoring: 100 done in 100 s"
    assert len(lines) == 8


def test_the_same_work_done_twice_is_timed_each_for_itself(clock: Clock) -> None:
    out, text = plain()
    with ProgressDisplay(out) as progress:
        for _ in range(5):
            progress("learning", 0, 4)
            clock.now += 1
            progress("learning", 4, 4)
    assert text.getvalue() == ""


def test_what_follows_a_colon_may_change(clock: Clock) -> None:
    out, text = plain()
    with ProgressDisplay(out) as progress:
        for done in range(6):
            progress(f"training: loss {9 - done}", done, 5)
            clock.now += 1
    assert text.getvalue().splitlines() == [
        "training: loss 7: 2 of 5, about 3 s left",
        "training: loss 4: 5 done in 5 s",
    ]


def test_what_an_earlier_run_has_done_is_not_counted_for_the_time_left(clock: Clock) -> None:
    out, text = plain()
    with ProgressDisplay(out) as progress:
        for done in range(900, 904):
            progress("training", done, 1000)
            clock.now += 1
    assert text.getvalue() == "training: 902 of 1,000, about 98 s left\n"


def test_a_bar_keeps_its_place_while_its_text_changes() -> None:
    text = io.StringIO()
    with ProgressDisplay(Console(file=text, width=120, force_terminal=True)) as progress:
        progress("training: loss [3]", 1, 2)
        progress("training: loss [2]", 2, 2)
    assert "2/2" in text.getvalue()
    assert "loss [2]" in text.getvalue()
    assert len(progress._tasks) == 1


def test_a_terminal_gets_bars() -> None:
    text = io.StringIO()
    out = Console(file=text, width=100, force_terminal=True)
    with ProgressDisplay(out) as progress:
        progress("looking at frames", 5, 20)
        progress("looking at frames", 20, 20)
        progress("scoring", 1, 3)
    shown = text.getvalue()
    assert "looking at frames" in shown
    assert "20/20" in shown
    assert "1/3" in shown


def test_metrics_are_shown_with_their_spread_where_there_are_several_seeds() -> None:
    one = {"mean": 0.5, "std": 0.0, "values": [0.5]}
    several = {"mean": 0.25, "std": 0.0312, "values": [0.2, 0.3]}
    out, text = plain()
    out.print(metrics_table({"eer": {"raw": one, "smoothed": several}, "ap": {"raw": 0.125, "smoothed": 1}}, "none"))
    assert "0.2500 ± 0.0312" in text.getvalue()
    assert "0.5000 ±" not in text.getvalue()
    assert "0.1250" in text.getvalue()
    assert "smoothed (none)" in text.getvalue()
