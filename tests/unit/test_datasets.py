"""What all datasets have in common: the community layout and the files beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import HEIGHT, WIDTH, levels, write_frames, write_video

from amiss.config import BoxesConfig
from amiss.datasets import DATASETS, Dataset
from amiss.datasets.files import find_key, read_array, read_region_tracks
from amiss.errors import ConfigError, DatasetError
from amiss.footage import FrameFolder, VideoFile
from amiss.perception.boxes import FileBoxes, find_box_file

COMMUNITY = ["ped2", "ped1", "avenue", "shanghaitech", "ubnormal"]


def community(root: Path, clips: tuple[str, ...] = ("01", "03"), frames: int = 4) -> Path:
    """Frames, labels, masks and boxes as people share them; the last two frames of test clips are abnormal."""
    for split in ("training", "testing"):
        for name in clips:
            write_frames(root / split / "frames" / name, frames, ".jpg")
        boxes = {}
        for name in clips:
            boxes[f"{name}_boxes"] = np.zeros((frames, 4), np.float32)
            boxes[f"{name}_frame_ptr"] = np.arange(frames + 1)
        np.savez(root / f"boxes_{split}.npz", **boxes)
    labels = np.arange(frames) >= frames - 2
    np.savez(root / "frame_labels.npz", **dict.fromkeys(clips, labels.astype(np.uint8)))
    masks = np.zeros((frames, HEIGHT, WIDTH), bool)
    masks[labels, :4, :4] = True
    np.savez(root / "masks.npz", **dict.fromkeys(clips, masks))
    return root


@pytest.mark.parametrize("name", COMMUNITY)
def test_the_community_layout(tmp_path: Path, name: str) -> None:
    dataset = DATASETS[name](community(tmp_path, ("normal_01_1", "normal_01_2")))
    clips = dataset.testing()
    assert [clip.name for clip in clips] == ["normal_01_1", "normal_01_2"]
    assert {clip.split for clip in clips} == {"testing"}
    assert [clip.footage.length for clip in dataset.training()] == [4, 4]
    assert clips[0].footage.rate == dataset.rate
    assert find_box_file(clips[0].footage.path) == tmp_path / "boxes_testing.npz"
    np.testing.assert_array_equal(dataset.labels(clips[0]), [0, 0, 1, 1])
    assert dataset.labels(clips[0]).dtype == np.uint8
    masks = dataset.masks(clips[1])
    assert masks is not None
    assert masks.shape == (4, HEIGHT, WIDTH)
    np.testing.assert_array_equal(masks.any(axis=(1, 2)), dataset.labels(clips[1]))


@pytest.mark.parametrize("name", list(DATASETS))
def test_every_dataset_says_what_it_looked_for(tmp_path: Path, name: str) -> None:
    kind = DATASETS[name]
    assert kind.id == name
    with pytest.raises(DatasetError, match=r"is not laid out as .*; looked for .*training"):
        kind(tmp_path)
    with pytest.raises(DatasetError, match=r"gone is not a folder"):
        kind(tmp_path / "gone")


def test_an_unknown_id_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no dataset 'ped3'; choose one of: avenue, folder, ped1, ped2, shanghaitech"):
        _ = DATASETS["ped3"]


def test_clips_carry_no_labels(tmp_path: Path) -> None:
    clip = DATASETS["ped2"](community(tmp_path)).testing()[0]
    assert set(vars(clip)) == {"name", "split", "footage", "camera"}


def test_training_clips_have_no_labels(tmp_path: Path) -> None:
    dataset = DATASETS["ped2"](community(tmp_path))
    with pytest.raises(DatasetError, match="clip 01 is for training; only test clips have labels"):
        dataset.labels(dataset.training()[0])


@pytest.mark.parametrize("folder", ["training_videos", "training/videos", "training"])
def test_videos_in_the_community_layout(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    write_video(tmp_path / folder / "01.avi", levels(3), codec="mpeg4")
    (tmp_path / folder / "._01.avi").write_bytes(b"x")
    clip = DATASETS["avenue"](tmp_path).training()[0]
    assert (clip.name, clip.camera) == ("01", "avenue")
    assert isinstance(clip.footage, VideoFile)


def test_the_rate_can_be_given(tmp_path: Path) -> None:
    community(tmp_path)
    assert DATASETS["ped2"](tmp_path).testing()[0].footage.rate == 10
    assert DATASETS["ped2"](tmp_path, fps=5).testing()[0].footage.rate == 5


def test_the_note_says_which_clips_are_there(tmp_path: Path) -> None:
    dataset = DATASETS["ped2"](community(tmp_path))
    assert dataset.note() == "2 of 16 training clips present: 01 03; 2 of 12 test clips present: 01 03"
    for number in range(1, 37):
        write_frames(tmp_path / "training" / "frames" / f"{number:02d}", 1, ".jpg")
        write_frames(tmp_path / "testing" / "frames" / f"{number:02d}", 1, ".jpg")
    assert DATASETS["ped1"](tmp_path).note() is None


def test_a_set_without_training_clips_can_be_evaluated_but_not_learned(tmp_path: Path) -> None:
    write_frames(tmp_path / "testing" / "frames" / "01")
    dataset = DATASETS["ped2"](tmp_path)
    assert len(dataset.testing()) == 1
    with pytest.raises(DatasetError, match="has no training clips of UCSD Ped2; looked for"):
        dataset.training()
    with pytest.raises(DatasetError, match=r"no labels for clip 01; put them in frame_labels\.npz"):
        dataset.labels(dataset.testing()[0])


def test_masks_may_be_one_file_a_clip(tmp_path: Path) -> None:
    dataset = DATASETS["avenue"](community(tmp_path))
    (tmp_path / "masks.npz").unlink()
    assert dataset.masks(dataset.testing()[0]) is None
    (tmp_path / "masks").mkdir()
    np.savez(tmp_path / "masks" / "01.npz", mask=np.ones((4, 5, 6), np.uint8))
    masks = dataset.masks(dataset.testing()[0])
    assert masks is not None
    assert masks.dtype == np.bool_
    assert masks.all()
    np.savez(tmp_path / "masks" / "01.npz", mask=np.ones((4, 5)))
    with pytest.raises(DatasetError, match=r"masks of .*01\.npz have the shape \(4, 5\)"):
        dataset.masks(dataset.testing()[0])


def test_labels_of_another_length_are_refused(tmp_path: Path) -> None:
    dataset = DATASETS["ped2"](community(tmp_path))
    np.savez(tmp_path / "frame_labels.npz", **{"01": np.zeros(3, np.uint8)})
    with pytest.raises(DatasetError, match=r"clip 01 has 3 labels, but .*frames/01 has 4 frames"):
        dataset.labels(dataset.testing()[0])
    with pytest.raises(DatasetError, match=r"frame_labels\.npz has no labels for clip 03; it has 01"):
        dataset.labels(dataset.testing()[1])
    np.savez(tmp_path / "masks.npz", **{"01": np.zeros((5, 2, 2), bool)})
    with pytest.raises(DatasetError, match=r"clip 01 has 5 masks, but"):
        dataset.masks(dataset.testing()[0])


def test_labels_that_are_no_labels_are_refused(tmp_path: Path) -> None:
    dataset = DATASETS["ped2"](community(tmp_path))
    np.savez(tmp_path / "frame_labels.npz", **{"01": np.full(4, 2), "03": np.array([None] * 4)})
    with pytest.raises(DatasetError, match=r"labels of clip 01 in .* are not a row of zeros and ones"):
        dataset.labels(dataset.testing()[0])
    with pytest.raises(DatasetError, match=r"frame_labels\.npz has no readable array '03'"):
        dataset.labels(dataset.testing()[1])


@pytest.mark.parametrize("name", ["frame_labels.npz", "masks.npz"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"text"])
def test_a_damaged_archive_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    dataset = DATASETS["ped2"](community(tmp_path))
    (tmp_path / name).write_bytes(content)
    read = dataset.labels if name.startswith("frame") else dataset.masks
    with pytest.raises(DatasetError, match=rf"{name} is damaged or not an .npz file"):
        read(dataset.testing()[0])


def test_damaged_boxes_are_named_where_they_are_read(tmp_path: Path) -> None:
    clip = DATASETS["ped2"](community(tmp_path)).testing()[0]
    (tmp_path / "boxes_testing.npz").write_bytes(b"PK")
    with pytest.raises(DatasetError, match=r"boxes_testing\.npz is damaged"):
        FileBoxes(BoxesConfig()).reset(clip.footage.path)


def test_arrays_are_read_without_pickle(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a\.npz is missing"):
        read_array(tmp_path / "a.npz", "x")
    np.save(tmp_path / "a.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(DatasetError, match=r"a\.npy is not a readable \.npy file"):
        read_array(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("keys", "name", "key"),
    [
        (["01", "02"], "02", "02"),
        (["1", "2"], "02", "2"),
        (["Test001", "Test002"], "02", "Test002"),
        (["01_0014", "01_0015"], "01_0015", "01_0015"),
        (["01_0014"], "1_14", None),
        (["01"], "02", None),
        (["plaza_01"], "platform_01", None),
    ],
)
def test_keys_mean_clips(keys: list[str], name: str, key: str | None) -> None:
    assert find_key(keys, name) == key


def test_region_tracks(tmp_path: Path) -> None:
    path = tmp_path / "01.txt"
    path.write_text("1,3,10,20,30,40\r\n0,5,1,2,3,4\r\n\r\n1,2,9,20,29,40\r\n")
    tracks = read_region_tracks(path, rate=10)
    assert [track.id for track in tracks] == [0, 1]
    np.testing.assert_array_equal(tracks[1].frame, [2, 3])
    np.testing.assert_allclose(tracks[1].seconds, [0.2, 0.3])
    np.testing.assert_array_equal(tracks[1].xyxy, [[9, 20, 29, 40], [10, 20, 30, 40]])
    path.write_text("1,2,3\n")
    with pytest.raises(DatasetError, match=r"01\.txt, line 1 has 3 numbers, not 6"):
        read_region_tracks(path, rate=10)
    path.write_text("a,b\n")
    with pytest.raises(DatasetError, match=r"01\.txt, line 1 is not a row of numbers"):
        read_region_tracks(path, rate=10)
    with pytest.raises(DatasetError, match=r"gone\.txt cannot be read as text"):
        read_region_tracks(tmp_path / "gone.txt", rate=10)
    path.write_text("0,3,1,2,3,4\n0,3,5,6,7,8\n")
    with pytest.raises(DatasetError, match="track 0 has two boxes in frame 3"):
        read_region_tracks(path, rate=10)


def open_shared(shared_data: Path, name: str) -> Dataset:
    if not (shared_data / name).is_dir():
        pytest.skip(f"{shared_data / name} is absent")
    return DATASETS[name](shared_data / name)


def test_shared_ped2(shared_data: Path) -> None:
    dataset = open_shared(shared_data, "ped2")
    training, testing = dataset.training(), dataset.testing()
    assert len(training) == 16
    assert sum(clip.footage.length or 0 for clip in training) == 2550
    assert [clip.name for clip in testing] == ["01", "03", "05", "07", "09", "11"]
    assert sum(len(dataset.labels(clip)) for clip in testing) == 960
    assert dataset.note() == "6 of 12 test clips present: 01 03 05 07 09 11"
    for clip in training + testing:
        assert find_box_file(clip.footage.path) == shared_data / "ped2" / f"boxes_{clip.split}.npz"
    for clip in testing:
        masks = dataset.masks(clip)
        assert masks is not None
        np.testing.assert_array_equal(dataset.labels(clip), masks.any(axis=(1, 2)))


def stub_frames(root: Path, source: Path, lengths: dict[str, int]) -> None:
    """Folders of empty pictures, as many as there are labels, beside links to the real annotations."""
    for entry in source.iterdir():
        (root / entry.name).symlink_to(entry)
    for name, length in lengths.items():
        folder = root / "testing" / "frames" / name
        folder.mkdir(parents=True)
        for number in range(length):
            (folder / f"{number}.jpg").touch()


def test_shared_avenue(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "avenue"
    if not source.is_dir():
        pytest.skip(f"{source} is absent")
    with np.load(source / "frame_labels.npz") as archive:
        total = {name: (archive[name].size, int(archive[name].sum())) for name in archive.files}
    assert len(total) == 15
    assert np.sum(list(total.values()), axis=0).tolist() == [13971, 2651]
    stub_frames(tmp_path, source, {"07": total["07"][0], "14": total["14"][0]})
    dataset = DATASETS["avenue"](tmp_path)
    assert dataset.note() == "0 of 16 training clips present: none; 2 of 21 test clips present: 07 14"
    for clip in dataset.testing():
        masks = dataset.masks(clip)
        assert masks is not None
        assert dataset.labels(clip).sum() == total[clip.name][1]
        np.testing.assert_array_equal(dataset.labels(clip), masks.any(axis=(1, 2)))


def test_shared_shanghaitech(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "shanghaitech"
    if not source.is_dir():
        pytest.skip(f"{source} is absent")
    with np.load(source / "frame_labels.npz") as archive:
        lengths = {name: archive[name].size for name in archive.files}
    assert (len(lengths), sum(lengths.values())) == (107, 40791)
    stub_frames(tmp_path, source, {name: lengths[name] for name in ("01_0014", "06_0153", "12_0142")})
    dataset = DATASETS["shanghaitech"](tmp_path)
    assert [clip.camera for clip in dataset.testing()] == ["01", "06", "12"]
    for clip in dataset.testing():
        labels, tracks = dataset.labels(clip), dataset.tracks(clip)
        assert tracks
        covered = np.zeros(len(labels), np.uint8)
        for track in tracks:
            covered[track.frame] = 1
        assert np.mean(covered == labels) > 0.9


def test_shared_ubnormal(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "ubnormal"
    if not source.is_dir():
        pytest.skip(f"{source} is absent")
    with np.load(source / "frame_gt_stgnf_1isnormal.npz") as archive:
        normal = {name: archive[name] for name in archive.files}
    assert (len(normal), sum(array.size for array in normal.values())) == (211, 92640)
    assert sum(int((array == 0).sum()) for array in normal.values()) == 92640 - 42990
    chosen = ["abnormal_scene_10_scenario_1", "normal_scene_3_scenario_7"]
    stub_frames(tmp_path, source, {name: normal[name].size for name in chosen})
    dataset = DATASETS["ubnormal"](tmp_path)
    clips = {clip.name: clip for clip in dataset.testing()}
    assert set(clips) == set(chosen)
    assert not dataset.labels(clips[chosen[1]]).any()
    np.testing.assert_array_equal(dataset.labels(clips[chosen[0]]), normal[chosen[0]] == 0)
    (tmp_path / "frame_gt_stgnf_1isnormal.npz").unlink()
    np.testing.assert_array_equal(dataset.labels(clips[chosen[0]]), normal[chosen[0]] == 0)


def test_footage_of_clips_is_read_as_frames(tmp_path: Path) -> None:
    clip = DATASETS["ped2"](community(tmp_path)).testing()[0]
    assert isinstance(clip.footage, FrameFolder)
    assert [frame.seconds for frame in clip.footage] == pytest.approx([0.0, 0.1, 0.2, 0.3])
