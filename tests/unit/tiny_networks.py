"""Networks of a few nodes whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from people import maps

Nodes = Sequence[Any]


def save(path: Path, nodes: Nodes, given: Any, outputs: dict[str, tuple[int, ...]], **constants: Any) -> Path:
    """A network of a few nodes; constants are its weights."""
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    found = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()]
    graph = helper.make_graph(nodes, "tiny", [given], found, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def single(path: Path, joint: tuple[float, float] = (0.5, 0.5), kind: int = TensorProto.UINT8, size: int = 8) -> Path:
    """All joints at one place (y, x), as sure as the crop is bright."""
    base = np.tile(np.array([*joint, 0], np.float32), (1, 1, 17, 1))
    gain = np.tile(np.array([0, 0, 1 / 255], np.float32), (1, 1, 17, 1))
    nodes = [
        helper.make_node("Cast", ["picture"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["bright"], axes=[0, 1, 2, 3], keepdims=1),
        helper.make_node("Mul", ["bright", "gain"], ["sure"]),
        helper.make_node("Add", ["sure", "base"], ["joints"]),
    ]
    given = helper.make_tensor_value_info("picture", kind, (1, size, size, 3))
    return save(path, nodes, given, {"joints": (1, 1, 17, 3)}, gain=gain, base=base)


def everybody(path: Path, *people: np.ndarray) -> Path:
    """The maps of some people, as strong as the picture is red."""
    heat, fields = (array[None].astype(np.float32) for array in maps(*people))
    nodes = [
        helper.make_node("Gather", ["picture", "two"], ["red"], axis=1),
        helper.make_node("ReduceMax", ["red"], ["most"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Mul", ["most", "share"], ["strength"]),
        helper.make_node("Mul", ["strength", "known_fields"], ["fields"]),
        helper.make_node("Mul", ["strength", "known_heat"], ["heat"]),
    ]
    given = helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, 3, 256, 456))
    weights = {"two": np.array([2]), "share": np.float32(1 / 255), "known_fields": fields, "known_heat": heat}
    return save(path, nodes, given, {"fields": fields.shape, "heat": heat.shape}, **weights)
