"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Before any network is loaded: the tiny batches of tests gain nothing from threads, and wait for them."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real benchmark data; tests that need it are skipped where it is absent."""
    default = Path(__file__).parents[1] / ".." / "shared" / "data"
    root = Path(os.environ.get("AMISS_SHARED_DATA", default)).resolve()
    if not root.is_dir():
        pytest.skip(f"the shared data folder {root} is absent (set AMISS_SHARED_DATA)")
    return root
