"""Workers that jobs are given to: processes of this machine, or actors of a Ray cluster."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from amiss import __version__
from amiss.config import Config, ScaleConfig
from amiss.engine import Model, make_method, with_boxes
from amiss.errors import ConfigError
from amiss.scale.jobs import Answer, Job

__all__ = ["Setup", "Team", "learning_setup", "make_team", "scoring_setup"]


@dataclass(frozen=True)
class Setup:
    """What a worker is started with.

    Attributes:
        model: The files of the model by name; None where windows are made for learning.
        settings: All settings, for learning.
        method: Id of the method, for learning.
        fps: Frames per second of folders of frames.
        cache: Where what was seen is kept, if it is kept.
        keep: Whether it is kept.
        threads: That a worker may use.
        version: Of amiss.
    """

    model: Mapping[str, bytes] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    method: str = ""
    fps: float = 25.0
    cache: Path | None = None
    keep: bool = False
    threads: int = 1
    version: str = __version__


class Team(Protocol):
    """Workers, each of which takes one job at a time."""

    @property
    def workers(self) -> tuple[int, ...]:
        """The numbers of those that are there; one that is gone never comes back under its number."""

    def send(self, worker: int, job: Job) -> None:
        """Give a job to a worker that has none."""

    def wait(self) -> Answer:
        """Wait for the next answer. In the place of a worker that is gone, another is started.

        Raises:
            ClusterError: The cluster has gone away, or no worker can be started.
        """

    def close(self) -> None:
        """End the workers."""


def scoring_setup(model: Model) -> Setup:
    """For workers that score with a model, which they are sent as its files."""
    config = model.config
    return Setup(_files(model), fps=config.footage.fps, cache=config.cache, keep=config.scale.keep)


def learning_setup(config: Config, method: str) -> Setup:
    """For workers that make the windows that a method learns from.

    Args:
        config: All settings.
        method: Its id.
    """
    config = with_boxes(config)[0] if make_method(method, config).needs.boxes else config
    settings = config.model_dump(mode="json")
    return Setup(None, settings, method, config.footage.fps, config.cache, keep=True)


def _files(model: Model) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as passing:
        folder = Path(passing) / "model"
        model.save(folder)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make_team(on: str, setup: Setup, config: ScaleConfig) -> Team:
    """Start workers.

    Args:
        on: `processes`, `ray` for a cluster of this machine alone, or `ray://HOST:PORT` and `ray:auto` for one that
            runs.
        setup: What each is started with.
        config: How many.

    Raises:
        ConfigError: There is no such kind of team, or Ray is not installed.
        ClusterError: The cluster does not answer, or no worker can be started.
    """
    kind = on.partition(":")[0]
    if kind not in MAKERS:
        raise ConfigError(f"--on does not take {on!r}; give processes, ray, ray:auto or ray://HOST:PORT")
    return MAKERS[kind](on, setup, config)


def _processes(on: str, setup: Setup, config: ScaleConfig) -> Team:  # noqa: ARG001  # as the other
    from amiss.scale.processes import Processes

    return Processes(setup, config.workers or os.cpu_count() or 1)


def _ray(on: str, setup: Setup, config: ScaleConfig) -> Team:
    from amiss.scale.ray_team import RayTeam

    return RayTeam(on, setup, config.workers)


MAKERS: Mapping[str, Callable[[str, Setup, ScaleConfig], Team]] = {"processes": _processes, "ray": _ray}
