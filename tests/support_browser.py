"""A real browser and a served page, for the tests of the review page."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from support_review import PASSWORD

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window; the test is skipped where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=OPTIONS)
        yield browser
        browser.close()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address at which an app is served, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        end = time.monotonic() + 20
        while not server.started and time.monotonic() < end:
            time.sleep(0.02)
        assert server.started
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


class Watched:
    """A page of which everything that goes wrong is kept.

    Args:
        context: Of the browser.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.wrong: list[str] = []
        self.page.on(
            "console", lambda told: self.wrong.append(told.text) if told.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda asked: self._note(asked.url))

    def _note(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.wrong.append(f"loaded from elsewhere: {url}")

    def sign_in(self, address: str, name: str) -> Page:
        self.page.goto(f"{address}/sign-in")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{address}/")
        return self.page


def screenshots(otherwise: Path) -> Path:
    """Where pictures of pages go: the folder that `AMISS_SCREENSHOTS` names."""
    folder = Path(os.environ.get("AMISS_SCREENSHOTS") or otherwise)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def until(true: Any) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    assert true()


def wait(page: Page, true: str) -> None:
    """Wait until something is so in the page, whose policy lets no text be run by a page's own poller."""
    until(lambda: page.evaluate(true))


def ready(page: Page) -> None:
    wait(page, "document.getElementById('video').readyState >= 2 && !document.getElementById('video').seeking")
    wait(page, "document.getElementById('curve').dataset.points > 0")


def drawn_on(page: Page) -> bool:
    """Whether there is anything over the picture."""
    return bool(
        page.evaluate("""() => { const over = document.getElementById('boxes');
            const copy = new OffscreenCanvas(over.width, over.height).getContext('2d', { willReadFrequently: true });
            copy.drawImage(over, 0, 0);
            return copy.getImageData(0, 0, over.width, over.height).data.some((one) => one > 0); }""")
    )
