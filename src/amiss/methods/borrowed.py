"""What a method has taken from other cameras, as far as others than the method need to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amiss.config import ScoringConfig
from amiss.types import FloatArray

__all__ = ["Borrowed", "score_settings"]

SCORING = ("persistence", "along", "smoothing", "causal")
OWN = ("prior", "prior_strength", "examples")
"""Settings of a method that may differ between cameras without making their scores another kind of number."""


def score_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Of all settings those on which frame scores depend, perception apart.

    Args:
        config: As `Config.model_dump` gives it for JSON.
    """
    method = {name: value for name, value in config["method"].items() if name not in OWN}
    scoring = ScoringConfig().model_dump(mode="json") | config["scoring"]  # models of before have fewer settings
    return {"method": method} | {name: scoring[name] for name in SCORING}


@dataclass(frozen=True, eq=False)
class Borrowed:
    """What came of a prior.

    Attributes:
        cameras: Names of the models.
        licences: Of the networks whose output took part there.
        strength: What they count together, in tracks.
        tails: Of each camera the settings on which its frame scores depend, and by way of smoothing `(Q,)` evenly
            spaced quantiles of those of held-back normal footage.
    """

    cameras: tuple[str, ...]
    licences: tuple[str, ...]
    strength: float
    tails: Sequence[tuple[Mapping[str, Any], Mapping[str, FloatArray]]]

    def comparable(self, config: Mapping[str, Any], mode: str) -> list[FloatArray]:
        """The quantiles of the cameras whose frame scores are made with the same settings."""
        wanted = score_settings(config)
        return [tails[mode] for scores, tails in self.tails if scores == wanted and mode in tails]

    def told(self) -> dict[str, Any]:
        """As `model.json` keeps it."""
        return {"cameras": list(self.cameras), "licences": list(self.licences), "strength": self.strength}
