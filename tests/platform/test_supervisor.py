"""The supervisor with small programs: kept alive, told about, and gone together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pulsequill.supervisor import Program, Supervisor, end_leftovers, how_it_ended, recorded_processes
from tests.waiting import wait_until

FOREVER = "import time\nwhile True: time.sleep(60)"
DEAF = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\n" + FOREVER


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    made = Supervisor(record=tmp_path / "children", say=said.append)
    yield made
    made.stop()


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Program]:
    def make(name: str, code: str, **options: object) -> Program:
        command = (sys.executable, "-c", code)
        return Program(name=name, label=name.capitalize(), command=command, log=tmp_path / f"{name}.log", **options)

    return make


def test_it_starts_again_what_died_and_says_why(supervisor: Supervisor, program, said: list[str]) -> None:
    supervisor.start(program("liar", "print('the reason'); raise SystemExit(3)"))
    assert supervisor.wait(lambda: len([line for line in said if "ended with code 3" in line]) > 1, timeout_s=20)
    assert said[0] == "Liar ended with code 3; starting it again in 0.5 s."
    assert "  liar | the reason" in said
    assert "Liar ended with code 3; starting it again in 1 s." in said


def test_a_killed_child_takes_its_own_children_with_it(supervisor: Supervisor, program, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {FOREVER!r}])\n"
        f"open({str(tmp_path / 'grandchild')!r}, 'w').write(str(child.pid))\n{FOREVER}"
    )
    supervisor.start(program("parent", code))
    path = tmp_path / "grandchild"
    assert supervisor.wait(lambda: path.exists() and path.read_text(), timeout_s=20)
    grandchild = psutil.Process(int(path.read_text()))
    os.kill(recorded_processes(tmp_path / "children")[0].pid, signal.SIGKILL)
    assert supervisor.wait(
        lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE, timeout_s=10
    )


def test_a_child_that_does_not_listen_is_ended_by_force_after_its_patience(
    supervisor: Supervisor, program, tmp_path: Path
) -> None:
    supervisor.start(program("deaf", DEAF, patience_s=0.3))
    log = tmp_path / "deaf.log"
    assert supervisor.wait(lambda: "deaf" in log.read_text(), timeout_s=20)
    process = recorded_processes(tmp_path / "children")[0]
    supervisor.stop()
    assert not process.is_running()
    assert recorded_processes(tmp_path / "children") == []


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    record = tmp_path / "children"
    script = f"""
import sys, time
from pathlib import Path
from pulsequill.supervisor import Program, Supervisor
supervisor = Supervisor(record=Path({str(record)!r}), say=print)
supervisor.start(Program("child", "Child", (sys.executable, "-c", {FOREVER!r}), Path({str(tmp_path / "log")!r})))
print("up", flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None and parent.stdout.readline() == "up\n"
    children = recorded_processes(record)
    assert len(children) == 1
    parent.kill()
    parent.wait()
    if sys.platform == "linux":  # elsewhere the next start finds them
        _gone, living = psutil.wait_procs(children, timeout=10)
        assert living == []
    assert end_leftovers(record, patience_s=2) in {0, 1}
    wait_until(lambda: recorded_processes(record) == [], timeout_s=10, what="no child is left")


def test_a_process_number_that_now_belongs_to_somebody_else_is_left_alone(tmp_path: Path) -> None:
    record = tmp_path / "children"
    record.write_text(f'[{{"name": "web", "pid": {os.getpid()}, "born": 12345.0}}]')
    assert end_leftovers(record) == 0


def test_a_log_that_grows_too_large_keeps_one_old_copy(
    supervisor: Supervisor, program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulsequill.supervisor.LOG_BYTES", 50)
    supervisor.start(program("wordy", "print('x' * 100, flush=True)\n" + FOREVER))
    assert supervisor.wait((tmp_path / "wordy.log.1").exists, timeout_s=20)
    assert (tmp_path / "wordy.log").stat().st_size == 0


def test_exit_codes_are_put_in_words() -> None:
    assert how_it_ended(2) == "ended with code 2"
    assert how_it_ended(-9) == "was ended by SIGKILL"
