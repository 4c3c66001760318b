"""Which sending domain speaks for an address."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Workspace
from campaigns.domain_names import ascii_domain, domain_of, with_parents
from campaigns.models import Sender, SendingDomain


def list_domains(workspace: Workspace) -> QuerySet[SendingDomain]:
    """Return a workspace's sending domains by name."""
    return SendingDomain.objects.for_workspace(workspace).order_by("name")


def find_domain(workspace_id: UUID, host: str) -> SendingDomain | None:
    """Return the sending domain that speaks for a host: itself, or the closest above it."""
    names = with_parents(ascii_domain(host))
    found = SendingDomain.objects.for_workspace(workspace_id).filter(name__in=names)
    return max(found, key=lambda domain: len(domain.name), default=None)


def get_domain_of(sender: Sender) -> SendingDomain | None:
    """Return the sending domain that a sender's address belongs to."""
    return find_domain(sender.workspace_id, domain_of(sender.from_email))
