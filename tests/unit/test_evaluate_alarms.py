"""Numbers of regions and alarms from a folder of scores: what a bench and `amiss evaluate` add to those of frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amiss.datasets import DATASETS, Dataset
from amiss.engine import evaluate_folder
from amiss.engine.evaluate import evaluate_alarms
from amiss.engine.regions import evaluate_regions
from amiss.engine.scores import Scores, read_curves, read_spans, write_scores
from amiss.errors import ScoresError
from amiss.types import Event, FrameScores, RegionScores, Tube

LENGTH, RATE = 40, 10
ODD = slice(20, 30)
BOX = (10.0, 10.0, 19.0, 19.0)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """One clip of 40 frames without pictures, something being abnormal in ten of them."""
    root = tmp_path / "data"
    (root / "rbdc_tbdc_tracks").mkdir(parents=True)
    labels = np.zeros(LENGTH, np.uint8)
    labels[ODD] = 1
    np.savez(root / "frame_labels.npz", c1=labels)
    rows = [f"0,{frame},{','.join(map(str, BOX))}" for frame in range(LENGTH)[ODD]]
    (root / "rbdc_tbdc_tracks" / "c1.txt").write_text("\n".join(rows))
    return DATASETS["shanghaitech"](root)


def event(start: float, end: float) -> Event:
    tube = Tube(frame=[0], seconds=[start], xyxy=[BOX])
    return Event("1", "c1", start, start, end, 3.0, tube)


def write(folder: Path, *, smooth: float = 1.0, events: tuple[Event, ...] = ()) -> Path:
    """A region at the right place in every other abnormal frame, and one false one that scores higher."""
    folder.mkdir(exist_ok=True)
    frame = np.array([5, *range(LENGTH)[ODD][::2]])
    score = np.array([9.0, *np.full(5, 3.0)])
    box = np.array([(60, 60, 70, 70), *[BOX] * 5], float)
    regions = RegionScores(frame=frame, seconds=frame / RATE, box=box, score=score, parts={"x": score})
    raw = np.ones(LENGTH)
    raw[frame] = score
    smoothed = np.where(np.arange(LENGTH) == 5, 1 + smooth * (raw - 1), raw)
    curve = FrameScores(np.arange(LENGTH), np.arange(LENGTH) / RATE, raw, smoothed, raw)
    write_scores(folder, [Scores("c1", None, regions, curve, events, 1.0)], {"smoothing": "none"})  # type: ignore[arg-type]
    return folder


def test_regions_are_raw_and_move_with_their_frame_when_it_is_smoothed(dataset: Dataset, tmp_path: Path) -> None:
    kept = evaluate_regions(write(tmp_path / "s"), dataset)
    # half of the regions, after one false region in forty frames: the curve rises at 1/40
    assert kept["rbdc"]["raw"] == kept["rbdc"]["smoothed"] == pytest.approx(0.5 * (1 - 1 / LENGTH))
    moved = evaluate_regions(write(tmp_path / "s", smooth=0.1), dataset)
    assert moved["rbdc"]["raw"] == kept["rbdc"]["raw"]
    assert moved["rbdc"]["smoothed"] == pytest.approx(0.5)  # the false one falls below the right ones
    assert moved["tbdc"]["smoothed"] == pytest.approx(1)


def test_the_first_frames_can_be_left_out(dataset: Dataset, tmp_path: Path) -> None:
    found = evaluate_regions(write(tmp_path / "s"), dataset, skipped=25)
    assert found["rbdc"]["raw"] == pytest.approx(2 / 5)  # frames 26 and 28 of 25 to 29, and nothing false
    assert evaluate_regions(tmp_path / "s", dataset, skipped=30) == {}


def test_alarms_are_those_of_the_events(dataset: Dataset, tmp_path: Path) -> None:
    folder = write(tmp_path / "s", events=(event(0.3, 0.8), event(2.4, 2.6)))
    assert read_spans(folder)["c1"].tolist() == [[0.3, 0.8], [2.4, 2.6]]
    found = evaluate_folder(folder, dataset)["metrics"]
    assert found["event_recall"] == {"smoothed": 1}
    assert found["event_delay_seconds"]["smoothed"] == pytest.approx(0.4)
    assert found["false_alarms_per_hour"]["smoothed"] == pytest.approx(3600 / 4)


def test_what_there_is_nothing_for_is_absent(dataset: Dataset, tmp_path: Path) -> None:
    folder = write(tmp_path / "s")
    labels = {"c1": np.zeros(LENGTH, np.uint8)}
    assert evaluate_alarms(folder, labels, read_curves(folder)) == {"false_alarms_per_hour": {"smoothed": 0}}


def test_other_protocols_give_frames_alone_and_say_their_name(dataset: Dataset, tmp_path: Path) -> None:
    folder = write(tmp_path / "s")
    standard = evaluate_folder(folder, dataset)
    assert (standard["protocol"], standard["tracks_from"]) == ("standard", "rbdc_tbdc_tracks")
    for protocol in ("legacy", "transductive"):
        result = evaluate_folder(folder, dataset, protocol)
        assert result["protocol"] == protocol
        assert set(result["metrics"]) == set(standard["metrics"]) - {
            *("rbdc", "tbdc", "event_recall", "false_alarms_per_hour", "event_delay_seconds")
        }


def test_damaged_events_are_told(dataset: Dataset, tmp_path: Path) -> None:
    folder = write(tmp_path / "s")
    (folder / "events.json").write_text('[{"camera": "c1"}]')
    with pytest.raises(ScoresError, match=r"events.json is missing or damaged"):
        evaluate_folder(folder, dataset)
