"""Thin carriers of what beat starts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from django.core.cache import cache
from django.db import OperationalError
from django.utils import timezone

from analytics.brake import watch, watch_rates, watched_campaigns
from analytics.decisions import decide, open_tests
from analytics.ingest import archive, rule_runs, strays
from analytics.models import RuleRun
from analytics.reports import calendar, facets
from analytics.rounds import in_turn

logger = structlog.get_logger(__name__)


@shared_task
def decide_tests(**_later: Any) -> None:
    """End the tests that can be ended; one that fails does not keep the others waiting."""
    now = timezone.now()
    for campaign_id in in_turn("tests", open_tests(now)):
        try:
            decide(campaign_id, now=now)
        except Exception:
            logger.exception("test_not_decided", campaign_id=str(campaign_id))


#: Seconds after which a closer look that no worker has taken is dropped, and after which one that was taken is lost.
LOOK_EXPIRES_S, LOOK_LOST_S = 60, 180


@shared_task
def watch_campaigns(**_later: Any) -> None:
    """Ask the emergency brake about every campaign that is being sent; what takes long is left to `look_closely`.

    A workspace has one closer look at a time, waiting or under way: many campaigns with slow links are its own trouble.
    """
    for campaign_id in in_turn("brake", watched_campaigns()):
        try:
            workspace_id = watch_rates(campaign_id, now=timezone.now())
        except Exception:
            logger.exception("brake_not_asked", campaign_id=str(campaign_id))
            continue
        if workspace_id is not None and cache.add(_look_of(workspace_id), True, LOOK_LOST_S):
            look_closely.apply_async(kwargs={"workspace_id": str(workspace_id)}, expires=LOOK_EXPIRES_S)


@shared_task
def look_closely(*, workspace_id: str, **_later: Any) -> None:
    """Ask the links of a workspace's running campaigns; release who waits behind first readers that took it well."""
    try:
        for campaign_id in in_turn(f"links:{workspace_id}", watched_campaigns().filter(workspace_id=workspace_id)):
            try:
                watch(campaign_id, now=timezone.now())
            except Exception:
                logger.exception("brake_not_asked", campaign_id=str(campaign_id))
    finally:
        cache.delete(_look_of(workspace_id))


def _look_of(workspace_id: UUID | str) -> str:
    return f"brake-look:{workspace_id}"


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
    """Move old events to the archive, drop the months of it and forget the strays that have had their time."""
    strays.forget_old_strays()
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
