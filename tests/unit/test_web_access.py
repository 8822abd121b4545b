"""Who may have what: every route, every role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from amiss.live.nouns import IncidentKind
from amiss.live.store import Life, Role
from amiss.web import gates, make_app
from amiss.web.gates import GATES
from support_review import ODD, PASSWORD, Folder, client, csrf_in, post, site_of, squares

ROLES = ("", "viewer", "operator", "elsewhere", "admin")
JSON_BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/events/{event}/verdict": {"verdict": "right"},
    "/api/v1/cameras/{camera}/life": {"life": "live"},
    "/api/v1/cameras/{camera}/snooze": {"hours": 1},
    "/api/v1/cameras/{camera}/wake": {},
    "/api/v1/sessions": {"name": "nobody", "password": "nothing at all"},
    "/api/v1/sessions/end": {},
}
VALUES = {"event": "e1", "camera": "gate", "name": "0000.jpg", "made": "0", "number": "99"}
"""What stands in the paths; the viewer and the operator see `gate`, `elsewhere` operates another camera."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    made = Folder(tmp_path_factory.mktemp("data"))
    film = squares(3.0)
    made.camera("gate", film.pictures[0])
    made.camera("yard", film.pictures[0], Life.SHADOW)
    made.event("e1", film=film, severity=5.0)
    made.event("e2", camera="yard", reasons=("only at the yard",))
    made.person("admin", Role.ADMIN, None)
    made.person("viewer", Role.VIEWER, ["gate"])
    made.person("operator", Role.OPERATOR, ["gate"])
    made.person("elsewhere", Role.OPERATOR, ["yard"])
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def app(folder: Folder) -> FastAPI:
    return make_app(site_of(folder))


@pytest.fixture(scope="module")
def browsers(app: FastAPI) -> dict[str, TestClient]:
    return {role: client(app, role) for role in ROLES}


def routes_of(app: FastAPI) -> list[APIRoute]:
    assert all(isinstance(route, APIRoute) for route in app.routes), "something is served past the gates"
    return [route for route in app.routes if isinstance(route, APIRoute)]


def gates_of(route: APIRoute) -> set[Any]:
    return {dependant.call for dependant in route.dependant.dependencies} & GATES


def test_every_route_has_a_gate_and_checks_changes(app: FastAPI) -> None:
    routes = routes_of(app)
    assert len(routes) > 40
    for route in routes:
        assert gates_of(route), f"{route.path} has no gate"
        assert gates.csrf_checked in {one.call for one in route.dependant.dependencies}, route.path


def test_only_a_few_routes_are_for_everybody(app: FastAPI) -> None:
    everybody = {route.path for route in routes_of(app) if gates_of(route) == {gates.anyone}}
    assert everybody == {"/sign-in", "/first", "/static/{made}/{name}", "/favicon.ico", "/api/v1/sessions"}


def wanted(route: APIRoute, role: str) -> tuple[int, ...]:
    """The answers that somebody may get."""
    found = gates_of(route)
    if found == {gates.anyone}:
        return (200, 303, 307, 400, 401, 404)
    if not role:
        return (401,) if route.path.startswith("/api/v1/") else (303,)
    if gates.admin in found:
        return (200, 303, 400) if role == "admin" else (403,)
    if gates.sees_everything in found:
        return (200, 404, 422) if role == "admin" else (403,)
    of_gate = found & {gates.sees_camera, gates.operates_camera, gates.sees_event, gates.judges_event}
    if of_gate and role == "elsewhere":
        return (404,)
    if found & {gates.operates_camera, gates.judges_event} and role == "viewer":
        return (403,)
    return (200, 303, 422) if "backtest" not in route.path and "curve" not in route.path else (200, 404, 422)


@pytest.mark.parametrize("role", ROLES)
def test_every_route_answers_a_role_as_it_may(app: FastAPI, browsers: dict[str, TestClient], role: str) -> None:
    browser = browsers[role] if role != "operator" else client(app, role)  # it signs out on the way
    for route in routes_of(app):
        path = re.sub(r"{(\w+)}", lambda found: VALUES[found[1]], route.path)
        if "POST" in (route.methods or ()):
            if "sign" in path or path.endswith(("/end", "/first", "/account", "/sessions")):
                continue  # their own tests
            token = csrf_in(browser.get("/account" if role else "/sign-in").text)
            body = JSON_BODIES.get(route.path)
            given: dict[str, Any] = {"json": body} if body is not None else {"data": {"role": "viewer", "name": "x"}}
            answer = browser.post(path, headers={"X-CSRF-Token": token}, **given)
        else:
            answer = browser.get(path)
        assert answer.status_code in wanted(route, role), (
            role,
            route.methods,
            path,
            answer.status_code,
            answer.text[:300],
        )
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_nothing_changes_without_the_token(app: FastAPI, browsers: dict[str, TestClient], role: str) -> None:
    for route in routes_of(app):
        if "POST" not in (route.methods or ()) or route.path == "/api/v1/sessions":
            continue
        path = re.sub(r"{(\w+)}", lambda found: VALUES[found[1]], route.path)
        body = JSON_BODIES.get(route.path)
        for headers in ({}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": "ä"}):
            encoded = {name: value.encode() for name, value in headers.items()}
            given: dict[str, Any] = (
                {"json": body} if body is not None else {"data": {"csrf": "wrong", "role": "viewer"}}
            )
            answer = browsers[role].post(path, headers=encoded, **given)
            assert answer.status_code == 403, (path, answer.status_code)


def test_a_viewer_of_one_camera_sees_nothing_of_another(browsers: dict[str, TestClient]) -> None:
    viewer = browsers["viewer"]
    for path in ("/", "/cameras", "/events/e1", "/benches", "/api/v1/events", "/api/v1/cameras", "/api/v1/export",
                 "/api/v1/export?form=csv", "/api/v1/export?form=coco"):  # fmt: skip
        page = viewer.get(path)
        assert page.status_code == 200, path
        assert "yard" not in page.text, path
        assert "e2" not in re.findall(r'[>"/](e2)[<"?/]', page.text), path
    for path in ("/?camera=yard", "/api/v1/events?camera=yard", "/api/v1/export?camera=yard&form=csv"):
        page = viewer.get(path)
        assert page.status_code == 200
        assert "only at the yard" not in page.text
    assert viewer.get("/api/v1/export?camera=yard&form=mot").text == ""
    assert viewer.get("/api/v1/events/count?camera=yard").json() == {"events": 0, "waiting": 0}
    assert viewer.get("/api/v1/events/e2").status_code == 404
    assert viewer.get("/api/v1/cameras/yard/now").status_code == 404


def test_what_may_not_be_seen_is_answered_like_what_is_not_there(browsers: dict[str, TestClient]) -> None:
    viewer = browsers["viewer"]
    for there, nowhere in [
        ("events/e2", "events/e3"),
        ("cameras/yard", "cameras/roof"),
        ("events/e2/clip", "events/e3/clip"),
    ]:
        assert viewer.get(f"/api/v1/{there}").json() == viewer.get(f"/api/v1/{nowhere}").json()


def test_a_page_asks_to_sign_in_and_comes_back(app: FastAPI) -> None:
    browser = client(app)
    answer = browser.get("/events/e1?t=5")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fevents%2Fe1%3Ft%3D5"
    page = browser.get(answer.headers["location"])
    given = {"csrf": csrf_in(page.text), "name": "viewer", "password": PASSWORD, "next": "/events/e1?t=5"}
    assert browser.post("/sign-in", data=given).headers["location"] == "/events/e1?t=5"


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "/\n/x"]
)
def test_signing_in_leads_nowhere_else(app: FastAPI, target: str) -> None:
    browser = client(app)
    given = {"name": "viewer", "password": PASSWORD, "next": target, "csrf": csrf_in(browser.get("/sign-in").text)}
    assert browser.post("/sign-in", data=given).headers["location"] == "/"


def test_what_answers_tell_the_browser(browsers: dict[str, TestClient]) -> None:
    for path in ("/", "/api/v1/events", "/api/v1/events/e1/clip", "/events/nowhere", "/static/0/common.js"):
        headers = browsers["viewer"].get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy, "no inline scripts"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert browsers["viewer"].get("/").headers["cache-control"] == "no-store"


def test_no_page_has_a_script_in_it(browsers: dict[str, TestClient]) -> None:
    for path in ("/", "/events/e1", "/cameras", "/cameras/gate", "/benches", "/accounts", "/log", "/api", "/account"):
        page = browsers["admin"].get(path).text
        for attributes in re.findall(r"<script([^>]*)>", page):
            assert "src=" in attributes or 'type="application/json"' in attributes, (path, attributes)
        assert not re.search(r"\son\w+=", page), path
        assert not re.search(r"(src|href)=\"(https?:)?//", page), f"{path} loads from elsewhere"


def test_a_bearer_may_do_what_the_person_may(app: FastAPI) -> None:
    program = client(app)
    token = program.post("/api/v1/sessions", json={"name": "operator", "password": PASSWORD}).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert program.get("/api/v1/me", headers=bearer).json()["role"] == "operator"
    said = program.post("/api/v1/events/e1/verdict", json={"verdict": "none"}, headers=bearer)
    assert said.json()["verdict"] == "none"
    assert program.get("/api/v1/events/e2", headers=bearer).status_code == 404
    assert program.post("/api/v1/sessions/end", headers=bearer).status_code == 200
    assert program.get("/api/v1/me", headers=bearer).status_code == 401


@pytest.mark.parametrize("name", ["..%2F..%2Famiss.sqlite", "....//x", "%2e%2e/x", "settings.json", "0000.jpg%00.png"])
def test_no_file_is_had_but_by_a_name_that_is_known(browsers: dict[str, TestClient], name: str) -> None:
    for path in (f"/api/v1/cameras/gate/examples/{name}", f"/api/v1/events/e1/examples/{name}", f"/static/0/{name}",
                 f"/benches/{name}", f"/api/v1/cameras/{name}/now", f"/api/v1/benches/{name}"):  # fmt: skip
        answer = browsers["admin"].get(path)
        assert answer.status_code == 404, path
        assert b"SQLite" not in answer.content


def test_a_name_in_the_store_that_leaves_the_folder_gives_nothing(folder: Folder, app: FastAPI) -> None:
    from sqlalchemy import update

    from amiss.live.store.tables import EventTable

    folder.event("bad")
    for name in ("../amiss.sqlite", str(folder.root / "amiss.sqlite"), "gate/link.jpg"):
        wrong = update(EventTable).where(EventTable.id == "bad").values(snapshot=name)
        folder.store._database.write(lambda session, wrong=wrong: session.execute(wrong))
        (folder.root / "media" / "gate" / "link.jpg").unlink(missing_ok=True)
        (folder.root / "media" / "gate" / "link.jpg").symlink_to(folder.root / "amiss.sqlite")
        answer = client(app, "admin").get("/api/v1/events/bad/snapshot")
        assert answer.status_code in (404, 500)
        assert b"SQLite" not in answer.content


def test_an_odd_name_of_a_camera_is_escaped_everywhere(folder: Folder, app: FastAPI) -> None:
    folder.event("odd", camera=ODD, reasons=("<script>alert(1)</script>",), zones=("=HYPERLINK(1)",))
    folder.incident(ODD, IncidentKind.GAP, 500.0, 20.0)
    admin = client(app, "admin")
    for path in ("/", "/events/odd", "/cameras", "/benches"):
        page = admin.get(path)
        assert page.status_code == 200, page.text
        assert "<b>" not in page.text
        assert "<script>alert" not in page.text
    link = re.search(r'href="(/cameras/quo[^"]+)"', admin.get("/cameras").text)
    assert link
    assert "quo" in admin.get(link[1]).text
    assert ODD in [one["name"] for one in admin.get("/api/v1/cameras").json()["cameras"]]
    rows = admin.get("/api/v1/export?form=csv").text
    assert "'=HYPERLINK(1)" in rows
    assert not re.search(r"(^|,)\"?[=+@-]", rows.replace("-1", ""), re.MULTILINE), "no cell is a formula"


def test_a_person_who_is_removed_or_changed_is_so_at_once(folder: Folder, app: FastAPI) -> None:
    folder.person("passing", Role.OPERATOR, ["gate"])
    browser = client(app, "passing")
    number = next(account.id for account in folder.store.accounts() if account.name == "passing")
    admin = client(app, "admin")
    form = {"csrf": csrf_in(admin.get("/accounts").text), "role": "viewer", "cameras": "yard"}
    assert admin.post(f"/accounts/{number}/change", data=form).status_code == 303
    assert browser.get("/events/e1").status_code == 404
    assert post(browser, "/api/v1/events/e2/verdict", {"verdict": "right"}).status_code == 403
    assert admin.post(f"/accounts/{number}/remove", data=form).status_code == 303
    assert browser.get("/").status_code == 303


def test_the_last_admin_stays(folder: Folder, app: FastAPI) -> None:
    number = next(account.id for account in folder.store.accounts() if account.name == "admin")
    admin = client(app, "admin")
    form = {"csrf": csrf_in(admin.get("/accounts").text), "role": "viewer", "cameras": ""}
    for path in (f"/accounts/{number}/change", f"/accounts/{number}/remove"):
        answer = admin.post(path, data=form)
        assert answer.status_code == 400
        assert "only admin" in answer.text


def test_the_log_tells_who_judged_what_and_who_signed_in(app: FastAPI) -> None:
    operator = client(app, "operator")
    post(operator, "/api/v1/events/e1/verdict", {"verdict": "right"})
    page = client(app, "admin").get("/log").text
    assert "feedback right" in page
    assert "signed in from" in page
    told = client(app, "admin").get("/api/v1/log?about=e1").json()
    assert next(entry["who"] for entry in told if entry["what"] == "feedback right") == "operator"


def test_a_first_account_is_made_once(tmp_path: Path) -> None:
    empty = Folder(tmp_path)
    site = site_of(empty)
    token = site.invite()
    assert token
    browser = client(make_app(site))
    assert browser.get("/").status_code == 303
    assert browser.get("/first?token=wrong").status_code == 404
    page = browser.get(f"/first?token={token}")
    given = {"csrf": csrf_in(page.text), "token": token, "name": "Ann", "password": "short"}
    assert "10 to 200" in browser.post("/first", data=given).text
    answer = browser.post("/first", data=given | {"password": PASSWORD})
    assert answer.status_code == 303
    assert browser.get("/accounts").status_code == 200
    assert browser.get(f"/first?token={token}").status_code == 404
    assert site.invite() is None
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    kept = (tmp_path / "amiss.sqlite").read_bytes() + (tmp_path / "amiss.sqlite-wal").read_bytes()
    session = re.search(r"amiss_session=([^;]+)", cookie)
    assert session
    assert session[1].encode() not in kept, "a token is kept as a hash"
    assert PASSWORD.encode() not in kept
    empty.store.close()


def test_behind_https_cookies_are_for_https_only(app: FastAPI) -> None:
    browser = TestClient(app, base_url="https://review.example", follow_redirects=False)
    token = csrf_in(browser.get("/sign-in").text)
    answer = browser.post("/sign-in", data={"csrf": token, "name": "viewer", "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"]


def test_a_session_ends(folder: Folder) -> None:
    from amiss.web.doorman import SESSION, Doorman

    moved = Doorman(folder.store, lambda: folder.store._clock() - SESSION - 1)
    token = moved.sign_in("viewer", PASSWORD, "here")
    assert isinstance(token, str)
    assert folder.store.session_account(token) is None


def test_too_many_attempts_are_refused_by_account_and_by_address(tmp_path: Path) -> None:
    made = Folder(tmp_path)
    made.person("ann", Role.ADMIN, None)
    app = make_app(site_of(made))
    browser = client(app)
    token = csrf_in(browser.get("/sign-in").text)
    form = {"csrf": token, "password": "wrong"}
    assert [browser.post("/sign-in", data=form | {"name": "Ann"}).status_code for _ in range(5)] == [401] * 5
    refused = browser.post("/sign-in", data=form | {"name": "ANN ", "password": PASSWORD})
    assert refused.status_code == 429, "the same account by another spelling"
    assert 0 < int(refused.headers["retry-after"]) <= 15 * 60 + 1
    for number in range(15):
        assert browser.post("/sign-in", data=form | {"name": f"n{number}"}).status_code == 401
    assert browser.post("/sign-in", data=form | {"name": "other"}).status_code == 429
    elsewhere = client(app, address="192.0.2.7")
    form["csrf"] = csrf_in(elsewhere.get("/sign-in").text)
    assert elsewhere.post("/sign-in", data=form | {"name": "other"}).status_code == 401
    assert elsewhere.post("/api/v1/sessions", json={"name": "ann", "password": PASSWORD}).status_code == 429
    made.store.close()


def test_one_changes_ones_own_password(folder: Folder, app: FastAPI) -> None:
    folder.person("changing", Role.VIEWER, ["gate"])
    browser, other = client(app, "changing"), client(app, "changing")
    form = {"csrf": csrf_in(browser.get("/account").text), "old": "not this one", "new": "another long password"}
    assert browser.post("/account", data=form).status_code == 400
    assert browser.post("/account", data=form | {"old": PASSWORD, "new": "short"}).status_code == 400
    assert browser.post("/account", data=form | {"old": PASSWORD}).status_code == 303
    assert other.get("/").status_code == 303, "all sessions end"


def test_signing_out_ends_the_session(app: FastAPI) -> None:
    browser = client(app, "viewer")
    session = browser.cookies["amiss_session"]
    assert browser.post("/sign-out", data={"csrf": csrf_in(browser.get("/account").text)}).status_code == 303
    again = client(app)
    again.cookies.set("amiss_session", session)
    assert again.get("/").status_code == 303
