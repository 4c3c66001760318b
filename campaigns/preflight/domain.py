"""May this sender's domain be sent from?"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity
from campaigns.selectors.domains import get_domain_of


def find(examined: Examined) -> Iterator[Finding]:
    """Find a sender whose domain has not been verified; `REQUIRE_VERIFIED_DOMAIN` decides whether that blocks."""
    sender = examined.campaign.sender
    if sender is None:
        return
    domain = get_domain_of(sender)
    if domain is None or domain.verified_at is None:
        host = sender.from_email.rpartition("@")[2]
        yield Finding(
            "domain_unverified",
            Severity.BLOCK if settings.REQUIRE_VERIFIED_DOMAIN else Severity.WARN,
            f"{host} is not verified",
            examined.page("campaigns:sender_list"),
            detail="Mailbox providers refuse mail whose domain has no SPF, DKIM and DMARC records.",
        )
