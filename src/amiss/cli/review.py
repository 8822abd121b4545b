"""The page where people look at events."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from amiss.cli.common import require, tell

__all__ = ["review"]


def review(
    data: Annotated[Path, typer.Option("--data", help="Folder that `amiss watch` keeps its data in.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0 for a free one.")] = 8470,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; other machines only if told.")
    ] = "127.0.0.1",
    store: Annotated[
        str | None, typer.Option("--store", help="postgresql+psycopg://…; else SQLite in the data.")
    ] = None,
) -> None:
    """Serve the review page: see in seconds what was amiss, and say what is normal."""
    require("the review page", "live", "web")
    from amiss.web import open_site, serve

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    with open_site(data, store) as site:
        serve(site, host, port, tell)
