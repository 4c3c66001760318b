"""`manage.py reembed`: give every text its vectors of the embedder that is chosen now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Workspace
from aiwriter.gateway.errors import GatewayError
from aiwriter.retrieval.embedders import UnknownEmbedder
from aiwriter.retrieval.indexing import IndexState, index_workspace
from aiwriter.tasks import index_memory

#: A line of progress after so many texts.
STEP = 25


class Command(BaseCommand):
    """Index exemplars and samples anew; what is done is skipped, so it can be stopped and run again."""

    help = "Give every exemplar and sample its vectors of the chosen embedder; old vectors stay until that is done."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which workspaces, and who does the work."""
        parser.add_argument("--workspace", help="Only this one, by its slug.")
        parser.add_argument("--background", action="store_true", help="Hand it to the ai worker and return.")

    def handle(self, *_args: Any, workspace: str | None, background: bool, **_options: Any) -> None:
        """Go through the workspaces; one that cannot be finished does not stop the others."""
        rows = Workspace.objects.order_by("slug")
        if workspace:
            rows = rows.filter(slug=workspace)
            if not rows.exists():
                raise CommandError(f"There is no workspace {workspace}.")
        unfinished = 0
        for row in rows:
            if background:
                index_memory.delay(workspace_id=str(row.pk))
                self.stdout.write(f"{row.slug}: handed to the ai worker")
                continue
            unfinished += not self._index(row)
        if unfinished:
            raise CommandError(f"{unfinished} not finished. Run it again: what is done stays done.")

    def _index(self, workspace: Workspace) -> bool:
        def tell(state: IndexState) -> None:
            if state.done % STEP == 0 and not state.is_complete:
                self.stdout.write(f"{workspace.slug}: {state.done} of {state.total}")

        try:
            state = index_workspace(workspace.pk, progress=tell)
        except (GatewayError, UnknownEmbedder) as error:
            self.stderr.write(f"{workspace.slug}: stopped. {error}")
            return False
        self.stdout.write(f"{workspace.slug}: {state.done} of {state.total} texts by {state.embedder}")
        return state.is_complete
