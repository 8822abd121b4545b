"""A private PostgreSQL server, from Debian's programs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

IN_ADDRESS, CLEAR = "s3cret-%40word", "s3cret-@word"
"""The password as it stands in an address, and as it is."""
DATABASE = "amiss"
DISCONNECT = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'"  # noqa: S608
SETTINGS = "fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_wal_size=64MB", "autovacuum=off"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def programs() -> Path:
    """The folder of initdb and pg_ctl; the test is skipped where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("PostgreSQL is absent (apt-get install postgresql)")
    return found[-1].parent if found else Path(str(on_path)).parent


class Postgres:
    """A server in a temporary folder, at a port of its own on loopback; it never runs as root."""

    def __init__(self) -> None:
        self.bin = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="amiss-postgres-"))
        self.port = free_port()
        self.made = False
        key = self.folder / "password"
        key.write_text(CLEAR)
        if os.geteuid() == 0:
            for path in (self.folder, key):
                shutil.chown(path, "postgres", "postgres")
        self.run("initdb", "-D", self.data, "-U", "amiss", "--pwfile", key, "-A", "scram-sha-256", "--no-sync")
        lines = [*SETTINGS, f"port={self.port}", "listen_addresses='127.0.0.1'", "unix_socket_directories=''"]
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, program: str, *words: object) -> None:
        before: Sequence[str] = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        command = [*before, str(self.bin / program), *map(str, words)]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=60)  # noqa: S603

    def start(self) -> None:
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "start")

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def address(self, database: str, password: str = IN_ADDRESS) -> str:
        return f"postgresql+psycopg://amiss:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        address = self.address(database).replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def new_database(self) -> str:
        """The address of an empty database: always the same, made empty, since making one takes its time."""
        if self.made:
            self.execute(DISCONNECT)
            self.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public", DATABASE)
        else:
            self.execute(f"CREATE DATABASE {DATABASE}")
            self.made = True
        return self.address(DATABASE)

    def close(self) -> None:
        with suppress(subprocess.CalledProcessError):  # a test that failed may have left it stopped
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)
