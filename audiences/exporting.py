"""Contacts and what an import refused as CSV: streamed, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from audiences.models import Contact, ContactField, ContactImport
from audiences.selectors import ContactFilter, find_contacts, list_rejects, with_status
from pulsequill.core.csv_file import csv_lines

ROWS_PER_READ = 1000


def contacts_csv(workspace: Any, wanted: ContactFilter) -> Iterator[str]:
    """Yield the contacts of a filter as CSV, oldest first, in bounded memory."""
    fields = list(ContactField.objects.for_workspace(workspace).order_by("label"))
    header = ["email", "first_name", "last_name", "status", "lists", "time_zone", "created_at"]
    return csv_lines([*header, *(field.key for field in fields)], _contact_rows(workspace, wanted, fields))


def _contact_rows(workspace: Any, wanted: ContactFilter, fields: list[ContactField]) -> Iterator[list[object]]:
    contacts = find_contacts(workspace, wanted).order_by("pk")
    batch: list[Contact] = list(contacts[:ROWS_PER_READ])
    while batch:
        for contact in with_status(batch):
            lists = "; ".join(place.list.name for place in contact.places if place.status == "active")
            yield [
                contact.email,
                contact.first_name,
                contact.last_name,
                contact.status,
                lists,
                contact.time_zone,
                contact.created_at.isoformat(timespec="seconds"),
                *(contact.attributes.get(field.key) for field in fields),
            ]
        batch = list(contacts.filter(pk__gt=batch[-1].pk)[:ROWS_PER_READ])


def rejects_csv(contact_import: ContactImport) -> Iterator[str]:
    """Yield the rows that an import could not take: row number and reason, then the cells as they stood."""
    names = [column["name"] for column in contact_import.columns]
    rows = ([reject.row_number, reject.detail, *reject.cells] for reject in list_rejects(contact_import))
    return csv_lines(["row", "reason", *names], rows)
