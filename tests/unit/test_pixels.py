"""Pixel-level numbers of scored footage, and the maps that they are made from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import amiss
import support_footage as support
from amiss import engine
from amiss.config import load_config
from amiss.datasets.folder import PlainFolder
from amiss.engine.pixels import evaluate_pixels, levels_of
from amiss.engine.scores import read_regions
from amiss.errors import DatasetError, ScoresError
from amiss.scoring.combine import persist
from amiss.types import FrameScores, RegionScores
from support_maps import SIDE, mapped, registered

MASKS = np.zeros((3, 6, 8), bool)
MASKS[0, :2, :2] = True


@pytest.fixture(scope="module")
def red(place: Path) -> Iterator[amiss.Model]:
    with registered():
        yield amiss.learn(place / "training", "red", settings=support.SETTINGS)


@pytest.fixture(scope="module")
def scores(red: amiss.Model, place: Path) -> list[amiss.Scores]:
    return [red.score(place / "testing" / f"wild{number}.mp4") for number in range(2)]


@pytest.fixture
def written(scores: list[amiss.Scores], tmp_path: Path) -> Path:
    engine.write_scores(tmp_path / "scores", scores, {"method": "red"})
    return tmp_path / "scores"


@pytest.fixture
def masked(place: Path, tmp_path: Path) -> Path:
    """The dataset `place` with the pixels of its intruder, for the first test clip only."""
    root = tmp_path / "masked"
    root.mkdir()
    for name in ("training", "testing", "frame_labels.npz"):
        (root / name).symlink_to(place / name)
    np.savez_compressed(root / "masks.npz", wild0=intruder())
    return root


def intruder() -> np.ndarray:
    masks = np.zeros((support.WILD, support.HEIGHT, support.WIDTH), bool)
    for index in range(support.BURST.start, support.BURST.stop):
        picture = np.zeros((support.HEIGHT, support.WIDTH, 3), np.uint8)
        support.intruder().paint(picture, index)
        masks[index] = picture.any(axis=2)
    return masks


def curve(raw: list[float], smoothed: list[float]) -> FrameScores:
    return FrameScores(np.arange(len(raw)), np.arange(len(raw)) / 10, raw, smoothed, raw)


def test_a_frame_has_the_level_of_its_place_and_smoothing_moves_it_as_it_moved_the_frame() -> None:
    regions = mapped([[0, 0, 2, 2], [4, 4, 8, 6], [4, 0, 8, 2]], [3.0, 9.0, 5.0], frames=[0, 0, 1])
    levels = levels_of(MASKS, regions, curve([9, 5, 1], [5, 7, 2]), 1.0)
    assert levels.abnormal.tolist() == [True, False, False]
    assert levels.raw.tolist() == [3, 5, 1]
    assert levels.smoothed.tolist() == [1 + 2 * (4 / 8), 7, 1]


def test_maps_are_kept_from_the_method_to_the_table_and_back(scores: list[amiss.Scores], written: Path) -> None:
    back = engine.read_scores(written, {item.name: item.footage for item in scores})
    for one, other in zip(scores, back, strict=True):
        assert one.regions.maps["red"].shape == (len(one.regions), SIDE, SIDE)
        assert one.regions.maps["red"].max() > 50
        assert other.regions.maps["red"].dtype == np.float16
        np.testing.assert_array_equal(one.regions.maps["red"], other.regions.maps["red"])
        assert one.floor == other.floor


def test_merging_slicing_and_persisting_keep_maps(scores: list[amiss.Scores]) -> None:
    regions = scores[0].regions
    both = RegionScores.merge([regions[5:], regions[:5]])
    np.testing.assert_array_equal(both.maps["red"][-5:], regions.maps["red"][:5])
    np.testing.assert_array_equal(persist(regions, 3, 0.0).maps["red"], regions.maps["red"])


def test_frame_by_frame_gives_the_same_maps(red: amiss.Model, scores: list[amiss.Scores]) -> None:
    stream = red.stream("wild0")
    regions = RegionScores.merge([stream.update(frame).regions for frame in scores[0].footage])
    np.testing.assert_array_equal(regions.maps["red"], scores[0].regions.maps["red"])


def test_a_clip_without_regions_has_empty_maps(red: amiss.Model, scores: list[amiss.Scores], tmp_path: Path) -> None:
    footage = support.Shown([support.ground()] * 5, [index / 10 for index in range(5)], Path("empty"))
    empty = red.score(footage)
    assert empty.regions.maps["red"].shape == (0, SIDE, SIDE)
    engine.write_scores(tmp_path, [empty, scores[0]], {})
    regions = read_regions(tmp_path)
    assert regions("empty").maps["red"].shape == (0, SIDE, SIDE)
    assert len(regions("wild0").maps["red"]) == len(scores[0].regions)


def test_methods_without_maps_have_no_such_columns(model: amiss.Model, place: Path, tmp_path: Path) -> None:
    engine.write_scores(tmp_path, [model.score(place / "testing" / "wild0.mp4")], {})
    assert not [name for name in pq.read_schema(tmp_path / "scores.parquet").names if name.startswith("map.")]
    assert read_regions(tmp_path)("wild0").maps == {}


def test_tables_from_before_are_read(scores: list[amiss.Scores], written: Path) -> None:
    for name, columns in {"scores.parquet": ["map.red"], "frames.parquet": ["floor"]}.items():
        table = pq.read_table(written / name)
        pq.write_table(table.drop_columns(columns), written / name)
    (one, _) = engine.read_scores(written, {item.name: item.footage for item in scores})
    assert one.regions.maps == {}
    assert one.floor == scores[0].frames.raw.min()


def test_a_map_that_is_no_square_is_told(written: Path) -> None:
    table = pq.read_table(written / "scores.parquet")
    odd = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(7 * len(table), np.float16)), 7)
    pq.write_table(table.set_column(table.column_names.index("map.red"), "map.red", odd), written / "scores.parquet")
    with pytest.raises(ScoresError, match=r"wild1 are damaged .*score again"):
        read_regions(written)("wild1")


def test_evaluation_tells_the_pixel_auc_where_there_are_masks(place: Path, masked: Path, written: Path) -> None:
    assert "pixel_auc" not in engine.evaluate_folder(written, PlainFolder(place))["metrics"]
    found = engine.evaluate_folder(written, PlainFolder(masked))
    assert found["clips_with_masks"] == ["wild0"]
    assert found["metrics"]["pixel_auc"]["raw"] > 0.85
    assert found["metrics"]["pixel_auc"]["smoothed"] > 0.85
    table = pq.read_table(written / "scores.parquet")
    moved = table.set_column(table.column_names.index("y1"), "y1", pa.array(np.zeros(len(table), np.float32)))
    moved = moved.set_column(moved.column_names.index("y2"), "y2", pa.array(np.full(len(table), 9, np.float32)))
    pq.write_table(moved, written / "scores.parquet")
    assert engine.evaluate_folder(written, PlainFolder(masked))["metrics"]["pixel_auc"]["raw"] < 0.5


def test_masks_that_do_not_fit_are_told(masked: Path, written: Path) -> None:
    np.savez(masked / "masks.npz", wild0=np.zeros((support.WILD, 12, 16), bool))
    with pytest.raises(DatasetError, match=r"masks of clip wild0 are 16x12 pixels, and .*wild0\.mp4 has 160x120"):
        evaluate_pixels(written, PlainFolder(masked))
    np.savez(masked / "masks.npz", wild0=intruder()[:-1])
    with pytest.raises(ScoresError, match="wild0 has 60 scores and 59 masks"):
        evaluate_pixels(written, PlainFolder(masked))
    np.savez(masked / "masks.npz", wild0=intruder()[:20])
    with pytest.raises(DatasetError, match="wild0 has 20 masks"):
        evaluate_pixels(written, PlainFolder(masked))


def test_masks_of_one_kind_have_no_pixel_auc(masked: Path, written: Path) -> None:
    np.savez_compressed(masked / "masks.npz", wild0=np.zeros_like(intruder()))
    assert evaluate_pixels(written, PlainFolder(masked)) == ({}, ["wild0"])


def test_bench_spreads_the_pixel_auc_over_seeds(masked: Path, tmp_path: Path) -> None:
    with registered():
        config = load_config(sets=support.SETTINGS)
        found = engine.bench(PlainFolder(masked), "red", config, [0, 1], tmp_path / "out")
    auc = found["metrics"]["pixel_auc"]
    assert auc["raw"]["mean"] == pytest.approx(np.mean(auc["raw"]["values"]))
    assert len(auc["smoothed"]["values"]) == 2
    assert found["clips_with_masks"] == ["wild0"]
    json.dumps(found)


def test_a_report_that_is_written_again_has_the_same_pictures(
    red: amiss.Model, scores: list[amiss.Scores], place: Path, tmp_path: Path
) -> None:
    footage = [item.footage for item in scores]
    events = [event for item in scores for event in item.events]
    assert events
    first = engine.score_clips(red, footage, tmp_path, lambda *_: None)
    again = engine.score_clips(red, footage, tmp_path, lambda *_: None)
    made, remade = (engine.event_pictures(red, some, events) for some in (first, again))
    assert set(made) == {event.id for event in events}
    for event in events:
        assert list(made[event.id]) == ["target", "prediction", "error"]
        for name, image in made[event.id].items():
            np.testing.assert_array_equal(image, remade[event.id][name])
        red_share = made[event.id]["error"].mean()
        assert red_share > 60, "the worst region shows the intruder"
    page = red_report(red, again, tmp_path)
    assert page.count('alt="prediction for the worst box of the event"') == len(events)


def red_report(model: amiss.Model, scores: list[engine.Scores], folder: Path) -> str:
    from amiss.report import write_report

    return write_report(folder, scores, model, lambda *_: None).read_text(encoding="utf-8")


def test_without_the_windows_there_are_no_pictures(
    red: amiss.Model, model: amiss.Model, scores: list[amiss.Scores], tmp_path: Path
) -> None:
    events = [event for item in scores for event in item.events]
    emptied = replace(red, config=load_config(sets=[f"cache={tmp_path / 'nothing'}"], base=red.config))
    assert engine.event_pictures(emptied, scores, events) == {}
    assert engine.event_pictures(model, scores, events) == {}
    bare = [replace(event, tube=event.tube[:0]) for event in events]
    assert engine.event_pictures(red, scores, bare) == {}
