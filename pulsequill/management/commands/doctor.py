"""`manage.py doctor`: what is wrong with this installation, in plain words, with a way to mend it."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

import redis
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table

from pulsequill import surroundings
from pulsequill.core import health
from pulsequill.embedded.addresses import postgres_url
from pulsequill.embedded.service import is_listening
from pulsequill.env import BASE_DIR, value

OK, WARNING, BROKEN = "ok", "warning", "broken"
MARKS = {OK: "[green]✓[/]", WARNING: "[yellow]![/]", BROKEN: "[red]✗[/]"}


@dataclass(frozen=True)
class Finding:
    """One line of the table: what was looked at, how it is, and what to do about it."""

    name: str
    state: str
    detail: str
    fix: str = ""


def _surrounding(name: str, check: Callable[..., str], *args: Any) -> Finding:
    try:
        return Finding(name, OK, check(*args))
    except surroundings.Unfit as unfit:
        return Finding(name, BROKEN, unfit.problem, unfit.fix)


def _packages() -> Finding:
    """Compare what is installed with what `pyproject.toml` asks for, as far as the project's metadata is at hand."""
    import tomllib

    wanted = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    missing = []
    for requirement in map(Requirement, wanted):
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            installed = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(requirement.name)
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            missing.append(f"{requirement.name} {installed}")
    if missing:
        return Finding("Packages", BROKEN, f"Missing or too old: {', '.join(missing)}.", "Run: make run")
    return Finding("Packages", OK, f"All {len(wanted)} are installed")


def _is_running_here() -> bool:
    return is_listening(settings.PORT)


def _database() -> Finding:
    """Ask directly and not through the pool, which would try for longer than a person waits."""
    if not settings.IS_LOCAL_RUN:
        return _surrounding("Database", surroundings.check_database_url, value("DATABASE_URL"))
    if not is_listening(int(settings.DATABASES["default"]["PORT"])):
        return Finding("Database", BROKEN, "The embedded PostgreSQL does not run.", "Run: make run")
    return _surrounding("Database", surroundings.check_database_url, postgres_url(settings.HOME))


def _pgvector() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        row = cursor.fetchone()
    if row is None:
        return Finding("pgvector", BROKEN, "The extension is not installed in this database.", "Run: manage.py migrate")
    return Finding("pgvector", OK, f"pgvector {row[0]}")


def _valkey() -> Iterator[Finding]:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5) as client:
            version = client.info("server")["redis_version"]
            memory, persistence = client.info("memory"), client.info("persistence")
    except redis.RedisError:
        fix = "Mend REDIS_URL." if value("REDIS_URL") else "Run: make run"
        yield Finding("Valkey", BROKEN, "Valkey does not answer.", fix)
        return
    yield Finding("Valkey", OK, f"Valkey {version} answers")
    if memory.get("maxmemory_policy") != "noeviction":
        yield Finding(
            "Valkey's memory",
            BROKEN,
            f"maxmemory-policy is {memory.get('maxmemory_policy')}: tasks and events may be thrown away.",
            "Set maxmemory-policy noeviction.",
        )
    if not persistence.get("aof_enabled"):
        yield Finding(
            "Valkey's disk",
            WARNING,
            "Append-only file is off: a crash forgets waiting tasks and tracking events.",
            "Set appendonly yes.",
        )


def _processes() -> Iterator[Finding]:
    fix = "Run: make run" if settings.IS_LOCAL_RUN else "Start it; docker-compose.yml shows how."
    checks = (
        health.check_worker,
        health.check_beat,
        health.check_consumer,
        health.check_publisher,
        health.check_queue_age,
    )
    for check in checks:
        answer = check()
        label = answer.name.replace("_", " ").capitalize()
        yield Finding(label, OK if answer.is_ok else BROKEN, answer.detail, "" if answer.is_ok else fix)


def _migrations() -> Finding:
    answer = health.check_migrations()
    return Finding(
        "Migrations", OK if answer.is_ok else BROKEN, answer.detail, "" if answer.is_ok else "Run: manage.py prepare"
    )


def _provider() -> Finding:
    provider = settings.EMAIL_PROVIDER
    if provider == "capture":
        return Finding(
            "Mail", OK, "Mail is kept in the outbox and not sent", "Set EMAIL_PROVIDER=smtp or sendgrid to send."
        )
    needed = {"smtp": ("SMTP_URL",), "sendgrid": ("SENDGRID_API_KEY",)}[provider]
    missing = [name for name in needed if not value(name)]
    if missing:
        return Finding("Mail", BROKEN, f"EMAIL_PROVIDER={provider} needs {', '.join(missing)}.", "Set it.")
    if provider == "sendgrid" and not settings.SENDGRID_WEBHOOK_PUBLIC_KEY:
        return Finding(
            "Mail",
            WARNING,
            "SendGrid's events are not verified, so bounces and deliveries will not be counted.",
            "Set SENDGRID_WEBHOOK_PUBLIC_KEY.",
        )
    return Finding("Mail", OK, f"Mail goes out by {provider}")


def _writer() -> Finding:
    keys = [name for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY") if value(name)]
    if keys:
        return Finding("AI writer", OK, f"Uses {' and '.join(name.split('_')[0].capitalize() for name in keys)}")
    if settings.AI_OFFLINE == "deny":
        return Finding(
            "AI writer", BROKEN, "No key is set and AI_OFFLINE=deny.", "Set OPENAI_API_KEY or ANTHROPIC_API_KEY."
        )
    return Finding(
        "AI writer",
        OK,
        "No key: drafts are templates, and say so",
        "Set OPENAI_API_KEY or ANTHROPIC_API_KEY for a model.",
    )


def _web() -> Finding:
    if _is_running_here():
        return Finding("Web server", OK, f"Something answers at port {settings.PORT}")
    finding = _surrounding("Web server", surroundings.check_port, value("HOST"), settings.PORT)
    if finding.state == OK:
        return Finding("Web server", BROKEN, f"Nothing answers at port {settings.PORT}.", "Run: make run")
    return finding


def examine() -> Iterator[Finding]:
    """Look at everything, in the order in which one thing needs another."""
    yield _surrounding("Python", surroundings.check_python)
    yield _packages()
    yield _surrounding("Data folder", surroundings.check_home, settings.HOME)
    yield _surrounding("Disk", surroundings.check_disk, settings.HOME)
    database = _database()
    yield database
    if database.state == OK:
        yield _pgvector()
        yield _migrations()
    valkey = list(_valkey())
    yield from valkey
    yield _web()
    if valkey[0].state == OK:
        yield from _processes()
    yield _provider()
    yield _writer()


class Command(BaseCommand):
    """Exit code 0 when everything needed is there, 1 when something is broken."""

    help = "Explain what is wrong with this installation and how to mend it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the table, problems last so that they are seen."""
        table = Table(box=None, padding=(0, 1), show_header=False)
        findings = list(examine())
        for finding in findings:
            note = f"{finding.detail}\n[dim]→ {finding.fix}[/]" if finding.fix else finding.detail
            table.add_row(MARKS[finding.state], finding.name, note)
        console = Console(file=cast(IO[str], self.stdout._out), highlight=False, soft_wrap=False)
        console.print(table)
        broken = [finding.name for finding in findings if finding.state == BROKEN]
        if broken:
            console.print(f"[red]Broken: {', '.join(broken)}.[/]")
            sys.exit(1)
        console.print("[green]Everything that is needed is there.[/]")
