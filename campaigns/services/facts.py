"""What became of a message: delivered, opened, clicked, bounced, complained, unsubscribed.

Each fact is a time on the ledger row, set by the first event of its kind and moved only to an earlier time, so that
neither repetition nor order of the events matters. What changed for the first time is counted while it is written,
which is how unique figures stay exact without ever counting distinct rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection


@dataclass
class Transitions:
    """How many messages of one variant and mailbox provider were delivered (opened, ...) for the first time."""

    campaign_id: UUID
    variant_id: UUID
    mailbox: str
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


#: Field of `Transitions` -> what must hold of a ledger row for it to be counted.
_COUNTED: dict[str, str] = {
    "delivered": "{row}.delivered_at IS NOT NULL",
    # Taken by the mail server, and bounced all the same: no longer delivered.
    "returned": "({row}.delivered_at IS NOT NULL AND {row}.bounced_at IS NOT NULL)",
    "bounced": "{row}.bounced_at IS NOT NULL",
    "complained": "{row}.complained_at IS NOT NULL",
    "unsubscribed": "{row}.unsubscribed_at IS NOT NULL",
    "unique_opens": "{row}.first_opened_at IS NOT NULL",
    "machine_opens": "{row}.first_machine_opened_at IS NOT NULL",
    "any_opens": "coalesce({row}.first_opened_at, {row}.first_machine_opened_at) IS NOT NULL",
    "unique_clicks": "{row}.first_clicked_at IS NOT NULL",
    "machine_clicks": "{row}.first_machine_clicked_at IS NOT NULL",
    "any_clicks": "coalesce({row}.first_clicked_at, {row}.first_machine_clicked_at) IS NOT NULL",
}
assert list(_COUNTED) == [field.name for field in fields(Transitions)][3:]

#: Rows are locked in one order by everybody who counts, so that two consumers wait for each other and never deadlock.
_LOCK = """
WITH locked AS MATERIALIZED (
    SELECT id, first_machine_clicked_at FROM campaigns_message WHERE id IN (SELECT message_id FROM {relation})
     ORDER BY id FOR NO KEY UPDATE
)
SELECT id FROM locked WHERE first_machine_clicked_at IS NOT NULL
"""

_RECORD = """
WITH heard AS (
    SELECT message_id, min(mailbox) AS mailbox, {firsts},
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
    RETURNING message.campaign_id, message.variant_id, message.is_test, heard.mailbox, {counted}
)
SELECT campaign_id, variant_id, mailbox, {sums}
  FROM changed
 WHERE campaign_id IS NOT NULL AND variant_id IS NOT NULL AND NOT is_test
 GROUP BY campaign_id, variant_id, mailbox ORDER BY campaign_id, variant_id, mailbox
"""

#: What the class of an open or click decides.
HIT_FACTS = ("first_opened_at", "first_machine_opened_at", "first_clicked_at", "first_machine_clicked_at")

_CORRECT = f"""
UPDATE campaigns_message AS message SET {", ".join(f"{name} = corrected.{name}" for name in HIT_FACTS)}
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
       AS corrected (id, {", ".join(HIT_FACTS)})
 WHERE message.id = corrected.id
"""  # noqa: S608 our own column names


def lock_messages(*, relation: str) -> list[int]:
    """Lock the messages that the events of `relation` are about until the caller's transaction ends.

    Returns:
        The ids of those that a machine has clicked in before.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK.format(relation=connection.ops.quote_name(relation)))
        return [row[0] for row in cursor.fetchall()]


def correct_facts(
    rows: Sequence[tuple[int, datetime | None, datetime | None, datetime | None, datetime | None]],
) -> None:
    """Set the facts that hang on the class of opens and clicks: `(message id, *HIT_FACTS)`. The rows are locked."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_CORRECT, [list(column) for column in zip(*rows, strict=True)])


def record_facts(*, relation: str) -> list[Transitions]:
    """Write what the events of `relation` say about their messages, and return what happened for the first time.

    Must run inside the transaction that locked the messages (`lock_messages`).

    Args:
        relation: a table (temporary, of the caller's) with the columns `message_id bigint`, `kind`, `actor`,
            `bounce_type`, `mailbox` (text) and `occurred_at timestamptz`, one row an event that was never counted
            before.

    Returns:
        One row for each campaign variant and mailbox provider of which something changed; test sends are written but
        not counted.
    """
    names: dict[str, Any] = {
        "relation": connection.ops.quote_name(relation),
        "firsts": ", ".join(f"min(occurred_at) FILTER (WHERE {test}) AS {name}" for name, test in _FACTS.items()),
        "assignments": ", ".join(f"{name} = LEAST(was.{name}, heard.{name})" for name in _FACTS),
        "differs": " OR ".join(f"LEAST(was.{name}, heard.{name}) IS DISTINCT FROM was.{name}" for name in _FACTS),
        "counted": ", ".join(
            f"(({test.format(row='message')})::int - ({test.format(row='was')})::int) AS {name}"
            for name, test in _COUNTED.items()
        ),
        "sums": ", ".join(f"sum({name})" for name in _COUNTED),
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD.format(**names))
        return [Transitions(*row[:3], *map(int, row[3:])) for row in cursor.fetchall()]
