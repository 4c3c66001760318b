"""Another class for hits that were stored before: found, and all figures corrected by the exact difference.

There is one mechanism for new hits that shed light on older ones, and for new rules: a message contributes to the
figures what its hits and their classes say (`_contribution`); whoever changes classes takes the old contribution off
and puts the new one on, in one transaction, with the message locked.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from analytics import rollups
from analytics.ingest import archive, conversions
from analytics.ingest.patterns import FEWEST, PATTERNS, Hit, Verdict, judge, own_class
from audiences import services as audiences
from campaigns.services import facts

#: A message with more hits than this is a toy of some machine: its hits keep the class that each shows by itself,
#: because judging all of them again for every further one would cost more than it tells.
MOST_HITS = 2_000

#: Messages in which a further hit may change the class of others: where something is proven, or as many links were
#: followed as a burst needs at least.
_SUSPECTS = """
SELECT message_id FROM analytics_event
 WHERE message_id = ANY(%s) AND kind IN ('opened', 'clicked')
 GROUP BY message_id
HAVING count(*) <= %s AND (bool_or(actor_reason = ANY(%s))
                           OR count(DISTINCT link_id) FILTER (WHERE kind = 'clicked') >= %s)
"""

_MESSAGES = f"""
SELECT message.id, campaign_id, variant_id, contact_id, is_test, split_part(email_normalized, '@', 2) = '',
       provider, attempt_no, claimed_at, sent_at,
       (SELECT count(*) FROM campaigns_link AS link
         WHERE link.variant_id = message.variant_id AND NOT link.is_honeypot),
       {", ".join(facts.HIT_FACTS)}
  FROM campaigns_message AS message WHERE id = ANY(%s)
"""  # noqa: S608 our own column names

_HITS = """
SELECT event.message_id, event.id, event.kind = 'clicked', event.link_id, coalesce(link.is_honeypot, false),
       event.occurred_at, coalesce(host(event.ip_address), ''), event.user_agent, event.actor, event.actor_reason,
       event.campaign_id, event.data, event.device, event.client, event.country, event.mailbox, {is_fresh}
  FROM analytics_event AS event LEFT JOIN campaigns_link AS link ON link.id = event.link_id
 WHERE event.message_id = ANY(%s) AND event.kind IN ('opened', 'clicked')
"""
_FRESH = "event.id IN (SELECT id FROM event_fresh)"

#: What archived hits have counted for: they keep their classes.
_ARCHIVED = """
SELECT message_id, coalesce(array_agg(DISTINCT link_id) FILTER (WHERE link_id IS NOT NULL AND kind = 'clicked'
                                                                  AND actor = 'human'), '{}'),
       min(occurred_at) FILTER (WHERE kind = 'opened' AND actor = 'human'),
       min(occurred_at) FILTER (WHERE kind = 'opened' AND actor = 'machine'),
       min(occurred_at) FILTER (WHERE kind = 'clicked' AND actor = 'human'),
       min(occurred_at) FILTER (WHERE kind = 'clicked' AND actor = 'machine')
  FROM analytics_eventarchive WHERE message_id = ANY(%s) AND kind IN ('opened', 'clicked') GROUP BY message_id
"""

_CHANGE = """
UPDATE {table} AS event SET actor = verdict.actor {reason}
  FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS verdict (id, actor, reason) WHERE event.id = verdict.id
"""

#: When a contact last opened and clicked, as far as the kept events and the ledger tell.
_LATEST = """
SELECT message.contact_id,
       greatest(max(event.occurred_at) FILTER (WHERE event.kind = 'opened'), max(message.first_opened_at)),
       greatest(max(event.occurred_at) FILTER (WHERE event.kind = 'clicked'), max(message.first_clicked_at))
  FROM campaigns_message AS message
  LEFT JOIN analytics_event AS event
    ON event.message_id = message.id AND event.kind IN ('opened', 'clicked') AND event.actor = 'human'
 WHERE message.contact_id = ANY(%s) AND NOT message.is_test GROUP BY message.contact_id ORDER BY message.contact_id
"""


@dataclass(frozen=True, slots=True)
class StoredHit:
    """A hit as it was stored, and what it counted for."""

    hit: Hit
    campaign_id: Any
    data: dict[str, Any]
    dimensions: tuple[tuple[str, str], ...]
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class JudgedMessage:
    """A message, its facts, and all of its hits that are kept."""

    facts: tuple[datetime | None, ...]
    id: int
    campaign_id: Any
    variant_id: Any
    contact_id: Any
    is_test: bool
    is_erased: bool
    provider: str
    attempts: int
    claimed_at: datetime | None
    sent_at: datetime | None
    links: int
    hits: list[StoredHit] = field(default_factory=list)
    #: Links that a person followed, and the facts, by hits that are archived.
    archived_links: set[int] = field(default_factory=set)
    archived_facts: list[datetime | None] = field(default_factory=lambda: [None] * len(facts.HIT_FACTS))


@dataclass
class Correction:
    """What changes: classes of hits, facts of messages, figures, and when contacts were last there."""

    verdicts: dict[int, Verdict] = field(default_factory=dict)
    fresh: set[int] = field(default_factory=set)
    facts: list[tuple[Any, ...]] = field(default_factory=list)
    shifts: Counter[tuple[str, tuple[Any, ...], str]] = field(default_factory=Counter)
    contacts: dict[Any, list[datetime | None]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.verdicts)


def read_messages(ids: Collection[int], *, has_fresh: bool = False) -> list[JudgedMessage]:
    """Return messages with their hits; those without a hit are left out.

    Args:
        ids: of messages.
        has_fresh: whether `event_fresh` names events that are stored and not counted yet.
    """
    found: dict[int, JudgedMessage] = {}
    archive.hold()
    with connection.cursor() as cursor:
        cursor.execute(_MESSAGES, [list(ids)])
        for row in cursor.fetchall():
            found[row[0]] = JudgedMessage(row[11:], *row[:11])
        cursor.execute(_HITS.format(is_fresh=_FRESH if has_fresh else "false"), [list(found)])
        for message_id, *hit, campaign_id, data, device, client, country, mailbox, is_fresh in cursor.fetchall():
            dimensions = (("device", device), ("client", client), ("country", country), ("mailbox", mailbox))
            named = tuple((dimension, value) for dimension, value in dimensions if value)
            found[message_id].hits.append(StoredHit(Hit(*hit), campaign_id, json.loads(data), named, is_fresh))
        cursor.execute(_ARCHIVED, [list(found)])
        for message_id, link_ids, *times in cursor.fetchall():
            found[message_id].archived_links.update(link_ids)
            found[message_id].archived_facts[:] = times
    return [message for message in found.values() if message.hits]


def judge_fresh(clicked: Collection[int | None], scanned: Sequence[int]) -> Correction:
    """Look whether the new hits in `event_fresh` change the class of a hit. The messages are locked.

    Args:
        clicked: messages that have a click in the batch.
        scanned: messages that a machine clicked in before.

    Returns:
        What changes for hits that were counted before, and the classes of new ones; nothing is written yet.
    """
    candidates = {message_id for message_id in clicked if message_id is not None} | set(scanned)
    if not candidates:
        return Correction()
    with connection.cursor() as cursor:
        cursor.execute(_SUSPECTS, [list(candidates), MOST_HITS, list(PATTERNS), FEWEST])
        suspects = [row[0] for row in cursor.fetchall()]
    return correct(read_messages(suspects, has_fresh=True), stored_class) if suspects else Correction()


def stored_class(stored: StoredHit, message: JudgedMessage) -> Verdict:  # noqa: ARG001 - a way to class hits
    """Return the class that a hit showed by itself when it was stored."""
    return own_class(stored.hit.actor, stored.hit.reason)


def correct(messages: Iterable[JudgedMessage], class_of: Callable[[StoredHit, JudgedMessage], Verdict]) -> Correction:
    """Judge messages again, and return what changes.

    Args:
        messages: with all of their hits; those of erased people stay as they are, nothing tells who visited.
        class_of: what a hit shows by itself.
    """
    correction = Correction()
    for message in messages:
        if message.is_erased:
            continue
        shown = {stored.hit.id: class_of(stored, message) for stored in message.hits}
        verdicts = judge([_shown(stored.hit, shown[stored.hit.id]) for stored in message.hits], links=message.links)
        if any(verdicts[stored.hit.id] != (stored.hit.actor, stored.hit.reason) for stored in message.hits):
            _add(correction, message, verdicts)
    return correction


def _shown(hit: Hit, shown: Verdict) -> Hit:
    return Hit(
        hit.id, hit.is_click, hit.link_id, hit.is_honeypot, hit.at, hit.ip, hit.agent, actor=shown[0], reason=shown[1]
    )


def _add(correction: Correction, message: JudgedMessage, verdicts: dict[int, Verdict]) -> None:
    counted = [stored for stored in message.hits if not stored.is_fresh]
    before = {stored.hit.id: stored.hit.actor for stored in counted}
    after = {stored.hit.id: verdicts[stored.hit.id][0] for stored in counted}
    facts_after = _facts_after(message, counted, before, after)
    if facts_after != message.facts:
        correction.facts.append((message.id, *facts_after))
    correction.shifts.update(_contribution(message, counted, after, facts_after))
    correction.shifts.subtract(_contribution(message, counted, before, message.facts))
    for stored in message.hits:
        hit, verdict = stored.hit, verdicts[stored.hit.id]
        if verdict == (hit.actor, hit.reason):
            continue
        correction.verdicts[hit.id] = verdict
        correction.reasons[f"{hit.actor} > {verdict[0]} {verdict[1]}".strip()] += 1
        if stored.is_fresh:
            correction.fresh.add(hit.id)
        elif "human" in (hit.actor, verdict[0]) and message.contact_id and not message.is_test:
            lost = correction.contacts.setdefault(message.contact_id, [None, None])
            if hit.actor == "human":
                previous = lost[hit.is_click]
                lost[hit.is_click] = hit.at if previous is None else max(previous, hit.at)


def _facts_after(
    message: JudgedMessage, hits: Sequence[StoredHit], before: dict[int, str], after: dict[int, str]
) -> tuple[datetime | None, ...]:
    """Return the four facts with the new classes; what is known from events that were dropped stays."""
    result = []
    for fact, archived, (is_click, actor) in zip(message.facts, message.archived_facts, _FACTS, strict=True):
        own = [stored.hit for stored in hits if stored.hit.is_click is is_click]
        seen = _earliest(archived, *(hit.at for hit in own if before[hit.id] == actor))
        is_older = fact is not None and (seen is None or fact < seen)
        result.append(
            _earliest(fact if is_older else None, archived, *(hit.at for hit in own if after[hit.id] == actor))
        )
    return tuple(result)


def _earliest(*times: datetime | None) -> datetime | None:
    return min((time for time in times if time is not None), default=None)


#: In the order of `facts.HIT_FACTS`: is it a click, and whose.
_FACTS = ((False, "human"), (False, "machine"), (True, "human"), (True, "machine"))
_KINDS = {False: "opens", True: "clicks"}


def _contribution(
    message: JudgedMessage, hits: Iterable[StoredHit], actors: dict[int, str], message_facts: Sequence[datetime | None]
) -> Counter[tuple[str, tuple[Any, ...], str]]:
    """Return what a message with such hits, classes and facts adds to the figures: `(rollup, key, counter)` -> number.

    Says for one message what `rollups.raise_figures` counts for a batch.
    """
    counts: Counter[tuple[str, tuple[Any, ...], str]] = Counter()
    followed: dict[int, bool] = defaultdict(bool)
    stats = (message.campaign_id, message.variant_id)
    for stored in hits:
        hit, campaign_id, actor = stored.hit, stored.campaign_id, actors[stored.hit.id]
        if campaign_id is None:  # a test send
            continue
        name = _KINDS[hit.is_click]
        if actor in ("human", "machine"):
            counts["minutes", (campaign_id, hit.at.replace(second=0, microsecond=0)), f"{actor}_{name}"] += 1
        if hit.is_click and hit.link_id and actor == "machine":
            counts["links", (hit.link_id, campaign_id), "machine_clicks"] += 1
        if actor != "human":
            continue
        if message.variant_id:
            counts["stats", stats, name] += 1
        for dimension, value in stored.dimensions:
            counts["breakdowns", (campaign_id, dimension, value), name] += 1
        if hit.is_click and hit.link_id:
            counts["links", (hit.link_id, campaign_id), "clicks"] += 1
            if not followed[hit.link_id] and hit.link_id not in message.archived_links:
                counts["links", (hit.link_id, campaign_id), "unique_clicks"] += 1
            followed[hit.link_id] = True
    if message.campaign_id and message.variant_id and not message.is_test:
        for name, (human, machine) in (("opens", message_facts[:2]), ("clicks", message_facts[2:])):
            counts["stats", stats, f"unique_{name}"] = int(human is not None)
            counts["stats", stats, f"machine_{name}"] = int(machine is not None)
            counts["stats", stats, f"any_{name}"] = int(human is not None or machine is not None)
    return counts


def apply(correction: Correction) -> None:
    """Write a correction. Its messages are locked, and the caller has called `rollups.run_alone`."""
    ids = sorted(correction.verdicts)
    with connection.cursor() as cursor:
        for table, chosen, reason in (
            ("analytics_event", ids, ", actor_reason = verdict.reason"),
            ("event_fresh", sorted(correction.fresh), ""),
        ):
            if chosen:
                verdicts = [correction.verdicts[one] for one in chosen]
                cursor.execute(
                    _CHANGE.format(table=table, reason=reason),
                    [chosen, [actor for actor, _ in verdicts], [why for _, why in verdicts]],
                )
    facts.correct_facts(sorted(correction.facts))
    rollups.shift_figures(correction.shifts)
    if counted := [one for one in ids if one not in correction.fresh]:
        conversions.recount_clicks(event_ids=counted)
    if correction.contacts:
        with connection.cursor() as cursor:
            cursor.execute(_LATEST, [sorted(correction.contacts)])
            rows = [
                (contact_id, correction.contacts[contact_id][0], opened, correction.contacts[contact_id][1], clicked)
                for contact_id, opened, clicked in cursor.fetchall()
            ]
        audiences.correct_engagement(rows=rows)
