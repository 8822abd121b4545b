"""I3D: Inception-v1 with its filters inflated along time, the RGB stream, up to its pooled features.

Source: Carreira and Zisserman, "Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset", 2017, figure 3;
the widths of the Inception blocks are table 1 of Szegedy et al., "Going Deeper with Convolutions", 2015.
Names of layers are those that published weights in torch go by. The classifier is left out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from amiss.perception.video.checkpoint import Naming

__all__ = ["I3D", "I3D_NAMING", "Pool", "Unit", "narrowed", "pad_same"]

I3D_NAMING = Naming(unused=(r"logits\.", r".*\.num_batches_tracked$"))
NORM_EPS = 1e-3

Triple = tuple[int, int, int]

# 1×1×1; 1×1×1 before 3×3×3; 3×3×3; 1×1×1 before the second 3×3×3; that; 1×1×1 after pooling
MIXED = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}


def _missing(sizes: Sequence[int], kernel: Triple, stride: Triple) -> list[int]:
    """How many more are needed along each axis so that ceil(size / stride) positions fit."""
    return [
        max((-(-size // step) - 1) * step + width - size, 0)
        for size, width, step in zip(map(int, sizes), kernel, stride, strict=True)  # numbers even while traced
    ]


def pad_same(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """Zeros around `(N, C, T, H, W)` so that ceil(size / stride) positions fit, more after than before."""
    sides: list[int] = []
    for total in reversed(_missing(x.shape[2:], kernel, stride)):
        sides += [total // 2, total - total // 2]
    return nn.functional.pad(x, sides)


class Unit(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride, bias=False)
        self.bn: nn.Module = nn.BatchNorm3d(outputs, NORM_EPS)
        self._kernel: Triple = (kernel, kernel, kernel)
        self._stride: Triple = (stride, stride, stride)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, inputs, T, H, W)` → `(N, outputs, ceil(T / stride), ceil(H / stride), ceil(W / stride))`."""
        if self._stride == (1, 1, 1):  # as many zeros before as after: no copy with zeros around it is needed
            x = nn.functional.conv3d(x, self.conv3d.weight, self.conv3d.bias, padding=self._kernel[0] // 2)
        else:
            x = self.conv3d(pad_same(x, self._kernel, self._stride))
        return torch.relu_(self.bn(x))

    def fold(self) -> None:
        """Put the normalisation, as it is in evaluation, into the weights of the convolution."""
        if isinstance(self.bn, nn.BatchNorm3d):
            self.conv3d, self.bn = fuse_conv_bn_eval(self.conv3d, self.bn), nn.Identity()


class Pool(nn.Module):
    """The largest of each neighbourhood; zeros around are harmless, for nothing is negative after a ReLU."""

    def __init__(self, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        self._kernel, self._stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """`(N, C, T, H, W)` → each size divided by the stride and rounded up."""
        before = [total // 2 for total in _missing(x.shape[2:], self._kernel, self._stride)]
        # rounding up is the one place more that there may be after; no copy with zeros around it is needed
        return nn.functional.max_pool3d(x, self._kernel, self._stride, before, ceil_mode=True)


class Mixed(nn.Module):
    """An Inception block: four branches side by side."""

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        one, before, three, before_second, second, after_pool = widths
        self.b0 = Unit(inputs, one, 1)
        self.b1a = Unit(inputs, before, 1)
        self.b1b = Unit(before, three, 3)
        self.b2a = Unit(inputs, before_second, 1)
        self.b2b = Unit(before_second, second, 3)
        self.b3a = Pool((3, 3, 3), (1, 1, 1))
        self.b3b = Unit(inputs, after_pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, inputs, T, H, W)` → `(N, sum of the branches, T, H, W)`."""
        branches = self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x))
        return torch.cat(branches, 1)


def narrowed(channels: int, width: float) -> int:
    """A share of some channels, in whole fours, as processors like them; all of them for a width of 1."""
    return channels if width == 1 else max(4, 4 * round(channels * width / 4))


class I3D(nn.Sequential):
    """From clips of any size to 1024 features, the mean of the last block over time and place.

    Args:
        width: Share of the published channels.
        last: The last block; later ones are left out.

    Attributes:
        channels: Of what each Inception block gives, by its name.
    """

    features = 1024

    def __init__(self, width: float = 1.0, last: str = "Mixed_5c") -> None:
        first, second = narrowed(64, width), narrowed(192, width)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["Conv3d_1a_7x7"] = Unit(3, first, 7, 2)
        layers["MaxPool3d_2a_3x3"] = Pool((1, 3, 3), (1, 2, 2))
        layers["Conv3d_2b_1x1"] = Unit(first, first, 1)
        layers["Conv3d_2c_3x3"] = Unit(first, second, 3)
        layers["MaxPool3d_3a_3x3"] = Pool((1, 3, 3), (1, 2, 2))
        channels: dict[str, int] = {}
        inputs = second
        for name, published in MIXED.items():
            if name == "Mixed_4b":
                layers["MaxPool3d_4a_3x3"] = Pool((3, 3, 3), (2, 2, 2))
            if name == "Mixed_5b":
                layers["MaxPool3d_5a_2x2"] = Pool((2, 2, 2), (2, 2, 2))
            widths = [narrowed(full, width) for full in published]
            layers[name] = Mixed(inputs, widths)
            inputs = channels[name] = widths[0] + widths[2] + widths[4] + widths[5]
            if name == last:
                break
        super().__init__(layers)
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 3, T, H, W)` RGB in -1..1 → `(N, 1024)`."""
        for layer in self:
            x = layer(x)
        # N, 1024, T / 8, H / 32, W / 32 → N, 1024
        return x.mean((2, 3, 4))
