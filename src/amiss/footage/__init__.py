"""Where frames come from: video files, folders of frames, and the synthetic world."""

from amiss.footage.base import Footage
from amiss.footage.file import VideoFile
from amiss.footage.find import find_footage, make_footage, open_footage
from amiss.footage.folder import FrameFolder

__all__ = ["Footage", "FrameFolder", "VideoFile", "find_footage", "make_footage", "open_footage"]
