"""Every setting changes something: for each there is an output that another value makes different."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml
from tiny_networks import everybody, single

from amiss.config import ClipFeaturesConfig, Config, setting_rows
from amiss.engine import learn
from amiss.engine.bench import cameras_of
from amiss.engine.learn import silent, split_parts
from amiss.engine.model import make_method
from amiss.engine.score import score_clip
from amiss.errors import ConfigError, WeightsError
from amiss.footage import find_footage
from amiss.footage.cuts import Layout
from amiss.footage.span import Cut
from amiss.methods.attributes import AttributesSettings
from amiss.perception import poses
from amiss.perception.blocks import make_block_features
from amiss.perception.boxes import BOX_SOURCES, tidy
from amiss.perception.flow import FLOW_SOURCES
from amiss.perception.poses import MOVENET, OPENPOSE
from amiss.perception.scenes import ViewHealth
from amiss.perception.tracks import Tracker
from amiss.perception.video.clip_features import ClipFeatures
from amiss.perception.video.swin import VideoSwin
from amiss.pipeline import Pipeline
from amiss.report.write import write_report
from amiss.scale.desk import Desk, Task
from amiss.scale.jobs import Answer, Forget, Look, Place, Score
from amiss.scale.plan import Part, plan_parts
from amiss.scale.team import Setup, make_team, scoring_setup
from amiss.scale.work import Worker
from amiss.scoring.calibrate import make_finder
from amiss.scoring.events import find_spans
from amiss.train import FabricTrainer
from amiss.types import Boxes
from amiss.windows.needs import Needs
from support import Mover, Rectangles, box_table, config_of, fit, frame_of, parts_of, walkers, write_boxes
from support_networks import write_constant, write_flow
from support_training import Leaving, Tiny, state_of, tiny_store

MOVING = Rectangles("moving", (Mover(10, 4, 8, 20, dx=2), Mover(20, 30, 5, 5, dx=3), Mover(40, 60, 60, 6, dx=2)), 40)
FAINT = Rectangles("moving", (Mover(10, 10, 30, 40, dx=1), Mover(60, 10, 12, 12, dx=2)), 40)
CLIPS = [walkers(f"0{seed}", seed, length=25) for seed in range(5)]
FASTER = [
    replace(clip, name=f"f{clip.name}", movers=tuple(replace(mover, dx=3 * mover.dx) for mover in clip.movers))
    for clip in CLIPS[:2]
]
PROBE = Rectangles("probe", (*walkers("", 9).movers[:2], Mover(0, 60, 40, 30, dx=6)), 25)

Probe = Callable[[Config, Path], Any]


def boxes(config: Config, folder: Path, clip: Rectangles = MOVING) -> Any:
    """Boxes of the last frames, as the pipeline tidies them."""
    settings = config.perception.boxes
    source = BOX_SOURCES[settings.source](config.perception)
    source.reset(clip.path)
    return [tidy(source.update(frame), settings, frame.size).xyxy.tolist() for frame in clip][-30:]


def faint(config: Config, folder: Path) -> Any:
    return boxes(config, folder, FAINT)


def networked(config: Config, folder: Path) -> Any:
    """Boxes of a network that always sees one thing, on one side or the other."""
    for name, x in (("left", 20), ("right", 120)):
        write_constant(folder / f"{name}.onnx", (1, 3, 96, 160), {"boxes": [[x, 30, x + 12, 50, 0.9]]})
        about = {"path": f"{name}.onnx", "width": 160, "height": 96}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(about), encoding="utf-8")
    given = config.perception.boxes
    network = folder / (given.network if given.network.endswith(".yaml") else "left.yaml")
    settings = given.model_copy(update={"source": "network", "network": str(network)})
    source = BOX_SOURCES["network"](config.perception.model_copy(update={"boxes": settings}))
    return [source.update(frame).xyxy.tolist() for frame in MOVING]


def viewed(config: Config, folder: Path) -> Any:
    """Flags over a view that moves a little, loses some contrast, sharpness and colour in turn, and freezes."""
    clip = Rectangles("view", (Mover(10, 10, dx=1),), length=400)
    health, said, still = ViewHealth(config.perception.scenes), [], next(iter(clip)).image
    for frame in clip:
        image = frame.image
        if 60 <= frame.index < 120:
            image = np.roll(image, 12, axis=1)
        elif 120 <= frame.index < 180:
            image = (image * 0.4 + 30).astype(np.uint8)
        elif 180 <= frame.index < 240:
            image = cv2.GaussianBlur(image, (0, 0), 2.0)
        elif 240 <= frame.index < 300:
            image = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
        elif 300 <= frame.index < 360:
            image = still
        said.append([(flag.kind.value, flag.start) for flag in health.update(replace(frame, image=image))])
    return said


HALF = [[[0, 0], [0.4, 0], [0.4, 1], [0, 1]]]


def masked(config: Config, folder: Path) -> Any:
    perception = config.perception.model_dump() | {"boxes": {"source": "motion"}}
    given = config_of(folder, perception=perception)
    return [windows.box.tolist() for _, windows in Pipeline(given, Needs()).windows(MOVING)]


def tidied(config: Config, folder: Path) -> Any:
    given = box_table([0, 0, 20, 20], [0, 0, 20, 15], [30, 30, 40, 37], confidence=[0.9, 0.9, 0.4])
    return tidy(given, config.perception.boxes, (64, 48)).xyxy.tolist()


def tracks(config: Config, folder: Path) -> Any:
    """Ids of a box that is unsure, jumps a little, and is unseen for half a second; its look does not count."""
    tracker = Tracker(config.perception.tracks.model_copy(update={"appearance": "none"}), config.footage.gap)
    rows = [(0.0, 0, 0.4), (0.04, 0, 0.9), (0.08, 0, 0.9), (0.5, None, 0.0), (0.54, 0, 0.9), (0.58, 6, 0.9)]
    found = []
    for index, (seconds, x, sure) in enumerate(rows):
        here = Boxes.empty() if x is None else box_table([x, 0, x + 10, 20], confidence=[sure])
        found.append(tracker.update(frame_of(seconds, index), here).track.tolist())
    return found


def newborn(config: Config, folder: Path) -> Any:  # a box that comes after the first frame
    tracker = Tracker(config.perception.tracks, 9.0)
    tracker.update(frame_of(0.0), Boxes.empty())
    return [tracker.update(frame_of(seconds), box_table([20, 10, 30, 30])).track.tolist() for seconds in (0.1, 0.2)]


def found_again(config: Config, folder: Path) -> Any:
    """Ids of a box that comes back beside where it was after three seconds."""
    tracker, here = Tracker(config.perception.tracks, 9.0), box_table([20, 10, 30, 30])
    steps = [(0.0, here), (3.0, box_table([32, 10, 42, 30]))]
    return [tracker.update(frame_of(seconds), boxes).track.tolist() for seconds, boxes in steps]


def flow(config: Config, folder: Path) -> Any:
    given = config.perception.flow
    for name, gain in (("weak", 1.0), ("strong", 2.0)):
        write_flow(folder / f"{name}.onnx", 40, 24, gain)
    stage = FLOW_SOURCES[given.source](given.model_copy(update={"network": folder / (given.network or "weak.onnx")}))
    return [stage.update(frame).tolist() for frame in Rectangles("a", (Mover(10, 10, 30, 40, dx=3),), 2)][-1]


def features(config: Config, folder: Path) -> Any:
    """The feature of one track in two frames that show other things, or that it is refused."""
    still = Rectangles("one", (Mover(10, 10, 30, 40, dx=0),), length=2)
    given = config_of(folder, [still], perception=_given(config, folder, [still]))
    clip = Rectangles("one", (Mover(10, 10, 30, 40, dx=15),), length=2)
    try:
        pipeline = Pipeline(given, Needs("cube", ("feature",)))
    except ConfigError:
        return "refused"
    return [windows.data["feature"].tolist() for _, windows in pipeline.windows(clip)]


def _given(config: Config, folder: Path, clips: list[Rectangles]) -> dict[str, Any]:
    """The perception of `config` with the true boxes of `clips`."""
    source = {"source": "file", "path": write_boxes(folder / "given.npz", clips)}
    return config.perception.model_dump() | {"boxes": source}


def clip_features(config: Config, folder: Path) -> Any:
    """The feature of a clip of as many frames as are asked for, from a network that is small unless told otherwise."""
    given, plain = config.perception.clips.model_dump(), ClipFeaturesConfig().model_dump()
    small = {"network": "swin", "size": 32, "random": given["weights"] is None}
    chosen = given | {key: value for key, value in small.items() if given[key] == plain[key]}
    if given["weights"]:
        chosen["weights"] = folder / given["weights"]
        torch.manual_seed(len(given["weights"].name))
        torch.save(VideoSwin().state_dict(), chosen["weights"])
    frames = [frame.image for frame in Rectangles("clip", (Mover(10, 10, 30, 40),), 4)]
    return ClipFeatures(ClipFeaturesConfig(**chosen), torch.device("cpu"), 4).features(np.stack(frames)[None]).tolist()


def clip_network(config: Config, folder: Path) -> Any:
    """How long the features of blocks are."""
    chosen = config.perception.clips.model_copy(update={"random": True})
    return make_block_features(chosen, 16, torch.device("cpu")).dimensions


def clip_source(config: Config, folder: Path) -> Any:
    """What the features of clips come from, or that it is refused."""
    try:
        chosen = config.perception.clips.model_copy(update={"network": "i3d"})
        return make_block_features(chosen, 16, torch.device("cpu")).name()
    except WeightsError:
        return "refused"


def dwelt(config: Config, folder: Path) -> Any:
    """For how long somebody who stands still has been there."""
    clip = Rectangles("still", (Mover(10, 10, 30, 40, dx=0),), length=30)
    given = config_of(folder, [clip], perception=_given(config, folder, [clip]))
    return [windows.data["dwell"].tolist() for _, windows in Pipeline(given, Needs("cube", ("dwell",))).windows(clip)]


def posed(config: Config, folder: Path) -> Any:
    """Poses of a tall body and a small one that move on, found by a network that sees the middle and the brightness."""
    clip = Rectangles("posed", (Mover(10, 10, 30, 50, dx=3), Mover(90, 60, 12, 30, dx=2)), length=6)
    perception = _given(config, folder, [clip])
    given_poses(folder / "given_poses.npz", clip, 0.5)
    given_poses(folder / "other_poses.npz", clip, 0.3)
    files = {MOVENET: single(folder / "single.onnx"), OPENPOSE: everybody(folder / "everybody.onnx")}
    groups = config.model_dump() | {"perception": perception}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(poses, "get_weights", files.__getitem__)
        pipeline = Pipeline(Config.build(groups), Needs("cube", ("pose",)))
        return [windows.data["pose"].tolist() for _, windows in pipeline.windows(clip)]


def steadied(config: Config, folder: Path) -> Any:
    """The same of given bodies, which shake."""
    given = config.perception.poses.model_dump() | {"source": "file", "path": folder / "given_poses.npz"}
    return posed(Config.build(config.model_dump() | {"perception": {"poses": given}}), folder)


def bodies_in(clip: Rectangles, share: float) -> Any:
    """`(length * movers, 17, 3)` joints one below the other, around one height in their boxes, that shake."""
    boxes = np.array([mover.box(frame) for frame in range(clip.length) for mover in clip.movers], np.float64)
    x = boxes[:, [0, 2]].mean(1) + np.arange(len(boxes)) % 3
    joints = np.ones((len(boxes), 17, 3))
    joints[..., 0] = x[:, None]
    joints[..., 1] = boxes[:, 1:2] + share * (boxes[:, 3:] - boxes[:, 1:2]) * np.linspace(0.5, 1.5, 17)
    return joints


def given_poses(path: Path, clip: Rectangles, share: float) -> None:
    """The same as an archive."""
    np.savez(path, posed_joints=bodies_in(clip, share), posed_frame_ptr=np.arange(clip.length + 1) * len(clip.movers))


def steps(config: Config, folder: Path) -> Any:
    clip = Rectangles("late", (Mover(10, 10, 30, 40),), length=6, jump=(3, 0.7))
    given = config_of(folder, [clip], footage=config.footage.model_dump())
    return [windows.data["step"].tolist() for _, windows in Pipeline(given, Needs()).windows(clip)]


def length_of_pictures(config: Config, folder: Path) -> Any:
    """Seconds of footage that a model learned from, given as folders of pictures without any time."""
    clip = walkers("pictures", 3, length=40)
    (folder / "pictures").mkdir(exist_ok=True)
    for frame in clip:
        cv2.imwrite(str(folder / "pictures" / f"{frame.index}.png"), frame.image)
    given = config_of(folder, [clip], footage=config.footage.model_dump(), method={"parts": ["size"]})
    opened = find_footage([folder / "pictures"], given.footage.fps)
    return learn(opened, config=given).learned["seconds"]


def events(config: Config, folder: Path) -> Any:
    """Events of a curve at ten frames a second: a slow fall, a break of a second, and a flash."""
    curve = np.repeat([0, 5, 2, 0, 5, 0, 5, 0], [20, 10, 10, 10, 10, 60, 3, 60])
    seconds = np.arange(len(curve)) / 10 + 0.7 * (np.arange(len(curve)) > 23)
    return find_spans(curve.astype(float), seconds, make_finder(4.0, config.scoring, config.footage.gap))


def scored(config: Config, folder: Path) -> Any:
    """Curves, scores and level of a model that learned from a few clips."""
    given = config_of(folder, [*CLIPS, PROBE], scoring=config.scoring.model_dump(), method={"parts": ["velocity"]})
    model = learn(CLIPS, config=given)
    scores = score_clip(model, PROBE)
    known = {mode: calibration.to_json() for mode, calibration in model.calibrations.items()}
    return known, scores.regions.score.tolist(), scores.frames.smoothed.tolist()


def reported(config: Config, folder: Path) -> Any:
    """Whether there is a video after writing over an earlier one, and how many pictures the page has."""
    scoring = {"budget": "36000/hour", "merge": 0.0, "min_seconds": 0.0, "smoothing": "none", "release": 1.0}
    groups = {"report": config.report.model_dump(), "scoring": scoring, "method": {"parts": ["velocity"]}}
    model = learn(CLIPS, config=config_of(folder, [*CLIPS, PROBE], **groups))
    scores = [score_clip(model, PROBE)] * 2
    assert sum(len(item.events) for item in scores) > 1
    (folder / "annotated.mp4").write_bytes(b"of an earlier run")
    page = write_report(folder, scores, model, silent).read_text(encoding="utf-8")
    video = folder / "annotated.mp4"
    return video.exists() and len(find_footage([video])), page.count("<img")


def held_back(config: Config, folder: Path) -> Any:
    clips: list[Any] = [SimpleNamespace(name=str(number), label=None) for number in range(12)]
    return [part.name for part, _ in split_parts(clips, config)[1]]


def cameras(config: Config, folder: Path) -> Any:
    clips = [SimpleNamespace(camera=camera) for camera in ("gate", "door")]
    dataset: Any = SimpleNamespace(id="both", training=lambda: clips, testing=lambda: clips)
    return list(cameras_of(dataset, config))


def device(config: Config, folder: Path) -> Any:
    try:
        return type(Pipeline(config, Needs("cube", ("feature",)))._features).__name__
    except ConfigError as error:
        return str(error)


def looked(config: Config, folder: Path) -> Any:
    """What a network of a method makes of a few cubes, to the last digit, or why it cannot be asked."""
    torch.manual_seed(0)
    given = config.model_copy(update={"method": {"width": 4, "memory": (4, 4, 4)}})
    made = make_method("appearance-motion", given)
    try:
        return [tensor.tolist() for tensor in made._run("cubes", *made.networks()["cubes"].example(3))]
    except ConfigError as error:
        return str(error)


def places(config: Config, folder: Path) -> Any:
    """Where the windows of a clip are kept."""
    before = set(folder.rglob("entry.json"))
    Pipeline(config, Needs("cube", ())).part(FAINT)
    return sorted(str(path) for path in set(folder.rglob("entry.json")) - before)


def method(config: Config, folder: Path) -> Any:
    """Needs, parts, exemplars and scores of the method after learning from a few clips."""
    chosen = {"parts": ["velocity", "size", "place", "dwell"], "combine": "sum"} | config.method
    given = config_of(folder, [*CLIPS, PROBE], method=chosen)
    fitted = make_method("attributes", given)
    fit(fitted, parts_of(CLIPS, fitted.needs, given), given)
    (part,) = parts_of([PROBE], fitted.needs, given)
    regions = fitted.score(part[0 : len(part)])
    parts = {name: values.tolist() for name, values in regions.parts.items()}
    return fitted.needs, len(fitted.exemplars), regions.score.tolist(), parts


def borrowing(config: Config, folder: Path) -> Any:
    """Scores by velocity after learning from one clip, beside a camera where things are faster, or only one of them."""
    names = config.method.get("prior", ["fast.amiss"])
    for name, clips in (("fast.amiss", FASTER), ("usual.amiss", CLIPS)):
        given = config_of(folder, clips, method={"parts": ["velocity"]})
        learn(clips, config=given).save(folder / name)
    chosen = {"parts": ["velocity"]} | config.method | {"prior": [str(folder / name) for name in names]}
    given = config_of(folder, [CLIPS[0], PROBE], method=chosen)
    fitted = make_method("attributes", given)
    fit(fitted, parts_of(CLIPS[:1], fitted.needs, given), given)
    (part,) = parts_of([PROBE], fitted.needs, given)
    return fitted.score(part[0 : len(part)]).score.tolist()


def method_with_poses(config: Config, folder: Path) -> Any:
    """Scores by pose alone; bodies of the clip that is scored hold their joints higher."""
    chosen = {"parts": ["pose"]} | config.method
    for clip in (*CLIPS, PROBE):
        write_poses(folder / f"{clip.name}.json", clip, 0.3 if clip is PROBE else 0.5)
    poses = config.perception.poses.model_dump() | {"source": "file", "path": folder}
    perception = config.perception.model_dump() | {"poses": poses}
    perception |= {"boxes": {"source": "file", "path": write_boxes(folder / "given.npz", [*CLIPS, PROBE])}}
    given = config_of(folder, method=chosen, perception=perception)
    fitted = make_method("attributes", given)
    fit(fitted, parts_of(CLIPS, fitted.needs, given), given)
    (part,) = parts_of([PROBE], fitted.needs, given)
    scores = fitted.score(part[0 : len(part)]).score
    assert scores.any() == bool(chosen["pose_weight"])
    return scores.tolist()


def write_poses(path: Path, clip: Rectangles, share: float) -> None:
    """Bodies as in `bodies_in`, as AlphaPose writes them."""
    joints = bodies_in(clip, share).reshape(clip.length, -1, 51).tolist()
    entries = [{"image_id": index, "keypoints": flat} for index, frame in enumerate(joints) for flat in frame]
    path.write_text(json.dumps(entries))


def trained(config: Config, folder: Path, task: type[Tiny] = Tiny) -> Any:
    """What a tiny network has learned."""
    made, place = task(decay=0.5), Path(tempfile.mkdtemp(dir=folder))
    FabricTrainer(config.train, "cpu", place, silent)(made, tiny_store(folder), 0)
    return state_of(made)


def left_behind(config: Config, folder: Path) -> Any:
    """The same, where the first epoch is the best."""
    return trained(config, folder, Leaving)


def checkpoints(config: Config, folder: Path) -> Any:
    """The epoch and step of each checkpoint that is there at some time."""
    place, seen = Path(tempfile.mkdtemp(dir=folder)), []

    def look(*_: Any) -> None:
        path = place / "tiny" / "checkpoint.json"
        if path.exists():
            index = json.loads(path.read_text(encoding="utf-8"))
            seen.append((index["epoch"], index["step"]))

    FabricTrainer(config.train, "cpu", place, look)(Tiny(), tiny_store(folder), 0)
    return sorted(set(seen))


@dataclass(frozen=True)
class Change:
    """Two values of a setting, and an output that tells them apart."""

    first: Any
    second: Any
    probe: Probe


def planned(config: Config, folder: Path) -> Any:
    """Where an hour with a key frame a minute is cut."""
    cuts = tuple(Cut(600 * minute, 60.0 * minute) for minute in range(61))
    return plan_parts(Layout("", 36001, 3600.0, 0.0, cuts), Needs(), config.scale)


def team(config: Config, folder: Path) -> Any:
    """How many workers are started."""
    workers = make_team("processes", Setup(), config.scale)
    workers.close()
    return workers.started


def tried(config: Config, folder: Path) -> Any:
    """How often a task is given out that ends every worker."""
    dying = Dying()
    told: list[Exception] = []
    Desk(dying, config.scale.attempts).run(iter([Task(Forget(Place("", "")), lambda *_: None, told.append)]))
    return dying.sent, len(told)


class Dying:
    """A worker that ends with whatever it is given, and another in its place."""

    def __init__(self) -> None:
        self.sent = 0

    @property
    def workers(self) -> tuple[int, ...]:
        return (self.sent,)

    def send(self, *_: Any) -> None:
        self.sent += 1

    def wait(self) -> Answer:
        return Answer(self.sent - 1, lost=True)

    def close(self) -> None:
        """Nothing is left."""


def left_in_cache(config: Config, folder: Path) -> Any:
    """What is in the cache after a clip was scored by a worker and is done with."""
    clip = walkers("kept", 3, length=40)
    calm = Config.build(
        {"cache": folder / "calm", "perception": {"boxes": {"source": "motion"}}, "method": {"parts": ["size"]}}
    )
    frames = folder / "frames"
    frames.mkdir(exist_ok=True)
    for frame in clip:
        cv2.imwrite(str(frames / f"{frame.index:03d}.png"), frame.image)
    model = learn(find_footage([frames]), config=calm)
    kept = replace(model, config=calm.model_copy(update={"scale": config.scale, "cache": folder / "cache"}))
    worker, place = Worker(scoring_setup(kept)), Place(str(frames), "frames")
    worker.do(Score(place, worker.do(Look(place)).layout, Part()))
    worker.do(Forget(place))
    worker.close()
    return sorted(path.name for path in (folder / "cache").glob("*"))


CHANGES = {
    "footage.fps": Change(25, 10, length_of_pictures),
    "footage.gap": Change(1.0, 0.5, steps),
    "perception.boxes.source": Change("motion", "file", boxes),
    "perception.boxes.network": Change("left.yaml", "right.yaml", networked),
    "perception.boxes.tiles": Change(1, 2, networked),
    "perception.boxes.motion_added": Change(True, False, networked),
    "perception.scenes.memory": Change(1, 2, viewed),
    "perception.scenes.hold": Change(0.2, 1, viewed),
    "perception.scenes.shift": Change(0.02, 0.5, viewed),
    "perception.scenes.contrast": Change(0.6, 0.1, viewed),
    "perception.scenes.sharpness": Change(0.9, 0.05, viewed),
    "perception.scenes.colour": Change(6, 200, viewed),
    "perception.scenes.frozen": Change(0.5, 5, viewed),
    "perception.masks.privacy": Change([], HALF, masked),
    "perception.masks.region": Change([], HALF, masked),
    "perception.boxes.path": Change("moving.npz", "other.npz", boxes),
    "perception.boxes.confidence": Change(0.3, 0.5, tidied),
    "perception.boxes.min_area": Change(50, 100, tidied),
    "perception.boxes.covered": Change(0.8, 1, tidied),
    "perception.boxes.motion.threshold": Change(18, 200, faint),
    "perception.boxes.motion.background": Change(16, 250, faint),
    "perception.boxes.motion.memory": Change(500, 5, faint),
    "perception.boxes.motion.close": Change(0.014, 0.12, faint),
    "perception.boxes.motion.min_area": Change(100, 500, boxes),
    "perception.boxes.motion.extend": Change(1, 5, boxes),
    "perception.boxes.motion.max_aspect": Change(10, 2, boxes),
    "perception.tracks.high": Change(0.5, 0.3, tracks),
    "perception.tracks.confirm": Change(1, 2, newborn),
    "perception.tracks.iou": Change(0.2, 0.9, tracks),
    "perception.tracks.lost": Change(0.6, 0.3, tracks),
    "perception.tracks.appearance": Change("none", "histogram", found_again),
    "perception.tracks.memory": Change(5, 2, found_again),
    "perception.tracks.trail": Change(60, 0.5, dwelt),
    "perception.flow.source": Change("dis", "network", flow),
    "perception.flow.network": Change("weak.onnx", "strong.onnx", flow),
    "perception.flow.preset": Change("ultrafast", "medium", flow),
    "perception.flow.scale": Change(1, 0.5, flow),
    "perception.features.source": Change("efficientnet-lite0", "eyes", features),
    "perception.features.size": Change(32, 48, features),
    "perception.features.every": Change(1, 2, features),
    "perception.clips.network": Change("efficientnet-lite0", "swin", clip_network),
    "perception.clips.weights": Change("first.pth", "second.pth", clip_features),
    "perception.clips.random": Change(False, True, clip_source),
    "perception.clips.size": Change(32, 48, clip_features),
    "perception.poses.source": Change("network", "everybody", posed),
    "perception.poses.path": Change("given_poses.npz", "other_poses.npz", posed),
    "perception.poses.every": Change(1, 4, posed),
    "perception.poses.smoothing": Change(0.1, 0, steadied),
    "perception.poses.least": Change(20, 40, posed),
    "perception.poses.scale": Change(1.25, 2, posed),
    "train.epochs": Change(None, 1, trained),
    "train.batch": Change(None, 8, trained),
    "train.rate": Change(None, 0.002, trained),
    "train.schedule": Change("step", "cosine", trained),
    "train.clip": Change(0, 0.01, trained),
    "train.precision": Change("32", "bf16", trained),
    "train.devices": Change(1, 2, trained),
    "train.holdout": Change(0.1, 0.5, trained),
    "train.choose": Change("best", "last", left_behind),
    "train.save_seconds": Change(300, 0, checkpoints),
    "scoring.persistence": Change(1, 3, scored),
    "scoring.along": Change(0, 5, scored),
    "scoring.smoothing": Change("gaussian:3", "none", scored),
    "scoring.causal": Change(False, True, scored),
    "scoring.holdout": Change(0.25, 0.6, scored),
    "scoring.budget": Change("2/day", "200/hour", scored),
    "scoring.release": Change(0.9, 0.4, events),
    "scoring.merge": Change(0.5, 3, events),
    "scoring.min_seconds": Change(0.2, 0.5, events),
    "report.video": Change("all", "none", reported),
    "report.events": Change(40, 1, reported),
    "scale.workers": Change(1, 2, team),
    "scale.part": Change(600, 1200, planned),
    "scale.overlap": Change(60, 120, planned),
    "scale.attempts": Change(1, 3, tried),
    "scale.keep": Change(False, True, left_in_cache),
    "bench.cameras": Change("each", "together", cameras),
    "device": Change("cpu", "cuda:99", device),
    "engine": Change("torch", "openvino", looked),
    "engine_precision": Change("f32", "bf16", looked),
    "seed": Change(0, 1, held_back),
    "cache": Change("first", "second", places),
    "method.parts": Change(["velocity", "size"], ["size", "place"], method),
    "method.combine": Change("max", "sum", method),
    "method.density": Change("neighbours", "mixture", method),
    "method.size_weight": Change(0.5, 0, method),
    "method.dwell_weight": Change(5.0, 0, method),
    "method.pose_weight": Change(5.0, 0, method_with_poses),
    "method.prior": Change(["usual.amiss"], ["usual.amiss", "fast.amiss"], borrowing),
    "method.prior_strength": Change(8, 80, borrowing),
    "method.neighbours": Change(5, 1, method),
    "method.memory": Change(1000, 32, method),
    "method.samples": Change(1000, 60, method),
    "method.crop": Change(16, 8, method),
    "method.examples": Change(96, 5, method),
}


PATHS = ("perception.boxes.path", "perception.poses.path")


def with_value(folder: Path, key: str, value: Any) -> Config:
    """The defaults with one key changed; names of files and folders lie in `folder`."""
    write_boxes(folder / "moving.npz", [MOVING])
    write_boxes(folder / "other.npz", [Rectangles("moving", MOVING.movers[:1], MOVING.length)])
    config = config_of(folder)
    values = config.model_dump()
    values["perception"]["scenes"] |= {"memory": 1.0}  # clips of tests are short
    values["perception"]["boxes"] |= {"path": folder / "moving.npz"}
    if key == "perception.tracks.memory":
        values["perception"]["tracks"]["appearance"] = "histogram"
    if key == "perception.flow.network":
        values["perception"]["flow"]["source"] = "network"
    if key in PATHS:
        values["perception"][key.split(".")[1]]["source"] = "file"
    group, steps = values, key.split(".")
    for step in steps[:-1]:
        group = group[step]
    group[steps[-1]] = folder / value if key in ("cache", *PATHS) else value
    return Config.build(values)


def test_every_setting_has_its_change() -> None:
    known = {key for key, *_ in setting_rows(Config)} | {
        f"method.{key}" for key, *_ in setting_rows(AttributesSettings)
    }
    assert known == CHANGES.keys()


@pytest.mark.parametrize("key", CHANGES)
def test_a_setting_changes_something(key: str, tmp_path: Path) -> None:
    change = CHANGES[key]
    first, again, second = (
        change.probe(with_value(tmp_path, key, value), tmp_path)
        for value in (change.first, change.first, change.second)
    )
    assert first != second
    if change.probe is not places:  # the second time it is there already
        assert first == again


def test_boxes_are_found_with_the_defaults(tmp_path: Path) -> None:
    for clip in (MOVING, FAINT):
        assert any(boxes(config_of(tmp_path), tmp_path, clip))
