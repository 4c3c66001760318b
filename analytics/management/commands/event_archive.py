"""`manage.py event_archive`: what is archived, month by month; moving old events, dropping old months."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.ingest import archive


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise CommandError(f"{text} is not a month; write it like 2026-01.") from error


class Command(BaseCommand):
    """`list`, `move` (what the hourly task does) and `drop --before 2026-01`."""

    help = "List, fill or drop the archive of old events. Figures stay whatever is dropped."

    def add_arguments(self, parser: CommandParser) -> None:
        """One verb."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="Show the months and how many events each holds.")
        verbs.add_parser("move", help="Move what is older than EVENT_RETENTION_DAYS now.")
        drop = verbs.add_parser("drop", help="Drop months for good.")
        drop.add_argument("--before", required=True, metavar="YYYY-MM", help="The first month that stays.")

    def handle(self, *args: Any, verb: str, before: str = "", **options: Any) -> None:
        """Do it and say what was done."""
        if verb == "move":
            move = archive.move_old_events(seconds=float("inf"))
            self.stdout.write(f"{move.events:,} events moved. {move.given_up}".strip())
        elif verb == "drop":
            for month in archive.drop_months(before=_month(before)):
                self.stdout.write(f"{month} dropped: {month.events:,} events.")
        else:
            for month in archive.list_months():
                dropped = f" dropped {month.dropped_at:%Y-%m-%d}" if month.dropped_at else ""
                self.stdout.write(f"{month} {month.events:>12,} events{dropped}")
