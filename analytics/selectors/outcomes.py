"""What a test is judged by: for each variant, who got it and what they did about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils.dateparse import parse_datetime

from analytics.models import Goal
from analytics.selectors.figures import count_by_variant, figures_of
from campaigns.models import Campaign, DeliveryMinute, Experiment, Message, Variant

#: Metric -> the counter of those who did it, and the fact of the message that says when.
FACTS: dict[str, tuple[str, str]] = {
    "clicks": ("unique_clicks", "first_clicked_at"),
    "opens": ("unique_opens", "first_opened_at"),
}

#: The ledger by wave. A message belongs to the wave after whose release it left; waves do not overlap.
_BY_WAVE = """
SELECT variant_id, width_bucket(sent_at, %(starts)s::timestamptz[]) AS wave, count(*),
       count(*) FILTER (WHERE {fact} <= sent_at + %(within)s), 0, 0
  FROM campaigns_message
 WHERE campaign_id = %(campaign)s AND NOT is_test AND variant_id IS NOT NULL AND sent_at IS NOT NULL
   AND delivered_at IS NOT NULL AND bounced_at IS NULL
 GROUP BY 1, 2
"""
#: Conversions by wave: a message whose reader reached two goals, or paid in two parts, is one that converted.
_CONVERSIONS = """
SELECT variant_id, wave, 0, count(*), sum(amount), sum(amount * amount)
  FROM (SELECT m.variant_id, width_bucket(m.sent_at, %(starts)s::timestamptz[]) AS wave,
               sum(c.value) FILTER (WHERE c.currency = %(currency)s)::numeric AS amount
          FROM analytics_conversion c JOIN campaigns_message m ON m.id = c.message_id
         WHERE c.campaign_id = %(campaign)s AND (%(goal)s::uuid IS NULL OR c.goal_id = %(goal)s)
           AND m.sent_at IS NOT NULL AND NOT m.is_test AND c.first_at <= m.sent_at + %(within)s
         GROUP BY m.id) each_message
 WHERE variant_id IS NOT NULL
 GROUP BY 1, 2
"""
_CURRENCY = """
SELECT currency FROM analytics_conversion
 WHERE campaign_id = %s AND currency <> '' AND (%s::uuid IS NULL OR goal_id = %s)
 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1
"""
_FOR_EVER = timedelta(days=36500)
#: Rows of the test that may still leave; a row without a variant waits for the test itself.
STILL_LEAVING = (Message.Status.HELD, Message.Status.QUEUED, Message.Status.SENDING, Message.Status.RETRYING)


@dataclass(frozen=True)
class Outcome:
    """One variant in one wave.

    Attributes:
        exposed: messages that were delivered.
        converted: those of them whose reader did what is counted.
        value, squares: the sum of the amounts in minor units, and of their squares by message.
    """

    exposed: int = 0
    converted: int = 0
    value: int = 0
    squares: int = 0


@dataclass(frozen=True)
class Timing:
    """How far the mails of a test, or of a bandit's latest wave, have come.

    Attributes:
        last_sent_at: when the last one left so far; None before the first.
        is_leaving: whether some are still to leave.
        over_at: when a verdict is due whatever it is; None while mails are leaving.
    """

    last_sent_at: datetime | None
    is_leaving: bool
    over_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Return whether its time is up."""
        return self.over_at is not None and now >= self.over_at


def compared_variants(campaign: Campaign) -> list[Variant]:
    """Return the variants that people get, by label."""
    rows = Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, share__gt=0)
    return list(rows.order_by("label"))


def get_timing(campaign: Campaign, experiment: Experiment) -> Timing:
    """Return where the mails of the test are; two quick questions."""
    last = DeliveryMinute.objects.filter(campaign=campaign, sent__gt=0).aggregate(last=Max("minute"))["last"]
    is_leaving = (
        campaign.launched_at is None
        or Message.objects.for_workspace(campaign.workspace_id)
        .filter(campaign=campaign, is_test=False, variant__isnull=False, status__in=STILL_LEAVING)
        .exists()
    )
    over_at = None
    if campaign.launched_at is not None and not is_leaving:
        # the minute's end, because minutes are all that is kept of the time; nobody may have got any of it
        end = last + timedelta(minutes=1) if last else campaign.launched_at
        over_at = end + timedelta(hours=experiment.decide_after_hours)
    return Timing(last, is_leaving, over_at)


def get_wave_starts(campaign: Campaign, experiment: Experiment) -> list[datetime]:
    """Return when each wave was released; the first one was with the launch."""
    later = [parse_datetime(str(wave["at"])) for wave in experiment.waves[1:]]
    first = campaign.launched_at
    return [moment for moment in (first, *later) if moment is not None]


def has_delays(variants: Sequence[Variant]) -> bool:
    """Return whether variants leave at different times, so that they must be given the same time to be read."""
    return len({variant.send_delay_minutes for variant in variants}) > 1


def get_outcomes(campaign: Campaign, experiment: Experiment, variants: Sequence[Variant]) -> list[list[Outcome]]:
    """Return what is known of each variant, wave by wave; everything but a bandit has one wave.

    Variants with different send times are read within `decide_after_hours` of each message's own departure, because
    the earlier one has had more time otherwise.
    """
    starts = get_wave_starts(campaign, experiment) if experiment.mode == Experiment.Mode.BANDIT else []
    within = timedelta(hours=experiment.decide_after_hours) if has_delays(variants) else _FOR_EVER
    by_ledger = len(starts) > 1 or has_delays(variants)
    fact = FACTS.get(experiment.metric)
    exposure = (
        _ask(_BY_WAVE.format(fact=fact[1] if fact else "first_clicked_at"), campaign, experiment, starts, within)
        if by_ledger
        else _by_rollup(campaign, fact[0] if fact else "")
    )
    conversions = {} if fact else _ask(_CONVERSIONS, campaign, experiment, starts, within)
    nothing = Outcome()
    waves = []
    for wave in range(1, max(1, len(starts)) + 1):
        outcomes = []
        for variant in variants:
            seen = exposure.get((variant.pk, wave), nothing)
            did = seen if fact else conversions.get((variant.pk, wave), nothing)
            outcomes.append(Outcome(seen.exposed, min(did.converted, seen.exposed), did.value, did.squares))
        waves.append(outcomes)
    return waves


def _by_rollup(campaign: Campaign, counter: str) -> dict[tuple[Any, int], Outcome]:
    """Return what the rollups say, as one wave."""
    return {
        (variant_id, 1): Outcome((figures := figures_of({}, counts))["delivered"], figures.get(counter, 0))
        for (_, variant_id), counts in count_by_variant([campaign.pk]).items()
    }


def _ask(
    sql: str, campaign: Campaign, experiment: Experiment, starts: Sequence[datetime], within: timedelta
) -> Mapping[tuple[Any, int], Outcome]:
    parameters = {
        "campaign": campaign.pk,
        # a message that left before the launch was noted belongs to the first wave all the same
        "starts": [datetime.min.replace(year=1900, tzinfo=campaign.created_at.tzinfo), *starts[1:]],
        "within": within,
        "goal": goal_id(experiment),
        "currency": get_currency(campaign, experiment),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {
            (variant_id, wave): Outcome(exposed, converted, int(value or 0), int(squares or 0))
            for variant_id, wave, exposed, converted, value, squares in cursor.fetchall()
        }


def goal_id(experiment: Experiment) -> Any:
    """Return the id of the goal that is counted; None counts any goal."""
    if not experiment.goal_key:
        return None
    found = Goal.objects.for_workspace(experiment.workspace_id).filter(key=experiment.goal_key).first()
    # a goal that was deleted was reached by nobody
    return found.pk if found else experiment.pk


def get_currency(campaign: Campaign, experiment: Experiment) -> str:
    """Return the currency that revenue is compared in: the one that most conversions name; '' when none does."""
    goal = goal_id(experiment)
    with connection.cursor() as cursor:
        cursor.execute(_CURRENCY, [campaign.pk, goal, goal])
        row = cursor.fetchone()
    return str(row[0]) if row else ""
