"""What stages gave is kept, and read back in place of asking them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amiss.config import Config
from amiss.perception.boxes import FileBoxes
from amiss.perception.cache import Cache
from amiss.perception.features import Features
from amiss.perception.log import Rows, StageLog
from amiss.perception.tracks import Tracker
from amiss.pipeline import Pipeline
from amiss.types import Windows
from amiss.windows.needs import Needs
from support import Rectangles, config_of, walkers

CLIP = walkers("clip", 4, length=12)
FEATURES = Needs("cube", ("feature", "dwell"))


def rows(*values: float) -> Rows:
    return {"value": np.array(values, np.float32)}


def refuse() -> Rows:
    raise AssertionError("the stage was asked")


def test_a_log_gives_back_each_frame(tmp_path: Path) -> None:
    cache, frames = Cache(tmp_path), [rows(1, 2), rows(), rows(3)]
    with cache.writing("key") as writer:
        log = StageLog(writer=writer)
        given = [log.next(lambda found=found: found) for found in frames]
    assert given == frames
    kept = StageLog(cache.find("key"))
    assert [kept.next(refuse)["value"].tolist() for _ in frames] == [[1, 2], [], [3]]


def test_without_a_cache_the_stage_is_asked() -> None:
    assert StageLog().next(lambda: rows(5))["value"].tolist() == [5]


def windows_of(config: Config, needs: Needs, clip: Rectangles = CLIP) -> Windows:
    part = Pipeline(config, needs).part(clip)
    return part[0 : len(part)]


def test_another_method_reads_what_stages_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(tmp_path, [CLIP])
    windows_of(config, Needs("cube", ("feature",)))
    fresh = windows_of(config_of(tmp_path, [CLIP], cache=tmp_path / "other"), FEATURES)
    for stage, asked in ((FileBoxes, "update"), (Tracker, "update"), (Features, "ask")):
        monkeypatch.setattr(stage, asked, lambda *_: refuse())
    kept = windows_of(config, FEATURES)
    assert np.array_equal(kept.box, fresh.box)
    assert np.array_equal(kept.track, fresh.track)
    assert all(np.array_equal(kept.data[name], fresh.data[name]) for name in fresh.data)


@pytest.mark.parametrize(
    ("group", "stages"),
    [
        ({"boxes": {"confidence": 0.4}}, {"boxes", "tracks", "features", "windows"}),
        ({"tracks": {"iou": 0.3}}, {"tracks", "features", "windows"}),
        ({"features": {"size": 32}}, {"features", "windows"}),
        ({"flow": {"scale": 0.5}}, set()),  # these windows have no flow
    ],
)
def test_a_setting_makes_anew_what_depends_on_it_and_no_more(
    tmp_path: Path, group: dict[str, dict[str, float]], stages: set[str]
) -> None:
    config = config_of(tmp_path, [CLIP])
    windows_of(config, FEATURES)
    before = set(tmp_path.rglob("entry.json"))
    perception = config.perception.model_dump()
    changed = {name: perception[name] | group.get(name, {}) for name in perception}
    windows_of(config_of(tmp_path, [CLIP], perception=changed), FEATURES)
    assert {path.parent.parent.name for path in set(tmp_path.rglob("entry.json")) - before} == stages


def test_a_run_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(tmp_path, [CLIP])
    monkeypatch.setattr(Features, "ask", lambda *_: refuse())
    with pytest.raises(AssertionError, match="asked"):
        windows_of(config, FEATURES)
    assert not list((tmp_path / "cache").rglob("*.json"))
