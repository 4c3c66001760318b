"""What can be told to an endpoint: the kinds of activity that leave the house, with the sentence that documents them.

Names only: the stages that record these kinds come later and are not known here. A kind that is recorded but not
listed stays in the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WebhookKind:
    """One kind of event that an endpoint can subscribe to."""

    kind: str
    doc: str


KINDS: tuple[WebhookKind, ...] = (
    WebhookKind("campaign.scheduled", "A campaign got a time to be sent."),
    WebhookKind("campaign.launched", "A campaign began to be sent."),
    WebhookKind("campaign.paused", "A campaign was paused, by a person or by the emergency brake."),
    WebhookKind("campaign.resumed", "A paused campaign goes on."),
    WebhookKind("campaign.sent", "The last message of a campaign was handed over."),
    WebhookKind("campaign.cancelled", "A campaign was cancelled."),
    WebhookKind("campaign.failed", "A campaign could not be sent."),
    WebhookKind("campaign.winner_named", "An A/B test has a winner, by its rule or by a person."),
    WebhookKind("campaign.test_ended", "An A/B test ended without a winner."),
    WebhookKind("campaign.test_waits", "An A/B test waits for a person to choose."),
    WebhookKind("import.finished", "A contact import is done."),
    WebhookKind("import.failed", "A contact import could not be read."),
    WebhookKind("contact.created", "A contact was added by a person or by the API."),
    WebhookKind("contact.updated", "A contact's details changed."),
    WebhookKind("contact.unsubscribed", "A contact unsubscribed."),
    WebhookKind("contact.erased", "A contact was erased on request."),
    WebhookKind("email.suppressed", "An address will not be mailed any more."),
    WebhookKind("draft.accepted", "A person adopted a draft of the AI writer."),
    WebhookKind("member.joined", "Somebody joined the workspace."),
    WebhookKind("member.removed", "Somebody was taken out of the workspace."),
)
KNOWN = frozenset(row.kind for row in KINDS)
#: Sent by the "send a test event" button, whatever the endpoint subscribed to.
TEST_KIND = "webhook.test"
