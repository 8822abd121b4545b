"""A fitted model: method, perception and calibration, in memory and as a folder."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from amiss import __version__
from amiss.config import Config
from amiss.errors import ConfigError, ModelError
from amiss.methods import METHODS, Method
from amiss.nn.engines import Engine
from amiss.perception.network_boxes import licences as box_licences
from amiss.perception.poses import licences as pose_licences
from amiss.perception.scenes import NETWORK as SCENES
from amiss.scoring.calibrate import Calibration
from amiss.scoring.combine import centre, persist
from amiss.scoring.smooth import Smoothing, smooth_stretches
from amiss.storage import whole_folder
from amiss.types import FloatArray, FrameScores, RegionScores
from amiss.windows.needs import Needs

__all__ = [
    "FORMAT",
    "Model",
    "along_tracks",
    "check_target",
    "engine_of",
    "make_filter",
    "make_method",
    "needs_in",
    "persistence",
]

FORMAT = 1
INDEX = "model.json"
HELD = "calibration.safetensors"
OPEN_KEYS = ("report.", "scale.", "device", "engine", "cache", "scoring.causal")
LEVEL_KEYS = ("scoring.budget", "scoring.release", "scoring.merge", "scoring.min_seconds")
"""Settings that decide what is an event, after which the level is set anew from what was held back."""
LICENCES = {"efficientnet-lite0": "Apache-2.0 (EfficientNet-Lite0, ImageNet weights)"}

Mode = Literal["centred", "causal"]


def make_method(name: str, config: Config) -> Method:
    """A method that has learned nothing yet, with its settings from `config.method`.

    Raises:
        ConfigError: There is no such method, or a setting does not fit.
    """
    kind = METHODS[name]
    method = kind(kind.settings_type.build(config.method, prefix="method."))
    method.run_on(engine_of(config))
    return method


def engine_of(config: Config) -> Engine:
    """What the networks of methods run on when they score."""
    return Engine(config.engine, config.engine_precision)


def needs_in(mode: Mode, needs: Needs) -> Needs:
    """What a method asks for; with the past only, a window is scored at its last frame, when it is known."""
    return needs.live if mode == "causal" else needs


def persistence(config: Config, method: Method) -> int:
    """Over how many frames regions are averaged along their tracks: clips have none, tubes have one score."""
    return config.scoring.persistence if method.needs.tracked else 1


def along_tracks(config: Config, method: Method, mode: Mode, regions: RegionScores, floor: float) -> RegionScores:
    """Regions whose scores are averaged along their tracks, over the frames before and, where they count, after."""
    regions = persist(regions, persistence(config, method), floor)
    return centre(regions, config.scoring.along) if mode == "centred" and method.needs.tracked else regions


def make_filter(config: Config, method: Method, mode: Mode) -> Callable[[FloatArray], FloatArray]:
    """The filter over a stretch of a curve, which knows of the frames before the first whole window and track."""
    smoothing = Smoothing.parse(config.scoring.smoothing)
    needs = method.needs
    warm_up = needs.early + persistence(config, method) - 1 + needs.stride - 1
    return smoothing.causal if mode == "causal" else lambda values: smoothing.centred(values, warm_up, needs.late)


@dataclass(frozen=True, eq=False)
class Model:
    """What `learn` makes and everything else uses.

    Attributes:
        method: The fitted method.
        config: All settings it was learned with.
        calibrations: For scores smoothed with the future (`centred`) and with the past only (`causal`).
        learned: What it learned from: clips, frames, seconds, windows, when.
        examples: JPEGs of normal examples by name.
    """

    method: Method
    config: Config
    calibrations: Mapping[Mode, Calibration]
    learned: Mapping[str, Any]
    examples: Mapping[str, bytes]

    def mode(self) -> Mode:
        """How files are smoothed."""
        return "causal" if self.config.scoring.causal else "centred"

    @property
    def needs(self) -> Needs:
        """What the method asks for where files are scored."""
        return needs_in(self.mode(), self.method.needs)

    def curve(self, seconds: FloatArray, raw: FloatArray, mode: Mode) -> FrameScores:
        """Smoothed and calibrated scores from raw ones `(T,)`."""
        smooth = make_filter(self.config, self.method, mode)
        smoothed = smooth_stretches(smooth, raw, seconds, self.config.footage.gap)
        calibrated = self.calibrations[mode].tail.rarity(smoothed)
        return FrameScores(np.arange(len(raw)), seconds, raw, smoothed, calibrated)

    def with_settings(self, config: Config, sets: tuple[str, ...] = ()) -> Model:
        """The same model with settings that need no learning anew.

        Args:
            config: The changed settings.
            sets: The keys that were changed, for the check.

        Raises:
            ConfigError: One of them takes part in what was learned.
            ModelError: The level of events would have to be set anew, and the model is too old for that.
        """
        for key in sets:
            if not key.startswith(OPEN_KEYS + LEVEL_KEYS):
                raise ConfigError(f"{key} is part of what the model learned; give it to `amiss learn`")
        calibrations = self.calibrations
        if any(key.startswith(LEVEL_KEYS) for key in sets):
            calibrations = {
                mode: one.with_budget(config.scoring, config.footage.gap) for mode, one in calibrations.items()
            }
        method = self.method
        if engine_of(config) != method.engine:
            method = copy.copy(method)  # what it learned is the same
            method.run_on(engine_of(config))
        return Model(method, config, calibrations, self.learned, self.examples)

    def fingerprint(self) -> str:
        """A hash of all that takes part in scores and events."""
        digest = hashlib.blake2b(digest_size=16)
        for name, array in sorted(self.method.state().items()):
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
        settings = self.config.model_dump(mode="json", exclude={"cache", "report", "bench", "scale"})
        calibrations = {mode: calibration.to_json() for mode, calibration in self.calibrations.items()}
        digest.update(json.dumps([__version__, self.method.id, settings, calibrations], sort_keys=True).encode())
        return digest.hexdigest()

    def save(self, folder: Path | str) -> None:
        """Write the model as a folder, in place of an older model there.

        Raises:
            ModelError: The folder holds something else than a model.
            StorageError: It cannot be written.
        """
        folder = Path(folder)
        check_target(folder)
        with whole_folder(folder) as partial:
            self.method.save(partial)
            (partial / "examples").mkdir()
            for name, picture in self.examples.items():
                (partial / "examples" / name).write_bytes(picture)
            (partial / HELD).write_bytes(save(_held_arrays(self.calibrations)))
            (partial / INDEX).write_text(json.dumps(self._index(partial), indent=1), encoding="utf-8")

    def _index(self, partial: Path) -> dict[str, Any]:
        files = sorted(path for path in partial.rglob("*") if path.is_file())
        return {
            "format": FORMAT,
            "amiss": __version__,
            "method": self.method.id,
            "config": self.config.model_dump(mode="json"),
            "calibrations": {mode: calibration.to_json() for mode, calibration in self.calibrations.items()},
            "learned": dict(self.learned),
            "licences": self.licences(),
            "files": {path.relative_to(partial).as_posix(): _hash(path) for path in files},
        }

    def licences(self) -> list[str]:
        """Of all networks whose output took part, here or at the cameras that a prior is of."""
        perception, needs = self.config.perception, self.method.needs
        arrays = needs.arrays
        looks = {"feature": perception.features.source, "scene": SCENES, "block": perception.clips.network}
        seen = [source for array, source in looks.items() if array in arrays]
        features = [LICENCES[source] for source in (*seen, *self.method.pretrained) if source in LICENCES]
        poses = pose_licences(perception.poses) if "pose" in arrays else []
        here = features + poses + (box_licences(perception.boxes) if needs.boxes else [])
        return list(dict.fromkeys([*here, *self.learned.get("borrowed", {}).get("licences", [])]))

    @classmethod
    def load(cls, folder: Path | str) -> Model:
        """Read a model folder.

        Raises:
            ModelError: It is missing, lacks a file, was altered, or was not written by amiss.
        """
        folder = Path(folder)
        index = _read_index(folder)
        for name, digest in index["files"].items():
            path = folder / name
            if not path.is_file():
                raise ModelError(f"the model {folder} lacks {name}; copy it again or learn anew")
            if _hash(path) != digest:
                raise ModelError(f"in the model {folder}, {name} was altered; copy it again or learn anew")
        try:
            config = Config.build(index["config"])
            method = make_method(index["method"], config)
            calibrations = {mode: Calibration.from_json(index["calibrations"][mode]) for mode in get_args(Mode)}
        except (ConfigError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"the model {folder} was made by another version: {error}; learn it anew") from None
        method.load(folder)
        if HELD in index["files"]:
            calibrations = _with_held(calibrations, folder / HELD)
        examples = {Path(name).name: (folder / name).read_bytes() for name in index["files"] if "examples/" in name}
        return cls(method, config, calibrations, index["learned"], examples)


def _held_arrays(calibrations: Mapping[Mode, Calibration]) -> dict[str, FloatArray]:
    """The held-back curves as named arrays."""
    return {
        f"{mode}.{number}.{name}": np.ascontiguousarray(array, np.float64)
        for mode, calibration in calibrations.items()
        for number, curve in enumerate(calibration.held)
        for name, array in zip(("rarity", "seconds"), curve, strict=True)
    }


def _with_held(calibrations: Mapping[Mode, Calibration], path: Path) -> dict[Mode, Calibration]:
    """The calibrations with the curves that `_held_arrays` made arrays of.

    Raises:
        ModelError: The file is damaged.
    """
    try:
        arrays = load_file(path)
        counts = {mode: sum(name.startswith(f"{mode}.") for name in arrays) // 2 for mode in calibrations}
        held = {
            mode: tuple((arrays[f"{mode}.{n}.rarity"], arrays[f"{mode}.{n}.seconds"]) for n in range(count))
            for mode, count in counts.items()
        }
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ModelError(f"{path} is damaged ({error}); learn the model anew") from None
    return {mode: replace(calibration, held=held[mode]) for mode, calibration in calibrations.items()}


def check_target(folder: Path) -> None:
    """Make sure that a model can be saved at `folder`: nothing is there, an empty folder, or an older model.

    Raises:
        ModelError: It holds something else.
    """
    if folder.exists() and not (folder / INDEX).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder} holds something else than a model; give another place for the model")


def _read_index(folder: Path) -> dict[str, Any]:
    """The parsed `model.json` with the keys that loading needs."""
    if not folder.is_dir():
        raise ModelError(f"there is no model {folder}; make one with `amiss learn`")
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder} is not a model: it has no {INDEX}; make one with `amiss learn`") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"the model {folder} is damaged: {INDEX} cannot be read ({error})") from None
    keys = {"format", "method", "config", "calibrations", "learned", "files"}
    if not isinstance(index, dict) or not keys <= index.keys() or not isinstance(index["files"], dict):
        raise ModelError(f"the model {folder} is damaged: {INDEX} lacks an entry; learn it anew")
    if index["format"] != FORMAT:
        raise ModelError(f"the model {folder} has format {index['format']}, this amiss reads {FORMAT}; learn it anew")
    return index


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
