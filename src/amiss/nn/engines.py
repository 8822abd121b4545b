"""What runs a network: torch, or OpenVINO on processors, where it is about twice as fast."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, Protocol, Self

import numpy as np
import torch
from torch import Tensor

from amiss.errors import ConfigError
from amiss.nn.convert import as_openvino
from amiss.nn.portable import Portable

__all__ = ["TORCH", "Engine", "OpenVinoRunner", "Runner", "TorchRunner", "make_runner"]

SIZES = (1, 4, 16)
"""Batches that OpenVINO is asked for. Further ones gain little, and each keeps a copy of the weights."""
FILLED = 0.75
"""A batch is filled up if so much of it is there; else smaller ones are taken."""


@dataclass(frozen=True)
class Engine:
    """What networks run on, as the settings `engine` and `engine_precision` say it.

    Attributes:
        name: `auto` is OpenVINO where it is installed.
        precision: Numbers of 32 bits, or bf16 where the processor computes in it.
    """

    name: Literal["auto", "torch", "openvino"] = "auto"
    precision: Literal["f32", "bf16"] = "f32"

    def resolved(self) -> Literal["torch", "openvino"]:
        """What it is here.

        Raises:
            ConfigError: It is not here, or does not compute in these numbers.
        """
        installed = find_spec("openvino") is not None
        if self.name == "openvino" and not installed:
            raise ConfigError("engine=openvino needs openvino: pip install 'amiss[openvino]', or take engine=torch")
        if self.name == "torch" or not installed:
            if self.precision != "f32":
                raise ConfigError(f"engine_precision={self.precision} needs engine=openvino; torch computes in 32 bits")
            return "torch"
        if self.precision == "bf16" and "BF16" not in _able():
            raise ConfigError("this processor does not compute in bf16; take engine_precision=f32")
        return "openvino"


TORCH = Engine("torch")


class Runner(Protocol):
    """Runs a network."""

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The outputs for inputs of any number of windows."""


def make_runner(network: Portable, engine: Engine) -> Runner:
    """What runs a network.

    Raises:
        ConfigError: The engine is not here, or does not compute in the numbers that are asked for.
        ExportError: It does not know something that the network does.
    """
    if engine.resolved() == "torch":
        return TorchRunner(network)
    return OpenVinoRunner(network, engine.precision)


class TorchRunner:
    """Runs the module as it is.

    Args:
        network: What.
    """

    def __init__(self, network: Portable) -> None:
        self._network = network

    @torch.no_grad()
    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The outputs; batches are filled up with zeros where the network is always asked about so many."""
        count, size = len(inputs[0]), self._network.together
        if not size:
            return tuple(self._network.module(*inputs))
        found = [
            self._network.module(*(_filled(tensor[start : start + size], size) for tensor in inputs))
            for start in range(0, max(count, 1), size)
        ]
        return tuple(torch.cat(outputs)[:count] for outputs in zip(*found, strict=True))


class OpenVinoRunner:
    """Runs a copy of a network that is compiled for a few sizes of batch when they are first met.

    Networks compiled for any size are slower. Several threads may use it at once; a copy of it is the same, as what it
    runs never changes.

    Args:
        network: What, counted along the first axis of each input.
        precision: In which numbers.
    """

    def __init__(self, network: Portable, precision: Literal["f32", "bf16"]) -> None:
        self._network, self._hint = network, precision
        self._model = as_openvino(network)
        self._threads = torch.get_num_threads()
        self._compiled: dict[int, Any] = {}
        self._own = threading.local()
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The outputs, of batches that fit, as many of them at a time as there are threads."""
        given = [np.ascontiguousarray(tensor.numpy()) for tensor in inputs]
        sizes = list(_sizes(len(given[0])))
        starts = np.cumsum([0, *sizes])
        found: list[list[Any]] = []
        for first in range(0, len(sizes), self._threads):
            asked = [
                self._asked(number, size, [array[start : start + size] for array in given])
                for number, (size, start) in enumerate(zip(sizes, starts, strict=False))
                if first <= number < first + self._threads
            ]
            found += [self._outputs(request, count) for request, count in asked]
        return tuple(torch.from_numpy(np.concatenate(outputs)) for outputs in zip(*found, strict=True))

    def _asked(self, number: int, size: int, inputs: list[Any]) -> tuple[Any, int]:
        """A request that runs, and how many rows were given to it."""
        request, count = self._request(number % self._threads, size), len(inputs[0])
        # its own memory is filled and read in place; what it was given before fills the batch up
        for tensor, array in zip(request.input_tensors, inputs, strict=True):
            tensor.data[:count] = array
        request.start_async(share_inputs=True)
        return request, count

    def _outputs(self, request: Any, count: int) -> list[Any]:
        """A copy of each output, once they are there."""
        request.wait()
        return [np.array(tensor.data[:count]) for tensor in request.output_tensors]

    def _request(self, number: int, size: int) -> Any:
        """One of this thread's requests at one size of batch."""
        requests: dict[tuple[int, int], Any] | None = getattr(self._own, "requests", None)
        if requests is None:
            requests = self._own.requests = {}
        if (number, size) not in requests:
            with self._lock:
                if size not in self._compiled:
                    self._compiled[size] = self._compile(size)
            request = requests[number, size] = self._compiled[size].create_infer_request()
            for tensor in request.input_tensors:
                tensor.data[:] = 0
        return requests[number, size]

    def _compile(self, size: int) -> Any:
        """The network at one size of batch; a thread has a batch of its own, as threads that share one often wait."""
        import openvino

        model = self._model.clone()
        model.reshape(dict(enumerate(self._network.shapes(size))))
        settings = {
            "INFERENCE_PRECISION_HINT": self._hint,
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": self._threads,
            "ENABLE_CPU_PINNING": False,  # other programs, and other cameras, may be on that very core
        }
        return openvino.Core().compile_model(model, "CPU", settings)


def _able() -> list[str]:
    """In what this processor computes, in OpenVINO's words."""
    import openvino

    return list(openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def _sizes(count: int) -> Iterator[int]:
    """The batches that so many windows are looked at in; one where there are none, as outputs have shapes."""
    left = max(count, 1)
    while left > 0:
        fitting = [size for size in SIZES if FILLED * size <= left <= size] or [size for size in SIZES if size <= left]
        yield fitting[-1]
        left -= fitting[-1]


def _filled(tensor: Tensor, size: int) -> Tensor:
    """So many rows, those that lack being zeros."""
    lacking = size - len(tensor)
    return torch.cat([tensor, tensor.new_zeros(lacking, *tensor.shape[1:])]) if lacking else tensor
