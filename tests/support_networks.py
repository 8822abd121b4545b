"""Tiny networks in ONNX files, for tests that must not need real weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_constant(path: Path, shape: Sequence[int], outputs: Mapping[str, np.ndarray], kind: str = "float32") -> Path:
    """A network that takes `(1, …)` and always gives the same outputs, whatever it sees.

    Args:
        path: Where to write it.
        shape: Of its input.
        outputs: Name and value of each output.
        kind: Type of its input.
    """
    input_type = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nought"], ["zero"]),
    ]
    given = [numpy_helper.from_array(np.zeros((), np.float32), "nought")]
    told = []
    for name, value in outputs.items():
        given.append(numpy_helper.from_array(np.asarray(value, np.float32), f"{name}_value"))
        nodes.append(helper.make_node("Add", ["zero", f"{name}_value"], [name]))
        told.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, np.shape(value)))
    taken = [helper.make_tensor_value_info("image", input_type, list(shape))]
    graph = helper.make_graph(nodes, "constant", taken, told, given)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path


def write_flow(path: Path, width: int, height: int, gain: float = 1.0, outputs: int = 2) -> Path:
    """A flow network of two pictures in one: x is `gain` times how much redder the first is, y how much bluer."""
    weight = np.zeros((outputs, 6, 1, 1), np.float32)
    weight[0, [0, 3], 0, 0] = gain, -gain
    weight[1 % outputs, [2, 5], 0, 0] = gain, -gain
    nodes = [helper.make_node("Conv", ["pictures", "weight"], ["flow"])]
    taken = [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, [1, 6, height, width])]
    told = [helper.make_tensor_value_info("flow", TensorProto.FLOAT, [1, outputs, height, width])]
    graph = helper.make_graph(nodes, "flow", taken, told, [numpy_helper.from_array(weight, "weight")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def write_mean_box(path: Path, width: int, height: int) -> Path:
    """A detector `(1, 3, height, width)` → `boxes` `(1, 5)` whose confidence is the mean of the picture over 255."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "weight"], ["weighted"]),
        helper.make_node("Add", ["weighted", "base"], ["boxes"]),
    ]
    given = [
        numpy_helper.from_array(np.array([[0, 0, 0, 0, 1 / 255]], np.float32), "weight"),
        numpy_helper.from_array(np.array([[4, 8, 12, 24, 0]], np.float32), "base"),
    ]
    taken = [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, height, width])]
    told = [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 5])]
    graph = helper.make_graph(nodes, "mean", taken, told, given)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path
