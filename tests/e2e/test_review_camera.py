"""The page of a camera in a real browser: its curve, its budget, its life."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page, expect

from support_browser import wait
from support_review import Folder


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
