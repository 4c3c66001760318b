"""Fixtures for every test. The services themselves are started by `tests/embedded_services.py`."""

from __future__ import annotations

import pytest
import redis
from django.conf import settings

pytest_plugins = ["tests.instance", "tests.pages"]


@pytest.fixture(autouse=True)
def _empty_valkey() -> None:
    """Every test starts with an empty Valkey: no rate-limit counters or stream entries of another test."""
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.flushall()
