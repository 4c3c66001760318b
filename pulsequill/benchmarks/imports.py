"""Importing: a CSV file to checked, deduplicated contacts on a list, against bare COPY of the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from audiences.importing.run import run
from audiences.models import Contact, ContactField, ContactImport, ContactList
from pulsequill.benchmarks.audience import make_workspace
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.core.ids import uuid7

MAPPING = {"Email": "email", "First name": "first_name", "Last name": "last_name", "Plan": "plan"}


def prepare(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    """Make the file once; both sides start from an empty audience each time."""
    count = 1_000_000 if is_full else 100_000
    workspace = make_workspace("Importing")
    ContactField.objects.create(workspace=workspace, key="plan", label="Plan")
    contact_list = ContactList.objects.create(workspace=workspace, name="Newsletter")
    lines = [f"reader{number}@example.com,Maya{number},Okafor,gold\n" for number in range(count)]
    source = ("Email,First name,Last name,Plan\n" + "".join(lines)).encode()
    now = timezone.now().isoformat()
    rows = "".join(
        f"{uuid7()}\t{workspace.pk}\t{now}\t{now}\treader{number}@example.com\treader{number}@example.com\tMaya{number}"
        f'\tOkafor\t{{"plan": "gold"}}\t\timport\n'
        for number in range(count)
    )

    def empty() -> None:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE audiences_contact CASCADE")

    def product() -> float:
        empty()
        contact_import = ContactImport.objects.create(
            workspace=workspace,
            list=contact_list,
            file=ContentFile(source, name="readers.csv"),
            file_name="readers.csv",
            mapping=MAPPING,
            columns=[{"name": name} for name in MAPPING],
            encoding="utf-8",
            delimiter=",",
            consent_source="benchmark",
            status=ContactImport.Status.QUEUED,
        )
        started = time.perf_counter()
        done = run(contact_import.pk)
        seconds = time.perf_counter() - started
        assert done is not None
        assert (done.status, done.created, done.rejected) == ("done", count, 0), (
            done.status,
            done.created,
            done.failure,
        )
        return count / seconds

    def reference() -> float:
        empty()
        started = time.perf_counter()
        with (
            connection.cursor() as cursor,
            cursor.copy(
                "COPY audiences_contact (id, workspace_id, created_at, updated_at, email, email_normalized, first_name,"
                " last_name, attributes, time_zone, source) FROM STDIN"
            ) as copy,
        ):
            copy.write(rows)
        seconds = time.perf_counter() - started
        assert Contact.objects.count() == count
        return count / seconds

    return product, reference


BENCHMARK = Benchmark(
    name="Importing a CSV file",
    unit="rows/s",
    reference_name="bare COPY into the same table",
    prepare=prepare,
    floor=0.25,
    aim=0.40,
)
