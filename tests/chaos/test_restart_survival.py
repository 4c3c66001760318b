"""What a running PulseQuill survives: the death of any of its processes, of its database and of itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import psutil
import pytest

from tests.instance import ROOT, Instance, command_environment, free_port, running
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)
RECOVERY_S = 60
ACCOUNT = {"email": "chaos@harbour.example", "password": "a good long password 42", "workspace_name": "Harbour"}


def call(url: str, body: dict[str, str]) -> dict[str, str]:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chaos")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # PostgreSQL's own user must be able to reach its folder
    return folder


@pytest.fixture(scope="module")
def chaos(home: Path) -> Iterator[Instance]:
    with running(home, SEED_DEMO="0") as instance:
        call(f"{instance.url}/v1/auth/register", ACCOUNT)
        yield instance


@pytest.fixture
def signed_in(chaos: Instance) -> dict[str, str]:
    wait_until(chaos.is_ready, timeout_s=RECOVERY_S, what="ready before the test")
    pair = call(f"{chaos.url}/v1/auth/token", ACCOUNT)
    return {"Authorization": f"Bearer {pair['access']}"}


def kill(instance: Instance, name: str) -> int:
    pid = instance.pid_of(name)
    assert pid, f"{name} does not run"
    os.kill(pid, signal.SIGKILL)
    return pid


def others(instance: Instance, *names: str) -> dict[str, int | None]:
    kinds = {"web", "worker", "ai", "beat", "consumer", "postgresql", "valkey"} - set(names)
    return {name: instance.pid_of(name) for name in kinds}


@contextmanager
def outage(instance: Instance, name: str) -> Iterator[None]:
    """Kill a child, and keep the supervisor from starting it again until the block ends."""
    instance.process.send_signal(signal.SIGSTOP)
    try:
        kill(instance, name)
        yield
    finally:
        instance.process.send_signal(signal.SIGCONT)


def test_a_request_waits_out_a_short_restart_of_postgresql(chaos: Instance, signed_in: dict[str, str]) -> None:
    """Before the other deaths: the supervisor pauses twice as long when a program dies again within a minute."""
    kill(chaos, "postgresql")
    assert chaos.get("/v1/me", **signed_in) == 200


def test_requests_answer_503_while_postgresql_is_dead_and_recover_by_themselves(
    chaos: Instance, signed_in: dict[str, str]
) -> None:
    before = others(chaos, "postgresql")
    with outage(chaos, "postgresql"):
        assert chaos.get("/v1/me", **signed_in) == 503
        assert chaos.get("/sign-in") in {200, 503}
        assert chaos.get("/contacts", Cookie="session=nobody", Accept="text/html") == 503
        assert chaos.get("/readyz") == 503
        assert chaos.get("/healthz") == 200
    wait_until(lambda: chaos.get("/v1/me", **signed_in) == 200, timeout_s=RECOVERY_S, what="an answer again")
    wait_until(chaos.is_ready, timeout_s=RECOVERY_S, what="ready again")
    assert others(chaos, "postgresql") == before, "something else was restarted too"
    assert chaos.said("PostgreSQL was ended by SIGKILL; starting it again")


def test_valkey_may_die_without_taking_anything_with_it(chaos: Instance, signed_in: dict[str, str]) -> None:
    before = others(chaos, "valkey")
    with outage(chaos, "valkey"):
        assert chaos.get("/v1/me", **signed_in) in {200, 503}
        assert chaos.get("/sign-in") in {200, 503}
        assert chaos.get("/readyz") == 503
        assert chaos.get("/healthz") == 200
    wait_until(lambda: chaos.get("/v1/me", **signed_in) == 200, timeout_s=RECOVERY_S, what="an answer again")
    wait_until(chaos.is_ready, timeout_s=RECOVERY_S, what="ready again")
    assert others(chaos, "valkey") == before, "something else was restarted too"
    assert chaos.said("Valkey was ended by SIGKILL; starting it again")


@pytest.mark.parametrize("name", ["web", "worker", "ai", "beat", "consumer"])
def test_a_process_that_dies_is_started_again_and_said_aloud(chaos: Instance, name: str) -> None:
    wait_until(chaos.is_ready, timeout_s=RECOVERY_S, what="ready before the test")
    old = kill(chaos, name)
    wait_until(
        lambda: (pid := chaos.pid_of(name)) and pid != old, timeout_s=RECOVERY_S, what=f"a new process for {name}"
    )
    wait_until(chaos.is_ready, timeout_s=RECOVERY_S, what="ready again")
    assert chaos.said("was ended by SIGKILL; starting it again")


def serve(home: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=command_environment(home, port, SEED_DEMO="0"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_one_on_the_same_data_is_refused_in_one_sentence(chaos: Instance) -> None:
    answer = serve(chaos.home, free_port())
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert f"PulseQuill runs already on {chaos.home}: process {chaos.process.pid}, {chaos.url}" in answer.stderr


def test_a_port_in_use_is_refused_in_one_sentence(chaos: Instance, tmp_path: Path) -> None:
    port = int(chaos.url.rsplit(":", 1)[1])
    answer = serve(tmp_path, port)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"Port {port} of 127.0.0.1 is in use by another program.")
    assert answer.stderr.count("\n") == 1


def test_killed_it_leaves_nobody_behind_and_starts_again_on_the_same_data(chaos: Instance, home: Path) -> None:
    wait_until(chaos.is_ready, timeout_s=RECOVERY_S, what="ready before the test")
    family = chaos.family()
    chaos.process.kill()
    _gone, orphans = psutil.wait_procs(family, timeout=30)
    assert [process.cmdline() for process in orphans] == []

    with running(home, SEED_DEMO="0") as again:
        assert call(f"{again.url}/v1/auth/token", ACCOUNT)["access"]
        family = again.family()
        assert again.stop(signal.SIGTERM) == 0
        _gone, orphans = psutil.wait_procs(family, timeout=5)
        assert [process.cmdline() for process in orphans] == []
    assert not (home / "serve.children").exists()
