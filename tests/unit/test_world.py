"""The synthetic world: the same seed gives the same pixels, and the truth is true."""

import hashlib
from itertools import pairwise

import cv2
import numpy as np
import pytest

from amiss.errors import ConfigError
from amiss.footage.world import PLACES, Scene, World
from amiss.footage.world.truth import incident_tubes
from amiss.types import Label

SIZE = (192, 108)
RATE = 8.0
ACTS = [(place.name, act) for place in PLACES.values() for act in place.abnormal]


def make(place: str = "plaza", **settings) -> World:
    return World(place, **({"seconds": 2.0, "rate": RATE, "size": SIZE} | settings))


def digest(world: World) -> str:
    total = hashlib.sha256()
    for scene in world.scenes():
        for array in (scene.frame.image, scene.ids, scene.boxes.xyxy, scene.poses.joints, scene.incident):
            total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


@pytest.fixture(scope="module", params=list(PLACES))
def busy(request) -> list[Scene]:
    """Some seconds of each place, with its last abnormal act."""
    act = PLACES[request.param].abnormal[-1]
    return list(make(request.param, act=act, seconds=6.0, seed=5).scenes())


class TestSameSeedSamePixels:
    @pytest.mark.parametrize("place", list(PLACES))
    def test_two_worlds_are_equal(self, place):
        act = PLACES[place].abnormal[0]
        assert digest(make(place, act=act, seed=2)) == digest(make(place, act=act, seed=2))

    def test_a_second_iteration_starts_anew(self):
        world = make("platform", act="falling")
        assert digest(world) == digest(world)

    def test_seed_clip_and_act_change_what_is_seen(self):
        digests = {digest(make(**settings)) for settings in ({}, {"seed": 1}, {"clip": 1}, {"act": "running"})}
        assert len(digests) == 4

    def test_clips_of_a_seed_show_the_same_place(self):
        medians = []
        for clip in (0, 1):
            frames = [frame.image for frame in make("plaza", clip=clip, seconds=4.0)]
            medians.append(np.median(frames, axis=0))
            medians[-1] /= medians[-1].mean()
        # The light may differ a little, the paving may not.
        difference = np.abs(medians[0] - medians[1]).mean()
        other = np.median([frame.image for frame in make("plaza", seed=1, seconds=4.0)], axis=0)
        assert difference < np.abs(medians[0] - other / other.mean()).mean() / 1.5

    def test_fingerprint_follows_the_content_not_the_name(self):
        assert make(name="a").fingerprint() == make(name="b").fingerprint()
        assert make().fingerprint() != make(seed=1).fingerprint()
        assert make().fingerprint() != make(rate=9.0).fingerprint()


class TestFootage:
    def test_frames_have_index_time_and_size(self):
        world = make(seconds=1.5, rate=10.0)
        frames = list(world)
        assert len(frames) == world.length == 15
        assert [frame.index for frame in frames] == list(range(15))
        assert np.allclose([frame.seconds for frame in frames], np.arange(15) / 10)
        assert all(frame.size == SIZE for frame in frames)

    def test_other_shapes_of_picture_render(self):
        frames = list(make("crossing", size=(128, 128), seconds=0.5))
        assert frames[0].image.shape == (128, 128, 3)

    def test_name_is_made_of_place_act_and_clip(self):
        assert make("crossing", act="cart", clip=3).name == "crossing_cart_03"
        assert make(name="gate").name == "gate"
        assert make(name="gate").path.name == "gate"

    def test_light_drifts_slowly_and_noise_is_there(self):
        frames = [frame.image.astype(float) for frame in make("platform", seconds=8.0)]
        levels = np.array([frame[:20].mean() for frame in frames])
        assert levels.max() / levels.min() < 1.08
        assert np.abs(np.diff(levels)).max() < 1.5
        still = np.stack(frames)[:, :15, :20].std(axis=0).mean()
        assert 0.5 < still < 6


class TestTruth:
    def test_boxes_hold_the_pixels_of_their_objects_tightly(self, busy):
        for scene in busy[::5]:
            for box, track in zip(scene.boxes.xyxy.astype(int), scene.boxes.track, strict=True):
                rows, columns = np.nonzero(scene.ids == track)
                assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == tuple(box)

    def test_every_well_visible_object_has_a_box(self, busy):
        least = max(4.0, 40 / (640 * 360) * SIZE[0] * SIZE[1])
        for scene in busy[::5]:
            tracks, counts = np.unique(scene.ids[scene.ids > 0], return_counts=True)
            assert set(scene.boxes.track) == set(tracks[counts >= least])

    def test_mask_is_the_abnormal_pixels(self, busy):
        seen = 0
        for scene in busy:
            wanted = np.isin(scene.ids, scene.boxes.track[scene.abnormal])
            assert np.array_equal(scene.mask, wanted)
            assert scene.mask.any() == scene.abnormal.any()
            seen += int(scene.mask.any())
        assert 0 < seen < len(busy)

    def test_visible_joints_lie_in_their_box(self, busy):
        checked = 0
        for scene in busy[::4]:
            boxes = dict(zip(scene.boxes.track.tolist(), scene.boxes.xyxy, strict=True))
            for joints, track in zip(scene.poses.joints, scene.poses.track.tolist(), strict=True):
                shown = joints[joints[:, 2] == 1]
                box = boxes[track]
                assert (shown[:, :2] >= box[:2] - 2).all()
                assert (shown[:, :2] <= box[2:] + 2).all()
                checked += len(shown)
        assert checked > 100

    def test_joints_outside_the_picture_have_no_confidence(self, busy):
        for scene in busy:
            x, y, confidence = np.moveaxis(scene.poses.joints, -1, 0)
            outside = (x < 0) | (y < 0) | (x >= SIZE[0]) | (y >= SIZE[1])
            assert (confidence[outside] == 0).all()
            assert (confidence[~outside] > 0).all()

    def test_people_stand_upright_in_their_boxes(self, busy):
        scene = busy[0]
        people = scene.poses[np.isin(scene.poses.track, scene.boxes.track[scene.boxes.label == Label.PERSON])]
        noses, ankles = people.joints[:, 0, 1], people.joints[:, 15:17, 1].mean(axis=1)
        assert len(people) > 2
        assert (noses < ankles).mean() > 0.9

    def test_tracks_move_without_jumps(self, busy):
        feet = {}
        for scene in busy:
            for joints, track in zip(scene.poses.joints, scene.poses.track.tolist(), strict=True):
                feet.setdefault(track, []).append((scene.frame.index, joints[11:13, :2].mean(axis=0)))
        steps = [
            np.linalg.norm(there - here) / SIZE[0]
            for path in feet.values()
            for (before, here), (after, there) in pairwise(path)
            if after == before + 1
        ]
        assert len(steps) > 100
        assert max(steps) < 0.15

    def test_a_track_keeps_its_label(self, busy):
        labels = {}
        for scene in busy:
            for track, label in zip(scene.boxes.track.tolist(), scene.boxes.label.tolist(), strict=True):
                labels.setdefault(track, set()).add(label)
        assert all(len(found) == 1 for found in labels.values())


class TestActs:
    @pytest.mark.parametrize(("place", "act"), ACTS)
    def test_each_act_has_abnormal_and_normal_frames(self, place, act):
        world = make(place, act=act, seconds=12.0, rate=2.5, seed=1, clip=3)
        flags, own = [], []
        for scene in world.scenes():
            flags.append(bool(scene.abnormal.any()))
            own.append(bool((scene.incident == 0).any()))
        assert np.mean(own) >= 0.08
        assert 0.08 <= np.mean(flags) <= 0.85
        assert not any(flags[:4])

    @pytest.mark.parametrize("place", list(PLACES))
    def test_everyday_life_is_normal_and_populated(self, place):
        counts = []
        for scene in make(place, seconds=6.0, rate=2.0).scenes():
            assert not scene.abnormal.any()
            assert not scene.mask.any()
            counts.append(len(scene.boxes))
        assert np.median(counts) >= 4

    @pytest.mark.parametrize(
        ("place", "act", "label"),
        [
            ("plaza", "car", Label.VEHICLE),
            ("plaza", "cycling", Label.CYCLE),
            ("platform", "cart", Label.VEHICLE),
            ("crossing", "wrong_way", Label.CYCLE),
            ("plaza", "left_bag", Label.BAG),
            ("crossing", "jaywalking", Label.PERSON),
            ("office", "cart", Label.VEHICLE),
            ("office", "cycling", Label.CYCLE),
            ("office", "left_bag", Label.BAG),
        ],
    )
    def test_abnormal_object_has_the_label_of_its_act(self, place, act, label):
        found = set()
        for scene in make(place, act=act, seconds=10.0, rate=2.0).scenes():
            found |= set(scene.boxes.label[scene.incident == 0].tolist())
        assert found == {label}

    def test_a_car_is_normal_on_the_road_and_abnormal_on_the_plaza(self):
        labels = set()
        for scene in make("crossing", seconds=20.0, rate=2.0).scenes():
            labels |= set(scene.boxes.label.tolist())
        assert Label.VEHICLE in labels
        assert "car" in PLACES["plaza"].abnormal
        assert "car" not in PLACES["crossing"].abnormal

    def test_a_runner_is_faster_than_walkers(self):
        speeds = {True: [], False: []}
        last = {}
        for scene in make("plaza", act="running", seconds=10.0, seed=4).scenes():
            for row, track in enumerate(scene.boxes.track.tolist()):
                x1, y1, x2, y2 = scene.boxes.xyxy[row]
                here = scene.frame.index, (x1 + x2) / 2, y2 - y1
                if track in last and last[track][0] == here[0] - 1 and here[2] > 15 and x1 > 1 and x2 < SIZE[0] - 1:
                    speeds[bool(scene.incident[row] == 0)].append(abs(here[1] - last[track][1]) / here[2])
                last[track] = here
        assert np.median(speeds[True]) > 2 * np.quantile(speeds[False], 0.8)

    def test_a_fallen_person_lies(self):
        shapes = []
        for scene in make("plaza", act="falling", seconds=10.0, seed=4).scenes():
            shapes += [
                (box[2] - box[0]) / (box[3] - box[1])
                for box, number in zip(scene.boxes.xyxy, scene.incident, strict=True)
                if number == 0
            ]
        assert max(shapes) > 1.1 > 0.8 > min(shapes)

    def test_a_fight_has_two_people(self):
        scenes = list(make("plaza", act="fighting", seconds=10.0, seed=4).scenes())
        tubes = incident_tubes(scenes)
        assert len(set(tubes[0].track.tolist())) == 2
        marked = [scene.frame.index for scene in scenes if (scene.incident == 0).any()]
        assert sorted(set(tubes[0].frame.tolist())) == marked


def empty(place: str, seed: int = 0) -> np.ndarray:
    """`(9, 16, 3)`: a place with nobody in it, coarsely."""
    frames = [frame.image for frame in make(place, seed=seed, seconds=12.0, rate=2.0)]
    return cv2.resize(np.median(frames, axis=0).astype(np.float32), (16, 9), interpolation=cv2.INTER_AREA)


def heights(place: str) -> float:
    """The median height of people, pixels."""
    found = []
    for seed in range(3):
        for scene in make(place, seed=seed, seconds=8.0, rate=1.0).scenes():
            boxes = scene.boxes.xyxy[scene.boxes.label == Label.PERSON]
            found += (boxes[:, 3] - boxes[:, 1]).tolist()
    return float(np.median(found))


class TestOffice:
    OTHERS = ("plaza", "platform", "crossing")

    def test_it_looks_unlike_the_other_places(self):
        office, again = empty("office"), empty("office", seed=1)
        own = np.abs(office - again).mean()
        for other in self.OTHERS:
            assert np.abs(office - empty(other)).mean() > max(25.0, 2 * own)

    def test_the_floor_alone_is_blue_or_green_and_the_picture_ends_in_a_ceiling(self):
        for seed in range(3):
            red, green, blue = empty("office", seed)[-2:].mean(axis=(0, 1))
            assert max(green, blue) > 1.1 * red
            assert empty("office", seed)[0].min() > 150
        for other in self.OTHERS:
            red, green, blue = empty(other)[-2:].mean(axis=(0, 1))
            assert max(green, blue) < 1.1 * red

    def test_people_are_as_tall_as_elsewhere(self):
        office, others = heights("office"), [heights(other) for other in self.OTHERS]
        assert 0.8 * min(others) < office < 1.2 * max(others)

    def test_all_the_picture_is_painted(self):
        for size in (SIZE, (128, 128), (256, 64)):
            assert next(iter(make("office", size=size))).image.max(axis=-1).min() > 8

    def test_nobody_comes_or_goes_in_plain_sight(self):
        """All come at the picture's edge, and leave there or behind the wall beside the doorway."""
        camera = PLACES["office"].camera(SIZE)
        left, right = camera.project(np.array([[0.6, 24.0, 0.0], [3.2, 24.0, 0.0]]))[:, 0]
        by_edge = by_door = 0
        for seed in range(3):
            scenes = list(make("office", seed=seed, seconds=15.0, act="running").scenes())
            spans = {}
            for scene in scenes:
                for track, box in zip(scene.boxes.track.tolist(), scene.boxes.xyxy, strict=True):
                    spans.setdefault(track, []).append((scene.frame.index, box))
            for seen in spans.values():
                for (frame, (x1, _, x2, y2)), goes in ((seen[0], False), (seen[-1], True)):
                    # Somebody may stand behind a pillar at the clip's beginning or end.
                    if not 2 * RATE <= frame < len(scenes) - 2 * RATE:
                        continue
                    edge = x1 < 3 or x2 > SIZE[0] - 3 or y2 > SIZE[1] - 3
                    assert edge or (goes and left <= x1 < x2 <= right)
                    by_edge, by_door = by_edge + edge, by_door + (not edge)
        assert by_edge > 20
        assert by_door > 2


class TestBadArguments:
    def test_unknown_place_names_the_places(self):
        with pytest.raises(ConfigError, match=r"'moon'.*plaza, platform, crossing"):
            make("moon")

    def test_act_that_is_normal_here_names_the_acts(self):
        with pytest.raises(ConfigError, match=r"'cycling' at the crossing.*jaywalking"):
            make("crossing", act="cycling")

    @pytest.mark.parametrize(
        "settings",
        [
            {"seconds": 0.0},
            {"seconds": float("nan")},
            {"seconds": float("inf")},
            {"rate": 0.0},
            {"size": (31, 40)},
            {"size": (161, 90)},
            {"seed": -1},
            {"clip": -1},
        ],
    )
    def test_numbers_out_of_range(self, settings):
        with pytest.raises(ConfigError):
            make(**settings)
