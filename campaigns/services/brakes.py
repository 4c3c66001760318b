"""The emergency brake: setting its limits, and pulling it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.activity import record as record_activity
from campaigns import tasks
from campaigns.braking import parse_brake
from campaigns.lifecycle import change_status
from campaigns.models import Campaign
from pulsequill.core.errors import FieldError, Invalid, WrongState
from pulsequill.core.live import mark_dirty

#: The largest part that may get it first, and how long it may be watched.
MOST_CANARY_SHARE = 20
CANARY_MINUTES = (5, 1440)


def set_brake(*, campaign: Campaign, canary_share: int, canary_minutes: int, brake: Mapping[str, Any]) -> Campaign:
    """Say who gets a campaign first and what pauses it, as long as nothing has left.

    Args:
        campaign: a draft or a scheduled one.
        canary_share: percent who get it first; 0: everybody at once.
        canary_minutes: how long they are watched before the others get it.
        brake: limits, as `braking.parse_brake` takes them.

    Raises:
        Invalid: a value is out of its range.
        WrongState: it has been launched.
    """
    if not 0 <= canary_share <= MOST_CANARY_SHARE:
        raise _refuse("canary_share", f"At most {MOST_CANARY_SHARE} % get it first.")
    if not CANARY_MINUTES[0] <= canary_minutes <= CANARY_MINUTES[1]:
        raise _refuse("canary_minutes", "The first readers are watched for 5 minutes to a day.")
    values = {"canary_share": canary_share, "canary_minutes": canary_minutes, "brake": parse_brake(brake)}
    waiting = Campaign.objects.for_workspace(campaign.workspace_id).filter(
        pk=campaign.pk, status__in=(Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)
    )
    if not waiting.update(**values, revision=F("revision") + 1, updated_at=timezone.now()):
        raise WrongState(f"“{campaign.name}” has been launched, so its limits cannot be changed.")
    for name, value in values.items():
        setattr(campaign, name, value)
    return campaign


def _refuse(field: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, "out_of_range", detail)])


def pull_brake(
    *, campaign: Campaign, reasons: Sequence[str], figures: Mapping[str, Any], dead_urls: Sequence[str] = ()
) -> bool:
    """Pause a campaign by itself, and tell everybody who can do something about it: on the page, and by mail.

    Args:
        campaign: one that is being sent.
        reasons: a sentence for each limit that was reached.
        figures: what they rest on, for the audit log.
        dead_urls: addresses that lead nowhere; whoever resumes the campaign accepts them.

    Returns:
        False when somebody was first: it is paused, cancelled or done.
    """
    reason = " ".join(["The brake stopped it.", *reasons])[:300]
    changes = {"braked_at": timezone.now(), "dead_urls": list(dict.fromkeys([*campaign.dead_urls, *dead_urls]))}
    with transaction.atomic():
        if not change_status(campaign, Campaign.Status.PAUSED, reason=reason, **changes):
            return False
        record_activity(
            workspace=campaign.workspace,
            kind="campaign.paused",
            summary=f"“{campaign.name[:100]}” is paused. {reason}"[:300],
            subject=campaign,
            reason=reason,
            by="brake",
            figures=dict(figures),
        )
        tasks.mail_braked.delay_on_commit(campaign_id=str(campaign.pk))
        transaction.on_commit(lambda: mark_dirty(campaign.pk))
    return True
