"""Links that lead nowhere: asked every few minutes for as long as a campaign is being sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.cache import cache

from campaigns.braking import DEAD_LINKS, limits_of
from campaigns.models import Campaign, Link
from campaigns.preflight import link_answers
from campaigns.preflight.link_answers import LinkAnswer, State

#: How often they are asked, and how soon again when one of them failed.
EVERY, SOON = timedelta(minutes=5), timedelta(minutes=1)
#: A good answer that another campaign of the workspace got is taken for so long; a bad one is always asked for again.
FRESH = timedelta(minutes=4)
#: A server that fails may be starting anew: it is gone when it still fails after so long (under `SOON`: beat drifts).
PATIENCE = timedelta(seconds=45)
_KEPT_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the links came to: those that lead nowhere, and whether one fails that may come back."""

    dead: list[str]
    is_doubtful: bool


def is_watched(campaign: Campaign) -> bool:
    """Return whether dead links stop the campaign."""
    return bool(limits_of(campaign.brake)[DEAD_LINKS])


def is_due(campaign: Campaign, now: datetime) -> bool:
    """Return whether it is time to ask the links of a campaign again."""
    if not is_watched(campaign):
        return False
    at, is_doubtful = cache.get(_key(campaign)) or (0.0, False)
    return now.timestamp() - at >= (SOON if is_doubtful else EVERY).total_seconds()


def asked_at(campaign: Campaign) -> datetime | None:
    """Return when the links of a campaign were last asked; None when that was not today, or never."""
    kept = cache.get(_key(campaign))
    return datetime.fromtimestamp(kept[0], UTC) if kept else None


def look(campaign: Campaign, now: datetime) -> Look:
    """Ask the links of a campaign, but for those that a person has accepted as they are (`Campaign.dead_urls`).

    Who does not answer, and who wants a password, is not gone. An address that fails counts when it failed before.
    """
    if not is_watched(campaign):
        return Look([], is_doubtful=False)
    links = Link.objects.filter(variant__campaign=campaign, workspace_id=campaign.workspace_id, is_honeypot=False)
    written = dict.fromkeys(links.order_by("position", "pk").values_list("url", flat=True))
    urls = [url for url in written if url not in campaign.dead_urls]
    answers = link_answers.known_answers(campaign.workspace_id, urls)
    due = [url for url in urls if url not in answers or _is_stale(answers[url], now)]
    due.sort(key=lambda url: answers[url].asked_at if url in answers else 0.0)  # so that all of very many have a turn
    answers |= link_answers.ask_now(campaign.workspace_id, due, now=now)
    dead = [url for url in urls if url in answers and _is_dead(answers[url])]
    is_doubtful = any(answer.state is State.FAILING for url, answer in answers.items() if url not in dead)
    cache.set(_key(campaign), (now.timestamp(), is_doubtful), _KEPT_S)
    return Look(dead, is_doubtful)


def _is_stale(answer: LinkAnswer, now: datetime) -> bool:
    is_bad = answer.state in (State.GONE, State.FAILING)
    return is_bad or now.timestamp() - answer.asked_at >= FRESH.total_seconds()


def _is_dead(answer: LinkAnswer) -> bool:
    has_lasted = answer.asked_at - answer.since >= PATIENCE.total_seconds()
    return answer.state is State.GONE or (answer.state is State.FAILING and has_lasted)


def _key(campaign: Campaign) -> str:
    return f"links-asked:{campaign.pk}"
