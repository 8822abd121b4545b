"""The world as a data set: its layout, and that a half-written one never looks whole."""

import inspect
import json
import zipfile
from typing import get_type_hints

import av
import numpy as np
import pytest

from amiss.cli.synthetic import world as world_command
from amiss.errors import ConfigError, DatasetError, StorageError
from amiss.footage.world import PLACES, World, write_world
from amiss.footage.world.archive import archive, whole
from amiss.footage.world.writer import plan_world

SETTINGS = {"seed": 3, "normal": 2, "abnormal": 2, "seconds": 3.0, "places": ("plaza", "crossing"), "rate": 8.0}
SIZE = (128, 72)


def write(out, **changes):
    write_world(out, **(SETTINGS | {"size": SIZE} | changes))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("world") / "set"
    write(out)
    return out


def contents(out):
    return {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


class TestLayout:
    def test_the_files_are_there_and_nothing_else(self, world):
        names = {str(name) for name in contents(world)}
        films = {f"{split}/{name}.mp4" for split in ("training", "testing") for name in ("plaza_01", "crossing_01")}
        tables = {f"{kind}_{split}.npz" for kind in ("boxes", "poses") for split in ("training", "testing")}
        assert names == films | tables | {"testing/plaza_02.mp4", "frame_labels.npz", "masks.npz", "world.json"}

    def test_the_note_tells_about_every_clip(self, world):
        note = json.loads((world / "world.json").read_text())
        assert note["settings"]["seed"] == 3
        clips = {(clip["split"], clip["name"]): clip for clip in note["clips"]}
        assert clips["training", "plaza_01"]["act"] is None
        assert clips["testing", "plaza_02"]["label"] == 0
        abnormal = clips["testing", "crossing_01"]
        assert (abnormal["act"], abnormal["label"], abnormal["frames"]) == ("jaywalking", 1, 24)
        assert all(clip["tubes"] == [] for clip in note["clips"] if not clip["label"])

    def test_truth_is_that_of_the_rendered_world(self, world):
        note = json.loads((world / "world.json").read_text())
        for fact in note["clips"]:
            name, split = fact["name"], fact["split"]
            scenes = list(
                World(
                    fact["place"], seed=3, act=fact["act"], seconds=3.0, rate=8.0, size=SIZE, clip=fact["number"]
                ).scenes()
            )
            boxes, poses = np.load(world / f"boxes_{split}.npz"), np.load(world / f"poses_{split}.npz")
            starts = boxes[f"{name}_frame_ptr"]
            assert len(starts) == len(scenes) + 1
            for number, scene in enumerate(scenes):
                rows = slice(starts[number], starts[number + 1])
                assert np.array_equal(boxes[f"{name}_boxes"][rows], scene.boxes.xyxy)
                assert np.array_equal(boxes[f"{name}_track"][rows], scene.boxes.track)
                assert np.array_equal(boxes[f"{name}_label"][rows], scene.boxes.label)
                assert np.array_equal(boxes[f"{name}_abnormal"][rows], scene.abnormal)
                rows = slice(*poses[f"{name}_frame_ptr"][number : number + 2])
                assert np.array_equal(poses[f"{name}_joints"][rows], scene.poses.joints)
                assert np.array_equal(poses[f"{name}_track"][rows], scene.poses.track)
            if split == "testing":
                masks = np.load(world / "masks.npz")[name]
                assert masks.dtype == np.bool_
                assert np.array_equal(masks, [scene.mask for scene in scenes])
                labels = np.load(world / "frame_labels.npz")[name]
                assert labels.dtype == np.uint8
                assert np.array_equal(labels, masks.any(axis=(1, 2)))
                spans = {frame for tube in fact["tubes"] for frame in tube["frame"]}
                assert spans == set(np.flatnonzero(labels))

    def test_films_show_the_world_at_its_time_stamps(self, world):
        scenes = list(World("plaza", seed=3, seconds=3.0, rate=8.0, size=SIZE).scenes())
        with av.open(str(world / "training" / "plaza_01.mp4")) as film:
            assert film.streams.video[0].codec_context.name == "h264"
            frames = list(film.decode(video=0))
        assert [frame.time for frame in frames] == pytest.approx([scene.frame.seconds for scene in scenes])
        for frame, scene in zip(frames[::8], scenes[::8], strict=True):
            shown = frame.to_ndarray(format="rgb24").astype(float)
            assert np.abs(shown - scene.frame.image).mean() < 8


class TestResuming:
    def test_a_killed_run_goes_on_and_ends_the_same(self, world, tmp_path):
        out = tmp_path / "set"

        def stop(done, total):
            if done > total // 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write(out, progress=stop)
        assert not (out / "world.json").exists()
        assert not list(out.rglob("*.part"))
        kept = {path: path.stat().st_mtime_ns for path in out.rglob("*.mp4")}
        assert 0 < len(kept) < 5
        steps = []
        write(out, progress=lambda done, total: steps.append((done, total)))
        assert steps[-1] == (5 * 24, 5 * 24)
        assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
        assert contents(out) == contents(world)

    def test_a_finished_world_is_left_alone(self, world):
        before = {path: path.stat().st_mtime_ns for path in world.rglob("*")}
        write(world)
        assert {path: path.stat().st_mtime_ns for path in world.rglob("*")} == before

    def test_other_settings_are_refused(self, world):
        with pytest.raises(DatasetError, match="other settings"):
            write(world, seed=4)

    def test_parts_of_other_settings_are_not_used(self, world, tmp_path):
        out = tmp_path / "set"

        def stop(done, total):
            if done > 30:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write(out, seed=9, progress=stop)
        write(out)
        assert contents(out) == contents(world)

    def test_a_folder_with_something_else_is_refused(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("mine")
        with pytest.raises(DatasetError, match="not empty"):
            write(tmp_path)

    def test_a_damaged_note_is_named(self, tmp_path):
        (tmp_path / "world.json").write_text("{")
        with pytest.raises(DatasetError, match=r"world\.json"):
            write(tmp_path)


class TestPlan:
    def test_places_and_acts_take_turns(self):
        clips = plan_world(4, 7, ("plaza", "platform", "crossing"))
        training = [clip.name for clip in clips if clip.split == "training"]
        assert training == ["plaza_01", "platform_01", "crossing_01", "plaza_02"]
        testing = [clip for clip in clips if clip.split == "testing"]
        assert [clip.act for clip in testing[:7]] == [
            *("running", "falling", "jaywalking"),
            *("cycling", "wrong_way", "wrong_way", "cart"),
        ]
        assert [clip.act for clip in testing[7:]] == [None] * 3
        assert len({clip.name for clip in testing}) == 10
        assert len({clip.number for clip in clips}) == len(clips)

    def test_what_is_rendered_by_default_does_not_grow_with_the_places(self):
        assert inspect.signature(write_world).parameters["places"].default == ("plaza", "platform", "crossing")
        assert inspect.signature(world_command).parameters["places"].default == "plaza,platform,crossing"

    def test_the_help_names_every_place(self):
        (option,) = get_type_hints(world_command, include_extras=True)["places"].__metadata__
        assert ", ".join(PLACES) in option.help

    def test_chosen_acts_take_turns_where_a_place_has_them(self):
        clips = plan_world(1, 6, ("plaza", "crossing"), ("falling", "running", "jaywalking"))
        acts = {place: [c.act for c in clips[1:] if c.place == place and c.act] for place in ("plaza", "crossing")}
        assert acts == {"plaza": ["running", "falling", "running"], "crossing": ["jaywalking", "running", "falling"]}
        assert all(clip.alone and not clip.allowed for clip in clips)

    def test_allowed_acts_are_in_every_other_training_clip_of_those_places(self):
        clips = plan_world(6, 4, ("plaza", "crossing"), ("running",), ("plaza",))
        told = [(clip.place, clip.act) for clip in clips if clip.split == "training"]
        assert [act for place, act in told if place == "plaza"] == ["running", None, "running"]
        assert [act for place, act in told if place == "crossing"] == [None] * 3
        assert {clip.place for clip in clips if clip.allowed} == {"plaza"}

    @pytest.mark.parametrize(("acts", "allowed"), [(("dancing",), ()), ((), ("plaza",)), (("running",), ("harbour",))])
    def test_bad_acts(self, acts, allowed):
        with pytest.raises(ConfigError):
            plan_world(1, 1, ("plaza",), acts, allowed)

    @pytest.mark.parametrize(
        ("normal", "abnormal", "places"),
        [(1, 1, ()), (1, 1, ("plaza", "plaza")), (-1, 1, ("plaza",)), (0, 0, ("plaza",))],
    )
    def test_bad_plans(self, normal, abnormal, places):
        with pytest.raises(ConfigError):
            plan_world(normal, abnormal, places)

    def test_unknown_place_is_named_before_anything_is_written(self, tmp_path):
        with pytest.raises(ConfigError, match="choose one of: plaza"):
            write(tmp_path / "set", places=("harbour",))
        assert not (tmp_path / "set").exists()


def test_an_allowed_act_happens_and_is_normal(tmp_path):
    few = {"normal": 1, "abnormal": 1, "seconds": 4.0, "places": ("plaza",), "acts": ("running",)}
    write(tmp_path / "usual", **few)
    write(tmp_path / "allowed", **few, allowed=("plaza",))
    films = [(tmp_path / name / "testing" / "plaza_01.mp4").read_bytes() for name in ("usual", "allowed")]
    assert films[0] == films[1]
    labels = [np.load(tmp_path / name / "frame_labels.npz")["plaza_01"].any() for name in ("usual", "allowed")]
    assert labels == [True, False]
    told = [json.loads((tmp_path / name / "world.json").read_text())["clips"] for name in ("usual", "allowed")]
    assert [clips[1]["label"] for clips in told] == [1, 0]
    assert [clips[0]["act"] for clips in told] == [None, "running"]


class TestArchive:
    def test_same_content_same_bytes_and_numpy_reads_it(self, tmp_path):
        for name in ("a.npz", "b.npz"):
            with archive(tmp_path / name) as target:
                target.add("x", np.arange(5))
                with target.pieces("y", (2, 3), np.bool_) as put:
                    put(np.array([True, False, True]))
                    put(np.zeros(3, np.bool_))
        assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
        with np.load(tmp_path / "a.npz") as found:
            assert found["x"].tolist() == list(range(5))
            assert found["y"].tolist() == [[True, False, True], [False] * 3]

    def test_copy_renames(self, tmp_path):
        with archive(tmp_path / "a.npz") as target:
            target.add("x", np.arange(5))
        with archive(tmp_path / "b.npz") as target, zipfile.ZipFile(tmp_path / "a.npz") as source:
            target.copy(source, "x", "z")
        with np.load(tmp_path / "b.npz") as found:
            assert found["z"].tolist() == list(range(5))

    def test_nothing_is_left_when_writing_fails(self, tmp_path):
        def fail():
            with whole(tmp_path / "x") as draft:
                draft.write_text("half")
                raise OSError(28, "No space left on device")

        with pytest.raises(StorageError, match="No space left"):
            fail()
        assert list(tmp_path.iterdir()) == []
