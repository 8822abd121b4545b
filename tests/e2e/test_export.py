"""`amiss export`: what it writes, that it is whole, and what it says when there is nothing to write."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openvino
import pytest
import torch

from amiss import engine
from amiss.cli import common
from amiss.engine import Model, learn
from amiss.engine.export import EXPORT, WRITERS
from amiss.errors import ExportError
from amiss.nn.portable import Portable
from support import SMALL, config_of, walkers
from support_cli import Run, problem

FULL = {"INFERENCE_PRECISION_HINT": "f32"}
"""Else OpenVINO takes bf16 on processors that compute in it."""
CLIPS = [walkers(f"0{seed}", seed, length=25) for seed in range(4)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model")
    small = SMALL["appearance-motion"] | {"train": {"epochs": 1}}
    made = learn(CLIPS, "appearance-motion", config_of(folder, CLIPS, **small))
    made.save(folder / "model")
    return made


@pytest.fixture(scope="module")
def folder(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("saved") / "gate.amiss"
    model.save(place)
    return place


@pytest.mark.parametrize(("to", "files"), [("openvino", ["cubes.xml", "cubes.bin"]), ("onnx", ["cubes.onnx"])])
def test_a_model_is_written_with_what_its_files_are(
    folder: Path, model: Model, tmp_path: Path, to: str, files: list[str], run: Run
) -> None:
    out = tmp_path / "out"
    answer = run("export", "--model", folder, "--out", out, "--to", to)
    assert answer.status == 0
    assert files[0] in answer.out
    assert sorted(path.name for path in out.iterdir()) == sorted([*files, EXPORT])
    index = json.loads((out / EXPORT).read_text(encoding="utf-8"))
    assert index["method"] == "appearance-motion"
    entry = index["networks"]["cubes"]
    assert entry["files"] == files
    assert entry["inputs"][0]["name"] == "frames"
    assert entry["inputs"][0]["shape"] == ["windows", 12, 32, 32]
    assert {port["dtype"] for side in ("inputs", "outputs") for port in entry[side]} == {"float32"}
    network = model.method.networks()["cubes"]
    found = openvino.Core().compile_model(out / files[0], "CPU", FULL)(
        [tensor.numpy() for tensor in network.example(5)]
    )
    with torch.no_grad():
        expected = network.module(*network.example(5))
    for number, tensor in enumerate(expected):
        np.testing.assert_allclose(found[number], tensor.numpy(), rtol=1e-3, atol=1e-5)


def test_an_older_export_is_replaced_and_other_things_are_not(folder: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    for to in ("onnx", "openvino"):
        assert run("export", "--model", folder, "--out", out, "--to", to).status == 0
    assert not (out / "cubes.onnx").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine", encoding="utf-8")
    assert "something else" in problem(run("export", "--model", folder, "--out", tmp_path / "other"))
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["letter.txt"]


def test_what_is_half_written_is_not_there(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(network: Portable, place: Path, name: str) -> list[Path]:
        (place / f"{name}.xml").write_text("half", encoding="utf-8")
        raise ExportError("no")

    monkeypatch.setitem(WRITERS, "openvino", fail)  # type: ignore[arg-type]
    with pytest.raises(ExportError, match="no"):
        engine.export_model(model, tmp_path / "out", "openvino")
    assert list(tmp_path.iterdir()) == []


def test_wrong_formats_and_missing_packages_are_told_in_a_line(
    folder: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "export", "--model", folder, "--out", tmp_path / "out", "--to"
    assert "openvino, onnx" in problem(run(*asked, "paper"))
    monkeypatch.setitem(common.EXTRAS, "export", ("no_such_module",))
    assert "pip install 'amiss[export]'" in problem(run(*asked, "onnx"))
    assert not (tmp_path / "out").exists()


def test_a_method_without_networks_has_its_features_or_says_so(tmp_path: Path) -> None:
    seen, unseen = (
        learn(CLIPS, "attributes", config_of(tmp_path, CLIPS, method={"parts": parts, "crop": 32}))
        for parts in (["velocity", "appearance"], ["velocity"])
    )
    ((name, network),) = engine.portable_networks(seen).items()
    assert name == "features"
    assert network.example(2)[0].dtype == torch.uint8
    index = engine.export_model(seen, tmp_path / "seen", "openvino")
    assert index["licences"] == seen.licences()
    assert any("EfficientNet" in line for line in index["licences"])
    compiled = openvino.Core().compile_model(tmp_path / "seen" / "features.xml", "CPU", FULL)
    with torch.no_grad():
        expected = network.module(*network.example(3))[0].numpy()
    np.testing.assert_allclose(compiled([network.example(3)[0].numpy()])[0], expected, rtol=1e-3, atol=1e-3)
    with pytest.raises(ExportError, match="attributes has no network"):
        engine.export_model(unseen, tmp_path / "unseen", "openvino")
    assert not (tmp_path / "unseen").exists()


def test_the_engine_may_be_changed_when_scoring(model: Model) -> None:
    config = model.config.model_copy(update={"engine": "torch"})
    other = model.with_settings(config, ("engine",))
    assert (other.method.engine.name, model.method.engine.name) == ("torch", "auto")
    assert other.fingerprint() != model.fingerprint()
    inputs = model.method.networks()["cubes"].example(3)
    one, two = (each.method._run("cubes", *inputs)[0] for each in (model, other))
    np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)
    assert model.with_settings(model.config).method is model.method
