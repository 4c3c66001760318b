"""`/ai`: what the writer did, what it cost, and how it sounds."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter.forms import BudgetForm
from aiwriter.gateway.endings import list_endings
from aiwriter.models.model_price import dollars
from aiwriter.selectors import get_budget, list_brand_voices, list_generations, list_provider_keys
from aiwriter.services.money import set_budget
from aiwriter.usage import get_usage
from pulsequill.core.keyset import paginate

PER_PAGE = 20


class StudioPage(WorkspaceTemplatePage):
    """Usage against the budget, providers, brand voices and every generation with its steps."""

    permission = "draft.view"
    nav = "ai"
    template_name = "aiwriter/studio.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather the page; a fixed number of queries whatever the history holds."""
        providers = list_provider_keys(self.workspace)
        rows = list_generations(self.workspace)
        page = paginate(rows, query=self.request.GET, address=self.request.path, limit=PER_PAGE)
        usage = get_usage(self.workspace)
        return super().get_context_data(
            usage=usage,
            endings=list_endings(timezone.now().date()),
            spent=dollars(usage["spent_micro_usd"]),
            cap=dollars(usage["cap_micro_usd"]),
            cost_per_accepted=dollars(usage["cost_per_accepted_micro_usd"] or 0),
            providers=providers,
            is_offline=not any(provider["is_set"] for provider in providers),
            is_offline_allowed=settings.AI_OFFLINE == "allow",
            engine=settings.AI_ENGINE,
            voices=list_brand_voices(self.workspace),
            page=page,
            budget_form=kwargs.pop("budget_form", None) or BudgetForm.of(get_budget(self.workspace)),
            **kwargs,
        )


class BudgetPage(WorkspacePage):
    """Change the monthly budget."""

    permission = "workspace.edit"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Store it and go back."""
        form = BudgetForm(request.POST)
        if form.is_valid():
            set_budget(workspace=self.workspace, actor=self.user, **form.values())
            messages.success(request, "Budget saved.")
        else:
            messages.error(request, "The budget was not saved: give an amount from 0, and a warning from 1 to 100.")
        return redirect("aiwriter:studio")
