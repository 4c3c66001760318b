"""The one door to reports across campaigns: a question in, an answer out; pages, mails, links and `/v1` share it."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Workspace
from analytics.reports.cohorts import get_cohorts
from analytics.reports.comparison import get_comparison
from analytics.reports.decay import get_engagement
from analytics.reports.overview import get_overview
from analytics.reports.query import ReportQuery
from analytics.reports.table import Answer
from campaigns.windows import zone_of


def answer(workspace: Workspace, query: ReportQuery, *, now: datetime) -> Answer:
    """Return a report of a workspace as its figures are now."""
    zone = zone_of(workspace.time_zone)
    match query.kind:
        case "comparison":
            return get_comparison(workspace, query, now=now, zone=zone)
        case "cohorts":
            return get_cohorts(workspace, now=now, zone=zone)
        case "engagement":
            return get_engagement(workspace, query, now=now, zone=zone)
    return get_overview(workspace, query, now=now, zone=zone)
