"""The main job on the command line: learn, score, evaluate and bench write whole files that others can rely on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pyarrow.parquet as pq
import pytest

import amiss
import support_footage as support
from amiss import engine
from amiss.methods import METHODS
from support_cli import Run, problem

ENTRY = [sys.executable, "-c", "from amiss.cli import main; main()"]
DESIGNED = {"dataset", "method", "config", "seeds", "clips", "frames", "metrics", "seconds", "frames_per_second"} | {
    "peak_rss_mb",
    "versions",
    "machine",
}
METRICS = {"auc_micro", "auc_macro", "auc_macro_padded", "eer", "ap", "f1", "score_gap"}
MORE = {"note", "cameras", "clips_from_cache", "clips_with_masks", "tracks_from", "protocol", "smoothing"}
ALARMS = {"event_recall", "false_alarms_per_hour", "event_delay_seconds"}


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the clips that are really scored."""
    scored: list[str] = []
    real = engine.score.score_clip

    def counting(model: amiss.Model, footage: engine.score.Footage, *more: object) -> engine.Scores:
        scored.append(footage.name)
        return real(model, footage, *more)

    monkeypatch.setattr("amiss.engine.score.score_clip", counting)
    return scored


def test_learn_score_and_evaluate_from_end_to_end(place: Path, tmp_path: Path, run: Run) -> None:
    model, out = tmp_path / "walk.amiss", tmp_path / "scores"
    learned = run("learn", place / "training", "--method", "attributes", "--model", model, "--budget", "5/day")
    assert learned.status == 0, learned
    assert "learned from 2 clips" in learned.out
    assert json.loads((model / "model.json").read_text())["config"]["scoring"]["budget"] == "5/day"

    scored = run("score", place / "testing", "--model", model, "--out", out)
    assert scored.status == 0, scored
    assert "in 2 clips" in scored.out
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["annotated.mp4", "events.json", "frames.parquet", "parts", "report.html", "scores.parquet"]
    )
    assert_tables(out)
    assert_events(out, model)
    with av.open(str(out / "annotated.mp4")) as video:
        assert video.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in video.decode(video=0)) == 2 * support.WILD
    page = (out / "report.html").read_text()
    assert page.rstrip().endswith("</html>")
    assert "wild0" in page
    assert "wild1" in page

    measured = run("evaluate", "--scores", out, "--dataset", "folder", "--root", place, "--json", tmp_path / "e.json")
    assert measured.status == 0, measured
    result = json.loads((tmp_path / "e.json").read_text())
    assert result["clips"] == ["wild0", "wild1"]
    assert result["frames"] == 2 * support.WILD
    assert set(result["metrics"]) == METRICS | ALARMS
    assert result["metrics"]["auc_micro"]["smoothed"] > 0.9
    assert "auc_micro" in measured.out


def assert_tables(out: Path) -> None:
    regions, frames = pq.read_table(out / "scores.parquet"), pq.read_table(out / "frames.parquet")
    parts = [name for name in regions.column_names if name.startswith("part.")]
    assert regions.column_names == ["clip", "frame", "seconds", "x1", "y1", "x2", "y2", "track", "score", *parts]
    assert set(parts) >= {"part.velocity", "part.appearance"}
    assert frames.column_names == ["clip", "frame", "seconds", "raw", "smoothed", "calibrated", "floor"]
    assert frames.num_rows == 2 * support.WILD
    assert frames.column("frame").to_pylist() == list(range(support.WILD)) * 2
    assert set(regions.column("clip").to_pylist()) == {"wild0", "wild1"}


def assert_events(out: Path, model: Path) -> None:
    events = json.loads((out / "events.json").read_text())
    assert {event["camera"] for event in events} == {"wild0", "wild1"}
    for event in events:
        assert set(event) == {"id", "camera", "start", "peak", "end", "severity"} | {
            "parts",
            "reasons",
            "examples",
            "tube",
        }
        assert event["start"] <= event["peak"] <= event["end"]
        assert event["reasons"]
        assert all((model / "examples" / name).is_file() for name in event["examples"])
        assert len(set(map(len, event["tube"].values()))) == 1
    assert len({event["id"] for event in events}) == len(events)


def test_one_clip_of_pictures_gives_one_report(model_folder: Path, tmp_path: Path, run: Run) -> None:
    folder = support.as_folder(tmp_path / "monday", 5, 30)
    out = tmp_path / "out"
    answer = run("score", folder, "--model", model_folder, "--out", out, "--set", "report.video=none")
    assert answer.status == 0, answer
    assert "in 1 clips" in answer.out or "in 1 clip" in answer.out
    assert not (out / "annotated.mp4").exists()
    assert set(pq.read_table(out / "frames.parquet").column("clip").to_pylist()) == {"monday"}


def test_a_clip_that_is_done_is_not_scored_again(
    place: Path, model_folder: Path, tmp_path: Path, run: Run, count: list[str]
) -> None:
    damaged = support.as_folder(tmp_path / "broken", 3, 12)
    (damaged / "007.png").write_bytes((damaged / "007.png").read_bytes()[:200])
    out, clip = tmp_path / "out", place / "testing" / "wild0.mp4"
    line = problem(run("score", clip, damaged, "--model", model_folder, "--out", out))
    assert "007.png" in line
    assert not (out / "scores.parquet").exists()
    assert not (out / "report.html").exists()
    assert run("score", place / "testing", "--model", model_folder, "--out", out).status == 0
    assert count == ["wild0", "broken", "wild1"]
    before = (out / "scores.parquet").read_bytes()
    assert run("score", place / "testing", "--model", model_folder, "--out", out).status == 0
    assert (len(count), (out / "scores.parquet").read_bytes()) == (3, before)


def test_what_is_damaged_or_of_another_model_is_scored_again(
    place: Path, model: amiss.Model, model_folder: Path, tmp_path: Path, run: Run, count: list[str]
) -> None:
    out, clip = tmp_path / "out", place / "testing" / "wild0.mp4"
    given = (clip, "--out", out, "--set", "report.video=none", "--model")
    assert run("score", *given, model_folder).status == 0
    (out / "parts" / "wild0" / "frames.parquet").write_bytes(b"PAR1")
    assert run("score", *given, model_folder).status == 0
    assert count == ["wild0"] * 2
    other = amiss.learn(place / "training", settings=[*support.SETTINGS, "method.neighbours=3"])
    other.save(tmp_path / "other.amiss")
    assert run("score", *given, tmp_path / "other.amiss").status == 0
    assert count == ["wild0"] * 3
    assert run("score", *given, tmp_path / "other.amiss", "--set", "scoring.merge=0.5").status == 0
    assert count == ["wild0"] * 4
    assert run("score", *given, tmp_path / "other.amiss", "--set", "scoring.merge=0.5").status == 0
    assert count == ["wild0"] * 4


def test_bench_writes_what_others_rely_on_and_goes_on_from_its_folder(place: Path, tmp_path: Path, run: Run) -> None:
    quick = ("--set", "method.parts=[velocity, size]")
    given = ("bench", "folder", "--root", place, *quick, "--seeds", "0,1", "--out", tmp_path / "runs")
    first = run(*given, "--json", tmp_path / "a.json")
    assert first.status == 0, first
    result = json.loads((tmp_path / "a.json").read_text())
    assert set(result) == DESIGNED | MORE
    assert (result["dataset"], result["method"], result["seeds"]) == ("folder", "attributes", [0, 1])
    assert (result["clips"], result["frames"]) == (["wild0", "wild1"], 2 * support.WILD)
    assert set(result["metrics"]) == METRICS | ALARMS
    for name, kinds in result["metrics"].items():
        assert set(kinds) == ({"smoothed"} if name in ALARMS else {"raw", "smoothed"})
        for moments in kinds.values():
            assert set(moments) == {"mean", "std", "values"}
            assert len(moments["values"]) == 2
            assert min(moments["values"]) <= moments["mean"] <= max(moments["values"])
    assert set(result["seconds"]) == {"learn", "score"}
    assert result["frames_per_second"] > 0
    assert 20 < result["peak_rss_mb"] < 10_000
    assert result["versions"]["amiss"] == amiss.__version__
    assert result["machine"]["cores"] == os.cpu_count()

    notes = [tmp_path / "runs" / f"seed-{seed}" / "run.json" for seed in (0, 1)]
    times = [note.stat().st_mtime_ns for note in notes]
    assert run(*given, "--json", tmp_path / "b.json").status == 0
    assert [note.stat().st_mtime_ns for note in notes] == times
    again = json.loads((tmp_path / "b.json").read_text())
    assert (again["metrics"], again["seconds"]) == (result["metrics"], result["seconds"])

    (tmp_path / "runs" / "seed-1" / "frames.parquet").unlink()
    assert run(*given).status == 0
    assert notes[0].stat().st_mtime_ns == times[0]
    assert notes[1].stat().st_mtime_ns > times[1]
    assert run(*given[:6], "--seeds", "0", *given[-2:], "--set", "scoring.persistence=1").status == 0
    assert notes[0].stat().st_mtime_ns > times[0]


def test_lists_and_help(run: Run) -> None:
    listed = run("methods")
    assert listed.status == 0
    assert all(f"{name}: {METHODS[name].title}" in listed.out for name in METHODS)
    assert "method.neighbours" in listed.out
    assert "ped2" in run("datasets").out
    assert "perception.boxes.motion.max_aspect" in run("settings").out
    assert run("--version").out == f"amiss {amiss.__version__}\n"
    helped = run("learn", "--help")
    assert helped.status == 0
    assert helped.out.startswith("Usage: amiss learn")
    alone = run()
    assert alone.status == 2
    assert "bench" in alone.out


def test_brackets_in_names_are_no_markup(place: Path, tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "a[bold]b"
    folder.mkdir()
    shutil.copytree(place / "training", folder / "calm")
    assert str(folder) in run("learn", folder / "calm", "--model", folder / "m.amiss").out
    assert str(folder) in problem(run("learn", folder / "none.mp4", "--model", folder / "m.amiss"))


def test_the_installed_command_tells_errors_by_its_exit_status(place: Path, tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S603  # our own interpreter
        [*ENTRY, "learn", str(tmp_path / "nothing"), "--model", str(tmp_path / "m")], capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == f"amiss: {tmp_path / 'nothing'} does not exist; check the path\n"


def test_a_full_standard_output_is_one_line(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([*ENTRY, "datasets"], stdout=full, stderr=subprocess.PIPE, text=True)  # noqa: S603
    assert (ended.returncode, ended.stderr) == (1, "amiss: the disk is full; free some space and run it again\n")


def test_an_interruption_keeps_what_was_finished(tmp_path: Path) -> None:
    normal = tmp_path / "normal"
    support.as_video(normal / "a.mp4", 1, 40)
    support.as_video(normal / "b.mp4", 2, 600)
    cache, model = tmp_path / "cache", tmp_path / "m.amiss"
    command = [*ENTRY, "learn", str(normal), "--model", str(model), "--set", f"cache={cache}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        wait_for(
            lambda: len(list(cache.glob("windows/*/entry.json"))) == 1 and len(list(cache.glob("windows/.*"))) == 1
        )
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=240)
    assert process.returncode == 1
    assert out == ""
    assert err.splitlines()[-1] == "amiss: interrupted; what was finished is kept, run it again to go on"
    assert "Traceback" not in err
    assert not model.exists()
    left = list((cache / "windows").iterdir())
    assert [path.name.startswith(".") for path in left] == [False]
    assert list(tmp_path.glob(".*")) == []
    stamp = (left[0] / "entry.json").stat().st_mtime_ns
    support.as_video(normal / "b.mp4", 2, 40)
    amiss.learn(normal, settings=[f"cache={cache}"])
    assert (left[0] / "entry.json").stat().st_mtime_ns == stamp
    assert len(list((cache / "windows").iterdir())) == 2


def wait_for(ready: object, seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("missing", "extra", "command"),
    [
        ("sqlalchemy", "live", ["watch", "rtsp://127.0.0.1/x", "--model", "m"]),
        ("sqlalchemy", "live", ["doctor", "watch.yaml"]),
        ("prometheus_client", "live", ["events", "watch.yaml"]),
        ("apprise", "live", ["judge", "watch.yaml", "e1", "right"]),
        ("alembic", "live", ["camera", "watch.yaml"]),
        ("paho.mqtt", "live", ["backtest", "watch.yaml", "--camera", "gate", "--budget", "1/day"]),
        ("fastapi", "live,web", ["review", "--data", "data"]),
    ],
)
def test_a_command_whose_extra_is_not_installed_says_which(
    run: Run, monkeypatch: pytest.MonkeyPatch, missing: str, extra: str, command: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    ended = run(*command)
    assert ended.status == 2
    assert missing in problem(ended)
    assert f"pip install 'amiss[{extra}]'" in problem(ended)
