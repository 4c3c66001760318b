"""`manage.py serve`: all of PulseQuill under one supervisor, for a first look and for a single machine.

Starts what is not there already (PostgreSQL, Valkey), prepares the database, runs every process of
`pulsequill.processes`, waits until the whole is ready, says where it is, and stops everything when asked to.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.error import URLError
from urllib.request import urlopen

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from pulsequill import surroundings
from pulsequill.embedded import postgres, valkey
from pulsequill.embedded.addresses import postgres_url
from pulsequill.embedded.ports import keep_or_change
from pulsequill.embedded.service import Service, ServiceFailed, is_listening
from pulsequill.env import BASE_DIR, VARIABLES, BadEnvironment, value
from pulsequill.processes import PROCESSES
from pulsequill.supervisor import Program, Supervisor, end_leftovers, how_it_ended, last_lines

READY_S = 180
ASK_EVERY_S = 0.5
PREPARE_S = 600
EMBEDDED = {"PostgreSQL": postgres, "Valkey": valkey}
LOW_DISK_BYTES = 200 * 1024 * 1024


class CannotStart(Exception):
    """One sentence: why this run ends before it began."""


class _Terminal:
    """What the person sees. A terminal that went away must not end the processes behind it."""

    def __init__(self) -> None:
        self._console = Console(stderr=False, highlight=False, soft_wrap=True)
        self._began = time.monotonic()

    def print(self, *things: Any) -> None:
        with contextlib.suppress(OSError):
            self._console.print(*things)

    def step(self, text: str) -> None:
        self.print(f"[green]✓[/] {text} [dim]{time.monotonic() - self._began:.1f} s[/]")

    def say(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._console.print(f"{time.strftime('%H:%M:%S')} {text}", style="yellow", markup=False)


@contextlib.contextmanager
def _only_one(home: Path, url: str) -> Iterator[None]:
    """Hold the lock of this data folder. The kernel lets go of it when we end, so it cannot go stale.

    Raises:
        CannotStart: another PulseQuill runs on it.
    """
    with (home / "serve.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(f"PulseQuill runs already on {home}: {_first_line(lock)}.") from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {url}\n")
        lock.flush()
        yield


def _first_line(file: IO[str]) -> str:
    file.seek(0)
    return file.readline().strip() or "another process holds its lock"


def _program(service: Service) -> Program:
    return Program(
        name=service.name.lower(),
        label=service.name,
        command=service.command,
        log=service.log,
        patience_s=20,
        stop_signal=service.stop_signal,
        options=service.options,
    )


def _readiness(url: str) -> tuple[bool, dict[str, str]]:
    """Return whether `/readyz` is content, and what it complains about."""
    try:
        with urlopen(url, timeout=15):  # noqa: S310 - our own http address
            return True, {}
    except URLError as error:
        if not hasattr(error, "read"):
            return False, {"web": "The web server does not answer yet."}
        try:
            checks = json.loads(error.read())["checks"]
        except (ValueError, KeyError, TypeError):
            return False, {"web": f"The web server answers {error}."}
        return False, {name: check["detail"] for name, check in checks.items() if not check["ok"]}
    except OSError:
        return False, {"web": "The web server does not answer yet."}


class _LogFollower:
    """Shows what the processes write to their logs, each line with its name."""

    def __init__(self, terminal: _Terminal, logs: dict[str, Path]) -> None:
        self._terminal = terminal
        self._logs = logs
        self._read_to = {name: log.stat().st_size if log.exists() else 0 for name, log in logs.items()}

    def show_new(self) -> None:
        for name, path in self._logs.items():
            if not path.exists() or path.stat().st_size == self._read_to[name]:
                continue
            with path.open("rb") as log:
                log.seek(self._read_to[name] if path.stat().st_size > self._read_to[name] else 0)
                text = log.read()
                self._read_to[name] = log.tell()
            for line in text.decode(errors="replace").splitlines():
                sys.stderr.write(f"{name:>10} | {line}\n")


class Serve:
    """One run of `manage.py serve`."""

    def __init__(self, *, is_verbose: bool) -> None:
        self.home = Path(value("PULSEQUILL_HOME")).resolve()
        self.host: str = value("HOST")
        self.port: int = value("PORT")
        self.url = (value("PUBLIC_URL") or f"http://localhost:{self.port}").rstrip("/")
        self.logs = self.home / "logs"
        self.terminal = _Terminal()
        self.supervisor = Supervisor(record=self.home / "serve.children", say=self.terminal.say)
        self.is_verbose = is_verbose
        self.embedded = [
            name for name, variable in (("PostgreSQL", "DATABASE_URL"), ("Valkey", "REDIS_URL")) if not value(variable)
        ]
        self._follower: _LogFollower | None = None
        self._is_disk_low = False

    def check(self) -> None:
        """Refuse, with a reason, what cannot work.

        Raises:
            Unfit: what is wrong around us and how to mend it.
            BadEnvironment: a variable holds something that it cannot.
        """
        surroundings.check_python()
        for variable in VARIABLES:  # each reads as its type, or says that it does not
            value(variable.name)
        surroundings.check_home(self.home)
        surroundings.check_disk(self.home)
        surroundings.check_port(self.host, self.port)
        if "PostgreSQL" not in self.embedded:
            surroundings.check_database_url(value("DATABASE_URL"))
        if "Valkey" not in self.embedded:
            surroundings.check_redis_url(value("REDIS_URL"))

    def run(self) -> int:
        """Start, wait, stay, stop.

        Returns:
            0 when asked to stop, 1 when the start failed.

        Raises:
            Unfit, CannotStart, ServiceFailed: one sentence each.
        """
        surroundings.check_home(self.home)
        with _only_one(self.home, self.url):
            self.check()
            if count := end_leftovers(self.home / "serve.children"):
                self.terminal.say(f"An earlier run was killed; {count} processes that it left have been ended.")
            self.supervisor.listen()
            try:
                is_ready = self._start()
                if is_ready:
                    self._welcome()
                    self.supervisor.run(each_tick=self._each_tick)
                return 0 if is_ready or self.supervisor.is_stopping else 1
            finally:
                self._stop()

    # --- starting

    def _start(self) -> bool:
        """Start everything; False when it did not become ready, or was asked to stop before."""
        self._start_embedded()
        environment = self._environment()
        if self.is_verbose:
            self._follower = _LogFollower(
                self.terminal, {process.name: self.logs / f"{process.name}.log" for process in PROCESSES}
            )
        # These spend their first seconds importing and ask the database for nothing by themselves; meanwhile it is
        # made ready for them. Beat and the consumer use it at once, so they come after.
        for name in ("web", "worker", "ai"):
            self._start_process(name, environment)
        if not self._prepare(environment):
            return False
        for name in ("beat", "consumer"):
            self._start_process(name, environment)
        return self._wait_until_ready()

    def _start_embedded(self) -> None:
        services: list[Service] = []
        for name in self.embedded:
            keep_or_change("postgres" if name == "PostgreSQL" else "valkey", self.home)
            service = EMBEDDED[name].service(self.home)
            self.supervisor.start(_program(service))
            services.append(service)
        for service in services:
            self.supervisor.wait(partial(self._is_up_or_dead, service), timeout_s=60)
            if not is_listening(service.port) and not self.supervisor.is_stopping:
                raise ServiceFailed(f"{service.name} did not start. Its log ({service.log}) ends: {service.log_tail()}")
        if "PostgreSQL" in self.embedded and not self.supervisor.is_stopping:
            postgres.make_database(postgres_url(self.home))
        if services:
            self.terminal.step(" and ".join(service.name for service in services) + " run")

    def _is_up_or_dead(self, service: Service) -> bool:
        return not self.supervisor.is_running(service.name.lower()) or is_listening(service.port)

    def _environment(self) -> dict[str, str]:
        metrics = self.home / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        for folder in (metrics, self.home / "static", self.home / "media"):
            folder.mkdir(exist_ok=True)
        environment = dict(os.environ)
        environment.setdefault("LOG_FORMAT", "console")
        # Counters of all processes together, so that /metrics of the web server shows the workers' too.
        environment.setdefault("PROMETHEUS_MULTIPROC_DIR", str(metrics))
        environment["PYTHONUNBUFFERED"] = "1"
        return environment

    def _start_process(self, name: str, environment: dict[str, str]) -> None:
        if self.supervisor.is_stopping:
            return
        process = next(process for process in PROCESSES if process.name == name)
        self.supervisor.start(
            Program(
                name=process.name,
                label=process.label,
                command=process.command,
                log=self.logs / f"{process.name}.log",
                patience_s=process.patience_s,
                stop_signal=process.stop_signal,
                options={"cwd": BASE_DIR, "env": environment},
            )
        )

    def _prepare(self, environment: dict[str, str]) -> bool:
        """Migrate and seed in a process of its own, which takes the memory with it when it ends."""
        log = self.logs / "prepare.log"
        program = Program(
            name="prepare",
            label="The preparation of the database",
            command=(sys.executable, "manage.py", "prepare"),
            log=log,
            options={"cwd": BASE_DIR, "env": environment},
        )
        code = self.supervisor.run_once(program, timeout_s=PREPARE_S)
        if code == 0:
            self.terminal.step("The database is up to date")
            return True
        if not self.supervisor.is_stopping:
            reason = last_lines(log, 1)
            raise CannotStart(
                f"The database could not be prepared: {reason[0] if reason else how_it_ended(code)} (all of it: {log})"
            )
        return False

    def _wait_until_ready(self) -> bool:
        host = "127.0.0.1" if self.host in {"0.0.0.0", "localhost", ""} else self.host  # noqa: S104 - compared, not bound
        url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/readyz"
        complaints: dict[str, str] = {}
        ask_at = 0.0

        def is_ready() -> bool:
            nonlocal complaints, ask_at
            self._show_logs()
            if time.monotonic() < ask_at:
                return False
            ready, complaints = _readiness(url)
            ask_at = time.monotonic() + ASK_EVERY_S
            return ready

        if self.supervisor.wait(is_ready, timeout_s=READY_S):
            self.terminal.step("Web server, workers, beat and event consumer are ready")
            return True
        if not self.supervisor.is_stopping:
            reasons = " ".join(complaints.values())
            raise CannotStart(f"PulseQuill did not become ready within {READY_S} s: {reasons} Logs: {self.logs}")
        return False

    # --- staying

    def _welcome(self) -> None:
        rows = Table.grid(padding=(0, 2))
        rows.add_row("Open", f"[bold link={self.url}]{self.url}[/]")
        rows.add_row("Admin", f"{self.url}/admin/")
        rows.add_row("API", f"{self.url}/v1/docs")
        if value("SEED_DEMO"):
            for label, email, password in demo_sign_ins():
                rows.add_row(label, f"{email}  [dim]password[/]  {password}")
        rows.add_row("Data", f"{self.home}  [dim]logs in logs/[/]")
        rows.add_row("Stop", "Ctrl-C")
        self.terminal.print(Panel(rows, title="PulseQuill is ready", border_style="green", expand=False))

    def _show_logs(self) -> None:
        if self._follower:
            self._follower.show_new()

    def _each_tick(self) -> None:
        self._show_logs()
        is_low = shutil.disk_usage(self.home).free < LOW_DISK_BYTES
        if is_low and not self._is_disk_low:
            self.terminal.say(f"The disk of {self.home} is nearly full: PostgreSQL will stop when it is.")
        self._is_disk_low = is_low

    # --- stopping

    def _stop(self) -> None:
        self.terminal.print("[dim]Stopping …[/]")
        services = {name.lower() for name in self.embedded}
        self.supervisor.is_stopping = True
        self.supervisor.stop(excluding=services)
        self.supervisor.stop()
        (self.home / "serve.children").unlink(missing_ok=True)
        self.terminal.print("Stopped; the data stays in " + str(self.home))


def demo_sign_ins() -> list[tuple[str, str, str]]:
    """Return label, address and password of everybody in the demo workspace."""
    from pulsequill.demo_data.people import OPERATOR, PASSWORD, PEOPLE

    return [(person.label, person.email, PASSWORD) for person in (*PEOPLE, OPERATOR)]


def main(arguments: Sequence[str]) -> int:
    """Run `serve`; returns the exit code. Every reason not to start is one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="manage.py serve", description="Run all of PulseQuill until Ctrl-C.")
    parser.add_argument("-v", "--verbose", action="store_true", help="Show what every process logs.")
    options, _django_options = parser.parse_known_args(arguments)
    try:
        return Serve(is_verbose=options.verbose).run()
    except (surroundings.Unfit, CannotStart, ServiceFailed, BadEnvironment) as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
