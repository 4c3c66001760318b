"""Who belongs to which part of a campaign: three draws for each contact, the same whenever they are asked for.

| Draw | What it decides |
|---|---|
| part | held out, in the test, or in the rest; and who of the rest is in which wave |
| variant | which variant |
| canary | among the first readers, or after them |

A draw is a hash of contact and campaign, so nothing has to be stored to repeat it, and having been drawn in one
campaign says nothing about the next. The three are independent: first readers have all variants, and so has each wave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

from campaigns.models import Campaign, Experiment, Variant

#: A draw is one of so many tickets: fine enough for shares of a hundredth of a percent.
TICKETS = 10_000

#: A draw may leave a small part of a small list empty. So many are in it all the same, or everybody when there are
#: fewer: first readers, and people of a test for each variant. The next tickets are taken, so it can be repeated.
FEWEST = 10

#: Reasons of the ledger: not mailed, to compare with; waits for the test's end or next wave; waits for first readers.
HELD_OUT = "held_out"
FOR_TEST = "waits_for_test"
FOR_CANARY = "waits_for_canary"


class Draw(IntEnum):
    """What is drawn for."""

    VARIANT = 0
    PART = 1
    CANARY = 2


class Range(NamedTuple):
    """The tickets of a variant: from `first` on, before `end`."""

    variant_id: UUID
    first: int
    end: int


def ticket_sql(campaign_id: UUID, draw: Draw, who: str) -> str:
    """Return the SQL of a contact's ticket, from 0 to `TICKETS - 1`; percent signs are doubled for parameters.

    Args:
        campaign_id: the campaign.
        draw: what for.
        who: SQL of a text that names the contact.
    """
    seed = (campaign_id.int & (2**62 - 1)) ^ draw
    return f"abs(hashtextextended({who}, {seed}) %% {TICKETS})"


def share_out(shares: Mapping[UUID, float]) -> list[Range]:
    """Return each variant's range of tickets; shares count relative to their sum, which must be above 0."""
    total, before, first = sum(shares.values()), 0.0, 0
    ranges = []
    for variant_id, share in shares.items():
        before += share
        end = round(before / total * TICKETS)
        ranges.append(Range(variant_id, first, end))
        first = end
    return ranges


def part_of(share: float, *, first: int = 0) -> int:
    """Return the ticket before which a share (percent) of the tickets from `first` on ends."""
    return first + round((TICKETS - first) * share / 100)


def test_range(campaign: Campaign, variants: Iterable[Variant]) -> tuple[int, int]:
    """Return the tickets of the draw `PART` that are in a campaign's test: below are the held out, above is the rest.

    A test share counts of those who are not held out. An even split, and a campaign with one variant, ask everybody.
    """
    first = part_of(campaign.holdout_share)
    plans = Experiment.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign)
    experiment = plans.first() if sum(variant.share > 0 for variant in variants) > 1 else None
    if experiment is None or experiment.mode == Experiment.Mode.EVEN:
        return first, TICKETS
    return first, part_of(experiment.test_share, first=first)
