"""Scores of other programs: every form gives the same numbers, and every mistake is told by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amiss.datasets import DATASETS, Dataset
from amiss.engine import evaluate_plain
from amiss.engine.plain import read_frame_scores, read_region_scores
from amiss.errors import AmissError, FootageError, ScoresError

LABELS = {"01": np.repeat([0, 1, 0], [4, 3, 5]), "02": np.repeat([0, 1], [5, 5])}
TRACKS = {"01": ["0,4,10,10,19,19", "0,5,10,10,19,19", "0,6,10,10,19,19"], "02": ["0,5,0,0,9,9", "0,6,0,0,9,9"]}
SMOOTHING = "gaussian:3"


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """A benchmark without a single picture."""
    root = tmp_path / "data"
    (root / "rbdc_tbdc_tracks").mkdir(parents=True)
    np.savez(root / "frame_labels.npz", **{name: row.astype(np.uint8) for name, row in LABELS.items()})
    for name, rows in TRACKS.items():
        (root / "rbdc_tbdc_tracks" / f"{name}.txt").write_text("\n".join(rows) + "\n")
    return DATASETS["shanghaitech"](root)


@pytest.fixture
def rows() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: random.normal(size=len(row)) + row for name, row in LABELS.items()}


def write(form: str, folder: Path, rows: dict[str, np.ndarray]) -> Path:
    """Frame scores in one of the forms that are read."""
    folder.mkdir()
    if form == "npz":
        np.savez(folder / "s.npz", **rows)
    elif form == "npy":
        np.save(folder / "s.npy", np.concatenate(list(rows.values())))
    elif form == "csv":
        lines = [f"{name}.avi,{at},{score!r}" for name, row in rows.items() for at, score in enumerate(row.tolist())]
        (folder / "s.csv").write_text("\n".join(["Video, frame, score", *reversed(lines)]))
    else:
        for name, row in rows.items():
            if form == "folder of npy":
                np.save(folder / f"{name}.npy", row[:, None])
            else:
                (folder / f"{name}.txt").write_text("\n".join(map(repr, row.tolist())))
        return folder
    return next(folder.iterdir())


@pytest.mark.parametrize("form", ["npz", "npy", "csv", "folder of npy", "folder of txt"])
def test_every_form_of_frame_scores_is_read(form: str, dataset: Dataset, rows, tmp_path: Path) -> None:
    found = read_frame_scores(write(form, tmp_path / "scores", rows), dataset)
    assert list(found) == ["01", "02"]
    for name, row in rows.items():
        np.testing.assert_array_equal(found[name], row)


def test_clips_are_known_by_their_numbers(dataset: Dataset, rows, tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", **{f"Test{int(name):03}": row for name, row in rows.items()})
    assert list(read_frame_scores(tmp_path / "s.npz", dataset)) == ["01", "02"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"01": np.zeros(11)}, "11 scores of clip 01, which has 12 labels"),
        ({"02": np.array([0.0, np.nan, *np.zeros(8)])}, "frame 1 of clip 02 is no number"),
        ({"03": np.zeros(3)}, "'03', which is no test clip"),
        ({"01": np.zeros((12, 2))}, r"shape \(12, 2\), not a number a frame"),
        ({"02": None}, "no scores of test clip 02"),
    ],
)
def test_wrong_frame_scores_are_told(change, message: str, dataset: Dataset, rows, tmp_path: Path) -> None:
    given = {name: row for name, row in {**rows, **change}.items() if row is not None}
    np.savez(tmp_path / "s.npz", **given)
    with pytest.raises(ScoresError, match=message):
        read_frame_scores(tmp_path / "s.npz", dataset)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.csv", "clip,score\n01,3", "has the columns clip, score; begin it with the line clip,frame,score"),
        ("s.csv", "clip,frame,score\n01,x,3", "line 2 is not a frame and a score"),
        ("s.csv", "clip,frame,score\n01,12,3", "line 2 speaks of frame 12, and the clip has 12"),
        ("s.csv", "clip,frame,score\n01,0,3", "frame 1 of clip 01 is no number"),
        ("s.npy", "no array", "is not a readable .npy file"),
        ("s.npz", "no archive", "is damaged or not an .npz file"),
        ("s.pkl", "", "is no folder, .npz, .npy or .csv of scores"),
    ],
)
def test_damaged_frame_scores_are_told(name: str, text: str, message: str, dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ScoresError, match=message):
        read_frame_scores(tmp_path / name, dataset)


def test_one_array_must_have_all_frames(dataset: Dataset, tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", np.zeros(21))
    with pytest.raises(ScoresError, match="has 21 scores, and the 2 test clips have 22 frames"):
        read_frame_scores(tmp_path / "s.npy", dataset)


def regions(folder: Path, **texts: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {"c01": "4,10,10,19,19,0.9\n0,50,50,59,59,0.2\n", "c02": "", **texts}.items():
        (folder / f"{name[1:]}.txt").write_text(text)
    return folder


def test_regions_alone_give_all_numbers(dataset: Dataset, tmp_path: Path) -> None:
    result = evaluate_plain(dataset, region_scores=regions(tmp_path / "r"), smoothing=SMOOTHING)
    numbers = result["metrics"]
    # one of five regions and one of two tracks before anything false
    assert numbers["rbdc"] == {"raw": pytest.approx(0.2)}
    assert numbers["tbdc"] == {"raw": pytest.approx(0.5)}
    # the highest region of a frame counts: one abnormal frame above all, one normal one tied with those without any
    assert numbers["auc_micro"]["raw"] == pytest.approx(1 / 8 + 7 / 8 / 2)
    assert (result["tracks_from"], result["protocol"], result["smoothing"]) == (
        "rbdc_tbdc_tracks",
        "standard",
        SMOOTHING,
    )


def test_frames_and_regions_together(dataset: Dataset, rows, tmp_path: Path) -> None:
    frames = write("npz", tmp_path / "f", rows)
    both = evaluate_plain(dataset, frame_scores=frames, region_scores=regions(tmp_path / "r"), smoothing="none")
    alone = evaluate_plain(dataset, frame_scores=frames, smoothing="none")
    assert both["metrics"]["auc_micro"] == alone["metrics"]["auc_micro"]
    assert "rbdc" not in alone["metrics"]
    assert alone["metrics"]["auc_micro"]["raw"] == alone["metrics"]["auc_micro"]["smoothed"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"c01": "4,10,10,19,0.9"}, "has 5 numbers a row, not 6"),
        ({"c01": "4,10,10,19,a,0.9"}, "is not rows of frame,x1,y1,x2,y2,score"),
        ({"c01": "4,10,10,19,19,nan"}, "row 1 has a number that is not finite"),
        ({"c01": "0,1,1,2,2,3\n12,10,10,19,19,1"}, "row 2 has a frame that is not one of the clip's 12"),
        ({"c01": "4,19,10,10,19,1"}, "row 1 has a box with x2 < x1"),
        ({"c09": "4,1,1,2,2,1"}, "'09', which is no test clip"),
    ],
)
def test_wrong_regions_are_told(texts, message: str, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ScoresError, match=message):
        read_region_scores(regions(tmp_path / "r", **texts), dataset)


def test_a_clip_without_a_file_is_told(dataset: Dataset, tmp_path: Path) -> None:
    (regions(tmp_path / "r") / "02.txt").unlink()
    with pytest.raises(ScoresError, match=r"no scores of test clip 02 .* write an empty file"):
        read_region_scores(tmp_path / "r", dataset)
    with pytest.raises(ScoresError, match="cannot be read"):
        read_region_scores(tmp_path / "nowhere", dataset)


def test_nothing_given_is_told(dataset: Dataset) -> None:
    with pytest.raises(ScoresError, match="no scores to evaluate"):
        evaluate_plain(dataset, smoothing="none")


def test_one_class_is_told(tmp_path: Path, rows) -> None:
    np.savez(tmp_path / "frame_labels.npz", **{"01": np.zeros(12, np.uint8)})
    np.savez(tmp_path / "s.npz", **{"01": rows["01"]})
    with pytest.raises(AmissError, match="normal"):
        evaluate_plain(DATASETS["folder"](tmp_path), frame_scores=tmp_path / "s.npz", smoothing="none")


def test_pictures_that_are_not_there_are_told(dataset: Dataset) -> None:
    with pytest.raises(FootageError, match="the pictures of clip 01 are not there"):
        next(iter(dataset.testing()[0].footage))
