"""The audit trail as pages: every call to a provider, one of them in full, and all of them as a file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter.calls import CallFilter, calls_csv, find_calls, get_call, list_choices
from aiwriter.models import GenerationStep
from aiwriter.models.model_price import dollars
from pulsequill.core.csv_file import csv_response
from pulsequill.core.keyset import paginate

PER_PAGE = 50
#: Who may read what a model answered: the same people who may read the activity log.
TEXTS = "activity.view"
#: The selects of the page: name in the address, words for people, words for no choice.
SELECTS = (
    ("model", "Model", "Every model"),
    ("role", "Role", "Every role"),
    ("end", "End", "Every end"),
    ("person", "Person", "Everybody"),
)


class CallListPage(WorkspaceTemplatePage):
    """Every call, narrowed by what the address asks for."""

    permission = "draft.view"
    nav = "ai"
    template_name = "aiwriter/calls.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the filter with its choices and a page of rows."""
        wanted = CallFilter.read(self.request.GET)
        page = paginate(
            find_calls(self.workspace, wanted), query=self.request.GET, address=self.request.path, limit=PER_PAGE
        )
        choices = list_choices(self.workspace)
        kept = self.request.GET.copy()
        kept.pop("cursor", None)
        return super().get_context_data(
            wanted=wanted,
            page=page,
            has_any=bool(choices["provider"]),
            providers=choices["provider"],
            selects=[
                (name, label, nothing, getattr(wanted, name), choices[name])
                for name, label, nothing in SELECTS
                if len(choices[name]) > 1
            ],
            keep=kept.urlencode(),
            **kwargs,
        )


class CallExport(WorkspacePage):
    """The trail as a file, filtered as the page is."""

    permission = "draft.view"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Stream the file."""
        rows = find_calls(self.workspace, CallFilter.read(request.GET))
        return csv_response(calls_csv(rows), f"ai-calls-{self.workspace.slug}.csv")


class CallPage(WorkspaceTemplatePage):
    """One call in full."""

    permission = "draft.view"
    nav = "ai"
    template_name = "aiwriter/call.html"

    def get(self, request: HttpRequest, *args: Any, call_id: UUID, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Show it; the answer's text only to those who may read it."""
        call = get_call(self.workspace, call_id)
        return self.render_to_response(
            self.get_context_data(
                call=call, facts=_facts(call), may_read=role_allows(self.membership.role, TEXTS), **kwargs
            )
        )


def _facts(call: GenerationStep) -> list[tuple[str, list[tuple[str, object]]]]:
    """What is known about a call, as groups of label and value; empty values are left out."""
    price = call.price
    per_million = f"{dollars(price.input_price)} / {dollars(price.output_price)}" if price else ""
    groups: list[tuple[str, list[tuple[str, object]]]] = [
        (
            "Model",
            [
                ("Asked for", call.model_requested),
                ("Served by", call.model_served),
                ("Instead of", call.fallback_from),
                ("Provider", call.provider),
                ("Provider’s request id", call.provider_request_id),
                ("Try", call.attempt if call.attempt > 1 else ""),
                ("From the cache", "yes, it cost nothing" if call.is_cache_hit else ""),
            ],
        ),
        (
            "Money",
            [
                ("Cost", call.cost_label),
                ("Tokens in", f"{call.input_tokens:,}"),
                ("of them cached", f"{call.cached_tokens:,}" if call.cached_tokens else ""),
                ("Tokens out", f"{call.output_tokens:,}"),
                ("Counted by", call.get_usage_source_display()),
                ("Price row", f"{price} (no. {price.pk})" if price else ""),
                ("Price of a million, in / out", per_million),
            ],
        ),
        (
            "Time and end",
            [
                ("First text after", f"{call.first_token_ms:,} ms" if call.first_token_ms is not None else ""),
                ("Complete after", f"{call.latency_ms:,} ms"),
                ("Finish reason", call.finish_reason),
                ("Error", call.error_class),
            ],
        ),
        (
            "Prompt",
            [
                ("Version", call.prompt_id),
                ("SHA-256", call.prompt_sha256),
                ("Request’s SHA-256", call.request_sha256),
                *((name.replace("_", " ").capitalize(), value) for name, value in sorted(call.params.items())),
            ],
        ),
    ]
    return [
        (title, [(name, value) for name, value in rows if value not in ("", None)])
        for title, rows in groups
    ]  # fmt: skip
