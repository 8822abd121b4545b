"""How tables name metrics, write their numbers, and know which is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["best_of", "metric_title", "protocols", "ranges", "shown"]

TITLES = {
    "auc_micro": "AUC micro",
    "auc_macro": "AUC macro",
    "auc_macro_padded": "AUC macro, padded",
    "eer": "EER",
    "ap": "AP",
    "f1": "best F1",
    "pixel_auc": "pixel AUC",
    "rbdc": "RBDC",
    "tbdc": "TBDC",
    "vauc": "VAUC",
    "miou": "MIoU",
}
IN_PERCENT = (
    *("auc_micro", "auc_macro", "auc_macro_padded", "eer", "ap", "f1", "pixel_auc", "rbdc", "tbdc"),
    *("event_recall", "vauc", "miou", "iou@", "far@"),
)
"""What papers print in per cent: metrics that begin so."""
HIGH = (
    *("auc_micro", "auc_macro", "auc_macro_padded", "ap", "f1", "score_gap", "pixel_auc", "rbdc", "tbdc"),
    *("event_recall", "vauc", "miou"),
)
LOW = ("eer", "false_alarms_per_hour", "event_delay_seconds")
STANDARD = "standard"


def metric_title(metric: str) -> str:
    """A metric as papers write it."""
    return TITLES.get(metric, metric.replace("_", " "))


def shown(metric: str, moments: Mapping[str, Any]) -> str:
    """A mean with its spread where there are several seeds, in per cent where papers print that."""
    scale, digits = (100, 1) if metric.startswith(IN_PERCENT) else (1, 3)
    spread = f" ± {scale * moments['std']:.{digits}f}" if len(moments["values"]) > 1 else ""
    return f"{scale * moments['mean']:.{digits}f}{spread}"


def best_of(metric: str, means: Sequence[float]) -> float | None:
    """The best of several means; None where nobody can say which is."""
    return max(means) if metric in HIGH else min(means) if metric in LOW else None


def ranges(numbers: Sequence[int]) -> str:
    """Rising numbers, those that follow each other in one: `1, 3–5`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def protocols(value: object) -> list[str]:
    """All that any key `protocol` of a result says beside `standard`, once each; settings are no part of it."""
    if not isinstance(value, Mapping):
        return []
    own = [_words(value["protocol"])] if "protocol" in value else []
    below = [text for key, item in value.items() if key not in ("config", "protocol") for text in protocols(item)]
    return [text for text in dict.fromkeys(own + below) if text not in ("", STANDARD)]


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return "" if value is None else str(value)
