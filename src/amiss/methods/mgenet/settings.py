"""Settings of the method `mgenet`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from amiss.config import Settings
from amiss.methods.mgenet.combine import Rule
from amiss.methods.pose_flow.settings import PRESETS as GUIDES
from amiss.methods.pose_flow.settings import PoseFlowSettings

__all__ = ["PRESETS", "MgenetSettings"]


class MgenetSettings(Settings):
    """Settings of the method `mgenet`."""

    guide: PoseFlowSettings = Field(PoseFlowSettings(), description="Settings of the pose flow that guides.")
    every: int = Field(
        3, ge=1, description="Segments are scored at every so many-th frame; a score stands until the next."
    )
    everything: bool = Field(
        default=True, description="What has no pose is looked at, too, by the second level and the matching."
    )
    size: int = Field(64, ge=16, multiple_of=8, description="Pixels a side of the crops of a person; 96 in the paper.")
    tokenizer: Literal["linear", "efficientnet", "swin"] = Field(
        "linear",
        description="Tokens are cubes of pixels, these beside what the first blocks of an EfficientNet-Lite0 make of "
        "them, or features of a Video Swin Transformer's first two stages.",
    )
    checkpoint: Path | None = Field(None, description="Published weights of the Video Swin Transformer.")
    width: int = Field(96, ge=12, multiple_of=12, description="Channels of a token.")
    depth: int = Field(2, ge=1, description="Blocks of each encoder.")
    heads: int = Field(3, ge=1, description="Heads of attention.")
    lsta: int = Field(5, ge=0, description="Modules of large spatial-temporal attention; 0 leaves them out.")
    kernel: int = Field(21, ge=1, description="What the kernels of an attention module span together.")
    dilation: int = Field(3, ge=1, description="Dilation of the second of its kernels.")
    appearance: int = Field(64, ge=1, description="Numbers a frame of the appearance feature.")
    mask: float = Field(0.5, gt=0, lt=1, description="Share of the places that are hidden from the mask encoder.")
    behaviours: int = Field(128, ge=2, description="Items of the memory of behaviours.")
    scenes: int = Field(32, ge=2, description="Items of the memory of scenes.")
    match: Literal["movements", "weights"] = Field(
        "movements",
        description="How behaviours are matched with scenes: by how much farther the nearest normal movement of joints "
        "is in such a scene than in any, or by the weights of tokens and scene at the same pairs as in the paper.",
    )
    pairs: int | None = Field(
        None,
        ge=2,
        description="Items of the memory of behaviours and scenes together; 2,048 of movements, 64 of weights.",
    )
    top: int = Field(4, ge=1, description="Pairs that are compared, those with the most similar behaviour.")
    temperature: float = Field(0.1, gt=0, description="What cosines are divided by before a softmax; 1 in the paper.")
    motion: bool = Field(default=True, description="The first level learns and counts.")
    masking: bool = Field(default=True, description="The second level learns and counts.")
    looks: bool = Field(
        default=True,
        description="How far a crop's fine features by an EfficientNet-Lite0 are from the nearest normal ones counts.",
    )
    matching: bool = Field(default=True, description="Behaviour-scene matching learns and counts.")
    measure: Literal["difference", "cosine", "guide", "explorer", "sum"] = Field(
        "difference",
        description="Motion score: length of the difference of both features, one minus their cosine, or the length of "
        "the guide's, of the RGB encoder's or of their sum.",
    )
    optimiser: Literal["adam", "sgd"] = Field(
        "adam", description="Adam at 3e-4, or stochastic gradient descent at 1e-4 with momentum 0.5 as in the paper."
    )
    appearance_weight: float = Field(
        0.1, ge=0, description="Weight α of the appearance loss; what it trains is trained by nothing else."
    )
    separateness_weight: float = Field(1e-3, ge=0, description="Weight β of the separateness losses.")
    margin: float = Field(1.0, ge=0, description="Margin ε of the separateness losses.")
    appearance_share: float = Field(
        0.0, ge=0, description="Weight of the appearance score; 0.1 in the paper. Without weight it only shows where."
    )
    looks_share: float = Field(1.0, ge=0, description="Weight of the distance from normal looks.")
    scene_share: float = Field(1.0, ge=0, description="Weight of the matching score; 0.1 in the paper, by weights.")
    combine: Rule = Field(
        "tail",
        description="The score is the part that is rarest among normal segments (tail; a weight divides its tail "
        "probability), or the weighted sum of the parts, each in standard deviations (sum) or as it is (raw).",
    )
    examples: int = Field(96, ge=3, description="Normal examples kept to show.")

    @property
    def remembered(self) -> int:
        """Items of the memory of behaviours and scenes."""
        return self.pairs or (2048 if self.match == "movements" else 64)


PUBLISHED: Mapping[str, Any] = {
    "every": 1,
    "everything": False,
    "size": 96,
    "optimiser": "sgd",
    "temperature": 1.0,
    "looks": False,
    "appearance_share": 0.1,
    "combine": "sum",
    "match": "weights",
    "scene_share": 0.1,
}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    name: {**preset, "method": {**PUBLISHED, "guide": preset["method"]}} for name, preset in GUIDES.items()
}
"""What is published for a data set, as settings of a run; the tokens are of a linear embedding where no weights of a
Video Swin Transformer are given."""
