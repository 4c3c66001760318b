"""What became of a message: delivered, opened, clicked, bounced, complained, unsubscribed.

Each fact is a time on the ledger row, set by the first event of its kind and moved only to an earlier time, so that
neither repetition nor order of the events matters. What changed for the first time is counted while it is written,
which is how unique figures stay exact without ever counting distinct rows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from django.db import connection


@dataclass
class Transitions:
    """How many messages of one variant were delivered (opened, ...) for the first time."""

    campaign_id: UUID
    variant_id: UUID
    delivered: int = 0
    returned: int = 0
    bounced: int = 0
    complained: int = 0
    unsubscribed: int = 0
    unique_opens: int = 0
    machine_opens: int = 0
    any_opens: int = 0
    unique_clicks: int = 0
    machine_clicks: int = 0
    any_clicks: int = 0


#: Column of the ledger -> which events set it.
_FACTS: dict[str, str] = {
    "delivered_at": "kind = 'delivered'",
    "bounced_at": "kind = 'bounced'",
    "complained_at": "kind = 'complained'",
    "unsubscribed_at": "kind = 'unsubscribed'",
    "first_opened_at": "kind = 'opened' AND actor = 'human'",
    "first_machine_opened_at": "kind = 'opened' AND actor = 'machine'",
    "first_clicked_at": "kind = 'clicked' AND actor = 'human'",
    "first_machine_clicked_at": "kind = 'clicked' AND actor = 'machine'",
}


def _either(human: str, machine: str) -> str:
    return f"coalesce(was.{human}, was.{machine}) IS NULL AND coalesce(message.{human}, message.{machine}) IS NOT NULL"


def _first(column: str) -> str:
    return f"was.{column} IS NULL AND message.{column} IS NOT NULL"


#: Field of `Transitions` -> what must have changed.
_COUNTED: dict[str, str] = {
    "delivered": _first("delivered_at"),
    # Taken by the mail server, and bounced all the same: no longer delivered.
    "returned": "(was.delivered_at IS NULL OR was.bounced_at IS NULL) "
    "AND message.delivered_at IS NOT NULL AND message.bounced_at IS NOT NULL",
    "bounced": _first("bounced_at"),
    "complained": _first("complained_at"),
    "unsubscribed": _first("unsubscribed_at"),
    "unique_opens": _first("first_opened_at"),
    "machine_opens": _first("first_machine_opened_at"),
    "any_opens": _either("first_opened_at", "first_machine_opened_at"),
    "unique_clicks": _first("first_clicked_at"),
    "machine_clicks": _first("first_machine_clicked_at"),
    "any_clicks": _either("first_clicked_at", "first_machine_clicked_at"),
}
assert list(_COUNTED) == [field.name for field in fields(Transitions)][2:]

#: Rows are locked in one order by everybody who counts, so that two consumers wait for each other and never deadlock.
_LOCK = """
SELECT count(*) FROM (
    SELECT id FROM campaigns_message WHERE id IN (SELECT message_id FROM {relation})
    ORDER BY id FOR NO KEY UPDATE
) AS locked
"""

_RECORD = """
WITH heard AS (
    SELECT message_id, {firsts},
           bool_or(kind = 'bounced' AND bounce_type = 'hard') AS is_hard
      FROM {relation} WHERE message_id IS NOT NULL GROUP BY message_id
), changed AS (
    UPDATE campaigns_message AS message
       SET {assignments},
           bounce_type = CASE WHEN heard.is_hard THEN 'hard'
                              WHEN heard.bounced_at IS NOT NULL AND was.bounce_type = '' THEN 'soft'
                              ELSE was.bounce_type END
      FROM heard JOIN campaigns_message AS was ON was.id = heard.message_id
     WHERE message.id = was.id AND ({differs} OR (heard.is_hard AND was.bounce_type <> 'hard'))
    RETURNING message.campaign_id, message.variant_id, message.is_test, {counted}
)
SELECT campaign_id, variant_id, {sums}
  FROM changed
 WHERE campaign_id IS NOT NULL AND variant_id IS NOT NULL AND NOT is_test
 GROUP BY campaign_id, variant_id ORDER BY campaign_id, variant_id
"""


def record_facts(*, relation: str) -> list[Transitions]:
    """Write what the events of `relation` say about their messages, and return what happened for the first time.

    Must run inside a transaction. When it returns, the messages are locked until that transaction ends.

    Args:
        relation: a table (temporary, of the caller's) with the columns `message_id bigint`, `kind`, `actor`,
            `bounce_type` (text) and `occurred_at timestamptz`, one row an event that was never counted before.

    Returns:
        One row for each campaign variant of which something changed; test sends are written but not counted.
    """
    names: dict[str, Any] = {
        "relation": connection.ops.quote_name(relation),
        "firsts": ", ".join(f"min(occurred_at) FILTER (WHERE {test}) AS {name}" for name, test in _FACTS.items()),
        "assignments": ", ".join(f"{name} = LEAST(was.{name}, heard.{name})" for name in _FACTS),
        "differs": " OR ".join(f"LEAST(was.{name}, heard.{name}) IS DISTINCT FROM was.{name}" for name in _FACTS),
        "counted": ", ".join(f"({test})::int AS {name}" for name, test in _COUNTED.items()),
        "sums": ", ".join(f"sum({name})" for name in _COUNTED),
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOCK.format(**names))
        cursor.execute(_RECORD.format(**names))
        return [Transitions(row[0], row[1], *map(int, row[2:])) for row in cursor.fetchall()]
