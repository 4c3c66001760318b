"""The ports of the embedded services: chosen once for a home folder, then kept, so that addresses stay the same."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_of(service: str, home: Path) -> int:
    """Return the port of `service` in this home, choosing a free one on the first call; safe when processes race."""
    path = home / f"{service}.port"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        draft = home / f".{service}.port.{os.getpid()}"
        draft.write_text(json.dumps(_free_port()), encoding="ascii")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return int(json.loads(path.read_text(encoding="ascii")))


def keep_or_change(service: str, home: Path) -> int:
    """Return the port of `service`, choosing another one when a stranger took the old one while we were away.

    To be called only while the service is known not to run.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port_of(service, home)))
        except OSError:
            (home / f"{service}.port").unlink()
    return port_of(service, home)
