"""Pytest plugin: real PostgreSQL and Valkey for every test, in a folder of this test run.

Loaded with `-p` (pyproject.toml), because the environment must be set before pytest-django reads the settings.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from pathlib import Path

import pytest

for name in ("DATABASE_URL", "REDIS_URL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "EMAIL_PROVIDER", "PUBLIC_URL"):
    os.environ.pop(name, None)
HOME = Path(tempfile.mkdtemp(prefix="pulsequill-test-"))
os.environ["PULSEQUILL_HOME"] = str(HOME)
os.environ.setdefault("LOG_LEVEL", "WARNING")

RUNNING: pytest.StashKey[list] = pytest.StashKey()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start both services before Django opens its first connection: for each worker, when there are several.

    The one that only hands out the work has the migrated database written while the workers collect their tests.
    """
    if session.config.getoption("numprocesses", None) and not hasattr(session.config, "workerinput"):
        from tests.migrated import migrated_sql

        threading.Thread(target=migrated_sql, daemon=True).start()
        return
    from pulsequill.embedded import postgres, valkey
    from pulsequill.embedded.addresses import postgres_url

    services = [postgres.service(HOME), valkey.service(HOME)]
    session.config.stash[RUNNING] = [(service, service.start()) for service in services]
    postgres.make_database(postgres_url(HOME))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop both services and remove their folder."""
    for service, process in config.stash.get(RUNNING, []):
        service.stop(process)
    shutil.rmtree(HOME, ignore_errors=True)
