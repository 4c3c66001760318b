"""Custom fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connection, transaction

from accounts.activity import record
from audiences.models import ContactField
from audiences.segmentation import BUILT_IN_FIELDS
from pulsequill.core.errors import FieldError, Invalid, WrongState

if TYPE_CHECKING:
    from accounts.models import User, Workspace

MAX_FIELDS = 100
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
#: Names that mean something else in a template or a rule.
RESERVED = frozenset(
    {*BUILT_IN_FIELDS, "unsubscribe_url", "preferences_url", "web_version_url", "workspace", "campaign"}
)


def create_field(
    *,
    workspace: Workspace,
    key: str,
    label: str = "",
    type: str = ContactField.Type.TEXT,  # noqa: A002 - the field's own word
    fallback: str = "",
    actor: User | None = None,
) -> ContactField:
    """Add a custom field.

    Raises:
        Invalid: the key cannot be a merge tag, or there are too many fields.
        WrongState: the key is taken.
    """
    if not KEY.fullmatch(key) or key in RESERVED or key.startswith("pq_"):
        detail = "A key is lower-case letters, digits and _, starts with a letter, and is not a built-in name."
        raise Invalid(detail, errors=[FieldError("key", "invalid", detail)])
    if ContactField.objects.for_workspace(workspace).count() >= MAX_FIELDS:
        raise Invalid(f"A workspace has at most {MAX_FIELDS} fields.", code="too_many_fields")
    label = " ".join(label.split())[:80] or key.replace("_", " ").capitalize()
    try:
        with transaction.atomic():
            field = ContactField.objects.create(workspace=workspace, key=key, label=label, type=type, fallback=fallback)
            record(
                workspace=workspace,
                kind="contact_field.created",
                summary=f"Added field {label}",
                actor=actor,
                subject=field,
            )
    except IntegrityError as error:
        detail = "There is already a field with this key."
        raise WrongState(detail, code="key_taken", errors=[FieldError("key", "exists", detail)]) from error
    return field


def update_field(*, field: ContactField, changes: dict[str, Any], actor: User | None = None) -> ContactField:
    """Change a field's label or fallback; key and type are fixed, for values and templates rely on them."""
    for name in ("label", "fallback"):
        if name in changes:
            setattr(field, name, changes[name])
    with transaction.atomic():
        field.save()
        record(
            workspace=field.workspace,
            kind="contact_field.updated",
            summary=f"Changed field {field.label}",
            actor=actor,
            subject=field,
        )
    return field


def delete_field(*, field: ContactField, actor: User | None = None) -> None:
    """Delete a field and every contact's value of it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE audiences_contact SET attributes = attributes - %s WHERE workspace_id = %s AND attributes ? %s",
                [field.key, field.workspace_id, field.key],
            )
        record(
            workspace=field.workspace,
            kind="contact_field.deleted",
            summary=f"Deleted field {field.label}",
            actor=actor,
            subject=field,
        )
        field.delete()
