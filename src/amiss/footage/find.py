"""From the paths that a user gives to footage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from glob import glob
from pathlib import Path

from amiss.errors import FootageError
from amiss.footage.base import Footage
from amiss.footage.features import FEATURE_SUFFIXES, FeatureFile, holds_features
from amiss.footage.file import VIDEO_SUFFIXES, VideoFile
from amiss.footage.folder import PICTURE_SUFFIXES, FrameFolder
from amiss.footage.names import natural_key, unique_names, visible

__all__ = ["expanded", "find_footage", "list_footage", "make_footage", "open_footage"]

_DEEPEST = 5


def find_footage(paths: Sequence[Path | str], fps: float = 25.0) -> list[Footage]:
    """All footage under `paths`, in their order, each folder in natural order of names.

    A path is a video file, a folder of frames, or a folder in which such are looked for, up to five levels down; or a
    pattern or a list of those, see `expanded`.
    The headers of videos are read, so that a file which is no video is known at once. Files of features count where no
    pictures or videos lie beside them.

    Args:
        paths: Files and folders.
        fps: Frames per second of folders of frames and of files of features.

    Returns:
        At least one. Names are unique: file stem or folder name, with parents' names before it where two are equal.

    Raises:
        FootageError: A path is missing, holds no footage, or holds both pictures and videos; or a file is no video.
    """
    return [_checked(make_footage(path, fps, name)) for path, name in list_footage(expanded(map(str, paths)))]


def list_footage(paths: Iterable[Path | str]) -> list[tuple[Path, str]]:
    """The path and the name of all footage under `paths`, like `find_footage`, without a look into any file.

    Raises:
        FootageError: A path holds no footage, or holds both pictures and videos.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        here = list(_under(path, _DEEPEST))
        if not here:
            raise FootageError(
                f"{path} holds no footage; give a video file, a folder of pictures, or a folder of those"
            )
        for place in here:
            found.setdefault(place.absolute(), place)
    if not found:
        raise FootageError("no footage was given; name a video file or a folder")
    return list(zip(found, unique_names(list(found)), strict=True))


def expanded(paths: Iterable[str]) -> list[str]:
    """Paths in the place of patterns and lists.

    Args:
        paths: Each a path as it is, a pattern with `*`, `?` or `[...]` (`**` for folders at any depth), or `@FILE`: a
            text file with a path a line, from that file's folder on; empty lines and those that begin with `#` are left
            out.

    Raises:
        FootageError: A pattern fits nothing, or a list cannot be read or is empty.
    """
    found: list[str] = []
    for path in paths:
        if path.startswith("@") and not Path(path).exists():
            found += _listed(Path(path[1:]))
        elif any(mark in path for mark in "*?[") and "://" not in path and not Path(path).exists():
            found += _matching(path)
        else:
            found.append(path)
    return found


def _listed(file: Path) -> list[str]:
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeError) as error:
        raise FootageError(f"the list {file} cannot be read ({error}); give a text file with a path a line") from None
    named = [line for line in lines if line and not line.startswith("#")]
    if not named:
        raise FootageError(f"the list {file} names no footage; write a path a line")
    return expanded(line if "://" in line else str(file.parent / line) for line in named)


def _matching(pattern: str) -> list[str]:
    found = glob(pattern, recursive=True)  # noqa: PTH207  # a pattern may begin anywhere, and Path has no such search
    names = [name for name in found if not Path(name).name.startswith(".")]
    if not names:
        raise FootageError(f"nothing fits the pattern {pattern}; check it")
    return sorted(names, key=natural_key)


def open_footage(path: Path | str, fps: float = 25.0, name: str | None = None) -> Footage:
    """The one piece of footage at `path`.

    Args:
        path: A video file, a folder of frames, or a file of features.
        fps: Frames per second, if it is a folder of frames or a file of features.
        name: Short name; from the path when left out.

    Raises:
        FootageError: There is none, or the folder holds several.
    """
    found = find_footage([path], fps)
    if len(found) > 1:
        names = ", ".join(footage.name for footage in found[:5])
        raise FootageError(f"{path} holds {len(found)} pieces of footage ({names}, …); name one of them")
    return make_footage(found[0].path, fps, name or found[0].name)


def make_footage(path: Path, fps: float, name: str | None = None, frames: int | None = None) -> Footage:
    """Footage from a path that is known to be some: a folder of frames, a file of features, or else a video file.

    An `.npy` is one of features; a `.txt` is if it begins with a row of many numbers.

    Args:
        path: Folder or file.
        fps: Frames per second of a folder of frames or a file of features.
        name: Short name; from the path when left out.
        frames: Number of frames of the video that features were made of, where it is known.

    Raises:
        FootageError: It is missing or empty.
    """
    if path.is_dir():
        return FrameFolder(path, fps, name)
    featured = path.suffix.lower() in FEATURE_SUFFIXES and path.is_file()
    if featured and (path.suffix.lower() == ".npy" or holds_features(path)):
        return FeatureFile(path, name, frames, fps)
    return VideoFile(path, name)


def _checked(footage: Footage) -> Footage:
    """`footage` after its header could be read."""
    if footage.rate <= 0:
        raise FootageError(f"{footage.path} has no frame rate")
    return footage


def _under(path: Path, depth: int) -> Iterator[Path]:
    """The files and folders of footage at and under `path`."""
    if not path.is_dir():
        if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
            raise FootageError(f"{path} is a picture; give the folder of all frames")
        yield path
        return
    entries = visible(path)
    pictures = [e for e in entries if e.suffix.lower() in PICTURE_SUFFIXES and e.is_file()]
    videos = [e for e in entries if e.suffix.lower() in VIDEO_SUFFIXES and e.is_file()]
    if pictures and videos:
        raise FootageError(f"{path} holds both pictures and videos ({videos[0].name}); name the one that is meant")
    if pictures:
        yield path
        return
    for entry in entries if depth else ():
        if entry.is_dir():
            yield from _under(entry, depth - 1)
        elif entry in videos or (not videos and holds_features(entry)):
            yield entry
