"""A network of crops, run by whatever is quickest where it is: OpenVINO on a processor that has it, torch elsewhere.

Both compute in single precision, so that a model which learned with one scores the same with the other, and the feature
of a crop does not depend on which crops it is computed together with. (In bfloat16 the features of small
crops of real footage lie 7 to 17 per cent off.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from amiss.types import FloatArray, Image

__all__ = ["OPENVINO_BATCHES", "Embedder", "Exportable", "OpenVinoEmbedder", "TorchEmbedder", "make_embedder"]

MEAN, SPREAD = 127, 128
OPENVINO_BATCHES = (1, 2, 3, 4, 6, 8, 12)
TORCH_BATCH = 8
"""Torch takes at most so many crops at once: from 16 on it sums in another order, and gives other last digits."""

Embedder = Callable[[Image], FloatArray]
"""From `(N, S, S, 3)` uint8 RGB, N > 0, to `(N, D)` float32."""


@runtime_checkable
class Exportable(Protocol):
    """A torch module that can say itself in OpenVINO's operations, without being traced (which takes seconds)."""

    def to_openvino(self, ops: Any, x: Any) -> Any:
        """The output node for the input node `x`, `(N, 3, S, S)`; `ops` is an operation set."""


def make_embedder(network: torch.nn.Module, device: torch.device, size: int) -> Embedder:
    """The quickest way to run a network here.

    Args:
        network: From `(N, 3, S, S)` RGB as (value - 127) / 128 to `(N, D)`, in evaluation mode.
        device: Where torch would run it.
        size: S, pixels a side.
    """
    if device.type == "cpu" and isinstance(network, Exportable) and find_spec("openvino"):
        return OpenVinoEmbedder(network, size)
    return TorchEmbedder(network, device)


class OpenVinoEmbedder:
    """Runs an exportable network, compiled for a few sizes of batch when they are first met.

    A network compiled for any size takes half as long again, and crops that only fill a batch up cost less than reading
    all weights once more. Several threads may use it at once.

    Args:
        network: On the processor, from `(N, 3, S, S)` RGB as (value - 127) / 128 to `(N, D)`.
        size: S, pixels a side.
    """

    def __init__(self, network: Exportable, size: int) -> None:
        self._network = network
        self._size = size
        self._compiled: dict[int, Any] = {}
        self._own = threading.local()
        self._lock = threading.Lock()

    def __call__(self, crops: Image) -> FloatArray:
        """`(N, D)` float32 of `(N, S, S, 3)` uint8 RGB."""
        largest = OPENVINO_BATCHES[-1]
        return np.concatenate(
            [self._features(crops[start : start + largest]) for start in range(0, len(crops), largest)]
        )

    def _features(self, crops: Image) -> FloatArray:
        batch = next(batch for batch in OPENVINO_BATCHES if batch >= len(crops))
        request = self._request(batch)
        # its own memory is filled and read in place; what it was given before fills the batch up
        request.input_tensors[0].data[: len(crops)] = crops
        request.infer(share_inputs=True)
        return np.array(request.output_tensors[0].data[: len(crops)], np.float32)

    def _request(self, batch: int) -> Any:
        """A request of this thread at one size of batch."""
        requests: dict[int, Any] | None = getattr(self._own, "requests", None)
        if requests is None:
            requests = self._own.requests = {}
        if batch not in requests:
            with self._lock:
                if batch not in self._compiled:
                    self._compiled[batch] = self._compile(batch)
            requests[batch] = self._compiled[batch].create_infer_request()
        return requests[batch]

    def _compile(self, batch: int) -> Any:
        """The network at one size of batch."""
        import openvino
        from openvino import opset15 as ops

        crops = ops.parameter([batch, self._size, self._size, 3], np.uint8, "crops")
        values = ops.multiply(ops.subtract(ops.convert(crops, "f32"), np.float32(MEAN)), np.float32(1 / SPREAD))
        # N, S, S, 3 → N, 3, S, S
        output = self._network.to_openvino(ops, ops.transpose(values, np.array([0, 3, 1, 2])))
        # one thread: a few small crops lose more by sharing than they gain, and other stages have the other cores
        settings: dict[str, Any] = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False}
        settings |= {"INFERENCE_PRECISION_HINT": "f32"}
        model = openvino.Model([output], [crops], "features")
        return openvino.Core().compile_model(model, "CPU", settings)


class TorchEmbedder:
    """Runs any network.

    Args:
        network: From `(N, 3, S, S)` RGB as (value - 127) / 128 to `(N, D)`, in evaluation mode.
        device: Where.
    """

    def __init__(self, network: torch.nn.Module, device: torch.device) -> None:
        self._device = device
        self._network = network.to(device)
        convert_conv2d_weight_memory_format(self._network, torch.channels_last)

    def __call__(self, crops: Image) -> FloatArray:
        """`(N, D)` float32 of `(N, S, S, 3)` uint8 RGB."""
        with _one_thread(), torch.inference_mode():
            found = [self._features(crops[start : start + TORCH_BATCH]) for start in range(0, len(crops), TORCH_BATCH)]
        return np.concatenate(found)

    def _features(self, crops: Image) -> FloatArray:
        # N, S, S, 3 → N, 3, S, S with the channels last in memory
        batch = torch.from_numpy(crops).to(self._device).permute(0, 3, 1, 2)
        batch = ((batch.float() - MEAN) / SPREAD).contiguous(memory_format=torch.channels_last)
        return np.asarray(self._network(batch).cpu().numpy(), np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: batches of a few small crops lose more by sharing than they gain."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
