"""Every setting and its default, written once.

`--set key=value`, configuration files, their schema and the page `docs/configuration.md` all come from these fields.
The settings of a method live beside the method, and are reached as `method.KEY`.
"""

from amiss.config.base import Settings
from amiss.config.load import load_config, merged, nested, read_yaml, setting_rows
from amiss.config.perception import (
    BoxesConfig,
    ClipFeaturesConfig,
    FeaturesConfig,
    FlowConfig,
    MasksConfig,
    MotionConfig,
    PerceptionConfig,
    Polygon,
    PosesConfig,
    ScenesConfig,
    TracksConfig,
)
from amiss.config.run import BenchConfig, Config, FootageConfig, ReportConfig, ScoringConfig
from amiss.config.scale import ScaleConfig
from amiss.config.training import TrainConfig

__all__ = [
    "BenchConfig",
    "BoxesConfig",
    "ClipFeaturesConfig",
    "Config",
    "FeaturesConfig",
    "FlowConfig",
    "FootageConfig",
    "MasksConfig",
    "MotionConfig",
    "PerceptionConfig",
    "Polygon",
    "PosesConfig",
    "ReportConfig",
    "ScaleConfig",
    "ScenesConfig",
    "ScoringConfig",
    "Settings",
    "TracksConfig",
    "TrainConfig",
    "load_config",
    "merged",
    "nested",
    "read_yaml",
    "setting_rows",
]
