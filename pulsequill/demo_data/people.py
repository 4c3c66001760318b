"""Who can sign in to the demo. No Django here: the supervisor prints these."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "pour-over-at-dawn"  # noqa: S105 - printed at every start, by intent


@dataclass(frozen=True)
class Person:
    """One sign-in; `role` is a membership role, empty for the operator of the Django admin."""

    label: str
    name: str
    email: str
    role: str


PEOPLE = (
    Person("Owner", "Maya Lindqvist", "maya@northwind.example", "owner"),
    Person("Editor", "Tom Okafor", "tom@northwind.example", "editor"),
    Person("Analyst", "Ana Ferreira", "ana@northwind.example", "analyst"),
)
OPERATOR = Person("Operator", "Operations", "ops@pulsequill.example", "")
