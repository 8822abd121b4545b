"""What every registered box source keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from amiss.config import PerceptionConfig
from amiss.perception.boxes import BOX_SOURCES, BoxSource, tidy
from amiss.types import NO_TRACK, Boxes
from support import HEIGHT, WIDTH, Rectangles, config_of, walkers, write_tracks
from support_networks import write_constant

CLIPS = [walkers("01", 1, length=12), walkers("02", 2, length=12)]


@pytest.fixture(params=list(BOX_SOURCES))
def config(request: pytest.FixtureRequest, tmp_path: Path) -> PerceptionConfig:
    """The network of `network` is a small one that finds two boxes in everything."""
    write_constant(tmp_path / "net.onnx", (1, 3, HEIGHT, WIDTH), {"boxes": [[5, 5, 25, 45, 0.9], [60, 9, 80, 60, 0.8]]})
    about = {"path": "net.onnx", "width": WIDTH, "height": HEIGHT}
    (tmp_path / "net.yaml").write_text(yaml.safe_dump(about), encoding="utf-8")
    given = config_of(tmp_path, CLIPS).perception
    changes: dict[str, object] = {"source": request.param, "network": str(tmp_path / "net.yaml")}
    if request.param == "tracks":
        changes["path"] = write_tracks(tmp_path / "tracks.npz", CLIPS)
    return given.model_copy(update={"boxes": given.boxes.model_copy(update=changes)})


@pytest.fixture
def source(config: PerceptionConfig) -> BoxSource:
    return BOX_SOURCES[config.boxes.source](config)


def run(source: BoxSource, clip: Rectangles) -> list[Boxes]:
    source.reset(clip.path)
    return [source.update(frame) for frame in clip]


def same(left: list[Boxes], right: list[Boxes]) -> bool:
    return all(np.array_equal(a.xyxy, b.xyxy) for a, b in zip(left, right, strict=True))


def test_it_finds_what_moves(source: BoxSource) -> None:
    assert sum(map(len, run(source, CLIPS[0]))) > len(CLIPS[0].movers)


def test_all_boxes_or_none_have_a_track_and_all_a_confidence(source: BoxSource) -> None:
    for boxes in run(source, CLIPS[0]):
        assert len(np.unique(boxes.track == NO_TRACK)) <= 1
        assert ((boxes.confidence >= 0) & (boxes.confidence <= 1)).all()


def test_reset_begins_anew(source: BoxSource) -> None:
    first = run(source, CLIPS[0])
    run(source, CLIPS[1])
    assert same(run(source, CLIPS[0]), first)


def test_two_of_a_kind_do_not_mix(config: PerceptionConfig) -> None:
    sources = [BOX_SOURCES[config.boxes.source](config) for _ in CLIPS]
    alone = [run(source, clip) for source, clip in zip(sources, CLIPS, strict=True)]
    for source, clip in zip(sources, CLIPS, strict=True):
        source.reset(clip.path)
    pairs = [
        [source.update(frame) for source, frame in zip(sources, frames, strict=True)]
        for frames in zip(*CLIPS, strict=True)
    ]
    assert all(same(list(mixed), apart) for mixed, apart in zip(zip(*pairs, strict=True), alone, strict=True))


def test_tidy_boxes_are_inside_the_picture(source: BoxSource, config: PerceptionConfig) -> None:
    for boxes in run(source, CLIPS[0]):
        kept = tidy(boxes, config.boxes, (WIDTH, HEIGHT))
        assert (kept.xyxy >= 0).all()
        assert (kept.xyxy <= [WIDTH, HEIGHT, WIDTH, HEIGHT]).all()
        assert (kept.area >= config.boxes.min_area).all()


def test_a_fingerprint_is_a_text_that_stays(source: BoxSource) -> None:
    first = source.fingerprint(CLIPS[0].path)
    assert isinstance(first, str)
    run(source, CLIPS[1])
    assert source.fingerprint(CLIPS[0].path) == first
