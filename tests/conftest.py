"""Fixtures for every test. The services themselves are started by `tests/embedded_services.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

from pulsequill.embedded.addresses import postgres_url
from tests.embedded_services import HOME
from tests.migrated import make_migrated_database

pytest_plugins = ["tests.emptying", "tests.instance", "tests.pages"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files go whole to a worker, and the journeys together: their instance takes half a minute to start."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tests/journeys" if nodeid.startswith("tests/journeys/") else super()._split_scope(nodeid)

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Nobody drops the database: its server and folder go as a whole."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Before Django makes the test database, there is one with every table; it only looks whether any is missing."""
    base, _, name = postgres_url(HOME).rpartition("/")
    make_migrated_database(f"{base}/test_{name}")


@pytest.fixture(autouse=True)
def _empty_valkey() -> None:
    """Every test starts with an empty Valkey: no rate-limit counters or stream entries of another test."""
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.flushall()


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """The same hash with the fewest rounds: it is slow by design, a quarter of a second for each person of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BCryptSHA256PasswordHasher, "rounds", 4)
        yield
