"""Is this campaign fit to send? One file per check; `run` asks them all, over every recipient and not one preview."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import connection

from audiences.selectors import audience_sql
from campaigns.models import Campaign
from campaigns.preflight import (
    address,
    audience,
    claims,
    content,
    contrast,
    domain,
    images,
    links,
    merge_tags,
    pace,
    placeholders,
    sender,
    size,
    spam,
    subject,
    unsubscribe,
)
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity
from campaigns.selectors.campaigns import audience_of

__all__ = ["CHECKS", "Check", "Finding", "Report", "Severity", "examine", "register_check", "run", "why"]


@dataclass(frozen=True, slots=True)
class Check:
    """A question, and what to say when nothing is wrong. It passes only when there was something to look at."""

    code: str
    find: Callable[[Examined], Iterable[Finding]]
    passed: str
    has_subject: Callable[[Examined], bool] = lambda _examined: True


def _has_sender(examined: Examined) -> bool:
    return bool(examined.senders)


def _has_mail(examined: Examined) -> bool:
    return bool(examined.compiled)


def _has_mail_and_audience(examined: Examined) -> bool:
    return _has_mail(examined) and examined.has_audience


#: In the order in which a sender thinks: what, from whom, to whom, details.
CHECKS: tuple[Check, ...] = (
    Check("content", content.find, "The mail has content and is well formed"),
    Check("claims", claims.find, "Everything it says is in the brief or the brand's facts", claims.has_brief),
    Check("subject", subject.find, "Subject and preview text are set"),
    Check("sender", sender.find, "A sender is chosen"),
    Check("domain", domain.find, "The sender's domain is verified", _has_sender),
    Check("audience", audience.find, "Somebody gets it"),
    Check("unsubscribe", unsubscribe.find, "Everybody can unsubscribe with one click", _has_mail),
    Check("address", address.find, "The postal address stands in the footer", _has_mail),
    Check("merge_tags", merge_tags.find, "Merge tags are known and filled for everybody", _has_mail_and_audience),
    Check("placeholders", placeholders.find, "No braces or brackets are left over", _has_mail),
    Check("pace", pace.find, "It leaves when it should", _has_mail_and_audience),
    Check("links", links.find, "Links are complete and use https", _has_mail),
    Check("images", images.find, "Pictures are light and have an alternative text", _has_mail),
    Check("contrast", contrast.find, "The words can be read, in dark mode too", _has_mail),
    Check("size", size.find, "Small enough not to be clipped by Gmail", _has_mail),
    Check("spam", spam.find, "No phrases that filters dislike", _has_mail),
)

#: Checks of what only later apps know.
_further: list[Check] = []


def register_check(check: Check) -> None:
    """Let a later app ask a question of its own (called in its `AppConfig.ready`)."""
    if check not in _further:
        _further.append(check)


_ORDER = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, the worst first, and the sentences of the checks that found nothing."""

    findings: list[Finding]
    passed: list[str]
    examined: Examined

    @property
    def is_ok(self) -> bool:
        """Whether the campaign may be sent."""
        return not any(finding.is_block for finding in self.findings)

    def count(self, severity: str) -> int:
        """Return how many findings have a severity."""
        return sum(finding.severity == severity for finding in self.findings)


def examine(campaign: Campaign) -> Report:
    """Return findings and passed checks of a campaign as it is stored."""
    examined = Examined.of(campaign)
    findings: list[Finding] = []
    passed: list[str] = []
    for check in (*CHECKS, *_further):
        found = list(check.find(examined))
        findings += found
        if not found and check.has_subject(examined):
            passed.append(check.passed)
    findings.sort(key=lambda finding: _ORDER[finding.severity])
    return Report(findings, passed, examined)


def run(campaign: Campaign) -> list[Finding]:
    """Return every finding about a campaign, the worst first; an empty list means that nothing is wrong."""
    return examine(campaign).findings


def why(campaign: Campaign, email: str) -> str | None:
    """Return why one address does not get a campaign: the reason, '' when it gets it, None when it is not chosen."""
    audience, params = audience_sql(**audience_of(campaign))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT skip_reason FROM ({audience}) a WHERE a.email_normalized = %s",  # noqa: S608 - the one audience
            [*params, email.strip().lower()],
        )
        row = cursor.fetchone()
    return row[0] if row else None
