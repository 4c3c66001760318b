"""A whole PulseQuill for tests: `manage.py serve` in a folder of its own, as a newcomer would run it."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil
import pytest

from pulsequill.demo_data.people import OPERATOR, PASSWORD, PEOPLE
from tests.fakes.llm_server import LLMServer

ROOT = Path(__file__).resolve().parent.parent
#: Variables of the machine that would make the instance another one than a newcomer's.
NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "PULSEQUILL_HOME", "LOG_LEVEL", "SEED_DEMO",
                 "EMAIL_PROVIDER", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "DJANGO_SETTINGS_MODULE")  # fmt: skip
START_S = 240


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Instance:
    """One running PulseQuill.

    Attributes:
        url: where its pages are.
        home: its data folder; logs are in `home/logs`.
        sign_ins: role -> (address, password) of the demo's people and of the `operator`.
        output: every line it printed so far.
        model: who answers in place of OpenAI and Anthropic, for workspaces with a key of their own.
    """

    url: str
    home: Path
    process: subprocess.Popen[str]
    sign_ins: dict[str, tuple[str, str]]
    output: list[str] = field(default_factory=list)
    model: LLMServer = field(default_factory=LLMServer)

    def pid_of(self, name: str) -> int | None:
        """Return the process id of a child such as `web` or `postgresql`; None while it is being started again."""
        try:
            rows = json.loads((self.home / "serve.children").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None
        pid = next((row["pid"] for row in rows if row["name"] == name), None)
        return pid if pid and psutil.pid_exists(pid) and _is_alive(pid) else None

    def get(self, path: str, **headers: str) -> int:
        """GET a path and return the status; 0 when nobody answers."""
        try:
            with urlopen(Request(self.url + path, headers=headers), timeout=30) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except (URLError, OSError, HTTPException):
            return 0

    def is_ready(self) -> bool:
        """Return whether `/readyz` says yes."""
        return self.get("/readyz") == 200

    def family(self) -> list[psutil.Process]:
        """Return the supervisor and everything below it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def said(self, text: str) -> bool:
        """Return whether it printed this."""
        return any(text in line for line in self.output)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(100)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def command_environment(home: Path, port: int, **variables: str) -> dict[str, str]:
    """Return the environment of a command that shall see this home and nothing of this machine."""
    inherited = {name: text for name, text in os.environ.items() if name not in NOT_INHERITED}
    return {**inherited, "PULSEQUILL_HOME": str(home), "PORT": str(port), **variables}


@contextmanager
def running(home: Path, *, port: int | None = None, **variables: str) -> Iterator[Instance]:
    """Run an instance on `home` until the block ends.

    Raises:
        AssertionError: it did not become ready; carries what it printed.
    """
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=command_environment(home, port, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    instance = Instance(
        url=f"http://localhost:{port}",
        home=home,
        process=process,
        sign_ins={person.role or "operator": (person.email, PASSWORD) for person in (*PEOPLE, OPERATOR)},
    )
    is_ready: queue.Queue[bool] = queue.Queue()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            instance.output.append(line)
            if "PulseQuill is ready" in line:
                is_ready.put(True)
        is_ready.put(False)

    threading.Thread(target=listen, daemon=True).start()
    try:
        try:
            started = is_ready.get(timeout=START_S)
        except queue.Empty:
            started = False
        assert started, "".join(instance.output[-40:])
        yield instance
    finally:
        instance.stop()


@pytest.fixture(scope="session")
def instance() -> Iterator[Instance]:
    """A running PulseQuill with the demo workspace and without a key, shared by all tests of the run."""
    with (
        tempfile.TemporaryDirectory(prefix="pulsequill-instance-", ignore_cleanup_errors=True) as folder,
        LLMServer() as model,
        running(
            Path(folder), OPENAI_BASE_URL=model.openai_url, ANTHROPIC_BASE_URL=model.url, EMBEDDER="lexical"
        ) as started,
    ):
        started.model = model
        yield started
