"""A sending worker without Celery: reads campaign ids from its input, sends each, and tells how much memory it has.

Run as `python -m pulsequill.benchmarks.sender_process`. Starting a process takes a second of imports that is no part of
sending, so the benchmarks start their workers once and give them one campaign after another.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from uuid import UUID

import psutil

from pulsequill.env import BASE_DIR


class SenderProcesses:
    """Some workers that wait for campaigns."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    def send(self, campaign_id: UUID, *, workers: int) -> int:
        """Let the first `workers` of them send a campaign together.

        Returns:
            Bytes of memory of the largest, when all of it has been sent.
        """
        self.begin(campaign_id, workers=workers)
        return max(int(_line(process)) for process in self._processes[:workers])

    def begin(self, campaign_id: UUID, *, workers: int = 1) -> None:
        """Let the first `workers` of them send a campaign, without waiting for the end."""
        for process in self._processes[:workers]:
            assert process.stdin is not None
            process.stdin.write(f"{campaign_id}\n".encode())
            process.stdin.flush()

    def stop(self, number: signal.Signals) -> None:
        """End all of them by a signal, whatever they are doing."""
        for process in self._processes:
            process.send_signal(number)
            process.wait()


def _line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("A sending worker has ended.")
    return line


@contextmanager
def sender_processes(count: int, **environment: str) -> Iterator[SenderProcesses]:
    """Run `count` workers for the length of the block, with further environment variables."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", __name__],
                    cwd=BASE_DIR,
                    env={**os.environ, **environment},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            for _ in range(count)
        ]
        for process in started:
            stack.callback(process.terminate)
            _line(process)
        yield SenderProcesses(started)


def main() -> None:
    """Send one campaign after another until there is no more input."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pulsequill.settings")
    import django

    django.setup()
    from campaigns.delivery import pipeline

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        while pipeline.deliver(campaign_id=line.strip()):
            pass
        sys.stdout.write(f"{psutil.Process().memory_info().rss}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
