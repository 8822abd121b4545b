"""Parts answer for every frame once, and begin early enough."""

from __future__ import annotations

import pytest

from amiss.config import ScaleConfig
from amiss.footage.cuts import Layout
from amiss.footage.span import Cut
from amiss.scale.plan import Part, plan_parts
from amiss.windows.needs import Needs
from amiss.windows.tubing import Linking

NEEDS = Needs(length=5, at="middle")


def layout(seconds: int, every: float = 2.0) -> Layout:
    """Ten frames a second, a key frame every so many seconds."""
    cuts = tuple(Cut(round(10 * every * n), every * n) for n in range(int(seconds / every) + 1))
    return Layout("x", 10 * seconds + 1, float(seconds), 0.0, cuts)


def test_every_frame_is_answered_for_once() -> None:
    for seconds in (100, 333, 1000):
        there = layout(seconds)
        parts = plan_parts(there, NEEDS, ScaleConfig(part=60, overlap=10))
        assert len(parts) == round(seconds / 60)
        frames = [frame for part in parts for frame in range(part.start, part.stop or 0)]
        assert frames == list(range(there.frames))


def test_a_part_begins_an_overlap_early_and_reads_on_for_a_window() -> None:
    there = layout(300)
    parts = plan_parts(there, NEEDS, ScaleConfig(part=60, overlap=11))
    for part in parts[1:]:
        begin = there.cuts[part.cut or 0]
        assert 11 <= (part.start - begin.frame) / 10 < 13
    assert all((part.end or 0) - (part.stop or 0) == NEEDS.span for part in parts[:-1])
    assert parts[-1].end == there.frames


def test_with_few_key_frames_parts_are_longer_and_still_whole() -> None:
    there = layout(600, every=250.0)
    parts = plan_parts(there, NEEDS, ScaleConfig(part=60, overlap=10))
    assert [part.start for part in parts] == [0, 2500, 5000]
    assert [part.cut for part in parts] == [0, 0, 1]


@pytest.mark.parametrize(
    ("there", "needs", "part"),
    [
        (layout(80), NEEDS, 60.0),
        (layout(1000), NEEDS, 0.0),
        (Layout("x", 9000, 900.0), NEEDS, 60.0),
        (layout(1000), Needs(window="tube", linking=Linking()), 60.0),
    ],
    ids=["short", "never", "no key frames", "bags"],
)
def test_what_is_not_cut(there: Layout, needs: Needs, part: float) -> None:
    assert plan_parts(there, needs, ScaleConfig(part=part)) == (Part(),)
