"""Files and folders are there whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from amiss.errors import StorageError
from amiss.storage import storage_errors, whole_file, whole_folder


class StopError(Exception):
    """Something that goes wrong half-way."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "scores.json"
    with whole_file(target) as partial:
        partial.write_text("half")
        assert not target.exists()
        partial.write_text("whole")
    assert target.read_text() == "whole"
    assert names(target.parent) == ["scores.json"]


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "scores.json"
    target.write_text("old")

    def stop_half_way() -> None:
        with whole_file(target) as partial:
            partial.write_text("half")
            raise StopError

    with pytest.raises(StopError):
        stop_half_way()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["scores.json"]


def test_a_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "gate.amiss"
    for text in ("old", "new"):
        with whole_folder(target) as partial:
            (partial / text).write_text(text)
    assert names(target) == ["new"]
    assert names(tmp_path) == ["gate.amiss"]
    assert target.stat().st_mode & 0o777 == 0o755


def test_a_failure_leaves_the_old_folder_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "gate.amiss"
    with whole_folder(target) as partial:
        (partial / "old").touch()

    def stop_half_way() -> None:
        with whole_folder(target) as partial:
            (partial / "new").touch()
            raise StopError

    with pytest.raises(StopError):
        stop_half_way()
    assert names(target) == ["old"]
    assert names(tmp_path) == ["gate.amiss"]


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "another place")])
def test_the_disk_speaks_in_one_line(number: int, said: str) -> None:
    with pytest.raises(StorageError, match=said) as caught, storage_errors(Path("/some/place")):
        raise OSError(number, "because")
    assert "/some/place" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError), whole_file(tmp_path / "file" / "scores.json") as partial:
        partial.touch()
    with pytest.raises(StorageError), whole_folder(tmp_path / "file" / "model") as partial:
        partial.touch()
