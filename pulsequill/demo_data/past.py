"""The demo's sent campaigns: launched, delivered and read in the past, by the same code that does it in the present.

Recipients are planned by the real launch (so suppressions of earlier campaigns hold), messages then get the times at
which they would have left, and what readers did goes through the real event consumer.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from accounts.models import User, Workspace
from analytics.ingest.store import store
from audiences.models import Contact, ContactList, Subscription, Suppression
from campaigns.delivery import planner
from campaigns.models import Campaign, Experiment, Link, Message, Sender, Variant
from pulsequill.demo_data.mails import Mail, SentCampaign
from pulsequill.demo_data.readers import Departure, Readers, Sent, batches

PROVIDER = "sendgrid"
MESSAGES_A_SECOND = 30
#: One in so many addresses was refused by the provider at once.
REFUSED_EVERY = 430

_LEAVE = """
WITH numbered AS (
    SELECT id, (row_number() OVER (ORDER BY id))::int - 1 AS place
      FROM campaigns_message WHERE campaign_id = %(campaign)s AND status = 'queued'
), timed AS (
    SELECT id, %(launched)s + make_interval(secs => 1 + place / %(rate)s::float) AS at,
           CASE WHEN place %% %(refused)s = %(refused)s - 1 THEN 'failed'
                WHEN place %% 401 = 17 AND place / 401 < %(in_doubt)s THEN 'in_doubt' ELSE 'sent' END AS fate
      FROM numbered
)
UPDATE campaigns_message AS message
   SET status = fate, provider = %(provider)s, attempt_no = 1, attempt_id = md5(message.id::text)::uuid,
       claimed_by = 'demo', claimed_at = at - interval '1 second',
       sent_at = CASE WHEN fate = 'sent' THEN at END,
       provider_message_id = CASE WHEN fate = 'sent' THEN substr(md5(message.id::text), 1, 22) ELSE '' END,
       last_error_code = CASE fate WHEN 'failed' THEN 'http_400' WHEN 'in_doubt' THEN 'timeout' ELSE '' END,
       reason = CASE fate WHEN 'failed' THEN 'The provider refused the address.'
                          WHEN 'in_doubt' THEN 'The provider did not answer: it may have been sent.' ELSE '' END
  FROM timed WHERE message.id = timed.id
"""

_MINUTES = """
INSERT INTO campaigns_deliveryminute (campaign_id, variant_id, minute, sent, delivered, failed)
SELECT campaign_id, variant_id, date_trunc('minute', claimed_at + interval '1 second', 'UTC'),
       count(*) FILTER (WHERE status = 'sent'), 0, count(*) FILTER (WHERE status = 'failed')
  FROM campaigns_message WHERE campaign_id = %s AND status IN ('sent', 'failed') GROUP BY 1, 2, 3
"""

_LAST_SENT = """
UPDATE audiences_contact AS contact SET last_sent_at = message.sent_at
  FROM campaigns_message AS message
 WHERE message.campaign_id = %s AND message.contact_id = contact.id AND message.sent_at IS NOT NULL
"""

#: What the effects of past events wrote carries today's date; it happened when the message came back.
_SUPPRESSED_WHEN = """
UPDATE audiences_suppression AS suppression SET created_at = told.at, updated_at = told.at
  FROM (SELECT email_normalized,
               coalesce(
                   least(
                       min(bounced_at) FILTER (WHERE bounce_type = 'hard'), min(complained_at), min(unsubscribed_at)
                   ),
                   max(bounced_at)
               ) AS at
          FROM campaigns_message WHERE workspace_id = %s GROUP BY email_normalized) AS told
 WHERE suppression.workspace_id = %s AND suppression.email_normalized = told.email_normalized AND told.at IS NOT NULL
"""


def new_campaign(
    *, workspace: Workspace, sender: Sender, author: User, name: str, lists: list[ContactList], mails: tuple[Mail, ...]
) -> Campaign:
    """Return a new draft with one variant a mail, evenly shared."""
    campaign = Campaign.objects.create(
        workspace=workspace,
        name=name,
        sender=sender,
        created_by=author,
        utm={"source": "pulsequill", "medium": "email"},
    )
    campaign.lists.set(lists)
    for label, mail in zip("AB", mails, strict=False):
        Variant.objects.create(
            workspace=workspace,
            campaign=campaign,
            label=label,
            subject=mail.subject,
            preview_text=mail.preview_text,
            body=mail.blocks,
            share=100 // len(mails),
        )
    return campaign


def send_in_the_past(
    plan: SentCampaign,
    *,
    campaign: Campaign,
    keenness: Mapping[str, float],
    dice: random.Random,
    now: datetime,
) -> datetime:
    """Launch a draft at its time in the past, let it arrive and be read.

    Returns:
        When it was launched.
    """
    launched = (now - timedelta(days=plan.days_ago)).replace(hour=plan.hour, minute=0, second=0, microsecond=0)
    planner.launch(campaign, now=launched)
    names: dict[str, Any] = {
        "campaign": campaign.pk,
        "launched": launched,
        "rate": MESSAGES_A_SECOND,
        "refused": REFUSED_EVERY,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE, {**names, "provider": PROVIDER, "in_doubt": plan.in_doubt})
        cursor.execute(_MINUTES, [campaign.pk])
        cursor.execute(_LAST_SENT, [campaign.pk])
    readers = Readers(dice, now)
    for sent in _messages(plan, campaign, keenness):
        readers.receive(sent)
    for lines in batches(readers.lines):
        store(lines)
    _let_leave(campaign.workspace, readers.departures)
    finished = Message.objects.filter(campaign=campaign).aggregate(at=Max("claimed_at"))["at"] or launched
    Campaign.objects.filter(pk=campaign.pk).update(
        status=Campaign.Status.SENT,
        provider=PROVIDER,
        finished_at=finished,
        created_at=launched - timedelta(days=2, hours=3),
        updated_at=finished,
    )
    if len(plan.variants) > 1:
        _compare(plan, campaign, launched)
    return launched


def _messages(plan: SentCampaign, campaign: Campaign, keenness: Mapping[str, float]) -> list[Sent]:
    links: dict[object, list[int]] = {}
    for link_id, variant_id in Link.objects.filter(variant__campaign=campaign, is_honeypot=False).values_list(
        "id", "variant_id"
    ):
        links.setdefault(variant_id, []).append(link_id)
    second = {
        variant_id: label == "B"
        for variant_id, label in Variant.objects.filter(campaign=campaign).values_list("id", "label")
    }
    rows: Any = (
        Message.objects.filter(campaign=campaign, status=Message.Status.SENT)
        .order_by("id")
        .values_list("id", "email", "sent_at", "variant_id")
    )
    return [
        Sent(
            message_id=message_id,
            email=email,
            sent_at=sent_at,
            keenness=keenness[email],
            link_ids=sorted(links.get(variant_id, ())),
            open_share=plan.open_share * (1 + (plan.lift - 1) / 3 if second[variant_id] else 1),
            click_share=plan.click_share * (plan.lift if second[variant_id] else 1),
        )
        for message_id, email, sent_at, variant_id in rows
    ]


def _let_leave(workspace: Workspace, departures: list[Departure]) -> None:
    """Do for the past what the unsubscribe page does: end every subscription and suppress the address."""
    for departure in departures:
        contact = Contact.objects.for_workspace(workspace).get(email_normalized=departure.email)
        Subscription.objects.for_workspace(workspace).filter(contact=contact).update(
            status=Subscription.Status.UNSUBSCRIBED, unsubscribed_at=departure.at
        )
        Suppression.objects.get_or_create(
            workspace=workspace,
            email_normalized=departure.email,
            defaults={"reason": Suppression.Reason.UNSUBSCRIBE, "source": "unsubscribe page"},
        )


def _compare(plan: SentCampaign, campaign: Campaign, launched: datetime) -> None:
    is_decided = bool(plan.outcome)
    second = Variant.objects.for_workspace(campaign.workspace).get(campaign=campaign, label="B")
    Experiment.objects.create(
        workspace=campaign.workspace,
        campaign=campaign,
        decide_after_hours=Experiment.EVEN_HOURS,
        state=Experiment.State.WINNER if is_decided else Experiment.State.RUNNING,
        winner=second if is_decided else None,
        decided_at=launched + timedelta(hours=24) if is_decided else None,
        outcome=plan.outcome,
    )
    if is_decided:
        second.is_winner = True
        second.save(update_fields=["is_winner", "updated_at"])


def date_suppressions(workspace: Workspace) -> None:
    """Give every suppression the date of the event that caused it."""
    with connection.cursor() as cursor:
        cursor.execute(_SUPPRESSED_WHEN, [workspace.pk, workspace.pk])


def today_at(hour: int, *, days: int = 0) -> datetime:
    """Return a full hour of today, or of a day from now."""
    return (timezone.now() + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
