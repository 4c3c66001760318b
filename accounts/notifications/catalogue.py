"""The kinds of activity that people are told about, with the page where they can look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """One line in the notification list. `{id}` in the address is the id of the row that it is about."""

    title: str
    url: str


NOTICES: dict[str, Notice] = {
    "ai_budget.warned": Notice("The AI budget is nearly used up", "/ai/usage"),
    "ai_budget.stopped": Notice("The AI writer has stopped", "/ai/usage"),
    "campaign.launched": Notice("A campaign is being sent", "/campaigns/{id}/live"),
    "campaign.paused": Notice("A campaign is paused", "/campaigns/{id}/live"),
    "campaign.sent": Notice("A campaign was sent", "/campaigns/{id}/live"),
    "campaign.failed": Notice("A campaign could not be sent", "/campaigns/{id}/review"),
    "campaign.missed": Notice("A scheduled campaign was missed", "/campaigns/{id}/review"),
    "campaign.test_waits": Notice("An A/B test waits for you", "/campaigns/{id}/live"),
    "campaign.test_ended": Notice("An A/B test ended without a winner", "/campaigns/{id}/live"),
    "campaign.winner_named": Notice("An A/B test has a winner", "/campaigns/{id}/live"),
    "domain.verified": Notice("A sending domain is verified", "/senders/domains/{id}"),
    "domain.lost": Notice("A sending domain lost a DNS record", "/senders/domains/{id}"),
    "drafting.proposed": Notice("A scheduled draft is ready", "/ai/generations/{id}"),
    "drafting.ready": Notice("A scheduled draft is ready", "/campaigns/{id}"),
    "drafting.skipped": Notice("A scheduled draft was not written", "/ai/schedules/{id}"),
    "import.finished": Notice("An import is done", "/imports/{id}"),
    "import.failed": Notice("An import could not be read", "/imports/{id}"),
    "report.not_mailed": Notice("A report could not be mailed", "/reports/kept/{id}"),
    "member.joined": Notice("Somebody joined", "/settings/team"),
}
