"""Pytest plugin: empties the database after a test that commits, in a tenth of the time that Django's `flush` takes.

`flush` truncates every table, which makes PostgreSQL create a thousand files, and then makes content types, permissions
and the model catalogue anew. Here only tables that hold something are emptied, and what every database has is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase
from psycopg.errors import DeadlockDetected

#: The same in every database, and never written by the product.
KEPT = {"django_content_type", "auth_permission"}

#: A request that a page left behind may take its tables in another order than we do; PostgreSQL then ends one of us.
TRIES = 10


def _delete_all(tables: list[str]) -> None:
    filled = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(filled)
        rows = [table for (table,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")  # no foreign key looks: all of it goes
        for table in rows:
            cursor.execute(f"DELETE FROM {table}")


def empty_database(_test: TransactionTestCase) -> None:
    """Delete every row that is not in each new database, after waiting for whoever still writes."""
    from aiwriter.gateway.catalog import seed_prices

    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = [connection.ops.quote_name(name) for name in names if name not in KEPT]
    for tries_left in reversed(range(TRIES)):
        try:
            _delete_all(tables)
            break
        except OperationalError as error:
            if not tries_left or not isinstance(error.__cause__, DeadlockDetected):
                raise
    seed_prices()


@pytest.fixture(scope="session", autouse=True)
def _empty_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_database)
        yield
