"""Keeping child processes alive: started together, started again when they die, stopped together.

Needs neither Django nor the database: it is what is still standing when they are not. One thread, one loop.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from pulsequill.embedded.service import die_with_parent

TICK_S = 0.1
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
#: A child that lived this long has recovered: its next death starts again with the first pause.
STEADY_S = 60.0
LOG_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Program:
    """What to run and how to end it.

    Attributes:
        name: short, for logs: `web`.
        label: for sentences: `The web server`.
        command: the argument list.
        log: the file that takes its output.
        patience_s: how long it may take to stop.
        stop_signal: what asks it to stop; it is also sent when the supervisor itself dies.
        options: further keyword arguments of `subprocess.Popen`.
    """

    name: str
    label: str
    command: Sequence[str]
    log: Path
    patience_s: float = 10
    stop_signal: signal.Signals = signal.SIGTERM
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    started_at: float
    deaths: int = 0
    start_again_at: float | None = None


def _end_group(pid: int) -> None:
    """Kill what is left of a child's process group: it was made a session leader, so the group is all its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def how_it_ended(code: int) -> str:
    """Return an exit code in words."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of a log, without reading all of it."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 16_384))
            return log.read().decode(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


class Supervisor:
    """Runs programs until it is asked to stop.

    Args:
        record: a file that lists our children, so that the next start finds what a crash left over.
        say: takes one sentence for the person at the terminal.
    """

    def __init__(self, *, record: Path, say: Callable[[str], None]) -> None:
        self._record = record
        self._say = say
        self._children: dict[str, _Child] = {}
        self.is_stopping = False
        self._is_hurried = False

    # --- signals

    def listen(self) -> None:
        """Take Ctrl-C, SIGTERM and SIGHUP as the wish to stop; a second one is an order to hurry."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: Any) -> None:
        self._is_hurried = self.is_stopping
        self.is_stopping = True

    # --- starting

    def start(self, program: Program) -> None:
        """Start a program. From now on it is kept alive."""
        self._children[program.name] = _Child(program, self._spawn(program), time.monotonic())
        self._write_record()

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the program table's argument list
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal reaches us alone
                preexec_fn=die_with_parent(program.stop_signal),
                **program.options,
            )

    def run_once(self, program: Program, *, timeout_s: float) -> int:
        """Run a program to its end while the others are looked after; returns its exit code.

        It is ended when the time is over or somebody asks to stop.
        """
        process = self._spawn(program)
        self.wait(lambda: process.poll() is not None, timeout_s=timeout_s)
        if process.poll() is None:
            process.terminate()
        try:
            return process.wait(program.patience_s)
        except subprocess.TimeoutExpired:
            _end_group(process.pid)
            return process.wait()

    def is_running(self, name: str) -> bool:
        """Return whether a program's process is alive at this moment."""
        return name in self._children and self._children[name].process.poll() is None

    # --- keeping alive

    def tick(self) -> None:
        """Look after every child once: say who died, start again whose pause is over, keep the logs small."""
        now = time.monotonic()
        for child in self._children.values():
            if child.start_again_at is None:
                code = child.process.poll()
                if code is not None:
                    self._plan_restart(child, code, now)
            elif now >= child.start_again_at:
                child.process = self._spawn(child.program)
                child.started_at, child.start_again_at = now, None
                self._write_record()
            self._trim(child.program.log)

    def _plan_restart(self, child: _Child, code: int, now: float) -> None:
        _end_group(child.process.pid)
        if now - child.started_at > STEADY_S:
            child.deaths = 0
        pause = min(FIRST_PAUSE_S * 2**child.deaths, LONGEST_PAUSE_S)
        child.deaths += 1
        child.start_again_at = now + pause
        self._say(f"{child.program.label} {how_it_ended(code)}; starting it again in {pause:g} s.")
        if code > 0:
            for line in last_lines(child.program.log, 5):
                self._say(f"  {child.program.name} | {line}")

    @staticmethod
    def _trim(log: Path) -> None:
        """Keep one old copy. The child appends, so an emptied file simply grows again from the start."""
        with contextlib.suppress(OSError):
            if log.stat().st_size > LOG_BYTES:
                shutil.copyfile(log, log.with_suffix(log.suffix + ".1"))
                os.truncate(log, 0)

    def wait(self, until: Callable[[], bool], *, timeout_s: float) -> bool:
        """Look after the children until `until()` holds.

        Returns:
            False when the time is over or somebody asked to stop.
        """
        deadline = time.monotonic() + timeout_s
        while not self.is_stopping and time.monotonic() < deadline:
            self.tick()
            if until():
                return True
            time.sleep(TICK_S)
        return False

    def run(self, *, each_tick: Callable[[], None]) -> None:
        """Look after the children until somebody asks to stop."""
        while not self.is_stopping:
            self.tick()
            each_tick()
            time.sleep(TICK_S)

    # --- stopping

    def stop(self, *, excluding: Collection[str] = ()) -> None:
        """Stop all programs but these together, each with its own patience, then by force."""
        children = [child for name, child in self._children.items() if name not in excluding]
        asked_at = time.monotonic()
        for child in children:
            if child.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    child.process.send_signal(child.program.stop_signal)
        has_said = False
        while living := [child for child in children if child.process.poll() is None]:
            waited = time.monotonic() - asked_at
            for child in living:
                if self._is_hurried or waited > child.program.patience_s:
                    child.process.kill()
            if waited > 5 and not has_said:
                has_said = True
                busy = ", ".join(child.program.name for child in living)
                self._say(f"Waiting for {busy} to finish what is under way; Ctrl-C again ends it at once.")
            time.sleep(TICK_S / 2)
        for child in children:
            _end_group(child.process.pid)
            del self._children[child.program.name]
        self._write_record()

    # --- what a crash leaves over

    def _write_record(self) -> None:
        rows = []
        for child in self._children.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                born = psutil.Process(child.process.pid).create_time()
                rows.append({"name": child.program.name, "pid": child.process.pid, "born": born})
        draft = self._record.with_suffix(".draft")
        draft.write_text(json.dumps(rows), encoding="ascii")
        draft.replace(self._record)


def recorded_processes(record: Path) -> list[psutil.Process]:
    """Return the processes of a record that still run; a number that now belongs to another process is left out."""
    try:
        rows = json.loads(record.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return []
    living = []
    for row in rows:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(row["pid"])
            if abs(process.create_time() - row["born"]) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                living.append(process)
    return living


def end_leftovers(record: Path, *, patience_s: float = 10) -> int:
    """End what an earlier supervisor that was killed left running; returns how many processes there were."""
    leftovers = recorded_processes(record)
    _gone, stubborn = psutil.wait_procs(leftovers, timeout=patience_s / 2)  # the kernel has told them already
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _gone, stubborn = psutil.wait_procs(stubborn, timeout=patience_s / 2)
    for process in stubborn:
        _end_group(process.pid)
    return len(leftovers)
