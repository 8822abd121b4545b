"""`amiss score --on` on files that are whole, damaged, missing and far away, with workers and drivers that end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import amiss
from amiss import scale
from amiss.config import ScaleConfig
from amiss.engine import Model
from amiss.engine.progress import silent
from amiss.errors import BusyError, ClusterError
from amiss.scale.jobs import Answer, Job, Look, Place, Score
from support_cli import Run, problem
from support_scale import SETTINGS, Inline, as_archive

PROCESSES = "processes"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips, one of which has an event."""
    root = tmp_path_factory.mktemp("archives")
    as_archive(root, {"calm0": (0, 120, ()), "calm1": (1, 120, ())}, "training")
    clips = {f"clip{number}": (10 + number, 50, (20,) if number == 2 else ()) for number in range(4)}
    return as_archive(root, clips, "testing")


@pytest.fixture(scope="module")
def folder(archive: Path) -> Path:
    """Of the model."""
    model = amiss.learn(archive.parent / "training", settings=SETTINGS)
    model.save(archive.parent / "place.amiss")
    return archive.parent / "place.amiss"


@pytest.fixture
def model(folder: Path) -> Model:
    return Model.load(folder)


def clips_of(out: Path) -> list[str]:
    """The clips of the tables, in order."""
    names = [set(pq.read_table(out / name)["clip"].to_pylist()) for name in ("frames.parquet", "scores.parquet")]
    assert names[0] == names[1]
    return sorted(names[0])


def test_the_rest_is_done_when_a_file_is_damaged(archive: Path, folder: Path, tmp_path: Path, run: Run) -> None:
    damaged = tmp_path / "more" / "damaged.mp4"
    damaged.parent.mkdir()
    damaged.write_bytes((archive / "clip0.mp4").read_bytes()[:3000])
    (tmp_path / "list.txt").write_text(f"# what was recorded\n{archive}/clip[0-2].mp4\nmore\n", encoding="utf-8")
    asked = ("score", f"@{tmp_path}/list.txt", archive / "clip3.mp4", "--model", folder, "--out", tmp_path / "out")
    answer = run(*asked, "--on", PROCESSES, "--set", "scale.workers=2")
    assert answer.status == 1
    assert "1 of 5 clips could not be scored" in answer.err
    assert "Traceback" not in answer.err
    assert "events in 4 clips" in answer.out or "event in 4 clips" in answer.out
    failures = json.loads((tmp_path / "out" / "failures.json").read_text(encoding="utf-8"))
    assert list(failures) == [str(damaged)]
    assert "damaged.mp4" in failures[str(damaged)]
    assert clips_of(tmp_path / "out") == ["clip0", "clip1", "clip2", "clip3"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "see failures.json" in page
    events = json.loads((tmp_path / "out" / "events.json").read_text(encoding="utf-8"))
    assert {event["camera"] for event in events} >= {"clip2"}


def test_a_second_run_scores_nothing_again(archive: Path, model: Model, tmp_path: Path) -> None:
    places = scale.list_places([str(archive)])

    def score() -> tuple[scale.Archive, list[Job]]:
        team = Inline(scale.scoring_setup(model))
        try:
            return scale.score_archive(model, places, tmp_path, team, silent), team.jobs
        finally:
            team.close()

    first, _ = score()
    second, jobs = score()
    assert (first.fresh, second.fresh) == (4, 0)
    assert {type(job).__name__ for job in jobs} == {"Look", "Forget"}
    assert all(job.known for job in jobs if isinstance(job, Look))
    later = archive / "clip1.mp4"
    os.utime(later, (time.time(), time.time() - 5))  # touched, with the same content: looked at anew, not scored anew
    assert score()[0].fresh == 0
    (tmp_path / "parts" / "clip3" / "scores.parquet").write_bytes(b"x")
    (tmp_path / "parts" / "clip3" / "key").unlink()
    assert score()[0].fresh == 1


class Mortal(Inline):
    """Of its workers, one ends when a chosen clip is scored, so many times."""

    def __init__(self, setup: scale.Setup, victim: str, times: int) -> None:
        super().__init__(setup)
        self._victim, self._times, self._setup = victim, times, setup

    def wait(self) -> Answer:
        worker, job = self._waiting[0]
        if isinstance(job, Score) and job.place.name == self._victim and self._times:
            self._times -= 1
            self._waiting.popleft()
            from amiss.scale.work import Worker

            del self._members[worker]
            self._members[max(self._members, default=worker) + 10] = Worker(self._setup)
            return Answer(worker, lost=True)
        return super().wait()


@pytest.mark.parametrize(("times", "lost"), [(2, False), (3, True)])
def test_a_clip_that_ends_workers_is_given_up(
    archive: Path, model: Model, tmp_path: Path, times: int, lost: bool
) -> None:
    team = Mortal(scale.scoring_setup(model), "clip1", times)
    found = scale.score_archive(model, scale.list_places([str(archive)]), tmp_path, team, silent)
    team.close()
    assert [place.name for place in found.places] == [f"clip{n}" for n in range(4) if n != 1 or not lost]
    assert any("3 workers" in reason for reason in found.failures.values()) == lost


def test_a_part_is_kept_when_the_cluster_goes_away(archive: Path, model: Model, tmp_path: Path) -> None:
    """The next run asks for the parts that were not done, and for no other."""

    class Leaving(Inline):
        def wait(self) -> Answer:
            if sum(isinstance(job, Score) for job in self.jobs) > 2:
                raise ClusterError("the cluster does not answer; run it again to go on")
            return super().wait()

    config = model.config.model_copy(update={"scale": ScaleConfig(part=1.0, overlap=1.0)})
    cut = Model(**{**vars(model), "config": config})
    places = [place for place in scale.list_places([str(archive)]) if place.name == "clip2"]
    team = Leaving(scale.scoring_setup(cut), 1)
    with pytest.raises(ClusterError, match="run it again"):
        scale.score_archive(cut, places, tmp_path, team, silent)
    team.close()
    done = sorted(path.name for path in (tmp_path / "parts" / "clip2").iterdir())
    assert done == ["part-00000.parquet", "part-00001.parquet"]
    again = Inline(scale.scoring_setup(cut), 1)
    assert scale.score_archive(cut, places, tmp_path, again, silent).fresh == 1
    again.close()
    asked = [job.part.number for job in again.jobs if isinstance(job, Score)]
    assert 0 not in asked
    assert 1 not in asked
    assert 2 in asked
    assert not list((tmp_path / "parts" / "clip2").glob("part-*"))


def test_one_driver_at_a_time(archive: Path, model: Model, tmp_path: Path) -> None:
    from amiss.scale.ledger import Ledger

    ledger = Ledger(tmp_path)
    with pytest.raises(BusyError, match="another run writes"):
        Ledger(tmp_path)
    ledger.close()
    Ledger(tmp_path).close()


def test_footage_elsewhere_is_copied_while_it_is_worked_on(archive: Path, model: Model, tmp_path: Path) -> None:
    team = Inline(scale.scoring_setup(with_motion(model)))
    places = scale.list_places([f"file://{archive}/clip*.mp4"])
    assert [place.name for place in places] == ["clip0", "clip1", "clip2", "clip3"]
    scratch = [worker._scratch.path for worker in team._members.values()]  # what is left on disk
    found = scale.score_archive(with_motion(model), places[:2], tmp_path, team, silent)
    assert not found.failures
    assert not [path for one in scratch for path in (one / "footage").rglob("*.mp4")]
    missing = Place(f"file://{archive}/none.mp4", "none")
    failed = scale.score_archive(with_motion(model), [missing], tmp_path / "other", team, silent)
    assert list(failed.failures) == [missing.url]
    team.close()
    assert not any(one.exists() for one in scratch)


def with_motion(model: Model) -> Model:
    """The model with boxes that need no file beside the footage."""
    boxes = model.config.perception.boxes.model_copy(update={"source": "motion"})
    perception = model.config.perception.model_copy(update={"boxes": boxes})
    return Model(**{**vars(model), "config": model.config.model_copy(update={"perception": perception})})


def test_a_worker_process_that_is_killed_is_replaced(archive: Path, model: Model, tmp_path: Path) -> None:
    """A worker is killed from outside while it works; everything is done all the same."""
    team = scale.make_team(PROCESSES, scale.scoring_setup(model), ScaleConfig(workers=1))
    killed: list[int] = []

    def killing(what: str, done: int, total: int) -> None:
        if done == 1 and not killed:
            pid = next(iter(team._processes.values())).pid  # type: ignore[attr-defined]
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    try:
        found = scale.score_archive(model, scale.list_places([str(archive)]), tmp_path, team, killing)
    finally:
        team.close()
    assert killed
    assert not found.failures
    assert len(found.places) == 4


def test_a_driver_that_is_killed_leaves_no_worker_and_goes_on_later(
    archive: Path, folder: Path, tmp_path: Path, run: Run
) -> None:
    out = tmp_path / "out"
    asked = ["score", str(archive), "--model", str(folder), "--out", str(out), "--on", PROCESSES]
    line = [sys.executable, "-c", "from amiss.cli import main; main()", *asked, "--set", "scale.workers=1"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as driver:  # noqa: S603  # our own
        waited(lambda: len(list(out.glob("parts/*/key"))) >= 1)
        workers = children(driver.pid)
        driver.kill()
    assert workers
    waited(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    before = {path: path.stat().st_mtime_ns for path in out.glob("parts/*/key")}
    answer = run(*asked, "--set", "scale.workers=1")
    assert answer.status == 0, answer.err
    assert clips_of(out) == ["clip0", "clip1", "clip2", "clip3"]
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    assert f"{len(before)} of them by an earlier run" in answer.out


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]


def waited(happened: Callable[[], Any], seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--on", "slurm"), "--on does not take 'slurm'"),
        (("--on", "ray://127.0.0.1:1"), "there is no Ray cluster"),
        (("--on", PROCESSES, "--set", "scale.workers=0"), "scale.workers"),
    ],
)
def test_a_team_that_cannot_be_had(
    archive: Path, folder: Path, tmp_path: Path, run: Run, words: tuple[str, ...], message: str
) -> None:
    answer = run("score", archive, "--model", folder, "--out", tmp_path / "out", *words)
    assert message in problem(answer, 1 if "Ray" in message else 2)


def test_a_model_of_another_version_is_named(archive: Path, folder: Path, tmp_path: Path, run: Run) -> None:
    index = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    other = tmp_path / "other.amiss"
    other.mkdir()
    for path in folder.rglob("*"):
        if path.is_file():
            (other / path.relative_to(folder)).parent.mkdir(exist_ok=True)
            (other / path.relative_to(folder)).write_bytes(path.read_bytes())
    (other / "model.json").write_text(json.dumps(index | {"format": 99}), encoding="utf-8")
    answer = run("score", archive, "--model", other, "--out", tmp_path / "out", "--on", PROCESSES)
    assert "has format 99" in problem(answer)


def test_learning_on_processes_gives_the_same_model(
    archive: Path, folder: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMISS_CACHE", str(tmp_path / "cache"))
    sets = [word for one in SETTINGS for word in ("--set", one)]
    asked = ("learn", archive.parent / "training", "--model", tmp_path / "model", *sets)
    assert run(*asked, "--on", PROCESSES, "--set", "scale.workers=2").status == 0
    assert (tmp_path / "model" / "method.safetensors").read_bytes() == (folder / "method.safetensors").read_bytes()


@pytest.mark.parametrize("method", ["attributes", "fusion"])
def test_windows_come_from_workers_that_keep_them_elsewhere(archive: Path, tmp_path: Path, method: str) -> None:
    """As on a cluster whose machines share no disk; a fusion has windows of several methods."""
    from amiss.config import load_config
    from amiss.engine import make_method
    from amiss.footage import find_footage
    from amiss.pipeline import Pipeline

    own = () if method == "fusion" else SETTINGS[-1:]
    here = load_config(sets=[*SETTINGS[:-1], *own, f"cache={tmp_path / 'here'}"])
    there = here.model_copy(update={"cache": tmp_path / "there"})
    team = Inline(scale.learning_setup(there, method))
    pipeline = Pipeline(here, make_method(method, here).needs)
    footage = find_footage([archive.parent / "training"])
    parts = scale.Perceiver(team, 3, here.cache)(footage, pipeline, silent)
    team.close()
    assert [part.name for part in parts] == ["calm0", "calm1"]
    for part, item in zip(parts, footage, strict=True):
        same = Pipeline(there, pipeline._needs).part(item)  # the same needs
        assert part.keys == same.keys
        assert part.entry.arrays.keys() == same.entry.arrays.keys()
        assert all((part.entry.arrays[name] == array).all() for name, array in same.entry.arrays.items())
