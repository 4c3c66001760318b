"""`manage.py seed_schedules`: write the table of periodic tasks to beat's tables."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from pulsequill.schedules import PREFIX, SCHEDULES


class Command(BaseCommand):
    """Idempotent: a second run changes nothing, and a row that an operator switched off stays off."""

    help = "Write pulsequill.schedules to the database that Celery beat reads."
    requires_system_checks: list[str] = []

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Make or mend our rows and remove those that are no longer in the table."""
        known = {row.name: row for row in PeriodicTask.objects.select_related("interval")}
        for schedule in SCHEDULES:
            name = PREFIX + schedule.name
            wanted = {"task": schedule.task, "queue": schedule.queue, "expire_seconds": max(schedule.every_s, 60)}
            row = known.pop(name, None)
            has_period = row is not None and row.interval is not None and row.interval.every == schedule.every_s
            if has_period and all(getattr(row, field) == value for field, value in wanted.items()):
                continue
            interval, _made = IntervalSchedule.objects.get_or_create(
                every=schedule.every_s, period=IntervalSchedule.SECONDS
            )
            PeriodicTask.objects.update_or_create(name=name, defaults={**wanted, "interval": interval})
        gone = [row.pk for name, row in known.items() if name.startswith(PREFIX)]
        if gone:
            PeriodicTask.objects.filter(pk__in=gone).delete()
        self.stdout.write(f"{len(SCHEDULES)} periodic tasks are scheduled.")
