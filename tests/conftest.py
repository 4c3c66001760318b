"""Fixtures for every test. The services themselves are started by `tests/embedded_services.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

pytest_plugins = ["tests.emptying", "tests.instance", "tests.pages"]


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Nobody drops the database: its server and folder go as a whole."""
    return True


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
