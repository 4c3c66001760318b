"""How a benchmark is run and judged."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

#: Share of all cores used by processes that are not ours, above which a run is flagged as disturbed.
FOREIGN_CPU_LIMIT = 0.15


class Unavailable(Exception):
    """The reference is not there on this machine; the message says what is missing."""


@dataclass(frozen=True)
class Benchmark:
    """A comparison of two ways to do the same work.

    Attributes:
        name: what is measured.
        unit: of the rates, such as `rows/s`.
        reference_name: the limit or peer.
        prepare: makes the fixtures once and returns the two functions; each does the whole work when called and
            returns its rate in `unit`, having asserted that all of the work was done. Raises `Unavailable` when the
            reference is not installed.
        floor: the ratio product / reference below which the run fails.
        aim: the ratio that we want.
        is_lower_better: the rates are durations (p95 in ms) or sizes: the ratio is then reference / product.
        is_timed: False for what does not vary from run to run, such as memory: measured once, without a warm-up.
    """

    name: str
    unit: str
    reference_name: str
    prepare: Callable[[bool], tuple[Callable[[], float], Callable[[], float]]]
    floor: float
    aim: float
    is_lower_better: bool = False
    is_timed: bool = True


@dataclass
class Result:
    """What was measured: medians, the spread of the ratio, and whether something disturbed the run."""

    benchmark: Benchmark
    product: float
    reference: float
    ratios: list[float]
    foreign_cpu: float
    notes: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the ratios of neighbouring runs."""
        return statistics.median(self.ratios)

    @property
    def passed(self) -> bool:
        """Whether the ratio reaches the floor."""
        return self.ratio >= self.benchmark.floor


class CpuWatch:
    """Measures how much of the machine others used between `start()` and `foreign_share()`."""

    def start(self) -> None:
        """Begin to count."""
        self._total = self._busy_and_total()
        self._own = self._own_seconds()

    def foreign_share(self) -> float:
        """Return the share (0 to 1) of all CPU time that went to processes outside of this one's family."""
        busy_before, total_before = self._total
        busy, total = self._busy_and_total()
        own = self._own_seconds() - self._own
        spent = max(total - total_before, 1e-9)
        return max(0.0, (busy - busy_before - own) / spent)

    @staticmethod
    def _busy_and_total() -> tuple[float, float]:
        times = psutil.cpu_times()
        total = sum(times)
        return total - times.idle - getattr(times, "iowait", 0.0), total

    @staticmethod
    def _own_seconds() -> float:
        seconds = 0.0
        root = psutil.Process().parent() or psutil.Process()  # the embedded services are its children too
        for process in [root, *root.children(recursive=True)]:
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            seconds += times.user + times.system + times.children_user + times.children_system
        return seconds


def run(benchmark: Benchmark, *, is_full: bool, rounds: int = 3) -> Result:
    """Run one benchmark: a warm-up of both sides, then `rounds` pairs.

    Args:
        benchmark: what to measure.
        is_full: the long size instead of the short one.
        rounds: how many A-B pairs; medians are taken over them.

    Raises:
        Unavailable: there is nothing to compare with on this machine.
    """
    product, reference = benchmark.prepare(is_full)
    if benchmark.is_timed:
        product()
        reference()
    else:
        rounds = 1
    watch = CpuWatch()
    watch.start()
    products, references, ratios = [], [], []
    for _ in range(rounds):
        products.append(product())
        references.append(reference())
        ratio = products[-1] / references[-1]
        ratios.append(1 / ratio if benchmark.is_lower_better else ratio)
    foreign = watch.foreign_share()
    notes = [f"{foreign:.0%} of the machine was used by others"] if foreign > FOREIGN_CPU_LIMIT else []
    return Result(benchmark, statistics.median(products), statistics.median(references), ratios, foreign, notes)
