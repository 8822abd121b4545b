"""Networks in the formats of other programs: OpenVINO and ONNX."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from amiss.errors import ExportError
from amiss.nn.portable import Portable

__all__ = ["as_openvino", "write_onnx", "write_openvino"]

OPEN = -1
"""Length of an axis that may have any."""
SAID = 200
"""Of what an exporter says, so much is repeated."""
TRACED = 2
"""Windows of the example: were there one, torch would take it for a length that never changes."""


def as_openvino(network: Portable) -> Any:
    """The network as an `openvino.Model` with the names of its inputs and outputs; it keeps a copy of the weights.

    It is traced by torch and read by OpenVINO's frontend. OpenVINO's own `convert_model` does the same, but takes ten
    times as long and reports each use to its makers.

    Raises:
        ExportError: Torch or OpenVINO does not know something that the network does.
    """
    from openvino import PartialShape
    from openvino.frontend import FrontEndManager, GeneralFailure, OpConversionFailure
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    try:
        with _quiet(), torch.no_grad():
            trace: Any = torch.jit.trace
            traced = trace(network.module, network.example(TRACED), check_trace=False)
            frontend = FrontEndManager().load_by_framework("pytorch")
            # weights that are shared would change when the method learns anew; the decoder is read until the end
            decoder = TorchScriptPythonDecoder(traced, shared_memory=False)
            model = frontend.convert(frontend.load(decoder))
            model.reshape(dict(enumerate(map(PartialShape, network.shapes(OPEN)))))
    except (RuntimeError, GeneralFailure, OpConversionFailure) as error:
        raise ExportError(f"the network cannot be written for OpenVINO: {_words(error)[-SAID:]}") from error
    for ports, names in ((model.inputs, network.inputs), (model.outputs, network.outputs)):
        for port, name in zip(ports, names, strict=True):
            port.get_tensor().set_names({name})
    for port, name in zip(model.inputs, network.inputs, strict=True):
        port.get_node().set_friendly_name(name)
    return model


def write_openvino(network: Portable, folder: Path, name: str) -> list[Path]:
    """Write `NAME.xml` and `NAME.bin`, in float32.

    Raises:
        ExportError: OpenVINO does not know something that the network does.
    """
    import openvino

    target = folder / f"{name}.xml"
    openvino.save_model(as_openvino(network), target, compress_to_fp16=False)
    return [target, target.with_suffix(".bin")]


def write_onnx(network: Portable, folder: Path, name: str) -> list[Path]:
    """Write `NAME.onnx`, in float32.

    Raises:
        ExportError: Torch cannot say something that the network does in ONNX.
    """
    target, length = folder / f"{name}.onnx", torch.export.Dim(network.counted, min=1)
    try:
        with _quiet(), torch.no_grad():
            program: Any = torch.onnx.export(
                network.module,
                network.example(TRACED),
                input_names=list(network.inputs),
                output_names=list(network.outputs),
                dynamic_shapes=tuple({axis: length} for axis in network.axes),
                dynamo=True,
                optimize=False,  # it would take an added 1e-12 for nothing and leave it out
                verbose=False,
            )
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        raise ExportError(
            f"the network cannot be written as ONNX: {_words(error.__cause__ or error)[:SAID]}"
        ) from error
    program.save(target, external_data=False)
    return [target]


@contextmanager
def _quiet() -> Iterator[None]:
    """While the block runs, torch keeps to itself what it thinks of its own parts and of absent packages."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _words(error: BaseException) -> str:
    """What an exporter says, which may be pages long, in one line."""
    return " ".join(str(error).split())
