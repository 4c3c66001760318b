"""Kept reports: keep, look, mail by the calendar, share by a link."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from analytics import services
from analytics.forms import MailForm
from analytics.models import Report
from analytics.reports.answering import answer
from analytics.reports.calendar import rhythm_of
from analytics.reports.query import KINDS, read_query
from analytics.selectors.reports import (
    get_report,
    get_share,
    list_members,
    list_recipients,
    list_reports,
    list_shares,
)
from analytics.tokens import share_url
from analytics.views.reports import PAGES, tabs
from campaigns.windows import wall_time, zone_of
from pulsequill.core.errors import Invalid

MOST_REPORTS = 200


class KeptReportsPage(WorkspaceTemplatePage):
    """All kept reports."""

    permission: ClassVar[str] = "report.view"
    template_name = "analytics/kept_reports.html"
    nav = "analytics"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read them."""
        rows = []
        for report in list_reports(self.workspace)[:MOST_REPORTS]:
            schedule = getattr(report, "schedule", None)
            kind = KINDS.get(read_query(report.query).kind, "")
            rows.append({"report": report, "kind": kind, "rhythm": rhythm_of(schedule) if schedule else None})
        return super().get_context_data(rows=rows, tabs=tabs("kept_reports"), **kwargs)


class KeepReport(WorkspacePage):
    """Keep the question that a page shows."""

    permission: ClassVar[str] = "report.edit"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Keep it, and show it."""
        name = request.POST.get("name", "").strip()[:120]
        if not name:
            raise Invalid("A report needs a name.")
        try:
            given = json.loads(request.POST.get("query", ""))
        except ValueError as error:
            raise Invalid("This is no question.") from error
        if not isinstance(given, dict):
            raise Invalid("This is no question.")
        report = services.save_report(
            workspace=self.workspace, name=name, query=read_query(given).stored(), actor=self.user
        )
        messages.success(request, f"Kept “{name}”.")
        return redirect("analytics:kept_report", report.pk)


class KeptReportPage(WorkspaceTemplatePage):
    """One kept report with its figures as they are now."""

    permission: ClassVar[str] = "report.view"
    template_name = "analytics/kept_report.html"
    nav = "analytics"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Ask."""
        report = get_report(self.workspace, kwargs["report_id"])
        query = read_query(report.query)
        schedule = getattr(report, "schedule", None)
        zone = zone_of(self.workspace.time_zone)
        return super().get_context_data(
            report=report,
            answer=answer(self.workspace, query, now=timezone.now()),
            export=f"{reverse('analytics:report_export', args=[query.kind])}?{query.address()}",
            page=f"{reverse(f'analytics:{PAGES[query.kind]}')}?{query.address()}",
            schedule=schedule,
            rhythm=rhythm_of(schedule) if schedule else None,
            next_run=wall_time(schedule.next_run_at, zone) if schedule else None,
            recipients=list_recipients(report) if schedule else [],
            shares=list_shares(report),
            now=timezone.now(),
            time_zone=self.workspace.time_zone,
            tabs=tabs("kept_reports"),
            **kwargs,
        )


class DeleteReport(WorkspacePage):
    """Remove a kept report."""

    permission: ClassVar[str] = "report.edit"

    def post(self, request: HttpRequest, report_id: UUID) -> HttpResponseBase:
        """Remove it with its mails and links."""
        report = get_report(self.workspace, report_id)
        services.delete_report(report=report)
        messages.success(request, f"Removed “{report.name}”.")
        return redirect("analytics:kept_reports")


class MailReportPage(WorkspaceTemplatePage):
    """When a report is mailed, and to whom."""

    permission: ClassVar[str] = "report.edit"
    template_name = "analytics/report_mail_form.html"
    nav = "analytics"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Show the form."""
        report = get_report(self.workspace, kwargs["report_id"])
        initial = MailForm.initial_of(getattr(report, "schedule", None), list_recipients(report))
        return self._show(report, MailForm(initial=initial, people=self._people()))

    def post(self, request: HttpRequest, report_id: UUID) -> HttpResponseBase:
        """Save, or mail it no more."""
        report = get_report(self.workspace, report_id)
        if request.POST.get("stop"):
            services.unschedule_report(report=report, actor=self.user)
            messages.success(request, "It is no longer mailed.")
            return redirect("analytics:kept_report", report.pk)
        form = MailForm(request.POST, people=self._people())
        if form.is_valid():
            try:
                services.schedule_report(
                    report=report,
                    actor=self.user,
                    crontab=form.cleaned_data["crontab"],
                    members=form.cleaned_data["members"],
                    emails=form.addresses(),
                )
            except Invalid as error:
                form.refuse(error)
            else:
                messages.success(request, "Saved. It goes out by itself.")
                return redirect("analytics:kept_report", report.pk)
        return self._show(report, form, status=400)

    def _people(self) -> list[tuple[str, str]]:
        return [
            (str(place.user_id), f"{place.user.name or place.user.email}") for place in list_members(self.workspace)
        ]

    def _show(self, report: Report, form: MailForm, *, status: int = 200) -> HttpResponseBase:
        context = self.get_context_data(
            report=report, form=form, schedule=getattr(report, "schedule", None), time_zone=self.workspace.time_zone
        )
        return self.render_to_response(context, status=status)


class ShareReport(KeptReportPage):
    """Make a link; its address is shown this once."""

    permission: ClassVar[str] = "report.edit"
    http_method_names = ("post",)

    def post(self, request: HttpRequest, report_id: UUID) -> HttpResponseBase:
        """Make it, and show it with the report."""
        days = request.POST.get("days", "30")
        report = get_report(self.workspace, report_id)
        _, token = services.share_report(report=report, actor=self.user, days=int(days) if days.isdigit() else 0)
        return self.render_to_response(self.get_context_data(report_id=report_id, new_link=share_url(token)))


class RevokeShare(WorkspacePage):
    """Take a link back."""

    permission: ClassVar[str] = "report.edit"

    def post(self, request: HttpRequest, share_id: UUID) -> HttpResponseBase:
        """Take it back; whoever has it sees nothing more."""
        share = get_share(self.workspace, share_id)
        services.revoke_share(share=share, actor=self.user)
        messages.success(request, "Taken back. The link leads nowhere now.")
        return redirect("analytics:kept_report", share.report_id)
