"""`manage.py ai_eval`: write drafts for the golden briefs and judge them.

Without a choice the engine that is configured writes them: templates where there is no key. `--replay` plays scripted
answers of a model, good and faulty ones, through the whole AI path; `--live` insists on a provider.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import replace
from io import StringIO
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.test.utils import override_settings
from rich.console import Console
from rich.table import Table

from aiwriter.evals.golden_briefs import GoldenBrief, Verdict, evaluate, golden_briefs
from aiwriter.evals.replay import replaying
from aiwriter.gateway.keys import installation_providers


def _replayed(brief: GoldenBrief) -> Verdict:
    """Judge one brief with scripted answers; nothing that they say is cached, and their cost means nothing."""
    with (
        replaying(brief) as (playback, base_url),
        override_settings(
            OPENAI_API_KEY="replay", OPENAI_BASE_URL=base_url, OPENAI_MODEL="", ANTHROPIC_API_KEY="", EMBEDDER="lexical"
        ),
    ):
        verdict = evaluate(brief)
    found = (*verdict.problems, *playback.problems(verdict.blocked))
    return replace(verdict, model="scripted", cost_micro_usd=0, problems=found)


class Command(BaseCommand):
    """Runs every golden brief through the configured engine; templates where there is no key."""

    help = "Write drafts for the golden briefs and judge them. Ends with 1 when a gate fails. Costs money with keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take names or kinds of briefs, and how to print."""
        parser.add_argument("only", nargs="*", help="Names or kinds of briefs; all of them when none is given.")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--replay", action="store_true", help="Play scripted answers; no key, no cost.")
        how.add_argument("--live", action="store_true", help="Refuse to run without a provider's key. Costs money.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object in place of the table.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run and print.

        Raises:
            CommandError: no such brief, no key for `--live`, or a gate failed.
        """
        only = set(options["only"])
        chosen = [brief for brief in golden_briefs() if not only or {brief.name, brief.kind} & only]
        if not chosen:
            raise CommandError(f"No such brief: {', '.join(sorted(only))}.")
        if options["live"] and not installation_providers():
            raise CommandError("No provider has a key: set OPENAI_API_KEY or ANTHROPIC_API_KEY.")
        verdicts = [_replayed(brief) if options["replay"] else evaluate(brief) for brief in chosen]
        failed = [verdict for verdict in verdicts if not verdict.passed]
        mode = "replay" if options["replay"] else "live" if installation_providers() else "templates"
        if options["json"]:
            report = {"mode": mode, "passed": not failed, "verdicts": [verdict.as_json() for verdict in verdicts]}
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=1))
        else:
            self._print(verdicts, mode)
        if failed:
            raise CommandError(f"{len(failed)} of {len(verdicts)} briefs failed a gate.", returncode=1)

    def _print(self, verdicts: list[Verdict], mode: str) -> None:
        table = Table(title=f"{len(verdicts)} golden briefs, {mode}", title_justify="left")
        for heading in ("Brief", "Kind", "Model"):
            table.add_column(heading)
        for heading in ("Drafts", "Warnings", "No receipt", "Cost $", "Seconds"):
            table.add_column(heading, justify="right")
        table.add_column("Verdict")
        for each in verdicts:
            held_back = f" (held back: {', '.join(each.blocked)})" if each.blocked else ""
            table.add_row(
                each.name, each.kind, each.model, str(each.drafts), str(each.warnings), str(each.unsupported),
                "–" if mode == "replay" else f"{each.cost_micro_usd / 1_000_000:.4f}", f"{each.seconds:.2f}",
                f"passed{held_back}" if each.passed else "; ".join(each.problems),
            )  # fmt: skip
        printed = StringIO()
        Console(file=printed, width=140, highlight=False).print(table)
        self.stdout.write(printed.getvalue())
