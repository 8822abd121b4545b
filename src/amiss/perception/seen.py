"""What perception hands on: one frame and all that was seen in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from amiss.types import Boxes, FloatArray, Frame, Poses

__all__ = ["Seen"]


@dataclass(frozen=True, eq=False)
class Seen:
    """One frame after perception.

    Attributes:
        frame: The frame.
        step: Seconds since the frame before; 0 on the first frame and after a gap, where there is no motion to see.
        boxes: What was found, with track ids.
        flow: `(H, W, 2)` float32 pixels since the frame before, None where no method needs it.
        features: `(N, D)` float32 of the boxes, None where no method needs them.
        ways: What each has come through along its track, as `Trails.update` says; only what a method needs.
        poses: Those found, each with the track id of its box, None where no method needs them.
        scene: `(D,)` float32, what the place looks like, None where no method needs it.
    """

    frame: Frame
    step: float
    boxes: Boxes
    flow: FloatArray | None = None
    features: FloatArray | None = None
    ways: Mapping[str, FloatArray] = field(default_factory=dict)
    poses: Poses | None = None
    scene: FloatArray | None = None
