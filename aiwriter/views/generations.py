"""A generation: for people as a page, for `pq/aiwriter/drafts` as JSON."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.vary import vary_on_headers

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter.agents.desk import desk_frames
from aiwriter.selectors import generation_json, get_generation
from aiwriter.services.generations import cancel_generation
from pulsequill.core.errors import DomainError


@method_decorator(vary_on_headers("Accept"), name="dispatch")
class GenerationPage(WorkspaceTemplatePage):
    """What was asked, what came of it, and every call that it took."""

    permission = "draft.view"
    nav = "ai"
    template_name = "aiwriter/generation.html"

    def get(self, request: HttpRequest, *_args: Any, generation_id: UUID, **kwargs: Any) -> HttpResponseBase:
        """Render the page, or answer JSON to a script."""
        generation = get_generation(self.workspace, generation_id)
        if "application/json" in request.headers.get("Accept", ""):
            return JsonResponse({**generation_json(generation), "desk": desk_frames(generation)})
        desk = desk_frames(generation)
        return self.render_to_response(self.get_context_data(generation=generation, desk=desk, **kwargs))


class CancelPage(WorkspacePage):
    """Stop a generation."""

    permission = "draft.edit"

    def post(self, _request: HttpRequest, generation_id: UUID) -> HttpResponseBase:
        """Ask it to stop; the end arrives by the stream."""
        generation = get_generation(self.workspace, generation_id)
        try:
            cancel_generation(generation=generation, actor=self.user)
        except DomainError as error:
            return JsonResponse({"detail": error.detail, "code": error.code}, status=error.status)
        return JsonResponse({"status": generation.status}, status=202)
