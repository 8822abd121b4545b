"""The method `appearance-motion`: learning, scores, pictures, and footage that is not as it should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from amiss.config import Config
from amiss.datasets.world import World
from amiss.engine import Stream, learn, score_clip
from amiss.engine.bench import with_preset
from amiss.errors import FootageError, TrainingError
from amiss.methods import Method
from amiss.methods.appearance_motion import AppearanceMotion, AppearanceMotionSettings
from amiss.methods.appearance_motion.task import Prediction, cubes
from amiss.types import RegionScores, Windows
from amiss.windows.needs import Needs
from amiss.windows.store import WindowStore
from support import SMALL, Mover, Rectangles, config_of, learn_quickly, once, parts_of, quick_config, walkers
from support_training import trainer_of

ID = "appearance-motion"
NORMAL = [walkers(f"normal{seed}", seed, length=20) for seed in range(2)]
ODD = Rectangles("odd", (Mover(0, 24, 44, 60, dx=9.0, flickers=True),), length=12)
NEEDS = Needs("cube", ("flow", "image"), length=5, size=32)


def quick(folder: Path, clips: list[Rectangles], epochs: int = 2, **method: Any) -> Config:
    return quick_config(ID, folder, clips, epochs, method)


def learned(folder: Path, epochs: int = 2, **settings: Any) -> tuple[Method, Windows]:
    """The method after a little learning, and windows that it has not seen."""
    return learn_quickly(ID, folder, NORMAL, ODD, epochs, settings)


def windows_of(folder: Path, clips: list[Rectangles]) -> WindowStore:
    return WindowStore(parts_of(clips, NEEDS, config_of(folder, clips)))


def test_cubes_are_four_frames_their_flow_and_the_fifth_frame(tmp_path: Path) -> None:
    windows = windows_of(tmp_path, NORMAL).take(np.array([3, 8]))
    made, before = cubes(windows, "into"), cubes(windows, "before")
    image, flow = windows.data["image"], windows.data["flow"].astype(np.float32)
    for frame in range(4):
        shown = made["frames"][:, 3 * frame : 3 * frame + 3].permute(0, 2, 3, 1)
        np.testing.assert_allclose(shown, image[:, frame] / 255, rtol=1e-6)
        np.testing.assert_array_equal(
            made["flows"][:, 2 * frame : 2 * frame + 2].permute(0, 2, 3, 1), flow[:, frame + 1]
        )
        np.testing.assert_array_equal(before["flows"][:, 2 * frame : 2 * frame + 2].permute(0, 2, 3, 1), flow[:, frame])
    np.testing.assert_allclose(made["target"].permute(0, 2, 3, 1), image[:, 4] / 255, rtol=1e-6)


def test_it_can_learn_eight_cubes_by_heart(tmp_path: Path) -> None:
    store = windows_of(tmp_path, NORMAL)
    eight = WindowStore([store.parts[0].between(-np.inf, store.parts[0][7:8].seconds[0] + 1e-9)])
    assert len(eight) >= 8
    # Blocks with sharp edges look alike to the gradient loss when light and dark are swapped.
    settings = AppearanceMotionSettings(width=8, memory=(4, 4, 4), gradient_weight=0)
    task = Prediction(settings, 0)
    batch = task.batch(eight.take(np.arange(8)))

    def error() -> float:
        with torch.no_grad():
            return float(task.losses(batch)["intensity"])

    before = error()
    trainer_of(tmp_path / "train", epochs=100, batch=16, rate=1e-2, holdout=0.0, choose="last")(task, eight, 0)
    assert error() < 0.05 * before


@pytest.mark.parametrize(
    ("settings", "terms"),
    [
        ({}, {"intensity", "gradient", "alignment", "compactness", "diversity"}),
        ({"alignment": "none"}, {"intensity", "gradient", "compactness", "diversity"}),
        ({"suppression": False}, {"intensity", "gradient", "alignment"}),
        ({"streams": "motion", "suppression": False}, {"intensity", "gradient"}),
    ],
)
def test_the_loss_has_the_terms_of_what_there_is(tmp_path: Path, settings: dict[str, Any], terms: set[str]) -> None:
    task = Prediction(AppearanceMotionSettings(width=4, **settings), 0)
    assert set(task.losses(task.batch(windows_of(tmp_path, NORMAL).take(np.arange(4))))) == terms


def test_weights_scale_their_terms(tmp_path: Path) -> None:
    names = ("intensity", "gradient", "alignment", "compactness", "diversity")
    windows = windows_of(tmp_path, NORMAL).take(np.arange(4))
    plain, double = (
        Prediction(AppearanceMotionSettings(width=4, **{f"{name}_weight": weight for name in names}), 0)
        for weight in (1.0, 2.0)
    )
    one, two = (task.losses(task.batch(windows)) for task in (plain, double))
    assert all(float(one[name].detach()) > 0 for name in names)
    assert {name: float(two[name].detach()) for name in names} == pytest.approx(
        {n: 2 * float(one[n].detach()) for n in names}, rel=1e-5
    )


@pytest.mark.parametrize(("alignment", "learns"), [("both", True), ("motion", False)])
def test_who_learns_from_the_alignment(tmp_path: Path, alignment: str, learns: bool) -> None:
    task = Prediction(AppearanceMotionSettings(width=4, alignment=alignment), 0)  # type: ignore[arg-type]
    task.losses(task.batch(windows_of(tmp_path, NORMAL).take(np.arange(4))))["alignment"].backward()
    assert all(weight.grad is not None for weight in task.network.appearance.parameters())
    assert all((weight.grad is not None) is learns for weight in task.network.motion.parameters())


def test_the_score_is_the_weighted_sum_of_the_parts(tmp_path: Path) -> None:
    method, odd = learned(tmp_path, prediction_share=0.3, consistency_share=0.6)
    regions = method.score(odd)
    np.testing.assert_allclose(regions.score, 0.3 * regions.parts["prediction"] + 0.6 * regions.parts["consistency"])
    single, _ = learned(tmp_path, alignment="none")
    assert single.parts == ("prediction",)
    regions = single.score(odd)
    np.testing.assert_array_equal(regions.score, regions.parts["prediction"])


@pytest.mark.parametrize("error", ["squared", "relative"])
def test_parts_are_standard_deviations_above_the_mean_of_normal_cubes(tmp_path: Path, error: str) -> None:
    method, _ = learned(tmp_path, error=error)
    store = windows_of(tmp_path, NORMAL)
    parts = method.score(store.take(np.arange(len(store)))).parts
    assert {name: values.mean() for name, values in parts.items()} == pytest.approx(dict.fromkeys(parts, 0), abs=1e-6)
    assert {name: values.std() for name, values in parts.items()} == pytest.approx(dict.fromkeys(parts, 1), abs=1e-6)


def test_maps_and_pictures_show_the_error_where_it_is(tmp_path: Path) -> None:
    method, odd = learned(tmp_path)
    regions, shown = method.score(odd), method.pictures(odd)
    assert list(shown) == ["target", "prediction", "error", "memory 1", "memory 2", "memory 3"]
    assert all(picture.shape == (len(odd), 32, 32, 3) for picture in shown.values())
    np.testing.assert_array_equal(shown["target"], odd.data["image"][:, 4])
    difference = (shown["target"].astype(float) - shown["prediction"]) / 255
    cells = np.sqrt((difference**2).mean(-1).reshape(len(odd), 16, 2, 16, 2).mean((2, 4)))
    np.testing.assert_allclose(regions.maps["prediction"], cells, atol=0.01)
    brightness = shown["error"].astype(float).sum(-1)
    grey = np.abs(shown["target"].astype(float) - shown["prediction"]).mean(-1)
    assert brightness[grey >= 40].min() > brightness[grey <= 20].max()
    normal = {picture.tobytes() for picture in windows_of(tmp_path, NORMAL).take(np.arange(60)).data["image"][:, 4]}
    assert shown["memory 1"][0].tobytes() in normal


def test_the_network_is_part_of_what_is_saved_whatever_its_shape(tmp_path: Path) -> None:
    method, odd = learned(tmp_path)
    wider = AppearanceMotion(AppearanceMotionSettings(width=6, memory=(4, 4, 4)))
    with pytest.raises(ValueError, match="size"):
        wider.restore(method.state())
    same = AppearanceMotion(method.settings)
    same.run_on(method.engine)
    same.restore(method.state())
    np.testing.assert_array_equal(same.score(odd).score, method.score(odd).score)


def test_training_that_was_broken_off_ends_with_the_same_network(tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    store = windows_of(tmp_path, NORMAL)
    settings = AppearanceMotionSettings(width=4, memory=(4, 4, 4))

    def break_off(text: str, done: int, total: int) -> None:
        if done * 2 > total:
            raise StopError

    broken, whole, again = (Prediction(settings, 0) for _ in range(3))
    plan = {"epochs": 4, "batch": 32, "save_seconds": 0.0}
    with pytest.raises(StopError):
        trainer_of(tmp_path / "broken", break_off, **plan)(broken, store, 0)
    trainer_of(tmp_path / "broken", **plan)(again, store, 0)
    trainer_of(tmp_path / "whole", **plan)(whole, store, 0)
    for name, value in whole.module.state_dict().items():
        torch.testing.assert_close(again.module.state_dict()[name], value, rtol=0, atol=0, msg=name)


def test_a_loss_that_is_not_a_number_stops_training_with_its_name(tmp_path: Path) -> None:
    class Broken(Prediction):
        steps = 0

        def losses(self, batch: Any) -> Any:
            self.steps += 1
            terms = dict(super().losses(batch))
            return terms | {"gradient": terms["gradient"] * (torch.nan if self.steps == 3 else 1)}

    task = Broken(AppearanceMotionSettings(width=4, memory=(4, 4, 4)), 0)
    with pytest.raises(TrainingError, match="gradient"):
        trainer_of(tmp_path / "train", epochs=2, batch=16)(task, windows_of(tmp_path, NORMAL), 0)


def test_whole_clips_and_frame_by_frame_give_the_same_scores(tmp_path: Path) -> None:
    config = quick(tmp_path, [])
    model = learn(NORMAL, ID, config)
    scores = score_clip(model, ODD)
    stream = Stream(model)
    found = RegionScores.merge([stream.update(frame).regions for frame in ODD])
    np.testing.assert_allclose(found.score, scores.regions.score, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.maps["prediction"], scores.regions.maps["prediction"])
    assert len(found)
    assert found.frame.min() >= 4


@pytest.mark.parametrize(
    "clip",
    [
        Rectangles("empty", (), length=9),
        Rectangles("short", (Mover(20, 20),), length=4),
        Rectangles("edge", (Mover(-6, -6, 40, 40, dx=0.2),), length=9),
        Rectangles("speck", (Mover(30, 30, 8, 8),), length=9),
    ],
    ids=lambda clip: clip.name,
)
def test_odd_footage_gives_finite_scores(tmp_path: Path, clip: Rectangles) -> None:
    model = learn(NORMAL, ID, quick(tmp_path, [*NORMAL, clip]))
    scores = score_clip(model, clip)
    assert len(scores.frames) == clip.length
    assert np.isfinite(scores.frames.raw).all()
    if clip.name in ("empty", "short"):
        assert len(scores.regions) == 0
        assert (scores.frames.raw == model.calibrations["centred"].floor).all()


def test_clips_shorter_than_a_cube_are_too_little_to_learn_from(tmp_path: Path) -> None:
    short = [walkers(f"short{seed}", seed, length=4) for seed in range(5)]
    with pytest.raises(FootageError, match="5 frames"):
        learn(short, ID, quick(tmp_path, short))


def test_a_preset_lies_beneath_what_was_given() -> None:
    preset = AppearanceMotion.presets["shanghaitech"]
    given = Config.build({"method": {"memory": (1, 2, 3)}, "train": {"epochs": 2}})
    both = with_preset(given, preset)
    assert both.method["memory"] == (1, 2, 3)
    assert both.method["alignment_weight"] == 10
    assert (both.train.epochs, both.train.batch) == (2, 384)
    assert both.scoring.smoothing == "median:17"
    assert with_preset(given, {}) == given
    assert World.id not in AppearanceMotion.presets


CHANGED: dict[str, Any] = {
    "width": 6,
    "convolutions": 1,
    "streams": "motion",
    "replacement": False,
    "skips": 1,
    "suppression": False,
    "memory": (3, 4, 4),
    "temperature": 0.1,
    "alignment": "motion",
    "flow": "before",
    "intensity_weight": 2.0,
    "gradient_weight": 0.0,
    "alignment_weight": 5.0,
    "compactness_weight": 1.0,
    "diversity_weight": 1.0,
    "margin": 0.0,
    "error": "squared",
    "prediction_share": 0.1,
    "consistency_share": 0.1,
    "examples": 5,
}


def test_every_setting_has_its_change() -> None:
    assert CHANGED.keys() == AppearanceMotionSettings.model_fields.keys()


@pytest.fixture(scope="module")
def plainly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], Any]:
    """The method with usual settings, learned once for each."""
    folder = tmp_path_factory.mktemp("plain")
    return once(lambda usual: learned(folder, 1, **usual))


@pytest.mark.parametrize("name", CHANGED)
def test_a_setting_changes_scores_or_what_is_kept(
    tmp_path: Path, plainly: Callable[[dict[str, Any]], Any], name: str
) -> None:
    usual = {"diversity_weight": 1.0} if name == "margin" else {}
    plain, odd = plainly(usual)
    changed, _ = learned(tmp_path, 1, **usual | {name: CHANGED[name]})
    if name == "examples":
        assert (len(plain.exemplars), len(changed.exemplars)) == (SMALL[ID]["method"]["examples"], CHANGED[name])
    else:
        assert not np.array_equal(plain.score(odd).score, changed.score(odd).score)
