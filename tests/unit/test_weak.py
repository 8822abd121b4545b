"""Methods that learn from the labels of whole videos, from footage and from features."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amiss
from amiss.datasets import DATASETS
from amiss.engine import bench, learn, score_clip
from amiss.engine.learn import split_parts
from amiss.engine.model import make_method
from amiss.engine.stream import Stream
from amiss.engine.videos import evaluate_videos, stretches_of, video_of
from amiss.errors import ConfigError, FootageError
from amiss.footage import FeatureFile
from amiss.methods.mil_ranking import MilRankingSettings
from amiss.methods.weak_tubes import WeakTubes, WeakTubesSettings
from amiss.types import NO_TRACK, RegionScores, Tube, Windows
from support import SMALL, Mover, Rectangles, config_of, fit, marked, parts_of, walkers

ID = "weak-tubes"
NORMAL = [walkers(f"normal{n}", n, length=24) for n in range(3)]
MARKED = [
    Rectangles(f"marked{n}", (*walkers("", n).movers[:2], Mover(40 * n, 8 + 20 * n, 44, 60, dx=4.0, flickers=True)), 24)
    for n in range(2)
]
ODD = Rectangles("odd", (*walkers("", 8).movers[:1], Mover(0, 30, 44, 60, dx=4.0, flickers=True)), length=24)
LABELS = {clip.name: 0 for clip in NORMAL} | {clip.name: 1 for clip in MARKED}
SEGMENTS, SIZE = 32, 24


def small(folder: Path, method: str = ID, clips: list[Rectangles] | None = None, **settings: Any) -> Any:
    given = SMALL[method]["method"] | {"steps": 10} | settings
    return config_of(folder, [*NORMAL, *MARKED, ODD, *(clips or [])], method=given, cache=None)


def learned(folder: Path, method: str = ID, **settings: Any) -> tuple[Any, Windows]:
    """A method after a little learning, and windows that it has not seen."""
    config = small(folder, method, **settings)
    made = make_method(method, config)
    normal, abnormal = (parts_of(clips, made.needs, config) for clips in (NORMAL, MARKED))
    fit(made, marked(normal, 0) + marked(abnormal, 1), config)
    return made, parts_of([ODD], made.needs, config)[0][:]


def test_a_part_of_a_tube_has_one_score_the_mean_of_both_branches(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    regions = method.score(windows)
    np.testing.assert_allclose(regions.score, (regions.parts["tube"] + regions.parts["temporal"]) / 2)
    assert ((regions.score >= 0) & (regions.score <= 1)).all()
    stretches = stretches_of(regions)
    assert sum(len(rows) for rows in stretches) == (regions.track != NO_TRACK).sum()
    lengths = {len(rows) for rows in stretches}
    assert lengths <= {4, 8, 12}, "parts of 0.3 s are two blocks of four frames, where a tube has as many"


def test_frames_can_be_scored_by_their_segment_of_time(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, frames="segments")
    regions = method.score(windows)
    assert regions.frame.tolist() == list(range(24))
    assert set(regions.track.tolist()) == {NO_TRACK}


def test_a_frame_without_a_tube_is_scored_as_a_whole(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    regions = method.score(windows[windows.track == NO_TRACK])
    assert regions.frame.tolist() == list(range(24))
    assert regions.box[0].tolist() == [0, 0, 160, 96]


def test_reasons_and_examples_of_a_tube(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    regions = method.score(windows)
    worst = regions[[int(regions.score.argmax())]]
    why = method.explain(worst, windows[windows.track == worst.track[0]])
    assert "videos marked abnormal" in " ".join(why.reasons)
    assert len(why.examples) == 3


def test_segments_are_ranked_without_anybody_looking_for_boxes(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, "mil-ranking")
    assert not method.needs.boxes
    assert set(windows.track.tolist()) == {NO_TRACK}
    assert make_method("mil-ranking", small(tmp_path, "mil-ranking", instances="tubes")).needs.boxes


def test_only_normal_videos_are_held_back(tmp_path: Path) -> None:
    config = small(tmp_path)
    needs = make_method(ID, config).needs
    normal = marked(parts_of([*NORMAL, *NORMAL], needs, config), 0)
    kept, held = split_parts([*normal, *marked(parts_of(MARKED, needs, config), 1)], config)
    assert {part.label for part, _ in held} == {0}
    assert sum(part.label == 1 for part in kept) == 2
    few, cut = split_parts([*normal[:2], *marked(parts_of(MARKED, needs, config), 1)], config)
    assert [len(part) > 0 for part in few] == [True] * 4
    assert all(part.label == 0 and start > 0 for part, start in cut)


def test_from_labels_to_events_and_back_from_disk(tmp_path: Path) -> None:
    model = learn([*NORMAL, *MARKED], ID, small(tmp_path, steps=60), labels=LABELS)
    assert model.learned["abnormal_clips"] == 2
    scores = score_clip(model, ODD)
    assert len(scores.frames) == 24
    model.save(tmp_path / "model")
    again = score_clip(amiss.load(tmp_path / "model"), ODD)
    np.testing.assert_array_equal(again.regions.score, scores.regions.score)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (None, "give them with --labels"),
        ({"normal0": 0}, "do not name normal1"),
        (dict.fromkeys(LABELS, 1), "all videos have the same label"),
    ],
)
def test_labels_that_do_not_do_are_refused(tmp_path: Path, labels: dict[str, int] | None, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        learn([*NORMAL, *MARKED], ID, small(tmp_path), labels=labels)


def test_a_method_of_normal_footage_takes_no_labels(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leave the labels out"):
        learn(NORMAL, "attributes", config_of(tmp_path, NORMAL), labels=dict.fromkeys(LABELS, 0))


def test_labels_come_from_a_table_too(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("video", "label"), *((f"{name}.mp4", label) for name, label in LABELS.items())])
    model = amiss.learn([*NORMAL, *MARKED], ID, config=small(tmp_path), labels=table)
    assert model.learned["abnormal_clips"] == 2


def test_a_video_without_a_label_is_named(tmp_path: Path) -> None:
    config = small(tmp_path)
    method = make_method(ID, config)
    with pytest.raises(FootageError, match="normal0 has no label"):
        fit(method, parts_of(NORMAL, method.needs, config), config)


def test_a_ranking_and_no_entropy_or_the_reverse_but_not_neither() -> None:
    with pytest.raises(ConfigError, match="nothing to learn"):
        WeakTubes(WeakTubesSettings(ranking="none", entropy=0.0))


def test_live_scores_are_those_of_files_that_look_at_the_past_only(tmp_path: Path) -> None:
    method = SMALL[ID]["method"] | {"steps": 10}
    causal = config_of(
        tmp_path, method=method, scoring={"causal": True}, perception={"boxes": {"source": "motion", "min_area": 20}}
    )
    model = learn([*NORMAL, *MARKED], ID, causal, labels=LABELS)
    stream = Stream(model)
    live = [stream.update(frame).raw for frame in ODD]
    whole = score_clip(model, ODD).frames.raw
    np.testing.assert_allclose(live, whole, atol=1e-9)
    assert len(set(live)) > 2


def feature_file(folder: Path, name: str, odd: bool, seed: int) -> FeatureFile:
    """Features of 32 segments, of which one is odd in some videos."""
    values = np.abs(np.random.default_rng(seed).normal(size=(SEGMENTS, SIZE)))
    if odd:
        values[20, :12] += 12
    np.save(folder / f"{name}.npy", values.astype(np.float32))
    return FeatureFile(folder / f"{name}.npy")


@pytest.mark.parametrize("method", ["mil-ranking", ID])
def test_features_take_the_place_of_pictures(tmp_path: Path, method: str) -> None:
    files = [feature_file(tmp_path, f"video{n}", n % 2 == 1, n) for n in range(12)]
    settings: dict[str, Any] = {"block": 16, "features": 16, "steps": 150, "batch": 4}
    if method == ID:
        settings |= {"relations": "none"}  # with attention, all segments are higher beside an odd one
    config = config_of(tmp_path, method=settings)
    model = learn(files[:10], method, config, labels={file.name: n % 2 for n, file in enumerate(files[:10])})
    normal, odd = (score_clip(model, file) for file in files[10:])
    assert len(odd.frames) == SEGMENTS * 16
    assert odd.frames.raw.max() > normal.frames.raw.max()
    assert 20 * 16 <= odd.frames.raw.argmax() < 21 * 16


def test_a_report_of_features_has_no_pictures(tmp_path: Path) -> None:
    files = [feature_file(tmp_path, f"video{n}", n % 2 == 1, n) for n in range(8)]
    config = config_of(tmp_path, method={"block": 16, "features": 16, "steps": 60, "batch": 2})
    labels = {file.name: n % 2 for n, file in enumerate(files)}
    model = amiss.learn(files, "mil-ranking", config=config, labels=labels)
    page = model.score(files[1]).report(tmp_path / "report")
    text = page.read_text()
    assert "8 clips" in text
    assert "4 of them marked abnormal" in text
    assert not (tmp_path / "report" / "annotated.mp4").exists()


def test_features_of_another_kind_are_refused(tmp_path: Path) -> None:
    files = [feature_file(tmp_path, f"video{n}", n % 2 == 1, n) for n in range(6)]
    config = config_of(tmp_path, method={"block": 16, "features": 16, "steps": 10, "batch": 2})
    model = learn(files, "mil-ranking", config, labels={file.name: n % 2 for n, file in enumerate(files)})
    np.save(tmp_path / "other.npy", np.ones((32, SIZE + 1), np.float32))
    with pytest.raises(FootageError, match="of the same kind"):
        score_clip(model, FeatureFile(tmp_path / "other.npy"))


def test_rows_are_shared_out_over_frames(tmp_path: Path) -> None:
    np.save(tmp_path / "long.npy", np.repeat(np.arange(4.0), 16).reshape(4, 16).astype(np.float32))
    file = FeatureFile(tmp_path / "long.npy", frames=100)
    config = config_of(tmp_path, method={"block": 16})
    windows = parts_of([file], make_method("mil-ranking", config).needs, config)[0][:]  # type: ignore[list-item]
    number = windows.data["number"]
    assert sorted(number[number >= 0].tolist()) == list(range(100))
    for row in range(len(windows)):
        own = number[row][number[row] >= 0]
        assert set((own // 25).tolist()) == {int(windows.data["whole"][row, 0])}


def regions_of(rows: list[tuple[int, int, float, tuple[float, ...]]]) -> RegionScores:
    frame, track, score, box = (np.array(column) for column in zip(*rows, strict=True))
    return RegionScores(frame=frame, seconds=frame / 10, box=box, track=track, score=score)


def test_a_video_is_judged_by_its_best_stretch_of_a_tube() -> None:
    true, off = (0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 10.0, 5.0)
    rows = [(frame, 0, 0.9 if frame < 2 else 0.3, off) for frame in range(4)]
    rows += [(frame, 1, 0.5, true) for frame in range(4)] + [(4, NO_TRACK, 1.0, true)]
    event = Tube(frame=np.arange(4), seconds=np.arange(4) / 10, xyxy=np.tile(true, (4, 1)))
    video = video_of(regions_of(sorted(rows)), event, abnormal=True)
    assert video.score == pytest.approx(0.9)
    assert video.overlap == pytest.approx(0.25)  # half of the box in half of the frames
    assert sorted(video.all) == pytest.approx([0.25, 0.25, 1.0])
    alone = video_of(regions_of(rows[-1:]), event, abnormal=True)
    assert (alone.score, alone.overlap, alone.all) == (1.0, 0.0, ())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from amiss.footage.world import write_world

    folder = tmp_path_factory.mktemp("world") / "world"
    write_world(folder, normal=2, abnormal=2, weak=2, seconds=5, places=("plaza",), rate=10, size=(160, 90))
    return folder


def test_a_bench_of_videos_with_labels_tells_which_where_and_when(world: Path, tmp_path: Path) -> None:
    dataset = DATASETS["world"](world)
    training = dataset.weak_training()
    assert [label for _, label in training] == [0, 0, 1, 1]
    assert len({clip.name for clip, _ in training}) == 4
    config = config_of(tmp_path, method=SMALL[ID]["method"] | {"steps": 10}, perception={"boxes": {"source": "file"}})
    result = bench(dataset, ID, config, [0], tmp_path / "out")
    found = {name: kinds["raw"]["mean"] for name, kinds in result["metrics"].items() if "raw" in kinds}
    assert {"vauc", "far@0.2", "miou", "iou@0.1", "miou_random", "miou_upper", "auc_micro"} <= found.keys()
    assert found["miou_upper"] >= max(found["miou"], found["miou_random"]) >= 0
    assert found["miou_upper"] > 0.1
    assert evaluate_videos(tmp_path / "out" / "seed-0", dataset)["miou"]["raw"] == pytest.approx(found["miou"])


CHANGED: dict[str, dict[str, Any]] = {
    ID: {"branches": "tube", "relations": "none", "ranking": "plain", "entropy": 3.0, "frames": "segments"},
    "mil-ranking": {"instances": "tubes", "smooth": 1.0, "sparse": 1.0},
}
SHARED: dict[str, Any] = {
    "overlap": 0.8,
    "weight": 0.0,
    "unary": 20,
    "multivariate": 0,
    "block": 8,
    "features": 8,
    "part": 10.0,
    "horizon": 0.5,
    "steps": 20,
    "batch": 2,
    "memory": 0,
    "examples": 4,
}


def test_every_setting_has_its_change() -> None:
    for method, kind in ((ID, WeakTubesSettings), ("mil-ranking", MilRankingSettings)):
        assert (CHANGED[method] | SHARED).keys() == kind.model_fields.keys()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose cache keeps what several methods look at."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def plain(kept: Path) -> dict[str, tuple[Any, Windows]]:
    return {method: learned(kept, method) for method in CHANGED}


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [(ID, name, value) for name, value in (CHANGED[ID] | SHARED).items() if name not in ("weight", "horizon")]
    + [("mil-ranking", name, value) for name, value in CHANGED["mil-ranking"].items()],
)
def test_every_setting_changes_something(
    kept: Path, plain: dict[str, tuple[Any, Windows]], method: str, name: str, value: Any
) -> None:
    before, windows = plain[method]
    after, others = learned(kept, method, **{name: value})
    if name == "examples":
        assert len(after.exemplars) < len(before.exemplars)
        return
    if name == "memory":
        before.update(windows)
        after.update(others)
    assert before.score(windows).score.tolist() != after.score(others).score.tolist()


def test_the_weight_of_overlap_and_the_horizon_are_told_to_those_who_need_them(tmp_path: Path) -> None:
    needs = make_method(ID, small(tmp_path, weight=0.5, horizon=7.0)).needs
    assert needs.linking is not None
    assert needs.linking.weight == 0.5
    assert needs.live.horizon == 7.0


def test_windows_of_a_bag_come_together(tmp_path: Path) -> None:
    config = small(tmp_path)
    parted = replace(walkers("parted", 4, length=40), jump=(20, 60.0))
    config = small(tmp_path, clips=[parted])
    part = parts_of([parted], make_method(ID, config).needs, config)[0]
    bags = [set(windows.data["bag"].tolist()) for windows in part.batches()]
    assert len(bags) == 2
    assert all(len(bag) == 1 for bag in bags)
    assert bags[0] != bags[1]


@pytest.mark.parametrize(
    ("labels", "words"),
    [({"ghost": 1}, "name ghost, and there is no such video"), ({"normal0": 2}, "the label of normal0 is 2")],
)
def test_labels_of_nothing_and_strange_ones_are_named(tmp_path: Path, labels: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        learn([*NORMAL, *MARKED], ID, small(tmp_path), labels=LABELS | labels)


def test_two_videos_of_one_name_cannot_have_labels(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="several videos of the name normal0"):
        learn([*NORMAL, NORMAL[0], *MARKED], ID, small(tmp_path), labels=LABELS)


def test_features_of_two_kinds_cannot_be_learned_from(tmp_path: Path) -> None:
    files = [feature_file(tmp_path, f"video{n}", n % 2 == 1, n) for n in range(5)]
    np.save(tmp_path / "wider.npy", np.ones((SEGMENTS, SIZE + 4), np.float32))
    files.append(FeatureFile(tmp_path / "wider.npy"))
    config = config_of(tmp_path, method={"block": 16, "features": 16, "steps": 10, "batch": 2})
    with pytest.raises(FootageError, match="has other features than"):
        learn(files, "mil-ranking", config, labels={file.name: n % 2 for n, file in enumerate(files)})


def test_features_that_half_precision_cannot_hold_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "large.npy", np.full((SEGMENTS, SIZE), 1e6, np.float32))
    needs = make_method("mil-ranking", config_of(tmp_path)).needs
    with pytest.raises(FootageError, match="scale the features down"):
        parts_of([FeatureFile(tmp_path / "large.npy")], needs, config_of(tmp_path))  # type: ignore[list-item]
