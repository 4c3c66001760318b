"""Human or machine: the rules, and running them again over what is kept."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.views.access import WorkspaceTemplatePage
from analytics.ingest.bots import RULES_VERSION
from analytics.models import RuleRun
from analytics.selectors.breakdowns import REASON_LABELS
from analytics.services.reclassifying import ACTIVE, start_rule_run
from analytics.views.reports import tabs
from campaigns.models import Campaign

#: Runs that the page lists.
LATEST = 10
#: Figure -> column of the comparison.
WORDS = {
    "unique_opens": "Opened by people",
    "machine_opens": "Opened by machines",
    "unique_clicks": "Clicked by people",
    "machine_clicks": "Clicked by machines",
}


class RulesPage(WorkspaceTemplatePage):
    """What the last run changed or would change, campaign by campaign; both kinds of run start here."""

    permission: ClassVar[str] = "report.view"
    permission_by_method: ClassVar[dict[str, str]] = {"POST": "report.edit"}
    template_name = "analytics/rules.html"
    nav = "analytics"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the latest runs and the comparison of the last one that is over."""
        runs = list(
            RuleRun.objects.for_workspace(self.workspace).select_related("created_by").order_by("-created_at")[:LATEST]
        )
        shown = next((run for run in runs if run.status == RuleRun.Status.DONE), None)
        return super().get_context_data(
            tabs=tabs("rules"),
            version=RULES_VERSION,
            rules=sorted(set(REASON_LABELS.values())),
            runs=runs,
            is_running=any(run.status in ACTIVE for run in runs),
            shown=shown,
            words=WORDS.values(),
            rows=self._compare(shown) if shown else [],
            **kwargs,
        )

    def _compare(self, run: RuleRun) -> list[tuple[str, list[tuple[int, int]]]]:
        """Return the campaigns that change, each with its figures before and after."""
        names = dict(
            Campaign.objects.for_workspace(self.workspace).filter(pk__in=list(run.before)).values_list("pk", "name")
        )
        found = {str(pk): name for pk, name in names.items()}
        return [
            (found[key], [(before[name], run.after[key][name]) for name in WORDS])
            for key, before in run.before.items()
            if key in found
        ]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Start a run."""
        is_dry_run = request.POST.get("do") != "apply"
        start_rule_run(workspace=self.workspace, actor=self.user, is_dry_run=is_dry_run)
        messages.success(request, "The rules are being run. This page shows what comes out.")
        return redirect("analytics:rules")
