"""Goals that were reached: from events that customers report, and from clicks on links that count as a goal.

Runs on the batch's own new events (`event_fresh`), in the transaction that stores them, so a conversion is counted
exactly when its event is. Locks are taken in one order (goals, conversions by key, rollups by key, conversions of
hold-outs by key), after all those that the batch has taken before.

An event about a contact is owed to the mail that they clicked last, else opened last, within the goal's window before
it, as far as is known when it is counted. What no mail is owed counts for the workspace (`GoalDay`) only. Whose contact
it was is not kept: the event then names the mail, or nobody.

A campaign that holds people out asks something else: not which mail an event is owed to, but whether those who could
have been mailed did more than those who were not. So an event about anybody in its ledger counts there too, within the
goal's window after the launch, whatever became of their mail. Clicks on links do not: whoever got no mail has no link.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper

_TEMPORARY = """
CREATE TEMPORARY TABLE IF NOT EXISTS conversion_fresh (
    event_id bigint, kind text, workspace_id uuid, goal_id uuid, goal_key text, window_days int, contact_id uuid,
    message_id bigint, campaign_id uuid, variant_id uuid, currency text, value bigint, occurred_at timestamptz
) ON COMMIT DELETE ROWS;
TRUNCATE conversion_fresh
"""

#: The log is open to anything, so what a line says is read with care: an amount is a whole number of at most 10^12.
_REPORTED = """
SELECT fresh.id, fresh.kind, event.workspace_id, goal.id, goal.key, goal.window_days,
       CASE WHEN event.data ->> 'contact' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
            THEN (event.data ->> 'contact')::uuid ELSE message.contact_id END,
       fresh.message_id, fresh.campaign_id, fresh.variant_id,
       CASE WHEN jsonb_typeof(event.data -> 'value') = 'number' AND event.data ->> 'currency' ~ '^[A-Z]{3}$'
            THEN event.data ->> 'currency' ELSE '' END,
       CASE WHEN jsonb_typeof(event.data -> 'value') = 'number'
            THEN least(greatest(trunc((event.data ->> 'value')::numeric), -1e12), 1e12)::bigint ELSE 0 END,
       fresh.occurred_at
  FROM event_fresh AS fresh
  JOIN analytics_event AS event USING (id)
  LEFT JOIN analytics_goal AS goal ON goal.workspace_id = event.workspace_id AND goal.key = event.data ->> 'goal'
  LEFT JOIN campaigns_message AS message ON message.id = fresh.message_id
 WHERE fresh.kind = 'converted' AND message.is_test IS NOT TRUE
"""

_CLICKED = """
SELECT fresh.id, fresh.kind, goal.workspace_id, goal.id, goal.key, goal.window_days, NULL::uuid,
       fresh.message_id, fresh.campaign_id, fresh.variant_id, '', 0, fresh.occurred_at
  FROM {relation} AS fresh
  JOIN campaigns_link AS link ON link.id = fresh.link_id
  JOIN analytics_goal AS goal ON goal.workspace_id = link.workspace_id
       AND goal.link_prefix <> '' AND starts_with(link.url, goal.link_prefix)
 WHERE fresh.kind = 'clicked' AND fresh.actor = 'human' AND fresh.campaign_id IS NOT NULL
"""

#: A goal that is being deleted waits for us; one that is gone counts nothing more.
_KEEP_GOALS = """
WITH kept AS (
    SELECT id FROM analytics_goal WHERE id IN (SELECT goal_id FROM conversion_fresh) ORDER BY id FOR KEY SHARE
)
DELETE FROM conversion_fresh WHERE goal_id IS NULL OR goal_id NOT IN (SELECT id FROM kept)
"""

_OWE = """
UPDATE conversion_fresh AS fresh
   SET message_id = owed.message_id, campaign_id = owed.campaign_id, variant_id = owed.variant_id
  FROM (
    SELECT DISTINCT ON (wanted.event_id) wanted.event_id, message.id AS message_id, message.campaign_id,
           message.variant_id
      FROM conversion_fresh AS wanted
      JOIN campaigns_message AS message
        ON message.contact_id = wanted.contact_id AND message.workspace_id = wanted.workspace_id
      JOIN analytics_event AS act ON act.message_id = message.id
     WHERE wanted.message_id IS NULL AND message.campaign_id IS NOT NULL AND NOT message.is_test
       AND coalesce(message.first_clicked_at, message.first_opened_at) IS NOT NULL
       AND act.kind IN ('clicked', 'opened') AND act.actor = 'human'
       AND act.occurred_at <= wanted.occurred_at
       AND act.occurred_at > wanted.occurred_at - make_interval(days => wanted.window_days)
     ORDER BY wanted.event_id, act.kind = 'clicked' DESC, act.occurred_at DESC, act.id DESC
  ) AS owed
 WHERE owed.event_id = fresh.event_id
"""

_TELL_EVENTS = """
UPDATE analytics_event AS event
   SET data = event.data - 'contact', message_id = coalesce(event.message_id, fresh.message_id),
       campaign_id = coalesce(event.campaign_id, fresh.campaign_id)
  FROM event_fresh AS batch LEFT JOIN conversion_fresh AS fresh ON fresh.event_id = batch.id
 WHERE event.id = batch.id AND batch.kind = 'converted'
"""

#: A click knows which goals it counted for, so that it can be taken back whatever became of the goal's prefix.
_MARK_CLICKS = """
UPDATE analytics_event AS event SET data = event.data || jsonb_build_object('goals', fresh.keys)
  FROM (
    SELECT event_id, jsonb_agg(goal_key ORDER BY goal_key) AS keys
      FROM conversion_fresh WHERE kind = 'clicked' GROUP BY event_id
  ) AS fresh
 WHERE event.id = fresh.event_id
"""

#: A message's squared value is replaced by its new one, so that the sum stays exact when it converts again.
_RAISE_MESSAGES = """
WITH delta AS (
    SELECT message_id, goal_id, currency, workspace_id, campaign_id, variant_id,
           count(*) AS times, sum(value) AS value, min(occurred_at) AS first_at
      FROM conversion_fresh WHERE message_id IS NOT NULL AND campaign_id IS NOT NULL
     GROUP BY message_id, goal_id, currency, workspace_id, campaign_id, variant_id
), raised AS (
    INSERT INTO analytics_conversion AS kept
           (workspace_id, goal_id, campaign_id, variant_id, message_id, currency, times, value, first_at)
    SELECT workspace_id, goal_id, campaign_id, variant_id, message_id, currency, times, value, first_at
      FROM delta ORDER BY message_id, goal_id, currency
    ON CONFLICT (message_id, goal_id, currency) DO UPDATE
       SET times = kept.times + EXCLUDED.times, value = kept.value + EXCLUDED.value,
           first_at = LEAST(kept.first_at, EXCLUDED.first_at)
    RETURNING message_id, goal_id, currency, times, value
)
INSERT INTO analytics_conversionstats AS stats
       (campaign_id, variant_id, goal_id, currency, messages, times, value, value_squares)
SELECT delta.campaign_id, delta.variant_id, goal_id, currency,
       count(*) FILTER (WHERE raised.times = delta.times), sum(delta.times), sum(delta.value),
       sum(raised.value::numeric * raised.value - (raised.value - delta.value) * (raised.value - delta.value))
  FROM raised JOIN delta USING (message_id, goal_id, currency)
 WHERE delta.variant_id IS NOT NULL
 GROUP BY delta.campaign_id, delta.variant_id, goal_id, currency
 ORDER BY delta.campaign_id, delta.variant_id, goal_id, currency
ON CONFLICT (campaign_id, variant_id, goal_id, currency) DO UPDATE
   SET messages = stats.messages + EXCLUDED.messages, times = stats.times + EXCLUDED.times,
       value = stats.value + EXCLUDED.value, value_squares = stats.value_squares + EXCLUDED.value_squares
"""

_RAISE_DAYS = """
INSERT INTO analytics_goalday AS days
       (workspace_id, goal_id, day, currency, times, value, owed_times, owed_value)
SELECT fresh.workspace_id, goal_id, (occurred_at AT TIME ZONE workspace.time_zone)::date AS day, currency, count(*),
       sum(value), count(campaign_id), coalesce(sum(value) FILTER (WHERE campaign_id IS NOT NULL), 0)
  FROM conversion_fresh AS fresh JOIN accounts_workspace AS workspace ON workspace.id = fresh.workspace_id
 GROUP BY fresh.workspace_id, goal_id, day, currency ORDER BY goal_id, day, currency
ON CONFLICT (goal_id, day, currency) DO UPDATE
   SET times = days.times + EXCLUDED.times, value = days.value + EXCLUDED.value,
       owed_times = days.owed_times + EXCLUDED.owed_times, owed_value = days.owed_value + EXCLUDED.owed_value
"""

#: Everybody in the ledger counts alike; who was assigned to which group is told by the row (`selectors.holdout`).
_RAISE_HOLDOUTS = """
INSERT INTO analytics_holdoutconversion AS kept
       (workspace_id, goal_id, campaign_id, message_id, currency, times, value)
SELECT fresh.workspace_id, fresh.goal_id, campaign.id, message.id, fresh.currency, count(*), sum(fresh.value)
  FROM conversion_fresh AS fresh
  JOIN campaigns_message AS message
    ON message.contact_id = fresh.contact_id AND message.workspace_id = fresh.workspace_id AND NOT message.is_test
  JOIN campaigns_campaign AS campaign
    ON campaign.id = message.campaign_id AND campaign.holdout_share > 0
   AND fresh.occurred_at >= campaign.launched_at
   AND fresh.occurred_at < campaign.launched_at + make_interval(days => fresh.window_days)
 WHERE fresh.kind = 'converted'
 GROUP BY fresh.workspace_id, fresh.goal_id, campaign.id, message.id, fresh.currency
 ORDER BY message.id, fresh.goal_id, fresh.currency
ON CONFLICT (message_id, goal_id, currency) DO UPDATE
   SET times = kept.times + EXCLUDED.times, value = kept.value + EXCLUDED.value
"""


def count_conversions() -> None:
    """Count the goals that the new events in `event_fresh` reached. Runs inside the transaction that stores them."""
    with connection.cursor() as cursor:
        cursor.execute(_TEMPORARY)
        cursor.execute(f"INSERT INTO conversion_fresh {_REPORTED} UNION ALL {_CLICKED.format(relation='event_fresh')}")
        if not cursor.rowcount:
            return
        cursor.execute(_KEEP_GOALS)
        cursor.execute(_OWE)
        cursor.execute(_TELL_EVENTS)
        _raise(cursor)
        cursor.execute(_RAISE_HOLDOUTS)


def _raise(cursor: CursorWrapper) -> None:
    """Raise all figures by what stands in `conversion_fresh`."""
    for statement in (_MARK_CLICKS, _RAISE_MESSAGES, _RAISE_DAYS):
        cursor.execute(statement)


#: Clicks that counted for goals and are no longer a person's.
_TAKEN_BACK = """
INSERT INTO conversion_fresh
SELECT event.id, event.kind, event.workspace_id, goal.id, goal.key, goal.window_days, NULL::uuid,
       event.message_id, event.campaign_id, message.variant_id, '', 0, event.occurred_at
  FROM analytics_event AS event
  JOIN campaigns_message AS message ON message.id = event.message_id
  JOIN analytics_goal AS goal ON goal.workspace_id = event.workspace_id AND event.data -> 'goals' ? goal.key
 WHERE event.id = ANY(%s) AND event.kind = 'clicked' AND event.actor <> 'human' AND event.data ? 'goals'
"""

#: Clicks that may be a person's now and have counted for nothing yet.
_GIVEN = """
(SELECT event.id, event.kind, event.message_id, event.campaign_id, message.variant_id, event.link_id, event.actor,
       event.occurred_at
  FROM analytics_event AS event
  JOIN campaigns_message AS message ON message.id = event.message_id
 WHERE event.id = ANY(%s) AND NOT event.data ? 'goals')
"""

_LOWER = (
    """
WITH delta AS (
    SELECT message_id, goal_id, currency, campaign_id, variant_id, count(*) AS times
      FROM conversion_fresh GROUP BY message_id, goal_id, currency, campaign_id, variant_id
), locked AS (
    SELECT kept.id, kept.times, delta.times AS lost, delta.campaign_id, delta.variant_id, delta.goal_id, delta.currency
      FROM analytics_conversion AS kept JOIN delta USING (message_id, goal_id, currency)
     ORDER BY kept.message_id, kept.goal_id, kept.currency FOR NO KEY UPDATE OF kept
), lowered AS (
    UPDATE analytics_conversion AS kept SET times = kept.times - locked.lost
      FROM locked WHERE locked.id = kept.id
    RETURNING locked.lost, locked.campaign_id, locked.variant_id, locked.goal_id, locked.currency, kept.times
)
UPDATE analytics_conversionstats AS stats
   SET messages = stats.messages - lost.messages, times = stats.times - lost.times
  FROM (
    SELECT campaign_id, variant_id, goal_id, currency, count(*) FILTER (WHERE times = 0) AS messages,
           sum(lost) AS times
      FROM lowered GROUP BY campaign_id, variant_id, goal_id, currency
  ) AS lost
 WHERE (stats.campaign_id, stats.variant_id, stats.goal_id, stats.currency)
     = (lost.campaign_id, lost.variant_id, lost.goal_id, lost.currency)
""",
    """
DELETE FROM analytics_conversion AS kept USING conversion_fresh AS fresh
 WHERE (kept.message_id, kept.goal_id, kept.currency) = (fresh.message_id, fresh.goal_id, fresh.currency)
   AND kept.times = 0
""",
    """
UPDATE analytics_goalday AS days SET times = days.times - lost.times, owed_times = days.owed_times - lost.times
  FROM (
    SELECT goal_id, (occurred_at AT TIME ZONE workspace.time_zone)::date AS day, count(*) AS times
      FROM conversion_fresh AS fresh JOIN accounts_workspace AS workspace ON workspace.id = fresh.workspace_id
     GROUP BY goal_id, day
  ) AS lost
 WHERE days.goal_id = lost.goal_id AND days.day = lost.day AND days.currency = '' AND days.owed_times >= lost.times
""",
    """
UPDATE analytics_event AS event SET data = event.data - 'goals'
  FROM conversion_fresh AS fresh WHERE event.id = fresh.event_id
""",
)


def recount_clicks(*, event_ids: Sequence[int]) -> None:
    """Take back what clicks counted that are no longer a person's, and count those that have become one.

    Runs in the transaction that classified the events anew; the same events again change nothing.

    Args:
        event_ids: events that were counted before, whose class may have changed.
    """
    ids = list(event_ids)
    with connection.cursor() as cursor:
        cursor.execute(_TEMPORARY)
        cursor.execute(_TAKEN_BACK, [ids])
        if cursor.rowcount:
            cursor.execute(_KEEP_GOALS)
            for statement in _LOWER:
                cursor.execute(statement)
        cursor.execute("TRUNCATE conversion_fresh")
        cursor.execute(f"INSERT INTO conversion_fresh {_CLICKED.format(relation=_GIVEN)}", [ids])
        if cursor.rowcount:
            cursor.execute(_KEEP_GOALS)
            _raise(cursor)
