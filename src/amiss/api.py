"""amiss as a library: learn, score, stream, report. The command line is a thin coat over these calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amiss import engine
from amiss.config import Config, load_config
from amiss.datasets import read_video_labels
from amiss.engine.learn import Hands
from amiss.engine.progress import silent
from amiss.footage import Footage, find_footage, open_footage
from amiss.methods.base import Progress
from amiss.report import write_report

__all__ = ["Model", "Scores", "learn", "load"]

Source = Path | str | Footage
"""A path, or footage that was opened before."""


@dataclass(frozen=True, eq=False)
class Scores(engine.Scores):
    """One clip, scored: `regions`, `frames`, `events`, and a report for people.

    Attributes:
        model: What scored it.
    """

    model: engine.Model

    def report(self, folder: Path | str, progress: Progress = silent) -> Path:
        """Write tables, the annotated video and the page `report.html`.

        Returns:
            The page.

        Raises:
            StorageError: The folder cannot be written.
        """
        engine.write_scores(Path(folder), [self], {"method": self.model.method.id})
        return write_report(Path(folder), [self], self.model, progress, self.name)


class Model(engine.Model):
    """A fitted model: scores files, follows streams, is saved as a folder."""

    def score(self, source: Source) -> Scores:
        """Score one clip.

        Raises:
            FootageError: It is missing, damaged, or several clips.
        """
        footage = open_footage(source, self.config.footage.fps) if isinstance(source, Path | str) else source
        return Scores(**vars(engine.score_clip(self, footage)), model=self)

    def stream(self, camera: str = "camera") -> engine.Stream:
        """Score frame by frame; every call gives a stream of its own."""
        return engine.Stream(self, camera)


def learn(
    footage: Source | Sequence[Source],
    method: str = "attributes",
    *,
    budget: str | None = None,
    config: Config | None = None,
    settings: Sequence[str] = (),
    progress: Progress = silent,
    labels: Mapping[str, int] | Path | str | None = None,
    hands: Hands | None = None,
) -> Model:
    """Learn what is normal in front of one camera, or from labels of whole videos what is not.

    Args:
        footage: Video files, folders of frames, folders of those, or opened footage.
        method: Id of the method.
        budget: Alarm budget, such as `2/day`.
        config: All settings; the defaults when left out.
        settings: `key=value` texts, as after `--set`.
        progress: Told how far it is.
        labels: For methods that learn from them, 0 or 1 by the name of each video, or the CSV file of these.
        hands: Who looks at the footage and trains networks; this process when left out, see `amiss.scale`.

    Raises:
        ConfigError: A method or a setting does not exist, or a value does not fit.
        FootageError: Footage is missing or damaged, or there is too little.
    """
    sets = [*settings, *([f"scoring.budget={budget}"] if budget else [])]
    config = load_config(sets=sets, base=config)
    sources = [footage] if isinstance(footage, Path | str) or not isinstance(footage, Sequence) else list(footage)
    opened: list[Footage] = []
    for source in sources:
        opened += find_footage([source], config.footage.fps) if isinstance(source, Path | str) else [source]
    marks = read_video_labels(Path(labels)) if isinstance(labels, Path | str) else labels
    return _public(engine.learn(opened, method, config, progress, marks, hands))


def load(folder: Path | str) -> Model:
    """Read a model folder.

    Raises:
        ModelError: It is missing, damaged or foreign.
    """
    return _public(engine.Model.load(folder))


def _public(model: engine.Model) -> Model:
    return model if isinstance(model, Model) else Model(**vars(model))
