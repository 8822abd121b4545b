"""What a camera learns: when, from what, and which model it has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from amiss.config import Config
from amiss.config.load import nested
from amiss.engine import Model, make_method, with_boxes
from amiss.errors import AmissError, ConfigError, ModelError
from amiss.live.collect import block_times
from amiss.live.life import Course
from amiss.live.settings import CameraSettings
from amiss.live.sight import Gathering
from amiss.live.store.records import Life
from amiss.live.teach import Teacher

__all__ = ["School", "budgeted"]

LOG = logging.getLogger(__name__)

COUNT = 60.0
"""Seconds after which it is counted anew what there is to learn from."""
AGAIN = 600.0
"""Seconds after which a learning that came to nothing is tried again."""
KEPT = 3
"""Models that are kept, the newest."""


class School:
    """The learning of one camera, or the model that it was given.

    Args:
        settings: Of the camera.
        home: Folder of what it keeps.

    Raises:
        AmissError: The model cannot be used, or a setting of learning does not fit.
    """

    def __init__(self, settings: CameraSettings, home: Path) -> None:
        self._settings, self._home = settings, home
        self._given = budgeted(Model.load(settings.model), settings) if settings.model else None
        self.config = self._given.config if self._given else _config(settings)
        self._method = self._given.method.id if self._given else settings.learning.method
        self._teacher = Teacher(home / "windows", home / "models", self._method, self.config)
        self._counted = self._learned = 0.0
        self._not_before = 0.0
        self._waiting: Model | None = None
        self.collected = 0.0

    @property
    def learns(self) -> bool:
        """Whether it learns from what it sees: it was given no model."""
        return self._given is None

    @property
    def busy(self) -> bool:
        """Whether it is learning."""
        return self._teacher.busy

    def gathering(self) -> Gathering:
        """What makes windows where there is no model."""
        return Gathering(self._method, self.config)

    def model(self, after: float = 0.0) -> Model | None:
        """The model that it was given, or the newest that it learned.

        Args:
            after: Only if it was learned after this time, in seconds since 1970.
        """
        if self._given:
            return self._given
        for folder in reversed([path for path in self._models() if path.stat().st_mtime >= after]):
            try:
                return budgeted(Model.load(folder), self._settings)
            except ModelError as error:
                LOG.warning("%s; an older one is taken", error)
        return None

    def _models(self) -> list[Path]:
        return sorted((self._home / "models").glob("*.amiss"))

    def tick(
        self, now: float, course: Course, spoiled: Callable[[], Sequence[tuple[float, float]]], *, going_on: bool
    ) -> Model | None:
        """Learn when it is time; gives a model that has just been learned, not in the middle of an event.

        Args:
            now: Seconds since 1970.
            course: Where the camera is in its life.
            spoiled: Gives stretches of time that are no example of normal.
            going_on: Whether an event goes on.
        """
        if not self.learns:
            return None
        if done := self._teacher.done():
            self._finish(done, now)
        if now - self._counted >= COUNT and not self._teacher.busy:
            self._counted = now
            self.collected = sum(hours for _, hours in block_times(self._home / "windows").values())
            if self._due(now, course):
                self._teacher.start(f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}", spoiled())
        if going_on or self._waiting is None:
            return None
        model, self._waiting = self._waiting, None
        return model

    def _due(self, now: float, course: Course) -> bool:
        """Whether it is time to learn, for the first time or anew."""
        rules = self._settings.learning
        if now < self._not_before or self.collected < rules.collect:
            return False
        if course.life is Life.COLLECTING:
            return True
        return course.life is not Life.FROZEN and rules.every > 0 and now - self._last_learned() >= rules.every * 3600

    def _last_learned(self) -> float:
        models = self._models()
        return max(self._learned, models[-1].stat().st_mtime if models else 0.0)

    def _finish(self, done: tuple[Path | None, str], now: float) -> None:
        folder, why = done
        self._counted = 0.0
        if folder is None:
            self._not_before = now + AGAIN
            LOG.warning("learning came to nothing: %s", why)
            return
        try:
            self._waiting = budgeted(Model.load(folder), self._settings)
        except AmissError as error:
            self._not_before = now + AGAIN
            LOG.warning("what was learned cannot be used: %s", error)
            return
        self._learned = now
        for old in self._models()[:-KEPT]:
            _remove(old)

    def forget(self) -> None:
        """Give up what is being learned, and what was but is not used yet."""
        self._teacher.stop()
        self._waiting, self._counted, self._not_before = None, 0.0, 0.0

    def close(self) -> None:
        """Give up what is being learned."""
        self._teacher.stop()


def budgeted(model: Model, settings: CameraSettings) -> Model:
    """The model with the camera's own alarm budget, if it has one.

    Raises:
        ConfigError: The budget cannot be read.
        ModelError: The model keeps nothing to set a budget by.
    """
    if settings.budget is None or settings.budget == model.config.scoring.budget:
        return model
    scoring = model.config.scoring.model_copy(update={"budget": settings.budget})
    return model.with_settings(model.config.model_copy(update={"scoring": scoring}), ("scoring.budget",))


def _config(settings: CameraSettings) -> Config:
    """The settings of learning, with a box source that can be used here.

    Raises:
        ConfigError: A setting does not fit, or the method needs more than what is collected live.
    """
    given = settings.learning.settings
    budget = {"scoring.budget": settings.budget} if settings.budget else {}
    config = Config.build(nested({**given, **budget}))
    needs = make_method(settings.learning.method, config).needs
    if needs.members:
        raise ConfigError(
            f"learning.method does not take {settings.learning.method}, as windows of one method are collected; learn "
            "it from videos with `amiss learn`, and give the folder as the camera's model"
        )
    return with_boxes(config)[0] if needs.boxes else config


def _remove(folder: Path) -> None:
    """Delete a model folder: its index first, so that a half-deleted one is none."""
    (folder / "model.json").unlink(missing_ok=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    folder.rmdir()
