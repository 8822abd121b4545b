"""The method `pose-flow`: how likely the movement of a person is among those that were seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amiss.config import Settings
from amiss.errors import ConfigError, FootageError
from amiss.methods.base import Exemplar, Explanation, Method, Progress
from amiss.methods.normal import Usual, percent, spread_out
from amiss.methods.pose_flow.portable import portable
from amiss.methods.pose_flow.segments import apart, known, normalised, read_segments, with_bodies
from amiss.methods.pose_flow.settings import PRESETS, PoseFlowSettings
from amiss.methods.pose_flow.task import Likelihood, make_flow, tensor_of
from amiss.methods.task import Trainer
from amiss.nn.flow import SegmentFlow, negative_log_likelihood
from amiss.nn.graph import JOINTS
from amiss.nn.portable import Portable
from amiss.types import BoolArray, FloatArray, RegionScores, Windows
from amiss.windows.needs import Needs
from amiss.windows.store import WindowStore

__all__ = ["PoseFlow"]

LEAST = 32
SAMPLE = 16_384
"""Normal segments, at most, that the score is standardised by."""
TOGETHER = 512
"""Segments that are looked at together."""
MOMENTS = 6
"""Frames of a segment that the nearest examples are found by."""
NEAREST, NAMED = 3, 3
USUAL = ("count", "mean", "squares", "sample")


@dataclass(frozen=True, eq=False)
class _Looked:
    """What the flow makes of segments.

    Attributes:
        joints: `(N, 18)` negative log-likelihood of each joint over the segment, bits a dimension.
        vectors: `(N, D)` the segment at a few moments.
    """

    joints: FloatArray
    vectors: FloatArray

    @property
    def whole(self) -> FloatArray:
        """`(N, 1)` negative log-likelihood of the segment, bits a dimension."""
        return np.asarray(self.joints.mean(1, keepdims=True))


class PoseFlow(Method):
    """Negative log-likelihood of a segment under a spatio-temporal normalising flow.

    Source: the guide of Yang et al., "A multilevel guidance-exploration network and behavior-scene matching method for
    human behavior anomaly detection", ACM MM 2024, section 3.2, equation 1, after Hirschorn and Avidan, ICCV 2023. The
    score is in standard deviations above the mean of normal segments.
    """

    id = "pose-flow"
    title = "Normalising flow over the poses of people"
    settings_type = PoseFlowSettings
    by_heart = False
    presets = PRESETS
    after_training = frozenset({"at", "ends", "examples"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = PoseFlowSettings.model_validate(settings.model_dump())
        if self._settings.kernel % 2 == 0:
            raise ConfigError(f"method.kernel does not take {self._settings.kernel}; give an odd number")
        # In double precision, whose rounding does not show: products round differently in batches of other sizes.
        self._flow = make_flow(self._settings).double().eval()
        self._usual: Usual | None = None
        self._usual_joints: Usual | None = None
        self._shown: FloatArray = np.zeros((0, 0), np.float32)

    @property
    def needs(self) -> Needs:
        """Segments of poses."""
        chosen = self._settings
        segment = Needs("segment", ("pose",), length=chosen.length, missing=chosen.missing)
        return replace(segment, at=chosen.at, ends=chosen.ends)

    @property
    def parts(self) -> tuple[str, ...]:
        """The movement alone."""
        return ("movement",)

    def fit(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        """Train the flow on the segments that are worth it, then see how likely normal segments are.

        Raises:
            DatasetError: The labelled abnormal segments cannot be read.
            FootageError: Fewer than 32 segments.
            TrainingError: A loss is not a number.
        """
        chosen = self._settings
        worth = WindowStore([with_bodies(apart(part, chosen.stride), chosen) for part in store.parts])
        self.fit_to(worth, seed=seed, progress=progress, trainer=trainer)

    def fit_to(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        """Like `fit`, on all segments that there are."""
        if len(store) < LEAST:
            raise FootageError(
                f"only {len(store)} segments of {self._settings.length} frames with the joints of a person were found "
                f"in the normal footage and {LEAST} are needed; give more footage, or lower method.stride"
            )
        windows, owners = store.sample(SAMPLE, np.random.default_rng(seed))
        start = tensor_of(windows, self._settings.confidence)
        task = Likelihood(self._settings, start, self._abnormal(), len(store), seed)
        trainer(task, store, seed)
        self._flow = task.flow.double().eval()
        looked = self._look(windows, progress)
        self._usual, self._usual_joints = Usual.of(looked.whole), Usual.of(looked.joints)
        rows = spread_out(looked.vectors, min(self._settings.examples, len(windows)))
        names = [store.parts[int(index)].name for index in owners[rows]]
        self.exemplars = [Exemplar(name, w.frame, w.box) for name, w in zip(names, windows[rows], strict=True)]
        self._shown = looked.vectors[rows]

    def _known(self, windows: Windows) -> BoolArray:
        return known(windows.data["pose"], self._settings.confidence, self._settings.joints)

    def _abnormal(self) -> Tensor:
        """`(A, 2, T, 18)` the labelled abnormal segments."""
        chosen = self._settings
        if chosen.abnormal is None:
            return torch.zeros(0, 2, chosen.length, len(JOINTS))
        pose, size = read_segments(chosen.abnormal, chosen.length)
        told = known(pose, chosen.confidence, chosen.joints)
        return torch.from_numpy(normalised(pose[told], size[told], chosen.confidence))

    def score(self, windows: Windows) -> RegionScores:
        """Standard deviations above the mean; where too little of the body is seen, that of the most usual segment."""
        usual = self._fitted[0]
        score = usual.standardised(self._look(windows).whole)[:, 0]
        score = np.where(self._known(windows), score, usual.standardised(usual.sample[:1])[0, 0])
        place = windows.frame, windows.seconds, windows.box, windows.track
        return RegionScores(*place, score=score, parts={"movement": score})

    @property
    def _fitted(self) -> tuple[Usual, Usual]:
        """How normal segments score, whole and by joint."""
        if self._usual is None or self._usual_joints is None:
            raise LookupError("the method has learned nothing yet")
        return self._usual, self._usual_joints

    def latent(self, windows: Windows) -> Tensor:
        """`(N, T, 36)` float32: what the flow maps segments to, x and then y of the 18 joints (equation 1)."""
        with torch.no_grad():
            latent: Tensor = self._flow(tensor_of(windows, self._settings.confidence))[0]
        return latent.permute(0, 2, 1, 3).flatten(2).float()

    def update(self, windows: Windows) -> None:
        """Let more normal segments count in what the score is standardised by; the flow stays as it is."""
        usual, joints = self._fitted
        looked = self._look(windows[self._known(windows)])
        self._usual, self._usual_joints = usual.with_more(looked.whole), joints.with_more(looked.joints)

    def explain(self, region: RegionScores, windows: Windows) -> Explanation:
        """How rare the movement is, which joints stand out in it, and the normal movements most like it."""
        window = windows[[int(np.abs(windows.box - region.box[0]).sum(1).argmin())]]
        if not self._known(window)[0]:
            return Explanation(("too little of the body is seen to compare its movement",), ())
        looked = self._look(window)
        gaps = np.linalg.norm(self._shown - looked.vectors[0], axis=1)
        examples = tuple(int(index) for index in np.argsort(gaps)[:NEAREST])
        return Explanation((self._rarity(looked), self._joints(looked)), examples)

    def _rarity(self, looked: _Looked) -> str:
        usual = self._fitted[0]
        below = float(usual.below(looked.whole[0])[0])
        share = "all" if below > 1 - 1 / len(usual.sample) else percent(below)
        return f"moves in a way less likely than {share} of {usual.count:,} normal movements here"

    def _joints(self, looked: _Looked) -> str:
        """The joints that are less likely than for 99 % of normal segments, at least the first."""
        usual = self._fitted[1]
        order = np.argsort(-usual.standardised(looked.joints)[0])
        below = usual.below(looked.joints[0])
        names = [JOINTS[joint] for joint in order[:NAMED] if below[joint] >= 0.99] or [JOINTS[order[0]]]
        told = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        return f"what departs most from usual is the {told}"

    def _look(self, windows: Windows, progress: Progress | None = None) -> _Looked:
        """All that the flow makes of segments."""
        joints, vectors = [], []
        moments = np.linspace(0, self._settings.length - 1, MOMENTS).round().astype(np.int64)
        for start in range(0, max(len(windows), 1), TOGETHER):
            if progress:
                progress("looking at normal movements", start, len(windows))
            segments = tensor_of(windows[start : start + TOGETHER], self._settings.confidence)
            joints.append(_bits(self._flow, segments, self._settings.mean))
            vectors.append(segments[:, :, moments].flatten(1).float().numpy())
        if progress:
            progress("looking at normal movements", len(windows), len(windows))
        return _Looked(np.concatenate(joints), np.concatenate(vectors))

    def networks(self) -> Mapping[str, Portable]:
        """The flow, in float32."""
        return {"flow": portable(self._flow, self._settings)}

    def state(self) -> Mapping[str, NDArray[Any]]:
        """The flow, how likely normal segments are, and the examples."""
        flow = self._flow.state_dict()
        state: dict[str, NDArray[Any]] = {f"flow.{name}": tensor.numpy() for name, tensor in flow.items()}
        for prefix, usual in zip(("usual", "joints"), self._fitted, strict=True):
            state |= {f"{prefix}.{name}": array for name, array in usual.state().items()}
        return state | {"shown": self._shown}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        tensors = {name: torch.tensor(state[f"flow.{name}"]) for name in self._flow.state_dict()}
        try:
            self._flow.load_state_dict(tensors)
        except RuntimeError as error:  # the shape of a tensor
            raise ValueError(str(error)) from None
        self._usual, self._usual_joints = (
            Usual.from_state({name: state[f"{prefix}.{name}"] for name in USUAL}) for prefix in ("usual", "joints")
        )
        self._shown = state["shown"]


@torch.no_grad()
def _bits(flow: SegmentFlow, segments: Tensor, mean: float) -> FloatArray:
    """`(N, 18)` negative log-likelihood of each joint, in bits a dimension."""
    latent, volume = flow(segments)
    dimensions = segments.shape[1] * segments.shape[2]
    return np.asarray(negative_log_likelihood(latent, volume, mean).numpy() / (dimensions * math.log(2)))
