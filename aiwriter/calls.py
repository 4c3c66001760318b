"""The audit trail: every call to a provider, found again by month, model, end, person or words, and as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db.models import Q, QuerySet

from aiwriter.models import GenerationStep
from aiwriter.models.generation_step import HAS_FAILED, UNDER_WAY
from aiwriter.models.provider_key import PROVIDER_NAMES
from aiwriter.usage import next_month, parse_month
from pulsequill.core.csv_file import csv_lines
from pulsequill.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from accounts.models import Workspace

ROWS_PER_READ = 1000
LONGEST_WORD = 120
#: Ends that are not error classes.
ENDS = {"ok": "Answered", "failed": "Failed, whatever the reason", UNDER_WAY: "Under way"}
CSV_HEADER = (
    "at", "generation", "kind", "person", "role", "task", "provider", "model_requested", "model_served",
    "fallback_from", "prompt", "prompt_sha256", "attempt", "input_tokens", "output_tokens", "cached_tokens",
    "usage_source", "cost_micro_usd", "price", "latency_ms", "first_token_ms", "finish_reason", "error", "cache_hit",
    "provider_request_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls somebody wants to see; an empty field asks for nothing. Wrong values find nothing."""

    month: str = ""
    provider: str = ""
    model: str = ""
    role: str = ""
    end: str = ""
    cached: str = ""
    person: str = ""
    generation: str = ""
    q: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Return the filter of an address."""
        given = {f.name: query.get(f.name, "").replace("\0", "").strip()[:LONGEST_WORD] for f in fields(cls)}
        return cls(**given)

    @property
    def is_narrow(self) -> bool:
        """Whether it asks for anything."""
        return any(asdict(self).values())


def find_calls(workspace: Workspace, wanted: CallFilter) -> QuerySet[GenerationStep]:
    """Return a workspace's calls without their texts; `q` looks at prompt, task, request id, error and generation."""
    rows = GenerationStep.objects.for_workspace(workspace).defer("output_text")
    rows = rows.select_related("generation__created_by", "price")
    exact = {"provider": wanted.provider, "role": wanted.role}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if wanted.month:
        try:
            since = parse_month(wanted.month)
        except Invalid:
            return rows.none()
        rows = rows.filter(created_at__gte=since, created_at__lt=next_month(since))
    if wanted.model:
        rows = rows.filter(Q(model_requested=wanted.model) | Q(model_served=wanted.model))
    if wanted.end:
        ends = {"ok": Q(error_class=""), "failed": HAS_FAILED}
        rows = rows.filter(ends.get(wanted.end, Q(error_class=wanted.end)))
    if wanted.cached in ("yes", "no"):
        rows = rows.filter(is_cache_hit=wanted.cached == "yes")
    for name, value in (("generation_id", wanted.generation), ("generation__created_by_id", wanted.person)):
        if value:
            rows = rows.filter(**{name: key}) if (key := _uuid(value)) else rows.none()
    return _said(rows, wanted.q)


def _said(rows: QuerySet[GenerationStep], text: str) -> QuerySet[GenerationStep]:
    if not text:
        return rows
    if key := _uuid(text):
        return rows.filter(Q(generation_id=key) | Q(pk=key))
    places = ("prompt_id", "task", "provider_request_id", "error_class", "model_requested", "model_served")
    anywhere = Q(prompt_sha256__startswith=text.lower()) | Q(request_sha256__startswith=text.lower())
    for place in places:
        anywhere |= Q(**{f"{place}__icontains": text})
    return rows.filter(anywhere)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def list_choices(workspace: Workspace) -> dict[str, list[tuple[str, str]]]:
    """Return what there is to choose from, as value and words: providers, models, roles, error classes, people."""
    rows = GenerationStep.objects.for_workspace(workspace).order_by()
    seen = list(rows.values_list("provider", "model_requested", "role", "error_class").distinct())
    people = rows.exclude(generation__created_by=None).values_list(
        "generation__created_by_id", "generation__created_by__name", "generation__created_by__email"
    )

    def column(number: int) -> list[tuple[str, str]]:
        return [(value, value) for value in sorted({row[number] for row in seen} - {""})]

    return {
        "provider": [(value, PROVIDER_NAMES.get(value, value)) for value, _ in column(0)],
        "model": column(1),
        "role": column(2),
        "end": [*ENDS.items(), *((value, value.replace("_", " ")) for value, _ in column(3) if value not in ENDS)],
        "person": sorted(((str(pk), name or email) for pk, name, email in people.distinct()), key=lambda row: row[1]),
    }


def get_call(workspace: Workspace, call_id: UUID) -> GenerationStep:
    """Return one call with its generation, person and price.

    Raises:
        NotFound: there is none of this id in this workspace.
    """
    rows = GenerationStep.objects.for_workspace(workspace).select_related("generation__created_by", "price")
    call = rows.filter(pk=call_id).first()
    if call is None:
        raise NotFound
    return call


def calls_csv(rows: QuerySet[GenerationStep]) -> Iterator[str]:
    """Yield calls as lines of CSV, the newest first, without texts; memory does not grow with their number."""
    return csv_lines(CSV_HEADER, _cells(rows))


def _cells(rows: QuerySet[GenerationStep]) -> Iterator[list[object]]:
    ordered = rows.order_by("-created_at", "-pk")
    batch = list(ordered[:ROWS_PER_READ])
    while batch:
        for call in batch:
            yield [
                call.created_at.isoformat(timespec="milliseconds"), call.generation_id, call.generation.kind,
                call.generation.created_by or "", call.role, call.task, call.provider, call.model_requested,
                call.model_served, call.fallback_from, call.prompt_id, call.prompt_sha256, call.attempt,
                call.input_tokens, call.output_tokens, call.cached_tokens, call.usage_source, call.cost_micro_usd,
                call.price or "", call.latency_ms, call.first_token_ms, call.finish_reason, call.error_class,
                call.is_cache_hit, call.provider_request_id,
            ]  # fmt: skip
        last = batch[-1]
        older = Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk)
        batch = list(ordered.filter(older)[:ROWS_PER_READ])
