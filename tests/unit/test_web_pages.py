"""What pages and calls tell, and what they do with bad input."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bench_results import result, row, table
from starlette.testclient import TestClient

from amiss.live.nouns import Change, EventRow, IncidentKind, Verdict
from amiss.live.store import Life, Role, Store
from amiss.web import make_app
from amiss.web.exports import safe_cell
from support_review import Folder, client, csrf_in, peaks, post, site_of, squares

FILM = squares(4.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    made = Folder(tmp_path_factory.mktemp("data"))
    made.camera("gate", FILM.pictures[0])
    made.camera("yard", FILM.pictures[0], Life.FROZEN)
    rows = [
        made.event("whole", ago=600, film=FILM, severity=5.0, kind=1),
        made.event("alike", ago=900, severity=4.5, kind=1),
        made.event("another", ago=1200, severity=4.2, kind=2),
        made.event("pose", ago=3000, severity=3.5, kind=3, part="pose"),
        made.event("quiet", ago=4000, severity=3.1, kind=4, alarm=False, quiet="schedule"),
    ]
    made.event("there", camera="yard", ago=700, severity=3.4, kind=1)
    made.curve("gate", *peaks(made.now, rows))
    made.blocks("gate", [made.now - 3600 * hour for hour in (1, 2, 30, 80)])
    made.incident("gate", IncidentKind.GAP, 800, 30)
    made.incident("yard", IncidentKind.MOVED, 800, None)
    made.person("admin", Role.ADMIN, None)
    made.person("operator", Role.OPERATOR, ["gate"])
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def admin(folder: Folder) -> TestClient:
    return client(make_app(site_of(folder)), "admin")


def ids(answer: Any) -> list[str]:
    return [event["id"] for event in answer.json()["events"]]


def test_the_queue_is_ranked_and_filtered(admin: TestClient, folder: Folder) -> None:
    def asked(more: str) -> list[str]:
        return ids(admin.get(f"/api/v1/events?{more}"))

    assert asked("camera=gate") == ["whole", "alike", "another", "pose", "quiet"]
    assert asked("order=newest")[:3] == ["whole", "there", "alike"]
    assert asked("part=pose") == ["pose"]
    assert asked("severity=4.3") == ["whole", "alike"]
    assert asked("told=quiet") == ["quiet"]
    assert asked("told=alarm&camera=yard&camera=gate&severity=4") == ["whole", "alike", "another"]
    assert asked("hours=0.2&camera=gate") == ["whole"]
    assert asked(f"since={folder.now - 1000}&until={folder.now - 800}") == ["alike"]
    assert asked("state=normal") == []
    assert asked("state=open&camera=yard") == ["there"]
    for wrong in (
        "severity=high",
        "told=maybe",
        "state=x",
        "order=x",
        "since=yesterday",
        "after=zz",
        "hours=nan",
        "limit=0",
    ):
        assert admin.get(f"/api/v1/events?{wrong}").status_code == 422, wrong


def test_a_time_on_the_clock_of_who_asks(admin: TestClient, folder: Folder) -> None:
    local = datetime.fromtimestamp(folder.now - 1000, ZoneInfo("Asia/Tokyo")).strftime("%Y-%m-%dT%H:%M:%S")
    found = ids(admin.get("/api/v1/events", params={"since": local, "zone": "Asia/Tokyo", "camera": "gate"}))
    assert found == ["whole", "alike"]
    assert admin.get("/api/v1/events", params={"since": local, "zone": "Nowhere/There"}).status_code == 422


def test_pages_of_the_queue_meet_without_a_gap(admin: TestClient) -> None:
    for order in ("severity", "newest"):
        every = ids(admin.get(f"/api/v1/events?order={order}"))
        found: list[str] = []
        after = ""
        while after is not None:
            answer = admin.get(f"/api/v1/events?order={order}&limit=2&after={after}")
            found += ids(answer)
            after = answer.json()["next"]
        assert found == every
        assert len(set(found)) == 6


def test_normal_covers_alike_ones_and_undo_restores_them(admin: TestClient, folder: Folder) -> None:
    assert admin.get("/api/v1/events/whole/alike").json() == ["alike"]
    said = post(admin, "/api/v1/events/whole/verdict", {"verdict": "normal"}).json()
    assert said == {"event": "whole", "verdict": "normal", "covered": ["alike"], "restored": []}
    assert ids(admin.get("/api/v1/events?camera=gate&state=open")) == ["another", "pose", "quiet"]
    assert ids(admin.get("/api/v1/events?camera=gate"))[-2:] == ["whole", "alike"], "what is reviewed comes last"
    assert ids(admin.get("/api/v1/events?state=covered")) == ["alike"]
    again = post(admin, "/api/v1/events/whole/verdict", {"verdict": "none"}).json()
    assert again["restored"] == ["alike"]
    row = folder.store.event("alike")
    assert row
    assert row.suppressed is None
    assert ids(admin.get("/api/v1/events?state=open&camera=gate"))[:2] == ["whole", "alike"]
    assert [one for one in folder.store.feedback("gate", folder.now + 100) if one.event == "whole"] == []


def test_what_is_nearer_to_a_right_one_is_not_covered(admin: TestClient) -> None:
    post(admin, "/api/v1/events/alike/verdict", {"verdict": "right"})
    said = post(admin, "/api/v1/events/whole/verdict", {"verdict": "normal"}).json()
    assert said["covered"] == []
    post(admin, "/api/v1/events/whole/verdict", {"verdict": "none"})
    post(admin, "/api/v1/events/alike/verdict", {"verdict": "none"})


def test_a_change_of_mind_uncovers_what_was_covered(admin: TestClient) -> None:
    post(admin, "/api/v1/events/whole/verdict", {"verdict": "normal"})
    said = post(admin, "/api/v1/events/whole/verdict", {"verdict": "right"}).json()
    assert said["restored"] == ["alike"]
    post(admin, "/api/v1/events/whole/verdict", {"verdict": "none"})


def test_an_event_tells_why_and_what_was_around_it(admin: TestClient) -> None:
    page = admin.get("/events/whole").text
    texts = ["faster than 99.9 %", "entrance", "1 in 100,000 frames", "no pictures arrive", "the view has moved"]
    texts += ['href="/events/alike"', 'href="/events/there"', "99 in 100 normal frames", 'data-zone="Europe/Berlin"']
    for text in texts:
        assert text in page, text
    assert "suspicious" not in page.lower()
    assert 'id="before"' not in page, "it is the first of the queue"
    assert 'id="before"' in admin.get("/events/alike?camera=gate").text
    around = client(admin.app, "operator").get("/events/whole").text
    assert "the view has moved" not in around, "that is another camera's"


def test_parts_of_a_video_can_be_had(admin: TestClient, folder: Folder) -> None:
    whole = admin.get("/api/v1/events/whole/clip")
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["accept-ranges"] == "bytes"
    size = len(whole.content)
    some = admin.get("/api/v1/events/whole/clip", headers={"Range": "bytes=100-199"})
    assert some.status_code == 206
    assert some.headers["content-range"] == f"bytes 100-199/{size}"
    assert some.content == whole.content[100:200]
    tail = admin.get("/api/v1/events/whole/clip", headers={"Range": "bytes=-50"})
    assert tail.content == whole.content[-50:]
    assert admin.get("/api/v1/events/whole/clip", headers={"Range": f"bytes={size + 5}-"}).status_code == 416


def test_a_crop_shows_what_stood_out(admin: TestClient) -> None:
    answer = admin.get("/api/v1/events/whole/crop")
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    height, width = picture.shape[:2]
    middle = picture[height // 2 - 20 : height // 2 + 20, width // 2 - 20 : width // 2 + 20]
    assert middle.mean() > 230, "the white square is in the middle"
    assert picture[:8].mean() < 120
    assert admin.get("/api/v1/events/pose/crop").status_code == 404


def test_a_clip_that_is_gone_or_cut_short(tmp_path: Path) -> None:
    made = Folder(tmp_path)
    made.camera("gate", FILM.pictures[0])
    for name in ("gone", "half", "none"):
        made.event(name, film=None if name == "none" else FILM)
    (tmp_path / "media" / "gate" / "gone-clip.mp4").unlink()
    half = tmp_path / "media" / "gate" / "half-clip.mp4"
    half.write_bytes(half.read_bytes()[:700])
    made.person("admin", Role.ADMIN, None)
    browser = client(make_app(site_of(made)), "admin")
    assert browser.get("/api/v1/events/gone/clip").status_code == 404
    assert "is not there, not whole" in browser.get("/events/gone").text
    assert "<video" not in browser.get("/events/gone").text
    assert browser.get("/api/v1/events/gone/crop").status_code == 200, "from the snapshot"
    assert browser.get("/events/half").status_code == 200
    assert browser.get("/api/v1/events/half/crop").status_code == 200, "from the snapshot"
    assert "No picture of it is left" in browser.get("/events/none").text
    made.store.close()


def test_an_event_of_odd_values_is_shown(folder: Folder, admin: TestClient) -> None:
    row = EventRow("bare", "gate", 1e9, 1e9, 1e9, open=True, alarm=True, severity=float("inf"), level=3.0, model="")
    folder.store.put_event(row, Change.NEW)
    page = admin.get("/events/bare")
    assert page.status_code == 200
    assert admin.get("/api/v1/events/bare").json()["tube"] == {}
    assert admin.get("/api/v1/events/bare/alike").json() == []
    assert post(admin, "/api/v1/events/bare/verdict", {"verdict": "normal"}).json()["covered"] == []
    post(admin, "/api/v1/events/bare/verdict", {"verdict": "none"})


def test_a_curve_keeps_its_peaks_and_is_exact_when_near(admin: TestClient, folder: Folder) -> None:
    row = folder.store.event("whole")
    assert row
    far = admin.get(f"/api/v1/cameras/gate/curve?start={folder.now - 7200}&end={folder.now}&points=1000").json()
    assert far["frames"] == pytest.approx(72_000, abs=1)
    assert not far["exact"]
    assert len(far["at"]) <= 1010
    assert far["at"] == sorted(far["at"])
    assert max(far["calibrated"]) == max(peaks(folder.now, [row])[1]).round(4), "no peak is lost"
    near = admin.get(f"/api/v1/cameras/gate/curve?start={row.start}&end={row.end}").json()
    assert near["exact"]
    assert len(near["at"]) == near["frames"] == pytest.approx((row.end - row.start) * 10, abs=2)
    assert near["level"] == 3.0
    assert admin.get("/api/v1/cameras/gate/curve?start=5&end=1").status_code == 422
    assert admin.get("/api/v1/cameras/yard/curve?start=1&end=5").json()["at"] == []


def test_a_damaged_curve_is_passed_over(tmp_path: Path) -> None:
    made = Folder(tmp_path)
    made.camera("gate", FILM.pictures[0])
    made.curve("gate", *peaks(made.now, []))
    files = sorted((tmp_path / "cameras" / "gate" / "curves").iterdir())
    files[0].write_bytes(b"not a table")
    files[1].unlink()
    made.person("admin", Role.ADMIN, None)
    told = client(make_app(site_of(made)), "admin").get(f"/api/v1/cameras/gate/curve?start=0&end={2_000_000}").json()
    assert told["frames"] == 0
    between = f"start={made.now - 7300}&end={made.now}"
    told = client(make_app(site_of(made)), "admin").get(f"/api/v1/cameras/gate/curve?{between}").json()
    assert told["frames"] == 60_000
    made.store.close()


def test_exports(admin: TestClient, folder: Folder) -> None:
    row = folder.store.event("whole")
    assert row
    events = admin.get("/api/v1/export?form=json&camera=gate&severity=4").json()
    assert [event["id"] for event in events if event["id"] != "bare"] == ["whole", "alike", "another"]
    whole = next(event for event in events if event["id"] == "whole")
    assert whole["tube"]["xyxy"] == row.tube["xyxy"]
    lines = admin.get("/api/v1/export?form=csv&part=pose").text.splitlines()
    assert lines[0].startswith("id,camera,start,peak,end")
    assert lines[1].startswith("pose,gate,20")
    coco = admin.get("/api/v1/export?form=coco&camera=gate&severity=4.9&told=alarm&hours=1").json()
    assert next(one["bbox"] for one in coco["annotations"]) == [row.tube["xyxy"][0][0], 75.0, 30.0, 30.0]
    assert {one["image_id"] for one in coco["annotations"]} == {one["id"] for one in coco["images"]}
    assert coco["categories"] == [{"id": 1, "name": "velocity", "supercategory": "event"}]
    assert (coco["images"][0]["width"], coco["images"][0]["file_name"]) == (320, "gate/whole-clip.mp4")
    mot = admin.get("/api/v1/export?form=mot&camera=gate&severity=4.9&hours=1").text.splitlines()
    assert mot[0] == f"1,7,{row.tube['xyxy'][0][0]:.2f},75.00,30.00,30.00,3.4000,-1,-1,-1"
    assert [line.split(",")[0] for line in mot] == [str(1 + index) for index in range(len(mot))]
    assert admin.get("/api/v1/export?form=mot").status_code == 422
    coco = admin.get("/api/v1/export?form=coco&camera=gate&hours=2").json()
    assert [one["id"] for one in coco["images"]] == list(range(1, len(coco["images"]) + 1))
    assert [one["id"] for one in coco["annotations"]] == list(range(1, len(coco["annotations"]) + 1))
    event_of = {one["id"]: one["event_id"] for one in coco["images"]}
    kinds = {event_of[one["image_id"]]: one["category_id"] for one in coco["annotations"]}
    assert (kinds["whole"], kinds["pose"]) == (1, 2)
    mot = admin.get("/api/v1/export?form=mot&camera=gate&hours=2").text.splitlines()
    assert len(mot) == len(coco["annotations"]), "one track: a box an image"
    frames = [int(line.split(",")[0]) for line in mot]
    assert frames == sorted(frames)
    nothing = admin.get("/api/v1/export?form=coco&camera=nowhere").json()
    assert (nothing["images"], nothing["annotations"], nothing["categories"]) == ([], [], [])
    assert admin.get("/api/v1/export?form=mot&camera=nowhere").text == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r=1"])
def test_no_cell_of_a_table_is_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert safe_cell("1 = 1") == "1 = 1"


def test_a_camera_tells_what_it_learned_and_its_alarms(admin: TestClient) -> None:
    page = admin.get("/cameras/gate").text
    for text in (
        "of 2 that 2/day allows",
        "nothing of",
        "Europe/Berlin",
        "scored 24.0 hours in the shadow",
        "no pictures arrive",
    ):
        assert text in page, text
    assert page.count('class="h4"') >= 1
    learned = admin.get("/api/v1/cameras/gate/learned").json()
    assert learned["blocks"] == 4
    assert sum(map(sum, learned["hours"])) == pytest.approx(4 / 6, abs=0.01)
    state = admin.get("/api/v1/cameras/yard").json()
    assert state["wrong"] == ["moved"]
    assert state["life"] == "frozen"


def test_a_camera_is_snoozed_and_put_by_operators(admin: TestClient, folder: Folder) -> None:
    operator = client(admin.app, "operator")
    assert post(operator, "/api/v1/cameras/gate/snooze", {"hours": 8}).json()["until"] > folder.now
    assert "Raise alarms again" in operator.get("/cameras/gate").text
    assert post(operator, "/api/v1/cameras/gate/wake").json() == {"ended": 1}
    assert post(operator, "/api/v1/cameras/gate/life", {"life": "shadow"}).json()["by"] == "operator"
    life = folder.store.life("gate")
    assert life
    assert life.life is Life.SHADOW
    assert post(operator, "/api/v1/cameras/gate/life", {"life": "asleep"}).status_code == 422
    assert post(operator, "/api/v1/cameras/yard/life", {"life": "live"}).status_code == 404


def test_a_camera_tells_which_shard_watches_it(admin: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Watched by shard" not in admin.get("/cameras/gate").text
    monkeypatch.setattr(Store, "holders", lambda _: {"gate": "cellar"})
    assert "Watched by shard cellar." in admin.get("/cameras/gate").text
    assert [admin.get(f"/api/v1/cameras/{name}").json()["holder"] for name in ("gate", "yard")] == ["cellar", None]


def test_a_busy_store_answers_that_it_is(folder: Folder, admin: TestClient) -> None:
    token = csrf_in(admin.get("/account").text)
    other = sqlite3.connect(folder.root / "amiss.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert admin.get("/").status_code == 200, "reading goes on"
        answer = admin.post("/api/v1/events/pose/verdict", json={"verdict": "right"}, headers={"X-CSRF-Token": token})
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "another process" in answer.json()["detail"]
    row = folder.store.event("pose")
    assert row
    assert row.verdict is Verdict.NONE


def test_thousands_of_cameras_in_the_filter(tmp_path: Path) -> None:
    made = Folder(tmp_path)
    names = [f"camera-{number:05d}" for number in range(10_000)]
    for name in names[:3]:
        made.event(f"of-{name}", camera=name)
    for name in [*names, "elsewhere"]:
        (tmp_path / "cameras" / name).mkdir(parents=True)
    made.person("many", Role.VIEWER, names)
    browser = client(make_app(site_of(made)), "many")
    asked = "&".join(f"camera={name}" for name in names[:2500])
    assert len(ids(browser.get(f"/api/v1/events?{asked}"))) == 3
    begun = time.monotonic()
    assert browser.get("/").status_code == 200
    assert browser.get("/api/v1/cameras?like=era-0999&limit=20").json()["count"] == 10
    assert browser.get("/api/v1/cameras?like=e").json()["count"] == 10_000, "none of elsewhere"
    assert time.monotonic() - begun < 5, "one look at each name, not one for each pair of names"
    made.store.close()


def test_a_list_of_many_cameras_is_asked_for_by_name(tmp_path: Path) -> None:
    made = Folder(tmp_path)
    for number in range(130):
        (tmp_path / "cameras" / f"cam-{number:03d}").mkdir(parents=True)
    made.person("admin", Role.ADMIN, None)
    browser = client(make_app(site_of(made)), "admin")
    assert "<option>cam-000" not in browser.get("/").text
    told = browser.get("/api/v1/cameras?like=CAM-12&limit=5").json()
    assert [one["name"] for one in told["cameras"]] == [f"cam-{number}" for number in range(120, 125)]
    assert told["count"] == 10
    assert "cam-060" in browser.get("/cameras?start=60").text
    made.store.close()


@pytest.mark.parametrize("path", ["/events/nowhere", "/cameras/nowhere", "/benches/nowhere", "/no/such/page"])
def test_what_is_not_there_has_a_page(admin: TestClient, path: str) -> None:
    answer = admin.get(path)
    assert answer.status_code == 404
    assert "<h1>" in answer.text
    assert "Traceback" not in answer.text


def test_the_api_is_described(admin: TestClient) -> None:
    schema = admin.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.")
    page = admin.get("/api").text
    for path in schema["paths"]:
        assert path.startswith("/api/v1/")
        assert path in page
    described = [told["description"] for methods in schema["paths"].values() for told in methods.values()]
    assert all(described)


def keep_scores(folder: Path, peak: float) -> None:
    """What `amiss bench --out` keeps of the curves of a seed, of one clip."""
    folder.mkdir(parents=True)
    columns = {key: [0.0, peak, 0.0] for key in ("raw", "smoothed", "calibrated")}
    frames = {"clip": ["01"] * 3, "frame": [0, 1, 2], "seconds": [0.0, 0.1, 0.2]}
    pq.write_table(pa.table(frames | columns), folder / "frames.parquet")


def curves_in(browser: TestClient, path: str) -> dict[str, list[list[Any]]]:
    """The lines that a page draws, by clip: name and heights."""
    found = re.search(r'id="curves">(.*?)</script>', browser.get(path).text)
    assert found
    return {clip: [[line["name"], line["y"]] for line in lines] for clip, lines in json.loads(found[1]).items()}


def test_results_of_benchmarks(tmp_path: Path) -> None:
    made = Folder(tmp_path)
    (tmp_path / "benches").mkdir()
    for name, auc in (("one", 0.8), ("two", 0.9)):
        found = json.loads(json.dumps(result("attributes", auc_micro=[auc, auc + 0.01])))
        found["curves"] = {clip: [0.1, 0.5, auc] for clip in found["clips"]}
        (tmp_path / "benches" / f"{name}.json").write_text(json.dumps(found))
    (tmp_path / "benches" / "three.json").write_text(json.dumps(result("attributes", auc_micro=[0.7])))
    rows = table(row("flow, all", result()), row("poses", result()))
    (tmp_path / "benches" / "rows.json").write_text(json.dumps(rows))
    (tmp_path / "benches" / "broken.json").write_text('{"rows": 3')
    (tmp_path / "benches" / "foreign.json").write_text('{"rows": 3}')
    made.person("admin", Role.ADMIN, None)
    browser = client(make_app(site_of(made)), "admin")
    page = browser.get("/benches").text
    assert page.count("is no result of") == 2
    assert 'href="/benches/one"' in page
    assert "80.5" in browser.get("/benches/one").text
    both = browser.get("/compare?name=one&name=two").text
    assert "80.5" in both
    assert "90.5" in both
    assert "Both on the same" in both
    assert browser.get("/compare?name=one").status_code == 422
    assert "data-clip" not in browser.get("/benches/three").text, "none are kept"
    keep_scores(tmp_path / "benches" / "three" / "seed-0", 0.25)
    assert curves_in(browser, "/benches/three") == {"01": [["three: attributes", [0, 1, 0]]]}
    assert len(curves_in(browser, "/compare?name=one&name=three")["01"]) == 2
    (tmp_path / "benches" / "three" / "seed-0" / "frames.parquet").write_bytes(b"not a table")
    assert "data-clip" not in browser.get("/benches/three").text
    for name in ("flow, all", "poses"):
        keep_scores(tmp_path / "benches" / "rows" / name.replace(", ", "-") / "seed-0", 0.5)
    assert [line[0] for line in curves_in(browser, "/benches/rows")["01"]] == ["rows: flow, all", "rows: poses"]
    assert browser.get("/benches/broken").status_code == 400
    made.store.close()
