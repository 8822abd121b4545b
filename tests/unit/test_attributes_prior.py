"""Priors of other cameras, and what little footage may say by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import amiss
from amiss.config import Config
from amiss.errors import ModelError
from amiss.methods.attributes import Attributes, AttributesSettings
from amiss.methods.attributes import prior as prior_module
from amiss.methods.attributes.elsewhere import SHARE, Elsewhere, evenly, mixed, own_share
from amiss.methods.attributes.evidence import blocks_of, track_numbers, widened
from amiss.methods.attributes.prior import read_prior, tail_sample
from amiss.methods.base import STATE
from amiss.methods.borrowed import score_settings
from amiss.report.write import _beside
from amiss.scoring.others import Others
from amiss.types import Windows
from support import Mover, Rectangles, config_of, fit, parts_of, walkers

PARTS = ["velocity", "size", "place"]
ELSEWHERE = [
    [
        replace(clip, movers=(*clip.movers, Mover(8 * number + 9, 70, 11, 20, dx=5.0)))
        for number, clip in enumerate(walkers(f"{name}{seed}", seed, length=16) for seed in seeds)
    ]
    for name, seeds in (("a", range(4)), ("b", range(10, 14)))
]
"""Two other cameras, at which something fast is usual."""
OWN = [walkers(f"own{seed}", seed, length=16) for seed in range(20, 26)]
FAST = Rectangles("fast", (Mover(0, 24, 11, 20, dx=5.0),), length=12)
HUGE = Rectangles("huge", (Mover(0, 10, 60, 80, dx=1.0),), length=12)


class Here:
    """Models of other cameras in a folder, and methods of the own one."""

    def __init__(self, folder: Path) -> None:
        self.config = config_of(folder, [*OWN, *ELSEWHERE[0], *ELSEWHERE[1], FAST, HUGE], method={"parts": PARTS})
        self.models = [folder / "a.amiss", folder / "b.amiss"]
        for clips, model in zip(ELSEWHERE, self.models, strict=True):
            amiss.learn(clips, config=self.config).save(model)
        needs = Attributes(AttributesSettings(parts=tuple(PARTS))).needs
        odd = parts_of([FAST, HUGE], needs, self.config)
        self.fast, self.huge = (part[3 : len(part)] for part in odd)
        self.more = [part[0 : len(part)] for part in parts_of(OWN[2:], needs, self.config)]

    def fitted(self, clips: Sequence[Rectangles] = OWN[:2], **settings: Any) -> Attributes:
        method = Attributes(AttributesSettings.build({"parts": PARTS} | settings))
        fit(method, parts_of(list(clips), method.needs, self.config), self.config)
        return method

    def with_prior(self, clips: Sequence[Rectangles] = OWN[:2], **settings: Any) -> Attributes:
        return self.fitted(clips, prior=[str(model) for model in self.models], **settings)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Here:
    return Here(tmp_path_factory.mktemp("prior"))


def velocity(method: Attributes, windows: Windows) -> float:
    return float(np.median(method.score(windows).parts["velocity"]))


def test_what_is_usual_elsewhere_is_less_odd_here_and_what_is_odd_everywhere_stays_so(here: Here) -> None:
    alone, beside = here.fitted(), here.with_prior()
    assert velocity(beside, here.fast) < 0.5 * velocity(alone, here.fast)
    assert np.median(beside.score(here.huge).parts["size"]) > 3
    assert np.array_equal(beside.score(here.fast).parts["place"], alone.score(here.fast).parts["place"])


def test_the_prior_decides_where_all_weight_is_on_it_and_nothing_where_none_is(here: Here) -> None:
    assert velocity(here.with_prior(prior_strength=1e9), here.fast) < 1.0
    assert velocity(here.with_prior(prior_strength=0), here.fast) == pytest.approx(velocity(here.fitted(), here.fast))


def test_it_fades_with_every_minute_taken_in(here: Here) -> None:
    method = here.with_prior()
    own = [velocity(method, here.fast)]
    counted = [method._lent.tracks]
    for _ in range(4):
        for windows in here.more:
            method._lent.update(len(windows))  # the own densities stay, so that only the weight changes
        own.append(velocity(method, here.fast))
        counted.append(method._lent.tracks)
    assert own == sorted(own)
    assert own[-1] > 1.2 * own[0]
    assert np.diff(counted) == pytest.approx(12, rel=0.05)  # four clips of three things


def test_much_footage_of_its_own_leaves_nothing_of_it(here: Here) -> None:
    alone, beside = here.fitted(), here.with_prior()
    beside._lent.update(10**9)
    for windows in (here.fast, here.huge, *here.more):
        assert beside.score(windows).score == pytest.approx(alone.score(windows).score, rel=1e-3, abs=1e-3)


def test_updates_count(here: Here) -> None:
    method = here.with_prior()
    before = method._lent.tracks
    method.update(here.more[0])
    assert method._lent.tracks > before


def test_a_file_and_the_models_that_it_is_made_of_are_the_same_prior(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "some.prior"
    file.write_bytes(read_prior(here.models).to_bytes())
    again = tmp_path / "again.prior"
    again.write_bytes(read_prior([file]).to_bytes())
    assert again.read_bytes() == file.read_bytes()
    left, right = here.with_prior(), here.fitted(prior=[str(file)])
    assert np.array_equal(left.score(here.fast).score, right.score(here.fast).score)


def test_a_saved_model_holds_its_prior_and_fades_on(here: Here, tmp_path: Path) -> None:
    method = here.with_prior()
    method.save(tmp_path)
    again = Attributes(AttributesSettings.build({"parts": PARTS, "prior": [str(tmp_path / "gone")]}))
    again.load(tmp_path)
    for _ in range(2):
        assert np.array_equal(method.score(here.fast).score, again.score(here.fast).score)
        for one in (method, again):
            one.update(here.more[1])


def test_a_prior_holds_nothing_of_places_and_as_much_of_each_camera(here: Here) -> None:
    made = read_prior(here.models)
    assert [camera.attributes for camera in made.cameras] == [("velocity", "size")] * 2
    assert all(array.shape[:1] <= (SHARE,) for camera in made.cameras for name, array in camera.arrays.items())
    assert {name.split(".")[0] for camera in made.cameras for name in camera.arrays} == {
        "velocity",
        "size",
        "tail",
        "tracks",
    }


def header_changed(key: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        from safetensors import safe_open

        with safe_open(file, "numpy") as opened:
            header = json.loads(opened.metadata()["amiss"])
        save_file(load_file(file), file, {"amiss": json.dumps(header | {key: 99})})

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (header_changed("units"), "has units 99"),
        (header_changed("format"), "has format 99"),
        (lambda file: file.write_bytes(b"nothing"), "is not a prior"),
        (lambda file: save_file({"a": np.zeros(1)}, file), "is not a prior"),
        (lambda file: file.unlink(), "there is no model or prior"),
    ],
)
def test_a_file_that_is_no_prior_or_measures_otherwise_is_refused(
    here: Here, tmp_path: Path, change: Callable[[Path], Any], said: str
) -> None:
    file = tmp_path / "some.prior"
    file.write_bytes(read_prior(here.models).to_bytes())
    change(file)
    with pytest.raises(ModelError, match=said):
        read_prior([file])


def model_with(folder: Path, **changes: Any) -> Path:
    """A folder with a `model.json` and a state that say so."""
    import hashlib

    save_file({"shared.units": np.array(changes.pop("units", 1))}, folder / STATE)
    digest = hashlib.sha256((folder / STATE).read_bytes()).hexdigest()
    index = {"method": "attributes", "config": {}, "licences": [], "calibrations": {}, "files": {STATE: digest}}
    (folder / "model.json").write_text(json.dumps(index | changes))
    return folder


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "mgenet"}, "is of mgenet"),
        ({"files": {STATE: "other"}}, "was altered"),
        ({"units": 0}, "measures in other units"),
        ({"files": {}}, "is not a whole model"),
    ],
)
def test_a_model_that_cannot_lend_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        read_prior([model_with(tmp_path, **changes)])


def test_a_prior_of_other_attributes_is_refused(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="says nothing of place"):
        here.with_prior(parts=["place"])
    monkeypatch.setattr(prior_module, "UNITS", 2)
    with pytest.raises(ModelError, match="other units"):
        here.with_prior()


def test_learning_says_whose_experience_it_is_and_its_tail_counts(here: Here, tmp_path: Path) -> None:
    given = {"parts": PARTS, "prior": [str(model) for model in here.models]}
    config = here.config.model_copy(update={"method": given})
    model, alone = amiss.learn(OWN[:2], config=config), amiss.learn(OWN[:2], config=here.config)
    assert model.learned["borrowed"] == {"cameras": ["a.amiss", "b.amiss"], "licences": [], "strength": 8.0}
    tails = [one.calibrations["centred"].tail.quantiles for one in (model, alone)]
    assert len(tails[0]) > len(tails[1])
    smoothed = config.model_copy(update={"scoring": config.scoring.model_copy(update={"smoothing": "none"})})
    other = amiss.learn(OWN[:2], config=smoothed)  # scores of the others are smoothed, so their tails say nothing here
    assert len(other.calibrations["centred"].tail.quantiles) < len(tails[0])
    model.save(tmp_path / "own")
    assert amiss.load(tmp_path / "own").licences() == model.licences()


def test_mixing_keeps_order_and_ends_at_either_side() -> None:
    own, others = np.array([-0.5, 0.0, 1.0, 30.0]), np.array([0.2, 0.0, 4.0, 0.5])
    assert mixed(own, others, 1.0) == pytest.approx(own)
    assert mixed(own, others, 0.0) == pytest.approx(others)
    half = mixed(own, others, 0.5)
    assert (half >= np.minimum(own, others) - 1e-9).all()
    assert (half <= np.maximum(own, others) + 1e-9).all()
    shares = [float(mixed(own[3:], others[3:], share)[0]) for share in np.linspace(0, 1, 20)]
    assert shares == sorted(shares)
    assert [own_share(n, 8) for n in (0, 8)] == [0, 0.5]
    assert own_share(0, 0) == 1


def test_cameras_that_differ_do_not_excuse_what_none_of_them_has_seen() -> None:
    """A car at one camera widens no one's idea of people, and each camera counts the same, however much it shows."""
    generator = np.random.default_rng(0)
    two = [generator.normal(centre, 0.01, (count, 1)) for centre, count in ((1.0, 600), (2.0, 90))]
    both = Elsewhere(5)
    both.fit(two, [np.arange(600) % 6, np.arange(90) % 6])
    assert len(both.state()["samples"]) == 2 * SHARE
    assert both.score(np.array([[1.0], [2.0]])).max() < 1
    assert both.score(np.array([[1.5]]))[0] > 10


def test_each_track_counts_once_however_long_and_is_left_out_as_a_whole() -> None:
    tracks = track_numbers(np.array([0, 0, 0, 1, 1, 1]), np.array([7, 4, 7, 7, -1, -1]))
    assert tracks.tolist() == [0, 1, 0, 2, 3, 4]
    long = np.repeat(np.arange(8), 10)
    blocks = blocks_of(long, 4)
    assert all(len(np.unique(blocks[long == track])) == 1 for track in range(8))
    assert len(np.unique(blocks)) == 4
    assert blocks_of(np.zeros(40, np.int64), 4).tolist() == np.repeat(range(4), 10).tolist()


def test_few_tracks_widen_the_spread_and_many_do_not() -> None:
    widths = [widened(0.1, 1.0, tracks) for tracks in (1, 10, 100, 10_000)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 0.5
    assert widths[-1] == pytest.approx(0.1, rel=0.01)
    assert widened(0.1, -1.0, 10) < 0.1 + 1e-9
    assert evenly(3, 6).tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("names", "said"), [([], ""), (["a"], ", and 1 other camera"), (["a", "b"], ", and 2 other cameras")]
)
def test_the_report_says_how_many_cameras_it_rests_on(names: list[str], said: str) -> None:
    assert _beside({"borrowed": {"cameras": names}} if names else {}) == said


def test_tails_of_others_weigh_what_the_own_held_back_tracks_leave() -> None:
    own, others = np.zeros(100), [np.full(512, 1.0), np.full(512, 2.0)]
    values = Others(others, 0.5).mixed(own)
    assert [float((values == level).mean()) for level in (0, 1, 2)] == pytest.approx([0.5, 0.25, 0.25], abs=1e-3)
    assert not Others(others, 1.0).mixed(own).any()
    assert tail_sample({"quantiles": [0.0, 1.0]}) == pytest.approx(np.linspace(0, 1, 512))


def test_a_model_from_before_a_setting_scores_as_if_it_had_its_default() -> None:
    now = Config().model_dump(mode="json")
    before = now | {"scoring": {name: value for name, value in now["scoring"].items() if name != "along"}}
    assert score_settings(before) == score_settings(now)
    now["scoring"]["along"] = 5
    assert score_settings(before) != score_settings(now)


def test_a_camera_that_is_given_twice_counts_once(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "some.prior"
    file.write_bytes(read_prior(here.models).to_bytes())
    assert len(read_prior([*here.models, here.models[0], file]).cameras) == len(here.models)
