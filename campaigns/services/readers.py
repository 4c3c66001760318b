"""Letting simulated readers loose on the outbox."""

from __future__ import annotations

from accounts.activity import record as record_activity
from accounts.models import User, Workspace
from campaigns import tasks
from campaigns.delivery import readers
from campaigns.models import Campaign, CapturedMessage
from pulsequill.core.errors import Invalid, WrongState


def simulate_readers(*, workspace: Workspace, campaign: Campaign | None, actor: User | None) -> None:
    """Start reading the captured mail of a workspace, or of one campaign, in the background.

    Raises:
        Invalid: there is no mail to read.
        WrongState: readers are at work already.
    """
    mails = CapturedMessage.objects.for_workspace(workspace).filter(message__isnull=False)
    if campaign is not None:
        mails = mails.filter(campaign=campaign)
    if not mails.exists():
        raise Invalid("There is no mail to read yet. Send a campaign first.", code="no_mail")
    if not readers.begin(workspace.pk):
        raise WrongState("Readers are at work already.")
    record_activity(
        workspace=workspace,
        kind="outbox.readers_started",
        summary="Simulated readers were let loose on the outbox.",
        actor=actor,
        subject=campaign,
    )
    tasks.simulate_readers.delay_on_commit(
        workspace_id=str(workspace.pk), campaign_id=str(campaign.pk) if campaign is not None else None
    )
