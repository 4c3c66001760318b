"""The rules of today over the hits of the past: what would change, or is changed, batch by batch.

A batch is one transaction: the run's row is locked, messages are judged again over all of their hits, figures are
corrected by the difference, and the run remembers how far it has come. So a killed worker loses nothing, and two that
take the same run up take turns.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from analytics import rollups
from analytics.ingest import reclassify
from analytics.ingest.bots import classify
from analytics.ingest.patterns import Verdict
from analytics.ingest.reclassify import JudgedMessage, StoredHit
from analytics.models import RuleRun
from pulsequill.core.live import mark_dirty

MESSAGES_A_BATCH = 500
#: Ledger rows that one batch walks past, whoever they belong to.
ROWS_A_BATCH = 20_000
#: What a run tells of each campaign before and after.
FIGURES = (
    "opens", "unique_opens", "machine_opens", "any_opens", "clicks", "unique_clicks", "machine_clicks", "any_clicks",
)  # fmt: skip
#: Verdicts that compare a hit with its message's sending as it stood when the hit came in; a message that was sent
#: again since tells nothing about them.
TIMED = frozenset({"before_sending", "too_quick"})

_BATCH = """
SELECT id FROM campaigns_message
 WHERE id > %s AND id <= %s AND workspace_id = %s
   AND coalesce(first_opened_at, first_machine_opened_at, first_clicked_at, first_machine_clicked_at) IS NOT NULL
 ORDER BY id LIMIT %s {lock}
"""

_ARCHIVED = """
SELECT count(DISTINCT message_id) FROM analytics_eventarchive
 WHERE message_id = ANY(%s) AND kind IN ('opened', 'clicked')
"""

_NOW = f"""
SELECT campaign_id, {", ".join(f"sum({name})::bigint" for name in FIGURES)}
  FROM analytics_campaignstats WHERE campaign_id = ANY(%s) GROUP BY campaign_id
"""  # noqa: S608 our own column names


def class_today(stored: StoredHit, message: JudgedMessage) -> Verdict:
    """Return the class that a hit shows by itself, by the rules of today."""
    hit = stored.hit
    if hit.reason in TIMED and message.attempts > 1:
        return hit.actor, hit.reason
    is_first = message.attempts <= 1
    return classify(
        kind="clicked" if hit.is_click else "opened",
        agent=hit.agent,
        data=stored.data,
        occurred_at=hit.at,
        claimed_at=message.claimed_at if is_first else None,
        sent_at=message.sent_at if is_first else None,
        provider=message.provider,
        is_honeypot=hit.is_honeypot,
    )


def list_left_behind(*, older_than_s: float) -> list[UUID]:
    """Return the runs that are not over and that nobody has worked on for a while."""
    limit = timezone.now() - timedelta(seconds=older_than_s)
    active = RuleRun.objects.filter(status__in=(RuleRun.Status.QUEUED, RuleRun.Status.RUNNING), updated_at__lt=limit)
    return list(active.values_list("pk", flat=True))


def proceed(run_id: UUID, *, seconds: float) -> bool:
    """Work on a run for some time.

    Returns:
        Whether it is over.
    """
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        changed: set[Any] = set()
        with transaction.atomic():
            run = RuleRun.objects.select_for_update().filter(pk=run_id).first()
            if run is None or run.status not in (RuleRun.Status.QUEUED, RuleRun.Status.RUNNING):
                return True
            is_over, changed = _batch(run)
            run.status = RuleRun.Status.DONE if is_over else RuleRun.Status.RUNNING
            run.heartbeat_at = timezone.now()
            run.finished_at = run.heartbeat_at if is_over else None
            run.save()
        mark_dirty(*changed)
        if is_over:
            return True
    return False


def _batch(run: RuleRun) -> tuple[bool, set[Any]]:
    """Judge the next messages of a run; return whether it is over, and the campaigns whose figures were changed."""
    if not run.end_message_id:
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM campaigns_message")
            run.end_message_id = cursor.fetchone()[0]
    last = min(run.last_message_id + ROWS_A_BATCH, run.end_message_id)
    with connection.cursor() as cursor:
        cursor.execute(
            _BATCH.format(lock="" if run.is_dry_run else "FOR NO KEY UPDATE"),
            [run.last_message_id, last, run.workspace_id, MESSAGES_A_BATCH],
        )
        ids = [row[0] for row in cursor.fetchall()]
    run.last_message_id = ids[-1] if len(ids) == MESSAGES_A_BATCH else last
    changed: set[Any] = set()
    if ids:
        changed = _judge(run, ids)
    return run.last_message_id >= run.end_message_id, changed


def _judge(run: RuleRun, ids: list[int]) -> set[Any]:
    messages = reclassify.read_messages(ids)
    judged = [message for message in messages if not message.is_erased and len(message.hits) <= reclassify.MOST_HITS]
    correction = reclassify.correct(judged, class_today)
    if correction and not run.is_dry_run:
        rollups.run_alone()
        reclassify.apply(correction)
    run.messages += len(judged)
    run.hits += sum(len(message.hits) for message in judged)
    run.changed += len(correction.verdicts)
    with connection.cursor() as cursor:
        cursor.execute(_ARCHIVED, [ids])
        run.unseen += len(messages) - len(judged) + cursor.fetchone()[0]
    run.reasons = dict(Counter(run.reasons) + correction.reasons)
    return _compare(run, correction.shifts)


def _compare(run: RuleRun, shifts: rollups.Shifts) -> set[Any]:
    """Add a batch's differences to the run's before and after; return the campaigns that it touched."""
    differences: dict[Any, Counter[str]] = {}
    for (rollup, key, counter), difference in shifts.items():
        if rollup == "stats" and difference and counter in FIGURES:
            differences.setdefault(key[0], Counter())[counter] += difference
    if not differences:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_NOW, [list(differences)])
        now = {row[0]: dict(zip(FIGURES, map(int, row[1:]), strict=True)) for row in cursor.fetchall()}
    for campaign_id, batch in differences.items():
        known, figures = str(campaign_id), now.get(campaign_id, dict.fromkeys(FIGURES, 0))
        before, after = run.before.get(known, {}), run.after.get(known, {})
        total = {name: after.get(name, 0) - before.get(name, 0) + batch[name] for name in FIGURES}
        sign = 1 if run.is_dry_run else 0  # the figures of now already are those of after
        run.before[known] = {name: figures[name] - (1 - sign) * total[name] for name in FIGURES}
        run.after[known] = {name: figures[name] + sign * total[name] for name in FIGURES}
    return set() if run.is_dry_run else set(differences)
