"""What people give that cannot be used: one line that names it, the right exit status, and nothing half-written."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import amiss
import support_footage as support
from support_cli import Run, problem


@pytest.fixture
def normal(place: Path) -> Path:
    return place / "training" / "calm0.mp4"


@pytest.fixture
def clip(place: Path) -> Path:
    return place / "testing" / "wild0.mp4"


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        track = out.add_stream("aac", rate=8000, layout="mono")
        for number in range(4):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), format="fltp", layout="mono")
            silence.sample_rate, silence.pts = 8000, number * 1000
            out.mux(track.encode(silence))
        out.mux(track.encode())
    return path


def bad_footage(kind: str, folder: Path, clip: Path) -> tuple[Path, str]:
    """Footage that cannot be read, and what the line must name."""
    place = folder / kind
    if kind == "missing":
        return place, "does not exist"
    if kind in ("empty", "papers"):
        place.mkdir()
        if kind == "papers":
            (place / "notes.txt").write_text("no video")
        return place, "holds no footage"
    if kind == "text":
        (folder / "text.mp4").write_text("this is no video\n" * 50)
        return folder / "text.mp4", "is not a video"
    if kind == "sound":
        return sound_only(folder / "sound.mp4"), "no video stream"
    if kind == "truncated":
        place = folder / "cut.mp4"
        place.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
        return place, "cut off"
    pictures = support.as_folder(place, 3, 12)
    if kind == "unreadable":
        (pictures / "006.png").write_bytes((pictures / "006.png").read_bytes()[:300])
        return pictures, "006.png"
    other = support.as_folder(folder / "other", 3, 1) / "000.png"
    cv2.imwrite(str(pictures / "006.png"), cv2.imread(str(other))[:60])
    return pictures, "160x60"


KINDS = ["missing", "empty", "papers", "text", "sound", "truncated", "unreadable", "sizes"]


@pytest.mark.parametrize("kind", KINDS)
def test_footage_that_cannot_be_learned_from(kind: str, clip: Path, tmp_path: Path, run: Run) -> None:
    footage, named = bad_footage(kind, tmp_path, clip)
    line = problem(run("learn", footage, "--model", tmp_path / "m.amiss"))
    assert str(footage) in line
    assert named in line
    assert not (tmp_path / "m.amiss").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("kind", KINDS)
def test_footage_that_cannot_be_scored(kind: str, clip: Path, model_folder: Path, tmp_path: Path, run: Run) -> None:
    footage, named = bad_footage(kind, tmp_path, clip)
    line = problem(run("score", footage, "--model", model_folder, "--out", tmp_path / "out"))
    assert str(footage) in line
    assert named in line
    assert not [path for path in tmp_path.glob("out/**/*") if path.is_file()]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--set", "scoring.nope=1"], "scoring.nope"),
        (["--set", "nope.nope=1"], "nope"),
        (["--set", "method.nope=1"], "method.nope"),
        (["--set", "method=3"], "method"),
        (["--set", "scoring.holdout=2"], "scoring.holdout"),
        (["--set", "scoring"], "key=value"),
        (["--set", "=1"], "key=value"),
        (["--set", "scoring.smoothing=gauss:3"], "scoring.smoothing"),
        (["--set", "scoring.smoothing=median:4"], "scoring.smoothing"),
        (["--set", "device=abacus"], "device"),
        (["--set", "perception.boxes.source=magic"], "magic"),
        (["--set", "perception.features.source=magic"], "magic"),
        (["--set", "perception.boxes.source=file"], "boxes_training.npz"),
        (["--set", "perception.boxes.source=poses"], "_alphapose_tracked_person.json"),
        (["--method", "magic"], "magic"),
        (["--budget", "lots"], "lots"),
        (["--budget", "0/day"], "0/day"),
        (["--seed", "-1"], "seed"),
        (["--seed", "one"], "--seed"),
        (["--config", "/no/such.yaml"], "/no/such.yaml"),
        (["--nope"], "--nope"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_settings_that_do_not_exist_or_do_not_fit(
    given: list[str], named: str, normal: Path, tmp_path: Path, run: Run
) -> None:
    assert named in problem(run("learn", normal, "--model", tmp_path / "m.amiss", *given))
    assert not (tmp_path / "m.amiss").exists()


def test_usage_that_is_not_complete(normal: Path, place: Path, tmp_path: Path, run: Run) -> None:
    assert "--model" in problem(run("learn", normal))
    assert "amiss learn --help" in problem(run("learn"))
    assert "fly" in problem(run("fly"))
    assert "'magic'" in problem(run("bench", "magic", "--root", place))
    assert "--seeds" in problem(run("bench", "folder", "--root", place, "--seeds", "0,x"))
    assert str(tmp_path / "none") in problem(run("bench", "folder", "--root", tmp_path / "none"))
    assert "Avenue" in problem(run("bench", "avenue", "--root", tmp_path))
    assert "'magic'" in problem(run("evaluate", "--scores", tmp_path, "--dataset", "magic", "--root", place))


@pytest.mark.parametrize("key", ["seed", "scoring.smoothing", "perception.boxes.source", "method.neighbours"])
def test_a_model_does_not_take_settings_that_it_learned_with(
    key: str, clip: Path, model_folder: Path, tmp_path: Path, run: Run
) -> None:
    values = {"seed": "3", "scoring.smoothing": "none", "perception.boxes.source": "file", "method.neighbours": "3"}
    given = ("--set", f"{key}={values[key]}")
    assert key in problem(run("score", clip, "--model", model_folder, "--out", tmp_path / "out", *given))


def spoil(kind: str, folder: Path) -> str:
    """Make a model unusable; gives what the line must name."""
    index = folder / "model.json"
    values = json.loads(index.read_text())
    if kind == "missing":
        shutil.rmtree(folder)
        return "there is no model"
    if kind == "lacks":
        (folder / "method.safetensors").unlink()
        return "method.safetensors"
    if kind == "altered":
        data = bytearray((folder / "method.safetensors").read_bytes())
        data[-1] ^= 1
        (folder / "method.safetensors").write_bytes(data)
        return "altered"
    if kind == "no index":
        index.unlink()
        return "model.json"
    texts = {
        "no json": "{",
        "foreign": json.dumps({"name": "something else"}),
        "a list": "[1, 2]",
        "bytes": "\x00\xff",
        "format": json.dumps(values | {"format": 99}),
        "method": json.dumps(values | {"method": "magic"}),
        "settings": json.dumps(values | {"config": {"nope": 1}}),
        "calibrations": json.dumps(values | {"calibrations": {"centred": {}}}),
        "no calibrations": json.dumps(values | {"calibrations": {}}),
        "files": json.dumps(values | {"files": [1]}),
    }
    index.write_text(texts[kind], encoding="latin-1")
    return {"format": "99", "method": "magic", "settings": "nope"}.get(kind, "model")


@pytest.mark.parametrize(
    "kind",
    [
        "missing",
        "lacks",
        "altered",
        "no index",
        "no json",
        "foreign",
        "a list",
        "bytes",
        "format",
        "method",
        "settings",
        "calibrations",
        "no calibrations",
        "files",
    ],
)
def test_models_that_are_missing_damaged_or_foreign(
    kind: str, clip: Path, model_folder: Path, tmp_path: Path, run: Run
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    named = spoil(kind, folder)
    line = problem(run("score", clip, "--model", folder, "--out", tmp_path / "out"))
    assert str(folder) in line
    assert named in line
    assert not (tmp_path / "out").exists()


def test_scores_that_are_missing_or_damaged(
    place: Path, clip: Path, model: amiss.Model, tmp_path: Path, run: Run
) -> None:
    given = ("--dataset", "folder", "--root", place)
    assert "amiss score" in problem(run("evaluate", "--scores", tmp_path / "none", *given))
    out = tmp_path / "out"
    amiss.engine.write_scores(out, [model.score(clip)], {})
    assert run("evaluate", "--scores", out, *given).status == 0
    whole = (out / "frames.parquet").read_bytes()
    (out / "frames.parquet").write_bytes(whole[: len(whole) // 2])
    assert str(out / "frames.parquet") in problem(run("evaluate", "--scores", out, *given))


def test_labels_that_do_not_fit(place: Path, clip: Path, model: amiss.Model, tmp_path: Path, run: Run) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    amiss.engine.write_scores(out, [model.score(clip)], {})
    shutil.copytree(place, other)
    np.savez(other / "frame_labels.npz", wild0=support.labels(50), wild1=support.labels())
    assert "wild0" in problem(run("evaluate", "--scores", out, "--dataset", "folder", "--root", other))
    np.savez(other / "frame_labels.npz", wild0=np.zeros(support.WILD, np.uint8), wild1=support.labels())
    assert "are normal" in problem(run("evaluate", "--scores", out, "--dataset", "folder", "--root", other))
    (other / "testing" / "wild0.mp4").unlink()
    assert "wild0" in problem(run("evaluate", "--scores", out, "--dataset", "folder", "--root", other))


def test_places_that_cannot_be_written_are_known_before_the_work(
    normal: Path, clip: Path, place: Path, model_folder: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object) -> None:
        raise AssertionError("the work had begun")

    monkeypatch.setattr("amiss.pipeline.Pipeline.part", never)
    taken, full = tmp_path / "taken", tmp_path / "full"
    taken.write_text("mine")
    full.mkdir()
    (full / "letter.txt").write_text("mine")
    assert "something else" in problem(run("learn", normal, "--model", taken))
    assert "something else" in problem(run("learn", normal, "--model", full))
    assert str(taken) in problem(run("learn", normal, "--model", taken / "m.amiss"))
    assert str(taken) in problem(run("score", clip, "--model", model_folder, "--out", taken))
    assert str(taken) in problem(run("bench", "folder", "--root", place, "--out", taken / "runs"))
    assert str(taken) in problem(run("demo", "--out", taken))
    assert str(taken) in problem(run("world", "--out", taken))
    assert taken.read_text() == "mine"
    assert [path.name for path in full.iterdir()] == ["letter.txt"]


def fail_on(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(target, full)


@pytest.mark.parametrize(
    "target",
    [
        "amiss.perception.cache.EntryWriter.append",
        "amiss.methods.Method.save",
        "amiss.windows.store.WindowWriter.append",
    ],
)
def test_a_full_disk_while_learning(
    target: str, place: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_on(monkeypatch, target)
    cache = tmp_path / "cache"
    line = problem(run("learn", place / "training", "--model", tmp_path / "m.amiss", "--set", f"cache={cache}"), 1)
    assert "the disk is full" in line
    assert not (tmp_path / "m.amiss").exists()
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("target", ["pyarrow.parquet.write_table", "amiss.report.video._Encoder.write"])
def test_a_full_disk_while_scoring(
    target: str, clip: Path, model_folder: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_on(monkeypatch, target)
    out = tmp_path / "out"
    assert str(out) in problem(
        run("score", clip, "--model", model_folder, "--out", out, "--set", "report.video=all"), 1
    )
    assert not (out / "annotated.mp4").exists()
    assert not (out / "report.html").exists()
    assert not list(out.rglob(".*"))
