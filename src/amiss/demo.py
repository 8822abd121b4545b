"""The main job from end to end on synthetic footage: learn, score, evaluate, report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from amiss import engine
from amiss.config import Config
from amiss.datasets.world import World
from amiss.engine.bench import cameras_of
from amiss.engine.evaluate import labels_of
from amiss.footage.world import PLACES, write_world
from amiss.methods.base import Progress
from amiss.report import write_report

__all__ = ["Demo", "demo"]

PLACE = "plaza"
NORMAL, SECONDS, RATE, SIZE = 32, 15.0, 12.5, (480, 270)
ACTS = PLACES[PLACE].abnormal
"""All that the place knows: what a method does not see counts as well."""


@dataclass(frozen=True)
class Demo:
    """What the demo found.

    Attributes:
        auc: Micro frame AUC of the smoothed scores, on clips that were not learned from.
        page: The report.
        model: The fitted model.
    """

    auc: float
    page: Path
    model: Path


def demo(out: Path, config: Config, progress: Progress) -> Demo:
    """Render a plaza, learn its normal clips, score and evaluate the others, write the report.

    Args:
        out: Folder of everything.
        config: Settings; the seed also chooses the world.
        progress: Told how far it is.

    Raises:
        StorageError: The folder cannot be written.
    """
    write_world(
        out / "world",
        seed=config.seed,
        normal=NORMAL,
        abnormal=len(ACTS),
        seconds=SECONDS,
        places=(PLACE,),
        rate=RATE,
        size=SIZE,
        progress=lambda done, total: progress("rendering a plaza", done, total),
    )
    dataset = World(out / "world")
    training, testing = cameras_of(dataset, config)[PLACE]
    model = engine.learn([clip.footage for clip in training], "attributes", config, progress)
    model.save(out / "plaza.amiss")
    scores = engine.score_clips(model, [clip.footage for clip in testing], out, progress)
    engine.write_scores(out, scores, {"method": model.method.id, "smoothing": config.scoring.smoothing})
    curves = {item.name: item.frames for item in scores}
    auc = engine.evaluate(labels_of(dataset, list(curves)), curves)["auc_micro"]["smoothed"]
    facts = [("Frame AUC here", f"{auc:.3f} micro, smoothed, on {len(scores)} clips that were not learned from")]
    page = write_report(out, scores, model, progress, "A synthetic plaza: what was amiss", facts)
    return Demo(auc, page, out / "plaza.amiss")
