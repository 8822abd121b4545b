"""A download is whole and unaltered, goes on where it broke off, or ends in one line."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from amiss.errors import WeightsError
from amiss.perception.download import download, silent

CONTENT = np.random.default_rng(0).integers(0, 256, 700_000, dtype=np.uint8).tobytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `CONTENT` at /whole, its first third at /cut, the same and then silence at /dies, too much at /long, and
    without ranges at /plain."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:  # the name that the library calls
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        if self.path == "/absent":
            self.send_error(404)
            return
        body = CONTENT + b"more" if self.path == "/long" else CONTENT
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.path != "/plain" else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : 250_000 if self.path in ("/cut", "/dies") else None])
        if self.path == "/dies":
            self.wfile.flush()
            self.server.over.wait(10)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's own name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def fetch(server: Server, place: str, path: Path, sha256: str = SHA256) -> None:
    download(f"{server.url}/{place}", path, len(CONTENT), sha256, silent)


def test_what_comes_is_whole_and_progress_is_told(server: Server, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    download(f"{server.url}/whole", tmp_path / "new" / "file", len(CONTENT), SHA256, lambda *step: told.append(step))
    assert (tmp_path / "new" / "file").read_bytes() == CONTENT
    assert told[-1] == ("fetching whole", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_what_broke_off_goes_on(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(WeightsError, match=r"broke off after .* run it again|IncompleteRead"):
        fetch(server, "cut", path)
    assert not path.exists()
    have = (tmp_path / "file.part").stat().st_size
    fetch(server, "whole", path)
    assert path.read_bytes() == CONTENT
    assert server.asked == [("/cut", None), ("/whole", f"bytes={have}-" if have else None)]
    assert not (tmp_path / "file.part").exists()


def test_a_server_without_ranges_sends_all_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT[:1000])
    fetch(server, "plain", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_wrong_hash_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="another hash"):
        fetch(server, "whole", tmp_path / "file", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_too_much_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="longer than the published"):
        fetch(server, "long", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_dies_is_the_networks_matter_and_not_the_disks(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amiss.perception.download.TIMEOUT", 0.2)
    with pytest.raises(WeightsError, match="timed out"):
        fetch(server, "dies", tmp_path / "file")
    fetch(server, "whole", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_begun_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT + b"more")
    fetch(server, "whole", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_whole_part_needs_no_server(tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT)
    download("http://127.0.0.1:9/whole", tmp_path / "file", len(CONTENT), SHA256)
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("url", "said"),
    [("{server}/absent", "Not Found"), ("http://127.0.0.1:9/x", "refused"), ("file:///etc", "only http")],
)
def test_what_cannot_be_fetched_is_told(server: Server, tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        download(url.format(server=server.url), tmp_path / "file", 10, SHA256)
