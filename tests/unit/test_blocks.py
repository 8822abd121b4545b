"""Features of blocks of frames: what a box shows, and how it moves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from amiss.config import ClipFeaturesConfig
from amiss.perception.blocks import MOTION, WEIGHT, FrameBlocks, VideoBlocks, make_block_features
from support import HEIGHT, WIDTH, Mover, Rectangles, texture

CPU = torch.device("cpu")
LENGTH = 8


@pytest.fixture(scope="module")
def features() -> FrameBlocks:
    return FrameBlocks(ClipFeaturesConfig(size=32), LENGTH, CPU)


def shown(mover: Mover, features: FrameBlocks) -> np.ndarray:
    """The feature of a mover's box in a block at 10 frames a second."""
    frames = [frame.image for frame in Rectangles("clip", (mover,), LENGTH)]
    boxes = np.array([[mover.box(look) for look in features.looks]], np.float32)
    return features.of([frames[look] for look in features.looks], boxes, np.array(features.looks) / 10)[0]


def test_the_looks_are_pairs_of_frames_within_the_block(features: FrameBlocks) -> None:
    assert features.looks == (1, 3, 5, 7)
    assert FrameBlocks(ClipFeaturesConfig(size=32), 4, CPU).looks == (0, 2, 3)


def test_the_appearance_has_length_one_and_motion_follows_it(features: FrameBlocks) -> None:
    found = shown(Mover(20, 20, 24, 40, dx=2.0), features)
    assert found.shape == (features.dimensions,)
    assert np.linalg.norm(found[:-MOTION]) == pytest.approx(1, rel=1e-5)


def test_motion_is_in_heights_of_the_box_a_second(features: FrameBlocks) -> None:
    mean, own = (shown(Mover(20, 20, 24, 40, dx=2.0), features)[at] / WEIGHT for at in (-MOTION, -3))
    assert own == pytest.approx(np.log1p(2.0 * 10 / 40), rel=1e-3)
    assert mean == pytest.approx(own, rel=0.35)  # the flow at the edges of the box is of both
    still = shown(Mover(20, 20, 24, 40, dx=0.0), features)[-MOTION:-1]
    assert np.abs(still).max() < 0.02


def test_a_box_that_is_seen_a_pixel_off_hardly_moves(features: FrameBlocks) -> None:
    pictures = [texture(HEIGHT, WIDTH, 0)] * len(features.looks)
    boxes = np.tile(np.float32([20, 20, 44, 60]), (1, len(features.looks), 1))
    boxes[0, 1::2] += 1  # as unsure in the second frame of each pair as detectors are
    own = features.of(pictures, boxes, np.array(features.looks) / 10)[0, -3] / WEIGHT
    assert own == pytest.approx(np.log1p(np.sqrt(2) / 40 / 0.6), rel=1e-3)


def test_the_shape_of_the_box_is_told(features: FrameBlocks) -> None:
    assert shown(Mover(20, 20, 24, 40), features)[-1] / WEIGHT == pytest.approx(np.log(24 / 40), rel=1e-3)
    assert shown(Mover(20, 20, 40, 24), features)[-1] / WEIGHT == pytest.approx(np.log(40 / 24), rel=1e-3)


def test_the_way_of_motion_is_told(features: FrameBlocks) -> None:
    right, left = (shown(Mover(70, 20, 24, 40, dx=dx), features)[-MOTION + 3 : -3] for dx in (2.0, -2.0))
    assert right.argmax() in (0, 7)
    assert left.argmax() in (3, 4)


def test_a_box_does_not_depend_on_the_others(features: FrameBlocks) -> None:
    pictures = [texture(HEIGHT, WIDTH, seed) for seed in range(len(features.looks))]
    boxes = np.tile(np.float32([[10, 10, 40, 60], [50, 20, 90, 80]])[:, None], (1, len(features.looks), 1))
    both = features.of(pictures, boxes, np.array(features.looks) / 10)
    np.testing.assert_allclose(both[1:], features.of(pictures, boxes[1:], np.array(features.looks) / 10), atol=1e-5)
    assert features.of(pictures, boxes[:0], np.array(features.looks) / 10).shape == (0, features.dimensions)


def test_where_the_footage_ends_within_a_pair_nothing_moves(features: FrameBlocks) -> None:
    pictures = [texture(HEIGHT, WIDTH, seed) for seed in range(len(features.looks))]
    boxes = np.tile(np.float32([0, 0, WIDTH, HEIGHT]), (1, len(features.looks), 1))
    assert not features.of(pictures, boxes, np.zeros(len(features.looks)))[0, -MOTION:-1].any()


def test_a_network_of_clips_sees_every_frame_of_the_box() -> None:
    blocks = make_block_features(ClipFeaturesConfig(network="i3d", random=True, size=32), 4, CPU)
    assert isinstance(blocks, VideoBlocks)
    assert blocks.looks == (0, 1, 2, 3)
    pictures = [texture(HEIGHT, WIDTH, seed) for seed in range(4)]
    boxes = np.tile(np.float32([10, 10, 60, 60]), (2, 4, 1))
    boxes[1, 3] = (80, 20, 130, 70)
    found = blocks.of(pictures, boxes, np.arange(4) / 10)
    assert found.shape == (2, blocks.dimensions)
    assert not np.allclose(found[0], found[1])
    assert "random" in blocks.name()
