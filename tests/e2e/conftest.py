"""What the tests of the review page share; each file has its own, so that what one changes no other finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

import amiss
from amiss.web import make_app
from support_browser import Watched, chromium, served
from support_cameras import three_cameras
from support_review import Folder, site_of


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, model: amiss.Model) -> Iterator[Folder]:
    """Three cameras of everything that one can have."""
    made = three_cameras(tmp_path_factory.mktemp("data"), model)
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
