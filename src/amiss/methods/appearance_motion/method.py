"""The method `appearance-motion`: predicts what an object will look like from how it looked and how it moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from amiss.config import Settings
from amiss.errors import FootageError
from amiss.methods.appearance_motion.losses import inconsistency
from amiss.methods.appearance_motion.network import FRAMES, SIZE, TwoStream
from amiss.methods.appearance_motion.portable import portable
from amiss.methods.appearance_motion.settings import PRESETS, AppearanceMotionSettings
from amiss.methods.appearance_motion.task import Prediction, cubes
from amiss.methods.base import Exemplar, Explanation, Method, Progress
from amiss.methods.normal import Usual, percent, spread_out
from amiss.methods.task import Trainer
from amiss.nn.portable import Portable
from amiss.types import FloatArray, Image, RegionScores, Windows
from amiss.windows.needs import Needs
from amiss.windows.store import WindowStore

__all__ = ["AppearanceMotion"]

LEAST = 32
SAMPLE = 8192
"""Normal windows, at most, that the scores are standardised by."""
TOGETHER = 32
"""Windows that the network looks at together, always so many: sums may round otherwise in a batch of another size."""
CELLS = 16
NOISE = 1e-3
"""Added to a picture's own variance of brightness (0..1): what is flat need not be foreseen to a grey level."""
NEAREST = 3
SENTENCES = {
    "prediction": "what it looks like next was harder to foresee than for {} of {:,} normal windows",
    "consistency": "how it looks and how it moves fit together worse than for {} of {:,} normal windows",
}


COLUMNS = ("raw", "errors", "vectors", "predicted")


@dataclass(frozen=True, eq=False)
class _Looked:
    """What the network makes of windows.

    Attributes:
        raw: `(N, P)` the parts of the score before they are standardised.
        errors: `(N, 16, 16)` root mean square difference of prediction and target, 0..1.
        vectors: `(N, D)` features, averaged over places.
        predicted: `(N, 32, 32, 3)` RGB.
        similarity: One `(N, items)` a memory.
    """

    raw: FloatArray
    errors: FloatArray
    vectors: FloatArray
    predicted: Image
    similarity: tuple[FloatArray, ...]

    @classmethod
    def merge(cls, looked: Sequence[_Looked]) -> _Looked:
        """All rows, in order."""
        rows = {name: np.concatenate([getattr(one, name) for one in looked]) for name in COLUMNS}
        levels = zip(*(one.similarity for one in looked), strict=True)
        return cls(**rows, similarity=tuple(np.concatenate(level) for level in levels))


class AppearanceMotion(Method):
    """Two-stream prediction of object cubes with memory-guided suppression of skip connections.

    Source: Huang et al., "Multi-level memory-augmented appearance-motion correspondence framework for video anomaly
    detection", ICASSP 2023. The score is the weighted sum of the prediction error and of the inconsistency of
    appearance and motion features, each in standard deviations above its mean over normal cubes (equation 10).
    """

    id = "appearance-motion"
    title = "Two-stream prediction of object cubes with memory-guided suppression"
    settings_type = AppearanceMotionSettings
    by_heart = False
    presets = PRESETS
    after_training = frozenset({"error", "prediction_share", "consistency_share", "examples"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._settings = AppearanceMotionSettings.model_validate(settings.model_dump())
        self._network = _laid(TwoStream(self._settings))
        self._usual: Usual | None = None
        self._shown: FloatArray = np.zeros((0, 0), np.float32)
        self._items: list[Image] = []

    @property
    def needs(self) -> Needs:
        """Cubes of five frames and the flow into each of them."""
        return Needs("cube", ("flow", "image"), length=FRAMES + 1, size=SIZE)

    @property
    def parts(self) -> tuple[str, ...]:
        """The prediction error, and where features are aligned their inconsistency."""
        return ("prediction", "consistency") if self._settings.aligned else ("prediction",)

    def fit(self, store: WindowStore, *, seed: int, progress: Progress, trainer: Trainer) -> None:
        """Train the network, then see how normal cubes score.

        Raises:
            FootageError: Fewer than 32 windows.
            TrainingError: A loss is not a number.
        """
        if len(store) < LEAST:
            raise FootageError(
                f"only {len(store)} objects were seen for {FRAMES + 1} frames in the normal footage and {LEAST} are "
                "needed; give more footage, or lower perception.boxes.min_area "
                "(of boxes from motion also perception.boxes.motion.min_area)"
            )
        task = Prediction(self._settings, seed)
        trainer(task, store, seed)
        self._network = _laid(task.network)
        self._renewed()
        windows, owners = store.sample(SAMPLE, np.random.default_rng(seed))
        looked = self._look(windows, progress)
        self._usual = Usual.of(looked.raw)
        rows = spread_out(looked.vectors, min(self._settings.examples, len(windows)))
        names = [store.parts[int(index)].name for index in owners[rows]]
        self.exemplars = [Exemplar(name, w.frame, w.box) for name, w in zip(names, windows[rows], strict=True)]
        self._shown = looked.vectors[rows]
        target = windows.data["image"][:, FRAMES]
        self._items = [np.asarray(target[similarity.argmax(0)]) for similarity in looked.similarity]

    def score(self, windows: Windows) -> RegionScores:
        """The parts in standard deviations above the mean, their weighted sum, and a map of the prediction error."""
        looked = self._look(windows)
        standard = self._known.standardised(looked.raw)
        shares = np.array([self._settings.prediction_share, self._settings.consistency_share])
        score = standard @ shares if self._settings.aligned else standard[:, 0]
        place = windows.frame, windows.seconds, windows.box, windows.track
        parts = {name: standard[:, column] for column, name in enumerate(self.parts)}
        return RegionScores(*place, score=score, parts=parts, maps={"prediction": looked.errors.astype(np.float16)})

    @property
    def _known(self) -> Usual:
        if self._usual is None:
            raise LookupError("the method has learned nothing yet")
        return self._usual

    def update(self, windows: Windows) -> None:
        """Let more normal windows count in what the parts are standardised by; the network stays as it is."""
        self._usual = self._known.with_more(self._look(windows).raw)

    def explain(self, region: RegionScores, windows: Windows) -> Explanation:
        """A sentence for each part that is higher than for 99 % of normal windows, at least the strongest."""
        row = int(np.abs(windows.box - region.box[0]).sum(1).argmin())
        looked = self._look(windows[[row]])
        below = dict(zip(self.parts, self._known.below(looked.raw[0]), strict=True))
        ranked = sorted(below, key=lambda name: -float(region.parts[name][0]))
        telling = [name for name in ranked if below[name] >= 0.99] or ranked[:1]
        gaps = np.linalg.norm(self._shown - looked.vectors[0], axis=1)
        examples = tuple(int(index) for index in np.argsort(gaps)[:NEAREST])
        return Explanation(tuple(self._sentence(name, below[name]) for name in telling), examples)

    def _sentence(self, part: str, below: float) -> str:
        count, kept = self._known.count, len(self._known.sample)
        return SENTENCES[part].format("all" if below > 1 - 1 / kept else percent(below), count)

    def pictures(self, windows: Windows) -> Mapping[str, Image]:
        """The target, its prediction and the error, and the normal picture most like the nearest item of each memory.

        The error is drawn from black (none) over red to white (a quarter of the range of brightness, or more).
        """
        looked = self._look(windows)
        target = np.asarray(windows.data["image"][:, FRAMES])
        error = np.abs(target.astype(np.float32) - looked.predicted).mean(-1)
        heat = [
            cv2.applyColorMap(np.minimum(4 * one, 255).astype(np.uint8), cv2.COLORMAP_HOT)[..., ::-1] for one in error
        ]
        shown = {"target": target, "prediction": looked.predicted, "error": np.array(heat).reshape(target.shape)}
        for level, (pictures, similarity) in enumerate(zip(self._items, looked.similarity, strict=True), 1):
            shown[f"memory {level}"] = pictures[similarity.argmax(1)]
        return shown

    def _look(self, windows: Windows, progress: Progress | None = None) -> _Looked:
        """All that the network makes of windows."""
        looked = []
        for start in range(0, max(len(windows), 1), TOGETHER):
            if progress:
                progress("looking at normal cubes", start, len(windows))
            looked.append(self._look_at(windows[start : start + TOGETHER]))
        if progress:
            progress("looking at normal cubes", len(windows), len(windows))
        return _Looked.merge(looked)

    @torch.no_grad()
    def _look_at(self, windows: Windows) -> _Looked:
        """What the network makes of at most so many windows as it looks at together."""
        count, settings = len(windows), self._settings
        made = cubes(windows, settings.flow)
        prediction, *others = self._run("cubes", made["frames"], made["flows"])
        # numbers of few windows are worked out like those of many, as sums round otherwise in another number of rows
        prediction, target = _padded(prediction), _padded(made["target"])
        streams = 2 if settings.streams == "both" else 1
        features, reads = [_padded(feature) for feature in others[:streams]], others[streams:]
        square = (prediction - target).double().square().mean(1)
        error = square.mean((1, 2))
        if settings.error == "relative":
            error = error / (target.double().var((1, 2, 3)) + NOISE)
        raw = [error, inconsistency(*features).double()] if settings.aligned else [error]
        errors = functional.adaptive_avg_pool2d(square, CELLS).sqrt()
        vectors = torch.cat([_pooled(feature) for feature in features], 1)
        predicted = (255 * prediction).round().to(torch.uint8).permute(0, 2, 3, 1)
        found = dict(zip(COLUMNS, (torch.stack(raw, 1), errors, vectors, predicted), strict=True))
        arrays = {name: tensor[:count].numpy() for name, tensor in found.items()}
        return _Looked(**arrays, similarity=tuple(read.numpy() for read in reads))

    def networks(self) -> Mapping[str, Portable]:
        """The whole network."""
        return {"cubes": portable(self._network, self._settings, TOGETHER)}

    def state(self) -> Mapping[str, NDArray[Any]]:
        """The network, how normal cubes scored, the features of the examples, and a picture of each memory item."""
        state = {f"network.{name}": tensor.numpy() for name, tensor in self._network.state_dict().items()}
        state |= {f"usual.{name}": array for name, array in self._known.state().items()}
        state |= {f"items.{level}": pictures for level, pictures in enumerate(self._items)}
        return state | {"shown": self._shown}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        tensors = {name: torch.tensor(state[f"network.{name}"]) for name in self._network.state_dict()}
        try:
            self._network.load_state_dict(tensors)
        except RuntimeError as error:  # the shape of a tensor
            raise ValueError(str(error)) from None
        self._renewed()
        self._usual = Usual.from_state(
            {name: state[f"usual.{name}"] for name in ("count", "mean", "squares", "sample")}
        )
        self._items = [state[f"items.{level}"] for level in range(len(self._network.suppressors))]
        self._shown = state["shown"]


def _laid(network: TwoStream) -> TwoStream:
    """The network to look with; a processor convolves several times faster where channels lie together."""
    return network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _padded(tensor: Tensor) -> Tensor:
    """As many rows as the network looks at together, those that lack being zeros."""
    lacking = TOGETHER - len(tensor)
    whole = torch.cat([tensor, tensor.new_zeros(lacking, *tensor.shape[1:])]) if lacking else tensor
    return whole.contiguous(memory_format=torch.channels_last) if whole.dim() == 4 else whole


def _pooled(feature: Tensor) -> Tensor:
    """`(N, D)` features of the 4×4 places of the bottom level, averaged over the places: `(N, D / 16)`."""
    return feature.view(len(feature), -1, 16).mean(2)
