from __future__ import annotations

from pathlib import Path

import pytest
from clips import levels, write_frames, write_video

from amiss.errors import FootageError
from amiss.footage import FrameFolder, VideoFile, find_footage, open_footage
from amiss.footage.find import expanded
from amiss.footage.names import natural_key, safe_name


def test_a_folder_of_frames_is_one_piece(tmp_path: Path) -> None:
    found = find_footage([write_frames(tmp_path / "walk")], fps=5)
    assert [(f.name, f.rate, type(f)) for f in found] == [("walk", 5.0, FrameFolder)]


def test_folders_are_searched_in_natural_order(tmp_path: Path) -> None:
    for name in ("10", "2", "1"):
        write_frames(tmp_path / "training" / "frames" / name, 1)
    write_video(tmp_path / "training" / "videos.mp4", levels(2))
    (tmp_path / "training" / "._videos.mp4").write_bytes(b"x")
    (tmp_path / "training" / "notes.txt").write_text("x")
    found = find_footage([tmp_path])
    assert [f.name for f in found] == ["1", "2", "10", "videos"]
    assert isinstance(found[-1], VideoFile)


def test_equal_names_take_their_parents_before_them(tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        write_video(tmp_path / place / "01.avi", levels(2), codec="mpeg4")
    write_video(tmp_path / "b" / "02.avi", levels(2), codec="mpeg4")
    assert [f.name for f in find_footage([tmp_path])] == ["a-01", "b-01", "02"]


def test_one_stem_with_two_suffixes_is_numbered(tmp_path: Path) -> None:
    write_video(tmp_path / "x.avi", levels(2), codec="mpeg4")
    write_video(tmp_path / "x.mp4", levels(2))
    names = [f.name for f in find_footage([tmp_path])]
    assert len(set(names)) == 2
    assert names[1] == f"{names[0]}-2"


def test_a_path_given_twice_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "x.mp4", levels(2))
    monkeypatch.chdir(tmp_path)
    assert len(find_footage([path, tmp_path, "x.mp4"])) == 1
    assert find_footage(["."])[0].name == "x"
    assert open_footage(write_frames(tmp_path / "walk")).name == "walk"
    monkeypatch.chdir(tmp_path / "walk")
    assert find_footage(["."])[0].name == "walk"


def test_what_is_no_footage_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    frames = write_frames(tmp_path / "mixed")
    with pytest.raises(FootageError, match="gone does not exist"):
        find_footage([tmp_path / "gone"])
    with pytest.raises(FootageError, match="empty holds no footage"):
        find_footage([tmp_path / "empty"])
    with pytest.raises(FootageError, match="no footage was given"):
        find_footage([])
    with pytest.raises(FootageError, match=r"1\.png is a picture; give the folder"):
        find_footage([frames / "1.png"])
    (frames / "broken.mp4").write_bytes(b"x" * 100)
    with pytest.raises(FootageError, match=r"mixed holds both pictures and videos \(broken\.mp4\)"):
        find_footage([frames])
    with pytest.raises(FootageError, match=r"broken\.mp4 is not a video"):
        find_footage([frames / "broken.mp4"])


def test_open_footage_gives_exactly_one(tmp_path: Path) -> None:
    write_frames(tmp_path / "a")
    assert open_footage(tmp_path, fps=4, name="gate 1").name == "gate_1"
    write_frames(tmp_path / "b")
    with pytest.raises(FootageError, match=r"holds 2 pieces of footage \(a, b"):
        open_footage(tmp_path)


def test_names_are_safe_and_sorted_as_people_do() -> None:
    assert safe_name("../a b:c") == "_a_b_c"
    assert safe_name("..") == "clip"
    names = ["img10.png", "img2.png", "IMG1.png", "a", "3"]
    assert sorted(names, key=natural_key) == ["3", "a", "IMG1.png", "img2.png", "img10.png"]


def test_patterns_and_lists_stand_for_what_they_name(tmp_path: Path) -> None:
    for name in ("a10.mp4", "a2.mp4", "b1.mp4", "deep/er/c1.mp4", ".a3.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "list.txt").write_text("# the gate\n\na2.mp4\ndeep/**/*.mp4\ns3://bucket/x.mp4\n", encoding="utf-8")
    found = expanded([f"{tmp_path}/a*.mp4", f"@{tmp_path}/list.txt", "s3://bucket/*.mp4", "as it is"])
    here = [Path(path).relative_to(tmp_path).as_posix() for path in found[:4]]
    assert here == ["a2.mp4", "a10.mp4", "a2.mp4", "deep/er/c1.mp4"]
    assert found[4:] == ["s3://bucket/x.mp4", "s3://bucket/*.mp4", "as it is"]


def test_a_name_with_marks_of_a_pattern_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "gate[1].mp4").touch()
    assert expanded([f"{tmp_path}/gate[1].mp4"]) == [f"{tmp_path}/gate[1].mp4"]


@pytest.mark.parametrize("text", ["", "# nothing\n", None])
def test_a_pattern_or_a_list_of_nothing_is_named(tmp_path: Path, text: str | None) -> None:
    with pytest.raises(FootageError, match="nothing fits"):
        expanded([f"{tmp_path}/*.mp4"])
    if text is not None:
        (tmp_path / "list.txt").write_text(text, encoding="utf-8")
    with pytest.raises(FootageError, match=r"list\.txt"):
        expanded([f"@{tmp_path}/list.txt"])
