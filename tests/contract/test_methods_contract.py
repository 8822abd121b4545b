"""What every registered method keeps, whatever it learns."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import torch
from safetensors.numpy import load_file, save_file

from amiss.config import Config
from amiss.engine.model import make_method
from amiss.engine.progress import silent
from amiss.engine.training import make_trainer
from amiss.errors import FootageError, ModelError
from amiss.methods import METHODS, Explanation, Method
from amiss.methods.base import STATE
from amiss.nn.convert import write_onnx, write_openvino
from amiss.nn.engines import Engine
from amiss.types import RegionScores, Windows
from amiss.windows.bundle import Bundle
from amiss.windows.needs import Needs
from amiss.windows.store import WindowPart, WindowStore
from support import SMALL, Mover, Rectangles, config_of, fit, marked, parts_of, walkers

NORMAL = [walkers(f"normal{seed}", seed) for seed in range(4)]
USUAL = walkers("usual", 9)
ODD = Rectangles("odd", (Mover(0, 24, 44, 60, dx=9.0, flickers=True),), length=20)
MARKED = [
    Rectangles(f"marked{n}", (*walkers("", n).movers[:2], Mover(40 * n, 8 + 20 * n, 44, 60, dx=8.0, flickers=True)), 24)
    for n in range(3)
]
"""Videos in which something abnormal happens, for methods that are told so."""
SPARSE = [*NORMAL[:1], *(Rectangles(f"empty{n}", (), length=5) for n in range(4))]


@dataclass(frozen=True)
class Learned:
    """A method, fitted once for all tests that only look at it."""

    method: Method
    config: Config
    normal: list[WindowPart]
    """What it learns from; of a method that learns from labels, abnormal videos too."""
    usual: Windows
    odd: Windows

    def anew(self, seed: int = 0) -> Method:
        return fit(make_method(self.method.id, self.config), self.normal, self.config, seed)

    def copy(self) -> Method:
        """One to change."""
        return deepcopy(self.method)

    @property
    def probe(self) -> Windows:
        """Some usual and all odd windows; in a bundle no two clips may have the same frames."""
        odd = self.odd[self.odd.frame > self.usual.frame[19]] if isinstance(self.odd, Bundle) else self.odd
        return Windows.merge([self.usual[:20], odd])


@pytest.fixture(scope="module", params=list(METHODS))
def learned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    folder = tmp_path_factory.mktemp("contract")
    config = config_of(folder, [*NORMAL, *MARKED, USUAL, ODD, *SPARSE[1:]], **SMALL.get(request.param, {}))
    method = make_method(request.param, config)
    normal = told(NORMAL, method, config)
    usual, odd = (part[0 : len(part)] for part in parts_of([USUAL, ODD], method.needs, config))
    fit(method, normal, config)
    return Learned(method, config, normal, usual, odd[odd.data["step"] > 0])


def told(normal: list[Rectangles], method: Method, config: Config) -> list[WindowPart]:
    """What a method learns from: normal clips, and abnormal ones if it takes labels."""
    parts = parts_of(normal, method.needs, config)
    return marked(parts, 0) + marked(parts_of(MARKED, method.needs, config), 1) if method.weak else parts


def pieces_of(windows: Windows, method: Method) -> list[Windows]:
    """What is scored alone: a window, the windows of a bag, or of a bundle those of a frame."""
    if method.needs.members:
        return [windows[windows.frame == frame] for frame in np.unique(windows.frame)]
    if not method.needs.bags:
        return [windows[[row]] for row in range(len(windows))]
    bags = windows.data["bag"]
    return [windows[bags == bag] for bag in dict.fromkeys(bags.tolist())]


def rows_equal(left: RegionScores, right: RegionScores, tolerance: float = 1e-9) -> bool:
    if len(left) != len(right):
        return False
    same = np.allclose(left.score, right.score, rtol=0, atol=tolerance)
    return same and all(np.allclose(left.parts[k], right.parts[k], rtol=0, atol=tolerance) for k in left.parts)


def in_order(regions: RegionScores) -> RegionScores:
    """The rows by frame, place and score, whatever the order of the windows was."""
    return regions[np.lexsort((regions.score, *regions.box.T, regions.frame))]


def worst(regions: RegionScores) -> np.ndarray:
    """The highest score of each frame of a clip, in order."""
    return np.array([regions.score[regions.frame == frame].max() for frame in np.unique(regions.frame)])


def test_it_says_what_it_is_and_needs(learned: Learned) -> None:
    method = learned.method
    assert METHODS[method.id] is type(method)
    assert isinstance(method.needs, Needs)
    assert method.title
    assert method.parts


def test_it_tells_how_far_it_is(learned: Learned) -> None:
    told: list[tuple[str, int, int]] = []

    def tell(*step: Any) -> None:
        told.append(step)

    method, store = make_method(learned.method.id, learned.config), WindowStore(learned.normal)
    method.fit(store, seed=0, progress=tell, trainer=make_trainer(method, store, learned.config, tell))
    assert told[-1][1] == told[-1][2] > 0
    assert all(0 <= done <= total for _, done, total in told)


def owners_of(regions: RegionScores, method: Method) -> np.ndarray:
    """The window of each row: one a row, and of whole-frame clips several that follow each other."""
    return np.arange(len(regions)) if method.needs.boxes else np.cumsum(np.diff(regions.frame, prepend=-1) != 0) - 1


def test_scores_are_finite_and_have_the_parts_that_the_method_says(learned: Learned) -> None:
    regions = learned.method.score(learned.probe)
    assert tuple(regions.parts) == tuple(learned.method.parts)
    assert all(np.isfinite(values).all() for values in regions.parts.values())
    assert (regions.box[:, 2:] > regions.box[:, :2]).all()


def test_each_window_in_order_has_a_row_or_a_clip_of_frames_has_several(learned: Learned) -> None:
    regions, probe = learned.method.score(learned.probe), learned.probe
    if learned.method.needs.bags:
        for bag in pieces_of(probe, learned.method):
            assert_bag_is_scored(learned.method.score(bag), bag)
        return
    if learned.method.needs.members:
        assert_bundle_is_scored(regions, probe)
        return
    owners = owners_of(regions, learned.method)
    assert np.array_equal(np.unique(owners), np.arange(len(probe)))
    for name in ("frame", "seconds", "track"):
        assert np.array_equal(getattr(regions, name), getattr(probe, name)[owners])
    if learned.method.needs.boxes:
        assert np.array_equal(regions.box, probe.box)
    assert (regions.box[:, :2] >= probe.box[owners, :2]).all()
    assert (regions.box[:, 2:] <= probe.box[owners, 2:]).all()


def assert_bag_is_scored(regions: RegionScores, bag: Windows) -> None:
    """Every frame has a row, in order; rows are boxes of the windows at their time."""
    assert (np.diff(regions.frame) >= 0).all()
    number = bag.data["number"]
    assert set(regions.frame.tolist()) == set(number[number >= 0].tolist())
    for row in range(len(regions)):
        owner = np.argwhere((number == regions.frame[row]) & (bag.track == regions.track[row])[:, None])
        assert len(owner) == 1
        assert np.array_equal(bag.data["boxes"][tuple(owner[0])], regions.box[row])
        assert bag.data["clock"][tuple(owner[0])] == regions.seconds[row]


def assert_bundle_is_scored(regions: RegionScores, bundle: Windows) -> None:
    """In order of frames there is a row for each track that any method has a window of, with its box and time."""
    told = {(w.frame, w.track): (w.seconds, w.box.tolist()) for w in bundle}
    found = [(int(frame), int(track)) for frame, track in zip(regions.frame, regions.track, strict=True)]
    assert (np.diff(regions.frame) >= 0).all()
    assert sorted(found) == sorted(told)
    assert [told[key] for key in found] == list(zip(regions.seconds, regions.box.tolist(), strict=True))


def test_the_fast_large_and_flickering_is_odder_than_anything_usual(learned: Learned) -> None:
    usual, odd = learned.method.score(learned.usual), learned.method.score(learned.odd)
    assert worst(odd).min() > usual.score.max()


def test_a_score_does_not_depend_on_the_other_windows(learned: Learned) -> None:
    probe = learned.probe
    whole = learned.method.score(probe)
    single = RegionScores.merge([learned.method.score(piece) for piece in pieces_of(probe, learned.method)])
    backwards = learned.method.score(probe[::-1])
    assert rows_equal(whole, single)
    assert rows_equal(in_order(whole), in_order(backwards))


def test_no_windows_give_no_rows_of_the_same_parts(learned: Learned) -> None:
    regions = learned.method.score(learned.probe[:0])
    assert len(regions) == 0
    assert tuple(regions.parts) == tuple(learned.method.parts)


def test_maps_are_of_parts_and_the_same_alone_and_of_no_windows(learned: Learned) -> None:
    maps = learned.method.score(learned.probe).maps
    none, single = learned.method.score(learned.probe[:0]).maps, learned.method.score(learned.probe[:1]).maps
    assert set(maps) <= set(learned.method.parts)
    assert list(none) == list(single) == list(maps)
    for name, values in maps.items():
        assert none[name].shape[1:] == values.shape[1:]
        assert (values >= 0).all()
        assert values.any()
        np.testing.assert_allclose(single[name][0], values[0], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("format_", ["openvino", "onnx"])
def test_its_networks_give_the_same_in_files_for_other_programs(learned: Learned, tmp_path: Path, format_: str) -> None:
    write = {"openvino": write_openvino, "onnx": write_onnx}[format_]
    for name, network in learned.method.networks().items():
        files = write(network, tmp_path, name)
        assert all(file.is_file() for file in files)
        compiled = openvino.Core().compile_model(files[0], "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        for ports, names in ((compiled.inputs, network.inputs), (compiled.outputs, network.outputs)):
            assert all(name in port.get_names() for port, name in zip(ports, names, strict=True))
        for count in (1, 3, 6):
            with torch.no_grad():
                expected = network.module(*network.example(count))
            found = compiled([tensor.numpy() for tensor in network.example(count)])
            for number, tensor in enumerate(expected):
                assert tensor.isfinite().all()
                scale = float(tensor.abs().max())
                np.testing.assert_allclose(found[number], tensor.numpy(), rtol=0, atol=1e-4 * scale, err_msg=name)


def test_another_engine_gives_the_same_scores(learned: Learned) -> None:
    scored = {}
    for name in ("torch", "openvino"):
        method = learned.copy()
        method.run_on(Engine(name))
        scored[name] = method.score(learned.probe)
    scale = float(np.abs(scored["torch"].score).max())
    assert rows_equal(scored["torch"], scored["openvino"], 1e-4 * scale)
    method = learned.copy()
    method.restore(method.state())
    assert rows_equal(method.score(learned.probe), learned.method.score(learned.probe))


def test_pictures_are_small_images_of_each_window(learned: Learned) -> None:
    for name, images in learned.method.pictures(learned.odd[:2]).items():
        assert name.strip()
        assert images.dtype == np.uint8
        assert images.ndim == 4
        assert images.shape[::3] == (2, 3)
        assert max(images.shape) <= 256


def test_scoring_changes_nothing(learned: Learned) -> None:
    before = {name: array.copy() for name, array in learned.method.state().items()}
    learned.method.score(learned.probe)
    after = learned.method.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_seed_reproduces_the_scores(learned: Learned) -> None:
    assert rows_equal(learned.anew().score(learned.probe), learned.method.score(learned.probe), 0)


def test_what_is_saved_is_loaded(learned: Learned, tmp_path: Path) -> None:
    learned.method.save(tmp_path)
    again = make_method(learned.method.id, learned.config)
    again.load(tmp_path)
    assert rows_equal(again.score(learned.probe), learned.method.score(learned.probe), 0)
    worst = learned.method.score(learned.odd[:1])
    assert again.explain(worst, learned.odd[:1]) == learned.method.explain(worst, learned.odd[:1])


def test_what_was_taken_in_is_less_odd_and_is_saved_too(learned: Learned, tmp_path: Path) -> None:
    method = learned.copy()
    before = method.score(learned.odd)
    for _ in range(6):
        method.update(learned.odd)
    after = method.score(learned.odd)
    assert (worst(after) < worst(before)).all()
    method.save(tmp_path)
    again = make_method(method.id, learned.config)
    again.load(tmp_path)
    assert rows_equal(again.score(learned.probe), method.score(learned.probe), 0)


def test_taking_in_nothing_changes_nothing(learned: Learned) -> None:
    method = learned.copy()
    method.update(learned.usual[:0])
    assert rows_equal(method.score(learned.probe), learned.method.score(learned.probe), 0)


@pytest.mark.parametrize("row", [0, 7, -1])
def test_explanations_are_sentences_with_examples_that_there_are(learned: Learned, row: int) -> None:
    here = learned.probe[learned.probe.frame == learned.probe.frame[row]]
    regions = learned.method.score(here)
    for index in range(len(regions)):
        why = learned.method.explain(regions[[index]], here)
        assert isinstance(why, Explanation)
        assert why.reasons
        assert all(text.strip() and "nan" not in text.lower() and "\n" not in text for text in why.reasons)
        assert all(0 <= example < len(learned.method.exemplars) for example in why.examples)
        assert len(set(why.examples)) == len(why.examples)


def test_exemplars_are_windows_of_the_clips(learned: Learned) -> None:
    clips = {part.name: part for part in learned.normal}
    assert learned.method.exemplars
    for exemplar in learned.method.exemplars:
        windows = clips[exemplar.clip].at(exemplar.frame)
        within = (exemplar.box[:2] >= windows.box[:, :2]) & (exemplar.box[2:] <= windows.box[:, 2:])
        assert within.all(1).any()
        assert exemplar.box.tolist() in windows.box.tolist() or not learned.method.needs.boxes


def test_few_windows_of_another_place_adapt_it_to_that(learned: Learned) -> None:
    method = learned.copy()
    before = worst(method.score(learned.odd))
    part = parts_of([ODD], method.needs, learned.config)[0]
    store = WindowStore([part])
    method.adapt(store, seed=0, progress=silent, trainer=make_trainer(method, store, learned.config, silent))
    assert (worst(method.score(learned.odd)) < before).all()


def test_too_little_to_learn_from_is_told(learned: Learned) -> None:
    part = learned.normal[0]
    little = (
        [part.between(-np.inf, float(part.column("seconds")[3]))]
        if learned.method.needs.members
        else [replace(part, first=0, last=3)]
    )
    with pytest.raises(FootageError, match="more footage"):
        fit(make_method(learned.method.id, learned.config), little, learned.config)


def test_clips_without_objects_do_no_harm(learned: Learned) -> None:
    method = make_method(learned.method.id, learned.config)
    fit(method, told(SPARSE, method, learned.config), learned.config)
    assert worst(method.score(learned.odd)).min() > np.median(method.score(learned.usual).score)


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "foreign", "incomplete"])
def test_a_damaged_state_is_named(learned: Learned, tmp_path: Path, damage: str) -> None:
    learned.method.save(tmp_path)
    file = tmp_path / STATE
    content = file.read_bytes()
    file.unlink()
    if damage in ("empty", "cut"):
        file.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    elif damage == "foreign":
        save_file({"weights": np.zeros(3)}, file)
    elif damage == "incomplete":
        file.write_bytes(content)
        save_file(dict(sorted(load_file(file).items())[:-1]), file)
    with pytest.raises(ModelError, match=STATE):
        make_method(learned.method.id, learned.config).load(tmp_path)


def test_its_settings_say_what_they_are(learned: Learned) -> None:
    kind = type(learned.method).settings_type
    assert kind.build({}) == kind()
    assert all(info.description for info in kind.model_fields.values())
