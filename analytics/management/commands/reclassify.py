"""`manage.py reclassify <workspace>`: runs the rules about machines again, here and now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Workspace
from analytics.ingest import rule_runs
from analytics.services.reclassifying import start_rule_run
from pulsequill.core.errors import DomainError


class Command(BaseCommand):
    """Shows what would change; `--apply` changes it."""

    help = "Judge all kept opens and clicks of a workspace again by the rules of today."

    def add_arguments(self, parser: CommandParser) -> None:
        """The workspace by its short name."""
        parser.add_argument("workspace", help="The workspace's short name (slug).")
        parser.add_argument("--apply", action="store_true", help="Change classes and figures.")

    def handle(self, *args: Any, workspace: str, apply: bool, **options: Any) -> None:
        """Run it to its end and say what changed."""
        found = Workspace.objects.filter(slug=workspace).first()
        if found is None:
            raise CommandError(f"There is no workspace {workspace}.")
        try:
            run = start_rule_run(workspace=found, actor=None, is_dry_run=not apply)
        except DomainError as error:
            raise CommandError(error.detail) from error
        while not rule_runs.proceed(run.pk, seconds=10):
            run.refresh_from_db()
            self.stdout.write(f"{run.share_done:.0%}")
        run.refresh_from_db()
        verb = "changed" if apply else "would change"
        self.stdout.write(f"{run.changed:,} of {run.hits:,} hits of {run.messages:,} messages {verb}.")
        for campaign, before in run.before.items():
            after = run.after[campaign]
            figures = ", ".join(
                f"{name} {before[name]:,} > {after[name]:,}" for name in before if before[name] != after[name]
            )
            self.stdout.write(f"{campaign}: {figures}")
