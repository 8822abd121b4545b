"""Scores archives: gives out the parts of all clips, puts what comes back together, keeps what is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from amiss.datasets.sealed import sealed
from amiss.engine import Model
from amiss.engine.score import Settled, keep_scores, kept_key, settle
from amiss.errors import AmissError, ConfigError, ModelError, StorageError, WeightsError
from amiss.footage.absent import AbsentFootage
from amiss.methods.base import Progress
from amiss.perception.cache import content_key
from amiss.scale.desk import Desk, Task
from amiss.scale.jobs import Forget, Look, PartScores, Place, Score, Show, Sight
from amiss.scale.join import Joined, join
from amiss.scale.ledger import Ledger
from amiss.scale.plan import Part, plan_parts
from amiss.scale.team import Team
from amiss.types import Windows

__all__ = ["Archive", "score_archive"]

FIRST, NEXT, LAST = 0, 1, 2
"""Ranks: what finishes a clip, what goes on with one, and what begins one."""


GENERAL = (ConfigError, ModelError, StorageError, WeightsError)
"""What is not wrong with one clip."""


@dataclass(eq=False)
class _Clip:
    """A clip while it is worked on."""

    place: Place
    sight: Sight
    key: str
    parts: tuple[Part, ...]
    scores: dict[int, PartScores] = field(default_factory=dict)
    workers: dict[int, int] = field(default_factory=dict)
    hands: set[int] = field(default_factory=set)
    joined: Joined | None = None
    settled: Settled | None = None
    shown: dict[tuple[int, int], Windows] = field(default_factory=dict)
    wanted: set[tuple[int, int]] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        """Of its scores, within that of the archive's."""
        return Path("parts") / self.place.name

    def part_key(self, part: Part) -> str:
        """Of a part's scores."""
        return content_key(self.key, part.number)

    def part_of(self, frame: int) -> Part:
        """The part that answers for a frame."""
        return next(part for part in self.parts if part.stop is None or frame < part.stop)


@dataclass(frozen=True)
class Archive:
    """What became of an archive.

    Attributes:
        folder: Of its scores; those of each clip in `parts/CLIP`.
        places: The clips that are scored, in the order given.
        failures: What was wrong with each of the others, by its place.
        fresh: How many were scored now, and not before.
    """

    folder: Path
    places: tuple[Place, ...]
    failures: Mapping[str, str]
    fresh: int

    def folder_of(self, place: Place) -> Path:
        """Where the scores of a clip are."""
        return self.folder / "parts" / place.name


@sealed("scores")
def score_archive(model: Model, places: Sequence[Place], out: Path, team: Team, progress: Progress) -> Archive:
    """Score clips on a team; what an earlier run has finished is kept.

    A clip that cannot be scored does not keep the others from it.

    Args:
        model: The model, the same that the team was set up with.
        places: The clips.
        out: Folder of scores and ledger.
        team: The workers.
        progress: Told how many clips are done.

    Raises:
        ClusterError: The workers are gone for good.
        BusyError: Another run writes to the folder.
        StorageError: The folder cannot be written.
    """
    ledger = Ledger(out)
    try:
        return _Driver(model, out, Desk(team, model.config.scale.attempts), ledger, progress).run(places)
    finally:
        ledger.close()


class _Driver:
    """Follows every clip from the first look at it to its scores on disk."""

    def __init__(self, model: Model, out: Path, desk: Desk, ledger: Ledger, progress: Progress) -> None:
        self._model, self._out, self._desk, self._ledger, self._progress = model, out, desk, ledger, progress
        self._print = model.fingerprint()
        self._failures: dict[str, str] = {}
        self._done: set[str] = set()
        self._fresh = 0
        self._total = 0

    def run(self, places: Sequence[Place]) -> Archive:
        """Score all of them."""
        self._total = len(places)
        self._progress("scoring clips", 0, self._total)
        self._desk.run(map(self._look, places))
        done = tuple(place for place in places if place.url in self._done)
        return Archive(self._out, done, dict(self._failures), self._fresh)

    def _look(self, place: Place) -> Task:
        job = Look(place, self._ledger.sight(place.url))
        return Task(job, partial(self._seen, place), partial(self._fail, place), LAST, elsewhere=True)

    def _seen(self, place: Place, sight: Sight, worker: int) -> None:
        self._ledger.saw(place.url, sight)
        parts = plan_parts(sight.layout, self._model.needs, self._model.config.scale)
        whole = content_key(self._print, sight.key)
        clip = _Clip(place, sight, whole if len(parts) == 1 else content_key(whole, parts), parts)
        clip.hands.add(worker)
        if kept_key(self._out / clip.folder) == clip.key:
            self._finished(clip)
            return
        for part in parts:
            stored = self._ledger.part(clip.part_key(part)) if len(parts) > 1 else None
            if stored:
                clip.scores[part.number] = stored
            else:
                self._ask(clip, part)
        self._settle(clip)

    def _ask(self, clip: _Clip, part: Part) -> None:
        job = Score(clip.place, clip.sight.layout, part)
        self._desk.add(
            Task(job, partial(self._scored, clip, part), partial(self._fail, clip.place), NEXT, elsewhere=True)
        )

    def _scored(self, clip: _Clip, part: Part, scores: PartScores, worker: int) -> None:
        if len(clip.parts) > 1:
            file = clip.folder / f"part-{part.number:05d}.parquet"
            self._ledger.keep(clip.part_key(part), clip.place.url, file, scores)
        clip.scores[part.number], clip.workers[part.number] = scores, worker
        clip.hands.add(worker)
        self._settle(clip)

    def _settle(self, clip: _Clip) -> None:
        """Find the events of a clip whose parts are all scored, and ask for what explains them."""
        if len(clip.scores) < len(clip.parts) or clip.place.url in self._failures:
            return
        clip.joined = join(clip.parts, [clip.scores[part.number] for part in clip.parts])
        clip.settled = settle(self._model, clip.joined.regions, clip.joined.clock)
        clip.scores.clear()
        worst = [clip.settled.worst(span) for span in clip.settled.spans]
        clip.wanted = {(int(one.track[0]), int(one.frame[0])) for one in worst if len(one)}
        for track, frame in clip.wanted:
            self._show(clip, track, frame)
        if not clip.wanted:
            self._write(clip)

    def _show(self, clip: _Clip, track: int, frame: int) -> None:
        part = clip.part_of(frame)
        own = clip.joined.known[part.number].get(track, track) if clip.joined else track
        job = Show(clip.place, clip.sight.layout, part, own, frame)
        done, failed = partial(self._showed, clip, (track, frame)), partial(self._fail, clip.place)
        self._desk.add(Task(job, done, failed, FIRST, clip.workers.get(part.number), elsewhere=True))

    def _showed(self, clip: _Clip, which: tuple[int, int], windows: Windows, worker: int) -> None:
        clip.hands.add(worker)
        clip.shown[which] = windows
        if len(clip.shown) == len(clip.wanted):
            self._write(clip)

    def _write(self, clip: _Clip) -> None:
        if clip.settled is None or clip.place.url in self._failures:
            return
        absent = AbsentFootage(Path(clip.place.url), clip.place.name, len(clip.settled.frames), 1.0)
        scores = clip.settled.scores(self._model, absent, lambda track, frame: clip.shown[track, frame])
        keep_scores(self._out / clip.folder, clip.key, scores)
        self._ledger.forget(clip.place.url)
        self._fresh += 1
        self._finished(clip)

    def _finished(self, clip: _Clip) -> None:
        """A clip is done; its workers may drop what they keep of it."""
        for worker in clip.hands:
            self._desk.add(Task(Forget(clip.place), lambda *_: None, lambda _: None, FIRST, worker))
        self._done.add(clip.place.url)
        self._told()

    def _fail(self, place: Place, error: Exception) -> None:
        """Note what is wrong with a clip; what would be wrong with every clip ends the run."""
        if isinstance(error, GENERAL):
            raise error
        if place.url not in self._failures:
            known = isinstance(error, AmissError)
            self._failures[place.url] = str(error) if known else f"{type(error).__name__}: {error}"
            self._told()

    def _told(self) -> None:
        self._progress("scoring clips", len(self._done) + len(self._failures), self._total)
