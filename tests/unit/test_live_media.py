"""Media are there whole or not at all, and the store names what is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amiss.errors import StorageError
from amiss.live.nouns import Change
from amiss.live.settings import MediaSettings
from amiss.live.store import Media, MediaKind, MediaReport, Store
from support_stores import AT, Clock, Place, event

DAY = 86400.0
SNAPSHOT, CLIP = MediaKind.SNAPSHOT, MediaKind.CLIP


@dataclass
class Disk:
    """A disk with media and with what other programs wrote, in bytes."""

    size: float
    others: float = 0.0

    def __call__(self, folder: Path) -> Any:
        used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return SimpleNamespace(free=self.size - self.others - used)


def text(words: str) -> Callable[[Path], None]:
    def writer(path: Path) -> None:
        path.write_text(words)

    return writer


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != ".amiss"
    )


def make(store: Store, **settings: float) -> Media:
    return Media(store, MediaSettings(**({"free": 0.0} | settings)), clock=Clock())


def keep(store: Store, media: Media, name: str, ended: float, *, is_open: bool = False, camera: str = "gate") -> None:
    """An event with a picture and a clip of 1000 bytes together."""
    row = event(name, camera=camera, start=ended - 2, peak=ended - 1, end=ended)
    store.put_event(row, Change.NEW if is_open else Change.END)
    media.write(name, SNAPSHOT, text("s" * 400))
    media.write(name, CLIP, text("c" * 600))


def test_a_file_has_its_name_when_it_is_whole_and_the_store_knows_it_then(store: Store) -> None:
    store.put_event(event(), Change.NEW, ["phone"])
    media = make(store)

    def writer(path: Path) -> None:
        assert path.suffix == ".mp4"
        path.write_text("half")
        assert [name for name in files(store.media) if "partial" not in name] == []
        assert media.check(AT).partial == ()  # one that is being written is left alone
        assert store.event("e1") == event()
        path.write_text("whole")

    name = media.write("e1", CLIP, writer)
    assert name == "gate/2023-11-14/e1-clip.mp4"
    assert files(store.media) == [name]
    assert (store.media / name).read_text() == "whole"
    assert store.event("e1") == event(clip=name)
    assert store.due("phone", AT)[0].clip == store.media / name


def test_a_better_picture_takes_the_place_of_the_first(store: Store) -> None:
    store.put_event(event(), Change.NEW)
    media = make(store)
    names = {media.write("e1", SNAPSHOT, text(words)) for words in ("first", "better")}
    assert files(store.media) == sorted(names) == ["gate/2023-11-14/e1-snapshot.jpg"]
    assert (store.media / names.pop()).read_text() == "better"


def test_ids_that_look_alike_in_a_name_have_files_of_their_own(store: Store) -> None:
    media = make(store)
    for name in ("a/b", "a_b", "../b"):
        store.put_event(event(name), Change.NEW)
        media.write(name, SNAPSHOT, text(name))
    kept = {row.id: (store.media / str(row.snapshot)).read_text() for row in store.events()}
    assert kept == {name: name for name in ("a/b", "a_b", "../b")}


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), ValueError("a bug")])
def test_a_writer_that_fails_leaves_the_event_and_no_file(stored: Place, fault: Exception) -> None:
    store = stored.open()
    store.put_event(event(), Change.NEW, ["phone"])

    def writer(path: Path) -> None:
        path.write_text("half")
        raise fault

    said = "the disk is full" if isinstance(fault, OSError) else "a bug"
    with pytest.raises((StorageError, ValueError), match=said):
        make(store).write("e1", CLIP, writer)
    assert files(store.media) == []
    assert stored.open().event("e1") == event()
    assert store.waiting() == {"phone": 1}


def test_a_file_of_no_event_is_not_written(store: Store) -> None:
    with pytest.raises(StorageError, match="no event 'e9' that a clip could be of"):
        make(store).write("e9", CLIP, text("x"))
    assert files(store.media) == []


def test_a_file_and_its_folder_are_on_the_disk_before_the_store_knows_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_event(event(), Change.NEW)
    steps: list[str] = []
    real_sync, real_replace, real_set = os.fsync, Path.replace, Store.set_media

    def sync(number: int) -> None:
        steps.append(f"sync {Path(f'/proc/self/fd/{number}').readlink().name.split('.')[0] or 'partial'}")
        real_sync(number)

    def replaced(path: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(path, target)

    def named(self: Store, *names: Any, **kinds: Any) -> None:
        steps.append("named")
        real_set(self, *names, **kinds)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(Store, "set_media", named)
    make(store).write("e1", CLIP, text("x"))
    folders = ["sync media", "sync gate"]
    assert steps == [*folders, "sync partial", "rename", "sync 2023-11-14", "named"]


def test_what_is_too_old_goes_with_its_names(store: Store) -> None:
    media = make(store, days=30.0)
    for name, days in (("old", 31), ("young", 29)):
        keep(store, media, name, AT - days * DAY)
    keep(store, media, "open", AT - 40 * DAY, is_open=True)
    assert sorted(media.sweep(AT)) == ["gate/2023-10-14/old-clip.mp4", "gate/2023-10-14/old-snapshot.jpg"]
    assert [name.split("/")[2] for name in files(store.media)] == [
        "open-clip.mp4", "open-snapshot.jpg", "young-clip.mp4", "young-snapshot.jpg",
    ]  # fmt: skip
    left = {row.id: (row.snapshot is not None, row.clip is not None) for row in store.events()}
    assert left == {"old": (False, False), "young": (True, True), "open": (True, True)}
    assert media.sweep(AT) == []


def test_the_oldest_go_until_there_is_room(store: Store) -> None:
    disk = Disk(1e9 + 4500)
    media = Media(store, MediaSettings(free=1.0), usage=disk, clock=Clock())
    keep(store, media, "open", AT - 9, is_open=True)
    for place in range(3):
        keep(store, media, f"e{place}", AT + place)
    assert media.sweep() == []
    disk.others = 1400.0
    assert sorted(media.sweep()) == ["gate/2023-11-14/e0-clip.mp4", "gate/2023-11-14/e0-snapshot.jpg"]
    assert media.sweep() == []


def test_a_full_disk_without_media_to_delete_is_said(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    media = Media(store, MediaSettings(free=1.0), usage=Disk(1e9), clock=Clock())
    keep(store, media, "open", AT, is_open=True)
    keep(store, media, "done", AT)
    assert len(media.sweep()) == 2
    assert "less than 1 GB free and no media that could be deleted" in caplog.text
    assert len(files(store.media)) == 2


def test_media_of_a_store_that_cannot_be_written_make_room_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that is full to the brim the store can only forget names after a file is gone."""
    media = make(store, days=1.0)
    keep(store, media, "old", AT - 9 * DAY)
    real = Store.drop_media

    def drop(self: Store, name: str) -> list[str]:
        if files(self.media):
            raise StorageError("the disk is full")
        return real(self, name)

    monkeypatch.setattr(Store, "drop_media", drop)
    assert len(media.sweep(AT)) == 2
    assert store.events_with_media() == []


def put_file(folder: Path, name: str, age: float) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (AT - age, AT - age))
    return name


def test_a_check_mends_what_a_crash_left(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    media = make(store)
    keep(store, media, "first", AT - 800)
    keep(store, media, "e1", AT)
    keep(store, media, "e2", AT)
    day = "gate/2023-11-14"
    (store.media / day / "e1-clip.mp4").unlink()
    partial = put_file(store.media, f"{day}/.e3-clip.77-1.partial.mp4", 0)
    old, young = put_file(store.media, f"{day}/e3-clip.mp4", 700), put_file(store.media, f"{day}/e4-clip.mp4", 500)
    ancient = put_file(store.media, "gate/2023-11-14/a-clip.mp4", 900)  # of events that the store may have lost
    report = media.check()
    assert report == MediaReport((partial,), (f"{day}/e1-clip.mp4",), (old,), (ancient, young))
    assert [text in caplog.text for text in ("half-written", "missing", "knew were deleted", "were left")] == [True] * 4
    kept = ["a-clip.mp4", "e1-snapshot.jpg", "e2-clip.mp4", "e2-snapshot.jpg", "e4-clip.mp4"]
    kept += ["first-clip.mp4", "first-snapshot.jpg"]
    assert files(store.media) == [f"{day}/{name}" for name in kept]
    first = store.event("e1")
    assert first is not None
    assert (first.snapshot, first.clip) == (f"{day}/e1-snapshot.jpg", None)
    assert media.check() == MediaReport(kept=(ancient, young))


def test_a_store_that_knows_nothing_deletes_nothing(store: Store) -> None:
    """The database may have been lost: what is left of its events is not thrown after it."""
    name = put_file(store.media, "gate/2023-11-14/e1-clip.mp4", 9 * DAY)
    assert make(store).check() == MediaReport(kept=(name,))
    assert files(store.media) == [name]


def test_where_the_disk_is_not_mounted_nothing_is_forgotten(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """An empty folder in its place, which another start fills a little, and then the disk is there again."""
    media = make(store)
    media.check()
    for name in ("first", "e1", "e2"):
        keep(store, media, name, AT - 800)
    whole, away = files(store.media), store.media.with_name("away")
    store.media.rename(away)
    store.media.mkdir()
    assert len(media.check(AT + 3600).missing) == 6
    assert "is a disk not mounted?" in caplog.text
    keep(store, media, "e3", AT)
    assert len(media.check(AT + 7200).missing) == 6
    shutil.rmtree(store.media)
    away.rename(store.media)
    report = media.check(AT + 9000)
    assert (len(report.missing), report.deleted, report.kept) == (2, (), ()), "those of e3 went with the empty folder"
    assert files(store.media) == whole


def test_each_machine_looks_after_its_own_cameras(store: Store) -> None:
    everything = make(store, days=1.0)
    for camera in ("gate", "yard"):
        keep(store, everything, camera, AT - 5 * DAY, camera=camera)
    (store.media / "gate/2023-11-09/gate-clip.mp4").unlink()
    put_file(store.media, "gate/2023-11-09/.x.1-1.partial.jpg", 0)
    yard = Media(store, MediaSettings(days=1.0, free=0.0), ["yard"], clock=Clock())
    assert yard.check() == MediaReport()
    assert [name.split("/")[0] for name in yard.sweep()] == ["yard", "yard"]
    assert yard.check().kept == ()
    assert [name.split("/")[0] for name in files(store.media)] == ["gate", "gate"]


def test_in_a_shared_folder_what_another_process_writes_is_left(store: Store) -> None:
    media = Media(store, MediaSettings())
    young = put_file(store.media, "gate/2023-11-09/.x.1-1.partial.jpg", 0)
    old = put_file(store.media, "gate/2023-11-09/.y.1-1.partial.jpg", 3600)
    elsewhere = put_file(store.media, "yard/2023-11-09/.z.1-1.partial.jpg", 3600)
    media.look_after(["gate"])
    assert media.check(AT).partial == (old,)
    assert (store.media / young).is_file()
    assert (store.media / elsewhere).is_file()


def test_a_damaged_file_is_said_and_left(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    with Store.open(file, tmp_path / "media") as store:
        for place in range(60):
            store.put_event(event(f"e{place}"), Change.NEW, ["phone"])
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.seek(size // 3)
        stream.write(os.urandom(size // 3))
    damaged = file.read_bytes()
    with pytest.raises(StorageError, match=r"is damaged .*backup"), Store.open(file, tmp_path / "media") as store:
        make(store).check()
    file.write_bytes(b"no database " * 100)
    with pytest.raises(StorageError, match=r"is damaged .*backup"):
        Store.open(file, tmp_path / "media", patience=0.2)
    assert file.read_bytes() == b"no database " * 100
    assert damaged != file.read_bytes()
