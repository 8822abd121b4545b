"""What a worker does: it holds the model once, and takes one job at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from amiss.config import Config
from amiss.engine import Model, make_method
from amiss.engine.score import raw_regions
from amiss.errors import ConfigError
from amiss.footage import Footage, FrameFolder, VideoFile, make_footage
from amiss.footage.cuts import Layout, lay_out
from amiss.perception.cache import content_key, default_cache
from amiss.pipeline import Pipeline
from amiss.scale.jobs import Fetch, Forget, Job, Look, PartScores, Perceive, Place, Score, Show, Sight
from amiss.scale.plan import Part
from amiss.scale.remote import LocalCopies
from amiss.scale.scratch import Scratch
from amiss.scale.team import Setup
from amiss.types import Windows
from amiss.windows.needs import Needs
from amiss.windows.store import WindowPart

__all__ = ["Worker"]

PIECE = 64 << 20
"""Bytes of a cache entry that are sent at once."""


class Worker:
    """Does jobs, one at a time.

    Args:
        setup: The model or the settings to work with.

    Raises:
        ModelError: The model was made by another version.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._scratch = Scratch()
        self._copies = LocalCopies(self._scratch.path / "footage")
        self._ways: Mapping[type[Any], Callable[[Any], Any]] = {
            Look: self._look,
            Score: self._score,
            Show: self._show,
            Perceive: self._perceive,
            Fetch: self._fetch,
            Forget: self._forget,
        }

    def do(self, job: Job) -> Any:
        """The answer to a job.

        Raises:
            AmissError: It cannot be done.
        """
        return self._ways[type(job)](job)

    def close(self) -> None:
        """Remove what only this worker needed."""
        self._scratch.close()

    @cached_property
    def _model(self) -> Model:
        if self._setup.model is None:
            raise ConfigError("the workers were started without a model")
        folder = self._scratch.path / "model"
        for name, data in self._setup.model.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return Model.load(folder)

    @cached_property
    def _work(self) -> tuple[Config, Needs]:
        """The settings, and what the method asks for."""
        if self._setup.model is not None:
            return self._model.config, self._model.needs
        config = Config.build(dict(self._setup.settings))
        return config, make_method(self._setup.method, config).needs

    def _pipeline(self, place: Place) -> Pipeline:
        config, needs = self._work
        return Pipeline(config.model_copy(update={"cache": self._cache(place)}), needs)

    def _cache(self, place: Place) -> Path:
        """Where what is seen of a clip is kept: for good, or until the clip is done."""
        if self._setup.keep:
            return self._setup.cache or default_cache()
        return self._scratch.path / "cache" / content_key(place.url)

    def _whole(self, place: Place, content: str | None = None) -> Footage:
        """The footage, without reading it for its fingerprint where that is known."""
        path = self._copies.path(place.url)
        found = make_footage(path, self._setup.fps, place.name)
        if isinstance(found, VideoFile):
            return VideoFile(path, place.name, content)
        return FrameFolder(path, self._setup.fps, place.name, content) if isinstance(found, FrameFolder) else found

    def _footage(self, place: Place, layout: Layout, part: Part) -> Footage:
        whole = self._whole(place, layout.fingerprint)
        return whole if part.cut is None else layout.span(whole, part.cut, part.end or layout.frames)

    def _look(self, job: Look) -> Sight:
        stamp = self._copies.stamp(job.place.url)
        known = job.known.layout if job.known and job.known.stamp == stamp else None
        whole = self._whole(job.place, known.fingerprint if known else None)
        layout = known or lay_out(whole)
        whole = self._whole(job.place, layout.fingerprint)
        return Sight(layout, stamp, _key(self._pipeline(job.place), whole))

    def _part(self, job: Score | Show) -> WindowPart:
        return self._seen(job.place, self._footage(job.place, job.layout, job.part))

    def _seen(self, place: Place, footage: Footage) -> WindowPart:
        pipeline = self._pipeline(place)
        return pipeline.part(pipeline.masked(footage))

    def _score(self, job: Score) -> PartScores:
        part = self._part(job)
        first = 0 if job.part.cut is None else job.layout.cuts[job.part.cut].frame
        regions = raw_regions(self._model, part)
        if job.part.stop is not None:
            regions = regions[regions.frame < job.part.stop]
        return PartScores(regions, first, np.array(part.clock, np.float64))

    def _show(self, job: Show) -> Windows:
        return self._part(job).of(job.track, job.frame)

    def _perceive(self, job: Perceive) -> tuple[str, ...]:
        return self._seen(job.place, self._whole(job.place)).keys

    def _fetch(self, job: Fetch) -> list[str] | bytes:
        folder = self._cache(job.place) / "windows" / job.key
        if not job.file:
            return sorted(path.name for path in folder.iterdir())
        with (folder / job.file).open("rb") as file:
            file.seek(job.start)
            return file.read(PIECE)

    def _forget(self, job: Forget) -> None:
        self._copies.drop(job.place.url)
        if not self._setup.keep:
            shutil.rmtree(self._cache(job.place), ignore_errors=True)


def _key(pipeline: Pipeline, footage: Footage) -> str:
    return pipeline.key(pipeline.masked(footage))
