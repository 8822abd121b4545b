"""The file of settings of live cameras."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from amiss.errors import ConfigError
from amiss.live.settings import CameraSettings, HoursSettings, WatchSettings, read_watch

SECRET = "geheim77"  # noqa: S105  # a made-up one
CAMERA = {"source": f"rtsp://me:{SECRET}@gate/live"}


def write(folder: Path, values: Any, mode: int = 0o600) -> Path:
    file = folder / "watch.yaml"
    file.write_text(values if isinstance(values, str) else yaml.safe_dump(values), encoding="utf-8")
    file.chmod(mode)
    return file


def refusal(folder: Path, values: Any, **environment: str) -> str:
    with pytest.raises(ConfigError) as found:
        read_watch(write(folder, values), environment)
    assert SECRET not in str(found.value)
    assert "\n" not in str(found.value)
    return str(found.value)


def test_variables_are_filled_in_everywhere(tmp_path: Path) -> None:
    values = {
        "cameras": {"gate": {"source": "rtsp://${USER}:${WORD}@gate/${PATH_1}"}},
        "alerts": [{"name": "me", "kind": "webhook", "address": "https://host", "secret": "${WORD}"}],
    }
    found = read_watch(write(tmp_path, values, 0o644), {"USER": "me", "WORD": SECRET, "PATH_1": "live"})
    assert found.cameras["gate"].source.get_secret_value() == f"rtsp://me:{SECRET}@gate/live"
    secret = found.alerts[0].secret
    assert secret is not None
    assert secret.get_secret_value() == SECRET
    assert SECRET not in repr(found)
    assert "the variable WORD, which is not set" in refusal(tmp_path, values, USER="me")


@pytest.mark.parametrize(
    "values",
    [
        {"cameras": {"gate": CAMERA}},
        {"cameras": {"gate": {"source": f"rtsp://me:1/{SECRET}@gate/live"}}},
        {"cameras": {"gate": {"source": f"http://gate/picture?user=me&pwd={SECRET}"}}},
        {"cameras": {"gate": {"source": "a.mp4"}}, "store": f"postgresql+psycopg://me:{SECRET}@host/amiss"},
        {
            "cameras": {"gate": {"source": "a.mp4"}},
            "alerts": [{"name": "a", "kind": "webhook", "address": "https://host", "secret": SECRET}],
        },
        {
            "cameras": {"gate": {"source": "a.mp4"}},
            "alerts": [{"name": "a", "kind": "apprise", "address": f"tgram://{SECRET}/12"}],
        },
    ],
)
def test_a_file_with_a_password_is_its_owners_alone(tmp_path: Path, values: Any) -> None:
    for mode in (0o644, 0o640, 0o604):
        with pytest.raises(ConfigError, match=r"holds a password and others may read it; run chmod 600") as found:
            read_watch(write(tmp_path, values, mode), {})
        assert SECRET not in str(found.value)
    read_watch(write(tmp_path, values, 0o600), {})
    text = yaml.safe_dump(values).replace(SECRET, "${WORD}")
    if "1/" not in text:
        read_watch(write(tmp_path, text, 0o644), {"WORD": SECRET})


def test_a_file_without_one_may_be_read_by_all(tmp_path: Path) -> None:
    alert = {"name": "a", "kind": "webhook", "address": "https://host/hook", "secret": None}
    values = {"cameras": {"gate": {"source": "rtsp://gate/live?channel=1"}}, "alerts": [alert]}
    assert read_watch(write(tmp_path, values, 0o644), {}).alerts[0].secret is None


BAD: list[Any] = [
    {"cameras": {"gate": CAMERA | {"rate": "quick"}}},
    {"cameras": {"gate": CAMERA | {"colour": "red"}}},
    {"cameras": {"gate": [f"rtsp://me:{SECRET}@gate"]}},
    {"cameras": [CAMERA]},
    {"cameras": f"rtsp://me:{SECRET}@gate"},
    {"cameras": {"gate": {"source": [f"rtsp://me:{SECRET}@gate"]}}},
    {"cameras": {f"rtsp://me:{SECRET}@gate": CAMERA}},
    {"cameras": {"gate": CAMERA}, "alerts": [{"name": "a", "kind": "webhook", "address": {"x": SECRET}}]},
    {"cameras": {"gate": CAMERA}, "store": [SECRET]},
    {"cameras": {"gate": CAMERA}, "metrics": {"port": f"http://x:{SECRET}@host"}},
    f"cameras:\n  gate:\n    source: rtsp://me:{SECRET}@gate: [",
    f"cameras: *{SECRET}",
    f"store: !{SECRET} x",
    f"store: '{SECRET}",
]


@pytest.mark.parametrize("values", BAD, ids=range(len(BAD)))
def test_no_message_repeats_a_password(tmp_path: Path, values: Any) -> None:
    assert refusal(tmp_path, values)


def test_nor_a_number_that_is_one(tmp_path: Path) -> None:
    alert = {"name": "a", "kind": "webhook", "address": "https://host", "secret": 90125}
    text = refusal(tmp_path, {"cameras": {"gate": {"source": "a.mp4"}}, "alerts": [alert]})
    assert "alerts.0.secret does not take this" in text
    assert "90125" not in text


@given(password=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=5, max_size=20))
def test_whatever_it_is_made_of(tmp_path_factory: pytest.TempPathFactory, password: str) -> None:
    marked = f"xyzzy{password}plugh"
    values = {"cameras": {"gate": {"source": f"rtsp://me:{marked}@gate/live", "rate": -1}}}
    with pytest.raises(ConfigError) as found:
        read_watch(write(tmp_path_factory.mktemp("any"), values), {})
    assert "xyzzy" not in str(found.value)
    assert "plugh" not in str(found.value)
    assert "cameras.gate.rate" in str(found.value)


def test_an_unknown_key_names_those_there_are(tmp_path: Path) -> None:
    assert "there is no setting 'cameras.gate.colour'; the keys there are: budget, connect" in refusal(
        tmp_path, {"cameras": {"gate": {"source": "a.mp4", "colour": "red"}}}
    )
    assert "address, cameras, discovery" in refusal(
        tmp_path, {"cameras": {"gate": {"source": "a.mp4"}}, "alerts": [{"nam": "x"}]}
    ) or "alerts.0.name is missing" in refusal(tmp_path, {"cameras": {"gate": {"source": "a.mp4"}}, "alerts": [{}]})


def test_paths_are_taken_from_the_files_own_folder(tmp_path: Path) -> None:
    cameras = {
        "gate": {"source": "clips/a.mp4", "model": "gate.amiss"},
        "yard": {"source": "/clips/b.mp4", "model": "/models/yard.amiss"},
        "door": {"source": "rtsp://door/live"},
    }
    found = read_watch(write(tmp_path, {"cameras": cameras, "data": "kept"}), {})
    assert found.data == tmp_path / "kept"
    assert found.cameras["gate"].model == tmp_path / "gate.amiss"
    assert found.cameras["gate"].source.get_secret_value() == str(tmp_path / "clips/a.mp4")
    assert found.cameras["yard"].model == Path("/models/yard.amiss")
    assert found.cameras["yard"].source.get_secret_value() == "/clips/b.mp4"
    assert found.cameras["door"].source.get_secret_value() == "rtsp://door/live"
    assert found.cameras["door"].model is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cameras": {}}, "at least 1"),
        ({"cameras": {"my gate": {"source": "a.mp4"}}}, "letters, digits"),
        ({"cameras": {"gate": {"source": "a.mp4", "schedule": {"zone": "Europe/Nowhere"}}}}, "no time zone"),
        ({"cameras": {"gate": {"source": "a.mp4", "zones": {"x": {"polygon": [[0, 0], [1, 1]]}}}}}, "at least 3"),
        ({"cameras": {"gate": {"source": "a.mp4", "queue": 1}}}, "cameras.gate.queue"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, values: Any, said: str) -> None:
    assert said in refusal(tmp_path, values)


def test_alerts_are_told_apart_and_name_cameras_that_there_are(tmp_path: Path) -> None:
    cameras = {"gate": {"source": "a.mp4"}}
    alert = {"name": "a", "kind": "webhook", "address": "https://host"}
    assert "same name" in refusal(tmp_path, {"cameras": cameras, "alerts": [alert, alert]})
    text = refusal(tmp_path, {"cameras": cameras, "alerts": [alert | {"cameras": ["gaet"]}]})
    assert "for a camera 'gaet', and there are gate" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22:00", time(22)),
        ("'22:00'", time(22)),
        ("06:30", time(6, 30)),
        ("1:05", time(1, 5)),
        ("22:00:30", time(22, 0, 30)),
        ("00:00", time(0)),
        ("24:00", time(0)),
        ("'24:00'", time(0)),
    ],
)
def test_times_are_read_as_they_are_written_in_yaml(text: str, expected: time) -> None:
    assert HoursSettings.build(yaml.safe_load(f"start: {text}")).start == expected


@pytest.mark.parametrize("text", ["22", "25:00", "late", "-1:00", "true", "100000"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="start does not take"):
        HoursSettings.build(yaml.safe_load(f"start: {text}"))


def test_a_shard_is_named_by_the_file_or_by_who_starts_it(tmp_path: Path) -> None:
    values = {"cameras": {"gate": {"source": "a.mp4"}}, "shard": {"name": "${HOST}", "lease": 12}}
    file = write(tmp_path, values)
    assert read_watch(file, {"HOST": "cellar"}).shard.name == "cellar"
    found = read_watch(file, {"HOST": "cellar"}, "attic").shard
    assert (found.name, found.lease) == ("attic", 12)
    assert read_watch(write(tmp_path, {"cameras": values["cameras"]}), {}).shard.name is None
    slow = {"lease": 8, "renew": 4}
    assert "renew can be a third of lease at most, here 2.7" in refusal(tmp_path, values | {"shard": slow})
    assert "shard.name" in refusal(tmp_path, values | {"shard": {"name": "my machine"}})


def test_defaults_stand() -> None:
    settings = WatchSettings.build({"cameras": {"gate": {"source": "a.mp4"}}})
    assert settings.metrics.host == "127.0.0.1"
    assert settings.metrics.port is None
    with pytest.raises(ConfigError, match="source is missing"):
        CameraSettings.build({})


def test_a_key_that_is_misspelt_is_named_before_the_one_that_is_missing(tmp_path: Path) -> None:
    assert "there is no setting 'camera'" in refusal(tmp_path, {"camera": {"gate": {"source": "a.mp4"}}})
