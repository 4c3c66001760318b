"""Memory of a sending worker: the same for ten thousand recipients and for a hundred thousand (FULL: a million)."""

from __future__ import annotations

from collections.abc import Callable

from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.sending import SmtpBench

SMALL = 10_000


def _prepare(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    """Each size has a worker that never sent anything else."""
    small = SmtpBench("Memory, small", SMALL)
    large = SmtpBench("Memory, large", 1_000_000 if is_full else 100_000)

    def megabytes(bench: SmtpBench) -> float:
        bench.send(workers=1)
        return bench.memory / 1e6

    return lambda: megabytes(large), lambda: megabytes(small)


BENCHMARK = Benchmark(
    name="Memory of a worker, 10 (FULL: 100) times the recipients",
    unit="MB",
    reference_name=f"{SMALL:,} recipients",
    prepare=_prepare,
    floor=0.9,
    aim=0.95,
    is_lower_better=True,
    is_timed=False,
)
