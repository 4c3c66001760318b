"""The brand's knowledge: list, add, change, expire and remove facts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter.forms import FactForm
from aiwriter.models import BrandFact
from aiwriter.selectors import get_fact, list_facts, list_true_facts
from aiwriter.services.facts import delete_fact, save_fact
from pulsequill.core.errors import Invalid


class _FactForms(WorkspaceTemplatePage):
    """A page with the form of a fact."""

    permission = "draft.view"
    permission_by_method = {"POST": "draft.edit"}
    nav = "ai"

    def save(self, request: HttpRequest, fact: BrandFact | None) -> HttpResponseBase:
        """Store what was typed, or show what is wrong with it."""
        form = FactForm(request.POST)
        if form.is_valid():
            try:
                save_fact(workspace=self.workspace, actor=self.user, fact=fact, **form.cleaned_data)
            except Invalid as refusal:
                form.add_error("text", refusal.detail)
            else:
                messages.success(request, "Fact saved.")
                return redirect("aiwriter:facts")
        return self.render_to_response(self.get_context_data(form=form, fact=fact), status=400)


class FactsPage(_FactForms):
    """All facts, and a form for the next."""

    template_name = "aiwriter/facts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the facts and which of them are true today."""
        true_today = set(list_true_facts(self.workspace).values_list("pk", flat=True))
        rows = [(fact, fact.pk in true_today) for fact in list_facts(self.workspace)]
        return super().get_context_data(**{"form": FactForm(initial={"is_active": True}), "rows": rows, **kwargs})

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Add one."""
        return self.save(request, None)


class FactPage(_FactForms):
    """One fact."""

    template_name = "aiwriter/fact.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Show the form."""
        fact = get_fact(self.workspace, kwargs["fact_id"])
        return self.render_to_response(self.get_context_data(form=FactForm.of(fact), fact=fact))

    def post(self, request: HttpRequest, fact_id: UUID) -> HttpResponseBase:
        """Change it."""
        return self.save(request, get_fact(self.workspace, fact_id))


class FactDelete(WorkspacePage):
    """Remove a fact."""

    permission = "draft.edit"

    def post(self, request: HttpRequest, fact_id: UUID) -> HttpResponseBase:
        """Remove it and go back."""
        delete_fact(fact=get_fact(self.workspace, fact_id), actor=self.user)
        messages.success(request, "Fact removed.")
        return redirect("aiwriter:facts")
