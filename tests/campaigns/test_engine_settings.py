"""The numbers that the engine's promises hang on fit together (RULES.md section 1)."""

from __future__ import annotations

from django.conf import settings

from campaigns.delivery import ledger, pipeline
from campaigns.delivery.providers.base import TIMEOUT_S
from pulsequill.schedules import SCHEDULES


def test_a_lease_outlives_whatever_its_worker_may_still_do() -> None:
    assert ledger.LEASE_S >= 2 * TIMEOUT_S
    assert pipeline.SLICE_S <= 60
    for last_start in (pipeline.SLICE_S, ledger.HAND_OVER_S):
        assert last_start + TIMEOUT_S < ledger.LEASE_S


def test_celery_only_wakes_and_forgets_nothing_that_a_killed_worker_held() -> None:
    assert settings.CELERY_TASK_ACKS_LATE
    assert settings.CELERY_TASK_REJECT_ON_WORKER_LOST
    assert settings.CELERY_WORKER_PREFETCH_MULTIPLIER == 1
    assert settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] > pipeline.SLICE_S + TIMEOUT_S


def test_the_ledger_is_swept_at_least_every_half_minute() -> None:
    assert min(one.every_s for one in SCHEDULES if one.task == "campaigns.tasks.sweep") <= 30
