"""C3D: 3×3×3 convolutions all the way, up to the layer whose activations serve as features.

Source: Tran, Bourdev, Fergus, Torresani and Paluri, "Learning Spatiotemporal Features with 3D Convolutional Networks",
2015, figure 3 and section 3.3: features are the activations of fc6. fc7 and the classifier are left out.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import max_pool3d, relu

from amiss.perception.video.checkpoint import Naming

__all__ = ["C3D", "C3D_NAMING"]

C3D_NAMING = Naming(
    renames=((r"conv([12])a\.", r"conv\1."), (r"fc6-1\.", "fc6.")),  # as the Caffe model calls them
    unused=(r"(fc7|fc8)(-1)?\.",),
)


class C3D(nn.Module):
    """From clips of 16 frames of 112×112 to the 4096 activations of fc6."""

    features = 4096

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, 64, 3, padding=1)
        self.conv2 = nn.Conv3d(64, 128, 3, padding=1)
        self.conv3a = nn.Conv3d(128, 256, 3, padding=1)
        self.conv3b = nn.Conv3d(256, 256, 3, padding=1)
        self.conv4a = nn.Conv3d(256, 512, 3, padding=1)
        self.conv4b = nn.Conv3d(512, 512, 3, padding=1)
        self.conv5a = nn.Conv3d(512, 512, 3, padding=1)
        self.conv5b = nn.Conv3d(512, 512, 3, padding=1)
        self.fc6 = nn.Linear(512 * 4 * 4, self.features)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 3, 16, 112, 112)` BGR less its mean → `(N, 4096)`."""
        # the first pooling leaves time as it is, so as not to merge it too early
        x = max_pool3d(relu(self.conv1(x)), (1, 2, 2))  # N, 64, 16, 56, 56
        x = max_pool3d(relu(self.conv2(x)), 2)  # N, 128, 8, 28, 28
        x = max_pool3d(relu(self.conv3b(relu(self.conv3a(x)))), 2)  # N, 256, 4, 14, 14
        x = max_pool3d(relu(self.conv4b(relu(self.conv4a(x)))), 2)  # N, 512, 2, 7, 7
        x = max_pool3d(relu(self.conv5b(relu(self.conv5a(x)))), 2, padding=(0, 1, 1))  # N, 512, 1, 4, 4
        return relu(self.fc6(x.flatten(1)))
