"""The field's benchmarks, one file each, in their official and their community layouts."""

from amiss.datasets.avenue import Avenue
from amiss.datasets.base import Clip, Dataset, Split
from amiss.datasets.folder import PlainFolder
from amiss.datasets.shanghaitech import ShanghaiTech
from amiss.datasets.ubnormal import UBnormal
from amiss.datasets.ucsd import Ped1, Ped2
from amiss.datasets.world import World
from amiss.registry import Registry

__all__ = ["DATASETS", "Clip", "Dataset", "Split"]

DATASETS: Registry[type[Dataset]] = Registry("dataset")
"""Every dataset by its id."""

for _dataset in (Avenue, Ped1, Ped2, PlainFolder, ShanghaiTech, UBnormal, World):
    DATASETS.add(_dataset.id, _dataset)
