"""The methods behind one contract."""

from amiss.methods.appearance_motion import AppearanceMotion
from amiss.methods.attributes import Attributes
from amiss.methods.base import Exemplar, Explanation, Method
from amiss.methods.fusion import Fusion
from amiss.methods.known import METHODS
from amiss.methods.mgenet import Mgenet
from amiss.methods.mil_ranking import MilRanking
from amiss.methods.multi_grained import MultiGrained
from amiss.methods.pose_flow import PoseFlow
from amiss.methods.weak_tubes import WeakTubes

__all__ = ["METHODS", "Exemplar", "Explanation", "Method"]

METHODS.add("attributes", Attributes)
METHODS.add("appearance-motion", AppearanceMotion)
METHODS.add("pose-flow", PoseFlow)
METHODS.add("mgenet", Mgenet)
METHODS.add("multi-grained", MultiGrained)
METHODS.add("weak-tubes", WeakTubes)
METHODS.add("mil-ranking", MilRanking)
METHODS.add("fusion", Fusion)
METHODS.load_entry_points()
