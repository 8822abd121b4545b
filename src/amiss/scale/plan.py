"""How footage is cut into parts that are worked on apart."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

from amiss.config.scale import ScaleConfig
from amiss.footage.cuts import Layout
from amiss.windows.needs import Needs

__all__ = ["Part", "plan_parts"]


@dataclass(frozen=True)
class Part:
    """A part of a clip.

    Attributes:
        number: Which, from 0.
        cut: Index of the cut in the layout where reading begins; None where the clip is read as a whole.
        start: Number of the first frame that the part answers for.
        stop: Number of the frame after the last that it answers for; None up to the end.
        end: Number of the frame after the last that is read.
    """

    number: int = 0
    cut: int | None = None
    start: int = 0
    stop: int | None = None
    end: int | None = None


WHOLE = (Part(),)


def plan_parts(layout: Layout, needs: Needs, config: ScaleConfig) -> tuple[Part, ...]:
    """The parts of a clip, which answer for each of its frames exactly once.

    The plan depends on the footage and the settings alone, not on how many workers there are. Each part begins at the
    last key frame that lies an overlap before the frames it answers for, and goes on after them for as long as windows
    reach. What is scored together is not cut: bags, and footage that cannot be read from the middle.

    Args:
        layout: Of the footage.
        needs: What the method asks for.
        config: Length of parts and overlap.
    """
    if not config.part or needs.bags or not layout.cuts or layout.seconds < 1.5 * config.part:
        return WHOLE
    times = [cut.seconds for cut in layout.cuts]
    count = round(layout.seconds / config.part)
    wanted = (bisect_left(times, number * layout.seconds / count) for number in range(1, count))
    starts = [layout.cuts[index].frame for index in dict.fromkeys(wanted) if index < len(times)]
    edges = [0, *starts, layout.frames]
    parts = []
    for number, (start, stop) in enumerate(pairwise(edges)):
        cut = 0 if not number else _before(layout, start, config.overlap)
        last = number == len(edges) - 2
        parts.append(Part(number, cut, start, stop, stop if last else min(stop + needs.span, layout.frames)))
    return tuple(parts) if len(parts) > 1 else WHOLE


def _before(layout: Layout, frame: int, overlap: float) -> int:
    """Index of the last cut that lies so many seconds before a frame at which there is a cut."""
    own = bisect_left([cut.frame for cut in layout.cuts], frame)
    early = bisect_right([cut.seconds for cut in layout.cuts], layout.cuts[own].seconds - overlap) - 1
    return max(early, 0)
