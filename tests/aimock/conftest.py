"""Runs `@copilotkit/aimock`, somebody else's stand-in for the providers, for the tests of this folder.

They are collected only where the variable AIMOCK names its program, as `make test-wire` does after installing it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = os.environ.get("AIMOCK", "")
collect_ignore_glob = [] if PROGRAM else ["test_*.py"]
STARTS_WITHIN_S = 20


@dataclass
class AIMock:
    """The running program, told over HTTP what to answer."""

    url: str

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    def answers(self, *fixtures: dict[str, Any]) -> None:
        """Answer by these fixtures; of those that match, the first wins."""
        self._post("fixtures", {"fixtures": list(fixtures)})

    def misbehaves(self, **rates: float) -> None:
        """Break calls with these probabilities, such as `disconnectRate=1`."""
        self._post("chaos", rates)

    def forget(self) -> None:
        """Start anew."""
        self._post("reset", {})

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What was asked since `forget`."""
        with urllib.request.urlopen(f"{self.url}/__aimock/journal") as answer:
            journal = json.load(answer)
        entries = journal if isinstance(journal, list) else journal["entries"]
        return [entry for entry in entries if "__aimock" not in entry["path"]]

    def _post(self, what: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            f"{self.url}/__aimock/{what}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request).close()


@pytest.fixture(scope="session")
def running_aimock(tmp_path_factory) -> Iterator[AIMock]:
    folder: Path = tmp_path_factory.mktemp("aimock")
    (folder / "none.json").write_text('{"fixtures": []}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["node", PROGRAM, "--port", str(port), "--fixtures", str(folder), "--log-level", "silent"]
    process = subprocess.Popen([*command, "--chunk-size", "8"], cwd=folder)
    try:
        mock = AIMock(f"http://127.0.0.1:{port}")
        _wait_for(mock, process)
        yield mock
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def aimock(running_aimock: AIMock) -> AIMock:
    running_aimock.forget()
    return running_aimock


def _wait_for(mock: AIMock, process: subprocess.Popen) -> None:
    end = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            urllib.request.urlopen(f"{mock.url}/__aimock/health").close()
        except OSError:
            assert process.poll() is None, "aimock did not start"
            assert time.monotonic() < end, "aimock takes too long to start"
            time.sleep(0.05)
        else:
            return
