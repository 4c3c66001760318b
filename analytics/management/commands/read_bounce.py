"""`manage.py read_bounce < mail`: takes one bounce from a mail server's pipe.

Answers with the exit codes of sysexits.h, which Postfix (pipe(8)), Exim and qmail understand: 0 when it is kept, 75
(try again later) when the database is away or anything of ours goes wrong, so that no bounce is lost by our fault.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser

from analytics.ingest.bounce_mail import take_in
from analytics.views.hooks import MOST_BYTES
from pulsequill.core.failures import reason_of

logger = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Which workspace it is about is said by the signed return path, so one pipe serves them all."""

    help = "Read one bounce or complaint from standard input and count it. For a mail server's pipe."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the envelope's recipient."""
        parser.add_argument("recipient", nargs="?", default="", help="Whom the mail's envelope names: ${recipient}.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, keep, and leave with an exit code."""
        raw = sys.stdin.buffer.read(MOST_BYTES)
        if not raw.strip():
            sys.exit(os.EX_NOINPUT)
        try:
            problem = take_in(raw, workspace_id=None, recipient=options["recipient"])
        except Exception as error:  # noqa: BLE001 whatever it is, the mail server tries again
            logger.error("bounce_not_kept", **reason_of(error))
            sys.exit(os.EX_TEMPFAIL)
        if problem:
            self.stderr.write(f"Kept, and nothing was changed. {problem}")
