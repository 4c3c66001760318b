"""`manage.py ai_eval`: write drafts for the golden briefs and judge them."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from io import StringIO
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from aiwriter.evals.golden_briefs import Verdict, evaluate, golden_briefs


class Command(BaseCommand):
    """Runs every golden brief through the configured engine; templates where there is no key."""

    help = "Write drafts for the golden briefs and judge them. Ends with 1 when a gate fails. Costs money with keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take names or kinds of briefs, and how to print."""
        parser.add_argument("only", nargs="*", help="Names or kinds of briefs; all of them when none is given.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object in place of the table.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run and print.

        Raises:
            CommandError: no such brief, or a gate failed.
        """
        only = set(options["only"])
        chosen = [brief for brief in golden_briefs() if not only or {brief.name, brief.kind} & only]
        if not chosen:
            raise CommandError(f"No such brief: {', '.join(sorted(only))}.")
        verdicts = [evaluate(brief) for brief in chosen]
        failed = [verdict for verdict in verdicts if not verdict.passed]
        if options["json"]:
            report = {"passed": not failed, "verdicts": [verdict.as_json() for verdict in verdicts]}
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=1))
        else:
            self._print(verdicts)
        if failed:
            raise CommandError(f"{len(failed)} of {len(verdicts)} briefs failed a gate.", returncode=1)

    def _print(self, verdicts: list[Verdict]) -> None:
        table = Table(title=f"{len(verdicts)} golden briefs", title_justify="left")
        for heading in ("Brief", "Kind", "Model"):
            table.add_column(heading)
        for heading in ("Drafts", "Warnings", "No receipt", "Cost $", "Seconds"):
            table.add_column(heading, justify="right")
        table.add_column("Verdict")
        for each in verdicts:
            held_back = f" (held back: {', '.join(each.blocked)})" if each.blocked else ""
            table.add_row(
                each.name, each.kind, each.model, str(each.drafts), str(each.warnings), str(each.unsupported),
                f"{each.cost_micro_usd / 1_000_000:.4f}", f"{each.seconds:.2f}",
                f"passed{held_back}" if each.passed else "; ".join(each.problems),
            )  # fmt: skip
        printed = StringIO()
        Console(file=printed, width=140, highlight=False).print(table)
        self.stdout.write(printed.getvalue())
