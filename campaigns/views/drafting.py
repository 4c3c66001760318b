"""Drafts by the calendar: list, make, change, look back, pause, and run out of turn."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from campaigns.models import DraftingRun, DraftingSchedule
from campaigns.selectors.drafting import get_schedule, list_runs, list_schedules, outlook
from campaigns.services import drafting
from campaigns.views.drafting_form import DraftingForm
from campaigns.windows import wall_time, zone_of
from pulsequill.core.errors import Invalid
from pulsequill.core.keyset import paginate

RUNS_A_PAGE = 20


class DraftingListPage(WorkspaceTemplatePage):
    """All schedules with their next runs."""

    permission = "campaign.view"
    nav = "ai"
    template_name = "campaigns/drafting_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the schedules."""
        now = timezone.now()
        return super().get_context_data(
            outlooks=[outlook(schedule, now=now) for schedule in list_schedules(self.workspace)],
            time_zone=self.workspace.time_zone,
            **kwargs,
        )


class DraftingFormPage(WorkspaceTemplatePage):
    """Make a schedule or change one."""

    permission = "campaign.edit"
    nav = "ai"
    template_name = "campaigns/drafting_form.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Show the form."""
        schedule = self._schedule(kwargs.get("schedule_id"))
        initial = DraftingForm.initial_of(schedule) if schedule else {}
        return self._show(DraftingForm(initial=initial, workspace=self.workspace), schedule)

    def post(self, request: HttpRequest, schedule_id: UUID | None = None) -> HttpResponseBase:
        """Save, and show when it runs."""
        schedule = self._schedule(schedule_id)
        form = DraftingForm(request.POST, workspace=self.workspace)
        if form.is_valid():
            try:
                saved = self._save(schedule, form)
            except Invalid as refusal:
                form.refuse(refusal.errors, refusal.detail)
            else:
                messages.success(request, f"Saved “{saved.name}”.")
                return redirect("campaigns:drafting", saved.pk)
        return self._show(form, schedule, status=400)

    def _save(self, schedule: DraftingSchedule | None, form: DraftingForm) -> DraftingSchedule:
        brief, changes = form.brief(), form.changes()
        if schedule is None:
            return drafting.create_schedule(workspace=self.workspace, actor=self.user, brief=brief, changes=changes)
        return drafting.change_schedule(schedule=schedule, actor=self.user, brief=brief, changes=changes)

    def _show(self, form: DraftingForm, schedule: DraftingSchedule | None, *, status: int = 200) -> HttpResponseBase:
        context = self.get_context_data(form=form, schedule=schedule, time_zone=self.workspace.time_zone)
        return self.render_to_response(context, status=status)

    def _schedule(self, schedule_id: UUID | None) -> DraftingSchedule | None:
        return get_schedule(self.workspace, schedule_id) if schedule_id else None


class DraftingPage(WorkspaceTemplatePage):
    """One schedule: what comes, and what was."""

    permission = "campaign.view"
    nav = "ai"
    template_name = "campaigns/drafting.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add its outlook and its runs."""
        schedule = get_schedule(self.workspace, kwargs["schedule_id"])
        page = paginate(
            list_runs(schedule),
            query=self.request.GET,
            address=self.request.path,
            sort="-slot_at",
            limit=RUNS_A_PAGE,
        )
        return super().get_context_data(
            schedule=schedule,
            outlook=outlook(schedule, now=timezone.now()),
            page=page,
            runs=[(run, wall_time(run.slot_at, zone_of(self.workspace.time_zone))) for run in page.items],
            time_zone=self.workspace.time_zone,
            **kwargs,
        )


class _DraftingVerb(WorkspacePage):
    """Something that is done to one schedule."""

    permission = "campaign.edit"

    def schedule(self, schedule_id: UUID) -> DraftingSchedule:
        """Return the schedule."""
        return get_schedule(self.workspace, schedule_id)


class DraftingPause(_DraftingVerb):
    """Pause a schedule, or let it go on."""

    def post(self, request: HttpRequest, schedule_id: UUID) -> HttpResponseBase:
        """Do it and go back."""
        is_active = request.POST.get("is_active") == "1"
        drafting.change_schedule(schedule=self.schedule(schedule_id), actor=self.user, changes={"is_active": is_active})
        messages.success(request, "It goes on." if is_active else "Paused. Nothing is drafted until you resume it.")
        return redirect("campaigns:drafting", schedule_id)


class DraftingRunNow(_DraftingVerb):
    """Draft once out of turn."""

    def post(self, request: HttpRequest, schedule_id: UUID) -> HttpResponseBase:
        """Begin, and show it."""
        run = drafting.run_now(schedule=self.schedule(schedule_id), actor=self.user)
        if run.status == DraftingRun.Status.SKIPPED:
            messages.error(request, run.reason)
        else:
            messages.success(request, "The writer has begun.")
        return redirect("campaigns:drafting", schedule_id)


class DraftingDelete(_DraftingVerb):
    """Remove a schedule."""

    def post(self, request: HttpRequest, schedule_id: UUID) -> HttpResponseBase:
        """Remove it; what it drafted stays."""
        drafting.delete_schedule(schedule=self.schedule(schedule_id), actor=self.user)
        messages.success(request, "Removed. What it drafted stays.")
        return redirect("campaigns:drafting_list")
