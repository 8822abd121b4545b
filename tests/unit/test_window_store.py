"""Windows on disk: what was written is read, by row, by frame, by time and at random."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amiss.perception.cache import Cache
from amiss.types import Windows
from amiss.windows.store import WindowPart, WindowStore, WindowWriter


def batch(frame: int, count: int) -> Windows:
    return Windows(
        frame=np.full(count, frame),
        seconds=np.full(count, frame * 0.1),
        box=np.tile(np.array([0, 0, 5, 9], np.float32), (count, 1)),
        track=np.arange(count),
        data={"flow": np.full((count, 2), frame, np.float16)},
    )


def part(root: Path, name: str, counts: list[int]) -> WindowPart:
    """A clip whose frame i has counts[i] windows."""
    cache = Cache(root)
    with cache.writing(name) as writer:
        keep = WindowWriter(writer)
        for frame, count in enumerate(counts):
            keep.append(frame * 0.1, batch(frame, count))
    entry = cache.find(name)
    assert entry is not None
    return WindowPart(name, entry)


@pytest.fixture
def clip(tmp_path: Path) -> WindowPart:
    return part(tmp_path, "a", [2, 0, 3, 1, 0])


def test_windows_come_back_as_written(clip: WindowPart) -> None:
    windows = clip[0 : len(clip)]
    assert windows.frame.tolist() == [0, 0, 2, 2, 2, 3]
    assert windows.track.tolist() == [0, 1, 0, 1, 2, 0]
    assert windows.data["flow"][:, 0].tolist() == [0, 0, 2, 2, 2, 3]
    assert windows.data["flow"].dtype == np.float16


def test_the_clock_has_every_frame(clip: WindowPart) -> None:
    assert clip.clock == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


def test_windows_are_found_by_row_and_by_frame(clip: WindowPart) -> None:
    assert clip[np.array([0, 3])].frame.tolist() == [0, 2]
    assert [len(clip.at(frame)) for frame in range(6)] == [2, 0, 3, 1, 0, 0]
    assert clip.at(2).frame.tolist() == [2, 2, 2]


@pytest.mark.parametrize("size", [1, 4, 100])
def test_batches_give_all_in_order(clip: WindowPart, size: int) -> None:
    batches = list(clip.batches(size))
    assert max(map(len, batches)) <= size
    assert Windows.merge(batches).frame.tolist() == [0, 0, 2, 2, 2, 3]


def test_a_block_of_time_is_a_part_of_its_own(clip: WindowPart) -> None:
    late = clip.between(0.15, 0.3)
    assert (len(late), late.name) == (3, "a")
    assert late[0:99].frame.tolist() == [2, 2, 2]
    assert late[np.array([1])].track.tolist() == [1]
    assert len(late.at(0)) == 0
    assert len(late.at(2)) == 3
    assert len(late.between(-np.inf, 0.15)) == 0
    assert len(late.clock) == len(clip.clock)
    assert sum(len(clip.between(a, b)) for a, b in ((-np.inf, 0.2), (0.2, np.inf))) == len(clip)


def test_some_windows_are_a_part_of_their_own(clip: WindowPart) -> None:
    some = clip.between(0.05, np.inf).only(np.array([True, False, True, True]))
    assert (len(some), some.name) == (3, "a")
    assert some.column("frame").tolist() == [2, 2, 3]
    assert some[0:99].track.tolist() == [0, 2, 0]
    assert some[np.array([2, 1])].track.tolist() == [0, 2]
    assert [windows.frame.tolist() for windows in some.batches(2)] == [[2, 2], [3]]
    assert some.at(2).track.tolist() == [0, 2]
    assert some.between(0.25, np.inf)[0:9].frame.tolist() == [3]
    assert some.only(np.array([False, True, False]))[0:9].track.tolist() == [2]
    assert len(clip.only(np.zeros(6, np.bool_))) == 0
    assert len(some.clock) == len(clip.clock)


def test_a_store_of_some_windows_takes_and_samples_from_them(clip: WindowPart) -> None:
    even = clip.only(np.arange(6) % 2 == 0)
    store = WindowStore([even, clip])
    assert store.take(np.array([1, 0, 3])).track.tolist() == [0, 0, 0]
    assert store.take(np.array([2, 5])).frame.tolist() == [2, 2]
    assert len(store.sample(99, np.random.default_rng(0))[0]) == 9
    odd = clip.only(np.arange(6) % 2 == 1)
    keys = {WindowStore([part]).fingerprint() for part in (clip, even, odd, clip.between(0, 0.25))}
    assert len(keys) == 4


def test_a_clip_without_windows_is_empty(tmp_path: Path) -> None:
    empty = part(tmp_path, "none", [0, 0])
    assert len(empty) == 0
    assert list(empty.batches()) == []
    assert set(empty[0:0].data) == {"flow"}


def test_a_sample_is_without_replacement_in_order_and_says_whence(tmp_path: Path) -> None:
    store = WindowStore([part(tmp_path, "a", [20]), part(tmp_path, "b", [0]), part(tmp_path, "c", [0, 30])])
    windows, owners = store.sample(25, np.random.default_rng(0))
    assert len(windows) == len(owners) == 25
    assert set(zip(windows.frame.tolist(), owners.tolist(), strict=True)) == {(0, 0), (1, 2)}
    pairs = list(zip(owners.tolist(), windows.track.tolist(), strict=True))
    assert pairs == sorted(set(pairs))


def test_a_sample_is_the_same_for_the_same_seed_only(tmp_path: Path) -> None:
    store = WindowStore([part(tmp_path, "a", [50])])
    first, again, other = (store.sample(10, np.random.default_rng(s))[0].track.tolist() for s in (1, 1, 2))
    assert first == again != other


def test_a_sample_larger_than_the_store_is_all_of_it(clip: WindowPart) -> None:
    windows, _ = WindowStore([clip, clip]).sample(1000, np.random.default_rng(0))
    assert len(windows) == len(WindowStore([clip, clip])) == 2 * len(clip)


def looking(frame: int, tracks: int, length: int = 3) -> Windows:
    """Windows whose pictures are numbered by frame and track, and hold their number."""
    ages = np.arange(frame - length + 1, frame + 1)
    numbers = 10 * np.tile(ages, (tracks, 1)) + np.arange(tracks)[:, None]
    image = np.tile(numbers[:, :, None, None, None], (1, 1, 2, 2, 3)).astype(np.uint8)
    return replace(batch(frame, tracks), data={"image": image, "crop": numbers, "pose": np.zeros((tracks, 4))})


@pytest.fixture
def pictured(tmp_path: Path) -> WindowPart:
    cache = Cache(tmp_path)
    with cache.writing("pictured") as writer:
        keep = WindowWriter(writer)
        for frame, tracks in [(2, 1), (3, 0), (4, 2), (5, 2)]:
            keep.append(frame * 0.1, looking(frame, tracks))
    entry = cache.find("pictured")
    assert entry is not None
    return WindowPart("pictured", entry)


def test_pictures_that_windows_share_are_written_once_and_read_by_each(pictured: WindowPart) -> None:
    windows = pictured[0 : len(pictured)]
    expected = np.concatenate([looking(frame, tracks).data["image"] for frame, tracks in [(2, 1), (4, 2), (5, 2)]])
    np.testing.assert_array_equal(windows.data["image"], expected)
    assert len(pictured.entry.arrays["crops"]) == len(np.unique(expected))
    assert pictured[np.array([3])].data["image"].tolist() == expected[3:4].tolist()


def test_what_is_left_out_is_not_read(pictured: WindowPart) -> None:
    light = WindowStore([pictured.between(0.35, 0.45).without("image", "pose")])
    assert set(light.take(np.array([0])).data) == {"crop"}
    assert len(light) == 2
    assert light.fingerprint() != WindowStore([pictured]).fingerprint()


def test_batches_have_as_many_windows_as_there_is_memory_for(
    pictured: WindowPart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amiss.windows.store.BATCH_BYTES", 2 * (3 * 12 + 3 * 8 + 4 * 8 + 1))
    assert [len(windows) for windows in pictured.batches()] == [2, 2, 1]
    assert [len(windows) for windows in pictured.batches(4)] == [4, 1]
