"""Each thing is tried as the watcher would use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import amiss
from amiss.live.doctor import Finding, Level, examine
from amiss.live.settings import WatchSettings
from support_servers import Receiver, free_port

SECRET = "geheim77"  # noqa: S105  # a made-up one


def found(folder: Path, **values: Any) -> dict[str, Finding]:
    settings = WatchSettings.build({"data": str(folder / "data"), "media": {"free": 0}} | values)
    return {finding.what: finding for finding in examine(settings)}


def test_all_is_well(place: Path, model_folder: Path, model: amiss.Model, tmp_path: Path) -> None:
    gate = {"source": str(place / "testing" / "wild0.mp4"), "model": str(model_folder), "budget": "60/hour"}
    with Receiver() as receiver:
        alert = {"name": "hook", "kind": "webhook", "address": f"http://{receiver.address}/x"}
        port = free_port()
        seen = found(tmp_path, cameras={"gate": gate}, alerts=[alert], metrics={"port": port})
    assert list(seen) == ["store", "disk", "camera gate", "model of gate", "alert hook", "metrics"]
    assert {finding.level for name, finding in seen.items() if name != "model of gate"} == {Level.GOOD}
    assert seen["camera gate"].text.startswith("160x120, 1")
    assert "frames a second" in seen["camera gate"].text
    assert seen["model of gate"].text.startswith("attributes, learned from")
    assert seen["metrics"].text == f"127.0.0.1:{port} is free"
    assert receiver.posts == [], "nothing was sent"


def test_what_is_not_is_said_with_what_to_do(tmp_path: Path, model_folder: Path) -> None:
    nobody = free_port()
    cameras = {
        "dead": {"source": f"rtsp://me:{SECRET}@127.0.0.1:{nobody}/live", "connect": 0.5, "model": str(model_folder)},
        "odd": {"source": "ftp://host/x", "model": str(tmp_path / "none")},
        "fresh": {"source": str(tmp_path / "no.mp4"), "connect": 0.1},
    }
    alerts = [{"name": "hook", "kind": "webhook", "address": f"http://me:{SECRET}@127.0.0.1:{nobody}/x"}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("amiss.live.doctor.PATIENCE", 1.0)
        with Receiver() as taken:
            port = int(taken.address.rpartition(":")[2])
            seen = found(tmp_path, cameras=cameras, alerts=alerts, metrics={"port": port}, media={"free": 1e9})
    assert not any(SECRET in finding.text for finding in seen.values())
    bad = {"camera dead", "camera odd", "model of odd", "camera fresh", "alert hook", "metrics"}
    assert {name for name, finding in seen.items() if finding.level is Level.BAD} == bad
    assert "is the address right, and the camera on?" in seen["camera dead"].text
    assert "is no source of pictures" in seen["camera odd"].text
    assert "there is no model" in seen["model of odd"].text
    assert "choose another port" in seen["metrics"].text
    assert f"http://***@127.0.0.1:{nobody}/*** does not answer" in seen["alert hook"].text
    assert seen["disk"].level is Level.DOUBTFUL
    assert (seen["model of dead"].level, "is extrapolated from" in seen["model of dead"].text) == (Level.DOUBTFUL, True)
    assert "learned after 24 hours of footage, with boxes from motion" in seen["model of fresh"].text


def test_a_store_that_is_damaged_or_elsewhere_is_said(tmp_path: Path, model_folder: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "amiss.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("amiss.live.doctor.PATIENCE", 0.5)
        gone = {"gone": {"source": "none.mp4", "connect": 0.1, "model": str(model_folder)}}
        assert found(tmp_path, cameras=gone)["store"].level is Level.BAD
