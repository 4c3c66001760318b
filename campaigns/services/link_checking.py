"""Asking the addresses in a mail whether they answer: started by a page or `/v1`, done in the background."""

from __future__ import annotations

from dataclasses import dataclass

from campaigns import tasks
from campaigns.models import Campaign
from campaigns.preflight import link_answers
from campaigns.preflight.examined import Examined


@dataclass(frozen=True, slots=True)
class LinkCheck:
    """How far a check has come: addresses in the mail, those with an answer, and whether one is under way."""

    total: int
    answered: int
    is_running: bool

    @property
    def is_done(self) -> bool:
        """Whether nothing more will come."""
        return self.answered >= self.total or not self.is_running


def get_link_check(campaign: Campaign) -> LinkCheck:
    """Return how far the check of a campaign's addresses has come."""
    examined = Examined.of(campaign)
    total = min(len(examined.urls), link_answers.MOST_ADDRESSES)
    return LinkCheck(total, len(examined.answers), link_answers.is_running(campaign.workspace_id, campaign.pk))


def start_link_check(campaign: Campaign) -> LinkCheck:
    """Ask the addresses that have no answer of the last hour, unless somebody is asking already."""
    found = get_link_check(campaign)
    if found.answered >= found.total or not link_answers.may_start(campaign.workspace_id, campaign.pk):
        return found
    tasks.check_links.delay_on_commit(campaign_id=str(campaign.pk))
    return LinkCheck(found.total, found.answered, is_running=True)
