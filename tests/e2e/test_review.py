"""The review page in a real browser: by keyboard, in step with videos, for every role, light and dark."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

import amiss
from amiss.footage.world import World
from amiss.live.nouns import IncidentKind, Verdict
from amiss.live.store import Life, Role
from amiss.web import make_app
from support_browser import Watched, chromium, screenshots, served
from support_review import Film, Folder, bench_result, peaks, site_of, squares

SPEED = 60.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def world(place: str, act: str) -> Film:
    """Some seconds of a synthetic place in which something happens, with the boxes of who does it."""
    pictures, boxes = [], []
    for scene in World(place, seed=3, seconds=4, rate=10, size=(480, 270), act=act).scenes():
        pictures.append(scene.frame.image)
        odd = scene.boxes.xyxy[scene.abnormal]
        boxes.append(odd[0].tolist() if len(odd) else (boxes[-1] if boxes else [225.0, 110.0, 250.0, 165.0]))
    return Film(pictures, boxes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, model: amiss.Model) -> Iterator[Folder]:
    """Three cameras of everything that one can have."""
    root = tmp_path_factory.mktemp("data")
    made = Folder(root)
    plaza, station = world("plaza", "running"), world("platform", "cart")
    model.save(root / "model.amiss")
    of_gate = {"model": str(root / "model.amiss"), "fingerprint": "f00d", "budget": "2/day"}
    made.camera("gate", plaza.pictures[10], **of_gate)
    made.camera("station", station.pictures[10], Life.SHADOW)
    made.camera("yard", squares(0.1).pictures[0], Life.FROZEN)
    values = (np.hypot(*np.mgrid[-1:1:12j, -1:1:8j]) * -1 + 1.4).clip(0).round(3).tolist()
    told = {"map": {"part": "appearance", "box": plaza.boxes[32], "values": values}}
    faster, larger, new = (
        "faster than 99.9 % of 41,000 tracks here",
        "larger than usual at this place",
        "a place where nobody stood before",
    )
    rows = [
        made.event("runner", ago=700, film=plaza, severity=6.2, kind=1, tube=told, reasons=(faster, larger)),
        made.event("runner-2", ago=1500, film=plaza, severity=5.4, kind=1, reasons=(faster,)),
        made.event("runner-3", ago=2600, film=plaza, severity=5.1, kind=1, reasons=(faster,)),
        made.event("square", ago=400, film=squares(5.0, SPEED), severity=4.8, kind=2, part="place", reasons=(new,)),
        made.event(
            "stranger",
            ago=3600,
            severity=3.4,
            kind=3,
            part="appearance",
            reasons=("its look is unlike all that was seen here",),
        ),
        made.event(
            "late", ago=5000, severity=3.2, kind=4, alarm=False, quiet="schedule", reasons=("stays longer than usual",)
        ),
    ]
    made.event("cart", camera="station", ago=820, film=station, severity=4.4, kind=5, part="appearance", repeats=2,
               reasons=("its look is unlike all that was seen here", "a size that is rare at this place"))  # fmt: skip
    made.event("cart-2", camera="station", ago=9000, film=station, severity=3.9, kind=6, alarm=False, quiet="shadow")
    made.event("yard-1", camera="yard", ago=300, severity=3.6, kind=7, reasons=("only at the yard",))
    for index in range(4):
        film_of = plaza.pictures[8 * index]
        for number in range(4):
            left = 40 + 95 * number
            cv2.imwrite(
                str(root / f"cameras/gate/examples/f00d/{number:04d}.jpg"), film_of[90:190, left : left + 60, ::-1]
            )
    made.curve("gate", *peaks(made.now, rows))
    made.blocks("gate", [made.now - 3600 * hour for hour in [*range(1, 60, 2), *range(80, 150, 5)]])
    made.incident("gate", IncidentKind.GAP, 1000, 42)
    made.incident("yard", IncidentKind.MOVED, 4000, None)
    (root / "benches").mkdir()
    for name, auc in (("attributes-ped2", 0.84), ("poses-ped2", 0.9)):
        (root / "benches" / f"{name}.json").write_text(
            json.dumps(bench_result("attributes" if "attr" in name else "pose-flow", auc))
        )
    made.person("ann", Role.ADMIN, None)
    made.person("otto", Role.OPERATOR, ["gate", "station"])
    made.person("vera", Role.VIEWER, ["station"])
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def address(folder: Folder) -> Iterator[str]:
    with served(make_app(site_of(folder))) as found:
        yield found


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A fresh browser; nothing may go wrong in it."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, timezone_id="America/New_York", locale="en-GB"
    )
    found = Watched(context)
    yield found
    context.close()
    assert found.wrong == []


@pytest.fixture
def page(watched: Watched, address: str) -> Page:
    return watched.sign_in(address, "ann")


def wait(page: Page, true: str) -> None:
    """Wait until something is so in the page, whose policy lets no text be run by a page's own poller."""
    until(lambda: page.evaluate(true))


def now(page: Page) -> str | None:
    return page.locator("#queue > li.now").get_attribute("data-id")


def verdict(folder: Folder, name: str) -> Verdict:
    row = folder.store.event(name)
    assert row
    return row.verdict


def until(true: Any) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    assert true()


def test_triage_by_keyboard_alone(page: Page, folder: Folder) -> None:
    assert now(page) == "runner"
    page.keyboard.press("j")
    assert now(page) == "runner-2"
    page.keyboard.press("k")
    assert now(page) == "runner"
    page.hover("li[data-id=runner-2] .thumb")  # pictures move while they are pointed at
    wait(page, "document.querySelector('li[data-id=runner-2] video')?.currentTime > 0.1")
    page.hover("h1")
    expect(page.locator(".thumb video")).to_have_count(0)
    page.keyboard.press("Space")
    expect(page.locator("li.now .thumb video")).to_have_count(1)
    wait(page, "document.querySelector('li.now video')?.currentTime > 0.1")
    page.keyboard.press("Space")
    expect(page.locator(".thumb video")).to_have_count(0)

    before = int(page.locator("#waiting").inner_text())
    page.keyboard.press("n")  # normal here: what is alike goes at once
    expect(page.locator("li[data-id=runner-2]")).to_be_hidden()
    expect(page.locator("li[data-id=runner-3]")).to_be_hidden()
    expect(page.locator("li[data-id=runner] .alike")).to_have_text("and 2 alike")
    expect(page.locator("#waiting")).to_have_text(str(before - 3))
    assert now(page) == "square"
    assert verdict(folder, "runner") is Verdict.NORMAL

    page.keyboard.press("y")
    until(lambda: verdict(folder, "square") is Verdict.RIGHT)
    expect(page.locator("#waiting")).to_have_text(str(before - 4))
    page.keyboard.press("u")
    until(lambda: verdict(folder, "square") is Verdict.NONE)
    page.keyboard.press("u")  # the one before, after moving on
    expect(page.locator("li[data-id=runner-2]")).to_be_visible()
    expect(page.locator("#waiting")).to_have_text(str(before))
    assert verdict(folder, "runner") is Verdict.NONE

    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("li[data-id=runner] a.what").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/events/runner")
    ready(page)
    page.keyboard.press("j")
    page.wait_for_url("**/events/runner-2")
    ready(page)
    page.keyboard.press("n")
    until(lambda: verdict(folder, "runner-2") is Verdict.NORMAL)
    page.keyboard.press("k")
    page.wait_for_url("**/events/runner")
    ready(page)
    page.keyboard.press("u")  # on another page
    until(lambda: verdict(folder, "runner-2") is Verdict.NONE)
    page.keyboard.press("Escape")
    page.wait_for_url("**/")


def ready(page: Page) -> None:
    wait(page, "document.getElementById('video').readyState >= 2 && !document.getElementById('video').seeking")
    wait(page, "document.getElementById('curve').dataset.points > 0")


def test_a_click_on_the_curve_seeks(page: Page, address: str) -> None:
    page.goto(f"{address}/events/square")
    ready(page)
    page.locator("#curve").scroll_into_view_if_needed()
    page.wait_for_timeout(100)
    area = page.locator("#curve .nsewdrag").first.bounding_box()
    span = page.evaluate("""() => { const axis = document.getElementById('curve')._fullLayout.xaxis;
        const f = JSON.parse(document.getElementById('figures').textContent);
        const shown = (at) => axis.c2p((at - new Date(at * 1000).getTimezoneOffset() * 60) * 1000);
        return [shown(f.start), shown(f.end), f.start, f.end, f.clip_start] }""")
    left, right, start, end, clip = span
    for share in (0.25, 0.8):
        page.mouse.click(area["x"] + left + share * (right - left), area["y"] + area["height"] / 2)
        wanted = start + share * (end - start) - clip
        wait(page, f"Math.abs(document.getElementById('video').currentTime - {wanted}) < 0.3")
        ready(page)
        reached = page.evaluate("document.getElementById('video').currentTime")
        pixel = (end - start) / (right - left)
        assert reached == pytest.approx(wanted, abs=1.5 * pixel + 0.01)
        cursor = page.locator("#curve .cursor").bounding_box()
        place = area["x"] + left + share * (right - left)
        assert cursor["x"] + 1 == pytest.approx(place, abs=3), "the cursor is where the video is"


def shot(page: Page, selector: str) -> np.ndarray:
    data = page.locator(selector).screenshot()
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.int16)


def test_boxes_are_in_step_with_the_video(page: Page, address: str) -> None:
    page.goto(f"{address}/events/square")
    ready(page)
    for seconds in (2.35, 3.05, 4.25):
        page.evaluate(f"document.getElementById('video').currentTime = {seconds}")
        ready(page)
        wait(page, f"Math.abs(document.getElementById('boxes').dataset.seconds - {seconds}) < 0.11")
        page.evaluate("document.getElementById('video').controls = false")
        picture = shot(page, ".screen")
        blue, green, red = (picture[..., channel] for channel in range(3))
        inside = slice(20, -20)  # what is around the picture is left out
        blue, green, red = (channel[inside, inside] for channel in (blue, green, red))
        white = (blue > 200) & (green > 200) & (red > 200)
        drawn = (red > 220) & (green > 70) & (green < 140) & (blue < 120)  # the colour of a box above the level
        assert white.sum() > 1000
        assert drawn.sum() > 200, "a box is drawn"
        rows, columns = np.nonzero(white)
        ys, xs = np.nonzero(drawn)
        scale = picture.shape[1] / 320
        square = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
        assert np.abs(square - box).max() <= 1.5 * scale + 2, (seconds, square / scale, box / scale)
        expected = round(10 + SPEED * np.floor(seconds * 10 + 1e-6) / 10)
        assert (square[0] + 20) / scale == pytest.approx(expected, abs=2.5)


def test_boxes_follow_while_it_plays(page: Page, address: str) -> None:
    page.goto(f"{address}/events/square?t=0")
    ready(page)
    page.evaluate("document.getElementById('video').currentTime = 2")
    ready(page)
    page.keyboard.press("Space")
    wait(page, "document.getElementById('video').currentTime > 3.2")
    page.keyboard.press("Space")
    wait(page, "document.getElementById('video').paused")
    difference = page.evaluate("""() => Math.abs(document.getElementById('boxes').dataset.seconds
        - document.getElementById('video').currentTime)""")
    assert difference < 0.25, "a picture or two at most"


def test_a_link_to_a_moment_opens_there(page: Page, address: str, folder: Folder) -> None:
    row = folder.store.event("square")
    assert row
    at = row.tube["clip_start"] + 3.5
    page.goto(f"{address}/events/square?t={at:.2f}")
    ready(page)
    assert page.evaluate("document.getElementById('video').currentTime") == pytest.approx(3.5, abs=0.02)
    page.click("#link")
    assert "t=" in page.url


def test_the_map_is_a_layer(page: Page, address: str) -> None:
    page.goto(f"{address}/events/runner")
    ready(page)
    before = shot(page, ".screen")
    page.keyboard.press("m")
    expect(page.locator("[data-layer=map]")).to_be_checked()
    assert np.abs(shot(page, ".screen") - before).max() > 60
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    ready(page)
    wait(page, "document.getElementById('boxes').dataset.seconds < 1")
    assert not drawn_on(page), "it is of one moment, and not of others"
    page.keyboard.press("m")
    page.keyboard.press("m")
    ready(page)
    until(lambda: drawn_on(page))


def drawn_on(page: Page) -> bool:
    """Whether there is anything over the picture."""
    return bool(
        page.evaluate("""() => { const over = document.getElementById('boxes');
            const copy = new OffscreenCanvas(over.width, over.height).getContext('2d', { willReadFrequently: true });
            copy.drawImage(over, 0, 0);
            return copy.getImageData(0, 0, over.width, over.height).data.some((one) => one > 0); }""")
    )


def test_a_curve_is_exact_when_near(page: Page, address: str) -> None:
    page.goto(f"{address}/cameras/gate")
    wait(page, "document.getElementById('curve').dataset.points > 0")
    chart = page.locator("#curve")
    expect(chart).to_have_attribute("data-exact", "false")
    assert int(chart.get_attribute("data-points") or 0) < 8000
    assert dragged(page) < 150, "two hours are dragged without a stutter"
    for _ in range(7):
        page.click("[data-zoom='0.5']")
        page.wait_for_timeout(60)
    expect(chart).to_have_attribute("data-exact", "true")
    assert dragged(page) < 150


def dragged(page: Page) -> float:
    """Milliseconds within which 9 of 10 pictures came while the curve was dragged by the mouse."""
    begun = page.evaluate("document.getElementById('curve')._fullLayout.xaxis.range[0]")
    page.locator("#curve").scroll_into_view_if_needed()
    area = page.locator("#curve .nsewdrag").first.bounding_box()
    across, down = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.evaluate("""() => { window.drawn = [];
        const note = (at) => { window.drawn.push(at); requestAnimationFrame(note); };
        requestAnimationFrame(note); }""")
    page.mouse.move(across, down)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(across + 3 * step, down)
    page.mouse.up()
    gaps = np.diff(page.evaluate("window.drawn"))
    assert page.evaluate("document.getElementById('curve')._fullLayout.xaxis.range[0]") != begun, "it moved"
    return float(np.quantile(gaps, 0.9))


def test_other_budgets_are_tried_by_a_slider(page: Page, address: str) -> None:
    page.goto(f"{address}/cameras/gate")
    page.click("#try")
    slider = page.locator("#budget")
    expect(slider).to_be_visible(timeout=30_000)
    expect(page.locator("#budget-told")).to_contain_text("2/day (as it is set)")
    counts = []
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(int(slider.get_attribute("max") or 0) + 1):
        assert page.locator("#found li").count() == int(
            page.locator("#budget-told").inner_text().split(": ")[1].split()[0]
        )
        counts.append(page.locator("#found li").count())
        page.keyboard.press("ArrowRight")
    assert counts == sorted(counts), "a larger budget raises no fewer"
    assert counts[-1] > counts[0]
    page.locator("#found a").first.click()
    page.wait_for_url("**/events/*")


def test_a_camera_is_snoozed_and_put(page: Page, address: str, folder: Folder) -> None:
    page.goto(f"{address}/cameras/station")
    page.click("[data-snooze='8']")
    expect(page.locator("#wake")).to_be_visible()
    page.click("#wake")
    expect(page.locator("#wake")).to_have_count(0)
    page.click("[data-life=live]")
    expect(page.locator(".badge.life").first).to_have_text("live")
    life = folder.store.life("station")
    assert life
    assert life.by == "ann"


def test_a_viewer_of_one_camera_sees_nothing_of_another(watched: Watched, address: str) -> None:
    page = watched.sign_in(address, "vera")
    assert page.locator("#queue > li").count() == 2
    assert page.locator("button[data-say]").count() == 0
    page.keyboard.press("n")
    for path in ("/", "/cameras", "/benches", "/events/cart"):
        page.goto(f"{address}{path}")
        text = page.locator("body").inner_text()
        assert "yard" not in text
        assert "gate" not in text
    for path in ("/events/runner", "/cameras/gate", "/api/v1/events/runner/clip", "/api/v1/cameras/gate/now"):
        assert page.request.get(f"{address}{path}").status == 404
    assert page.request.get(f"{address}/accounts").status == 403


def test_times_are_those_of_who_looks(page: Page, address: str, folder: Folder) -> None:
    page.goto(f"{address}/events/runner")
    row = folder.store.event("runner")
    assert row
    place = page.locator("main time").first
    here = page.evaluate(
        f"new Intl.DateTimeFormat(undefined, {{dateStyle: 'medium', timeStyle: 'medium'}}).format({row.start} * 1000)"
    )
    expect(place).to_have_text(here)
    assert "Europe/Berlin" in (place.get_attribute("title") or "")


def test_a_video_that_is_not_whole_is_told(browser: Browser, address: str, folder: Folder) -> None:
    folder.event("half", ago=20_000, film=squares(3.0), severity=3.01, kind=77)
    clip = folder.root / "media" / "gate" / "half-clip.mp4"
    clip.write_bytes(clip.read_bytes()[:600])
    context = browser.new_context()
    page = Watched(context).sign_in(address, "ann")
    page.goto(f"{address}/events/half")
    expect(page.locator("#video-note")).to_be_visible()
    expect(page.locator(".poster")).to_be_visible()
    wait(page, "document.getElementById('curve').dataset.points >= 0")
    page.wait_for_timeout(200)
    assert drawn_on(page), "the box of the worst moment is over the picture"
    page.keyboard.press("b")
    assert not drawn_on(page)
    page.keyboard.press("b")
    assert drawn_on(page)
    context.close()


PAGES = {
    "queue": "/",
    "event": "/events/runner",
    "cameras": "/cameras",
    "camera": "/cameras/gate",
    "benches": "/benches",
    "bench": "/benches/attributes-ped2",
    "compare": "/compare?name=attributes-ped2&name=poses-ped2",
    "accounts": "/accounts",
    "log": "/log",
    "api": "/api",
    "account": "/account",
    "fault": "/events/nowhere",
}


def settle(page: Page, name: str) -> None:
    page.wait_for_load_state("load")
    if name == "event":
        ready(page)
    if name == "camera":
        wait(page, "document.getElementById('curve').dataset.points > 0")
    page.evaluate(
        """Promise.all([...document.images].filter((one) => one.loading !== 'lazy')
            .map((one) => one.decode().catch(() => {})))"""
    )


def judged(page: Page) -> None:
    page.keyboard.press("n")
    expect(page.locator("li[data-id=runner] .alike")).to_have_text("and 2 alike")


def taken_back(page: Page) -> None:
    page.keyboard.press("u")
    expect(page.locator("li[data-id=runner-2]")).to_be_visible()


def mapped(page: Page) -> None:
    page.keyboard.press("m")
    until(lambda: drawn_on(page))


def tried(page: Page) -> None:
    page.click("#try")
    expect(page.locator("#found li").first).to_be_visible(timeout=30_000)


def helped(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()


STATES = {"queue": [("judged", judged), ("", taken_back), ("keys", helped)], "event": [("map", mapped)],
          "camera": [("budgets", tried)]}  # fmt: skip
"""What one does on a page, and what is then to be seen."""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible_and_fit(
    browser: Browser, address: str, folder: Folder, theme: str, tmp_path: Path
) -> None:
    pictures, axe, found = screenshots(tmp_path), Axe(), []

    def look(page: Page, name: str, width: int) -> None:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than {width}"
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=pictures / f"{name}-{theme}-{width}.png", full_page=True)
        if (width, theme) in ((1440, "light"), (390, "dark")):  # each width and each theme once
            for one in axe.run(page).response["violations"]:
                node = one["nodes"][0]
                found.append((name, theme, one["id"], node["html"][:160], node.get("failureSummary", "")[:200]))

    for width in (1440, 390):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, locale="en-GB")  # type: ignore[arg-type]
        watched = Watched(context)
        first = Folder(tmp_path / f"first-{width}")
        site = site_of(first)
        with served(make_app(site)) as empty:
            watched.page.goto(f"{empty}/first?token={site.invite()}")
            look(watched.page, "first", width)
        first.store.close()
        watched.page.goto(f"{address}/sign-in")
        look(watched.page, "sign-in", width)
        page = watched.sign_in(address, "ann")
        for name, path in PAGES.items():
            for picture in folder.root.glob("cameras/*/now.jpg"):
                picture.touch()
            page.goto(f"{address}{path}")
            settle(page, name)
            look(page, name, width)
            for state, do in STATES.get(name, []):
                do(page)
                if state:
                    look(page, f"{name}-{state}", width)
        assert [text for text in watched.wrong if "404" not in text] == []
        context.close()
    assert found == []


def test_the_theme_can_be_chosen(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.click("#theme")
    after = page.evaluate(ground)
    assert after != before
    page.reload()
    assert page.evaluate(ground) == after
