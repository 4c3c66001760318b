"""Goals: list, add, change, remove, and how to report them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from analytics import services
from analytics.forms import GoalForm
from analytics.models import Goal
from analytics.reports.table import money
from analytics.selectors.reports import get_goal, list_goals
from analytics.views.reports import tabs
from pulsequill.core.errors import Invalid


class GoalsPage(WorkspaceTemplatePage):
    """All goals with their counts."""

    permission: ClassVar[str] = "report.view"
    template_name = "analytics/goals.html"
    nav = "analytics"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the goals."""
        rows = list_goals(self.workspace)
        for row in rows:
            row["revenue_text"] = money(row["revenue"])
        return super().get_context_data(
            rows=rows,
            tabs=tabs("goals"),
            example_key=rows[0]["goal"].key if rows else "order",
            site=settings.PUBLIC_URL,
            **kwargs,
        )


class GoalFormPage(WorkspaceTemplatePage):
    """Add a goal or change one."""

    permission: ClassVar[str] = "report.edit"
    template_name = "analytics/goal_form.html"
    nav = "analytics"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Show the form."""
        goal = self._goal(kwargs.get("goal_id"))
        return self._show(GoalForm(goal=goal), goal)

    def post(self, request: HttpRequest, goal_id: UUID | None = None) -> HttpResponseBase:
        """Save."""
        goal = self._goal(goal_id)
        form = GoalForm(request.POST, goal=goal)
        if form.is_valid():
            try:
                if goal is None:
                    goal = services.create_goal(workspace=self.workspace, actor=self.user, **form.cleaned_data)
                else:
                    services.update_goal(goal=goal, actor=self.user, **form.cleaned_data)
            except Invalid as error:
                form.refuse(error)
            else:
                messages.success(request, f"Saved “{goal.name}”.")
                return redirect("analytics:goals")
        return self._show(form, goal, status=400)

    def _show(self, form: GoalForm, goal: Goal | None, *, status: int = 200) -> HttpResponseBase:
        return self.render_to_response(self.get_context_data(form=form, goal=goal), status=status)

    def _goal(self, goal_id: UUID | None) -> Goal | None:
        return get_goal(self.workspace, goal_id) if goal_id else None


class GoalDelete(WorkspacePage):
    """Remove a goal."""

    permission: ClassVar[str] = "report.edit"

    def post(self, request: HttpRequest, goal_id: UUID) -> HttpResponseBase:
        """Remove it; the events stay."""
        goal = get_goal(self.workspace, goal_id)
        services.delete_goal(goal=goal, actor=self.user)
        messages.success(request, f"Removed “{goal.name}”.")
        return redirect("analytics:goals")
