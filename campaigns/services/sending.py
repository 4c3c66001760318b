"""Sending a campaign: now, later, and all that stops it. Each verb is audited and wakes the workers after commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.activity import record as record_activity
from accounts.models import User
from audiences.addresses import BadAddress, parse_address
from audiences.models import Contact
from campaigns import tasks
from campaigns.content.compile import compile_variant
from campaigns.delivery import reaper, scheduling
from campaigns.delivery.providers import active_provider
from campaigns.delivery.providers.answers import ACCOUNT_CODES
from campaigns.lifecycle import change_status
from campaigns.models import Campaign, Message, Variant
from campaigns.windows import parse_window
from pulsequill.core.errors import FieldError, Invalid, WrongState
from pulsequill.core.live import mark_dirty

MOST_TEST_ADDRESSES = 10

#: Rows that failed because of our account, not because of the message, get another try when somebody resumes.
_TRY_ACCOUNT_FAILURES_AGAIN = """
UPDATE campaigns_message
   SET status = 'retrying', due_at = now(), reason = '', attempt_id = NULL
 WHERE campaign_id = %s AND NOT is_test AND status = 'failed' AND last_error_code = ANY(%s)
RETURNING variant_id
"""
_RETRY_AT_ONCE = """
UPDATE campaigns_message SET due_at = now() WHERE campaign_id = %s AND NOT is_test AND status = 'retrying'
"""
_SKIP_THE_REST = """
UPDATE campaigns_message SET status = 'skipped', reason = 'cancelled', due_at = NULL
 WHERE campaign_id = %s AND NOT is_test AND status IN ('held', 'queued', 'retrying')
"""


def _changed(campaign: Campaign, to: str, *, reason: str = "", **fields: object) -> None:
    """Change the status, or say that it cannot be changed.

    Raises:
        WrongState: the table forbids it, or somebody was first.
    """
    was = campaign.get_status_display().lower()
    if not change_status(campaign, to, reason=reason, **fields):
        raise WrongState(f"“{campaign.name}” is {was}, so this cannot be done now.")


def _say(campaign: Campaign, kind: str, summary: str, actor: User | None, **data: object) -> None:
    record_activity(workspace=campaign.workspace, kind=kind, summary=summary, actor=actor, subject=campaign, **data)
    transaction.on_commit(lambda: mark_dirty(campaign.pk))


def set_pace(
    *, campaign: Campaign, timezone_mode: str, send_window: dict[str, Any], throttle_per_hour: int | None
) -> Campaign:
    """Say how a campaign shall leave, as long as nothing has left: a scheduled one keeps its time.

    Args:
        campaign: a draft or a scheduled one.
        timezone_mode: `workspace` or `contact`.
        send_window: `windows.parse_window`'s input; empty for any time.
        throttle_per_hour: most messages an hour; None for no limit.

    Raises:
        Invalid: the window cannot be read.
        WrongState: it has been launched.
    """
    window = parse_window(send_window)
    pace = {
        "timezone_mode": timezone_mode,
        "send_window": window.as_json() if window else {},
        "throttle_per_hour": throttle_per_hour,
    }
    waiting = Campaign.objects.for_workspace(campaign.workspace_id).filter(
        pk=campaign.pk, status__in=(Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)
    )
    if not waiting.update(**pace, revision=F("revision") + 1, updated_at=timezone.now()):
        raise WrongState(f"“{campaign.name}” has been launched, so its pace cannot be changed.")
    for name, value in pace.items():
        setattr(campaign, name, value)
    return campaign


def launch_campaign(*, campaign: Campaign, actor: User | None) -> Campaign:
    """Send a campaign now.

    Raises:
        Blocked: preflight blocks it; `findings` say why.
        WrongState: it has been launched already, or may not be.
    """
    with transaction.atomic():
        # now means now, also where a time was planned or missed and readers' clocks would count from it
        Campaign.objects.for_workspace(campaign.workspace_id).filter(pk=campaign.pk).update(send_at=None)
        campaign.send_at = None
        planned = scheduling.launch(campaign, actor=actor, now=timezone.now())
        tasks.wake_on_commit(campaign.pk, recipients=planned)
        tasks.measure_edits.delay_on_commit(campaign_id=str(campaign.pk))
        transaction.on_commit(lambda: mark_dirty(campaign.pk))
    return campaign


def schedule_campaign(*, campaign: Campaign, send_at: datetime, actor: User | None) -> Campaign:
    """Plan a campaign for a time; a scheduled one is moved to another time.

    Raises:
        Invalid: the time is not in the future.
        Blocked: preflight blocks it now already.
        WrongState: it is neither a draft nor scheduled.
    """
    if send_at <= timezone.now():
        detail = "Choose a time in the future."
        raise Invalid(detail, errors=[FieldError("send_at", "not_in_future", detail)])
    if campaign.status not in (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED):
        raise WrongState(f"“{campaign.name}” is {campaign.get_status_display().lower()} and cannot be scheduled.")
    scheduling.refuse_blocked(campaign)
    with transaction.atomic():
        if campaign.status == Campaign.Status.SCHEDULED:
            moved = (
                Campaign.objects.for_workspace(campaign.workspace_id)
                .filter(pk=campaign.pk, status=Campaign.Status.SCHEDULED)
                .update(send_at=send_at, updated_at=timezone.now())
            )
            if not moved:
                raise WrongState(f"“{campaign.name}” is not scheduled any more.")
            campaign.send_at = send_at
        else:
            _changed(campaign, Campaign.Status.SCHEDULED, send_at=send_at)
        _say(
            campaign,
            "campaign.scheduled",
            f"“{campaign.name}” will be sent at {send_at:%d %b %Y %H:%M %Z}.",
            actor,
            send_at=send_at.isoformat(),
        )
    return campaign


def unschedule_campaign(*, campaign: Campaign, actor: User | None) -> Campaign:
    """Make a scheduled campaign a draft again.

    Raises:
        WrongState: it is not scheduled.
    """
    if campaign.status != Campaign.Status.SCHEDULED:
        raise WrongState(f"“{campaign.name}” is not scheduled.")
    with transaction.atomic():
        _changed(campaign, Campaign.Status.DRAFT, send_at=None)
        _say(campaign, "campaign.unscheduled", f"“{campaign.name}” is a draft again.", actor)
    return campaign


def pause_campaign(*, campaign: Campaign, actor: User | None, reason: str = "") -> Campaign:
    """Stop a running campaign; no claim follows, and messages under way are finished.

    Raises:
        WrongState: it is not being sent.
    """
    if campaign.status != Campaign.Status.SENDING:
        raise WrongState(f"“{campaign.name}” is {campaign.get_status_display().lower()} and cannot be paused.")
    with transaction.atomic():
        _changed(campaign, Campaign.Status.PAUSED, reason=reason or f"Paused by {actor}." if actor else reason)
        _say(campaign, "campaign.paused", f"“{campaign.name}” was paused.", actor, reason=reason)
    return campaign


def resume_campaign(*, campaign: Campaign, actor: User | None) -> Campaign:
    """Go on with a paused campaign; what failed because of our account at the provider is tried again.

    What made the brake stop it counts no more: only what happens to messages from here on may stop it again.

    Raises:
        WrongState: it is not paused.
    """
    if campaign.status != Campaign.Status.PAUSED:
        raise WrongState(f"“{campaign.name}” is {campaign.get_status_display().lower()} and cannot be resumed.")
    with transaction.atomic():
        released: dict[str, Any] = (
            {"braked_at": None, "brake_released_at": timezone.now()} if campaign.braked_at else {}
        )
        _changed(campaign, Campaign.Status.SENDING, continues_at=None, **released)
        with connection.cursor() as cursor:
            cursor.execute(_TRY_ACCOUNT_FAILURES_AGAIN, [campaign.pk, list(ACCOUNT_CODES)])
            again = cursor.rowcount
            cursor.execute(_RETRY_AT_ONCE, [campaign.pk])
        _say(campaign, "campaign.resumed", f"“{campaign.name}” was resumed.", actor, tried_again=again)
        tasks.wake_on_commit(campaign.pk, recipients=campaign.recipients)
    return campaign


def cancel_campaign(*, campaign: Campaign, actor: User | None) -> Campaign:
    """End a campaign for good: whoever has not been mailed is skipped, with that reason.

    Raises:
        WrongState: it has not begun, or is over.
    """
    with transaction.atomic():
        _changed(campaign, Campaign.Status.CANCELLED, finished_at=timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(_SKIP_THE_REST, [campaign.pk])
            skipped = cursor.rowcount
        _say(
            campaign,
            "campaign.cancelled",
            f"“{campaign.name}” was cancelled; {skipped:,} recipients were not mailed.",
            actor,
            skipped=skipped,
        )
    return campaign


def _test_addresses(to: list[str]) -> dict[str, str]:
    """Return the addresses by their normalised form."""
    if not 1 <= len(to) <= MOST_TEST_ADDRESSES:
        detail = f"Name one to {MOST_TEST_ADDRESSES} addresses."
        raise Invalid(detail, errors=[FieldError("to", "invalid", detail)])
    addresses: dict[str, str] = {}
    for position, text in enumerate(to):
        try:
            address = parse_address(text)
        except BadAddress as error:
            detail = f"{text[:80]}: {error.detail}"
            raise Invalid(detail, errors=[FieldError(f"to.{position}", error.code, error.detail)]) from error
        addresses[address.normalized] = address.email
    return addresses


def send_test(
    *, campaign: Campaign, variant: Variant, to: list[str], contact: Contact | None, actor: User | None
) -> list[Message]:
    """Send a variant as it stands now to a few addresses, as `contact` would get it; never counted.

    Args:
        campaign: in any state.
        variant: one of its variants.
        to: addresses of the team.
        contact: whose merge values fill it; None for the fallbacks.
        actor: who asked.

    Raises:
        Invalid: an address is not one, or the campaign cannot be composed.
    """
    addresses = _test_addresses(to)
    if any(one.comes_from is None for one in campaign.variants.all()):
        detail = "Choose a sender first."
        raise Invalid(detail, code="no_sender", errors=[FieldError("sender", "required", detail)])
    compile_variant(variant=variant, campaign=campaign, workspace=campaign.workspace, has_tracking=False)
    provider = active_provider(campaign.workspace_id)
    with transaction.atomic():
        messages = Message.objects.bulk_create(
            [
                Message(
                    workspace_id=campaign.workspace_id,
                    campaign=campaign,
                    variant=variant,
                    contact=contact,
                    email=address,
                    email_normalized=normalized,
                    is_test=True,
                    provider=provider,
                )
                for normalized, address in addresses.items()
            ]
        )
        _say(
            campaign,
            "campaign.test_sent",
            f"A test of “{campaign.name}” was sent to {', '.join(addresses.values())}.",
            actor,
        )
        for message in messages:
            tasks.deliver_message.delay_on_commit(message_id=message.pk)
    return messages


def launch_due_campaigns(now: datetime) -> list[UUID]:
    """Launch every campaign whose time has come; return their ids."""
    launched = scheduling.launch_due(now=now)
    for campaign_id in launched:
        tasks.deliver_slice.delay_on_commit(campaign_id=str(campaign_id))
    return launched


def sweep(now: datetime) -> reaper.Due:
    """Put the ledger in order, wake what is due, and return it."""
    due = reaper.sweep(now=now)
    for campaign_id in due.campaigns:
        tasks.deliver_slice.delay_on_commit(campaign_id=str(campaign_id))
    for message_id in due.singles:
        tasks.deliver_message.delay_on_commit(message_id=message_id)
    return due
