from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import write_frames

from amiss.errors import FootageError
from amiss.footage import FrameFolder


def test_frames_come_in_natural_order_at_the_given_rate(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "walk", 12)
    for name in (".hidden.png", "._1.png", ".DS_Store", "notes.txt"):
        (folder / name).write_bytes(b"no picture")
    footage = FrameFolder(folder, fps=8)
    frames = list(footage)
    assert (footage.name, footage.length, footage.rate) == ("walk", 12, 8.0)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [10 * n for n in range(1, 13)]
    assert [frame.seconds for frame in frames] == [n / 8 for n in range(12)]


@pytest.mark.parametrize("suffix", [".png", ".JPG", ".jpeg", ".bmp", ".tif", ".TIFF"])
def test_every_kind_of_picture_is_read(tmp_path: Path, suffix: str) -> None:
    frames = list(FrameFolder(write_frames(tmp_path / "a", 2, suffix)))
    np.testing.assert_allclose(frames[1].image, 20, atol=1)


@pytest.mark.parametrize(
    ("name", "stored", "rgb"),
    [
        ("grey.png", np.full((4, 6), 77, np.uint8), (77, 77, 77)),
        ("deep.png", np.full((4, 6), 77 * 256 + 200, np.uint16), (77, 77, 77)),
        ("deep.tif", np.full((4, 6, 3), (10 * 256, 20 * 256, 30 * 256), np.uint16), (30, 20, 10)),
        ("alpha.png", np.full((4, 6, 4), (10, 20, 30, 128), np.uint8), (30, 20, 10)),
        ("colour.bmp", np.full((4, 6, 3), (10, 20, 30), np.uint8), (30, 20, 10)),
    ],
)
def test_grey_deep_and_alpha_become_rgb(tmp_path: Path, name: str, stored: np.ndarray, rgb: tuple[int, ...]) -> None:
    cv2.imwrite(str(tmp_path / name), stored)
    image = next(iter(FrameFolder(tmp_path))).image
    np.testing.assert_array_equal(image, np.full((4, 6, 3), rgb, np.uint8))


def test_floating_point_pictures_are_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.tif"), np.full((4, 6), 0.5, np.float32))
    with pytest.raises(FootageError, match=r"1\.tif holds float32 values"):
        list(FrameFolder(tmp_path))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp"])
@pytest.mark.parametrize("share", [0.0, 0.7])
def test_an_unreadable_picture_in_the_middle_is_named(tmp_path: Path, suffix: str, share: float) -> None:
    folder = write_frames(tmp_path / "a", 4, suffix)
    bad = folder / f"3{suffix}"
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    cv2.imwrite(str(bad), noise)
    data = bad.read_bytes()
    bad.write_bytes(data[: int(len(data) * share)])
    seen = []
    with pytest.raises(FootageError, match=rf"frame 2 of a: the picture .*3{suffix} is damaged or cut off"):
        seen.extend(frame.index for frame in FrameFolder(folder))


def test_a_changing_size_names_both_sizes_and_the_file(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", 3)
    cv2.imwrite(str(folder / "2.png"), np.zeros((10, 20, 3), np.uint8))
    with pytest.raises(FootageError, match=r"2\.png \(frame 1\) is 20x10, not 64x48"):
        list(FrameFolder(folder))


def test_missing_and_empty_folders_and_rates(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FootageError, match="gone is not a folder"):
        FrameFolder(tmp_path / "gone")
    with pytest.raises(FootageError, match="empty holds no pictures"):
        FrameFolder(tmp_path / "empty")
    with pytest.raises(FootageError, match=r"frame rate of .* is 0"):
        FrameFolder(write_frames(tmp_path / "a"), fps=0)


def test_the_fingerprint_is_of_order_bytes_and_rate(tmp_path: Path) -> None:
    one, same, other = (write_frames(tmp_path / name) for name in ("one", "same", "other"))
    (other / "1.png").rename(other / "9.png")
    assert FrameFolder(one).fingerprint() == FrameFolder(same).fingerprint()
    assert FrameFolder(one).fingerprint() != FrameFolder(other).fingerprint()
    assert FrameFolder(one).fingerprint() != FrameFolder(one, fps=10).fingerprint()
