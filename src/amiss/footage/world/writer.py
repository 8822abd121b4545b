"""Writes the world as a data set: films, and the truth beside them.

::

    DIR/world.json                    settings; per clip: name, split, place, act, label 0 or 1, seed, number, rate,
                                      frames, size, and the tubes of its abnormal acts
    DIR/training/plaza_01.mp4 …       everyday life only
    DIR/weak/plaza_01.mp4 …           clips to learn from in which something abnormal happens, for methods that are
                                      told so; only if there are any
    DIR/testing/plaza_01.mp4 …        everyday life, and clips in which something abnormal happens
    DIR/frame_labels.npz              testing clip → (T,) uint8, 1 = something abnormal is seen
    DIR/masks.npz                     testing clip → (T, H, W) bool, its visible pixels
    DIR/boxes_{training,weak,testing}.npz  NAME_boxes (n, 4) float32 xyxy pixels; NAME_frame_ptr (T + 1,) int64, where
                                      each frame's rows begin; NAME_track (n,) int64; NAME_label (n,) int16, a `Label`;
                                      NAME_abnormal (n,) bool
    DIR/poses_{training,weak,testing}.npz  NAME_joints (m, 17, 3) float32 COCO x, y, confidence; NAME_frame_ptr;
                                      NAME_track

`world.json` is written last, so a folder that has it is whole. What is finished of an interrupted run is kept in
`DIR/.parts` and used by the next run with the same settings.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from amiss.errors import ConfigError, DatasetError, StorageError
from amiss.footage.world.archive import Archive, archive, whole
from amiss.footage.world.footage import VERSION, World
from amiss.footage.world.places import find_place
from amiss.footage.world.truth import Scene, incident_tubes
from amiss.types import Tube

__all__ = ["Clip", "plan_world", "write_world"]

_RATE = 25.0
_TICKS = 12800


@dataclass(frozen=True)
class Clip:
    """A clip to be written.

    Attributes:
        name: Place and number.
        split: "training", "weak" or "testing".
        place: Its place.
        act: Its abnormal act, None for everyday life.
        number: Number of the clip in the world, so that no two show the same.
        alone: No second act follows.
        allowed: The act belongs to everyday life in this place.
    """

    name: str
    split: str
    place: str
    act: str | None
    number: int
    alone: bool = False
    allowed: bool = False


class _Settings(NamedTuple):
    """What decides the content of a data set."""

    version: int
    seed: int
    normal: int
    abnormal: int
    weak: int
    seconds: float
    rate: float
    size: tuple[int, int]
    places: tuple[str, ...]
    acts: tuple[str, ...]
    allowed: tuple[str, ...]


def plan_world(
    normal: int,
    abnormal: int,
    places: Sequence[str],
    acts: Sequence[str] = (),
    allowed: Sequence[str] = (),
    weak: int = 0,
) -> list[Clip]:
    """The clips of a data set, training first; places and their acts take turns.

    With `allowed` an act is abnormal or not by where it happens: in those places every other training clip has one, and
    their testing clips count as normal.

    Args:
        normal: Clips for training.
        abnormal: Clips for testing in which something happens; a third as many without are added.
        places: Names of places.
        acts: The acts that happen, one a clip; with none, all that a place's table has, and sometimes two in a clip.
        allowed: Places in which these acts belong to everyday life.
        weak: Further clips to learn from, in which something happens.

    Raises:
        ConfigError: There is no such place or act, none is named, one is named twice, or a number is negative.
    """
    if not places or len(set(places)) != len(places):
        raise ConfigError("name each place of the world once, such as plaza,platform,crossing")
    if min(normal, abnormal, weak) < 0 or normal + abnormal + weak == 0:
        raise ConfigError(f"a world has some clips, not {normal} normal and {abnormal} abnormal ones")
    found = [find_place(name) for name in places]
    if allowed and not (acts and set(allowed) <= set(places)):
        raise ConfigError("say which acts are allowed, and of which of the world's places")
    known = {act for place in found for act in place.abnormal}
    if strange := [act for act in acts if act not in known]:
        raise ConfigError(f"no place here has the act {strange[0]!r}; choose of: {', '.join(sorted(known))}")
    clips = []
    for number in range(normal):
        place, turn = found[number % len(found)], number // len(found)
        usual = place.name in allowed
        act = _turn(place.abnormal, acts, turn // 2) if usual and turn % 2 == 0 else None
        clips.append(Clip(_name(places, number), "training", place.name, act, number, bool(acts), usual))
    for number in range(weak):
        place, turn = found[number % len(found)], number // len(found)
        act = _turn(place.abnormal, acts, turn)
        clips.append(Clip(_name(places, number), "weak", place.name, act, 20_000 + number, bool(acts)))
    calm = -(-abnormal // 3)
    for number in range(abnormal + calm):
        place, turn = found[number % len(found)], number // len(found)
        act = _turn(place.abnormal, acts, turn) if number < abnormal else None
        usual = place.name in allowed
        clips.append(Clip(_name(places, number), "testing", place.name, act, 10_000 + number, bool(acts), usual))
    return clips


def _turn(table: Sequence[str], acts: Sequence[str], turn: int) -> str | None:
    """The act whose turn it is, of those of a place's table that are wanted; None if it has none of them."""
    wanted = [act for act in table if act in acts or not acts]
    return wanted[turn % len(wanted)] if wanted else None


def _name(places: Sequence[str], number: int) -> str:
    return f"{places[number % len(places)]}_{number // len(places) + 1:02d}"


def write_world(
    out: Path,
    *,
    seed: int = 0,
    normal: int = 6,
    abnormal: int = 6,
    seconds: float = 20.0,
    places: Sequence[str] = ("plaza", "platform", "crossing"),
    acts: Sequence[str] = (),
    allowed: Sequence[str] = (),
    weak: int = 0,
    progress: Callable[[int, int], None] | None = None,
    rate: float = _RATE,
    size: tuple[int, int] = (640, 360),
) -> None:
    """Write films of the world with full truth into a folder, in the layout above.

    Args:
        out: The folder; made where it is missing.
        seed: Decides everything: the same seed and settings give the same frames and truth.
        normal: Training clips.
        abnormal: Testing clips with abnormal acts; a third as many without are added.
        seconds: Length of each clip.
        places: Names of the places, which take turns.
        acts: The acts that happen, one a clip; with none, all that a place's table has, and sometimes two in a clip.
        allowed: Places in which these acts belong to everyday life, in training and in testing.
        weak: Clips to learn from with abnormal acts, for methods that are told which they are.
        progress: Called with the number of finished frames and of all frames.
        rate: Frames a second.
        size: Width and height in pixels.

    Raises:
        ConfigError: A setting is out of range, or there is no such place.
        DatasetError: The folder holds something else, or a world with other settings.
        StorageError: The disk is full or cannot be written.
    """
    clips = plan_world(normal, abnormal, places, acts, allowed, weak)
    asked = float(seconds), float(rate), size, tuple(places), tuple(acts), tuple(allowed)
    settings = _Settings(VERSION, seed, normal, abnormal, weak, *asked)
    worlds = {clip: _world(clip, settings) for clip in clips}
    if _finished(out, settings):
        return
    parts = _workbench(out, settings)
    total, done = sum(world.length for world in worlds.values()), 0
    for clip, world in worlds.items():
        if not _note(parts, clip).exists():
            _write_clip(out, parts, clip, world, _ticker(progress, done, total))
        done += world.length
        _tick(progress, done, total)
    _gather(out, parts, clips)
    facts = [json.loads(_note(parts, clip).read_text()) for clip in clips]
    with whole(out / "world.json") as draft:
        draft.write_text(json.dumps({"settings": settings._asdict(), "clips": facts}, indent=1) + "\n")
    shutil.rmtree(parts, ignore_errors=True)


def _world(clip: Clip, settings: _Settings) -> World:
    return World(
        clip.place, seed=settings.seed, act=clip.act, seconds=settings.seconds, rate=settings.rate, size=settings.size,
        name=clip.name, clip=clip.number, alone=clip.alone, allowed=clip.allowed,
    )  # fmt: skip


def _tick(progress: Callable[[int, int], None] | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


def _ticker(progress: Callable[[int, int], None] | None, before: int, total: int) -> Callable[[int], None]:
    """What reports a frame of the current clip."""
    return lambda index: _tick(progress, before + index, total)


def _plain(settings: _Settings) -> Any:
    """The settings as they look after a way through JSON."""
    return json.loads(json.dumps(settings._asdict()))


def _finished(out: Path, settings: _Settings) -> bool:
    """Whether the folder holds exactly this world already."""
    path = out / "world.json"
    if not path.exists():
        return False
    try:
        found = json.loads(path.read_text())["settings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path} cannot be read ({error}); remove the folder or choose another") from error
    if found != _plain(settings):
        raise DatasetError(f"{out} holds a world with other settings; remove it or choose another folder")
    return True


def _workbench(out: Path, settings: _Settings) -> Path:
    """Where finished parts are kept until all are there; parts of other settings are thrown away."""
    parts = out / ".parts"
    note = parts / "settings.json"
    try:
        if parts.exists() and not (note.exists() and json.loads(note.read_text()) == _plain(settings)):
            for stale in (out / "training", out / "weak", out / "testing"):
                shutil.rmtree(stale, ignore_errors=True)
            shutil.rmtree(parts)
        if not parts.exists() and out.exists() and any(path.suffix != ".part" for path in out.iterdir()):
            raise DatasetError(f"{out} is not empty and holds no world; choose an empty or a new folder")
        parts.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot write {out}: {error.strerror or error}; choose another place") from error
    with whole(note) as draft:
        draft.write_text(json.dumps(_plain(settings)))
    return parts


def _write_clip(out: Path, parts: Path, clip: Clip, world: World, tick: Callable[[int], None]) -> None:
    """One clip: its film, its truth, and last the note that says it is finished."""
    truth = _Truth()
    shape = world.length, world.size[1], world.size[0]
    with (
        whole(out / clip.split / f"{clip.name}.mp4") as film,
        archive(parts / f"{clip.split}_{clip.name}.npz") as pack,
    ):
        with pack.pieces("masks", shape, np.bool_) as put, av.open(str(film), "w", format="mp4") as target:
            stream = _stream(target, world)
            for scene in world.scenes():
                truth.add(scene)
                put(scene.mask)
                _encode(target, stream, scene)
                tick(scene.frame.index)
            target.mux(stream.encode(None))
        truth.pack(pack)
    fact = asdict(clip) | {
        "label": int(clip.act is not None and not clip.allowed),
        "seed": world.seed,
        "rate": world.rate,
    }
    fact |= {"frames": world.length, "size": list(world.size), "tubes": truth.tubes(world)}
    with whole(_note(parts, clip)) as draft:
        draft.write_text(json.dumps(fact))


def _note(parts: Path, clip: Clip) -> Path:
    """The file that is there once a clip is finished."""
    return parts / f"{clip.split}_{clip.name}.json"


def _stream(target: av.container.OutputContainer, world: World) -> Any:
    """An H.264 stream; the fixed number of threads keeps its bytes the same on any machine."""
    stream: Any = target.add_stream("libx264", rate=Fraction(world.rate).limit_denominator(1001))
    stream.width, stream.height = world.size
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, _TICKS)
    stream.codec_context.time_base = Fraction(1, _TICKS)
    stream.codec_context.thread_count = 2
    stream.options = {"crf": "20", "preset": "veryfast"}
    return stream


def _encode(target: av.container.OutputContainer, stream: Any, scene: Scene) -> None:
    """Encode a frame at its own time."""
    picture = av.VideoFrame.from_ndarray(scene.frame.image, format="rgb24")
    picture.pts = round(scene.frame.seconds * _TICKS)
    picture.time_base = Fraction(1, _TICKS)
    target.mux(stream.encode(picture))


class _Truth:
    """What a clip's truth files hold, gathered frame by frame without the pictures."""

    def __init__(self) -> None:
        self._boxes: list[NDArray[Any]] = []
        self._rows: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
        self._joints: list[NDArray[Any]] = []
        self._owners: list[NDArray[Any]] = []
        self._tubes: dict[int, list[Tube]] = {}

    def add(self, scene: Scene) -> None:
        """Take over a frame's truth."""
        self._boxes.append(scene.boxes.xyxy)
        self._rows.append((scene.boxes.track, scene.boxes.label, scene.abnormal))
        self._joints.append(scene.poses.joints)
        self._owners.append(scene.poses.track)
        for number, tube in incident_tubes([scene]).items():
            self._tubes.setdefault(number, []).append(tube)

    def pack(self, target: Archive) -> None:
        """Write everything under the names it has in the data set, without the clip's name."""
        track, label, abnormal = (np.concatenate(column) for column in zip(*self._rows, strict=True))
        target.add("boxes", np.concatenate(self._boxes).astype(np.float32))
        target.add("boxes_ptr", _starts(self._boxes))
        target.add("track", track)
        target.add("label", label)
        target.add("abnormal", abnormal)
        target.add("joints", np.concatenate(self._joints).astype(np.float32))
        target.add("joints_ptr", _starts(self._joints))
        target.add("owner", np.concatenate(self._owners))
        target.add("frame_labels", np.array([row[2].any() for row in self._rows], np.uint8))

    def tubes(self, world: World) -> list[dict[str, Any]]:
        """The abnormal acts as they stand in `world.json`."""
        acts = {incident.number: incident.act for incident in world.incidents}
        return [_plain_tube(acts[number], Tube.merge(pieces)) for number, pieces in sorted(self._tubes.items())]


def _plain_tube(act: str, tube: Tube) -> dict[str, Any]:
    """A tube as it stands in `world.json`; `end` is its last frame."""
    span = {"act": act, "start": int(tube.frame[0]), "end": int(tube.frame[-1])}
    return span | {"frame": tube.frame.tolist(), "track": tube.track.tolist(), "xyxy": tube.xyxy.tolist()}


def _starts(pieces: list[NDArray[Any]]) -> NDArray[np.int64]:
    """`(T + 1,)` where each frame's rows begin."""
    return np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int64)


_FILES = {
    "boxes": {"boxes": "boxes", "boxes_ptr": "frame_ptr", "track": "track", "label": "label", "abnormal": "abnormal"},
    "poses": {"joints": "joints", "joints_ptr": "frame_ptr", "owner": "track"},
}


def _gather(out: Path, parts: Path, clips: list[Clip]) -> None:
    """Put the truth of all clips together, without any of it in memory."""
    for split in ("training", "weak", "testing"):
        here = [clip for clip in clips if clip.split == split]
        if split == "weak" and not here:
            continue
        for file, columns in _FILES.items():
            names = {column: f"_{name}" for column, name in columns.items()}
            _collect(out / f"{file}_{split}.npz", parts, here, names)
    testing = [clip for clip in clips if clip.split == "testing"]
    for file in ("frame_labels", "masks"):
        _collect(out / f"{file}.npz", parts, testing, {file: ""})


def _collect(path: Path, parts: Path, clips: list[Clip], names: dict[str, str]) -> None:
    """One archive of the arrays `names` of several clips, each under the clip's name and what follows it."""
    with archive(path) as target:
        for clip in clips:
            with zipfile.ZipFile(parts / f"{clip.split}_{clip.name}.npz") as source:
                for column, suffix in names.items():
                    target.copy(source, column, clip.name + suffix)
