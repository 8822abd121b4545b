"""Work is given out in order, tried again when a worker is lost, and bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from amiss.errors import ClusterError, FootageError
from amiss.scale.desk import Desk, Task
from amiss.scale.jobs import Answer, Forget, Job, Place


@dataclass
class Pretend:
    """Workers that do what a function says, at once; those it says are lost are replaced."""

    does: Callable[[int, str], Any]
    workers: tuple[int, ...] = (0, 1)
    given: list[tuple[int, str]] = field(default_factory=list)
    waiting: list[tuple[int, str]] = field(default_factory=list)
    most: int = 0

    def send(self, worker: int, job: Job) -> None:
        assert worker in self.workers
        assert worker not in [busy for busy, _ in self.waiting], "one job at a time"
        assert isinstance(job, Forget)
        self.given.append((worker, job.place.name))
        self.waiting.append((worker, job.place.name))
        self.most = max(self.most, len(self.waiting))

    def wait(self) -> Answer:
        worker, name = self.waiting.pop(0)
        outcome = self.does(worker, name)
        if outcome == "lost":
            self.workers = (*(one for one in self.workers if one != worker), max(self.workers) + 1)
            return Answer(worker, lost=True)
        return Answer(worker, error=outcome) if isinstance(outcome, Exception) else Answer(worker, outcome)

    def close(self) -> None:
        """Nothing to end."""


class Book:
    """Tasks that note what became of them."""

    def __init__(self) -> None:
        self.done: dict[str, tuple[Any, int]] = {}
        self.failed: dict[str, Exception] = {}

    def task(self, name: str, **how: Any) -> Task:
        return Task(
            Forget(Place(name, name)),
            lambda value, worker: self.done.update({name: (value, worker)}),
            lambda error: self.failed.update({name: error}),
            **how,
        )


def test_everything_is_done_once_by_all_workers() -> None:
    team, book = Pretend(lambda _, name: name.upper()), Book()
    Desk(team, 3).run(book.task(str(number)) for number in range(9))
    assert {name: value for name, (value, _) in book.done.items()} == {str(n): str(n) for n in range(9)}
    assert len(team.given) == 9
    assert {worker for worker, _ in team.given} == {0, 1}


def test_more_is_asked_for_only_when_a_worker_has_nothing_to_do() -> None:
    begun: list[int] = []
    book = Book()

    def feed() -> Any:
        for number in range(6):
            begun.append(number)
            yield book.task(str(number))

    team = Pretend(lambda *_: len(begun) - len(book.done))
    Desk(team, 3).run(feed())
    assert max(value for value, _ in book.done.values()) <= 2
    assert team.most == 2


def test_what_finishes_a_clip_goes_before_what_begins_one() -> None:
    team, book = Pretend(lambda *_: None, workers=(0,)), Book()
    desk = Desk(team, 3)
    for name, rank in (("begin", 2), ("finish", 0), ("go on", 1)):
        desk.add(book.task(name, rank=rank))
    desk.run(iter(()))
    assert [name for _, name in team.given] == ["finish", "go on", "begin"]


def test_a_task_of_a_worker_goes_to_it_and_to_another_when_it_is_gone() -> None:
    team, book = Pretend(lambda worker, name: "lost" if (worker, name) == (1, "bad") else worker), Book()
    desk = Desk(team, 3)
    desk.add(book.task("bad", worker=1))
    desk.add(book.task("own", worker=1))
    desk.run(iter([book.task("a")]))
    assert book.done["own"][0] in (0, 2)
    assert not book.failed


def test_what_ends_its_worker_again_and_again_is_given_up() -> None:
    team, book = Pretend(lambda _, name: "lost" if name == "bad" else 1), Book()
    Desk(team, 3).run(book.task(name) for name in ("a", "bad", "b", "c"))
    assert sorted(book.done) == ["a", "b", "c"]
    assert isinstance(book.failed["bad"], ClusterError)
    assert [name for _, name in team.given].count("bad") == 3
    assert "3 workers" in str(book.failed["bad"])


@pytest.mark.parametrize(("elsewhere", "tries"), [(True, 2), (False, 1)])
def test_a_file_that_a_worker_lacks_is_tried_by_another(elsewhere: bool, tries: int) -> None:
    team, book = Pretend(lambda worker, _: FootageError("not here") if worker == 0 else "here"), Book()
    Desk(team, 3).run(iter([book.task("a", elsewhere=elsewhere)]))
    assert len(team.given) == tries
    assert bool(book.done) == elsewhere


def test_a_file_that_nobody_has_is_told_after_each_was_asked() -> None:
    team, book = Pretend(lambda *_: FootageError("not here")), Book()
    Desk(team, 5).run(iter([book.task("a", elsewhere=True)]))
    assert [worker for worker, _ in team.given] == [0, 1]
    assert str(book.failed["a"]) == "not here"


def test_a_worker_that_is_lost_while_it_has_nothing_to_do_ends_nothing() -> None:
    """At the end of an archive there are fewer tasks than workers, and the system may be short of memory."""
    book = Book()

    class Idle(Pretend):
        def wait(self) -> Answer:
            if 1 in self.workers:
                self.workers = (0, 2)
                return Answer(1, lost=True)
            return super().wait()

    Desk(Idle(lambda _, name: name), 3).run(iter([book.task("a")]))
    assert book.done == {"a": ("a", 0)}
