"""The database as the migrations leave it, kept as SQL: written once for all workers, runs and chaos of a checkout.

Migrating from nothing takes eleven seconds of a core, and twice that under coverage; reading the SQL takes half a one.
The file is named by what is in the migrations, so a changed migration gets a file of its own, and `migrate` still runs
afterwards: it finds nothing to apply and writes what the apps keep true after every migration.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from pulsequill.embedded.postgres import BINARIES, make_database

ROOT = Path(__file__).resolve().parent.parent
KEPT_IN = ROOT / ".pytest_cache" / "migrated"
#: Written by the apps after each `migrate`, from code that may change without a migration.
WRITTEN_AFTERWARDS = ("django_content_type", "auth_permission", "aiwriter_modelprice")

#: An index, or a constraint that is one, in an archive's table of contents: "3456; 2606 16543 CONSTRAINT public ...".
_INDEX = re.compile(r"\d+; \d+ (\d+) (?:INDEX|CONSTRAINT) ")


def _fingerprint() -> str:
    """Return a digest of everything that decides what the migrations make."""
    from django.apps import apps

    digest = hashlib.sha256(f"{version('django')} {BINARIES} {Path(__file__).read_text(encoding='utf-8')}".encode())
    for app in apps.get_app_configs():
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            digest.update(f"\n{app.label}/{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:24]


def migrated_sql() -> bytes:
    """Return what is in the file, after writing it where it is missing; whoever comes second waits for the first.

    Raises:
        CalledProcessError: the migrations do not run.
    """
    path = KEPT_IN / f"{_fingerprint()}.sql"
    KEPT_IN.mkdir(parents=True, exist_ok=True)
    with (KEPT_IN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            for older in KEPT_IN.glob("*.sql"):
                older.unlink()
            draft = path.with_suffix(".draft")
            without = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
            subprocess.run(
                [sys.executable, "-m", "pulsequill.embedded", "--temporary", "--",
                 sys.executable, "-m", "tests.migrated", draft],
                cwd=ROOT, check=True, env={name: text for name, text in os.environ.items() if name not in without},
            )  # fmt: skip
            draft.rename(path)
        return path.read_bytes()


def make_migrated_database(address: str) -> None:
    """Create the database that `address` names, with every table in it; `migrate` has nothing left to apply."""
    text = migrated_sql()
    make_database(address)
    command = [BINARIES / "psql", "--quiet", "--no-psqlrc", "--single-transaction", "-v", "ON_ERROR_STOP=1", address]
    subprocess.run(command, input=text, stdout=subprocess.DEVNULL, check=True)


def _write(path: Path) -> None:
    """Migrate the database of this environment and write it down."""
    import django
    from django.core.management import call_command

    from pulsequill.embedded.addresses import postgres_url

    os.environ["DJANGO_SETTINGS_MODULE"] = "pulsequill.settings"
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    without = [f"--exclude-table-data={table}" for table in WRITTEN_AFTERWARDS]
    address = postgres_url(Path(os.environ["PULSEQUILL_HOME"]))
    archive, contents = path.with_suffix(".archive"), path.with_suffix(".list")
    subprocess.run([BINARIES / "pg_dump", "--format=custom", *without, "--file", archive, address], check=True)
    listed = subprocess.run([BINARIES / "pg_restore", "--list", archive], capture_output=True, check=True, text=True)
    contents.write_text(_as_made(listed.stdout), encoding="utf-8")
    subprocess.run([BINARIES / "pg_restore", "--no-owner", "--use-list", contents, "--file", path, archive], check=True)
    archive.unlink()
    contents.unlink()


def _as_made(listed: str) -> str:
    """Return an archive's table of contents with its indexes in the order in which the migrations made them.

    Of two that seem to cost the same the planner takes the younger one, and pg_dump sorts them by kind and name.
    """
    lines = listed.splitlines()
    made = {number: int(found[1]) for number, line in enumerate(lines) if (found := _INDEX.match(line))}
    in_turn = [lines[number] for number in sorted(made, key=made.__getitem__)]
    for number, line in zip(made, in_turn, strict=True):
        lines[number] = line
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
