"""The method `mil-ranking`: which segments of a video are abnormal, from video labels alone."""

from amiss.methods.mil_ranking.method import MilRanking
from amiss.methods.mil_ranking.settings import MilRankingSettings

__all__ = ["MilRanking", "MilRankingSettings"]
