"""The stages wired: frames in, windows out, from the cache where they are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from amiss.config import Config
from amiss.errors import ConfigError, FootageError
from amiss.pipeline import Pipeline, resolve_device
from amiss.types import Frame, Windows
from amiss.windows.needs import Needs
from support import Mover, Rectangles, config_of, walkers

CLIP = walkers("01", 1, length=8)
NEEDS = Needs("cube", ("flow",), size=8)


class Breaks(Rectangles):
    """Footage that cannot be read to its end."""

    def __iter__(self) -> Iterator[Frame]:
        yield from list(super().__iter__())[:3]
        raise FootageError("it ends early")


def config(folder: Path, clip: Rectangles = CLIP) -> Config:
    return config_of(folder, [clip])


def columns(windows: Windows) -> list[np.ndarray]:
    return [windows.frame, windows.seconds, windows.box, windows.track, *windows.data.values()]


def same(left: Windows, right: Windows) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(columns(left), columns(right), strict=True))


def test_every_box_is_a_window_with_a_track(tmp_path: Path) -> None:
    found = [windows for _, windows in Pipeline(config(tmp_path), NEEDS).windows(CLIP)]
    assert [len(windows) for windows in found] == [3] * 8
    assert sorted(found[-1].track) == [0, 1, 2]
    assert found[0].data["step"].tolist() == [0.0] * 3
    assert found[1].data["step"] == pytest.approx([0.04] * 3)
    assert set(found[0].data) == {"step", "cut", "flow"}


def test_frame_by_frame_gives_what_the_cache_keeps(tmp_path: Path) -> None:
    pipeline = Pipeline(config(tmp_path), NEEDS)
    part = pipeline.part(CLIP)
    live = Pipeline(config(tmp_path), NEEDS)
    live.reset(CLIP.path)
    assert same(Windows.merge([live.update(frame) for frame in CLIP]), part[0 : len(part)])
    assert part.clock.tolist() == [frame.seconds for frame in CLIP]


def test_two_cameras_interleaved_do_not_mix(tmp_path: Path) -> None:
    other = replace(CLIP, movers=CLIP.movers[:1])
    settings = config_of(tmp_path, perception={"boxes": {"source": "motion"}})
    alone = [[w for _, w in Pipeline(settings, NEEDS).windows(clip)] for clip in (CLIP, other)]
    both = [Pipeline(settings, NEEDS) for _ in range(2)]
    for pipeline, clip in zip(both, (CLIP, other), strict=True):
        pipeline.reset(clip.path)
    mixed = [(both[0].update(a), both[1].update(b)) for a, b in zip(CLIP, other, strict=True)]
    for (left, right), *apart in zip(mixed, *alone, strict=True):
        assert same(left, apart[0])
        assert same(right, apart[1])


def test_nothing_reaches_across_a_gap(tmp_path: Path) -> None:
    clip = replace(CLIP, jump=(4, 5.0))
    needs = replace(NEEDS, length=2)
    found = [windows for _, windows in Pipeline(config(tmp_path, clip), needs).windows(clip)]
    assert [len(windows) for windows in found] == [0, 3, 3, 3, 0, 3, 3, 3]
    assert found[5].data["flow"][:, 0].any() == np.False_  # the first flow after the gap
    assert min(found[5].track) > max(found[3].track)


def test_a_second_run_reads_no_frame(tmp_path: Path) -> None:
    pipeline = Pipeline(config(tmp_path), NEEDS)
    assert pipeline.cached(CLIP) is None
    first = pipeline.part(CLIP)
    broken = Breaks(CLIP.name, CLIP.movers, CLIP.length)
    assert pipeline.key(broken) == pipeline.key(CLIP)
    assert same(pipeline.part(broken)[0 : len(first)], first[0 : len(first)])
    assert pipeline.cached(CLIP) is not None


def test_footage_that_ends_early_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    pipeline = Pipeline(config(tmp_path), NEEDS)
    with pytest.raises(FootageError, match="ends early"):
        pipeline.part(Breaks(CLIP.name, CLIP.movers, CLIP.length))
    assert pipeline.cached(CLIP) is None
    assert list((tmp_path / "cache" / "windows").iterdir()) == []


def test_the_key_follows_all_that_matters_and_nothing_else(tmp_path: Path) -> None:
    plain = config(tmp_path)
    boxes = plain.perception.boxes
    moved = plain.perception.model_copy(update={"boxes": boxes.model_copy(update={"confidence": 0.6})})
    keys = [
        Pipeline(plain, NEEDS).key(CLIP),
        Pipeline(plain, replace(NEEDS, size=9)).key(CLIP),
        Pipeline(plain.model_copy(update={"perception": moved}), NEEDS).key(CLIP),
        Pipeline(plain.model_copy(update={"footage": plain.footage.model_copy(update={"gap": 3.0})}), NEEDS).key(CLIP),
        Pipeline(plain, NEEDS).key(replace(CLIP, movers=(Mover(1, 1),))),
        Pipeline(plain, NEEDS).key(replace(CLIP, rate=10.0)),
        Pipeline(config_of(tmp_path / "..", [replace(CLIP, movers=CLIP.movers[::-1])]), NEEDS).key(CLIP),
    ]
    assert len(set(keys)) == len(keys)
    elsewhere = plain.model_copy(update={"seed": 7, "cache": tmp_path / "other"})
    assert Pipeline(elsewhere, NEEDS).key(CLIP) == keys[0]


def test_it_ticks_once_a_frame(tmp_path: Path) -> None:
    ticks: list[None] = []
    Pipeline(config(tmp_path), NEEDS).part(CLIP, lambda: ticks.append(None))
    assert len(ticks) == CLIP.length


def test_devices_are_resolved_or_refused() -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type in ("cpu", "cuda", "mps")
    for name in ("cuda:99", "toaster"):
        with pytest.raises(ConfigError, match=f"device does not take '{name}'") as caught:
            resolve_device(name)
        assert "\n" not in str(caught.value)
