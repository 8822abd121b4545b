"""What a live camera is given scores as the file does, on the frames that arrived."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import amiss
import support_footage as footage
from amiss.config import Config, load_config
from amiss.engine import make_method
from amiss.footage import open_footage
from amiss.live.nouns import Arrival
from amiss.live.settings import WatchSettings
from amiss.live.watch import Watcher
from amiss.perception.flow import DisFlow
from amiss.pipeline import Pipeline, look_together
from amiss.types import Windows
from support import Mover, Rectangles
from support_networks import write_constant

NEAR = 1e-6


def test_scores_of_a_camera_are_those_of_its_file(
    model: amiss.Model, model_folder: Path, place: Path, tmp_path: Path
) -> None:
    clips = {name: place / "testing" / f"{name}.mp4" for name in ("wild0", "wild1")}
    cameras = {name: {"source": str(clip), "model": str(model_folder), "queue": 64} for name, clip in clips.items()}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in clips}

    def keep(arrival: Arrival, calibrated: float) -> None:
        found[arrival.camera].append((arrival.frame.seconds, calibrated))

    with Watcher(WatchSettings.build({"data": str(tmp_path / "data"), "cameras": cameras}), keep) as watcher:
        watcher.run(60.0)
        raised = {name: watcher.cameras[name].numbers.dropped for name in clips}
    assert raised == dict.fromkeys(clips, 0)
    causal = dataclasses.replace(model, config=load_config(sets=["scoring.causal=true"], base=model.config))
    for name, clip in clips.items():
        scores = causal.score(open_footage(clip))
        seconds, calibrated = np.array(found[name]).T
        assert len(seconds) == len(scores.frames) == footage.WILD
        np.testing.assert_allclose(seconds - seconds[0], scores.frames.seconds - scores.frames.seconds[0], atol=NEAR)
        np.testing.assert_allclose(calibrated, scores.frames.calibrated, NEAR, NEAR)
        assert scores.events


@pytest.fixture
def network(tmp_path: Path) -> Config:
    """Boxes from a network that always finds the same two, with what else moves, and privacy masks."""
    rows = np.array([[10, 10, 40, 60, 0.9], [90, 20, 120, 80, 0.8]])
    write_constant(tmp_path / "net.onnx", (1, 3, 96, 160), {"boxes": rows})
    (tmp_path / "net.yaml").write_text("path: net.onnx\nwidth: 160\nheight: 96\n")
    boxes = {"source": "network", "network": str(tmp_path / "net.yaml"), "tiles": 2, "motion_added": True}
    return Config.build({"perception": {"boxes": boxes}, "method": {"parts": ["speed", "size", "place"]}})


def test_looking_together_gives_each_camera_what_it_sees_alone(network: Config) -> None:
    needs = make_method("attributes", network).needs.live
    masked = network.perception.model_copy(
        update={"masks": network.perception.masks.model_copy(update={"privacy": (((0, 0), (0.2, 0), (0.2, 1)),)})}
    )
    configs = [network, network.model_copy(update={"perception": masked})]
    clips = [Rectangles(str(n), (Mover(10 + 30 * n, 30, dx=2 + n), Mover(70, 60, dx=-2)), 20) for n in range(2)]
    alone = [[Pipeline(config, needs)] for config in configs]
    together = [Pipeline(config, needs) for config in configs]
    for pipeline in [*together, *(one for some in alone for one in some)]:
        pipeline.reset()
    asked = count(together)
    seen: list[list[Windows]] = [[], []]
    for frames in zip(*clips, strict=True):
        look_together(together, frames)
        for number, frame in enumerate(frames):
            seen[number].append(together[number].update(frame))
    assert asked == [10] * 20, "one question of two pictures and four tiles each"
    for number, clip in enumerate(clips):
        expected = [alone[number][0].update(frame) for frame in clip]
        assert_same(Windows.merge(seen[number]), Windows.merge(expected))


def count(pipelines: list[Pipeline]) -> list[int]:
    """How many pictures the network of each is asked about, each time."""
    asked: list[int] = []
    networks = [pipeline.network for pipeline in pipelines]
    for detector in {id(one._detector): one._detector for one in networks if one}.values():  # which cameras may share
        find = detector.find

        def counted(images: list[np.ndarray], find: object = find) -> object:
            asked.append(len(images))
            return find(images)  # type: ignore[operator]

        detector.find = counted  # type: ignore[method-assign, assignment]
    return asked


def assert_same(ours: Windows, theirs: Windows) -> None:
    assert len(ours) == len(theirs) > 20
    for name in ("frame", "seconds", "box", "track", "label"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert ours.data.keys() == theirs.data.keys()
    for name, values in ours.data.items():
        np.testing.assert_array_equal(values, theirs.data[name])


def test_what_was_looked_at_of_another_frame_is_not_taken(network: Config) -> None:
    needs = make_method("attributes", network).needs.live
    pipeline = Pipeline(network, needs)
    pipeline.reset()
    asked = count([pipeline])
    first, second = list(Rectangles("a", (Mover(10, 30, dx=3),), 2))
    look_together([pipeline], [first])
    pipeline.update(second)
    assert asked == [5, 5]


PARTS = [
    ("speed", "size", "place"),
    ("velocity", "appearance", "dwell"),
    ("acceleration", "direction", "closing", "company"),
]


@pytest.mark.parametrize("parts", PARTS, ids=",".join)
def test_a_file_looked_at_ahead_gives_what_its_frames_give_one_by_one(network: Config, parts: tuple[str, ...]) -> None:
    """Over a jump in time in the middle of a group of frames, too."""
    config = network.model_copy(update={"method": {"parts": list(parts)}})
    needs = make_method("attributes", config).needs
    clip = Rectangles("a", (Mover(10, 30, dx=2), Mover(70, 60, dx=-2)), 21, jump=(11, 5.0))
    ahead, one_by_one = Pipeline(config, needs), Pipeline(config, needs)
    asked = count([ahead])
    whole = [windows for _, windows in ahead.windows(clip)]
    assert asked == [40, 40, 25], "eight frames of a whole and four tiles each"
    one_by_one.reset(clip.path)
    assert_same(Windows.merge(whole), Windows.merge([one_by_one.update(frame) for frame in clip]))


def test_a_frame_in_which_nothing_was_found_needs_no_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config.build({"perception": {"boxes": {"source": "motion"}}, "method": {"parts": ["velocity"]}})
    needs = make_method("attributes", config).needs
    clip = Rectangles("a", (Mover(30, 30, dx=0), Mover(60, 60, dx=-2)), 12)
    searched: list[int] = []
    plain = DisFlow.update
    monkeypatch.setattr(DisFlow, "update", lambda self, frame: (searched.append(frame.index), plain(self, frame))[1])
    lazy = [windows for _, windows in Pipeline(config, needs).windows(clip)]
    assert 0 not in searched
    monkeypatch.setattr(DisFlow, "skip", plain)
    eager = [windows for _, windows in Pipeline(config, needs).windows(clip)]
    np.testing.assert_array_equal(Windows.merge(lazy).data["flow"], Windows.merge(eager).data["flow"])
    assert len(Windows.merge(lazy)) > 5
