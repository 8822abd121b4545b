"""The cache: an entry is whole or not there, whatever happens."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from amiss.errors import StorageError
from amiss.perception.cache import Cache, content_key, default_cache


class StopError(Exception):
    """Something that goes wrong half-way."""


def fill(cache: Cache, key: str, value: int = 1) -> None:
    with cache.writing(key) as writer:
        for rows in (2, 3):
            writer.append({"boxes": np.full((rows, 4), value, np.float32), "none": np.zeros((0, 7), np.int16)})
        writer.meta["clip"] = "gate"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_is_found(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "deep" / "cache")
    assert cache.find("k") is None
    fill(cache, "k")
    entry = cache.find("k")
    assert entry is not None
    assert entry.meta == {"clip": "gate"}
    assert entry.arrays["boxes"].tolist() == [[1.0] * 4] * 5
    assert entry.arrays["boxes"].dtype == np.float32
    assert (entry.arrays["none"].shape, entry.arrays["none"].dtype) == ((0, 7), np.int16)
    assert not entry.arrays["boxes"].flags.writeable


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    def stop_half_way() -> None:
        with cache.writing("k") as writer:
            writer.append({"boxes": np.zeros((2, 4))})
            assert cache.find("k") is None
            raise StopError

    with pytest.raises(StopError):
        stop_half_way()
    assert cache.find("k") is None
    assert names(tmp_path) == []


@pytest.mark.parametrize("wrong", [np.zeros((1, 5), np.float32), np.zeros((1, 4), np.float64)])
def test_an_array_keeps_its_dtype_and_axes(tmp_path: Path, wrong: np.ndarray) -> None:
    cache = Cache(tmp_path)

    def change() -> None:
        with cache.writing("k") as writer:
            writer.append({"boxes": np.zeros((1, 4), np.float32)})
            writer.append({"boxes": wrong})

    with pytest.raises(ValueError, match="boxes changed"):
        change()
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"3", b"[]", b'{"meta": {}}', b'{"meta": {}, "arrays": [1]}', b'{"meta": {}, "arrays": {"boxes": 4}}'],
)
def test_an_entry_with_a_damaged_index_is_dropped(tmp_path: Path, content: bytes) -> None:
    cache = Cache(tmp_path)
    fill(cache, "k")
    (tmp_path / "k" / "entry.json").write_bytes(content)
    assert cache.find("k") is None
    assert names(tmp_path) == []


def test_an_entry_that_was_cut_short_is_dropped_and_written_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    fill(cache, "k")
    os.truncate(tmp_path / "k" / "boxes.bin", 10)
    assert cache.find("k") is None
    fill(cache, "k", 2)
    entry = cache.find("k")
    assert entry is not None
    assert entry.arrays["boxes"][0, 0] == 2


def test_an_entry_without_an_array_is_dropped(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    fill(cache, "k")
    (tmp_path / "k" / "boxes.bin").unlink()
    assert cache.find("k") is None


def test_an_unknown_dtype_is_dropped(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    fill(cache, "k")
    index = json.loads((tmp_path / "k" / "entry.json").read_text())
    index["arrays"]["boxes"][0] = "colour"
    (tmp_path / "k" / "entry.json").write_text(json.dumps(index))
    assert cache.find("k") is None


def test_whoever_is_second_leaves_the_first_alone(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.writing("k") as late:
        late.append({"boxes": np.full((1, 4), 9, np.float32)})
        fill(cache, "k", 1)
    entry = cache.find("k")
    assert entry is not None
    assert entry.arrays["boxes"][0, 0] == 1
    assert names(tmp_path) == ["k"]


def test_a_full_disk_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="the disk is full"):
        fill(Cache(tmp_path), "k")
    assert names(tmp_path) == []


def test_a_place_that_cannot_be_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        fill(Cache(tmp_path / "file"), "k")


def test_keys_follow_content_and_not_the_order_of_settings() -> None:
    assert content_key({"a": 1, "b": 2}, 3) == content_key({"b": 2, "a": 1}, 3)
    assert len({content_key(), content_key(1), content_key(1.5), content_key("1"), content_key([1], 2)}) == 5
    assert content_key(Path("/a")) == content_key(Path("/a"))


def test_the_place_of_the_cache_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AMISS_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("AMISS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_cache() == tmp_path / "xdg" / "amiss"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache" / "amiss"
