from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import amiss
import support_footage as support
from amiss.config import load_config
from amiss.datasets.folder import PlainFolder
from amiss.engine.bench import cameras_of, contents_of
from amiss.engine.evaluate import evaluate, evaluate_folder, labels_of
from amiss.errors import MetricError, ScoresError
from amiss.types import FrameScores


class Places(PlainFolder):
    """A dataset whose clips tell their camera by their first letter."""

    places = r"^\w"


@pytest.fixture
def places(place: Path, tmp_path: Path) -> Path:
    for split, names in {"training": ["a1", "b1", "b2", "c1"], "testing": ["b8", "a9"]}.items():
        (tmp_path / split).mkdir()
        for name in names:
            shutil.copy(place / "training" / "calm0.mp4", tmp_path / split / f"{name}.mp4")
    return tmp_path


def names(cameras: dict[str, tuple[list, list]]) -> dict[str, tuple[list[str], list[str]]]:
    return {
        camera: ([clip.name for clip in training], [clip.name for clip in testing])
        for camera, (training, testing) in cameras.items()
    }


def test_every_camera_with_test_clips_has_a_model(places: Path) -> None:
    found = names(cameras_of(Places(places), load_config()))
    assert found == {"a": (["a1"], ["a9"]), "b": (["b1", "b2"], ["b8"])}
    assert list(found) == ["a", "b"]


def test_one_model_for_all_on_demand(places: Path) -> None:
    found = names(cameras_of(Places(places), load_config(sets=["bench.cameras=together"])))
    assert found == {"folder": (["a1", "b1", "b2", "c1"], ["a9", "b8"])}


def test_a_camera_without_normal_footage_makes_all_share_one(places: Path) -> None:
    shutil.copy(places / "testing" / "b8.mp4", places / "testing" / "z1.mp4")
    found = names(cameras_of(Places(places), load_config()))
    assert found == {"folder": (["a1", "b1", "b2", "c1"], ["a9", "b8", "z1"])}


def curve(values: list[float]) -> FrameScores:
    array = np.array(values)
    return FrameScores(np.arange(len(array)), np.arange(len(array)) / 10, array, -array, array)


def test_raw_and_smoothed_are_measured_each_for_itself() -> None:
    truth = {"a": np.array([0, 0, 1, 1], np.uint8)}
    found = evaluate(truth, {"a": curve([0.1, 0.2, 0.3, 0.4])})
    assert found["auc_micro"] == {"raw": 1.0, "smoothed": 0.0}
    assert found["eer"]["raw"] == 0.0


def test_scores_and_labels_of_other_lengths_are_refused() -> None:
    with pytest.raises(ScoresError, match="clip a has 3 scores and 4 labels"):
        evaluate({"a": np.array([0, 0, 1, 1], np.uint8)}, {"a": curve([1, 2, 3])})
    with pytest.raises(MetricError):
        evaluate({"a": np.zeros(3, np.uint8)}, {"a": curve([1, 2, 3])})


def test_only_known_test_clips_have_labels(place: Path) -> None:
    dataset = PlainFolder(place)
    np.testing.assert_array_equal(labels_of(dataset, ["wild1"])["wild1"], support.labels())
    with pytest.raises(ScoresError, match="calm0"):
        labels_of(dataset, ["calm0"])


def test_clips_without_scores_are_told(place: Path, model: amiss.Model, tmp_path: Path) -> None:
    amiss.engine.write_scores(tmp_path, [model.score(place / "testing" / "wild1.mp4")], {})
    found = evaluate_folder(tmp_path, PlainFolder(place))
    assert (found["clips"], found["clips_without_scores"], found["frames"]) == (["wild1"], ["wild0"], support.WILD)


def test_what_is_written_is_read_again(place: Path, model: amiss.Model, tmp_path: Path) -> None:
    scores = [model.score(place / "testing" / f"wild{number}.mp4") for number in range(2)]
    amiss.engine.write_scores(tmp_path, scores, {"method": "attributes"})
    back = amiss.engine.read_scores(tmp_path, {item.name: item.footage for item in scores})
    for one, other in zip(scores, back, strict=True):
        assert one.name == other.name
        for column in ("frame", "seconds", "box", "track", "score"):
            np.testing.assert_array_equal(getattr(one.regions, column), getattr(other.regions, column))
        np.testing.assert_array_equal(one.frames.calibrated, other.frames.calibrated)
        assert [(e.id, e.start, e.reasons, dict(e.parts)) for e in one.events] == [
            (e.id, e.start, e.reasons, dict(e.parts)) for e in other.events
        ]


def test_a_file_that_a_setting_names_counts_by_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "speed").mkdir()  # a part, and not meant
    file, folder = tmp_path / "other.prior", tmp_path / "yard.amiss"
    file.write_bytes(b"one")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "weights").write_bytes(b"one")
    values = {"prior": [str(file), str(folder)], "parts": ["speed", "x" * 5000], "neighbours": 3, "checkpoint": None}
    before = contents_of(values)
    assert len(before) == 2
    assert contents_of(values) == before
    file.write_bytes(b"two")
    (folder / "deep" / "weights").write_bytes(b"two")
    assert not set(contents_of(values)) & set(before)
