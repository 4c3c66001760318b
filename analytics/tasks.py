"""Thin carriers of what beat starts."""

from __future__ import annotations

from typing import Any

import structlog
from celery import shared_task
from django.utils import timezone

from analytics.decisions import decide, list_open_tests

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
