"""Reports: keep, change and remove."""

from __future__ import annotations

from typing import Any

from accounts.models import User, Workspace
from analytics.models import Report


def save_report(
    *, workspace: Workspace, name: str, query: dict[str, Any], actor: User | None, report: Report | None = None
) -> Report:
    """Keep a question about campaigns under a name, or change one that is kept."""
    if report is None:
        return Report.objects.create(workspace=workspace, name=name, query=query, created_by=actor)
    report.name, report.query = name, query
    report.save(update_fields=["name", "query", "updated_at"])
    return report


def delete_report(*, report: Report) -> None:
    """Remove a kept report with its schedule and its links."""
    report.delete()
