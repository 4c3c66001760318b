"""Celery's part: it wakes the engine and carries ids. A lost task costs seconds: the sweep finds what is due."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from accounts.notifications import mail
from accounts.permissions import role_allows
from aiwriter.models import Draft
from aiwriter.services.edits import Wording, note_sent
from campaigns import drafting
from campaigns.content.wording import wording_of
from campaigns.deliverability import verify
from campaigns.delivery import ledger, pipeline, readers, reaper, scheduling
from campaigns.models import Campaign, DraftingRun, SendingDomain, Variant
from campaigns.preflight import link_answers
from campaigns.preflight.examined import Examined

#: Slices of one campaign that may run at the same time, over all workers.
SLICES_PER_CAMPAIGN = 4
#: Of so many recipients each, another slice is woken, up to that number.
RECIPIENTS_PER_SLICE = 2000
#: A slot outlives a slice that was killed by little: until then the other slots work.
SLOT_S = int(pipeline.SLICE_S + ledger.HAND_OVER_S)


def _take_slot(campaign_id: str) -> tuple[str, str] | None:
    mark = uuid4().hex
    for number in range(SLICES_PER_CAMPAIGN):
        key = f"slice:{campaign_id}:{number}"
        if cache.add(key, mark, timeout=SLOT_S):
            return key, mark
    return None


@shared_task
def deliver_slice(*, campaign_id: str, **_later: Any) -> None:
    """Send one slice of a campaign, then wake the next one if there is more."""
    slot = _take_slot(campaign_id)
    if slot is None:
        return
    try:
        has_more = pipeline.deliver(campaign_id=campaign_id)
    finally:
        key, mark = slot
        if cache.get(key) == mark:
            cache.delete(key)
    if has_more:
        deliver_slice.delay(campaign_id=campaign_id)


def wake_on_commit(campaign_id: UUID, *, recipients: int = 0) -> None:
    """Wake as many slices of a campaign as so many recipients are worth, once the transaction is committed."""
    for _ in range(min(SLICES_PER_CAMPAIGN, 1 + recipients // RECIPIENTS_PER_SLICE)):
        deliver_slice.delay_on_commit(campaign_id=str(campaign_id))


@shared_task
def deliver_message(*, message_id: int, **_later: Any) -> None:
    """Send one row that waits on its own."""
    pipeline.deliver_one(message_id=message_id)


@shared_task
def launch_due_campaigns(**_later: Any) -> None:
    """Launch the campaigns whose time has come."""
    for campaign_id in scheduling.launch_due(now=timezone.now()):
        deliver_slice.delay(campaign_id=str(campaign_id))
        measure_edits.delay(campaign_id=str(campaign_id))


@shared_task
def measure_edits(*, campaign_id: str, **_later: Any) -> None:
    """Tell the AI writer what became of the drafts that a launched campaign began as."""
    rows = Variant.objects.across_workspaces().select_related("draft").filter(campaign_id=campaign_id)
    sent: dict[Draft, list[Wording]] = {}
    for variant in rows.exclude(draft=None):
        assert variant.draft is not None
        sent.setdefault(variant.draft, []).append(wording_of(variant))
    for draft, wordings in sent.items():
        note_sent(draft=draft, sent=wordings)


@shared_task
def sweep(**_later: Any) -> None:
    """Put the ledger in order and wake whatever is due; one sweep at a time."""
    due = reaper.sweep(now=timezone.now())
    for campaign_id in due.campaigns:
        deliver_slice.delay(campaign_id=str(campaign_id))
    for message_id in due.singles:
        deliver_message.delay(message_id=message_id)


@shared_task
def recheck_domains(**_later: Any) -> None:
    """Look again at the sending domains whose records were last seen long enough ago."""
    for domain_id in verify.due_ids(timezone.now()):
        recheck_domain.delay(domain_id=domain_id)


@shared_task
def recheck_domain(*, domain_id: str, **_later: Any) -> None:
    """Look one sending domain's records up."""
    domain = SendingDomain.objects.select_related("workspace").filter(pk=domain_id).first()
    if domain is not None:
        verify.verify(domain)


@shared_task
def check_links(*, campaign_id: str, **_later: Any) -> None:
    """Ask the addresses in a campaign's mail whether they answer."""
    campaign = Campaign.objects.across_workspaces().select_related("workspace").filter(pk=campaign_id).first()
    if campaign is not None:
        link_answers.ask_all(campaign.workspace_id, campaign.pk, Examined.of(campaign).urls)


@shared_task
def simulate_readers(*, workspace_id: str, campaign_id: str | None = None, **_later: Any) -> None:
    """Read the captured mail of a workspace as mailboxes and people would."""
    readers.read_outbox(workspace_id=workspace_id, campaign_id=campaign_id)


@shared_task
def mail_braked(*, campaign_id: str, **_later: Any) -> None:
    """Write to everybody who may go on with a campaign that the brake has stopped why it did."""
    campaigns = Campaign.objects.across_workspaces().select_related("workspace")
    campaign = campaigns.filter(pk=campaign_id, status=Campaign.Status.PAUSED, braked_at__isnull=False).first()
    if campaign is None:
        return
    path = f"/campaigns/{campaign.pk}/live"
    for member in campaign.workspace.memberships.select_related("user").filter(user__is_active=True):
        if role_allows(member.role, "campaign.send"):
            subject = f"Stopped: {campaign.name}"
            mail.send_notice(member.user, subject=subject, text=campaign.status_reason, path=path, button="Look at it")


@shared_task
def keep_drafting_calendar(**_later: Any) -> None:
    """Note how scheduled drafts ended, tell people, and start what is due."""
    now = timezone.now()
    for run_id in drafting.settle(now=now):
        mail_draft_ready.delay(run_id=str(run_id))
    drafting.run_due(now=now)


@shared_task
def mail_draft_ready(*, run_id: str, **_later: Any) -> None:
    """Write to the maker of a schedule that its draft waits, as long as that person belongs to the workspace."""
    runs = DraftingRun.objects.across_workspaces().select_related("schedule__workspace", "schedule__created_by")
    run = runs.filter(pk=run_id, status=DraftingRun.Status.DRAFTED).first()
    person = run.schedule.created_by if run else None
    if run and person and person.is_active and person.memberships.filter(workspace_id=run.workspace_id).exists():
        name, path = drafting.ready_line(run)
        mail.send_notice(person, subject=name, text=drafting.WAITING, path=path, button="Read the draft")
