"""Networks in files (OpenVINO IR, ONNX, TensorFlow Lite), run by OpenVINO."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.errors import WeightsError

__all__ = ["Network"]

SUFFIXES = (".xml", ".onnx", ".tflite")


class Network:
    """A network that is read from a file and compiled when it is first asked something.

    Args:
        path: `.xml` with its `.bin` beside it, `.onnx` or `.tflite`.
        shape: Shape to give to its only input, None to keep the file's; -1 leaves an axis open.

    Raises:
        WeightsError: OpenVINO is not installed, or the file is missing, damaged or of another format.
    """

    def __init__(self, path: Path, shape: Sequence[int] | None = None) -> None:
        self.path = path
        try:
            import openvino
        except ImportError:
            raise WeightsError(
                "networks run on OpenVINO, which is not installed: pip install 'amiss[openvino]'"
            ) from None
        if path.suffix not in SUFFIXES or not path.is_file():
            raise WeightsError(f"{path} is not a network; it takes a file that ends in {', '.join(SUFFIXES)}")
        self._openvino = openvino
        self._lock = threading.Lock()  # requests are not for several threads at once
        self._core = openvino.Core()
        try:
            self._model = self._core.read_model(path)
            if shape is not None:
                self._model.reshape(list(shape))
        except RuntimeError as error:
            reason = " ".join(str(error).split())[-200:]
            raise WeightsError(f"the network {path} cannot be read; get it again ({reason})") from None

    @property
    def inputs(self) -> list[tuple[str, tuple[int, ...]]]:
        """Name and shape of each input; -1 is an open axis."""
        return [(_name(port), _shape(port)) for port in self._model.inputs]

    @property
    def outputs(self) -> list[tuple[str, tuple[int, ...]]]:
        """Name and shape of each output; -1 is an open axis."""
        return [(_name(port), _shape(port)) for port in self._model.outputs]

    @cached_property
    def _compiled(self) -> Any:
        return self._core.compile_model(self._model, "CPU", {"PERFORMANCE_HINT": "LATENCY"})

    @cached_property
    def _queue(self) -> Any:
        compiled = self._core.compile_model(self._model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
        return self._openvino.AsyncInferQueue(compiled)

    def __call__(self, *arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run it.

        Args:
            arrays: One an input, in the order of `inputs`.

        Returns:
            A copy of each output, by name.

        Raises:
            WeightsError: The arrays do not fit the network.
        """
        with self._lock:
            try:
                found = self._compiled([np.ascontiguousarray(array) for array in arrays])
            except RuntimeError as error:
                reason = " ".join(str(error).split())[-200:]
                raise WeightsError(f"the network {self.path} does not take what it is given ({reason})") from None
            return self._named(lambda index: found[index])

    def many(self, batches: Sequence[NDArray[Any]]) -> list[dict[str, NDArray[Any]]]:
        """Run a network of one input on several arrays, as many at a time as there are cores for.

        Raises:
            WeightsError: An array does not fit the network.
        """
        found: dict[int, dict[str, NDArray[Any]]] = {}

        def keep(request: Any, number: int) -> None:
            found[number] = self._named(lambda index: request.get_output_tensor(index).data)

        with self._lock:
            queue = self._queue
            queue.set_callback(keep)
            try:
                for number, array in enumerate(batches):
                    queue.start_async([np.ascontiguousarray(array)], number)
                queue.wait_all()
            except RuntimeError as error:
                reason = " ".join(str(error).split())[-200:]
                raise WeightsError(f"the network {self.path} does not take what it is given ({reason})") from None
        return [found[number] for number in range(len(batches))]

    def _named(self, output: Callable[[int], NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """A copy of each output, by name."""
        return {name: np.array(output(index)) for index, (name, _) in enumerate(self.outputs)}


def _name(port: Any) -> str:
    """The first name in order, or none: a port may have several."""
    return min(port.get_names(), default="")


def _shape(port: Any) -> tuple[int, ...]:
    return tuple(-1 if axis.is_dynamic else axis.get_length() for axis in port.get_partial_shape())
