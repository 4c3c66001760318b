"""What a campaign brought beyond what would have happened anyway: the mailed beside those who were held out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from analytics.experiments.lift import Difference, Group, difference_of_means, difference_of_rates, wilson
from analytics.models import Goal
from analytics.selectors.outcomes import goal_id
from campaigns.models import Campaign, Experiment
from campaigns.tickets import HELD_OUT

#: What can be said of a difference: `counting` until the last window has closed, because a fixed interval that is
#: looked at every day finds differences that are not there.
VERDICTS = ("counting", "not_enough", "more", "fewer")
#: Fewer people with an amount in either group say nothing about the mean of skewed amounts.
ENOUGH_PAID = 10

#: Rows that were drawn for neither group: the plan skipped them, because they may not be mailed. What became of the
#: others later (suppressed since, erased, cancelled) does not take them out.
_UNPLANNED = "m.status = 'skipped' AND m.claimed_at IS NULL AND m.reason NOT IN ('cancelled', 'contact_deleted')"

#: Only skipped rows are read, which an index knows; all others were drawn to be mailed.
_DRAWN = f"""
SELECT count(*) FILTER (WHERE m.reason = '{HELD_OUT}'), count(*) FILTER (WHERE m.reason <> '{HELD_OUT}')
  FROM campaigns_message m WHERE m.campaign_id = %s AND NOT m.is_test AND {_UNPLANNED}
"""  # noqa: S608

_REACHED = f"""
SELECT is_held_out, count(*), count(amount) FILTER (WHERE amount <> 0), coalesce(sum(amount), 0),
       coalesce(sum(amount * amount), 0)
  FROM (SELECT m.reason = '{HELD_OUT}' AS is_held_out,
               sum(c.value) FILTER (WHERE c.currency = %(currency)s)::numeric AS amount
          FROM analytics_holdoutconversion c JOIN campaigns_message m ON m.id = c.message_id
         WHERE c.campaign_id = %(campaign)s AND (%(goal)s::uuid IS NULL OR c.goal_id = %(goal)s)
           AND (m.reason = '{HELD_OUT}' OR NOT ({_UNPLANNED}))
         GROUP BY m.id) AS person
 GROUP BY is_held_out
"""  # noqa: S608

_CURRENCY = """
SELECT currency FROM analytics_holdoutconversion
 WHERE campaign_id = %s AND currency <> '' AND (%s::uuid IS NULL OR goal_id = %s)
 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1
"""


def get_holdout(campaign: Campaign) -> dict[str, Any] | None:
    """Return how the mailed compare with those who were held out; None when nobody was, or it has not left yet.

    Everybody counts in the group that was drawn for them, from the launch until the goal's window has passed: who was
    skipped, refused, or never opened is one of the mailed. Counted are goals that were reported about contacts, those
    of the test's goal when it has one; clicks on goal links are not, because nobody else could have clicked.

    Returns:
        `share` (percent), `goal_key`, `has_goals`, `counts_until`, `is_over`, `currency`; `mailed` and `held_out`:
        `{people, converted, rate, low, high, value, mean}`; `conversions` and `revenue` (None without money):
        `{difference, low, high, lift, extra, extra_low, extra_high, verdict}`. Rates are shares of 1, amounts minor
        units, the interval is of 95 %; `lift` is a share of what the held out did, None when they did nothing; `extra`
        is the difference times the mailed; `verdict` is one of `VERDICTS`.
    """
    if not campaign.holdout_share or campaign.launched_at is None:
        return None
    plan = Experiment.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign).first()
    goal = goal_id(plan) if plan else None
    goals = Goal.objects.for_workspace(campaign.workspace_id).filter(**({"pk": goal} if goal else {}))
    windows = list(goals.values_list("window_days", flat=True))
    until = campaign.launched_at + timedelta(days=max(windows, default=0))
    is_over = timezone.now() >= until
    mailed, held_out, currency = _groups(campaign, goal)
    rates, means = difference_of_rates(mailed, held_out), difference_of_means(mailed, held_out)
    has_money = bool(currency) and means is not None
    enough_paid = min(mailed.paid, held_out.paid) >= ENOUGH_PAID
    return {
        "share": campaign.holdout_share,
        "goal_key": plan.goal_key if plan else "",
        "has_goals": bool(windows),
        "counts_until": until.isoformat().replace("+00:00", "Z"),
        "is_over": is_over,
        "currency": currency,
        "mailed": _described(mailed),
        "held_out": _described(held_out),
        "conversions": _compared(rates, mailed, held_out.rate, is_over=is_over),
        "revenue": _compared(means, mailed, held_out.mean, is_over=is_over, is_enough=enough_paid)
        if has_money and means
        else None,
    }


def _groups(campaign: Campaign, goal: Any) -> tuple[Group, Group, str]:
    with connection.cursor() as cursor:
        cursor.execute(_DRAWN, [campaign.pk])
        out, unplanned = cursor.fetchone()
        cursor.execute(_CURRENCY, [campaign.pk, goal, goal])
        named = cursor.fetchone()
        currency = str(named[0]) if named else ""
        cursor.execute(_REACHED, {"campaign": campaign.pk, "goal": goal, "currency": currency})
        reached = {
            is_held_out: (converted, paid, float(total), float(squares))
            for is_held_out, converted, paid, total, squares in cursor.fetchall()
        }
    nobody = (0, 0, 0.0, 0.0)
    mailed = Group(max(0, campaign.recipients - unplanned - out), *reached.get(False, nobody))
    return mailed, Group(out, *reached.get(True, nobody)), currency


def _described(group: Group) -> dict[str, Any]:
    low, high = wilson(group.converted, group.people)
    return {
        "people": group.people,
        "converted": group.converted,
        "rate": round(group.rate, 6),
        "low": round(low, 6),
        "high": round(high, 6),
        "value": round(group.total),
        "mean": round(group.mean, 4),
    }


def _compared(
    found: Difference, mailed: Group, base: float, *, is_over: bool, is_enough: bool = True
) -> dict[str, Any]:
    if not is_over:
        verdict = "counting"
    elif not is_enough or not found.is_clear:
        verdict = "not_enough"
    else:
        verdict = "more" if found.value > 0 else "fewer"
    return {
        "difference": round(found.value, 6),
        "low": round(found.low, 6),
        "high": round(found.high, 6),
        "lift": round(found.value / base, 4) if base > 0 else None,
        "extra": round(found.value * mailed.people),
        "extra_low": round(found.low * mailed.people),
        "extra_high": round(found.high * mailed.people),
        "verdict": verdict,
    }
