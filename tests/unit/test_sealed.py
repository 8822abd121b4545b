"""Labels of test clips cannot be read while a model learns, calibrates or scores."""

from __future__ import annotations

from pathlib import Path

import pytest

import amiss
from amiss.config import load_config
from amiss.datasets import DATASETS, Dataset
from amiss.datasets.sealed import sealed
from amiss.engine import score_clip
from amiss.errors import DatasetError
from amiss.methods import METHODS

CONFIG = load_config(sets=["perception.boxes.source=motion"])

READERS = ("labels", "masks", "event", "tracks")


@pytest.fixture
def dataset(place: Path) -> Dataset:
    return DATASETS["folder"](place)


@pytest.mark.parametrize("reader", READERS)
def test_nothing_true_can_be_read_while_sealed(dataset: Dataset, reader: str) -> None:
    clip = dataset.testing()[0]
    with (
        sealed("learns"),
        pytest.raises(DatasetError, match=f"test clip {clip.name} is sealed while a model learns"),
    ):
        getattr(dataset, reader)(clip)
    getattr(dataset, reader)(clip)


def test_a_seal_ends_with_an_error(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="no"), sealed("scores"):
        raise ValueError("no")
    assert len(dataset.labels(dataset.testing()[0]))


@pytest.mark.parametrize("step", ["fit", "score"])
def test_a_method_that_peeks_is_stopped(step: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning, the threshold and the standardisation of a method that looks at the labels of what it is tested on."""
    method = METHODS["attributes"]
    honest = getattr(method, step)

    def peeking(self, *given, **named):
        dataset.labels(dataset.testing()[0])
        return honest(self, *given, **named)

    monkeypatch.setattr(method, step, peeking)
    clips = [clip.footage for clip in dataset.training()]
    with pytest.raises(DatasetError, match="sealed while a model learns"):
        amiss.learn(clips, config=CONFIG)


def test_a_method_that_peeks_when_it_scores_is_stopped(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    model = amiss.learn([clip.footage for clip in dataset.training()], config=CONFIG)
    monkeypatch.setattr(type(model.method), "score", lambda *_: dataset.masks(dataset.testing()[0]))
    with pytest.raises(DatasetError, match="sealed while a model scores"):
        score_clip(model, dataset.testing()[0].footage)
