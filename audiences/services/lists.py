"""Lists, and places on them that the workspace gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from accounts.activity import record
from audiences.models import ContactList, Subscription
from pulsequill.core.errors import FieldError, Invalid, WrongState
from pulsequill.core.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import User, Workspace

#: Like the import's statement: a place that exists keeps its status, a suppressed address gets one that was left.
_PLACE = """
    INSERT INTO audiences_subscription (id, workspace_id, created_at, updated_at, contact_id, list_id, status,
                                        unsubscribed_at)
    SELECT fresh.id, c.workspace_id, now(), now(), c.id, %(list)s,
           CASE WHEN stop.id IS NULL THEN 'active' ELSE 'unsubscribed' END, stop.created_at
      FROM unnest(%(ids)s::uuid[], %(contacts)s::uuid[]) AS fresh (id, contact_id)
      JOIN audiences_contact c ON c.id = fresh.contact_id AND c.workspace_id = %(workspace)s
      LEFT JOIN audiences_suppression stop
             ON stop.workspace_id = c.workspace_id AND stop.email_normalized = c.email_normalized
     ORDER BY c.id
    ON CONFLICT (list_id, contact_id) DO NOTHING"""


def place_contacts(*, list_: ContactList, contact_ids: Sequence[UUID]) -> int:
    """Put contacts on a list and return how many places are new; contacts of other workspaces are ignored."""
    params: dict[str, Any] = {
        "list": list_.pk,
        "workspace": list_.workspace_id,
        "contacts": list(contact_ids),
        "ids": [uuid7() for _ in contact_ids],
    }
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, params)
        return int(cursor.rowcount)


def add_to_list(*, list_: ContactList, contact_ids: Sequence[UUID], actor: User | None = None) -> int:
    """Put contacts on a list, as a person's act; returns how many were not on it before.

    Nobody who left the list, or is suppressed, becomes an active subscriber by this.
    """
    with transaction.atomic():
        added = place_contacts(list_=list_, contact_ids=contact_ids)
        if added:
            record(
                workspace=list_.workspace,
                kind="list.contacts_added",
                summary=f"Added {added} contacts to {list_.name}",
                actor=actor,
                subject=list_,
                contacts=added,
            )
    return added


def remove_from_list(*, list_: ContactList, contact_ids: Sequence[UUID], actor: User | None = None) -> int:
    """Take contacts off a list; a place that a person left stays as the memory of their "no"."""
    with transaction.atomic():
        places = Subscription.objects.for_workspace(list_.workspace_id).filter(list=list_, contact__in=contact_ids)
        removed, _ = places.exclude(status=Subscription.Status.UNSUBSCRIBED).delete()
        if removed:
            record(
                workspace=list_.workspace,
                kind="list.contacts_removed",
                summary=f"Removed {removed} contacts from {list_.name}",
                actor=actor,
                subject=list_,
            )
    return removed


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    if "name" in values:
        values["name"] = " ".join(values["name"].split())
        if not values["name"]:
            raise Invalid("A list needs a name.", errors=[FieldError("name", "required", "A list needs a name.")])
    return values


def _name_taken() -> WrongState:
    detail = "There is already a list with this name."
    return WrongState(detail, code="name_taken", errors=[FieldError("name", "exists", detail)])


def create_list(
    *,
    workspace: Workspace,
    name: str,
    description: str = "",
    is_double_opt_in: bool = False,
    actor: User | None = None,
) -> ContactList:
    """Add a list.

    Raises:
        Invalid: no name.
        WrongState: the name is taken.
    """
    values = _clean({"name": name, "description": description, "is_double_opt_in": is_double_opt_in})
    try:
        with transaction.atomic():
            list_ = ContactList.objects.create(workspace=workspace, **values)
            record(workspace=workspace, kind="list.created", summary=f"Added list {name}", actor=actor, subject=list_)
    except IntegrityError as error:
        raise _name_taken() from error
    return list_


def update_list(*, list_: ContactList, changes: dict[str, Any], actor: User | None = None) -> ContactList:
    """Change a list's name, description or opt-in.

    Raises:
        Invalid: no name.
        WrongState: the name is taken.
    """
    for name, value in _clean(dict(changes)).items():
        setattr(list_, name, value)
    try:
        with transaction.atomic():
            list_.save()
            record(
                workspace=list_.workspace,
                kind="list.updated",
                summary=f"Changed list {list_.name}",
                actor=actor,
                subject=list_,
            )
    except IntegrityError as error:
        raise _name_taken() from error
    return list_


def delete_list(*, list_: ContactList, actor: User | None = None) -> None:
    """Delete a list and its places; the contacts stay."""
    with transaction.atomic():
        record(
            workspace=list_.workspace,
            kind="list.deleted",
            summary=f"Deleted list {list_.name}",
            actor=actor,
            subject=list_,
        )
        Subscription.objects.for_workspace(list_.workspace_id).filter(list=list_)._raw_delete("default")
        list_.delete()
