"""What the writer remembers: texts that worked, what is like them, and forgetting one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter.models import Exemplar
from aiwriter.retrieval.embedders import UnknownEmbedder
from aiwriter.retrieval.indexing import index_state
from aiwriter.retrieval.likeness import like_text
from aiwriter.retrieval.store import Similar, similar_to
from aiwriter.services.exemplars import forget_exemplar, refresh_memory
from pulsequill.core.errors import NotFound
from pulsequill.core.keyset import paginate

PER_PAGE = 20
LONGEST_QUESTION = 2000


class MemoryPage(WorkspaceTemplatePage):
    """Every exemplar with why it is one; nearest ones to a text, or to one of them."""

    permission = "draft.view"
    nav = "ai"
    template_name = "aiwriter/memory.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the exemplars, how far they are indexed, and what is like what was asked for."""
        asked, like = self.request.GET.get("text", "").strip()[:LONGEST_QUESTION], self.request.GET.get("like", "")
        rows = Exemplar.objects.for_workspace(self.workspace).order_by("-created_at")
        page = paginate(rows, query=self.request.GET, address=self.request.path, limit=PER_PAGE)
        try:
            state = index_state(self.workspace.pk)
        except UnknownEmbedder as error:
            state, problem = None, str(error)
        else:
            problem = ""
        origin, found = self._found(asked, like)
        return super().get_context_data(
            page=page, state=state, problem=problem, asked=asked, origin=origin, found=found, **kwargs
        )

    def _found(self, asked: str, like: str) -> tuple[Exemplar | None, list[Similar] | None]:
        """Return the exemplar that was asked about, and what is like it or the text; None when nothing was asked."""
        if like:
            origin = get_exemplar(self.workspace, like)
            return origin, similar_to(origin)
        return None, like_text(asked, workspace_id=self.workspace.pk) if asked else None


def get_exemplar(workspace: Any, exemplar_id: UUID | str) -> Exemplar:
    """Return one exemplar.

    Raises:
        NotFound: there is none of that id in this workspace.
    """
    try:
        found = Exemplar.objects.for_workspace(workspace).filter(pk=UUID(str(exemplar_id))).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound
    return found


class MemoryForget(WorkspacePage):
    """Forget an exemplar."""

    permission = "draft.edit"

    def post(self, request: HttpRequest, exemplar_id: UUID) -> HttpResponseBase:
        """Forget it and go back."""
        forget_exemplar(exemplar=get_exemplar(self.workspace, exemplar_id), actor=self.user)
        messages.success(request, "Forgotten. New drafts are written without it.")
        return redirect("aiwriter:memory")


class MemoryRefresh(WorkspacePage):
    """Bring the vectors up to date."""

    permission = "draft.edit"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Ask the ai worker and go back."""
        refresh_memory(workspace=self.workspace)
        messages.success(request, "The memory is being indexed. What is there is searched meanwhile.")
        return redirect("aiwriter:memory")
