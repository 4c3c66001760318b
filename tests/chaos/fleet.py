"""The machines that a chaos run has: PostgreSQL, Valkey, Celery workers and beats, all of which it may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import django
import psutil

from pulsequill.embedded import postgres, valkey
from pulsequill.embedded.addresses import postgres_url
from pulsequill.embedded.service import Service, die_with_parent
from pulsequill.processes import CELERY, WORKER

ROOT = Path(__file__).resolve().parent.parent.parent
#: Slices that one worker runs at the same time.
CONCURRENCY = 2


@dataclass
class Machine:
    """An embedded service that can be killed and started again on the same data."""

    service: Service
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, service: Service) -> Machine:
        """Start it."""
        return cls(service, service.start())

    def restart(self) -> None:
        """End it as an administrator would, and start it again."""
        self.service.stop(self.process)
        self.process = self.service.start(timeout_s=60)

    def kill(self) -> None:
        """kill -9, and start it again."""
        self.process.kill()
        self.process.wait()
        self.process = self.service.start(timeout_s=60)

    def stop(self) -> None:
        """End it for good."""
        self.service.stop(self.process)


@dataclass
class Fleet:
    """Workers, beats, consumers and web servers, by name. They die with this process."""

    logs: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    kills: int = 0
    #: Workers that ended by themselves, which Celery's do when the broker dies under them, and were started again.
    deaths: int = 0

    def start(self, name: str) -> None:
        """Start `worker-N`, `beat-N`, `consumer-N` or `web`."""
        commands = {
            "beat": (*CELERY, "beat", "--pidfile=", "--loglevel=WARNING"),
            "worker": (*WORKER[:-1], "--loglevel=WARNING", "-n", f"{name}@%h", "-Q", "default,sending,watch", "-P",
                       "prefork", "-c", str(CONCURRENCY), "-O", "fair"),
            "consumer": (sys.executable, "manage.py", "consume_events"),
            "web": (sys.executable, "-m", "pulsequill.web"),
        }  # fmt: skip
        with (self.logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                commands[name.partition("-")[0]],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    def _children(self, name: str) -> list[psutil.Process]:
        try:
            return psutil.Process(self.processes[name].pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def is_up(self, name: str) -> bool:
        """Return whether a worker has forked its children."""
        return self.processes[name].poll() is None and len(self._children(name)) >= CONCURRENCY

    def kill_worker(self, name: str) -> None:
        """kill -9 a whole process, children first so that none finishes its work as an orphan; start it again."""
        children = self._children(name)
        self.processes[name].send_signal(signal.SIGSTOP)  # it must not start new children meanwhile
        for child in children:
            child.kill()
        self.processes[name].kill()
        self.processes[name].wait()
        psutil.wait_procs(children, timeout=10)
        self.kills += 1
        self.start(name)

    def kill_child(self, name: str) -> None:
        """kill -9 the child of a worker that has used most time; the worker forks another by itself."""
        children = self._children(name)
        if not children:
            self.kill_worker(name)
            return
        max(children, key=_seconds).kill()
        self.kills += 1

    def keep_up(self) -> None:
        """Start again what ended by itself, as a supervisor does."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.deaths += name.startswith("worker")
                self.start(name)

    def stop(self) -> None:
        """End all that were started."""
        families = [process for name in self.processes for process in self._children(name)]
        for started in self.processes.values():
            started.kill()
            started.wait()
        for child in families:
            if child.is_running():
                child.kill()
        psutil.wait_procs(families, timeout=10)


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return -1.0
    return float(times.user + times.system)


def set_stage(stack: ExitStack, *, home: Path, environment: dict[str, str]) -> tuple[dict[str, Machine], Fleet]:
    """Start PostgreSQL and Valkey in a folder, and set Django up on them in this process.

    Args:
        stack: ends everything.
        home: an empty folder that PostgreSQL's own user can reach.
        environment: what this run has apart from the others; this process and the fleet get it.

    Returns:
        The two services by name, and a fleet in which nothing runs yet.
    """
    for name in ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL"):
        os.environ.pop(name, None)
    os.environ |= {
        "PULSEQUILL_HOME": str(home),
        "REQUIRE_VERIFIED_DOMAIN": "0",
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "pulsequill.settings",
        **environment,
    }
    machines = {"PostgreSQL": Machine.start(postgres.service(home)), "Valkey": Machine.start(valkey.service(home))}
    for machine in machines.values():
        stack.callback(machine.stop)
    postgres.make_database(postgres_url(home))
    django.setup()
    fleet = Fleet(logs=home, environment={"LOG_LEVEL": "WARNING"})
    stack.callback(fleet.stop)
    return machines, fleet
