"""`manage.py demo`: the main job in the terminal, against the running instance's own addresses."""

from __future__ import annotations

import sys
from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from pulsequill.walkthrough.client import Client, Failed
from pulsequill.walkthrough.job import Job

FEWEST_READERS = 24
FRAMES_SHOWN = 6


class Command(BaseCommand):
    """Exit code 0 when every figure agrees with what readers did, 1 when any does not or a step fails."""

    help = "Walk through the main job against a running instance and check every figure."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """`--url` names another instance, `--readers` how many contacts are imported."""
        parser.add_argument("--url", default=f"http://localhost:{settings.PORT}", help="The instance's address.")
        parser.add_argument("--readers", type=int, default=60, help=f"Contacts to import, at least {FEWEST_READERS}.")

    def handle(self, *args: Any, url: str, readers: int, **options: Any) -> None:
        """Do the job, then print drafts, frames and figures."""
        console = Console(file=cast(IO[str], self.stdout._out), highlight=False, soft_wrap=True)
        job = Job(Client(url), max(readers, FEWEST_READERS))
        try:
            self._walk(job, console)
        except Failed as failure:
            console.print(f"[red]✗ {failure}[/]")
            sys.exit(1)
        self._show(job, console)
        if wrong := job.disagreements():
            console.print(f"[red]✗ These figures disagree: {', '.join(wrong)}.[/]")
            sys.exit(1)
        console.print(f"[green]✓ Every figure agrees.[/] See it: {url}/campaigns/{job.campaign['id']}/live")

    def _walk(self, job: Job, console: Console) -> None:
        steps = list(job.steps())
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=len(steps))
            for name, do in steps:
                progress.update(task, description=name)
                outcome = do()
                progress.console.print(f"[green]✓[/] {name} [dim]{outcome}[/]")
                progress.advance(task)

    def _show(self, job: Job, console: Console) -> None:
        console.print("\n[bold]Drafts[/]")
        for subject in job.subjects:
            console.print(f"  {subject}")
        totals = [frame for frame in job.frames if frame.get("type") == "totals"]
        console.print(f"\n[bold]Frames[/] [dim]({len(totals)} with totals; the last of them)[/]")
        for frame in totals[-FRAMES_SHOWN:]:
            shown = {
                name: frame["totals"].get(name) for name in ("sent", "unique_opens", "unique_clicks", "unsubscribed")
            }
            console.print(f"  #{frame['seq']}  " + "  ".join(f"{name} {count}" for name, count in shown.items()))
        table = Table("Figure", "Expected", "API", "Live socket", title="Figures", title_justify="left")
        wrong = job.disagreements()
        for name, count in job.expected.items():
            style = "red" if name in wrong else ""
            table.add_row(name, str(count), str(job.stats.get(name)), str(job.live.get(name)), style=style)
        console.print()
        console.print(table)
