"""A workspace with as many contacts as a benchmark needs, made by COPY."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from audiences.models import ContactList
from pulsequill.core.ids import uuid7


def make_workspace(name: str) -> Workspace:
    """Make an empty workspace that may send."""
    return Workspace.objects.create(
        name=name,
        slug=Workspace.free_slug(name),
        postal_address="14 Harbour Row, Bristol",
        reason_line="You signed up.",
    )


def make_audience(workspace: Workspace, count: int) -> ContactList:
    """Make a list with `count` active subscribers, spread over the past in time."""
    contact_list = ContactList.objects.create(workspace=workspace, name=f"{count:,} readers")
    now = timezone.now().isoformat()
    ids = [uuid7() for _ in range(count)]
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY audiences_contact (id, workspace_id, created_at, updated_at, email, email_normalized, first_name,"
            " last_name, attributes, time_zone, source) FROM STDIN"
        ) as copy:
            copy.write(
                "".join(
                    f"{key}\t{workspace.pk}\t{now}\t{now}\treader{n}@example.com\treader{n}@example.com\tMaya{n}\tOkafor"
                    f'\t{{"plan": "gold", "city": "Bristol"}}\t\timport\n'
                    for n, key in enumerate(ids)
                )
            )
        with cursor.copy(
            "COPY audiences_subscription (id, workspace_id, created_at, updated_at, contact_id, list_id, status)"
            " FROM STDIN"
        ) as copy:
            copy.write(
                "".join(f"{uuid7()}\t{workspace.pk}\t{now}\t{now}\t{key}\t{contact_list.pk}\tactive\n" for key in ids)
            )
        cursor.execute("ANALYZE audiences_contact")
        cursor.execute("ANALYZE audiences_subscription")
    return contact_list
