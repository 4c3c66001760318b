"""The benchmarks, by the name they are called with."""

from __future__ import annotations

from pulsequill.benchmarks import crash, imports, pages, relays, sending, tracking

BENCHMARKS = {
    "imports": imports.BENCHMARK,
    "capture": sending.CAPTURE,
    "smtp": sending.SMTP,
    "slow_relay": relays.SLOW,
    "hand_over": relays.HAND_OVER,
    "crash": crash.BENCHMARK,
    "tracking": tracking.BENCHMARK,
    "pages": pages.BENCHMARK,
}
