"""Archives on many processes and machines: what goes out is places and times, never pixels."""

from amiss.scale.archive import Archive, score_archive
from amiss.scale.learning import Perceiver
from amiss.scale.outcome import gather, worst_clips
from amiss.scale.places import list_places
from amiss.scale.team import Setup, Team, learning_setup, make_team, scoring_setup
from amiss.scale.training import RayLauncher

__all__ = [
    "Archive",
    "Perceiver",
    "RayLauncher",
    "Setup",
    "Team",
    "gather",
    "learning_setup",
    "list_places",
    "make_team",
    "score_archive",
    "scoring_setup",
    "worst_clips",
]
