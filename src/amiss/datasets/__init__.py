"""The field's benchmarks, one file each, in their official and their community layouts."""

from amiss.datasets.avenue import Avenue
from amiss.datasets.base import Clip, Dataset, Split
from amiss.datasets.folder import PlainFolder
from amiss.datasets.shanghaitech import ShanghaiTech, ShanghaiTechWeak
from amiss.datasets.tables import read_video_labels
from amiss.datasets.ubnormal import UBnormal
from amiss.datasets.ucf_crime import STUCFCrime, UCFCrime
from amiss.datasets.ucsd import Ped1, Ped2
from amiss.datasets.world import World
from amiss.datasets.xd_violence import XDViolence
from amiss.registry import Registry

__all__ = ["DATASETS", "Clip", "Dataset", "Split", "read_video_labels"]

DATASETS: Registry[type[Dataset]] = Registry("dataset")
"""Every dataset by its id."""

for _dataset in (
    *(Avenue, Ped1, Ped2, PlainFolder, ShanghaiTech, UBnormal, World),
    *(ShanghaiTechWeak, STUCFCrime, UCFCrime, XDViolence),
):
    DATASETS.add(_dataset.id, _dataset)
