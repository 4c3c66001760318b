"""What each column of a file becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audiences.models import ContactField, ContactImport

#: Properties of every contact that a column can fill.
PROPERTIES = ("email", "first_name", "last_name", "time_zone")


@dataclass(frozen=True)
class Plan:
    """Where in a row each value stands: -1 for a property that no column fills."""

    width: int
    email: int
    first_name: int
    last_name: int
    time_zone: int
    #: (position, key, type) of custom fields.
    attributes: tuple[tuple[int, str, str], ...]


def plan_of(contact_import: ContactImport) -> Plan:
    """Return the plan of an import from its stored columns and mapping.

    Columns that the mapping does not name are skipped, and so are fields that were deleted meanwhile.
    """
    names = [column["name"] for column in contact_import.columns]
    fields = ContactField.objects.for_workspace(contact_import.workspace_id)
    return make_plan(names, contact_import.mapping, dict(fields.values_list("key", "type")))


def make_plan(names: list[str], mapping: Mapping[str, str], types: Mapping[str, str]) -> Plan:
    """Return a plan.

    Args:
        names: the file's columns, in order.
        mapping: column name to property or field key.
        types: field key to type.
    """
    position = {target: names.index(name) for name, target in mapping.items() if name in names and target}
    custom = ((index, key, types[key]) for key, index in position.items() if key in types)
    return Plan(
        width=len(names),
        attributes=tuple(sorted(custom)),
        **{name: position.get(name, -1) for name in PROPERTIES},
    )
