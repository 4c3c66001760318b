"""The benchmarks, by the name they are called with."""

from __future__ import annotations

from pulsequill.benchmarks import imports, pages, sending, tracking

BENCHMARKS = {
    "imports": imports.BENCHMARK,
    "capture": sending.CAPTURE,
    "smtp": sending.SMTP,
    "tracking": tracking.BENCHMARK,
    "pages": pages.BENCHMARK,
}
