"""`manage.py prepare`: bring a database up to date, whatever state it is in."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from pulsequill.env import value


class Command(BaseCommand):
    """Migrations, beat's table, and the demo workspace when it is wanted and was never made. Idempotent."""

    help = "Migrate, schedule the periodic tasks and, on a first start, make the demo workspace."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is missing; each step does nothing when there is nothing to do."""
        settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
        if not settings.IS_LOCAL_RUN and os.access(settings.STATIC_ROOT.parent, os.W_OK):  # an image brings its own
            call_command("collectstatic", interactive=False, verbosity=0)
        call_command("migrate", interactive=False, verbosity=1)
        call_command("seed_schedules")
        if value("SEED_DEMO"):
            call_command("seed_demo", once=True)
