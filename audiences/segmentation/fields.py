"""What a rule can ask about: properties of every contact, and the workspace's own fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audiences.models import ContactField


@dataclass(frozen=True)
class Field:
    """One thing a rule can compare: `column` is SQL over the contact row `c`; custom fields have none."""

    key: str
    label: str
    type: str
    column: str = ""


#: Column expressions are constants of this table, never input.
BUILT_IN_FIELDS: dict[str, Field] = {
    field.key: field
    for field in (
        Field("email", "Email", "text", "c.email_normalized"),
        Field("first_name", "First name", "text", "c.first_name"),
        Field("last_name", "Last name", "text", "c.last_name"),
        Field("time_zone", "Time zone", "text", "c.time_zone"),
        Field("source", "Source", "text", "c.source"),
        Field("created_at", "Contact since", "date", "c.created_at"),
    )
}


def fields_of(workspace: Any) -> dict[str, Field]:
    """Return every field that a rule of this workspace (or workspace id) may name, by key."""
    custom = ContactField.objects.for_workspace(workspace).order_by("label")
    return BUILT_IN_FIELDS | {row.key: Field(row.key, row.label, row.type) for row in custom}
