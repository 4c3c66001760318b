"""The country of an address, from a database in MaxMind's format on this machine, if the operator has one.

Nothing is asked over the network. Files that name a country as GeoLite2, GeoIP2 and DB-IP do
(`country.iso_code`), or as IPinfo does (`country_code`, `country`), are understood.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import structlog
from django.conf import settings

logger = structlog.get_logger(__name__)


@cache
def _database() -> Any:
    """Return the open database, or None; said once in the log when it cannot be read."""
    if not settings.COUNTRY_DATABASE:
        return None
    import maxminddb  # only where there is a database

    try:
        return maxminddb.open_database(settings.COUNTRY_DATABASE)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        logger.error("country_database_not_readable", path=settings.COUNTRY_DATABASE, error=str(error))
        return None


@lru_cache(maxsize=16_384)
def country_of(ip: str) -> str:
    """Return the ISO 3166-1 code of an address's country; '' when unknown or when there is no database."""
    database = _database() if ip else None
    if database is None:
        return ""
    found = database.get(ip)
    if not isinstance(found, dict):
        return ""
    country = found.get("country")
    code = country.get("iso_code") if isinstance(country, dict) else found.get("country_code") or country
    return code.upper() if isinstance(code, str) and len(code) == 2 else ""


def open_again() -> None:
    """Forget the open database, so that the next question reads the file that the settings name now."""
    _database.cache_clear()
    country_of.cache_clear()
