"""Networks in files (OpenVINO IR, ONNX, TensorFlow Lite), run by OpenVINO."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from amiss.errors import WeightsError

__all__ = ["Network", "Pictures"]

SUFFIXES = (".xml", ".onnx", ".tflite")


@dataclass(frozen=True)
class Pictures:
    """How a network takes a picture.

    Attributes:
        layout: Order of its axes.
        colours: Order of its colours.
        dtype: Type of its numbers.
        mean: Taken off each colour, in that order.
        scale: Each colour is divided by this afterwards.
    """

    layout: Literal["NCHW", "NHWC"]
    colours: Literal["RGB", "BGR"]
    dtype: Literal["uint8", "float32"]
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]


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
        return self._core.compile_model(self._model, "CPU", {"PERFORMANCE_HINT": "LATENCY"} | _threads())

    @cached_property
    def _queue(self) -> Any:
        # a thread that is tied to one core waits for whatever else runs there
        settings = {"PERFORMANCE_HINT": "THROUGHPUT", "ENABLE_CPU_PINNING": False}
        return self._openvino.AsyncInferQueue(self._core.compile_model(self._model, "CPU", settings | _threads()))

    def show(self, pictures: Pictures) -> None:
        """From now on take pictures `(1, h, w, 3)` uint8 RGB in the place of what the file says.

        The network itself turns them into what it was made for: that is many times quicker than doing it before, and
        a quarter of the bytes go in. It must not have been asked anything yet.

        Args:
            pictures: What it was made for.
        """
        from openvino import Layout, Type
        from openvino.preprocess import ColorFormat, PrePostProcessor

        steps = PrePostProcessor(self._model)
        given = steps.input(0)
        given.tensor().set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(ColorFormat.RGB)
        given.model().set_layout(Layout(pictures.layout))
        turn = given.preprocess()
        if pictures.dtype == "float32":
            turn.convert_element_type(Type.f32)
        if pictures.colours == "BGR":
            turn.convert_color(ColorFormat.BGR)
        if pictures.dtype == "float32" and (any(pictures.mean) or set(pictures.scale) != {1.0}):
            turn.mean(list(pictures.mean)).scale(list(pictures.scale))
        self._model = steps.build()

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

        What is found for an array does not depend on the others.

        Raises:
            WeightsError: An array does not fit the network.
        """
        found: dict[int, dict[str, NDArray[Any]]] = {}

        def keep(request: Any, number: int) -> None:
            found[number] = self._named(lambda index: request.get_output_tensor(index).data)

        with self._lock:
            queue = self._queue
            queue.set_callback(keep)
            whole = [np.ascontiguousarray(array) for array in batches]  # they are read in place until all is done
            try:
                for number, array in enumerate(whole):
                    queue.start_async([array], number, share_inputs=True)
                queue.wait_all()
            except RuntimeError as error:
                reason = " ".join(str(error).split())[-200:]
                raise WeightsError(f"the network {self.path} does not take what it is given ({reason})") from None
        return [found[number] for number in range(len(batches))]

    def _named(self, output: Callable[[int], NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """A copy of each output, by name."""
        return {name: np.array(output(index)) for index, (name, _) in enumerate(self.outputs)}


def _threads() -> dict[str, int]:
    """How many threads a network may have, where `OMP_NUM_THREADS`, the common way to say so, asks for few.

    Workers of an archive have one each; without a word OpenVINO takes all cores for every one of them.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return {"INFERENCE_NUM_THREADS": int(asked)} if asked.isdecimal() and int(asked) else {}


def _name(port: Any) -> str:
    """The first name in order, or none: a port may have several."""
    return min(port.get_names(), default="")


def _shape(port: Any) -> tuple[int, ...]:
    return tuple(-1 if axis.is_dynamic else axis.get_length() for axis in port.get_partial_shape())
