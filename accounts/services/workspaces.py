"""Workspaces: making, changing and removing them."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from accounts.activity import record
from accounts.models import Membership, User, Workspace
from accounts.models.membership import Role
from pulsequill.core.errors import Invalid

_TRIES = 5
EDITABLE = ("name", "postal_address", "reason_line", "time_zone", "brand")


def create_workspace(*, owner: User, name: str, **fields: Any) -> Workspace:
    """Make a workspace that `owner` owns.

    Args:
        owner: becomes its first member.
        name: its slug is made from it.
        fields: other columns of `Workspace`.

    Raises:
        Invalid: the name is empty.
    """
    name = name.strip()
    if not name:
        raise Invalid("A workspace needs a name.")
    for attempt in range(_TRIES):
        try:
            with transaction.atomic():
                workspace = Workspace.objects.create(name=name, slug=Workspace.free_slug(name), **fields)
                Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
                record(
                    workspace=workspace,
                    actor=owner,
                    kind="workspace.created",
                    summary=f"Made the workspace {name}.",
                    subject=workspace,
                )
        except IntegrityError:  # somebody took the slug in this very moment
            if attempt == _TRIES - 1:
                raise
        else:
            return workspace
    raise AssertionError("unreachable")


def update_workspace(*, workspace: Workspace, actor: User | None, **fields: Any) -> Workspace:
    """Change some of `EDITABLE`; the log keeps which."""
    changed = [name for name, value in fields.items() if getattr(workspace, name) != value]
    if not changed:
        return workspace
    for name in changed:
        setattr(workspace, name, fields[name])
    with transaction.atomic():
        workspace.save(update_fields=[*changed, "updated_at"])
        record(
            workspace=workspace,
            actor=actor,
            kind="workspace.updated",
            summary=f"Changed {', '.join(changed).replace('_', ' ')} of the workspace.",
            subject=workspace,
            fields=changed,
        )
    return workspace


def delete_workspace(*, workspace: Workspace, confirmation: str = "") -> None:
    """Remove a workspace with everything in it. The demo needs no confirmation: it can be made again.

    Raises:
        Invalid: `confirmation` is not the workspace's slug.
    """
    if not workspace.is_demo and confirmation.strip() != workspace.slug:
        raise Invalid(f"Type {workspace.slug} to remove this workspace.", code="confirmation_needed")
    workspace.delete()
