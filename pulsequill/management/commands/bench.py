"""`manage.py bench`: measure PulseQuill against its limits and peers, in one run."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from pulsequill.benchmarks.harness import Result, Unavailable, run
from pulsequill.benchmarks.processes import SERVERS
from pulsequill.benchmarks.suite import BENCHMARKS


def _row(result: Result) -> list[str]:
    benchmark = result.benchmark
    verdict = (
        "aim reached" if result.ratio >= benchmark.aim else "above the floor" if result.passed else "BELOW THE FLOOR"
    )
    return [
        benchmark.name,
        f"{result.product:,.0f} {benchmark.unit}",
        f"{result.reference:,.0f} ({benchmark.reference_name})",
        f"{result.ratio:.2f} ({min(result.ratios):.2f} to {max(result.ratios):.2f})",
        f"{benchmark.floor} / {benchmark.aim}",
        "; ".join([verdict, *result.notes]),
    ]


class Command(BaseCommand):
    """Run the benchmarks and print one table; exits 1 when a ratio is below its floor."""

    help = "Measure PulseQuill against its limits and peers."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("only", nargs="*", help=f"Names of benchmarks: {', '.join(BENCHMARKS)}.")
        parser.add_argument("--full", action="store_true", help="The long sizes.")

    def handle(self, *args: Any, only: list[str], full: bool, **options: Any) -> None:
        if unknown := set(only) - set(BENCHMARKS):
            raise CommandError(f"No such benchmark: {', '.join(sorted(unknown))}. There are {', '.join(BENCHMARKS)}.")
        call_command("migrate", interactive=False, verbosity=0)
        console = Console()
        table = Table("Benchmark", "PulseQuill", "Reference", "Ratio", "Floor / aim", "Verdict")
        failed = []
        with SERVERS:
            for name in only or BENCHMARKS:
                console.print(f"measuring {name} ...")
                try:
                    result = run(BENCHMARKS[name], is_full=full)
                except Unavailable as missing:
                    console.print(f"skipped {name}: {missing}")
                    continue
                table.add_row(*_row(result))
                if not result.passed:
                    failed.append(name)
        console.print(table)
        if failed:
            raise CommandError(f"Below the floor: {', '.join(failed)}.")
