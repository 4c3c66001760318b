"""Rules that need all hits of one message: who fetches every link at once, or follows the link that nobody can see.

A pure function of a set: whatever order the hits came in, the same hits give the same classes. What one hit shows by
itself (`analytics.ingest.bots`) comes first and is never overruled; a pattern only turns a hit that would count as a
person's into a machine's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.ingest.bots import HUMAN, MACHINE

HONEYPOT, ALL_LINKS = "honeypot", "all_links"
#: Reasons that this module gives, and takes away again; all others stand on the hit itself.
PATTERNS = frozenset({HONEYPOT, ALL_LINKS})
#: So many different links followed within `BURST` are no person's doing, whoever the visitors say they are: scanners
#: share the work out among addresses. A mail with fewer links than `FEWEST` shows nothing, a person may open two.
FEWEST, MOST_NEEDED = 3, 6
BURST = timedelta(seconds=5)
#: What the same visitor (address and user agent) does this close to a proof belongs to it: the scanner's other hits.
SAME_VISIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Hit:
    """One open or click, with what it shows by itself."""

    id: int
    is_click: bool
    link_id: int | None
    is_honeypot: bool
    at: datetime
    ip: str
    agent: str
    actor: str
    reason: str


Verdict = tuple[str, str]


def own_class(actor: str, reason: str) -> Verdict:
    """Return what a stored class was before patterns were looked for."""
    return (HUMAN, "") if reason in PATTERNS else (actor, reason)


def judge(hits: Sequence[Hit], *, links: int) -> dict[int, Verdict]:
    """Return the class of each hit of one message.

    Args:
        hits: all opens and clicks of the message, in any order; `actor` and `reason` are what each shows by itself.
        links: how many different links the mail has for people to follow.

    Returns:
        Hit id -> class and reason.
    """
    verdicts: dict[int, Verdict] = {hit.id: (hit.actor, hit.reason) for hit in hits}
    proofs: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    for hit, reason in _proofs(hits, links):
        if verdicts[hit.id][0] == HUMAN:
            verdicts[hit.id] = (MACHINE, reason)
        if hit.ip and hit.agent:
            proofs[hit.ip, hit.agent].append((hit.at, reason))
    for visitor in proofs.values():
        visitor.sort()
    for hit in hits:
        if verdicts[hit.id][0] == HUMAN and (near := _near(proofs.get((hit.ip, hit.agent), []), hit.at)):
            verdicts[hit.id] = (MACHINE, near)
    return verdicts


def _proofs(hits: Sequence[Hit], links: int) -> list[tuple[Hit, str]]:
    """Return the hits that no person made, each with the reason; the hidden link weighs more than a burst."""
    proofs = [(hit, HONEYPOT) for hit in hits if hit.is_honeypot]
    clicks = sorted((hit for hit in hits if hit.is_click and not hit.is_honeypot and hit.link_id), key=_order)
    times = [hit.at for hit in clicks]
    needed = min(max(links, FEWEST), MOST_NEEDED)
    guilty: set[int] = set()
    for start, click in enumerate(clicks):
        end = bisect_right(times, click.at + BURST)
        if end - start >= needed and len({hit.link_id for hit in clicks[start:end]}) >= needed:
            guilty.update(range(start, end))
    return proofs + [(clicks[number], ALL_LINKS) for number in sorted(guilty)]


def _order(hit: Hit) -> tuple[datetime, int]:
    return hit.at, hit.id


def _near(proofs: list[tuple[datetime, str]], at: datetime) -> str:
    """Return the reason of a proof within `SAME_VISIT` of `at`, the hidden link's if there is one; '' for none."""
    first = bisect_left(proofs, (at - SAME_VISIT, ""))
    reasons = {reason for when, reason in proofs[first:] if when <= at + SAME_VISIT}
    return HONEYPOT if HONEYPOT in reasons else ALL_LINKS if reasons else ""
