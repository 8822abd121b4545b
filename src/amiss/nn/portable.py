"""A network of a fitted method as other programs and other engines can take it: plain tensors in, plain tensors out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Portable", "is_written"]


def is_written() -> bool:
    """Whether a network is being followed, to be written for others, and not run for its numbers."""
    return bool(torch.jit.is_tracing()) or torch.compiler.is_exporting()  # type: ignore[attr-defined, no-untyped-call]


@dataclass(frozen=True, eq=False)
class Portable:
    """A network with all that is needed to write it to a file or to run it elsewhere.

    Attributes:
        module: In evaluation mode, on the CPU; takes the inputs by position and gives a tuple of the outputs.
        inputs: By name, in order, what each is: shape, unit, order of channels.
        outputs: Likewise.
        example: Gives inputs of so many windows (or whatever `counted` names), for tracing and for tests.
        axes: The axis of each input that `example` counts along; it may have any length, the others have theirs.
        counted: Name of what is counted along these axes.
        together: Torch always looks at so many together, where sums would round otherwise in a batch of another size;
            0: at as many as there are.
    """

    module: nn.Module
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    example: Callable[[int], tuple[Tensor, ...]]
    axes: tuple[int, ...]
    counted: str = "windows"
    together: int = 0

    def shapes(self, count: int) -> list[list[int]]:
        """The shape of each input, `count` standing for the length of the axis that is counted along."""
        shapes = [list(tensor.shape) for tensor in self.example(2)]
        for shape, axis in zip(shapes, self.axes, strict=True):
            shape[axis] = count
        return shapes
