"""The method `mgenet`: what leads and what follows, its three parts, explanations, and footage that is odd."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import torch

from amiss.config import Config
from amiss.engine import Model, Stream, learn, score_clip
from amiss.engine.bench import with_preset
from amiss.errors import ConfigError, FootageError
from amiss.methods.mgenet import Mgenet, MgenetSettings
from amiss.methods.mgenet.network import Explorer, cubes_of
from amiss.methods.mgenet.portable import portable_tokenizer
from amiss.methods.mgenet.task import Exploration
from amiss.nn.convert import write_onnx, write_openvino
from amiss.perception.efficientnet import EfficientNetTokens
from amiss.perception.video.swin import VideoSwin
from amiss.pipeline import Pipeline
from amiss.types import RegionScores, Windows
from amiss.windows.store import WindowStore
from support import Mover, Rectangles, learn_quickly, once, parts_of, quick_config, walkers

ID = "mgenet"
NORMAL = [walkers(f"normal{seed}", seed, length=30) for seed in range(4)]
BOTH = Rectangles("both", (*NORMAL[0].movers[:2], Mover(40, 50, 20, 40, dx=1.5, flickers=True)), length=24)


def quick(folder: Path, clips: list[Rectangles], epochs: int = 2, **method: Any) -> Config:
    return quick_config(ID, folder, clips, epochs, method)


def learned(folder: Path, epochs: int = 2, **settings: Any) -> tuple[Mgenet, Windows]:
    """The method after a little learning, and windows that it has not seen."""
    method, windows = learn_quickly(ID, folder, NORMAL, BOTH, epochs, settings)
    assert isinstance(method, Mgenet)
    return method, windows


def task_of(folder: Path, **settings: Any) -> tuple[Exploration, Any]:
    """A task that has learned nothing, and a batch."""
    method, windows = learned(folder, 1, **settings)
    task = Exploration(method._settings, method._guide, windows, 0)
    return task, task.batch(windows)


def changed(windows: Windows, **data: Any) -> Windows:
    return dataclasses.replace(windows, data={**windows.data, **data})


def test_tokens_are_cubes_of_two_frames_and_eight_by_eight_pixels() -> None:
    crops = torch.arange(2 * 4 * 24 * 24 * 3).reshape(2, 4, 24, 24, 3)
    cubes = cubes_of(crops)
    assert cubes.shape == (2, 2 * 3 * 3, 384)
    wanted = crops[1, 2:4, 8:16, 16:24].float().flatten() / 127.5 - 1
    torch.testing.assert_close(cubes[1, 1 * 9 + 1 * 3 + 2], wanted)


def test_what_leads_learns_nothing_from_what_follows(tmp_path: Path) -> None:
    task, batch = task_of(tmp_path)
    losses = task.losses(batch)
    losses["appearance"].backward(retain_graph=True)
    learns = {name.split(".")[0] for name, p in task.network.named_parameters() if p.grad is not None and p.grad.any()}
    assert learns == {"embed_masked", "masked", "masked_head"}
    losses["motion"].backward()
    learns = {name.split(".")[0] for name, p in task.network.named_parameters() if p.grad is not None and p.grad.any()}
    assert learns == {"embed_masked", "masked", "masked_head", "embed", "encoder", "head"}
    assert not any(tensor.requires_grad for tensor in task.network.target_head.parameters())


def test_losses_are_those_of_the_settings(tmp_path: Path) -> None:
    whole, batch = task_of(tmp_path)
    torch.manual_seed(5)
    terms = whole.losses(batch)
    assert set(terms) == {"motion", "appearance", "behaviours", "scenes"}
    heavy, batch = task_of(tmp_path, appearance_weight=0.7, separateness_weight=0.5)
    torch.manual_seed(5)
    other = heavy.losses(batch)
    assert float(other["motion"].detach()) == pytest.approx(float(terms["motion"].detach()), rel=1e-5)
    assert float(other["appearance"].detach()) == pytest.approx(7 * float(terms["appearance"].detach()), rel=1e-3)
    assert float(other["scenes"].detach()) == pytest.approx(500 * float(terms["scenes"].detach()), rel=1e-3)
    assert set(task_of(tmp_path, motion=False)[0].losses(batch)) == {"appearance", "behaviours", "scenes"}
    assert set(task_of(tmp_path, masking=False)[0].losses(batch)) == {"motion", "behaviours", "scenes"}
    bare = {name: value for name, value in batch.items() if name != "scene"}
    assert set(task_of(tmp_path, matching=False)[0].losses(bare)) == {"motion", "appearance", "behaviours"}


def test_memories_are_written_while_training_and_the_matching_only_afterwards(tmp_path: Path) -> None:
    task, batch = task_of(tmp_path)
    before = {name: buffer.clone() for name, buffer in task.network.named_buffers() if name.endswith("items")}
    task.module.eval()
    task.losses(batch)
    assert all(torch.equal(buffer, before[name]) for name, buffer in task.network.named_buffers() if name in before)
    task.module.train()
    task.losses(batch)
    moved = {name for name, buffer in task.network.named_buffers() if name in before and (buffer != before[name]).any()}
    assert moved == {"behaviours.items", "scenes.items"}


def test_parts_are_standard_deviations_and_the_score_their_weighted_sum(tmp_path: Path) -> None:
    shares: dict[str, Any] = {"appearance_share": 0.5, "looks_share": 0.7, "scene_share": 2.0, "match": "weights"}
    shares["combine"] = "sum"
    method, windows = learned(tmp_path, **shares)
    scores = method.score(windows)
    assert list(scores.parts) == ["motion", "appearance", "looks", "scene"]
    motion, appearance, looks, scene = scores.parts.values()
    np.testing.assert_allclose(scores.score, motion + 0.5 * appearance + 0.7 * looks + 2 * scene)
    config = quick(tmp_path, [*NORMAL, BOTH], **shares)
    normal = WindowStore(parts_of(NORMAL, method.needs, config))
    windows = normal.take(np.arange(len(normal)))
    looked = method._look(windows)
    found = method.score(windows[looked.told & looked.clear])
    for name in ("motion", "appearance", "scene"):  # looks are standardised by those compared with other clips only
        values = found.parts[name]
        assert (abs(values.mean()), values.std()) == (pytest.approx(0, abs=1e-3), pytest.approx(1, abs=1e-3)), name


def test_the_part_that_is_rarest_among_normal_segments_is_the_score(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, appearance_share=0.5, looks_share=0.0)
    scores = method.score(windows)
    parts = scores.parts
    np.testing.assert_allclose(scores.score, np.maximum(parts["motion"], parts["appearance"] + np.log10(0.5)))
    assert all((part >= 0).all() for part in parts.values())
    usual = method._known[1]
    raw = method._sure(method._look(windows))
    for column, name in enumerate(("motion", "appearance")):
        above = (usual.sample[None, :, column] >= raw[:, column, None]).mean(1)
        few = above > 0.1  # there the share itself is told, without a tail
        np.testing.assert_allclose(parts[name][few], -np.log10(above[few]), atol=0.06)


def test_more_normal_segments_make_what_they_show_less_rare(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    before = method.score(windows)
    for _ in range(20):
        method.update(windows)
    after = method.score(windows)
    odd = before.parts["looks"] > 1
    assert odd.any()
    assert (after.parts["looks"][odd] < before.parts["looks"][odd]).all()


def test_in_one_scene_all_movements_belong_and_the_part_says_nothing(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    assert not method.score(windows).parts["scene"].any()


def test_what_the_edge_of_the_picture_cuts_says_nothing_of_looks(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    usual = method.score(windows).parts
    width = windows.data["size"][:, :1]
    side = windows.data["place"][:, 2:3] - windows.data["place"][:, :1]
    for beyond, same in ((0.15, True), (0.25, False)):  # the share of the square that is beyond the right edge
        place = np.array(windows.data["place"])
        place[:, :1], place[:, 2:3] = width - (1 - beyond) * side, width + beyond * side
        place[:, 1], place[:, 3] = 0, side[:, 0]
        cut = changed(windows, place=place)
        for part in ("appearance", "looks"):
            found = method.score(cut).parts[part]
            assert np.array_equal(found, usual[part]) == same
            if not same:
                assert len(np.unique(found)) == 1
                assert method._sentences(part, 0.5, cut[[0]], method._look(cut[[0]])) == [
                    "the edge of the picture cuts it, so that its looks cannot be compared"
                ]


@pytest.mark.parametrize("measure", ["difference", "cosine", "guide", "explorer", "sum"])
def test_measures_of_the_motion_are_those_of_table_3(tmp_path: Path, measure: str) -> None:
    method, windows = learned(tmp_path, 1, measure=measure, combine="raw")
    one = method._guide.latent(windows).double().flatten(1).numpy()
    with torch.no_grad():
        network = method._network
        assert network is not None
        crops = torch.from_numpy(np.array(windows.data["image"]))
        other = network(network.inputs(crops)).motion.double().flatten(1).numpy()
    expected = {
        "difference": np.linalg.norm(one - other, axis=1),
        "cosine": 1 - (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1),
        "guide": np.linalg.norm(one, axis=1),
        "explorer": np.linalg.norm(other, axis=1),
        "sum": np.linalg.norm(one + other, axis=1),
    }[measure]
    told = method._told(windows)
    np.testing.assert_allclose(method.score(windows).parts["motion"][told], expected[told], rtol=1e-4)


def test_something_strange_to_look_at_is_found_where_it_is(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, 36)
    usual = windows[windows.box[:, 2] - windows.box[:, 0] < 15]
    image = np.array(usual.data["image"])
    image[:, :, :16, :16] = np.random.default_rng(0).integers(0, 255, (*image.shape[:2], 16, 16, 3))
    odd = changed(usual, image=image)
    before, after = method.score(usual), method.score(odd)
    assert (after.parts["appearance"] > before.parts["appearance"]).mean() > 0.8
    shown = method.pictures(odd)
    assert set(shown) == {"person", "strange"}
    at = len(image[0]) - 1 - method.needs.lag
    np.testing.assert_array_equal(shown["person"], image[:, at])
    heat = shown["strange"].astype(float).mean((0, 3)) - method.pictures(usual)["strange"].astype(float).mean((0, 3))
    assert heat[:16, :16].mean() > heat[16:, 16:].mean()


def test_too_little_of_a_body_says_nothing_of_its_movement(tmp_path: Path) -> None:
    method, windows = learned(tmp_path)
    pose = np.array(windows.data["pose"])
    pose[..., 4:, 2] = 0
    scores = method.score(changed(windows, pose=pose))
    assert len(np.unique(scores.parts["motion"])) == 1
    assert scores.parts["motion"][0] == 0
    why = method.explain(scores[[0]], changed(windows, pose=pose)[[0]])
    assert len(np.unique(scores.parts["appearance"])) > 1
    assert why.reasons


def test_a_place_that_was_never_seen_is_said_and_mismatches_nothing(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, scene_share=100.0)
    scene = -np.array(windows.data["scene"])
    elsewhere = changed(windows, scene=scene)
    scores = method.score(elsewhere)
    assert len(np.unique(scores.parts["scene"])) == 1
    reasons = method._sentences("scene", 0.5, elsewhere[[0]], method._look(elsewhere[[0]]))
    assert reasons == [
        "the place looks like none that was learned from, so that nothing is known of what belongs there"
    ]


def test_reasons_name_the_level_the_joints_and_where(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, 5)
    flickers = windows[windows.box[:, 2] - windows.box[:, 0] > 15][[4]]
    region = method.score(flickers)
    told = " ".join(method.explain(region, flickers).reasons)
    assert "how it looks and how its joints move" in told
    assert "it looks stranger than" not in told  # has no weight
    assert "what departs most from usual is the" in told
    looked = method._look(flickers)
    assert method._sentences("appearance", 0.995, flickers, looked)[0].startswith("it looks stranger than 99.5 % of")
    assert "learned behaviours most like it" in method._sentences("scene", 1.0, flickers, looked)[0]


def test_whole_clips_and_frame_by_frame_give_the_same_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = quick(tmp_path, [*NORMAL, BOTH], every=3)
    model = learn(NORMAL, ID, config)
    causal = config.model_copy(update={"scoring": config.scoring.model_copy(update={"causal": True})})
    model = dataclasses.replace(model, config=causal)
    scores = score_clip(model, BOTH)
    reset = Pipeline.reset  # live there is no file with boxes and poses: the stream is given those of the clip
    monkeypatch.setattr(Pipeline, "reset", lambda pipeline, _=None: reset(pipeline, BOTH.path))
    stream = Stream(model)
    updates = [stream.update(frame) for frame in BOTH]
    found = RegionScores.merge([update.regions for update in updates])
    assert len(found) > 20
    np.testing.assert_array_equal(found.frame, scores.regions.frame)
    np.testing.assert_allclose(found.score, scores.regions.score, rtol=0, atol=1e-6)
    np.testing.assert_allclose([update.smoothed for update in updates], scores.frames.smoothed, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "clip",
    [
        Rectangles("empty", (), length=20),
        Rectangles("short", NORMAL[0].movers, length=5),
        Rectangles("jump", NORMAL[1].movers, length=24, jump=(10, 60.0)),
        Rectangles("leaves", (Mover(150, 20, dx=4.0),), length=24),
    ],
    ids=lambda clip: clip.name,
)
def test_odd_footage_gives_finite_scores(tmp_path: Path, clip: Rectangles) -> None:
    config = quick(tmp_path, [*NORMAL, clip])
    scores = score_clip(learn(NORMAL, ID, config), clip)
    assert np.isfinite(scores.frames.raw).all()
    assert len(scores.frames) == clip.length


def test_footage_of_few_segments_is_too_little_to_learn_from(tmp_path: Path) -> None:
    short = Rectangles("short", NORMAL[0].movers, length=12)
    with pytest.raises(FootageError, match="more footage"):
        learn([short], ID, quick(tmp_path, [short]))


def test_one_of_both_levels_is_needed() -> None:
    with pytest.raises(ConfigError, match=r"method\.motion"):
        Mgenet(MgenetSettings(motion=False, masking=False))


def test_a_part_that_counts_is_needed() -> None:
    bare: dict[str, Any] = {"motion": False, "looks": False, "matching": False}
    with pytest.raises(ConfigError, match=r"no part counts: give method.appearance_share a weight"):
        Mgenet(MgenetSettings(**bare))
    Mgenet(MgenetSettings(**bare, appearance_share=0.1))


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"method\.kernel"):
        Mgenet(MgenetSettings(kernel=12, dilation=3))


def test_a_checkpoint_without_the_tokenizer_that_reads_it_is_refused(tmp_path: Path) -> None:
    for tokenizer in ("linear", "efficientnet"):
        with pytest.raises(ConfigError, match=r"method\.tokenizer=swin"):
            Mgenet(MgenetSettings.build({"tokenizer": tokenizer, "checkpoint": tmp_path / "swin.pt"}))


def swin_of(path: Path, seed: int) -> VideoSwin:
    """A tokenizer that has learned nothing, whose weights are written to a file."""
    torch.manual_seed(seed)
    swin = VideoSwin()
    torch.save(swin.state_dict(), path)
    return swin


def test_a_tokenizer_needs_its_weights_and_takes_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"method\.checkpoint"):
        learned(tmp_path, tokenizer="swin")
    swin = swin_of(tmp_path / "swin.pt", 3)
    method, windows = learned(tmp_path, 1, tokenizer="swin", checkpoint=tmp_path / "swin.pt", size=24)
    network = method._network
    assert network is not None
    assert network.tokenizer is not None
    torch.testing.assert_close(dict(network.tokenizer.state_dict()), dict(swin.state_dict()))
    assert network.inputs(torch.from_numpy(np.array(windows.data["image"][:2]))).shape == (2, 4 * 3 * 3, 192)
    assert np.isfinite(method.score(windows).score).all()


def test_tokens_beside_pixels_are_what_the_first_blocks_of_a_network_see(tmp_path: Path) -> None:
    method, windows = learned(tmp_path, 1, tokenizer="efficientnet", size=24)
    network = method._network
    assert network is not None
    crops = torch.from_numpy(np.array(windows.data["image"][:2]))  # N, 8, 24, 24, 3
    inputs = network.inputs(crops)
    assert inputs.shape == (2, 4 * 3 * 3, 3 * 2 * 8 * 8 + 2 * 152)
    torch.testing.assert_close(inputs[..., :384], cubes_of(crops))
    tokens = EfficientNetTokens()((crops[1, 5:6].permute(0, 3, 1, 2).float() - 127) / 128)  # 1, 3, 3, 152
    third = inputs[1].reshape(4, 3, 3, -1)[2]  # the sixth frame is the second of the third cube
    torch.testing.assert_close(third[..., 384 + 152 :], tokens[0], rtol=1e-4, atol=1e-4)
    again = Mgenet(method._settings)
    again.restore(method.state())
    np.testing.assert_allclose(again.score(windows).score, method.score(windows).score, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"looks": False}, True), ({"matching": False}, True), ({"looks": False, "matching": False}, False)],
)
def test_a_model_names_the_licences_of_networks_that_show_it_scenes_or_looks_or_make_its_tokens(
    settings: dict[str, Any], named: bool
) -> None:
    def licences(**more: Any) -> str:
        method = Mgenet(MgenetSettings.build(settings | more))
        return " ".join(Model(method, Config(), {}, {}, {}).licences())

    assert ("EfficientNet-Lite0" in licences()) == named
    assert licences(tokenizer="efficientnet").count("EfficientNet-Lite0") == 1


@pytest.mark.parametrize("write", [write_openvino, write_onnx])
def test_tokens_are_the_same_in_files_for_other_programs(tmp_path: Path, write: Callable[..., Any]) -> None:
    chosen = MgenetSettings.build({"tokenizer": "efficientnet", "size": 24, "width": 12})
    made = portable_tokenizer(Explorer(chosen, 8, 36, 4).eval(), 8, 24)
    compiled = openvino.Core().compile_model(
        write(made, tmp_path, "tokenizer")[0], "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    for count in (1, 3):
        (crops,) = made.example(count)
        with torch.no_grad():
            (expected,) = made.module(crops)
        np.testing.assert_allclose(compiled([crops.numpy()])[0], expected.numpy(), atol=1e-3)


def test_presets_are_what_is_published() -> None:
    chosen = MgenetSettings.build(with_preset(Config(), Mgenet.presets["ubnormal"]).method)
    assert (chosen.guide.length, chosen.size, chosen.optimiser, chosen.every) == (16, 96, "sgd", 1)


CHANGED: dict[str, Any] = {
    "guide": {"length": 8, "kernel": 3, "stride": 1, "steps": 4},
    "every": 2,
    "everything": True,
    "size": 40,
    "tokenizer": "swin",
    "checkpoint": "other.pt",
    "width": 36,
    "depth": 2,
    "heads": 2,
    "lsta": 0,
    "kernel": 10,
    "dilation": 6,
    "appearance": 16,
    "mask": 0.25,
    "behaviours": 8,
    "scenes": 3,
    "match": "weights",
    "pairs": 6,
    "top": 2,
    "temperature": 0.5,
    "motion": False,
    "masking": False,
    "looks": False,
    "matching": False,
    "measure": "cosine",
    "optimiser": "sgd",
    "appearance_weight": 1.0,
    "separateness_weight": 0.5,
    "margin": 0.1,
    "appearance_share": 0.7,
    "looks_share": 0.7,
    "scene_share": 0.7,
    "combine": "sum",
    "examples": 5,
}


def test_every_setting_has_its_change() -> None:
    assert CHANGED.keys() == MgenetSettings.model_fields.keys()


def outcome(folder: Path, settings: dict[str, Any]) -> Any:
    method, windows = learned(folder, 1, **settings)
    scores = method.score(windows)
    # without weight the appearance is seen in its part and its map only
    parts = {name: part.tolist() for name, part in scores.parts.items()}
    return method.needs, len(method.exemplars), scores.score.tolist(), parts


@pytest.fixture(scope="module")
def plainly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], Any]:
    """The outcome of usual settings, found once for each."""
    folder = tmp_path_factory.mktemp("plain")
    return once(lambda usual: outcome(folder, usual))


@pytest.mark.parametrize("name", CHANGED)
def test_a_setting_changes_scores_or_what_is_asked_for(
    tmp_path: Path, plainly: Callable[[dict[str, Any]], Any], name: str
) -> None:
    usual: dict[str, Any] = {"separateness_weight": 0.5} if name == "margin" else {}
    if name in ("scenes", "pairs", "top", "scene_share"):
        usual = {"match": "weights"}  # all clips are of one scene, in which every movement belongs
    new = {name: CHANGED[name]}
    if name in ("tokenizer", "checkpoint"):
        usual = {"size": 16}  # a Video Swin-T is large, and so are its windows
        swin_of(tmp_path / "swin.pt", 0)
        swin_of(tmp_path / "other.pt", 1)
        if name == "checkpoint":
            usual |= {"tokenizer": "swin", "checkpoint": tmp_path / "swin.pt"}
        new = {"tokenizer": "swin", "checkpoint": tmp_path / "other.pt"}
    assert plainly(usual) != outcome(tmp_path, usual | new)
