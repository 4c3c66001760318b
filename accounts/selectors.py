"""Reads of `accounts`."""

from __future__ import annotations

from accounts.models import Membership, User


def get_memberships(user: User) -> list[Membership]:
    """Return a person's memberships with their workspaces, oldest first: one query."""
    return list(user.memberships.select_related("workspace").order_by("created_at", "id"))
