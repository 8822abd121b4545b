"""What `fusion` makes of its members, beside the contract of all methods."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amiss.config import Config
from amiss.engine import Model, Stream, event_pictures, learn, make_method, score_clip
from amiss.errors import ConfigError, FootageError
from amiss.live.school import School
from amiss.live.settings import CameraSettings
from amiss.methods.fusion import Fusion, FusionSettings
from amiss.types import NO_TRACK, RegionScores, Windows
from amiss.windows.bundle import Bundle
from amiss.windows.store import WindowPart
from support import SMALL, Mover, Rectangles, config_of, fit, parts_of, walkers

NORMAL = [walkers(f"normal{seed}", seed) for seed in range(4)]
ODD = Rectangles("odd", (*walkers("", 7).movers[:2], Mover(0, 44, 44, 50, dx=9.0, flickers=True)), 30)
FRESH = walkers("fresh", 11)
EPOCHS = {"epochs": 2, "batch": 32, "rate": 2e-3}
SETTINGS = {
    "attributes": {"parts": ["velocity", "size"], "examples": 8},
    "pose-flow": {**SMALL["pose-flow"]["method"], "steps": 2, "updates": 10, "examples": 7},
    "multi-grained": {**SMALL["multi-grained"]["method"], "examples": 6},
    "appearance-motion": {**SMALL["appearance-motion"]["method"], "examples": 5},
}


def config_with(folder: Path, members: Sequence[str], **method: Any) -> Config:
    """A configuration of few settings, whose boxes and poses are true."""
    known = {name: SETTINGS[name] for name in members if name in SETTINGS}
    chosen = {"members": list(members), "settings": known, **method}
    return config_of(folder, [*NORMAL, ODD, FRESH], method=chosen, train=EPOCHS)


@dataclass(frozen=True)
class Learned:
    """A fusion of methods on boxes, on segments that are scored at their middle, and on whole frames."""

    method: Fusion
    config: Config
    odd: WindowPart

    @property
    def windows(self) -> Bundle:
        whole = self.odd[:]
        assert isinstance(whole, Bundle)
        return whole


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    config = config_with(tmp_path_factory.mktemp("fusion"), ["attributes", "pose-flow", "multi-grained"])
    method = make_method("fusion", config)
    assert isinstance(method, Fusion)
    fit(method, parts_of(NORMAL, method.needs, config), config)
    return Learned(method, config, parts_of([ODD], method.needs, config)[0])


def test_members_of_three_kinds_score_together(learned: Learned) -> None:
    regions = learned.method.score(learned.windows)
    theirs = {name: method.score(learned.windows.of(name)) for name, method in learned.method.members.items()}
    tracked = {
        (int(f), int(t)) for r in theirs.values() for f, t in zip(r.frame, r.track, strict=True) if t != NO_TRACK
    }
    found = [(int(f), int(t)) for f, t in zip(regions.frame, regions.track, strict=True)]
    assert sorted(key for key in found if key[1] != NO_TRACK) == sorted(tracked)
    row = found.index((12, 1))
    for name, table in theirs.items():
        own = np.flatnonzero((table.frame == 12) & (table.track == regions.track[row]))
        for part, values in table.parts.items() if len(own) else ():
            assert regions.parts[f"{name}.{part}"][row] == values[own[0]]
    loose = regions[regions.track == NO_TRACK]
    assert (loose.parts["attributes"] == 0).all()


def test_what_only_one_member_can_score_has_its_probability(learned: Learned) -> None:
    regions = learned.method.score(learned.windows)
    names = list(learned.method.members)
    there = {name: learned.windows.of(name) for name in names}
    frames = {name: set(there[name].frame.tolist()) for name in names}
    alone = regions[[int(frame) not in frames["pose-flow"] | frames["multi-grained"] for frame in regions.frame]]
    assert len(alone)
    np.testing.assert_allclose(alone.score, alone.parts["attributes"], atol=1e-9)
    loose = regions[regions.track == NO_TRACK]
    np.testing.assert_allclose(loose.score, loose.parts["multi-grained"], atol=1e-9)


def test_a_frame_scores_the_same_alone_and_in_batches_of_any_size(learned: Learned) -> None:
    whole = learned.method.score(learned.windows)
    for size in (1, 17):
        pieces = RegionScores.merge([learned.method.score(windows) for windows in learned.odd.batches(size)])
        np.testing.assert_array_equal(pieces.track, whole.track)
        np.testing.assert_allclose(pieces.score, whole.score, rtol=1e-6)


def test_maps_lie_in_the_boxes_that_they_were_made_for(learned: Learned) -> None:
    regions = learned.method.score(learned.windows)
    assert set(regions.maps) == {f"multi-grained.{part}" for part in learned.method.members["multi-grained"].parts}
    mapped = np.any([values.any((1, 2)) for values in regions.maps.values()], axis=0)
    assert not mapped[regions.track != NO_TRACK].any()


def test_reasons_name_the_member_and_examples_are_its_own(learned: Learned) -> None:
    regions = learned.method.score(learned.windows)
    worst = regions[[int(np.where(regions.track != NO_TRACK, regions.parts["attributes"], -1).argmax())]]
    assert worst.parts["attributes"][0] > 2
    why = learned.method.explain(worst, learned.odd.of(int(worst.track[0]), int(worst.frame[0])))
    assert all(re.match(r"(attributes|pose-flow|multi-grained): \S", reason) for reason in why.reasons)
    fired = {name for name in learned.method.members if worst.parts[name][0] >= 2}
    assert {reason.partition(":")[0] for reason in why.reasons} == fired
    counts = [len(method.exemplars) for method in learned.method.members.values()]
    assert counts == [8, 7, 6]
    assert len(learned.method.exemplars) == sum(counts)
    own = learned.method.members["attributes"].explain(
        learned.method.members["attributes"].score(self_of(worst, learned)), self_of(worst, learned)
    )
    assert set(own.examples) <= set(why.examples), "the first member's examples come first"
    loose = regions[regions.track == NO_TRACK]
    alone = learned.method.explain(loose[:1], learned.odd.of(NO_TRACK, int(loose.frame[0])))
    assert all(reason.startswith("multi-grained: ") for reason in alone.reasons)
    assert all(15 <= example < 21 for example in alone.examples)


def self_of(region: RegionScores, learned: Learned) -> Windows:
    """The window of `attributes` that a region is of."""
    return learned.odd.of(int(region.track[0]), int(region.frame[0])).of("attributes")  # type: ignore[attr-defined,no-any-return]


def test_pictures_bear_the_name_of_the_member(learned: Learned) -> None:
    shown = learned.method.pictures(learned.odd.at(10))
    assert shown
    assert all(name.startswith("multi-grained: ") for name in shown)


def test_normal_footage_that_nobody_learned_from_gives_uniform_probabilities(learned: Learned) -> None:
    parts = parts_of([FRESH], learned.method.needs, learned.config)
    score = learned.method.score(parts[0][:]).score
    assert (score > 2).mean() < 0.1


def test_members_run_on_the_engine_that_is_asked_for_and_on_no_other_fusions(live: Model) -> None:
    other = live.with_settings(live.config.model_copy(update={"engine": "openvino"}), ("engine",))
    engines = [{method.engine.name for method in model.method.members.values()} for model in (live, other)]  # type: ignore[attr-defined]
    assert engines == [{live.config.engine}, {"openvino"}]
    assert all(name.startswith("multi-grained-") for name in live.method.networks())
    assert live.method.networks()


CHANGED: dict[str, Any] = {
    "members": ["attributes", "appearance-motion"],
    "settings": {"attributes": {"parts": ["size"]}},
    "combine": "stouffer",
    "weights": "equal",
    "holdout": 0.5,
}


def test_what_a_member_borrowed_is_told_of_the_fusion(tmp_path: Path) -> None:
    members = ["attributes", "appearance-motion"]
    alone = config_of(tmp_path, NORMAL, method={"parts": ["velocity", "size"]})
    learn(NORMAL, "attributes", alone).save(tmp_path / "gate.amiss")
    lent = SETTINGS["attributes"] | {"prior": [str(tmp_path / "gate.amiss")], "prior_strength": 5}
    config = config_with(tmp_path, members, settings={"attributes": lent, members[1]: SETTINGS[members[1]]})
    told = learn(NORMAL, "fusion", config).learned["borrowed"]
    assert told == {"cameras": ["gate.amiss"], "licences": [], "strength": 5.0}
    assert "borrowed" not in learn(NORMAL, "fusion", config_with(tmp_path, members)).learned


def test_every_setting_has_its_change() -> None:
    assert CHANGED.keys() == FusionSettings.model_fields.keys()


@pytest.mark.parametrize("name", CHANGED)
def test_a_setting_changes_scores(tmp_path: Path, name: str) -> None:
    def outcome(settings: dict[str, Any]) -> Any:
        given = {"settings": SETTINGS["attributes"]} | settings
        members = given.pop("members", ["attributes", "pose-flow"])
        config = config_with(tmp_path, members)
        known = {"members": members, **settings}
        config = config.model_copy(
            update={"method": config.method | {k: v for k, v in known.items() if k != "settings"}}
        )
        if "settings" in settings:
            config.method["settings"] = config.method["settings"] | settings["settings"]
        method = make_method("fusion", config)
        fit(method, parts_of(NORMAL, method.needs, config), config)
        return method.score(parts_of([ODD], method.needs, config)[0][:]).score.tolist()

    assert outcome({}) == outcome({})
    assert outcome({}) != outcome({name: CHANGED[name]})


@pytest.mark.parametrize(
    ("method", "told"),
    [
        (
            {"members": ["attributes", "telepathy"]},
            "does not take telepathy, which is no method and no folder; give one of: appearance-motion, attributes",
        ),
        ({"members": ["attributes", "/"]}, "does not take /, which is a folder, which `amiss learn` alone takes"),
        ({"members": ["attributes", "weak-tubes"]}, "does not take weak-tubes, which learns from labels"),
        ({"members": ["attributes", "fusion"]}, "does not take fusion, which is a fusion itself"),
        ({"members": ["attributes", "attributes"]}, "method.members does not take .* twice"),
        ({"members": ["attributes"]}, "method.members"),
        ({"settings": {"pose-flow": {}}}, "has settings of pose-flow, which is not in method.members"),
        ({"settings": {"attributes": {"crop": 0}}}, r"method\.settings\.attributes\.crop does not take 0"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_members_that_cannot_be_fused_are_named(tmp_path: Path, method: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_method("fusion", config_of(tmp_path, method=method))


def test_too_little_held_back_says_how_much_is_needed(tmp_path: Path) -> None:
    config = config_with(tmp_path, ["attributes", "pose-flow"], holdout=0.06)
    method = make_method("fusion", config)
    parts = parts_of(NORMAL[:3], method.needs, config)
    with pytest.raises(
        FootageError,
        match=r"scored only \d+ regions .* and 16 are needed .* which takes about \S+ seconds; give more footage",
    ):
        fit(method, parts, config)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fitted models: two of the same footage, one of other footage, one of other settings."""
    folder = tmp_path_factory.mktemp("folders")

    def save(name: str, method: str, clips: Sequence[Rectangles], **perception: Any) -> None:
        given = config_of(folder, [*NORMAL, ODD, FRESH], method=SETTINGS[method], train=EPOCHS)
        config = Config.build(given.model_dump() | {"footage": {"gap": perception.get("gap", 1.0)}})
        learn(clips, method, config).save(folder / name)

    save("velocity.amiss", "attributes", NORMAL[:4])
    save("poses.amiss", "pose-flow", NORMAL[:4])
    save("other.amiss", "pose-flow", NORMAL[1:])
    save("gap.amiss", "pose-flow", NORMAL[:4], gap=2.0)
    return folder


LATER = [walkers(f"later{seed}", 20 + seed) for seed in range(4)]


def fused(
    folders: Path, folder: Path, names: Sequence[str], clips: Sequence[Rectangles] = LATER, **method: Any
) -> Model:
    members = [str(folders / name) if name.endswith(".amiss") else name for name in names]
    return learn(clips, "fusion", config_of(folder, [*clips, ODD], method={"members": members, **method}))


def test_fitted_models_are_fused_as_they_are(folders: Path, tmp_path: Path) -> None:
    boxes = config_of(folders, [*NORMAL, *LATER, ODD, FRESH])  # in the place that the members know of
    assert boxes.perception.boxes.path
    copies = tmp_path / "copies"
    for name in ("velocity.amiss", "poses.amiss"):
        shutil.copytree(folders / name, copies / name)
    members = {"members": [str(copies / "velocity.amiss"), str(copies / "poses.amiss")]}
    model = learn(LATER, "fusion", Config.build({"method": members, "cache": tmp_path / "cache", "device": "cpu"}))
    assert isinstance(model.method, Fusion)
    alone = Model.load(folders / "velocity.amiss")
    states = [method.state() for method in (alone.method, model.method.members["attributes"])]
    scales = [name for name in states[0] if name.endswith(("mean", "spread", "line"))]
    assert scales
    assert all(np.array_equal(states[0][name], states[1][name]) for name in scales), (
        "more was taken in, nothing learned"
    )
    assert len(model.examples) == len(alone.examples) + len(Model.load(folders / "poses.amiss").examples)
    shutil.rmtree(copies)
    model.save(tmp_path / "fused.amiss")
    again = Model.load(tmp_path / "fused.amiss")
    assert again.fingerprint() == model.fingerprint()
    scores = score_clip(again, ODD)
    np.testing.assert_array_equal(scores.regions.score, score_clip(model, ODD).regions.score)
    assert scores.regions.parts.keys() >= {"attributes", "pose-flow", "pose-flow.movement"}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["velocity.amiss", "other.amiss"], "learned from different footage .their clips differ"),
        (["velocity.amiss", "gap.amiss"], r"with footage\.gap=1\.0 and .* with 2\.0"),
        (["velocity.amiss", "pose-flow"], "and also pose-flow, which is no folder"),
        (["poses.amiss", "gap.amiss"], r"footage\.gap"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_members_of_other_footage_or_settings_are_named(
    folders: Path, tmp_path: Path, names: list[str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        fused(folders, tmp_path, names)


def test_footage_that_a_member_knows_is_no_measure_of_it(folders: Path, tmp_path: Path) -> None:
    members = {"members": [str(folders / "velocity.amiss"), str(folders / "poses.amiss")]}
    config = Config.build({"method": members, "cache": tmp_path})
    with pytest.raises(FootageError, match=r"attributes has learned from normal2, .* other normal footage"):
        learn([*LATER, NORMAL[2]], "fusion", config)


def test_settings_other_than_those_that_members_learned_with_are_named(folders: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"perception\.boxes\.path is .* was learned with .*; leave it out"):
        fused(folders, tmp_path, ["velocity.amiss", "poses.amiss"])
    members = {"members": [str(folders / "velocity.amiss"), str(folders / "poses.amiss")]}
    for given, told in (
        ({"footage": {"gap": 3.0}}, r"footage\.gap is 3\.0, and .*velocity\.amiss was learned with 1\.0"),
        ({"method": members | {"settings": {"attributes": {"crop": 8}}}}, r"method\.settings is set"),
    ):
        with pytest.raises(ConfigError, match=told):
            learn(LATER, "fusion", Config.build({"method": members} | given))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model whose boxes come from motion, so that frames need no place; learned, saved and loaded."""
    folder = tmp_path_factory.mktemp("live")
    members = ["attributes", "multi-grained"]
    method = {"members": members, "settings": {name: SETTINGS[name] for name in members}}
    boxes = {"boxes": {"source": "motion", "min_area": 30}}
    config = config_of(
        folder, method=method, train=EPOCHS, perception=boxes, scoring={"causal": True, "budget": "9/hour"}
    )
    clips = [replace(clip, length=40) for clip in [*NORMAL, FRESH]]
    learn(clips, "fusion", config).save(folder / "model")
    return Model.load(folder / "model")


def test_a_file_and_its_frames_give_the_same(live: Model) -> None:
    clip = replace(ODD, length=40)
    scores, stream = score_clip(live, clip), Stream(live, "odd")
    updates = [stream.update(frame) for frame in clip]
    regions = RegionScores.merge([update.regions for update in updates])
    for column in ("frame", "seconds", "box", "track"):
        np.testing.assert_array_equal(getattr(regions, column), getattr(scores.regions, column), column)
    np.testing.assert_allclose(regions.score, scores.regions.score, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        [update.calibrated for update in updates], scores.frames.calibrated, rtol=1e-6, atol=1e-9
    )
    events = [update.event for update in updates if update.event]
    events += [last] if (last := stream.finish()) else []
    assert scores.events
    assert [(event.start, event.reasons, event.examples) for event in events] == [
        (event.start, event.reasons, event.examples) for event in scores.events
    ]
    assert all(name in live.examples for event in events for name in event.examples)


def test_an_event_has_parts_and_pictures_of_its_members(live: Model) -> None:
    scores = score_clip(live, replace(ODD, length=40))
    event = scores.events[0]
    assert tuple(event.parts) == live.method.parts
    assert live.method.parts[:3] == ("attributes", "attributes.velocity", "attributes.size")
    shown = event_pictures(live, [scores], [event])[event.id]
    assert {name.partition(":")[0] for name in shown} <= {"multi-grained"}
    assert shown


def test_a_camera_does_not_learn_it_live(tmp_path: Path) -> None:
    settings = CameraSettings.build({"source": "rtsp://camera/1", "learning": {"method": "fusion"}})
    with pytest.raises(ConfigError, match="learn it from videos with `amiss learn`"):
        School(settings, tmp_path)
