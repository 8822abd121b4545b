"""What other cameras have shown, for one that has seen little: attributes in units that do not depend on the camera.

Speeds and sizes in usual heights mean the same everywhere; places, ways, times at a place and looks do not, and stay.
A prior is one file: arrays in safetensors, and in its header as JSON what they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save

from amiss.errors import ModelError
from amiss.methods.base import STATE
from amiss.methods.borrowed import score_settings
from amiss.types import FloatArray

__all__ = ["SHARED", "TRANSFERABLE", "Camera", "Prior", "read_prior", "tail_sample"]

TRANSFERABLE = ("velocity", "speed", "size", "pose")
"""Attributes whose vectors are in usual heights, seconds and logarithms of ratios."""
SHARED = "shared."
"""What the names of arrays that a method keeps for other cameras begin with."""
UNITS = 1
"""Raised when a transferable attribute is measured otherwise, so that numbers of older models are not mixed in."""
FORMAT = 1
HEADER = "amiss"
TAIL = "tail."
TAIL_VALUES = 512


@dataclass(frozen=True, eq=False)
class Camera:
    """What one camera has shown.

    Attributes:
        name: Of its model, for messages.
        arrays: By attribute `ATTRIBUTE.samples` `(M, d)` and `ATTRIBUTE.groups` `(M,)`, as the method shares them;
            `tracks`, of how many tracks all of it is; by way of smoothing `tail.MODE` `(Q,)` quantiles of the frame
            scores of held-back normal footage.
        licences: Of the networks that took part.
        scores: Settings on which its frame scores depend; only those of the same settings are comparable.
    """

    name: str
    arrays: Mapping[str, NDArray[Any]]
    licences: tuple[str, ...]
    scores: Mapping[str, Any]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Those that it says something of."""
        return tuple(name for name in TRANSFERABLE if f"{name}.samples" in self.arrays)

    @property
    def tails(self) -> dict[str, FloatArray]:
        """Quantiles of frame scores by way of smoothing."""
        return {name.removeprefix(TAIL): array for name, array in self.arrays.items() if name.startswith(TAIL)}


@dataclass(frozen=True, eq=False)
class Prior:
    """What several cameras have shown; each counts the same.

    Attributes:
        cameras: At least one.
    """

    cameras: tuple[Camera, ...]

    @property
    def licences(self) -> tuple[str, ...]:
        """Of all networks that took part, each once."""
        return tuple(dict.fromkeys(one for camera in self.cameras for one in camera.licences))

    def to_bytes(self) -> bytes:
        """The file."""
        arrays = {
            f"{number}.{name}": np.ascontiguousarray(array)
            for number, camera in enumerate(self.cameras)
            for name, array in camera.arrays.items()
        }
        told = [{"name": c.name, "licences": list(c.licences), "scores": dict(c.scores)} for c in self.cameras]
        header = {"format": FORMAT, "units": UNITS, "cameras": told}
        return save(arrays, {HEADER: json.dumps(header)})


def read_prior(paths: Sequence[Path | str]) -> Prior:
    """What the cameras of some models have shown, or of files that `Prior.to_bytes` gave; each once.

    Args:
        paths: Model folders of the method `attributes`, or prior files, or both.

    Raises:
        ModelError: One is missing, damaged, of another method, or measures in other units.
    """
    cameras: list[Camera] = []
    for path in map(Path, paths):
        cameras += [_of_model(path)] if path.is_dir() else _of_file(path)
    return Prior(tuple({_digest(camera): camera for camera in cameras}.values()))


def _digest(camera: Camera) -> bytes:
    """Of all that a camera has shown."""
    found = hashlib.blake2b()
    for name in sorted(camera.arrays):
        found.update(name.encode() + np.ascontiguousarray(camera.arrays[name]).tobytes())
    return found.digest()


def _of_file(path: Path) -> list[Camera]:
    try:
        with safe_open(path, "numpy") as file:
            header = json.loads((file.metadata() or {})[HEADER])
        arrays = load_file(path)
    except FileNotFoundError:
        raise ModelError(f"there is no model or prior {path}; make one with `amiss learn` or `amiss prior`") from None
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ModelError(f"{path} is not a prior: {error}; make one with `amiss prior`") from None
    _check(path, header, "format", FORMAT)
    _check(path, header, "units", UNITS)
    found = []
    for number, told in enumerate(header["cameras"]):
        start = f"{number}."
        mine = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
        found.append(Camera(told["name"], mine, tuple(told["licences"]), told["scores"]))
    return found


def _check(path: Path, header: Mapping[str, Any], key: str, known: int) -> None:
    if header.get(key) != known:
        raise ModelError(
            f"the prior {path} has {key} {header.get(key)}, this amiss reads {known}; "
            "learn the models that it is of anew, and make it with `amiss prior`"
        )


def _of_model(folder: Path) -> Camera:
    try:
        index = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        method, config = index["method"], index["config"]
        licences, calibrations = tuple(index["licences"]), index["calibrations"]
        data = (folder / STATE).read_bytes()
        digest = index["files"][STATE]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder} is not a whole model ({error}); make one with `amiss learn`") from None
    if method != "attributes":
        raise ModelError(f"the model {folder} is of {method}; only models of attributes make a prior")
    if hashlib.sha256(data).hexdigest() != digest:
        raise ModelError(f"in the model {folder}, {STATE} was altered; copy it again or learn anew")
    state = load_file(folder / STATE)
    if int(state.get(SHARED + "units", np.array(0))) != UNITS:
        raise ModelError(f"the model {folder} measures in other units than this amiss; learn it anew")
    shared = {name.removeprefix(SHARED): array for name, array in state.items() if name.startswith(SHARED)}
    arrays = {name: array for name, array in shared.items() if name.endswith((".samples", ".groups", "tracks"))}
    arrays |= {TAIL + mode: tail_sample(one["tail"]) for mode, one in calibrations.items()}
    return Camera(folder.name, arrays, licences, score_settings(config))


def tail_sample(tail: Mapping[str, Any]) -> FloatArray:
    """`(512,)` evenly spaced quantiles of the scores that a calibration was made of, as `model.json` keeps them."""
    quantiles = np.asarray(tail["quantiles"], np.float64)
    return np.interp(np.linspace(0, 1, TAIL_VALUES), np.linspace(0, 1, len(quantiles)), quantiles)
