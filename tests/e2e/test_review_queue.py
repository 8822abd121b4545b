"""The queue of the review page in a real browser: judged by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from amiss.live.nouns import Verdict
from support_browser import ready, until, wait
from support_review import Folder


def now(page: Page) -> str | None:
    return page.locator("#queue > li.now").get_attribute("data-id")


def verdict(folder: Folder, name: str) -> Verdict:
    row = folder.store.event(name)
    assert row
    return row.verdict


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
