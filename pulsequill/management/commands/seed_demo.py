"""`manage.py seed_demo`: make or remove the demo workspace."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.models import User
from pulsequill.demo_data.workspace import NAME, make_demo, remove_demo


class Command(BaseCommand):
    """Idempotent: a second run finds the workspace and leaves it as it is."""

    help = f"Make the demo workspace {NAME!r}, or remove it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """`--once` is for the first start of an installation, `--remove` undoes it."""
        parser.add_argument("--once", action="store_true", help="Only into a database that has no people yet.")
        parser.add_argument("--remove", action="store_true", help="Remove the workspace and its people.")

    def handle(self, *args: Any, once: bool, remove: bool, **options: Any) -> None:
        """Do it, and say what was done."""
        if remove:
            self.stdout.write(f"{NAME} was removed." if remove_demo() else f"{NAME} is not here.")
        elif once and User.objects.exists():
            self.stdout.write("There are people here already: no demo workspace is made.")
        else:
            began = time.monotonic()
            make_demo()
            self.stdout.write(f"{NAME} is there ({time.monotonic() - began:.1f} s).")
