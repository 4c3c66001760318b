"""Reads of kept reports and of goals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet, Sum

from accounts.models import Membership
from analytics.models import ConversionStats, Goal, GoalDay, Report, ReportMail, ReportRecipient, ReportShare
from campaigns.models import Campaign
from pulsequill.core.errors import NotFound

LATEST_MAILS = 20


def list_reports(workspace: Any) -> QuerySet[Report]:
    """Return the kept reports by name, with their schedule and how many links work."""
    return (
        Report.objects.for_workspace(workspace)
        .select_related("schedule", "created_by")
        .annotate(links=Count("shares", filter=Q(shares__revoked_at=None), distinct=True))
        .order_by("name", "pk")
    )


def get_report(workspace: Any, report_id: UUID) -> Report:
    """Return a kept report.

    Raises:
        NotFound: there is none, or it is another workspace's.
    """
    report = (
        Report.objects.for_workspace(workspace).select_related("schedule", "workspace").filter(pk=report_id).first()
    )
    if report is None:
        raise NotFound
    return report


def list_shares(report: Report) -> QuerySet[ReportShare]:
    """Return the links to a report, the newest first."""
    return (
        ReportShare.objects.for_workspace(report.workspace_id)
        .filter(report=report)
        .select_related("created_by")
        .order_by("-created_at", "-pk")
    )


def get_share(workspace: Any, share_id: UUID, *, report_id: UUID | None = None) -> ReportShare:
    """Return one link.

    Raises:
        NotFound: there is none, or it is another workspace's or another report's.
    """
    shares = ReportShare.objects.for_workspace(workspace).select_related("report", "workspace")
    share = shares.filter(pk=share_id, **({"report_id": report_id} if report_id else {})).first()
    if share is None:
        raise NotFound
    return share


def list_recipients(report: Report) -> list[ReportRecipient]:
    """Return who gets a report by mail, each with their latest mail as `latest`."""
    rows = (
        ReportRecipient.objects.for_workspace(report.workspace_id)
        .filter(schedule__report=report)
        .select_related("user")
        .prefetch_related(
            Prefetch("mails", queryset=ReportMail.objects.for_workspace(report.workspace_id).order_by("-slot_at"))
        )
        .order_by("email")
    )
    found = list(rows)
    for recipient in found:
        recipient.latest = next(iter(recipient.mails.all()), None)  # type: ignore[attr-defined]
    return found


def list_members(workspace: Any) -> QuerySet[Membership]:
    """Return the people of a workspace by name."""
    return Membership.objects.for_workspace(workspace).select_related("user").order_by("user__name", "user__email")


def list_comparable(workspace: Any, *, limit: int = 60) -> list[Campaign]:
    """Return the latest campaigns that were launched, to choose from."""
    launched = Campaign.objects.for_workspace(workspace).filter(launched_at__isnull=False)
    return list(launched.only("id", "name", "launched_at").order_by("-launched_at", "-id")[:limit])


def list_goals(workspace: Any) -> list[dict[str, Any]]:
    """Return the goals with their counts: `reached` messages, and `times` and `revenue` whoever they are owed to."""
    goals = Goal.objects.for_workspace(workspace).order_by("name", "pk")
    found: dict[Any, dict[str, Any]] = {
        goal.pk: {"goal": goal, "reached": 0, "times": 0, "owed": 0, "revenue": {}} for goal in goals
    }
    if found:
        stats = ConversionStats.objects.filter(goal_id__in=found).values_list("goal_id").annotate(n=Sum("messages"))
        for goal_id, messages in stats:
            found[goal_id]["reached"] = messages
        days = (
            GoalDay.objects.for_workspace(workspace)
            .values_list("goal_id", "currency")
            .annotate(all_times=Sum("times"), all_owed=Sum("owed_times"), all_value=Sum("value"))
        )
        for goal_id, currency, times, owed, value in days:
            found[goal_id]["times"] += times
            found[goal_id]["owed"] += owed
            if currency:
                found[goal_id]["revenue"][currency] = value
    return list(found.values())


def get_goal(workspace: Any, goal_id: UUID) -> Goal:
    """Return one goal.

    Raises:
        NotFound: there is none, or it is another workspace's.
    """
    goal = Goal.objects.for_workspace(workspace).filter(pk=goal_id).first()
    if goal is None:
        raise NotFound
    return goal
