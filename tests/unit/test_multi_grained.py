"""The method `multi-grained`: learning, regions, explanations, and footage that is not as it should be."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amiss.engine import Stream, learn, score_clip
from amiss.engine.model import make_method
from amiss.errors import ConfigError, FootageError, WeightsError
from amiss.methods.multi_grained import MultiGrained, MultiGrainedSettings
from amiss.methods.multi_grained.look import Onlooker
from amiss.types import NO_TRACK, Frame
from support import SMALL, Mover, Rectangles, fit, learn_quickly, once, parts_of, quick_config, walkers

ID = "multi-grained"
ALL = {"backbone": "i3d", "continuity": 1.0, "localization": 1.0}
NORMAL = [walkers(f"normal{seed}", seed, length=34) for seed in range(2)]
ODD = Rectangles("odd", (Mover(0, 24, 44, 60, dx=9.0, flickers=True),), length=20)
CORNER = Rectangles("corner", (*walkers("", 5).movers, Mover(140, 2, 12, 12, dx=0.0, flickers=True)), length=18)


def quick(folder: Path, clips: list[Rectangles], epochs: int = 1, **settings: Any) -> Any:
    return quick_config(ID, folder, clips, epochs, ALL | settings)


def learned(folder: Path, epochs: int = 1, other: Rectangles = ODD, **settings: Any) -> tuple[Any, Any]:
    """The method after a little learning, and windows that it has not seen."""
    return learn_quickly(ID, folder, NORMAL, other, epochs, ALL | settings)


def test_a_small_flicker_in_a_corner_is_found_and_boxed(tmp_path: Path) -> None:
    longer = [walkers(f"longer{seed}", seed, length=36) for seed in range(2)]
    method, windows = learn_quickly(ID, tmp_path, longer, CORNER, 12, ALL | {"backbone": "unet", "width": 0.1})
    regions = method.score(windows)
    true = np.array([140, 2, 152, 14])
    for frame in np.unique(regions.frame):
        here = regions[regions.frame == frame]
        box = here.box[here.score.argmax()]
        overlap = np.minimum(box[2:], true[2:]) - np.maximum(box[:2], true[:2])
        assert (overlap > 6).all()
        assert np.prod(box[2:] - box[:2]) < 0.25 * 160 * 96


def test_regions_have_no_track_and_lie_in_the_picture_whatever_its_size(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    doubled = dataclasses.replace(windows, box=windows.box * 2)
    once, twice = method.score(windows), method.score(doubled)
    assert set(once.track.tolist()) == {NO_TRACK}
    np.testing.assert_allclose(twice.box, 2 * once.box)
    np.testing.assert_array_equal(twice.score, once.score)


def test_cubes_have_one_row_each_with_their_own_box_and_track(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, 1, NORMAL[0], windows="cubes", backbone="objects")
    regions = method.score(windows)
    np.testing.assert_array_equal(regions.box, windows.box)
    np.testing.assert_array_equal(regions.track, windows.track)
    np.testing.assert_array_equal(regions.frame, windows.frame)
    assert windows.frame.min() == 6


def test_the_score_is_the_weighted_mean_of_its_parts_at_the_peak(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, continuity_share=2.0, localization_share=1.0, estimation_share=1.0)
    regions = method.score(windows)
    parts = np.array([regions.parts[name] for name in ("continuity", "localization", "estimation")])
    np.testing.assert_allclose(regions.score, np.array([0.5, 0.25, 0.25]) @ parts)


def test_sharing_between_windows_changes_no_score(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    network = method._looker.network
    pairs = zip(Onlooker(network).look(windows), Onlooker(network, shares=False).look(windows), strict=True)
    for shared, alone in pairs:
        np.testing.assert_allclose(shared.raw, alone.raw, rtol=1e-4, atol=1e-5)


def test_what_is_remembered_of_frames_never_takes_the_place_of_others(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    fresh = Onlooker(method._looker.network)
    method.score(parts_of([NORMAL[0]], method.needs, quick(tmp_path, NORMAL))[0][0:8])
    for used, new in zip(method._looker.look(windows), fresh.look(windows), strict=True):
        np.testing.assert_array_equal(used.raw, new.raw)


def test_pictures_set_where_a_frame_is_missing_against_whether_one_is(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    pictures = method.pictures(windows[:2])
    assert list(pictures) == ["frame", "whether one is missing", "where it is missing", "what is missing"]
    np.testing.assert_array_equal(pictures["frame"], windows.data["image"][:2, 6])
    assert pictures["where it is missing"].max() > 0


def test_reasons_name_the_task(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    regions = method.score(windows[:1])
    reasons = " ".join(method.explain(regions[[0]], windows[:1]).reasons)
    assert "normal places that move" in reasons


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({}, ("continuity", "localization", "estimation")),
        ({"continuity": 0.0}, ("localization", "estimation")),
        ({"continuity": 0.0, "localization": 0.0}, ("estimation",)),
        ({"backbone": "unet"}, ("continuity", "localization", "estimation", "own")),
        ({"backbone": "unet", "continuity": 0, "localization": 0, "estimation": 0}, ("own",)),
        ({"backbone": "memory", "continuity": 0, "localization": 0}, ("estimation", "own")),
    ],
)
def test_rows_of_the_tables_are_configurations(settings: dict[str, Any], parts: tuple[str, ...]) -> None:
    assert MultiGrained(MultiGrainedSettings.build(settings, prefix="method.")).parts == parts


@pytest.mark.parametrize("backbone", ["i3d", "objects"])
def test_a_backbone_without_an_objective_of_its_own_needs_a_task(backbone: str) -> None:
    settings = MultiGrainedSettings(backbone=backbone, continuity=0, localization=0, estimation=0)
    with pytest.raises(ConfigError, match="nothing to learn"):
        MultiGrained(settings)


def test_a_score_needs_a_part_with_a_share() -> None:
    with pytest.raises(ConfigError, match="shares of all parts"):
        MultiGrained(MultiGrainedSettings(continuity_share=0, localization_share=0, estimation_share=0))


def test_clips_shorter_than_thirteen_frames_are_too_little(tmp_path: Path) -> None:
    clips = [walkers(f"short{seed}", seed, length=12) for seed in range(4)]
    config = quick(tmp_path, clips)
    method = make_method(ID, config)
    with pytest.raises(FootageError, match="only 0 windows of 13 frames"):
        fit(method, parts_of(clips, method.needs, config), config)


def test_a_short_clip_has_the_score_of_what_is_most_normal(tmp_path: Path) -> None:
    short = walkers("short", 3, length=12)
    model = learn(NORMAL, ID, quick(tmp_path, [*NORMAL, short]))
    scores = score_clip(model, short)
    assert len(scores.regions) == 0
    assert set(scores.frames.raw.tolist()) == {scores.floor}


def test_a_frozen_camera_teaches_nothing(tmp_path: Path) -> None:
    frozen = [Rectangles(f"frozen{number}", (), length=24) for number in range(2)]
    config = quick(tmp_path, frozen)
    with pytest.raises(FootageError, match="nothing moves"):
        learn(frozen, ID, config)


def test_a_frozen_camera_is_as_normal_as_can_be(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, 1, Rectangles("frozen", (), length=18))
    assert set(method.score(windows).score.tolist()) == {-3.0}


def test_no_window_spans_a_gap_in_time(tmp_path: Path) -> None:
    parted = walkers("parted", 4, length=40, jump=(20, 60.0))
    config = quick(tmp_path, [parted])
    frames = parts_of([parted], make_method(ID, config).needs, config)[0].column("frame")
    assert frames.tolist() == [*range(6, 14), *range(26, 34)]


@dataclass(frozen=True)
class Takes(Rectangles):
    """Footage that is cut: from half of its length on, everything is elsewhere."""

    def __iter__(self) -> Iterator[Frame]:
        blocks = np.random.default_rng(0).integers(0, 255, (6, 10, 3), dtype=np.uint8)
        other = np.kron(blocks, np.ones((16, 16, 1), np.uint8))
        for frame in super().__iter__():
            yield Frame(frame.image if frame.index < self.length // 2 else other, frame.index, frame.seconds)


def test_no_window_spans_a_cut(tmp_path: Path) -> None:
    cut = Takes("cut", walkers("", 4).movers, 40)
    config = quick(tmp_path, [cut])
    frames = parts_of([cut], make_method(ID, config).needs, config)[0].column("frame")
    assert frames.tolist() == [*range(6, 14), *range(26, 34)]


def test_live_scores_are_those_of_files_that_look_at_the_past_only(tmp_path: Path) -> None:
    clips = [*NORMAL, ODD]
    causal = quick_config(ID, tmp_path, clips, 1, ALL).model_copy(
        update={"scoring": quick(tmp_path, clips).scoring.model_copy(update={"causal": True})}
    )
    model = learn(NORMAL, ID, causal)
    stream = Stream(model)
    live = [stream.update(frame).raw for frame in ODD]
    np.testing.assert_allclose(live, score_clip(model, ODD).frames.raw, atol=1e-9)


CHANGED: dict[str, Any] = {
    "backbone": "i3d",
    "windows": "cubes",
    "pace": 2,
    "rows": 80,
    "columns": 128,
    "size": 48,
    "width": 0.15,
    "weights": Path("nowhere.pt"),
    "features": 8,
    "crop": 32,
    "static": 4.0,
    "continuity": 0.5,
    "localization": 0.5,
    "estimation": 0.5,
    "own": 0.5,
    "continuity_share": 3.0,
    "localization_share": 3.0,
    "estimation_share": 3.0,
    "own_share": 3.0,
    "near": 1,
    "temperature": 0.5,
    "examples": 5,
}


def test_every_setting_has_its_change() -> None:
    assert CHANGED.keys() == MultiGrainedSettings.model_fields.keys()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose cache keeps windows, and trainings that a setting takes no part in."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def plainly(kept: Path) -> Callable[[dict[str, Any]], Any]:
    """The method with usual settings, learned once for each."""
    return once(lambda usual: learned(kept, **usual))


@pytest.mark.parametrize("name", CHANGED)
def test_a_setting_changes_scores_or_what_is_kept(
    kept: Path, plainly: Callable[[dict[str, Any]], Any], name: str
) -> None:
    usual: dict[str, Any] = {"backbone": "objects", "features": 16, "rows": 64, "columns": 96, "crop": 48, "size": 32}
    if name == "size":
        usual |= {"windows": "cubes"}
    if name.startswith("own"):
        usual |= {"backbone": "convgru"}
    if name == "weights":
        with pytest.raises(WeightsError, match=r"method\.width=1"):
            learned(kept, weights=CHANGED[name])
        return
    plain, odd = plainly(usual)
    changed, other = learned(kept, **usual | {name: CHANGED[name]})
    if name == "examples":
        assert (len(plain.exemplars), len(changed.exemplars)) == (SMALL[ID]["method"]["examples"], CHANGED[name])
    else:
        assert plain.score(odd).score.tolist() != changed.score(other).score.tolist()
