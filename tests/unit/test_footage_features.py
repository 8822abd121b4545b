"""Files of features in place of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import levels, write_frames, write_video

from amiss.errors import FootageError
from amiss.footage import FeatureFile, FrameFolder, VideoFile, find_footage, make_footage, open_footage

RNG = np.random.default_rng(0)
ROWS = RNG.random((4, 20)).astype(np.float32)


def write_table(path: Path, rows: np.ndarray = ROWS, between: str = " ") -> Path:
    path.write_text("\n".join(between.join(f"{value:.8f}" for value in row) for row in rows) + "\n")
    return path


def saved(path: Path, array: np.ndarray = ROWS) -> Path:
    np.save(path, array)
    return path


@pytest.mark.parametrize("between", [" ", "  ", ",", ", ", "\t"])
def test_text(tmp_path: Path, between: str) -> None:
    footage = FeatureFile(write_table(tmp_path / "Abuse001_x264.txt", between=between), frames=10)
    assert (footage.name, footage.length, footage.rate) == ("Abuse001_x264", 10, 30.0)
    np.testing.assert_allclose(footage.features(), ROWS, atol=1e-7)
    assert footage.features().dtype == np.float32
    np.testing.assert_array_equal(footage.edges(), [0, 2, 5, 7, 10])


def test_arrays_and_crops(tmp_path: Path) -> None:
    footage = FeatureFile(saved(tmp_path / "a.npy"), name="gate 1", rate=24)
    assert (footage.name, footage.length, footage.rate) == ("gate_1", 64, 24.0)
    np.testing.assert_array_equal(footage.features(), ROWS)
    np.testing.assert_array_equal(footage.edges(), [0, 16, 32, 48, 64])
    crops = RNG.random((3, 10, 20)).astype(np.float16)
    crooked = FeatureFile(saved(tmp_path / "b.npy", crops))
    assert crooked.features().shape == (3, 20)
    np.testing.assert_allclose(crooked.features(), crops.astype(np.float64).mean(axis=1), rtol=1e-6)


def test_more_rows_than_frames(tmp_path: Path) -> None:
    edges = FeatureFile(saved(tmp_path / "a.npy"), frames=2).edges()
    np.testing.assert_array_equal(edges, [0, 0, 1, 1, 2])


def test_it_has_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match=r"a\.npy holds features and no pictures; .*mil-ranking and weak-tubes"):
        iter(FeatureFile(saved(tmp_path / "a.npy")))


def test_the_fingerprint_is_of_content_and_time(tmp_path: Path) -> None:
    one, same = FeatureFile(saved(tmp_path / "a.npy")), FeatureFile(saved(tmp_path / "b.npy"))
    assert one.fingerprint() == same.fingerprint()
    others = [FeatureFile(one.path, frames=63), FeatureFile(one.path, rate=25)]
    others.append(FeatureFile(saved(tmp_path / "c.npy", ROWS + 1)))
    assert len({footage.fingerprint() for footage in [one, *others]}) == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"x" * 50, r"a\.npy is not a readable \.npy file"),
        ("a.npy", np.zeros(5), r"a\.npy holds float64 of the shape \(5,\), not features"),
        ("a.npy", np.zeros((0, 20)), r"of the shape \(0, 20\)"),
        ("a.npy", np.zeros((2, 20), bool), r"a\.npy holds bool"),
        ("a.npy", np.array([[1.0, np.nan], [0.0, 0.0]]), "not finite in row 0"),
        ("a.npy", np.array([[1.0, 2.0], [1e300, 0.0]]), "not finite in row 1"),
        ("a.npy", np.array([[[np.inf], [-np.inf]]]), "not finite in row 0"),
        ("a.txt", b"1 2\n\n3 four\n", r"a\.txt, line 3 is not a row of numbers"),
        ("a.txt", b"1 2\n3\n", r"a\.txt, line 2 has 1 numbers, not 2"),
        ("a.txt", b"1 inf\n", "not finite in row 0"),
        ("a.txt", b"\n", "holds no numbers"),
        ("a.txt", b"\xff\xfe\x00", "cannot be read as text"),
    ],
)
def test_what_is_damaged_is_named(tmp_path: Path, name: str, content: bytes | np.ndarray, message: str) -> None:
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        np.save(tmp_path / name, content)
    with pytest.raises(FootageError, match=message):
        FeatureFile(tmp_path / name).features()


def test_what_is_cut_off_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy")
    path.write_bytes(path.read_bytes()[:-8])
    assert FeatureFile(path).length == 64
    with pytest.raises(FootageError, match=r"a\.npy is cut off or damaged"):
        FeatureFile(path).features()


def test_what_cannot_be_is_refused_at_birth(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy")
    with pytest.raises(FootageError, match=r"gone\.npy is no file of features"):
        FeatureFile(tmp_path / "gone.npy")
    with pytest.raises(FootageError, match="has 0 frames"):
        FeatureFile(path, frames=0)
    with pytest.raises(FootageError, match=r"the frame rate of .* is 0"):
        FeatureFile(path, rate=0)
    (tmp_path / "b.txt").touch()
    with pytest.raises(FootageError, match=r"b\.txt is an empty file"):
        FeatureFile(tmp_path / "b.txt")


def test_folders_of_features_are_found_without_what_lies_beside(tmp_path: Path) -> None:
    write_table(tmp_path / "b.txt")
    saved(tmp_path / "a.npy")
    (tmp_path / "readme.txt").write_text("32 rows of 4096 numbers\n")
    (tmp_path / "boxes.txt").write_text("0,1,10,10,20,20\n0,2,10,10,20,20\n")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "bytes.txt").write_bytes(b"\x93NUMPY\xff\xff")
    saved(tmp_path / "labels.npy", np.zeros(40, np.uint8))
    saved(tmp_path / "masks.npy", np.zeros((3, 20, 30), np.uint8))
    saved(tmp_path / "corners.npy", np.zeros((30, 4)))
    found = find_footage([tmp_path], fps=24)
    assert [(f.name, type(f), f.rate, f.length) for f in found] == [
        ("a", FeatureFile, 24.0, 64),
        ("b", FeatureFile, 24.0, 64),
    ]
    assert isinstance(open_footage(tmp_path / "a.npy"), FeatureFile)
    (tmp_path / "c.npy").write_bytes(b"x")
    with pytest.raises(FootageError, match=r"c\.npy is not a readable"):
        _ = find_footage([tmp_path])[2].length


def test_features_beside_pictures_or_videos_do_not_count(tmp_path: Path) -> None:
    saved(write_frames(tmp_path / "frames") / "a.npy")
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos" / "a.mp4", levels(3))
    write_table(tmp_path / "videos" / "b.txt")
    assert [type(footage) for footage in find_footage([tmp_path])] == [FrameFolder, VideoFile]


def test_a_text_that_is_no_table_is_no_footage(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("one two\n")
    with pytest.raises(FootageError, match=r"notes\.txt is not a video"):
        find_footage([tmp_path / "notes.txt"])
    assert make_footage(saved(tmp_path / "a.npy"), 30.0, "x", 50).length == 50
