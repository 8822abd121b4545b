"""What a method asks of the stages before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Array", "Needs"]

Array = Literal["image", "flow", "feature", "dwell", "pose"]


@dataclass(frozen=True)
class Needs:
    """What a method asks of perception and windows.

    Attributes:
        window: Kind of window.
        arrays: What each window carries: image `(L, S, S, 3)` uint8 RGB, flow `(L, S, S, 2)` float16 pixels a frame,
            feature `(D,)` float16, dwell float32 seconds on one spot, pose `(17, 3)` float32 joints x, y in pixels,
            confidence, zeros where there is none.
        length: Frames a window spans, ending at the frame it is scored at.
        size: Pixels a side of crops.
        online: Whether it can score frame by frame.
    """

    window: Literal["cube"] = "cube"
    arrays: tuple[Array, ...] = ("image",)
    length: int = 1
    size: int = 32
    online: bool = True
