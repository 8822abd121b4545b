"""`amiss bench` on small data sets that come with tracked poses, in the layouts of their authors."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import support_footage as footage
from support import SMALL, Mover, Rectangles, body_of, walkers, write_tracked
from support_cli import Run, problem

LENGTH, ODD = 40, slice(12, 28)
FIRST = 30
"""The id of a clip's first person."""


def write_people(folder: Path, name: str, seed: int, wild: bool = False) -> None:
    """Two who walk through the clip, and one who throws the joints about for a while where it is wild."""
    clip: Rectangles = walkers(name, seed, number=2)
    people = {
        FIRST + number: {frame: body_of(mover, frame, seed) for frame in range(LENGTH)}
        for number, mover in enumerate(clip.movers)
    }
    if wild:
        odd = Mover(40, 50, 30, 40, dx=1.5, flickers=True)
        people[FIRST + 9] = {frame: body_of(odd, frame) for frame in range(LENGTH)[ODD]}
    write_tracked(folder / f"{name}_alphapose_tracked_person.json", people)


def labels() -> np.ndarray:
    truth = np.zeros(LENGTH, np.uint8)
    truth[ODD] = 1
    return truth


def shanghaitech(root: Path) -> Path:
    """Videos to learn from, a folder of pictures to test on, and one with nobody in it."""
    for number in range(2):
        footage.as_video(root / "training" / "videos" / f"01_00{number}.avi", number, LENGTH)
        write_people(root / "pose" / "train", f"01_00{number}", number)
    (root / "testing" / "test_frame_mask").mkdir(parents=True)
    for name, truth in (("01_0014", labels()), ("01_0015", np.zeros(LENGTH, np.uint8))):
        footage.as_folder(root / "testing" / "frames" / name, 7, LENGTH)
        np.save(root / "testing" / "test_frame_mask" / f"{name}.npy", truth)
    write_people(root / "pose" / "test", "01_0014", 8, wild=True)
    write_tracked(root / "pose" / "test" / "01_0015_alphapose_tracked_person.json", {})
    return root


def ubnormal(root: Path) -> Path:
    """Videos beside each other in a scene, split by lists of names."""
    training = [f"normal_scene_1_scenario_{number}" for number in (1, 2)]
    normal, abnormal = "normal_scene_1_scenario_3", "abnormal_scene_1_scenario_4"
    for seed, name in enumerate([*training, normal, abnormal]):
        footage.as_video(root / "Scene1" / f"{name}.mp4", seed, LENGTH)
        write_people(root / "pose" / ("train" if name in training else "test"), name, seed, wild=name == abnormal)
    lists = {"normal_training": training, "normal_test": [normal], "abnormal_test": [abnormal]}
    for kind, names in lists.items():
        (root / f"{kind}_video_names.txt").write_text("\n".join(names))
    (root / "Scene1" / f"{abnormal}_tracks.txt").write_text(f"1,{ODD.start},{ODD.stop - 1}")
    return root


def command(name: str, root: Path, folder: Path) -> Sequence[object]:
    sources = ("perception.boxes.source=poses", "perception.poses.source=file")
    small = [f"{group}.{key}={value}" for group, chosen in SMALL["pose-flow"].items() for key, value in chosen.items()]
    sets = [word for text in (*sources, *small, f"cache={folder / 'cache'}") for word in ("--set", text)]
    return "bench", name, "--root", root, "--method", "pose-flow", *sets, "--out", folder / "runs"


@pytest.mark.parametrize(("name", "make"), [("shanghaitech", shanghaitech), ("ubnormal", ubnormal)])
def test_pose_flow_on_tracked_poses(name: str, make: Callable[[Path], Path], tmp_path: Path, run: Run) -> None:
    root = make(tmp_path / "data")
    answer = run(*command(name, root, tmp_path), "--json", tmp_path / "a.json")
    assert answer.status == 0, answer
    assert "cascade:6" in answer.out  # the smoothing that is published for the data set, and not the default
    result = json.loads((tmp_path / "a.json").read_text())
    assert result["frames"] == 2 * LENGTH
    assert result["metrics"]["auc_micro"]["raw"]["mean"] > 0.9
    table = pq.read_table(tmp_path / "runs" / "seed-0" / "scores.parquet")
    assert set(table.column("track").to_pylist()) == {FIRST, FIRST + 1, FIRST + 9}


def test_a_clip_without_its_file_is_told(tmp_path: Path, run: Run) -> None:
    root = shanghaitech(tmp_path / "data")
    (root / "pose" / "test" / "01_0015_alphapose_tracked_person.json").unlink()
    line = problem(run(*command("shanghaitech", root, tmp_path)))
    assert "01_0015_alphapose_tracked_person.json" in line
    assert "pose/test" in line
