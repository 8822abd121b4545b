"""All settings of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from amiss.config.base import Settings
from amiss.config.perception import PerceptionConfig
from amiss.config.scale import ScaleConfig
from amiss.config.training import TrainConfig

__all__ = ["BenchConfig", "Config", "FootageConfig", "ReportConfig", "ScoringConfig"]


class FootageConfig(Settings):
    """How footage is read."""

    fps: float = Field(25.0, gt=0, description="Frames per second of folders of pictures, which carry no time.")
    gap: float = Field(1.0, gt=0, description="A jump in time of more seconds than this ends tracks and windows.")


class ScoringConfig(Settings):
    """From region scores to curves and events."""

    persistence: int = Field(
        3, ge=1, description="A region's score is the mean over its track's last so many frames; 1 takes it as it is."
    )
    along: int = Field(
        0,
        ge=0,
        description="In files, a region's score is then the mean over its track from so many frames before to so many "
        "after; 0 takes it as it is. Not live, nor where only the past counts.",
    )
    smoothing: str = Field(
        "gaussian:3",
        description="Filter over a clip's frame scores: none, gaussian:SIGMA, median:WIDTH or cascade:SIGMA "
        "(Gaussians of 1, 2, … SIGMA one after the other), in frames.",
    )
    causal: bool = Field(
        default=False, description="Smooth with the past only, as live footage must; files then give the same numbers."
    )
    holdout: float = Field(
        0.25, gt=0, lt=1, description="Share of the normal footage held back from learning, for calibration."
    )
    budget: str = Field("2/day", description="Alarm budget of a camera: NUMBER/hour, /day or /week.")
    release: float = Field(
        0.6, gt=0, le=1, description="An event closes when the calibrated score falls below this share of its level."
    )
    merge: float = Field(2.0, ge=0, description="Events closer than this many seconds are one.")
    min_seconds: float = Field(0.2, ge=0, description="Events shorter than this many seconds are dropped.")


class ReportConfig(Settings):
    """What is written for people."""

    video: Literal["all", "none"] = Field("all", description="Whether annotated.mp4 is written.")
    events: int = Field(40, ge=1, description="At most so many events, the most severe, get pictures on the page.")


class BenchConfig(Settings):
    """How `amiss bench` measures."""

    cameras: Literal["each", "together"] = Field(
        "each",
        description="One model for each camera of a benchmark, or one for all; cameras without normal footage of their "
        "own always share one.",
    )


class Config(Settings):
    """All settings of a run."""

    footage: FootageConfig = Field(FootageConfig(), description="Reading footage.")
    perception: PerceptionConfig = Field(PerceptionConfig(), description="Perception.")
    method: dict[str, Any] = Field({}, description="Settings of the method, see `amiss methods`.")
    train: TrainConfig = Field(TrainConfig(), description="Training of networks.")
    scoring: ScoringConfig = Field(ScoringConfig(), description="Scoring.")
    report: ReportConfig = Field(ReportConfig(), description="Report.")
    bench: BenchConfig = Field(BenchConfig(), description="Benchmarks.")
    scale: ScaleConfig = Field(ScaleConfig(), description="Many processes or machines.")
    device: str = Field("auto", description="Where networks run: auto, cpu, cuda, cuda:1, mps, …")
    engine: Literal["auto", "torch", "openvino"] = Field(
        "auto",
        description="What the networks of methods run on when they score, on the processor: torch, or openvino, which "
        "is faster; auto: openvino where it is installed.",
    )
    engine_precision: Literal["f32", "bf16"] = Field(
        "f32",
        description="Numbers of 32 bits, or bf16, which is faster with openvino on processors that compute in it and "
        "changes scores in the third digit.",
    )
    seed: int = Field(0, ge=0, description="Seed of everything that draws at random.")
    cache: Path | None = Field(
        None, description="Folder of what perception found; by default AMISS_CACHE or the user's cache folder."
    )
