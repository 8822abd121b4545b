"""The page of an event in a real browser: curve, boxes, map and times are in step with the video."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from support_browser import Watched, drawn_on, ready, until, wait
from support_cameras import SPEED
from support_review import Folder, squares


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
