"""Indexes of the tables that grow with every contact and every mail: each one that is redundant slows all writing."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import Workspace
from analytics.models import Event
from audiences.models import Contact, Subscription, Suppression
from campaigns.models import CapturedMessage, Message

pytestmark = pytest.mark.django_db

HOT = (Contact, Subscription, Suppression, Message, CapturedMessage, Event)


@pytest.mark.parametrize("model", HOT, ids=lambda model: model.__name__)
def test_no_hot_table_has_an_index_on_the_workspace_alone(model) -> None:
    """An index of a few rows alone (a condition) is written for these rows alone."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, model._meta.db_table)
        cursor.execute(
            "SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid"
            " WHERE indrelid = %s::regclass AND indpred IS NULL",
            [model._meta.db_table],
        )
        of_all_rows = {name for (name,) in cursor.fetchall()}
    alone = [name for name, one in constraints.items() if one["index"] and one["columns"] == ["workspace_id"]]
    assert of_all_rows.isdisjoint(alone)


def test_the_address_leads_to_a_suppression_whatever_the_statistics_say() -> None:
    workspace = Workspace.objects.create(name="Northwind", slug="northwind")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audiences_suppression")  # it was empty then, and has grown since
        Suppression.objects.bulk_create(
            Suppression(workspace=workspace, email_normalized=f"reader{number}@example.com", reason="manual")
            for number in range(3000)
        )
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = Suppression.objects.for_workspace(workspace).filter(email_normalized="reader7@example.com").explain()
    assert "suppression_unique" in plan
