"""Serving the page, and the first way in."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from amiss.errors import ConfigError
from amiss.live.store import Store
from amiss.web.app import make_app
from amiss.web.site import Site

__all__ = ["open_site", "serve"]

PATIENCE = 3.0
"""Seconds that other processes are waited for; a person is then told to try again."""


@contextmanager
def open_site(data: Path, store: str | None = None) -> Iterator[Site]:
    """The site of a folder of data.

    Args:
        data: As the watcher lays it out.
        store: Address of its store; SQLite in the folder by default.

    Raises:
        ConfigError: There is no such folder.
        StorageError: The store cannot be opened.
    """
    if not data.is_dir():
        raise ConfigError(f"there is no folder {data}; give the one that `amiss watch` keeps its data in")
    with Store.open(store or data / "amiss.sqlite", data / "media", patience=PATIENCE) as opened:
        yield Site(opened, data)


def serve(site: Site, host: str, port: int, tell: Callable[[str], None]) -> None:
    """Serve a site until it is interrupted.

    Args:
        site: What to serve.
        host: Address to listen at.
        port: Port to listen at; 0 for a free one.
        tell: Told lines for the person who started it.

    Raises:
        ConfigError: The port is taken, or the address is not one of this machine.
    """
    config = uvicorn.Config(make_app(site), host, port, log_level="warning", server_header=False, access_log=False)
    try:
        listening = _bound(host, port)
    except OSError as error:
        raise ConfigError(f"cannot listen at {host} port {port} ({error.strerror}); give another --port") from None
    with listening:
        place = f"[{host}]" if ":" in host else host
        address = f"http://{place}:{listening.getsockname()[1]}"
        if token := site.invite():
            tell(f"first run: make the first account at {address}/first?token={token}")
        tell(f"the review page is at {address}; press Ctrl-C to stop")
        uvicorn.Server(config).run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    """A socket that waits for visitors."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=128)
