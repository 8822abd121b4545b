"""The networks of a model as files that other programs read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from amiss import __version__
from amiss.engine.model import Model
from amiss.engine.progress import silent
from amiss.errors import ConfigError, ExportError
from amiss.methods.base import Progress
from amiss.nn.convert import write_onnx, write_openvino
from amiss.nn.portable import Portable
from amiss.perception.blocks import SIDE as BLOCK_SIDE
from amiss.perception.embed import MEAN, SPREAD
from amiss.perception.features import FEATURE_NETWORKS
from amiss.perception.scenes import NETWORK, SIDE
from amiss.storage import whole_folder

__all__ = ["EXPORT", "check_export_target", "export_model", "portable_networks"]

EXPORT = "export.json"
WRITERS: Mapping[str, Callable[[Portable, Path, str], list[Path]]] = {
    "openvino": write_openvino,
    "onnx": write_onnx,
}
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "openvino": ("torch", "openvino"),
    "onnx": ("torch", "onnx", "onnxscript"),
}


class _Crops(torch.nn.Module):
    """A network of crops with what is done to their pixels before it."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """`(N, D)` of `(N, S, S, 3)`."""
        return (self.network((crops.permute(0, 3, 1, 2).float() - MEAN) / SPREAD),)


def portable_networks(model: Model) -> dict[str, Portable]:
    """The networks of the method, and those of perception whose features it takes."""
    arrays, perception = model.method.needs.arrays, model.config.perception
    found = dict(model.method.networks())
    if "feature" in arrays:
        features = perception.features
        found["features"] = _of_crops(features.source, features.size, "crops of boxes")
    if "block" in arrays and perception.clips.network in list(FEATURE_NETWORKS):
        clips = perception.clips
        found["blocks"] = _of_crops(clips.network, clips.size or BLOCK_SIDE, "crops of boxes in frames of a block")
    if "scene" in arrays:
        found["scenes"] = _of_crops(NETWORK, SIDE, "pictures of the place")
    return found


def _of_crops(source: str, size: int, what: str) -> Portable:
    """A network of features."""
    network, length = FEATURE_NETWORKS[source]()
    return Portable(
        module=_Crops(network).eval(),
        inputs={"crops": f"(N, {size}, {size}, 3) {what}, RGB, uint8"},
        outputs={"features": f"(N, {length}) features"},
        example=lambda count: _example(count, size),
        axes=(0,),
        counted="crops",
    )


def _example(count: int, size: int) -> tuple[torch.Tensor, ...]:
    draw = torch.Generator().manual_seed(count)
    return (torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8, generator=draw),)


def check_export_target(folder: Path) -> None:
    """Make sure that networks can be written to `folder`: nothing is there, an empty folder, or an older export.

    Raises:
        ExportError: It holds something else.
    """
    if folder.exists() and not (folder / EXPORT).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError(f"{folder} holds something else than exported networks; give another place for --out")


def export_model(model: Model, folder: Path, to: str, progress: Progress = silent) -> dict[str, Any]:
    """Write the networks of a model as a folder, in place of an older one there.

    Args:
        model: The model.
        folder: Gets the files of each network, and `export.json`, which says what they are.
        to: A format: openvino or onnx.
        progress: Told how far it is.

    Returns:
        What `export.json` says.

    Raises:
        ConfigError: There is no such format.
        ExportError: The method has no network, a network cannot be written, or the folder holds something else.
        StorageError: The folder cannot be written.
    """
    if to not in WRITERS:
        raise ConfigError(f"there is no format {to!r} to export to; the formats are: {', '.join(WRITERS)}")
    check_export_target(folder)
    networks = portable_networks(model)
    if not networks:
        raise ExportError(f"this model of {model.method.id} has no network: its parts are worked out without any")
    with whole_folder(folder) as partial:
        entries = {}
        for number, (name, network) in enumerate(networks.items()):
            progress("writing networks", number, len(networks))
            files = WRITERS[to](network, partial, name)
            entries[name] = {"files": [path.name for path in files]} | _described(network)
        index = {
            "amiss": __version__,
            "method": model.method.id,
            "to": to,
            "networks": entries,
            "learned": {key: model.learned[key] for key in ("when", "clips") if key in model.learned},
            "licences": model.licences(),
            "versions": {package: version(package) for package in PACKAGES[to]},
        }
        (partial / EXPORT).write_text(json.dumps(index, indent=1), encoding="utf-8")
    progress("writing networks", len(networks), len(networks))
    return index


def _described(network: Portable) -> dict[str, Any]:
    """Names, shapes, types and meaning of what goes in and comes out; an axis of any length bears a name."""
    examples = network.example(2), network.example(3)
    with torch.no_grad():
        found = [network.module(*inputs) for inputs in examples]
    ports = {"inputs": (network.inputs, *examples), "outputs": (network.outputs, *found)}
    return {
        side: [
            {"name": name, "shape": _shape(two, three, network.counted), "dtype": _dtype(two), "about": about}
            for (name, about), two, three in zip(names.items(), twos, threes, strict=True)
        ]
        for side, (names, twos, threes) in ports.items()
    }


def _shape(two: torch.Tensor, three: torch.Tensor, counted: str) -> list[int | str]:
    """The shape, told from an example of two and one of three."""
    return [size if size == other else counted for size, other in zip(two.shape, three.shape, strict=True)]


def _dtype(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
