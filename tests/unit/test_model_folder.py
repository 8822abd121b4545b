from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import amiss
import support_footage as support
from amiss.engine import check_target
from amiss.errors import ModelError, StorageError


def stamps(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_loaded_equals_what_was_saved(model: amiss.Model, model_folder: Path, place: Path) -> None:
    loaded = amiss.load(str(model_folder))
    assert isinstance(loaded, amiss.Model)
    assert loaded.fingerprint() == model.fingerprint()
    assert loaded.config == model.config
    assert dict(loaded.learned) == dict(model.learned)
    assert dict(loaded.examples) == dict(model.examples)
    assert {m: c.to_json() for m, c in loaded.calibrations.items()} == {
        m: c.to_json() for m, c in model.calibrations.items()
    }
    for name, array in model.method.state().items():
        np.testing.assert_array_equal(loaded.method.state()[name], array)
    clip = place / "testing" / "wild0.mp4"
    ours, theirs = model.score(clip), loaded.score(clip)
    np.testing.assert_array_equal(ours.regions.score, theirs.regions.score)
    assert [event.id for event in ours.events] == [event.id for event in theirs.events]


def test_saving_again_gives_the_same_bytes(model_folder: Path, tmp_path: Path) -> None:
    amiss.load(model_folder).save(tmp_path / "again")
    assert stamps(tmp_path / "again") == stamps(model_folder)


def test_the_folder_holds_numbers_pictures_and_text_never_code(model: amiss.Model, model_folder: Path) -> None:
    suffixes = {path.suffix for path in model_folder.rglob("*") if path.is_file()}
    assert suffixes == {".json", ".safetensors", ".jpg"}
    index = json.loads((model_folder / "model.json").read_text())
    assert index["licences"] == ["Apache-2.0 (EfficientNet-Lite0, ImageNet weights)"]
    assert index["method"] == "attributes"
    assert index["learned"]["clips"] == ["calm0", "calm1"]
    assert set(index["files"]) == set(stamps(model_folder)) - {"model.json"}
    assert {Path(name).name for name in index["files"] if "examples/" in name} == set(model.examples)


def test_a_model_without_appearance_lists_no_licence(place: Path, tmp_path: Path) -> None:
    settings = [*support.SETTINGS, "method.parts=[velocity, place]"]
    amiss.learn(place / "training", settings=settings).save(tmp_path / "m")
    assert json.loads((tmp_path / "m" / "model.json").read_text())["licences"] == []


def test_an_older_model_is_replaced_whole_or_not_at_all(
    model: amiss.Model, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "m"
    model.save(folder)
    (folder / "stale.txt").write_text("of the older model")
    before = stamps(folder)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("amiss.methods.Method.save", full)
        with pytest.raises(StorageError, match="full"):
            model.save(folder)
    assert stamps(folder) == before
    model.save(folder)
    assert stamps(folder) == stamps(model_folder)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_only_empty_places_and_older_models_are_targets(model_folder: Path, tmp_path: Path) -> None:
    check_target(tmp_path / "new")
    check_target(tmp_path)
    check_target(model_folder)
    (tmp_path / "letter.txt").write_text("mine")
    for place in (tmp_path, tmp_path / "letter.txt"):
        with pytest.raises(ModelError, match="something else"):
            check_target(place)


def test_every_altered_file_is_noticed(model: amiss.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "m")
    for name in json.loads((tmp_path / "m" / "model.json").read_text())["files"]:
        path = tmp_path / "m" / name
        whole = path.read_bytes()
        path.write_bytes(whole + b"\0")
        with pytest.raises(ModelError, match=path.name):
            amiss.load(tmp_path / "m")
        path.write_bytes(whole)
    amiss.load(tmp_path / "m")
