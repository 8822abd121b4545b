"""Scores of other programs, from plain files, so that amiss can be used to evaluate alone."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.datasets import Clip, Dataset
from amiss.datasets.base import length_of
from amiss.datasets.files import archive_keys, find_key, read_array, read_text
from amiss.datasets.tables import stem_of
from amiss.errors import DatasetError, ScoresError
from amiss.types import FloatArray, RegionScores

__all__ = ["read_frame_scores", "read_region_scores"]

COLUMNS = "frame,x1,y1,x2,y2,score"
CLIP_COLUMNS = ("clip", "video")


def read_region_scores(folder: Path, dataset: Dataset) -> dict[str, RegionScores]:
    """The regions that another program found, from a text file a clip with rows `frame,x1,y1,x2,y2,score`.

    Frames count from 0, boxes are pixels whose last ones are inside. An empty file says that nothing was found.

    Args:
        folder: Of files `CLIP.txt` or `CLIP.csv`.
        dataset: Whose test clips they are of.

    Returns:
        By clip, in the order in which the folder lists its files: published rules take regions of one score so.

    Raises:
        ScoresError: A file is damaged, of no test clip, or speaks of a frame that its clip does not have; or a test
            clip has none.
    """
    clips = {clip.name: clip for clip in dataset.testing()}
    files = [file for file in _listed(folder) if file.suffix.lower() in (".txt", ".csv")]
    found = {}
    for file in files:
        name = _clip_of(file.stem, clips, file)
        found[name] = _regions(file, clips[name])
    _check_all(clips, found, folder, "write an empty file where nothing was found")
    return found


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise ScoresError(f"the folder {folder} cannot be read ({error.strerror}); check the path") from None


def _clip_of(name: str, clips: Iterable[str], source: Path) -> str:
    """The test clip that a name means."""
    key = find_key(clips, name)
    if key is None:
        raise ScoresError(f"{source} is of {name!r}, which is no test clip; those are {', '.join(list(clips)[:6])}, …")
    return key


def _check_all(clips: Iterable[str], found: Mapping[str, Any], source: Path, advice: str) -> None:
    if missing := [name for name in clips if name not in found]:
        raise ScoresError(f"{source} has no scores of test clip {missing[0]} ({len(missing)} are missing); {advice}")


def _regions(file: Path, clip: Clip) -> RegionScores:
    rows = _numbers(file, 6, COLUMNS)
    frame, box, score = rows[:, 0], rows[:, 1:5], rows[:, 5]
    length = length_of(clip.footage)
    wrong = {
        "a number that is not finite": ~np.isfinite(rows).all(1),
        f"a frame that is not one of the clip's {length}, from 0": (frame < 0) | (frame >= length) | (frame % 1 != 0),
        "a box with x2 < x1 or y2 < y1": (box[:, 2:] < box[:, :2]).any(1),
    }
    for what, where in wrong.items():
        if where.any():
            raise ScoresError(f"{file}, row {int(where.argmax()) + 1} has {what}; write rows of {COLUMNS}")
    number = frame.astype(np.int64)
    return RegionScores(frame=number, seconds=number / clip.footage.rate, box=box, score=score)


def _numbers(file: Path, columns: int, names: str) -> FloatArray:
    """`(N, columns)` float64 from rows of numbers with commas between them."""
    text = read_text(file).strip()
    if not text:
        return np.zeros((0, columns))
    lines = text.splitlines()
    if lines[0].replace(" ", "").lower() == names:
        lines = lines[1:]
    try:
        rows = np.loadtxt(lines, delimiter=",", ndmin=2) if lines else np.zeros((0, columns))
    except ValueError as error:
        raise ScoresError(f"{file} is not rows of {names} ({error})") from None
    if rows.shape[1] != columns:
        raise ScoresError(f"{file} has {rows.shape[1]} numbers a row, not {columns}; write rows of {names}")
    return np.asarray(rows)


def read_frame_scores(path: Path, dataset: Dataset) -> dict[str, FloatArray]:
    """The scores of frames that another program gave, a number a frame and higher for what is more abnormal.

    Args:
        path: A folder with a file a clip (`.npy`, or `.txt` or `.csv` with a number a line); an `.npz` with an array a
            clip; an `.npy` of all test clips one after the other; or a table with the columns `clip` (or `video`),
            `frame` from 0 and `score`.
        dataset: Whose test clips they are of.

    Returns:
        `(T,)` float64 by test clip, in the data set's order.

    Raises:
        ScoresError: A file is damaged, or a clip has not as many scores as frames, or has scores that are no numbers.
    """
    clips = {clip.name: clip for clip in dataset.testing()}
    lengths = {name: len(dataset.labels(clip)) for name, clip in clips.items()}
    found = _reader(path)(path, lengths)
    _check_all(clips, found, path, "give a score for each of its frames")
    for name, scores in found.items():
        if len(scores) != lengths[name]:
            raise ScoresError(f"{path} has {len(scores)} scores of clip {name}, which has {lengths[name]} labels")
        if not np.isfinite(scores).all():
            raise ScoresError(
                f"{path}: the score of frame {int((~np.isfinite(scores)).argmax())} of clip {name} is no "
                "number; give one for every frame"
            )
    return {name: found[name] for name in clips}


Reader = Callable[[Path, Mapping[str, int]], dict[str, FloatArray]]


def _reader(path: Path) -> Reader:
    if path.is_dir():
        return _from_folder
    readers: Mapping[str, Reader] = {
        ".npz": _from_archive,
        ".npy": _from_array,
        ".csv": _from_table,
        ".txt": _from_table,
    }
    if path.suffix.lower() not in readers or not path.is_file():
        raise ScoresError(f"{path} is no folder, .npz, .npy or .csv of scores; check the path")
    return readers[path.suffix.lower()]


def _from_folder(path: Path, lengths: Mapping[str, int]) -> dict[str, FloatArray]:
    found = {}
    for file in sorted(path.iterdir()):
        if file.suffix.lower() == ".npy":
            found[_clip_of(file.stem, lengths, file)] = _row(_array(file), file)
        elif file.suffix.lower() in (".txt", ".csv"):
            found[_clip_of(file.stem, lengths, file)] = _numbers(file, 1, "score")[:, 0]
    return found


def _from_archive(path: Path, lengths: Mapping[str, int]) -> dict[str, FloatArray]:
    try:
        keys = archive_keys(path)
    except DatasetError as error:
        raise ScoresError(str(error)) from None
    return {_clip_of(key, lengths, path): _row(_array(path, key), path) for key in keys}


def _from_array(path: Path, lengths: Mapping[str, int]) -> dict[str, FloatArray]:
    row = _row(_array(path), path)
    if len(row) != sum(lengths.values()):
        raise ScoresError(
            f"{path} has {len(row)} scores, and the {len(lengths)} test clips have {sum(lengths.values())} frames"
        )
    ends = np.cumsum(list(lengths.values()))[:-1]
    return dict(zip(lengths, np.split(row, ends), strict=True))


def _from_table(path: Path, lengths: Mapping[str, int]) -> dict[str, FloatArray]:
    reader = csv.DictReader(read_text(path).splitlines(), skipinitialspace=True)
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    column = next((name for name in CLIP_COLUMNS if name in names), None)
    if column is None or not {"frame", "score"} <= set(names):
        raise ScoresError(f"{path} has the columns {', '.join(names)}; begin it with the line clip,frame,score")
    found = {name: np.full(length, np.nan) for name, length in lengths.items()}
    for row in reader:
        name = _clip_of(stem_of(row[column] or ""), lengths, path)
        _put(found[name], row, f"{path}, line {reader.line_num}")
    return found


def _put(scores: FloatArray, row: Mapping[str, str | None], source: str) -> None:
    try:
        frame, score = int(row["frame"] or ""), float(row["score"] or "")
    except ValueError:
        raise ScoresError(f"{source} is not a frame and a score") from None
    if not 0 <= frame < len(scores):
        raise ScoresError(f"{source} speaks of frame {frame}, and the clip has {len(scores)}, from 0")
    scores[frame] = score


def _array(path: Path, key: str | None = None) -> NDArray[Any]:
    try:
        return read_array(path, key)
    except DatasetError as error:
        raise ScoresError(str(error)) from None


def _row(array: NDArray[Any], source: Path) -> FloatArray:
    row = np.asarray(array).squeeze()
    if row.ndim > 1 or row.dtype.kind not in "fiub":
        raise ScoresError(f"{source} holds {array.dtype} of the shape {array.shape}, not a number a frame")
    return np.atleast_1d(row).astype(np.float64)


READERS: Mapping[str, Reader] = {
    ".npz": _from_archive,
    ".npy": _from_array,
    ".csv": _from_table,
    ".txt": _from_table,
}
