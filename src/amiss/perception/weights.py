"""Pretrained networks: what there is, where it is found, and how it comes here unaltered."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from amiss.errors import WeightsError
from amiss.perception.cache import default_cache
from amiss.perception.download import Progress, download, silent

__all__ = ["WEIGHTS", "Weights", "WeightsFile", "check", "find_weights", "get_weights", "locate"]

ENVIRONMENT = "AMISS_WEIGHTS"
_ZOO = "https://storage.openvinotoolkit.org/repositories/open_model_zoo"
_ZOO_SOURCE = "OpenVINO Open Model Zoo"


@dataclass(frozen=True)
class WeightsFile:
    """One file of a network.

    Attributes:
        name: What it is called on disk.
        url: Its official place.
        size: Bytes.
        sha256: Hash of its content, in hexadecimal digits.
    """

    name: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Weights:
    """A network with all that a user should know about it.

    Attributes:
        task: What it is for.
        files: Its files; the first is the one to open.
        licence: SPDX name.
        source: Who made it.
    """

    task: str
    files: tuple[WeightsFile, ...]
    licence: str
    source: str


def _zoo(path: str, name: str, sizes: tuple[int, int], hashes: tuple[str, str]) -> tuple[WeightsFile, ...]:
    """An OpenVINO network's description and its weights; `name` is what they are called on disk."""
    rows = zip((".xml", ".bin"), sizes, hashes, strict=True)
    return tuple(WeightsFile(name + end, f"{_ZOO}/{path}{end}", size, sha256) for end, size, sha256 in rows)


def _ours(task: str, files: tuple[WeightsFile, ...]) -> Weights:
    return Weights(task, files, "Apache-2.0", _ZOO_SOURCE)


WEIGHTS: Mapping[str, Weights] = MappingProxyType(
    {
        "person-vehicle-bike-detection-2004": _ours(
            "boxes of people, vehicles and cycles, 448×256",
            _zoo(
                "2022.3/models_bin/1/person-vehicle-bike-detection-2004/FP16/person-vehicle-bike-detection-2004",
                "person-vehicle-bike-detection-2004",
                (1227251, 3906044),
                (
                    "70a7f947edee6b535b5f82e8b729590c8c398abc8198b1e9c102c835b7f26f7b",
                    "121ece188d8291c210f0f89428c54d9b6d6cabe580a6fe9d6f24d0b1c159c7a5",
                ),
            ),
        ),
        "person-vehicle-bike-detection-2003": _ours(
            "boxes of people, vehicles and cycles, 864×480: slower, sees smaller people",
            _zoo(
                "2022.3/models_bin/1/person-vehicle-bike-detection-2003/FP16/person-vehicle-bike-detection-2003",
                "person-vehicle-bike-detection-2003",
                (1228409, 3906044),
                (
                    "2dd003f80c754af3d84d6861896d45dce35af93ec78b0904cd3f644b0bbcae62",
                    "b9f976542cb100f3968acadd3d031918abf1b6006110bf1e40ddbd3291656bd1",
                ),
            ),
        ),
        "person-reidentification-retail-0288": _ours(
            "vectors that tell people apart, 256×128 crops",
            _zoo(
                "2023.0/models_bin/1/person-reidentification-retail-0288/FP16/person-reidentification-retail-0288",
                "person-reidentification-retail-0288",
                (614533, 364098),
                (
                    "0d5021c772e603dce69d9ef2e326ecf0a43234cc8b4c5bb5e8aa566f090bdb51",
                    "08e24c2f1dd976ff8e1f667b93db2950ac8db8da09e163e1ca6463b82d1dbc42",
                ),
            ),
        ),
        "human-pose-estimation-0001": _ours(
            "joints of everybody in a picture at once, 456×256",
            _zoo(
                "2021.2/models_bin/3/human-pose-estimation-0001/FP16-INT8/human-pose-estimation-0001",
                "human-pose-estimation-0001-INT8",
                (435357, 4170036),
                (
                    "c3a47de94906e6b3256eb16af7274141b2fc9f6c7889a02d96ef430b9bc321d3",
                    "fc7e9dde0f4a34876cfbbd266388a59526a8c8c1bc9394ce4827b7a007d20f82",
                ),
            ),
        ),
        "movenet-single-pose-lightning": Weights(
            "joints of one person in a square crop, 192×192",
            (
                WeightsFile(
                    "movenet_single_pose_lightning_ptq.tflite",
                    "https://raw.githubusercontent.com/google-coral/test_data/master/movenet_single_pose_lightning_ptq.tflite",
                    2894840,
                    "cd7cc22fa946e5d146a7b98d496853e1923e22828d3972d579973f27f91bb105",
                ),
            ),
            "Apache-2.0",
            "Google Coral test data (MoveNet)",
        ),
    }
)
"""Every network that amiss knows, by its name. Where a network is published under one name in several precisions, the
name on disk tells them apart."""


def _folders() -> list[Path]:
    """Where networks are looked for, in this order."""
    given = os.environ.get(ENVIRONMENT)
    return [*([Path(given)] if given else []), default_cache() / "weights"]


def _known(name: str) -> Weights:
    if name not in WEIGHTS:
        raise WeightsError(f"there is no network {name!r}; choose one of: {', '.join(WEIGHTS)}")
    return WEIGHTS[name]


def locate(file: WeightsFile) -> Path | None:
    """Where a file lies, unchecked; None if it is absent."""
    places = (folder / file.name for folder in _folders())
    return next((path for path in places if path.is_file()), None)


def check(path: Path, file: WeightsFile) -> None:
    """Make sure that a file is what it should be.

    Raises:
        WeightsError: It was cut short or altered, or is of another network.
    """
    status = path.stat()
    if status.st_size != file.size or _sha256(path, status.st_mtime_ns, status.st_size) != file.sha256:
        raise WeightsError(
            f"{path} is not the published {file.name} (cut short or altered); remove it, or get it anew from {file.url}"
        )


@lru_cache(maxsize=64)
def _sha256(path: Path, changed: int, size: int) -> str:  # noqa: ARG001  # a file that changed is hashed again
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_weights(name: str) -> Path | None:
    """The network's file to open, if all its files are here and unaltered; None if one is absent.

    Raises:
        WeightsError: There is no such network, or a file of it is not what it should be.
    """
    files = _known(name).files
    for folder in _folders():
        if all((folder / file.name).is_file() for file in files):
            for file in files:
                check(folder / file.name, file)
            return folder / files[0].name
    return None


def get_weights(name: str, progress: Progress = silent) -> Path:
    """The network's file to open, downloaded into the user's cache if it is not here.

    Args:
        name: Its name.
        progress: Told how far the download is.

    Raises:
        WeightsError: There is no such network, a file is altered, or it can neither be found nor fetched.
    """
    if found := find_weights(name):
        return found
    files = _known(name).files
    folder = default_cache() / "weights"
    for file in files:
        path = folder / file.name
        if not path.is_file():
            try:
                download(file.url, path, file.size, file.sha256, progress)
            except WeightsError as error:
                raise WeightsError(
                    f"{file.name} is not here and cannot be fetched from {file.url} ({error}); "
                    f"put it into a folder and name that in {ENVIRONMENT}"
                ) from None
        check(path, file)
    return folder / files[0].name
