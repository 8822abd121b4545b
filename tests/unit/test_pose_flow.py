"""The method `pose-flow`: segments, learning, labelled abnormal poses, scores, and footage without people."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from amiss.config import Config
from amiss.engine import Stream, learn, score_clip
from amiss.engine.bench import with_preset
from amiss.engine.model import make_method
from amiss.errors import ConfigError, FootageError
from amiss.methods import Method
from amiss.methods.pose_flow import PoseFlow, PoseFlowSettings
from amiss.methods.pose_flow.segments import normalised, read_segments, write_segments
from amiss.methods.pose_flow.task import Likelihood, tensor_of
from amiss.nn.graph import LEFT_RIGHT
from amiss.pipeline import Pipeline
from amiss.types import RegionScores, Windows
from support import (
    Mover,
    Rectangles,
    fit,
    joint_paths,
    learn_quickly,
    once,
    parts_of,
    quick_config,
    walkers,
)

ID = "pose-flow"
NORMAL = [walkers(f"normal{seed}", seed, length=30) for seed in range(4)]
ODD = Rectangles("odd", (Mover(0, 24, 44, 60, dx=3.0, flickers=True),), length=20)
BOTH = Rectangles("both", (*NORMAL[0].movers[:2], Mover(40, 50, 20, 40, dx=1.5, flickers=True)), length=24)


def quick(folder: Path, clips: list[Rectangles], epochs: int = 8, **method: Any) -> Config:
    return quick_config(ID, folder, clips, epochs, method)


def learned(folder: Path, epochs: int = 4, **settings: Any) -> tuple[Method, Windows]:
    """The method after a little learning, and windows that it has not seen."""
    return learn_quickly(ID, folder, NORMAL, BOTH, epochs, settings)


def flickering(windows: Windows) -> np.ndarray:
    """`(N,)` whether a window is of the one in `BOTH` that throws its joints about."""
    return np.asarray(windows.box[:, 2] - windows.box[:, 0] > 15)


def likelihood(abnormal: torch.Tensor | None = None, **settings: Any) -> Likelihood:
    chosen = PoseFlowSettings(length=8, kernel=3, **settings)
    start = torch.from_numpy(normalised(joint_paths(64, seed=2), np.full((64, 2), (100.0, 50.0)), 0.2))
    return Likelihood(chosen, start, torch.zeros(0, 2, 8, 18) if abnormal is None else abnormal, 640, 0)


def test_mirrored_segments_are_learned_from_but_only_when_learning() -> None:
    segments = torch.randn(64, 2, 8, 18)
    mirrored = segments[..., list(LEFT_RIGHT)] * torch.tensor([-1.0, 1.0]).view(2, 1, 1)

    def seen_by(task: Likelihood) -> torch.Tensor:
        given: list[torch.Tensor] = []
        task.flow.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0]))
        torch.manual_seed(0)
        task.losses({"segments": segments})
        return given[0]

    seen = seen_by(likelihood())
    kept = (seen == segments).flatten(1).all(1)
    turned = (seen == mirrored).flatten(1).all(1)
    assert (kept ^ turned).all()
    assert 10 < int(turned.sum()) < 54
    assert torch.equal(seen_by(likelihood(flip=False)), segments)
    still = likelihood()
    still.module.eval()
    assert torch.equal(seen_by(still), segments)


def test_the_loss_is_bits_a_dimension_under_the_prior_of_each_kind() -> None:
    abnormal = torch.randn(64, 2, 8, 18)
    task = likelihood(abnormal, flip=False)
    task.module.eval()
    segments = torch.randn(100, 2, 8, 18)
    terms = task.losses({"segments": segments})
    assert set(terms) == {"normal", "abnormal"}
    assert set(likelihood().losses({"segments": segments})) == {"normal"}
    latent, volume = task.flow(segments)
    nats = ((latent - 3) ** 2 + np.log(2 * np.pi)).sum((1, 2, 3)) / 2 - volume.sum((1, 2))
    number = 10  # a tenth of the normal ones, as there are 64 among 640
    expected = nats.mean() / (2 * 8 * 18 * np.log(2)) * 100 / (100 + number)
    assert float(terms["normal"].detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_epochs_are_added_where_there_is_little_footage() -> None:
    assert likelihood(updates=0).plan.epochs == 8
    more = likelihood(updates=100).plan  # 640 segments are two and a half steps
    assert more.epochs == 40
    assert more.decay ** (more.epochs // more.decay_every) == pytest.approx(0.99**8)


def abnormal_archive(folder: Path) -> Path:
    """Segments of the one that flickers."""
    config = quick(folder, [*NORMAL, ODD])
    part = parts_of([ODD], make_method(ID, config).needs, config)[0]
    write_segments(folder / "abnormal.npz", part[0 : len(part)])
    return folder / "abnormal.npz"


def test_labelled_abnormal_segments_become_less_likely(tmp_path: Path) -> None:
    path = abnormal_archive(tmp_path)
    pose, size = read_segments(path, 8)
    assert pose.shape[1:] == (8, 17, 3)
    assert size.tolist() == [[160, 96]] * len(pose)

    def latent(method: Method, windows: Windows) -> tuple[float, float]:
        """Where the flow puts segments of those that walk and of the one that flickers, on average."""
        assert isinstance(method, PoseFlow)
        segments = tensor_of(windows, 0.2)
        with torch.no_grad():
            found = method._flow(segments)[0].mean((1, 2, 3)).numpy()
        return float(found[~flickering(windows)].mean()), float(found[flickering(windows)].mean())

    told, windows = learned(tmp_path, 60, abnormal=path, whitening=False)
    untold, _ = learned(tmp_path, 60, whitening=False)
    normal, abnormal = latent(told, windows)
    assert normal == pytest.approx(3, abs=1)
    assert abnormal < latent(untold, windows)[1] - 3
    assert abnormal < normal
    scores = told.score(windows).score
    assert scores[flickering(windows)].min() > scores[~flickering(windows)].max()


def test_the_score_is_standard_deviations_above_the_mean_of_normal_segments(tmp_path: Path) -> None:
    config = quick(tmp_path, NORMAL)
    method = make_method(ID, config)
    parts = parts_of(NORMAL, method.needs, config)
    fit(method, parts, config)
    scores = method.score(Windows.merge([part[0 : len(part)] for part in parts])).score
    assert scores.mean() == pytest.approx(0, abs=1e-6)
    assert scores.std() == pytest.approx(1, abs=1e-6)


def test_too_little_of_a_body_counts_as_most_usual_and_is_said(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    pose = np.array(windows.data["pose"])
    pose[::2, ..., 2] = 0.05
    pose[::4] = 0
    hidden = dataclasses.replace(windows, data={**windows.data, "pose": pose})
    whole, scores = method.score(windows).score, method.score(hidden).score
    assert np.isfinite(scores).all()
    assert (scores[::2] == scores[0]).all()
    assert scores[0] <= whole.min()
    np.testing.assert_allclose(scores[1::2], whole[1::2], rtol=0, atol=1e-9)
    why = method.explain(method.score(hidden[:1]), hidden[:1])
    assert "too little of the body" in why.reasons[0]
    before = method.state()["usual.count"]
    method.update(hidden)
    assert method.state()["usual.count"] == before + len(hidden) // 2


def test_an_explanation_names_the_joint_that_moves_oddly(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, 30)
    usual = windows[~flickering(windows)]
    row = usual[[0]]
    pose = np.array(row.data["pose"])
    pose[0, :, 9, 1] += 40 * (np.arange(8) % 2)  # the left wrist
    odd = dataclasses.replace(row, data={**row.data, "pose": pose})
    why = method.explain(method.score(odd), odd)
    assert "less likely than" in why.reasons[0]
    assert "left wrist" in why.reasons[1]
    assert len(why.examples) == 3


def test_segments_to_learn_from_are_every_so_many_frames(tmp_path: Path) -> None:
    config = quick(tmp_path, NORMAL, stride=3)
    method = make_method(ID, config)
    parts = parts_of(NORMAL, method.needs, config)
    fit(method, parts, config)
    frames = np.concatenate([part.column("frame") for part in parts])
    assert method.state()["usual.count"] == (frames % 3 == 0).sum()
    assert all(exemplar.frame % 3 == 0 for exemplar in method.exemplars)


@pytest.mark.parametrize("at", ["middle", "last"])
def test_whole_clips_and_frame_by_frame_give_the_same_scores(
    tmp_path: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = quick(tmp_path, [*NORMAL, BOTH], at=at, ends=False)
    model = learn(NORMAL, ID, config)
    causal = dataclasses.replace(
        model, config=config.model_copy(update={"scoring": config.scoring.model_copy(update={"causal": True})})
    )
    scores, centred = score_clip(causal, BOTH), score_clip(model, BOTH)
    reset = Pipeline.reset  # live there is no file with boxes and poses: the stream is given those of the clip
    monkeypatch.setattr(Pipeline, "reset", lambda pipeline, _=None: reset(pipeline, BOTH.path))
    stream = Stream(causal)
    updates = [stream.update(frame) for frame in BOTH]
    found = RegionScores.merge([update.regions for update in updates])
    assert len(found) > 10
    np.testing.assert_array_equal(found.frame, scores.regions.frame)
    np.testing.assert_allclose(found.score, scores.regions.score, rtol=0, atol=1e-9)
    np.testing.assert_allclose([update.smoothed for update in updates], scores.frames.smoothed, rtol=0, atol=1e-9)
    lag = 3 if at == "middle" else 0
    assert set((centred.regions.frame + lag).tolist()) == set(scores.regions.frame.tolist())


@pytest.mark.parametrize(
    "clip",
    [Rectangles("empty", (), length=12), Rectangles("short", (Mover(20, 20),), length=7)],
    ids=lambda clip: clip.name,
)
def test_clips_without_segments_have_the_lowest_normal_score(tmp_path: Path, clip: Rectangles) -> None:
    model = learn(NORMAL, ID, quick(tmp_path, [*NORMAL, clip]))
    scores = score_clip(model, clip)
    assert len(scores.regions) == 0
    assert (scores.frames.raw == model.calibrations["centred"].floor).all()
    assert np.isfinite(scores.frames.smoothed).all()


def test_footage_of_few_segments_is_too_little_to_learn_from(tmp_path: Path) -> None:
    short = [walkers(f"short{seed}", seed, length=7) for seed in range(5)]
    with pytest.raises(FootageError, match=r"8 frames.*more footage"):
        learn(short, ID, quick(tmp_path, short))


def test_the_ends_of_tracks_are_spoken_for_by_the_segments_that_span_them(tmp_path: Path) -> None:
    """Of a body that is there in all 24 frames, segments of 8 are scored at frames 4 to 20."""
    whole, middle = (
        score_clip(learn(NORMAL, ID, quick(tmp_path, [*NORMAL, BOTH], 2, ends=ends)), BOTH).regions
        for ends in (True, False)
    )
    track = middle.track[flickering(Windows(middle.frame, middle.seconds, middle.box))][0]
    whole, middle = (regions[regions.track == track] for regions in (whole, middle))
    assert middle.frame.tolist() == list(range(4, 21))
    assert whole.frame.tolist() == list(range(24))
    assert (np.diff(whole.box[:, 0]) > 0).all()
    for end in (slice(0, 5), slice(20, 24)):
        assert len(np.unique(whole.parts["movement"][end])) == 1


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"method\.kernel"):
        PoseFlow(PoseFlowSettings(kernel=4))


def test_presets_are_what_is_published() -> None:
    shanghaitech, ubnormal = (with_preset(Config(), PoseFlow.presets[name]) for name in ("shanghaitech", "ubnormal"))
    assert str(shanghaitech.scoring.smoothing) == "cascade:6"
    assert PoseFlowSettings.build(shanghaitech.method).length == 24
    chosen = PoseFlowSettings.build(ubnormal.method)
    assert (chosen.length, chosen.kernel, chosen.updates) == (16, 9, 0)


CHANGED: dict[str, Any] = {
    "length": 6,
    "stride": 2,
    "missing": 0,
    "at": "last",
    "steps": 4,
    "hops": 1,
    "kernel": 5,
    "mixing": "learned",
    "rectified": False,
    "mean": 0.0,
    "abnormal": "abnormal.npz",
    "flip": False,
    "updates": 3000,
    "confidence": 0.95,
    "joints": 17,
    "whitening": False,
    "ends": False,
    "examples": 5,
}


def test_every_setting_has_its_change() -> None:
    assert CHANGED.keys() == PoseFlowSettings.model_fields.keys()


def outcome(folder: Path, settings: dict[str, Any]) -> Any:
    """Needs, epochs, exemplars and scores of windows some of whose joints are unsure."""
    method, windows = learned(folder, 2, **settings)
    chosen = PoseFlowSettings.model_validate(method.settings.model_dump())
    start = torch.zeros(64, 2, chosen.length, 18)
    plan = Likelihood(chosen, start, start[:0], 640, 0).plan
    pose = np.array(windows.data["pose"])
    pose[:, ::2, 7, 2] = 0.1
    unsure = dataclasses.replace(windows, data={**windows.data, "pose": pose})
    return method.needs, plan, len(method.exemplars), method.score(unsure).score.tolist()


@pytest.fixture(scope="module")
def plainly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], Any]:
    """The outcome of usual settings, and the outcome of learning the same again."""
    folder = tmp_path_factory.mktemp("plain")

    def twice(usual: dict[str, Any]) -> tuple[Any, Any]:
        plain = outcome(folder, usual)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AMISS_CACHE", str(folder / "again"))  # what was learned before is not taken
            return plain, outcome(folder, usual)

    return once(twice)


@pytest.mark.parametrize("name", CHANGED)
def test_a_setting_changes_scores_or_what_is_asked_for(
    tmp_path: Path, plainly: Callable[[dict[str, Any]], Any], name: str
) -> None:
    value = abnormal_archive(tmp_path) if name == "abnormal" else CHANGED[name]
    usual = {"confidence": 0.05} if name == "confidence" else {}
    if name == "confidence":
        value = 0.2
    plain, again = plainly(usual)
    changed = outcome(tmp_path, usual | {name: value})
    assert plain == again
    assert plain != changed


def test_it_is_calibrated_on_the_scale_on_which_it_scores(tmp_path: Path) -> None:
    """What the held-back clip had when the level was set, the finished model gives it."""
    model = learn(NORMAL, ID, quick(tmp_path, NORMAL, epochs=1))
    pipeline = Pipeline(model.config, model.needs)
    (held,) = [curve for curve, _ in model.calibrations["centred"].held]
    found = [score_clip(model, clip, pipeline).frames.calibrated for clip in NORMAL]
    assert any(len(curve) == len(held) and np.allclose(curve, held, atol=1e-9) for curve in found)
