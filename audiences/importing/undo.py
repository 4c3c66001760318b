"""Taking an import back: what it added goes, what it only touched stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from audiences.importing.run import push_progress
from audiences.models import Contact, ContactImport, Subscription

Status = ContactImport.Status
BATCH = 2_000


def undo(import_id: UUID) -> ContactImport | None:
    """Remove an import's subscriptions, and the contacts that it created.

    A contact stays when it was ever mailed, or is on a list for another reason. Values that the import changed on
    older contacts are not changed back. May be stopped and run again at any point.

    Returns:
        The import; None when nobody asked for an undo.
    """
    contact_import = ContactImport.objects.filter(pk=import_id, status=Status.UNDOING).first()
    if contact_import is None:
        return None
    places = Subscription.objects.filter(source_import=contact_import)
    while ids := list(places.values_list("pk", flat=True)[:BATCH]):
        Subscription.objects.filter(pk__in=ids).delete()
        _beat(contact_import)
    created = Contact.objects.filter(
        *(~Exists(rows) for rows in _bonds()),
        workspace_id=contact_import.workspace_id,
        source_import=contact_import,
        last_sent_at=None,
    )
    while ids := list(created.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            Contact.objects.filter(pk__in=ids).delete()
        _beat(contact_import)
    ContactImport.objects.filter(pk=import_id, status=Status.UNDOING).update(
        status=Status.UNDONE, finished_at=timezone.now(), updated_at=timezone.now()
    )
    contact_import.refresh_from_db()
    push_progress(contact_import)
    return contact_import


def _bonds() -> Iterator[QuerySet[Any]]:
    """What keeps a contact: a place on another list, and any row of a later app (a message) that refers to it."""
    for relation in Contact._meta.related_objects:
        model = relation.related_model
        if model is Subscription or model._meta.app_label != Contact._meta.app_label:
            yield model._base_manager.filter(**{relation.field.name: OuterRef("pk")})


def _beat(contact_import: ContactImport) -> None:
    ContactImport.objects.filter(pk=contact_import.pk).update(heartbeat_at=timezone.now())
