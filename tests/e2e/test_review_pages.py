"""All pages of the review page in a real browser: for a role, for everyone's eyes, wide and narrow, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from amiss.web import make_app
from support_browser import Watched, drawn_on, ready, screenshots, served, until, wait
from support_review import Folder, site_of

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
