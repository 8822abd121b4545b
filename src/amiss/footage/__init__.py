"""Where frames come from: video files, folders of frames, and the synthetic world; and features in their place."""

from amiss.footage.base import Footage
from amiss.footage.features import FeatureFile
from amiss.footage.file import VideoFile
from amiss.footage.find import find_footage, make_footage, open_footage
from amiss.footage.folder import FrameFolder

__all__ = ["FeatureFile", "Footage", "FrameFolder", "VideoFile", "find_footage", "make_footage", "open_footage"]
