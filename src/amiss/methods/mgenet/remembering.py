"""What `mgenet` remembers of normal footage once its networks are trained, and how that footage scores as if new."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from amiss.methods.base import Progress
from amiss.methods.mgenet.looked import TOGETHER, batches, whole_and_clear
from amiss.methods.mgenet.looks import KEPT, Looks, faces_of
from amiss.methods.mgenet.matching import MovementMatching
from amiss.methods.mgenet.movement import movement_of
from amiss.methods.mgenet.network import Explorer
from amiss.methods.mgenet.task import pictures_of, scenes_of
from amiss.methods.pose_flow.segments import told
from amiss.methods.pose_flow.settings import PoseFlowSettings
from amiss.perception.efficientnet import FineTokens
from amiss.types import FloatArray, IntArray
from amiss.windows.store import WindowStore

__all__ = ["FIRST", "SAMPLE", "clips_of", "looks_apart", "remember_looks", "remember_pairs", "scenes_apart"]

SAMPLE = 2048
"""Normal segments, at most, that the scores are standardised by, and that the paper's matching is written from."""
MOVES = 16384
"""Normal segments, at most, of which movements are remembered."""
FIRST = 256
"""Normal segments that the memories begin with, and that are looked at in one go."""


@torch.no_grad()
def remember_pairs(
    network: Explorer, guide: PoseFlowSettings, store: WindowStore, random: np.random.Generator, progress: Progress
) -> None:
    """Write the matching memory in a pass in which nothing else learns (equation 9)."""
    rows, matching = random.permutation(len(store)), network.matching
    if isinstance(matching, MovementMatching):
        rows = np.sort(rows[:MOVES])
        windows = store.without("image").take(rows)
        bodies = told(windows.data["pose"], guide)
        bodies |= ~bodies.any()
        scenes = network.scenes.weights(scenes_of(windows[bodies]))
        matching.write(_tensor(movement_of(windows[bodies], guide)), scenes, _tensor(clips_of(store, rows[bodies])))
        return
    for number, some in enumerate(batches(rows[:SAMPLE], FIRST)):
        progress("matching behaviours and scenes", number * FIRST, min(len(rows), SAMPLE))
        pairs = []
        for few in batches(some, TOGETHER):
            windows = store.take(few)
            seen = network(network.inputs(pictures_of(windows)))
            pairs.append(matching.pairs(seen.behaviour, network.scenes.weights(scenes_of(windows))))
        queries = torch.cat(pairs)
        if not number:
            matching.memory.start(queries)
        matching.memory.write(queries)


@torch.no_grad()
def remember_looks(store: WindowStore, random: np.random.Generator, progress: Progress) -> Looks:
    """What normal crops look like that lie in the picture and are large enough, or of all where none is.

    Args:
        store: Of segments with crops.
        random: Draws which are remembered, where there are more than 4,096.
        progress: Told how far it is.
    """
    place = store.without("image", "scene")
    clear = np.concatenate([whole_and_clear(part[:])[1] for part in place.parts])
    rows = np.flatnonzero(clear | ~clear.any())
    rows = np.sort(random.permutation(rows)[:KEPT])
    tokens, found = FineTokens(), []
    for number, some in enumerate(batches(rows, FIRST)):
        progress("remembering looks", number * FIRST, len(rows))
        found.append(Looks.features(tokens, faces_of(store.take(some))))
    progress("remembering looks", len(rows), len(rows))
    return Looks(torch.cat(found), _groups(store, rows)).eval()


@torch.no_grad()
def looks_apart(looks: Looks, features: FloatArray, store: WindowStore, rows: IntArray) -> FloatArray:
    """`(N,)` distances of looks of normal segments, each without what is remembered of its own clip: as if new.

    In footage of a single clip it is without its own track.

    Args:
        looks: What is remembered.
        features: `(N, 80)` of the rows.
        store: Normal segments.
        rows: `(N,)` rows of it.
    """
    groups = _groups(store, rows)
    every = batches(np.arange(len(rows)), FIRST)
    return np.concatenate([looks.distance(_tensor(features[some]), groups[some]).numpy() for some in every])


@torch.no_grad()
def scenes_apart(network: Explorer, guide: PoseFlowSettings, store: WindowStore, rows: IntArray) -> FloatArray | None:
    """`(N,)` S_mm of normal segments, each without what is remembered of its own clip: as if it were new.

    Nothing where the memory holds weights and not movements, as its items are of no clip.
    """
    matching = network.matching
    if not isinstance(matching, MovementMatching):
        return None
    windows = store.without("image").take(rows)
    clips, scenes = _tensor(clips_of(store, rows)), network.scenes.weights(scenes_of(windows))
    moved = _tensor(movement_of(windows, guide))
    every = map(torch.from_numpy, batches(np.arange(len(rows)), FIRST))
    found = [matching.difference(moved[some], scenes[some], clips[some])[0] for some in every]
    return np.asarray(torch.cat(found).numpy())


def clips_of(store: WindowStore, rows: IntArray) -> IntArray:
    """`(N,)` which of the store's parts rows are of."""
    return np.searchsorted(np.cumsum([len(part) for part in store.parts]), rows, side="right").astype(np.int64)


def _groups(store: WindowStore, rows: IntArray) -> Tensor:
    """`(N,)` int64 the clip of each row, or its track where all are of one clip."""
    if len(store.parts) > 1:
        return _tensor(clips_of(store, rows))
    return _tensor(np.asarray(store.parts[0].column("track")[rows], np.int64))


def _tensor(array: FloatArray | IntArray) -> Tensor:
    return torch.from_numpy(array)
