"""What `mgenet` says of a part of a score."""

from __future__ import annotations

from amiss.methods.mgenet.looked import Looked, where
from amiss.methods.mgenet.settings import MgenetSettings

__all__ = ["statement"]

SENTENCES = {
    "motion": "how it looks and how its joints move fit together worse than for {} of {:,} normal people here",
    "appearance": "it looks stranger than {} of {:,} normal people here, most of all {}",
    "looks": "it is less like the nearest of what was learned here than {} of {:,} normal people are",
    "scene": "what it does fits the place less than for {} of {:,} normal people: {} of the {} learned behaviours most "
    "like it belong to a place like this",
}


def statement(part: str, rank: tuple[str, int], looked: Looked, settings: MgenetSettings, *, strange: bool) -> str:
    """A sentence on a part, or on why there is nothing to say of it.

    Args:
        part: Its name.
        rank: Below what share of normal segments it is not, in words, and of how many.
        looked: One segment.
        settings: Of the method.
        strange: The place is like none that was learned from.
    """
    if part == "motion" and not looked.told[0]:
        return "too little of the body is seen to compare its movement"
    if part in ("appearance", "looks") and not looked.whole[0]:
        return "the edge of the picture cuts it, so that its looks cannot be compared"
    if part == "looks" and not looked.clear[0]:
        return "too few pixels show it to compare what it looks like"
    if part == "scene" and settings.match == "movements" and not looked.told[0]:
        return "too little of the body is seen to tell whether its movement belongs here"
    if part == "scene" and strange:
        return "the place looks like none that was learned from, so that nothing is known of what belongs there"
    more: tuple[object, ...] = ()
    if part == "appearance":
        more = (where(looked.unlike[0]),)
    if part == "scene":
        more = int(looked.kin[0]) or "none", min(settings.top, settings.remembered)
    return SENTENCES[part].format(*rank, *more)
