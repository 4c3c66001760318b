"""A child process that somebody must start, wait for and stop: shared by the embedded services."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1  # prctl(2)


class ServiceFailed(Exception):
    """An embedded service did not come up; the message is one sentence for people."""


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that makes the kernel send `death_signal` to the child when we die, however we die.

    Linux only; elsewhere None, and what is left over is found by its process id at the next start. The tie is to the
    thread that starts the child, so children are started from the main thread.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and prctl
            os.kill(os.getpid(), death_signal)

    return tie


def is_listening(port: int) -> bool:
    """Return whether something answers at this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Service:
    """One embedded server process.

    Attributes:
        name: what people call it.
        command: the argument list.
        port: the TCP port on 127.0.0.1 that it listens on.
        log: the file that takes its output.
        stop_signal: what asks it to end well.
        options: further keyword arguments of `subprocess.Popen`.
    """

    name: str
    command: Sequence[str]
    port: int
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    options: dict[str, Any] = field(default_factory=dict)

    def start(self, *, timeout_s: float = 30) -> subprocess.Popen[bytes]:
        """Start the process and return it once its port answers.

        Raises:
            ServiceFailed: it ended, or did not listen in time; carries the last lines of its log.
        """
        process = self.spawn()
        deadline = time.monotonic() + timeout_s
        while process.poll() is None and time.monotonic() < deadline:
            if is_listening(self.port):
                return process
            time.sleep(0.02)
        self.stop(process)
        raise ServiceFailed(f"{self.name} did not start. Its log ({self.log}) ends with: {self.log_tail()}")

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process without waiting for it. It dies with us."""
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own argument list
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(self.stop_signal),
                **self.options,
            )

    def stop(self, process: subprocess.Popen[bytes], *, timeout_s: float = 15) -> None:
        """Ask the process to end, and end it by force when it does not."""
        if process.poll() is None:
            process.send_signal(self.stop_signal)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log_tail(self, lines: int = 3) -> str:
        """Return the last lines of the log as one line of text."""
        if not self.log.exists():
            return "(empty)"
        return " / ".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
