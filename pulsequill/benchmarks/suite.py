"""The benchmarks, by the name they are called with."""

from __future__ import annotations

from pulsequill.benchmarks import (
    ai_overhead,
    composing,
    crash,
    experiments,
    guardrails,
    imports,
    memory,
    pages,
    planning,
    relays,
    sending,
    tracking,
)

BENCHMARKS = {
    "imports": imports.BENCHMARK,
    "planning": planning.BENCHMARK,
    "compose": composing.CHEVRON,
    "compose_django": composing.DJANGO,
    "capture": sending.CAPTURE,
    "smtp": sending.SMTP,
    "smtp_django": sending.DJANGO,
    "two_workers": sending.WORKERS_FAST,
    "two_workers_slow": sending.WORKERS_SLOW,
    "memory": memory.BENCHMARK,
    "slow_relay": relays.SLOW,
    "hand_over": relays.HAND_OVER,
    "crash": crash.BENCHMARK,
    "tracking": tracking.BENCHMARK,
    "pages": pages.BENCHMARK,
    "ai_call": ai_overhead.CALL,
    "ai_first_token": ai_overhead.FIRST_TOKEN,
    "experiment_errors": experiments.ERRORS,
    "experiment_power": experiments.POWERS,
    "guardrails": guardrails.BENCHMARK,
}
