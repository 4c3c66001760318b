"""Thin carriers of what beat starts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from analytics.brake import list_watched, watch
from analytics.decisions import decide, list_open_tests
from analytics.ingest import archive, rule_runs
from analytics.models import RuleRun
from analytics.reports import calendar, facets

logger = structlog.get_logger(__name__)


@shared_task
def decide_tests(**_later: Any) -> None:
    """End the tests that can be ended; one that fails does not keep the others waiting."""
    now = timezone.now()
    for campaign_id in list_open_tests(now):
        try:
            decide(campaign_id, now=now)
        except Exception:
            logger.exception("test_not_decided", campaign_id=str(campaign_id))


@shared_task
def watch_campaigns(**_later: Any) -> None:
    """Ask the emergency brake about every campaign that is being sent, each by a task of its own: links are slow."""
    for campaign_id in list_watched():
        watch_campaign.delay(campaign_id=str(campaign_id))


@shared_task
def watch_campaign(*, campaign_id: str, **_later: Any) -> None:
    """Pause one campaign, release those who wait behind its first readers, or let it go on."""
    watch(UUID(campaign_id), now=timezone.now())


#: A slice of a run of the rules; a run whose worker went away is taken up again after twice that.
SLICE_S = 45.0


@shared_task
def run_rules(*, run_id: str, **_later: Any) -> None:
    """Work on a run of the rules for a while, and hand on what is left of it."""
    try:
        is_over = rule_runs.proceed(UUID(run_id), seconds=SLICE_S)
    except Exception as error:
        if isinstance(error, OperationalError):  # the sweep takes it up when the database is back
            raise
        logger.exception("rule_run_failed", run_id=run_id)
        RuleRun.objects.filter(pk=run_id).update(
            status=RuleRun.Status.FAILED, failure=f"{type(error).__name__}: {error}"[:300], finished_at=timezone.now()
        )
        return
    if not is_over:
        run_rules.delay(run_id=run_id)


@shared_task
def sweep_rule_runs(**_later: Any) -> None:
    """Take up runs of the rules that nobody works on."""
    for run_id in rule_runs.list_left_behind(older_than_s=2 * SLICE_S):
        run_rules.delay(run_id=str(run_id))


@shared_task
def archive_events(**_later: Any) -> None:
    """Move old events to the archive, and drop the months of it that have had their time."""
    archive.move_old_events()
    archive.drop_expired_months()


@shared_task
def count_reports(**_later: Any) -> None:
    """Count what reports need from the ledger, for a while."""
    facets.count_due(now=timezone.now())


@shared_task
def mail_reports(**_later: Any) -> None:
    """Claim the reports that are due, and send what is written down."""
    now = timezone.now()
    calendar.run_due(now=now)
    calendar.send_written(now=now)
