"""The statements that move ledger rows: claim, record, reap, skip. One statement each, for a batch at a time."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from audiences.services import record_sent
from campaigns.delivery.providers import PROVIDERS, Outcome, Verdict
from campaigns.delivery.rendering import Claimed
from campaigns.models import Campaign, Message

#: How long a claim is ours. At least twice a provider's timeout; `HAND_OVER_S` and one timeout fit in with room.
LEASE_S = 120.0
#: Seconds after a claim in which messages may still be started.
HAND_OVER_S = 50.0
MAX_ATTEMPTS = 8
FIRST_RETRY_S = 30
LONGEST_RETRY_S = 3600

#: `refusal` says why a planned recipient may not be mailed after all; empty: may. The same order and rules as
#: `audiences.selectors.audience_sql`, asked again about rows that are planned already. The campaign is asked for as a
#: range and not as `=`, because only then does nothing but the index `message_claimable` give this order: with `=`
#: PostgreSQL also considers the primary key, and reads the ledger from its beginning for each claim.
_CLAIM = """
WITH picked AS MATERIALIZED (
  SELECT m.id, m.workspace_id, m.email_normalized, m.contact_id
    FROM campaigns_message m
   WHERE (m.campaign_id, m.id) > (%(campaign)s, %(after)s) AND m.campaign_id <= %(campaign)s
     AND NOT m.is_test AND m.status IN ('queued', 'retrying') AND (m.due_at IS NULL OR m.due_at <= %(now)s)
     AND (SELECT c.status FROM campaigns_campaign c WHERE c.id = %(campaign)s) = 'sending'
   ORDER BY m.campaign_id, m.id LIMIT %(limit)s
     FOR UPDATE OF m SKIP LOCKED
), judged AS (
  SELECT m.id, CASE WHEN stop.reason IS NOT NULL THEN 'suppressed_' || stop.reason
              WHEN m.contact_id IS NULL THEN 'contact_deleted'
              WHEN said.is_active_here THEN ''
              WHEN said.is_here AND said.is_pending_here THEN 'pending_confirmation'
              WHEN said.is_here THEN 'unsubscribed'
              WHEN said.is_anywhere AND NOT said.is_active THEN 'unsubscribed'
              ELSE '' END AS refusal
    FROM picked m
    LEFT JOIN audiences_suppression stop
           ON stop.workspace_id = m.workspace_id AND stop.email_normalized = m.email_normalized
    LEFT JOIN LATERAL (
      SELECT count(*) > 0 AS is_anywhere, bool_or(s.status = 'active') AS is_active,
             bool_or(s.list_id = ANY(%(lists)s)) AS is_here,
             bool_or(s.list_id = ANY(%(lists)s) AND s.status = 'active') AS is_active_here,
             bool_or(s.list_id = ANY(%(lists)s) AND s.status = 'pending') AS is_pending_here
        FROM audiences_subscription s WHERE s.contact_id = m.contact_id) said ON true
)
UPDATE campaigns_message m
   SET status = CASE WHEN j.refusal = '' THEN 'sending' ELSE 'skipped' END,
       reason = j.refusal,
       attempt_id = CASE WHEN j.refusal = '' THEN gen_random_uuid() END,
       attempt_no = m.attempt_no + CASE WHEN j.refusal = '' THEN 1 ELSE 0 END,
       claimed_by = %(worker)s, claimed_at = now(),
       lease_until = CASE WHEN j.refusal = '' THEN now() + make_interval(secs => %(lease)s) END, due_at = NULL
  FROM judged j WHERE m.id = j.id
RETURNING m.id, m.attempt_id, m.attempt_no, m.contact_id, m.variant_id, m.email, m.status
"""

#: A batch finds its rows through indexes, whatever the statistics say: right after a launch PostgreSQL knows nothing
#: about the new rows and would read, sort or hash all of them for each claim.
_BY_INDEX = "SELECT " + ", ".join(
    f"set_config('enable_{plan}', 'off', true)" for plan in ("bitmapscan", "sort", "seqscan", "hashjoin", "mergejoin")
)

#: Between the texts of a long array; no provider's id holds it.
_SEPARATOR = "\x1f"

#: A row without a campaign is transactional: nobody unsubscribes from a receipt, so only the other reasons stop it.
_CLAIM_ONE = """
WITH picked AS MATERIALIZED (
  SELECT m.id, stop.reason AS stop
    FROM campaigns_message m
    LEFT JOIN audiences_suppression stop
           ON stop.workspace_id = m.workspace_id AND stop.email_normalized = m.email_normalized AND NOT m.is_test
          AND (m.campaign_id IS NOT NULL OR stop.reason <> 'unsubscribe')
   WHERE m.id = %s AND m.status IN ('queued', 'retrying')
     FOR UPDATE OF m
)
UPDATE campaigns_message m
   SET status = CASE WHEN p.stop IS NULL THEN 'sending' ELSE 'skipped' END,
       reason = COALESCE('suppressed_' || p.stop, ''),
       attempt_id = CASE WHEN p.stop IS NULL THEN gen_random_uuid() END,
       attempt_no = m.attempt_no + CASE WHEN p.stop IS NULL THEN 1 ELSE 0 END,
       claimed_by = %s, claimed_at = now(),
       lease_until = CASE WHEN p.stop IS NULL THEN now() + make_interval(secs => %s) END, due_at = NULL
  FROM picked p WHERE m.id = p.id
RETURNING m.id, m.attempt_id, m.attempt_no, m.contact_id, m.variant_id, m.email, m.status
"""

#: Only whoever holds the attempt may finish it; a row that was reaped meanwhile may still learn the truth. The status
#: is compared in a form that no index knows (`|| ''`), because a plan that begins with the few rows under way and
#: compares each with each result takes a second for a batch instead of ten milliseconds.
_RECORD = """
WITH result AS (
  SELECT r.id, r.attempt_id, COALESCE(r.provider_message_id, '') AS provider_message_id,
         (%(statuses)s::text[])[r.kind] AS status, (%(reasons)s::text[])[r.kind] AS reason,
         (%(codes)s::text[])[r.kind] AS code, (%(due)s::timestamptz[])[r.kind] AS due_at
    FROM unnest(%(ids)s::bigint[], %(attempts)s::uuid[], %(kinds)s::int[],
                string_to_array(%(provider_ids)s, %(separator)s)) AS r(id, attempt_id, kind, provider_message_id)
), done AS (
  UPDATE campaigns_message m
     SET status = r.status, reason = r.reason, last_error_code = r.code, due_at = r.due_at, lease_until = NULL,
         provider_message_id = CASE WHEN r.status = 'sent' THEN r.provider_message_id ELSE m.provider_message_id END,
         sent_at = CASE WHEN r.status = 'sent' THEN %(now)s ELSE m.sent_at END,
         delivered_at = CASE WHEN r.status = 'sent' AND %(delivered)s THEN COALESCE(m.delivered_at, %(now)s)
                             ELSE m.delivered_at END,
         attempt_no = CASE WHEN r.status = 'queued' THEN m.attempt_no - 1 ELSE m.attempt_no END
    FROM result r
   WHERE m.id = r.id AND m.attempt_id = r.attempt_id AND (m.status || '') IN ('sending', 'in_doubt')
  RETURNING m.campaign_id, m.variant_id, m.status, m.is_test, m.contact_id
), counted AS (
  INSERT INTO campaigns_deliveryminute AS d (campaign_id, variant_id, minute, sent, delivered, failed)
  SELECT campaign_id, variant_id, date_trunc('minute', %(now)s::timestamptz),
         count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'sent' AND %(delivered)s),
         count(*) FILTER (WHERE status = 'failed')
    FROM done
   WHERE NOT is_test AND campaign_id IS NOT NULL AND variant_id IS NOT NULL AND status IN ('sent', 'failed')
   GROUP BY campaign_id, variant_id ORDER BY variant_id
  ON CONFLICT (campaign_id, variant_id, minute) DO UPDATE
     SET sent = d.sent + excluded.sent, delivered = d.delivered + excluded.delivered,
         failed = d.failed + excluded.failed
)
SELECT count(*), array_agg(contact_id) FILTER (WHERE status = 'sent' AND NOT is_test AND contact_id IS NOT NULL)
  FROM done
"""

#: Rows whose worker is gone: its lease has run out, or its journal says so.
_ABANDONED = "m.status = 'sending' AND (m.lease_until < now() OR m.claimed_by = %(worker)s)"

#: Facts that only a message that arrived, or at least left, can have.
_FACTS = ("delivered_at", "first_opened_at", "first_machine_opened_at", "first_clicked_at", "first_machine_clicked_at",
          "bounced_at", "complained_at", "unsubscribed_at")  # fmt: skip

_EVIDENTLY_SENT = f"""
SELECT m.id, m.attempt_id, m.attempt_no, m.contact_id, m.variant_id, m.email, m.provider, m.provider_message_id
  FROM campaigns_message m
 WHERE {_ABANDONED} AND COALESCE({", ".join("m." + fact for fact in _FACTS)}) IS NOT NULL
   FOR UPDATE OF m
"""  # noqa: S608 - names of our own

_REAP = f"""
UPDATE campaigns_message m SET status = 'in_doubt', lease_until = NULL, last_error_code = 'lease_expired',
       reason = 'The worker vanished while it was handing this message over.'
 WHERE {_ABANDONED}
RETURNING campaign_id
"""  # noqa: S608 - as above

#: What a journal may speak of: its own rows, and those of them that were put in doubt before it was found. A row that
#: somebody else has claimed since is nobody's business but theirs.
_LEFT_BY = """
SELECT m.id, m.attempt_id, m.attempt_no, m.contact_id, m.variant_id, m.email
  FROM campaigns_message m
 WHERE m.claimed_by = %(worker)s
   AND (m.status = 'sending' OR (m.id = ANY(%(ids)s) AND m.status = 'in_doubt'))
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim brought: rows to send, and how many turned out not to be mailable any more."""

    rows: list[Claimed]
    skipped: int

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing left to claim."""
        return not self.rows and not self.skipped


def _claimed(fetched: list[tuple[Any, ...]]) -> list[Claimed]:
    return [Claimed(*row[:6]) for row in sorted(fetched) if row[6] == Message.Status.SENDING]


def claim(
    *, campaign: Campaign, list_ids: Sequence[UUID], limit: int, worker: str, now: datetime, after: int = 0
) -> Claim:
    """Take up to `limit` due rows of a campaign, committed before this returns.

    The statement asks again whether the campaign is sending and whether each contact may still be mailed; who may not
    becomes `skipped` with the reason.

    Args:
        campaign: whose rows.
        list_ids: the lists it goes to.
        limit: most rows to take.
        worker: who takes them.
        now: rows whose retry is due by then are taken too.
        after: only rows with a greater id. A worker that goes on where its last claim ended does not walk again over
            the index entries of rows that are done, which nobody has cleaned up yet.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BY_INDEX)
        cursor.execute(
            _CLAIM,
            {
                "campaign": campaign.pk,
                "after": after,
                "now": now,
                "limit": limit,
                "lists": list(list_ids),
                "worker": worker[:80],
                "lease": LEASE_S,
            },
        )
        fetched = cursor.fetchall()
    rows = _claimed(fetched)
    return Claim(rows=rows, skipped=len(fetched) - len(rows))


def claim_one(*, message_id: int, worker: str) -> Claimed | None:
    """Take one row that waits on its own: a test, a transactional message, an operator's resend.

    Returns:
        The row, or None when it is not waiting; one whose address is suppressed becomes `skipped`.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM_ONE, [message_id, worker[:80], LEASE_S])
        fetched = cursor.fetchall()
    return next(iter(_claimed(fetched)), None)


def retry_delay_s(attempt_no: int, asked_s: float | None) -> float:
    """Return seconds until the next attempt: doubled each time, with jitter, or what the provider asked for."""
    backoff = float(min(FIRST_RETRY_S * 2 ** (attempt_no - 1), LONGEST_RETRY_S))
    spread = backoff * random.uniform(0.9, 1.2)  # noqa: S311 - jitter, not a secret
    return max(spread, asked_s or 0.0)


def _result(row: Claimed, outcome: Outcome, now: datetime) -> tuple[str, str, str, datetime | None]:
    """Return status, reason, code and time of the next attempt."""
    match outcome.verdict:
        case Verdict.ACCEPTED:
            return Message.Status.SENT, "", "", None
        case Verdict.NOT_SENT:
            return Message.Status.QUEUED, "", "", None
        case Verdict.UNCERTAIN:
            return Message.Status.IN_DOUBT, outcome.reason, outcome.code, None
        case Verdict.RETRY if row.attempt_no < MAX_ATTEMPTS:
            due = now + timedelta(seconds=retry_delay_s(row.attempt_no, outcome.retry_after_s))
            return Message.Status.RETRYING, outcome.reason, outcome.code, due
        case Verdict.RETRY:
            reason = f"Given up after {MAX_ATTEMPTS} attempts. {outcome.reason}"[:200]
            return Message.Status.FAILED, reason, outcome.code, None
        case _:
            return Message.Status.FAILED, outcome.reason, outcome.code, None


def _array(plain: Iterable[str]) -> str:
    """Return a PostgreSQL array of values that need no quotes."""
    return "{" + ",".join(plain) + "}"


def record(rows: Sequence[Claimed], outcomes: Sequence[Outcome], *, reports_delivery: bool, now: datetime) -> int:
    """Write a batch of outcomes and raise the minute's counts in one statement, and date the contacts' last mail.

    Args:
        rows: what was claimed.
        outcomes: one for each row, in order.
        reports_delivery: whether the provider tells later what became of a message; if not, accepted is delivered.
        now: the time of the results.

    Returns:
        How many rows took their result; fewer than given when an attempt was no longer ours.
    """
    # Most results of a batch are alike, and long arrays are written by hand: psycopg takes 10 microseconds for a row.
    kinds: dict[tuple[str, str, str, datetime | None], int] = {}
    numbers = [
        kinds.setdefault(_result(row, outcome, now), len(kinds) + 1)
        for row, outcome in zip(rows, outcomes, strict=True)
    ]
    statuses, reasons, codes, due = zip(*kinds, strict=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BY_INDEX)
        cursor.execute(
            _RECORD,
            {
                "ids": _array(str(row.id) for row in rows),
                "attempts": _array(row.attempt_id.hex for row in rows),
                "kinds": _array(map(str, numbers)),
                "provider_ids": _SEPARATOR.join(
                    [outcome.provider_message_id.replace(_SEPARATOR, "") for outcome in outcomes]
                ),
                "separator": _SEPARATOR,
                "statuses": list(statuses),
                "reasons": list(reasons),
                "codes": list(codes),
                "due": list(due),
                "now": now,
                "delivered": not reports_delivery,
            },
        )
        recorded, mailed = cursor.fetchone()
        if mailed:
            _date_last_mail(mailed, now)
        return int(recorded)


def _date_last_mail(contact_ids: Sequence[UUID], now: datetime) -> None:
    """Tell the contacts of a batch when they were mailed, without ever costing the batch its results.

    An import locks contacts in another order than we do. Whoever PostgreSQL picks to end a deadlock loses its
    statement; if that is us, the savepoint keeps the results and the import goes on, so the next try gets through.
    """
    for is_last in (False, False, True):
        try:
            with transaction.atomic():
                record_sent(contact_ids=contact_ids, at=now)
            return
        except OperationalError as error:
            if is_last or not isinstance(error.__cause__, DeadlockDetected):
                raise


def left_by(*, worker: str, message_ids: Sequence[int]) -> list[Claimed]:
    """Return the rows of a dead worker that still wait for a result.

    Args:
        worker: who claimed them.
        message_ids: rows of its claims; they are looked up also when somebody has put them in doubt already.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_BY, {"worker": worker, "ids": list(message_ids)})
        return [Claimed(*row) for row in cursor.fetchall()]


def reap(*, worker: str = "") -> dict[UUID | None, int]:
    """Move abandoned rows to `in_doubt`, or to `sent` when a provider's event or a reader has proved it meanwhile.

    Args:
        worker: one that is known to be dead, so that its leases need not be waited for.

    Returns:
        How many are in doubt now, by campaign. They are never sent again by us.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_EVIDENTLY_SENT, {"worker": worker})
        evident = cursor.fetchall()
        for provider in {row[6] for row in evident}:
            rows = [row for row in evident if row[6] == provider]
            record(
                [Claimed(*row[:6]) for row in rows],
                [Outcome("accepted", provider_message_id=row[7]) for row in rows],
                reports_delivery=provider in PROVIDERS and PROVIDERS[provider].reports_delivery,
                now=timezone.now(),
            )
        cursor.execute(_REAP, {"worker": worker})
        reaped: dict[UUID | None, int] = {}
        for (campaign_id,) in cursor.fetchall():
            reaped[campaign_id] = reaped.get(campaign_id, 0) + 1
        return reaped
