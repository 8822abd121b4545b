"""A normalising flow over the movements of people."""

from amiss.methods.pose_flow.method import PoseFlow
from amiss.methods.pose_flow.settings import PoseFlowSettings

__all__ = ["PoseFlow", "PoseFlowSettings"]
