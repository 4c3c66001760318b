"""Settings, Sending: which way mail leaves, the account behind each way, and a mail to try it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from accounts.forms import add_refusal
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage, is_htmx
from campaigns.models import SmtpServer
from campaigns.selectors import providers as selectors
from campaigns.selectors.providers import KINDS, WARM_UPS
from campaigns.services import providers
from campaigns.tokens import sendgrid_endpoint_url
from campaigns.views.provider_charts import PlanPicture, picture_of, rows_of
from campaigns.views.provider_forms import NO_PLAN, OWN_PLAN, PaceForm, SendGridForm, ServerForm, TrialForm
from campaigns.windows import zone_of
from pulsequill.core.errors import DomainError, Invalid, NotFound


@method_decorator(sensitive_post_parameters(), name="dispatch")
class ProviderBase(WorkspacePage):
    """What all of these pages ask for."""

    permission = "provider.view"
    permission_by_method: ClassVar[dict[str, str]] = {"POST": "provider.edit"}

    def kind(self) -> str:
        """Return the kind of provider in the address.

        Raises:
            NotFound: there is none of that name.
        """
        kind = str(self.kwargs["provider"])
        if kind not in KINDS:
            raise NotFound
        return kind


class SendingPage(ProviderBase, WorkspaceTemplatePage):
    """The three ways as cards: which one is used, which are ready, what their last test said."""

    nav = "settings"
    template_name = "campaigns/provider_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the state of every way."""
        states = selectors.get_states(self.workspace)
        return super().get_context_data(
            tab="sending",
            states=states,
            has_choice=any(state.own and state.own.is_active for state in states),
            installations=KINDS[settings.EMAIL_PROVIDER],
            **kwargs,
        )


class ProviderPage(ProviderBase, WorkspaceTemplatePage):
    """One way: its account, its pace, and a test."""

    nav = "settings"
    template_name = "campaigns/provider_detail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the state and the forms."""
        state = selectors.get_state(self.workspace, self.kind())
        own = state.own
        today = timezone.localdate(timezone=zone_of(self.workspace.time_zone))
        start = own.warm_up_start_date if own and own.warm_up_start_date else today
        pace = kwargs.pop("pace_form", None) or PaceForm(own=own, today=today)
        chosen = pace["plan"].value() or NO_PLAN
        plans = _plans(chosen, stored=own.warm_up_plan if own else [], start=start, today=today)
        context = {
            "tab": "sending",
            "state": state,
            "pace_form": pace,
            "plans": plans,
            "plan_days": rows_of(plans),
            "chosen_plan": chosen,
            "trial_form": TrialForm(workspace=self.workspace),
            "running": selectors.find_running(self.workspace, state.kind.key),
        }
        if state.kind.key == "sendgrid":
            context["account_form"] = kwargs.pop("account_form", None) or SendGridForm(own=own)
            context["webhook_url"] = sendgrid_endpoint_url(self.workspace.pk)
        return super().get_context_data(**context, **kwargs)

    def post(self, request: HttpRequest, provider: str) -> HttpResponseBase:
        """Store the account or the pace, whichever form was sent."""
        own = selectors.get_state(self.workspace, self.kind()).own
        is_pace = "pace" in request.POST
        today = timezone.localdate(timezone=zone_of(self.workspace.time_zone))
        if not is_pace and provider != "sendgrid":
            raise Invalid("There is nothing to store here.")
        form = PaceForm(request.POST, own=own, today=today) if is_pace else SendGridForm(request.POST, own=own)
        if form.is_valid():
            changes = form.changes() if isinstance(form, PaceForm) else form.cleaned_data
            try:
                providers.save_provider(workspace=self.workspace, actor=self.user, provider=provider, **changes)
            except Invalid as refusal:
                add_refusal(form, refusal)
            else:
                messages.success(request, "The pace is stored." if is_pace else "The account is stored. Try it out.")
                return redirect("campaigns:provider", provider)
        context = self.get_context_data(**{"pace_form" if is_pace else "account_form": form})
        return self.render_to_response(context, status=400)


def _plans(chosen: str, *, stored: list[int], start: Any, today: Any) -> list[PlanPicture]:
    pictures = [
        picture_of(plan.key, plan.name, list(plan.days), start=start, today=today) for plan in WARM_UPS.values()
    ]
    if chosen == OWN_PLAN and stored:
        pictures.append(picture_of(OWN_PLAN, "Your own", stored, start=start, today=today))
    return pictures


class ProviderUse(ProviderBase):
    """Let new mail leave this way."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, provider: str) -> HttpResponseBase:
        """Switch, and go back."""
        kind = KINDS[self.kind()]
        providers.use_provider(workspace=self.workspace, actor=self.user, provider=provider)
        messages.success(request, f"New mail leaves by {kind.name}. Campaigns under way end as they began.")
        return redirect("campaigns:sending")


class InstallationUse(ProviderBase):
    """Let new mail leave the way the installation is set to."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Switch, and go back."""
        providers.use_installation(workspace=self.workspace, actor=self.user)
        messages.success(request, f"New mail leaves by the installation’s {KINDS[settings.EMAIL_PROVIDER].name}.")
        return redirect("campaigns:sending")


class ProviderRemove(ProviderBase):
    """Forget an account with its keys and servers."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, provider: str) -> HttpResponseBase:
        """Remove, and go back."""
        kind = KINDS[self.kind()]
        providers.remove_provider(workspace=self.workspace, actor=self.user, provider=provider)
        messages.success(request, f"Removed your own {kind.name}, keys and all.")
        return redirect("campaigns:sending")


class ProviderTrial(ProviderBase, WorkspaceTemplatePage):
    """Send a mail to the person who asks, and show step by step what came of it."""

    nav = "settings"
    template_name = "campaigns/provider_trial.html"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, provider: str) -> HttpResponseBase:
        """Try it; htmx gets the report alone."""
        kind = KINDS[self.kind()]
        form = TrialForm(request.POST, workspace=self.workspace)
        context: dict[str, Any] = {"kind": kind, "to": self.user.email, "reports": [], "refusal": "", "tab": "sending"}
        try:
            context["reports"] = providers.send_trial(
                workspace=self.workspace,
                actor=self.user,
                provider=provider,
                to=self.user.email,
                sender=form.cleaned_data["sender"] if form.is_valid() else None,
            )
        except DomainError as error:
            context["refusal"] = error.detail
        template = "campaigns/_provider_report.html" if is_htmx(request) else self.template_name
        return render(request, template, self.get_context_data(**context))


class ServerPage(ProviderBase, WorkspaceTemplatePage):
    """One mail server: a new one, or one that is there."""

    nav = "settings"
    template_name = "campaigns/provider_server.html"

    def server(self) -> SmtpServer | None:
        """Return the server in the address, None for a new one.

        Raises:
            NotFound: absent, or another workspace's.
        """
        if "server_id" not in self.kwargs:
            return None
        found = selectors.find_server(self.workspace, self.kwargs["server_id"])
        if found is None:
            raise NotFound
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the server and its form."""
        server = self.server()
        form = kwargs.pop("form", None) or ServerForm(server=server)
        return super().get_context_data(tab="sending", server=server, form=form, **kwargs)

    def post(self, request: HttpRequest, server_id: UUID | None = None) -> HttpResponseBase:  # noqa: ARG002
        """Store it."""
        server = self.server()
        form = ServerForm(request.POST, server=server)
        if form.is_valid():
            try:
                if server is None:
                    server = providers.add_server(workspace=self.workspace, actor=self.user, **form.cleaned_data)
                    said = f"Added {server}. Send yourself a test."
                else:
                    server = providers.change_server(server=server, actor=self.user, **form.cleaned_data)
                    said = f"Stored {server}."
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                messages.success(request, said)
                return redirect("campaigns:provider", "smtp")
        return self.render_to_response(self.get_context_data(form=form), status=400)


class ServerRemove(ServerPage):
    """Take a mail server out."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, server_id: UUID | None = None) -> HttpResponseBase:  # noqa: ARG002
        """Remove, and go back."""
        server = self.server()
        assert server is not None
        name = str(server)
        providers.remove_server(server=server, actor=self.user)
        messages.success(request, f"Removed {name}.")
        return redirect("campaigns:provider", "smtp")
