"""Reports across campaigns: of a time, side by side, cohorts, engagement; and their tables as files."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.http import Http404, HttpRequest, HttpResponseBase, QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from analytics.exporting import choose_table, table_file
from analytics.reports.answering import answer
from analytics.reports.query import FEWEST, KINDS, MOST, RANGES, ReportQuery, read_query
from analytics.selectors.reports import list_comparable
from pulsequill.core.errors import Invalid

RANGE_WORDS = {"7d": "7 days", "30d": "30 days", "90d": "90 days", "12m": "12 months"}
#: The tabs of the section: name of the route, words.
TABS = (
    ("reports", "Overview"), ("report_comparison", "Compare"), ("report_cohorts", "Cohorts"),
    ("report_engagement", "Engagement"), ("goals", "Goals"), ("kept_reports", "Kept reports"),
    ("rules", "Human or machine"),
)  # fmt: skip
#: Kind of a report -> the route of its page.
PAGES = {
    "overview": "reports", "comparison": "report_comparison", "cohorts": "report_cohorts",
    "engagement": "report_engagement",
}  # fmt: skip


def tabs(current: str) -> list[tuple[str, str, bool]]:
    """Return the tabs: address, words, whether it is the page's own."""
    return [(reverse(f"analytics:{name}"), words, name == current) for name, words in TABS]


def read_address(given: QueryDict, kind: str) -> ReportQuery:
    """Return the question of a page's address.

    Raises:
        Invalid: something in it is not possible.
    """
    return read_query(given.dict(), kind=kind, campaigns=given.getlist("campaign"))


class ReportPage(WorkspaceTemplatePage):
    """One kind of report; a question that is not possible is answered by its default, with the reason."""

    permission: ClassVar[str] = "report.view"
    template_name = "analytics/reports.html"
    nav = "analytics"
    kind: ClassVar[str] = "overview"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Ask."""
        problem = ""
        try:
            query = read_address(self.request.GET, self.kind)
        except Invalid as error:
            query, problem = ReportQuery(kind=self.kind), error.detail
        choices = list_comparable(self.workspace) if self.kind == "comparison" else []
        if self.kind == "comparison" and query.campaigns and not FEWEST <= len(query.campaigns) <= MOST:
            query, problem = ReportQuery(kind=self.kind), f"Choose {FEWEST} to {MOST} campaigns."
        found = answer(self.workspace, query, now=timezone.now())
        return super().get_context_data(
            answer=found,
            query=query,
            problem=problem,
            stored_json=json.dumps(query.stored()),
            tabs=tabs(PAGES[self.kind]),
            ranges=[(name, RANGE_WORDS[name], query.address(range=name)) for name in RANGES],
            toggled=query.address(has_previous=not query.has_previous),
            export=f"{reverse('analytics:report_export', args=[self.kind])}?{query.address()}",
            choices=choices,
            chosen=set(query.campaigns) or {row["id"] for row in found.tables[0].rows if "id" in row},
            time_zone=self.workspace.time_zone,
            **kwargs,
        )


class ComparisonPage(ReportPage):
    """Campaigns side by side."""

    kind = "comparison"


class CohortsPage(ReportPage):
    """Cohorts of new contacts."""

    kind = "cohorts"


class EngagementPage(ReportPage):
    """How engagement fades."""

    kind = "engagement"


class ReportExport(WorkspacePage):
    """One table of a report as a file: `?table=lists&as=csv`."""

    permission: ClassVar[str] = "report.view"

    def get(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Send it."""
        if kind not in KINDS:
            raise Http404
        found = answer(self.workspace, read_address(request.GET, kind), now=timezone.now())
        return table_file(choose_table(found, request.GET.get("table", "")), request.GET.get("as", "csv"))
