"""amiss learns what is normal in front of a fixed camera and shows what is not: when, where and why.

>>> import amiss
>>> model = amiss.learn("normal/", budget="2/day")          # doctest: +SKIP
>>> scores = model.score("monday.mp4")                      # doctest: +SKIP
>>> scores.report("monday/"); model.save("gate.amiss")      # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amiss import metrics
    from amiss.api import Model, Scores, learn, load

__version__ = "0.1.0"

__all__ = ["Model", "Scores", "__version__", "learn", "load", "metrics"]


def __getattr__(name: str) -> Any:
    """Import the heavy parts when they are first asked for, so that `amiss --help` answers at once."""
    if name == "metrics":
        return import_module("amiss.metrics")
    if name in __all__:
        return getattr(import_module("amiss.api"), name)
    raise AttributeError(f"module 'amiss' has no attribute {name!r}")
