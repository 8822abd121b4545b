"""Datasets with a label for each whole video, on the real annotation files beside stubs of features."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from amiss.datasets import DATASETS, Dataset
from amiss.datasets.tables import stem_of
from amiss.datasets.xd_violence import read_annotations, read_segment_labels
from amiss.footage import FeatureFile
from amiss.footage.names import safe_name


def stub(root: Path, source: Path, files: Sequence[str], rows: Iterable[tuple[str, int]]) -> Path:
    """A folder with links to real annotation files, and features of so many rows of each video."""
    for name in files:
        if not (source / name).exists():
            pytest.skip(f"{source / name} is absent")
        (root / name).symlink_to(source / name)
    for name, count in rows:
        path = root / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.zeros((count, 16), np.float16))
    return root


def names_in(path: Path) -> list[str]:
    """The first word of each line."""
    return [line.split()[0] for line in path.read_text().splitlines() if line.strip()] if path.is_file() else []


def shares(dataset: Dataset) -> tuple[int, int, int, int]:
    """Abnormal and normal clips to learn from, abnormal and normal ones to test on."""
    learned = [label for _, label in dataset.weak_training()]
    tested = [bool(dataset.labels(clip).any()) for clip in dataset.testing()]
    return sum(learned), len(learned) - sum(learned), sum(tested), len(tested) - sum(tested)


UCF_FILES = [
    "Anomaly_Train.txt",
    "Temporal_Anomaly_Annotation.txt",
    "with_lengths_Test_Annotation.txt",
    "test_frame_labels.npz",
    "bbox_test.csv",
]


@pytest.fixture(scope="module")
def ucf(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = shared_data / "ucf_crime"
    names = [name for file in UCF_FILES[:2] for name in names_in(source / file)]
    return stub(tmp_path_factory.mktemp("ucf"), source, UCF_FILES, [(f"features/{stem_of(name)}", 1) for name in names])


def test_shared_ucf_crime(ucf: Path) -> None:
    dataset = DATASETS["ucf-crime"](ucf)
    assert dataset.note() is None
    assert shares(dataset) == (810, 800, 140, 150)
    assert len(dataset.training()) == 800
    assert sum(clip.footage.length or 0 for clip in dataset.testing()) == 1_111_808
    names = {clip.name for clip in dataset.testing()}
    assert not names & {clip.name for clip, _ in dataset.weak_training()}


def test_shared_ucf_crime_labels_agree_with_its_intervals(ucf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = DATASETS["ucf-crime"](ucf)
    published = [dataset.labels(clip) for clip in dataset.testing()]
    monkeypatch.setattr(type(dataset), "label_files", ())
    listed = DATASETS["ucf-crime"](ucf)
    for clip, labels in zip(listed.testing(), published, strict=True):
        np.testing.assert_array_equal(listed.labels(clip), labels)


def test_shared_ucf_crime_boxes_lie_in_abnormal_frames(ucf: Path) -> None:
    dataset = DATASETS["ucf-crime"](ucf)
    count = 0
    for clip in dataset.testing():
        tube = dataset.event(clip)
        assert tube is not None
        labels = dataset.labels(clip)
        assert bool(len(tube)) == bool(labels.any())
        assert labels[tube.frame].all()
        count += len(tube)
    assert count > 16 * 3102 / 2  # a box about every sixteenth frame, and interpolated ones between


def test_shared_st_ucf_crime(ucf: Path) -> None:
    dataset = DATASETS["st-ucf-crime"](ucf)
    assert dataset.note() is None
    assert shares(dataset) == (781, 800, 119, 150)


def test_shared_c3d_features(shared_data: Path) -> None:
    source = shared_data / "ucf_crime"
    if not (source / "sample_c3d_32x4096").is_dir():
        pytest.skip(f"{source / 'sample_c3d_32x4096'} is absent")
    clips = DATASETS["ucf-crime"](source).testing()
    assert len(clips) == 10
    for clip in clips:
        assert isinstance(clip.footage, FeatureFile)
        assert clip.footage.features().shape == (32, 4096)
        assert clip.footage.edges()[-1] == clip.footage.length
    assert [clip.footage.length for clip in clips if clip.name == "Explosion008_x264"] == [1748]


@pytest.fixture(scope="module")
def xd(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = shared_data / "xd_violence"
    path = source / "frame_labels.npz"
    labels = read_segment_labels(path) if path.is_file() else {}
    rows = [(f"testing/{name}", len(row) // 16) for name, row in labels.items()]
    return stub(tmp_path_factory.mktemp("xd"), source, ["annotations.txt", "frame_labels.npz"], rows)


def test_shared_xd_violence(xd: Path) -> None:
    dataset = DATASETS["xd-violence"](xd)
    clips = dataset.testing()
    assert str(dataset.note()) == "0 of 3954 training clips present: none"
    assert sum(len(dataset.labels(clip)) for clip in clips) == 2_330_384
    assert sum(bool(dataset.labels(clip).any()) for clip in clips) == 500
    normal = [clip for clip in clips if "_label_A" in clip.name]
    assert len(normal) == len(clips) - 500 == 300
    assert not any(dataset.labels(clip).any() for clip in normal)


def test_shared_xd_violence_forms_of_labels_agree(xd: Path) -> None:
    labels, intervals = read_segment_labels(xd / "frame_labels.npz"), read_annotations(xd / "annotations.txt")
    assert len(intervals) == 500
    beyond = [intervals[name][-1][1] - len(labels[name]) for name in intervals]
    assert (sum(rest > 0 for rest in beyond), max(beyond)) == (71, 15)
    dataset = DATASETS["xd-violence"](xd)
    known = {safe_name(name): row for name, row in labels.items()}
    for clip in dataset.testing():
        np.testing.assert_array_equal(dataset.labels(clip), known[clip.name])


def test_shared_shanghaitech_split_anew(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "shanghaitech"
    names = [name for part in ("train", "test") for name in names_in(source / "weak_split" / f"{part}.txt")]
    stub(tmp_path, source, ["weak_split", "frame_labels.npz"], [(f"features/{name}", 2) for name in names])
    dataset = DATASETS["shanghaitech-weak"](tmp_path)
    assert dataset.note() is None
    assert shares(dataset) == (63, 175, 44, 155)
    with np.load(source / "frame_labels.npz") as archive:
        official = set(archive.files)
    assert {name for name in names if len(name.split("_")[1]) == 4} == official
    assert len(set(names)) == 437
