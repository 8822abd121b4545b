"""Looking at the footage to learn from, by many workers; the learning itself needs all of it in one place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from amiss.errors import StorageError
from amiss.footage import Footage
from amiss.methods.base import Progress
from amiss.perception.cache import Cache, default_cache
from amiss.pipeline import Pipeline
from amiss.scale.desk import Desk, Task
from amiss.scale.jobs import Fetch, Perceive, Place
from amiss.scale.team import Team
from amiss.storage import whole_folder
from amiss.windows.store import WindowPart

__all__ = ["Perceiver"]


class Perceiver:
    """Makes the windows of clips on a team, each by one worker, and leaves them in this machine's cache.

    What is found is what one process finds: clips are not cut. Windows that workers of other machines leave in their
    own caches are copied.

    Args:
        team: The workers, set up with the settings that the learning has.
        attempts: How often a clip is tried that ended its worker.
        cache: Of this machine; the default when left out.
    """

    def __init__(self, team: Team, attempts: int, cache: Path | None) -> None:
        self._team, self._desk = team, Desk(team, attempts)
        self._cache = Cache((cache or default_cache()) / "windows")
        self._done: set[int] = set()

    def __call__(self, footage: Sequence[Footage], pipeline: Pipeline, progress: Progress) -> list[WindowPart]:
        """The windows of every clip.

        Raises:
            FootageError: A clip cannot be read to its end.
            ClusterError: The workers are gone for good.
            StorageError: The windows cannot be copied here.
        """
        progress("looking at clips", 0, len(footage))
        known = {number: entry for number, item in enumerate(footage) if (entry := pipeline.cached(item))}
        tasks = (self._task(n, item, len(footage), progress) for n, item in enumerate(footage) if n not in known)
        self._desk.run(tasks)
        return [known.get(number) or self._part(item, pipeline) for number, item in enumerate(footage)]

    def _task(self, number: int, item: Footage, total: int, progress: Progress) -> Task:
        place = Place(str(item.path.absolute()), item.name)

        def done(keys: tuple[str, ...], worker: int) -> None:
            self._done.add(number)
            progress("looking at clips", len(self._done), total)
            for key in (key for key in keys if self._cache.find(key) is None):
                _Copy(self._desk, self._cache, place, key, worker).begin()

        return Task(Perceive(place), done, _raise, elsewhere=True)

    def _part(self, item: Footage, pipeline: Pipeline) -> WindowPart:
        part = pipeline.cached(item)
        if part is None:
            raise StorageError(f"the windows of {item.name} are gone; is something cleaning {self._cache.root}?")
        return part


class _Copy:
    """Copies an entry of a worker's cache, piece by piece."""

    def __init__(self, desk: Desk, cache: Cache, place: Place, key: str, worker: int) -> None:
        self._desk, self._cache, self._place, self._key, self._worker = desk, cache, place, key, worker
        self._left: list[str] = []
        self._folder = cache.root / f".{key}.copied"

    def begin(self) -> None:
        """Ask for the list of files."""
        self._ask(Fetch(self._place, self._key), self._listed)

    def _ask(self, job: Fetch, done: object) -> None:
        self._desk.add(Task(job, done, _raise, 0, self._worker))  # type: ignore[arg-type]  # takes what Fetch gives

    def _listed(self, names: list[str], _: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._left = names
        self._next()

    def _next(self) -> None:
        if self._left:
            (self._folder / self._left[0]).unlink(missing_ok=True)
            self._ask(Fetch(self._place, self._key, self._left[0]), self._got)
            return
        with whole_folder(self._cache.root / self._key) as partial:
            for path in self._folder.iterdir():
                path.rename(partial / path.name)
        self._folder.rmdir()

    def _got(self, piece: bytes, _: int) -> None:
        path = self._folder / self._left[0]
        with path.open("ab") as file:
            file.write(piece)
        if piece:
            self._ask(Fetch(self._place, self._key, path.name, path.stat().st_size), self._got)
        else:
            self._left.pop(0)
            self._next()


def _raise(error: Exception) -> None:
    raise error
