"""Published weights in files, checked name by name and shape by shape; nothing that could run code is unpickled."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from amiss.errors import WeightsError

__all__ = ["Naming", "load_checkpoint"]

PREFIX = re.compile(r"^(?:(?:module|backbone)\.)+")
# whatever a damaged file can make the reader of torch's format stumble over
DAMAGE = (
    pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError,
    ImportError, struct.error, AssertionError,
)  # fmt: skip


@dataclass(frozen=True)
class Naming:
    """How published weights call what a module has.

    Attributes:
        renames: Pairs of a pattern at a name's beginning and what it becomes.
        unused: Patterns at the beginning of names that the module does without.
    """

    renames: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()

    def rename(self, key: str) -> str:
        """The module's name for a published one."""
        key = PREFIX.sub("", key)
        for pattern, name in self.renames:
            key = re.sub(f"^{pattern}", name, key)
        return key

    def is_unused(self, key: str) -> bool:
        """Whether the module does without it."""
        return any(re.match(pattern, key) for pattern in self.unused)


def load_checkpoint(module: nn.Module, path: Path, mapping: Naming) -> None:
    """Put published weights into a module.

    Args:
        module: Gets them; it is left as it was if they do not fit.
        path: `.safetensors`, or `.pt` or `.pth` that holds nothing but tensors and plain values; the tensors may lie
            under `state_dict`, and their names may begin with `module.` or `backbone.`.
        mapping: How they are called there.

    Raises:
        WeightsError: The file is missing, damaged, of another format or wants to run code; or a name is missing,
            unexpected or there twice; or a tensor has another shape or holds values that are not finite.
    """
    given: dict[str, Tensor] = {}
    for key, value in _read(path).items():
        name = mapping.rename(key)
        if mapping.is_unused(name):
            continue
        if name in given:
            raise WeightsError(f"{path} has {name} twice; give a checkpoint of one network")
        given[name] = value
    wanted = {key: value for key, value in module.state_dict().items() if not mapping.is_unused(key)}
    _check(given, wanted, path, type(module).__name__)
    module.load_state_dict(given, strict=False)  # what is unused is not there; all else was checked


def _read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name."""
    if path.suffix not in (".safetensors", ".pt", ".pth"):
        raise WeightsError(f"{path} is not a checkpoint; it takes a file that ends in .safetensors, .pt or .pth")
    if not path.is_file():
        raise WeightsError(f"there is no checkpoint {path}; set it to the file of published weights")
    values = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    if isinstance(values, Mapping) and isinstance(values.get("state_dict"), Mapping):
        values = values["state_dict"]
    if not isinstance(values, Mapping) or not all(isinstance(value, Tensor) for value in values.values()):
        raise WeightsError(f"{path} holds something else than tensors by name; give a state_dict")
    return {str(key): value for key, value in values.items()}


def _read_safetensors(path: Path) -> Any:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"the checkpoint {path} cannot be read; get it again ({_line(error)})") from None


def _read_torch(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            # of a newer protocol of pickle it says that it may not understand it; then it fails, or does
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = _line(error)
        raise WeightsError(
            f"the checkpoint {path} is damaged or would run code, which is never done; save its state_dict ({reason})"
        ) from None
    except DAMAGE as error:
        raise WeightsError(f"the checkpoint {path} cannot be read; get it again ({_line(error)})") from None


def _line(error: BaseException) -> str:
    """What an error says, in one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _is_plain(value: Tensor) -> bool:
    """Whether it is neither whole numbers nor sparse nor quantised."""
    return value.is_floating_point() and value.layout == torch.strided and not value.is_meta


def _check(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path, network: str) -> None:
    """Refuse the first thing that does not fit."""
    for key, value in wanted.items():
        if key not in given:
            raise WeightsError(f"{path} has no {key}; it is not a checkpoint of {network}")
        if given[key].shape != value.shape:
            kind = "another size of window" if key.endswith("relative_position_bias_table") else "another network"
            shapes = f"{tuple(given[key].shape)}, not {tuple(value.shape)}"
            raise WeightsError(f"{path} is of {kind} than this {network}: {key} has the shape {shapes}")
        if not _is_plain(given[key]):
            raise WeightsError(f"{path} has {key} as something else than plain floating-point numbers; convert it")
        if not torch.isfinite(given[key]).all():
            raise WeightsError(f"{path} is damaged: {key} holds values that are not finite; get it again")
    for key in given:
        if key not in wanted:
            raise WeightsError(f"{path} has {key}, which {network} does not; it is of another network")
