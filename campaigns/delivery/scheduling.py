"""Launches: only past preflight, and by the calendar. Schedules are rows; a late one asks instead of firing."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q

from accounts.activity import record as record_activity
from accounts.models import User
from campaigns import preflight
from campaigns.delivery import local_time, planner
from campaigns.lifecycle import change_status
from campaigns.models import Campaign
from pulsequill.core.errors import Blocked, DomainError, WrongState

logger = structlog.get_logger(__name__)

#: Later than this, a schedule was missed: what it announced may not be true any more.
LATEST = timedelta(hours=1)


def refuse_blocked(campaign: Campaign) -> None:
    """Check everything that must be right before a campaign may leave.

    Raises:
        Blocked: with the findings, when one of them blocks.
    """
    findings = preflight.run(campaign)
    blocks = [finding for finding in findings if finding.is_block]
    if blocks:
        raise Blocked(
            " ".join(finding.message for finding in blocks)[:1000],
            code="preflight_blocked",
            findings=[finding.as_json() for finding in findings],
        )


def launch(campaign: Campaign, *, actor: User | None, now: datetime) -> int:
    """Check, plan and start a campaign; return the ledger's size.

    Raises:
        Blocked: preflight blocks it.
        WrongState: it has been launched already, or may not be.
    """
    if campaign.status not in planner.LAUNCHABLE:
        raise WrongState(f"“{campaign.name}” is {campaign.get_status_display().lower()} and cannot be launched.")
    refuse_blocked(campaign)
    with transaction.atomic():
        planned = planner.launch(campaign, now=now)
        record_activity(
            workspace=campaign.workspace,
            kind="campaign.launched",
            summary=f"“{campaign.name}” was launched to {planned:,} recipients.",
            actor=actor,
            subject=campaign,
            recipients=planned,
        )
    return planned


def launch_due(*, now: datetime) -> list[UUID]:
    """Launch every campaign whose time has come; return the ids of those that this call launched.

    One that follows the contacts' clocks is launched when the easternmost contact's time comes.
    """
    by_contact = Q(timezone_mode=Campaign.TimezoneMode.CONTACT, send_at__lte=now + local_time.EARLIEST)
    may_be_due = (
        Campaign.objects.across_workspaces()
        .select_related("workspace", "sender")
        .filter(Q(send_at__lte=now) | by_contact, status=Campaign.Status.SCHEDULED)
        .order_by("send_at")
    )
    launched = []
    for campaign in may_be_due:
        starts_at = local_time.starts_at(campaign)
        if starts_at is None or starts_at > now:
            continue
        if campaign.timezone_mode == Campaign.TimezoneMode.CONTACT:
            # the first zone's time may have passed when somebody scheduled it: that is no delay of ours
            starts_at = max(starts_at, campaign.updated_at)
        if campaign.send_at is not None and now - starts_at > LATEST:
            _give_back(
                campaign,
                "campaign.missed",
                f"Missed its time ({campaign.send_at:%d %b %Y %H:%M} UTC): send it now, or choose a new time.",
            )
            continue
        try:
            launch(campaign, actor=None, now=now)
        except WrongState:
            continue  # another process was first, or a person changed it meanwhile
        except DomainError as error:
            _give_back(campaign, "campaign.blocked", f"Could not be launched at its time. {error.detail}")
            continue
        launched.append(campaign.pk)
    return launched


def _give_back(campaign: Campaign, kind: str, reason: str) -> None:
    """Make a scheduled campaign a draft again and say why: a person decides."""
    with transaction.atomic():
        if not change_status(campaign, Campaign.Status.DRAFT, reason=reason):
            return
        record_activity(
            workspace=campaign.workspace,
            kind=kind,
            summary=f"“{campaign.name}”: {reason}",
            subject=campaign,
            reason=reason[:300],
        )
    logger.warning("schedule_not_kept", campaign_id=str(campaign.pk), kind=kind)
