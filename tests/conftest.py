"""Fixtures that all tests share."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

import amiss
import support_footage as support
from amiss.live.store import Store
from support_cli import Run, runner
from support_postgres import Postgres
from support_stores import Place


def pytest_configure() -> None:
    """Before anything is loaded: what PyTorch and Ray read from the environment.

    The tiny batches of tests gain nothing from threads, and wait for them. A Ray cluster that a test starts has a token
    of this process: where a user has none yet, the first cluster writes one down, which those that other tests have
    started by then do not know.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(16)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real benchmark data; tests that need it are skipped where it is absent."""
    default = Path(__file__).parents[1] / ".." / "shared" / "data"
    root = Path(os.environ.get("AMISS_SHARED_DATA", default)).resolve()
    if not root.is_dir():
        pytest.skip(f"the shared data folder {root} is absent (set AMISS_SHARED_DATA)")
    return root


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What perception finds in tests stays out of the user's cache, and is shared by the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMISS_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("AMISS_WEIGHTS", raising=False)  # without networks, unless a test asks for them
        yield


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dataset in the layout of the plain folder: two clips to learn from and two to test on."""
    return support.as_dataset(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="session")
def model(place: Path) -> amiss.Model:
    """A model of `place` with motion boxes; never change it."""
    return amiss.learn(place / "training", settings=support.SETTINGS)


@pytest.fixture(scope="session")
def model_folder(model: amiss.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`model` on disk; never change it."""
    folder = tmp_path_factory.mktemp("models") / "place.amiss"
    model.save(folder)
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, in this process."""
    return runner(capsys, monkeypatch)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL server, started once; skipped where there is none."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty place for a store, in SQLite and in PostgreSQL."""
    sqlite = request.param == "sqlite"
    url = tmp_path / "store.sqlite" if sqlite else request.getfixturevalue("postgres").new_database()
    place = Place(url, tmp_path / "media", [])
    yield place
    place.close()


@pytest.fixture
def store(stored: Place) -> Store:
    """An empty store, in SQLite and in PostgreSQL, whose clock stands."""
    return stored.open()
