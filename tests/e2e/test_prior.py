"""`amiss prior`: from models to a file, and from the file to a model that says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import amiss
from support import config_of, walkers
from support_cli import problem, runner


def test_a_prior_is_made_and_what_is_none_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runner(capsys, monkeypatch)
    clips = [walkers(f"c{seed}", seed, length=16) for seed in range(4)]
    config = config_of(tmp_path, clips, method={"parts": ["velocity", "size"]})
    amiss.learn(clips, config=config).save(tmp_path / "gate.amiss")
    done = run("prior", tmp_path / "gate.amiss", "--out", tmp_path / "sub" / "some.prior")
    assert done.status == 0, done.err
    assert "the prior of 1 camera is" in done.out
    borrowed = config.model_copy(update={"method": config.method | {"prior": [str(tmp_path / "sub" / "some.prior")]}})
    amiss.learn(clips[:2], config=borrowed).save(tmp_path / "yard.amiss")
    told = json.loads((tmp_path / "yard.amiss" / "model.json").read_text())
    assert told["learned"]["borrowed"]["cameras"] == ["gate.amiss"]
    assert "is not a whole model" in problem(run("prior", tmp_path, "--out", tmp_path / "other.prior"))
