"""May this sender's domain be sent from?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.urls import reverse

from campaigns.deliverability.records import LABELS
from campaigns.domain_names import FREE_MAIL, domain_of
from campaigns.models import Sender, SendingDomain
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity
from campaigns.selectors.domains import get_domain_of


def find(examined: Examined) -> Iterator[Finding]:
    """Find a sender whose domain has not been verified; `REQUIRE_VERIFIED_DOMAIN` decides whether that blocks.

    An address at a free mailbox service can never be verified: with a provider's servers its DMARC check fails.
    """
    seen: set[str] = set()
    for sender, where in examined.senders.items():
        if (host := domain_of(sender.from_email)) not in seen:
            seen.add(host)
            yield from _find_of(sender, where)


def _find_of(sender: Sender, where: str) -> Iterator[Finding]:
    host = domain_of(sender.from_email)
    severity = Severity.BLOCK if settings.REQUIRE_VERIFIED_DOMAIN else Severity.WARN
    if host in FREE_MAIL:
        yield Finding(
            "free_mail_sender",
            severity,
            f"Mail from @{host}{where} will be refused",
            reverse("campaigns:sender_list"),
            detail=f"Only {host} itself may send as @{host} (DMARC). Use an address at a domain of your own.",
        )
        return
    domain = get_domain_of(sender)
    if domain is None or domain.verified_at is None:
        yield Finding(
            "domain_unverified",
            severity,
            f"{host}{where} is not verified",
            reverse("campaigns:domain_detail", args=[domain.pk]) if domain else reverse("campaigns:sender_list"),
            detail=_why(domain),
        )


def _why(domain: SendingDomain | None) -> str:
    """Say what is missing, as the last check found it."""
    if domain is None or domain.checked_at is None:
        return "Mailbox providers refuse mail whose domain has no SPF, DKIM and DMARC records. Add them and check."
    words = [f"{LABELS.get(one['kind'], one['kind'])}: {one['message']}" for one in domain.findings if _is_lacking(one)]
    return " ".join(words) or "Its DNS records have not been seen yet. Check again."


def _is_lacking(finding: dict[str, Any]) -> bool:
    return bool(finding.get("is_required", True)) and not finding["is_right"]
