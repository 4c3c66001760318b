"""`manage.py serve`: everything under one supervisor.

`manage.py` hands over to `pulsequill.serving` before Django is loaded, because the supervisor must also be able to say
why Django cannot start. This command stands here for `manage.py help` and for `call_command`.
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from pulsequill.serving import main


class Command(BaseCommand):
    """Thin carrier of `pulsequill.serving.main`."""

    help = "Run all of PulseQuill (database, web, workers, beat, event consumer) until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """`--verbose` shows the logs."""
        parser.add_argument("--verbose", action="store_true", help="Show what every process logs.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until asked to stop, then leave with the supervisor's exit code."""
        sys.exit(main(["--verbose"] if options["verbose"] else []))
