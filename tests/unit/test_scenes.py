"""The background without what moves, and flags for a view that is no longer what was learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from amiss.config import ScenesConfig
from amiss.perception import scenes
from amiss.perception.scenes import Background, Flag, SceneFeature, ViewFlag, ViewHealth
from amiss.types import Image
from support import HEIGHT, WIDTH, Mover, Rectangles, frame_of, texture, walkers

CONFIG = ScenesConfig(memory=2.0)
CLIP = walkers("walk", 3, length=250)
START = 4.0
Damage = Callable[[Image], Image]


def shifted(share: float) -> Damage:
    return lambda image: np.roll(image, round(share * WIDTH), axis=1)


def blurred(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 4.0), np.uint8)


def covered(image: Image) -> Image:
    return np.full_like(image, 30) + np.random.default_rng(0).integers(0, 3, image.shape, dtype=np.uint8)


def grey(image: Image) -> Image:
    return np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def flags(damage: Damage, stop: float = 99.0, config: ScenesConfig = CONFIG) -> list[tuple[ViewFlag, ...]]:
    """The flags at each frame of a clip that is damaged from `START` to `stop`."""
    health = ViewHealth(config)
    damaged = (replace(f, image=damage(f.image)) if START <= f.seconds < stop else f for f in CLIP)
    return [health.update(frame) for frame in damaged]


def test_the_background_is_without_what_moves() -> None:
    clip = Rectangles("one", (Mover(10, 10, 20, 40, dx=2),), length=200)
    background = Background(ScenesConfig(memory=7.0))
    assert background.image is None
    for frame in clip:
        background.update(frame)
    assert np.array_equal(background.image, texture(HEIGHT, WIDTH, 1))  # type: ignore[arg-type]  # there is one by now
    background.reset()
    assert background.image is None


def test_a_wide_background_is_kept_small() -> None:
    background = Background(CONFIG)
    background.update(frame_of(size=(1920, 1080)))
    assert background.image is not None
    assert background.image.shape == (360, 640, 3)


def test_an_untouched_view_has_no_flags() -> None:
    assert not any(flags(lambda image: image))


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (shifted(0.05), Flag.MOVED),
        (shifted(0.2), Flag.MOVED),
        (lambda _: texture(HEIGHT + 2, WIDTH + 2, 55)[2:, 2:], Flag.MOVED),
        (blurred, Flag.BLURRED),
        (covered, Flag.BLOCKED),
        (grey, Flag.SWITCHED),
    ],
)
def test_a_damaged_view_is_told_within_two_seconds_and_forgiven_when_mended(damage: Damage, kind: Flag) -> None:
    found = flags(damage, stop=7.0)
    kinds = [{flag.kind for flag in here} - {Flag.FROZEN} for here in found]
    assert kinds[round((START + 2) * 25)] == {kind}
    assert all(here <= {kind} for here in kinds)
    assert not kinds[-1]
    (told,) = {flag.start for here in found for flag in here if flag.kind is kind}
    assert START <= told < START + 1


@pytest.mark.parametrize("count", range(1, 7))
def test_the_median_of_a_few_pictures_is_that_of_sorting(count: int) -> None:
    numbers = np.random.default_rng(count)
    pictures = [numbers.integers(0, 256, (7, 9, 3), np.uint8) for _ in range(count)]
    np.testing.assert_array_equal(scenes._median(pictures), np.median(np.stack(pictures), axis=0).astype(np.uint8))


def test_how_far_it_has_moved_is_told() -> None:
    flag = flags(shifted(0.1))[-1][0]
    assert flag.value == pytest.approx(0.1, abs=0.01)


def test_the_very_same_picture_is_frozen() -> None:
    still = next(iter(CLIP)).image
    found = flags(lambda _: still, stop=8.5)
    frozen = [any(flag.kind is Flag.FROZEN for flag in here) for here in found]
    first = frozen.index(True) / 25
    assert START + 2.9 <= first <= START + 3.2
    assert not frozen[-1]


def test_what_passes_quickly_raises_no_flag() -> None:
    assert not any(flags(blurred, stop=START + 0.4))


def test_a_reset_learns_another_view() -> None:
    health = ViewHealth(CONFIG)
    for frame in CLIP:
        health.update(frame)
    health.reset()
    assert not any(health.update(replace(frame, image=shifted(0.2)(frame.image))) for frame in CLIP)


def test_a_picture_of_another_size_is_another_view() -> None:
    health = ViewHealth(CONFIG)
    found = [health.update(replace(f, image=f.image if f.seconds < START else f.image[:60])) for f in CLIP]
    assert [flag.kind for flag in found[-1]] == [Flag.MOVED]


def test_like_scenes_have_like_features() -> None:
    feature = SceneFeature(torch.device("cpu"))
    here, darker, elsewhere = (
        feature.of(image)
        for image in (texture(HEIGHT, WIDTH, 1), texture(HEIGHT, WIDTH, 1) // 10 * 9, np.zeros((64, 64, 3), np.uint8))
    )
    assert here.shape == (feature.dimensions,)
    assert np.linalg.norm(here - darker) < 0.5 * np.linalg.norm(here - elsewhere)
