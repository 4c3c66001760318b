"""Servers that a benchmark needs beside it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pulsequill.env import BASE_DIR

#: Servers that live until the last benchmark has run; the command closes them.
SERVERS = ExitStack()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(
    module: str, *arguments: str, port: int, timeout_s: float = 30, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m module arguments` for the length of the block, from when it listens on `port`.

    `environment` is added to this process's own.

    Raises:
        RuntimeError: it ended, or did not listen in time.
    """
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", module, *arguments], cwd=BASE_DIR, env={**os.environ, **(environment or {})}
    )
    try:
        deadline = time.monotonic() + timeout_s
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{module} did not start")
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.wait(10)
