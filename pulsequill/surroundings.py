"""What must be right around PulseQuill before anything of it starts; each wrong thing is one clear sentence.

`manage.py serve` asks before it starts and `manage.py doctor` asks again. No Django here: these are the reasons why
Django could not start.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

OLDEST_PYTHON = (3, 11)
OLDEST_POSTGRES = 16
NEEDED_BYTES = 512 * 1024 * 1024
CONNECT_S = 5


class Unfit(Exception):
    """Something must be mended first: `str()` says what, `fix` says how."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem} {fix}")
        self.problem, self.fix = problem, fix


def check_python() -> str:
    """Ask for a Python that is new enough."""
    if sys.version_info < OLDEST_PYTHON:
        raise Unfit(f"PulseQuill needs Python 3.11 or later; this is {sys.version.split()[0]}.", "Install a newer one.")
    return f"Python {sys.version.split()[0]}"


def check_home(home: Path) -> str:
    """Ask for a data folder that can be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".probe.{os.getpid()}"
        probe.write_text("x", encoding="ascii")
        probe.unlink()
    except OSError as error:
        raise Unfit(
            f"The data folder {home} cannot be written: {error.strerror}.", "Set PULSEQUILL_HOME to one that can."
        ) from error
    return f"{home} can be written"


def check_disk(home: Path) -> str:
    """Ask for room on the disk of the data folder."""
    free = shutil.disk_usage(home).free
    if free < NEEDED_BYTES:
        raise Unfit(
            f"The disk of {home} is full: {free // 1024**2} MB are free and {NEEDED_BYTES // 1024**2} MB are needed.",
            "Make room, or set PULSEQUILL_HOME to a folder on another disk.",
        )
    return f"{free / 1024**3:.1f} GB are free"


def check_port(host: str, port: int) -> str:
    """Ask for the web server's port to be free."""
    if not 0 < port < 65536:
        raise Unfit(f"PORT={port} is not a port.", "Choose one between 1 and 65535.")
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise Unfit(f"HOST={host} is not an address of this machine.", "Leave it empty for 127.0.0.1.") from error
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError as error:
            raise Unfit(
                f"Port {port} is reserved for the system.", "Choose one above 1023, such as PORT=8000."
            ) from error
        except OSError as error:
            raise Unfit(
                f"Port {port} of {host} is in use by another program.",
                f"Stop that one, or choose another port: PORT={port + 1} make run",
            ) from error
    return f"Port {port} is free"


def check_database_url(url: str) -> str:
    """Ask the database that was named for a session, its version and pgvector."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise Unfit(
            "DATABASE_URL is not a PostgreSQL address.", "Write it as postgresql://user:password@host:5432/name."
        )
    try:
        place = f"{parts.hostname}:{parts.port or 5432}"
        with psycopg.connect(url, connect_timeout=CONNECT_S) as connection:
            version = connection.info.server_version // 10000
            row = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").fetchone()
    except (psycopg.Error, ValueError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
        if parts.password:
            reason = reason.replace(parts.password, "***")
        raise Unfit(
            f"DATABASE_URL does not lead to a database: {reason}.",
            "Mend it, or leave it empty to use the embedded PostgreSQL.",
        ) from error
    if version < OLDEST_POSTGRES:
        raise Unfit(f"The PostgreSQL at {place} is version {version}.", f"PulseQuill needs {OLDEST_POSTGRES} or later.")
    if row is None:
        raise Unfit(f"The PostgreSQL at {place} has no pgvector.", "Install the extension `vector` on that server.")
    return f"PostgreSQL {version} with pgvector at {place}"


def check_redis_url(url: str) -> str:
    """Ping the Valkey or Redis that was named."""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss"}:
        raise Unfit("REDIS_URL is not a Valkey or Redis address.", "Write it as redis://host:6379.")
    try:
        with redis.Redis.from_url(url, socket_timeout=CONNECT_S, socket_connect_timeout=CONNECT_S) as client:
            version = client.info("server")["redis_version"]
    except (redis.RedisError, ValueError) as error:
        reason = str(error).strip().rstrip(".") or type(error).__name__
        if parts.password:
            reason = reason.replace(parts.password, "***")
        raise Unfit(
            f"REDIS_URL does not lead to a Valkey: {reason}.", "Mend it, or leave it empty to use the embedded one."
        ) from error
    return f"Valkey {version} at {parts.hostname}:{parts.port or 6379}"
