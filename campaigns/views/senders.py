"""From addresses and the domains behind them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from campaigns.forms import DomainForm, SenderForm
from campaigns.models import Sender, SendingDomain
from campaigns.selectors import campaigns as selectors
from campaigns.services import senders
from pulsequill.core.errors import Invalid, NotFound


class SenderListPage(WorkspaceTemplatePage):
    """Senders and sending domains."""

    permission = "sender.view"
    permission_by_method: ClassVar[dict[str, str]] = {"POST": "sender.edit"}
    nav = "settings"
    template_name = "campaigns/sender_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add all senders, all domains, and the forms to add one."""
        kwargs.setdefault("sender_form", SenderForm(prefix="sender"))
        kwargs.setdefault("domain_form", DomainForm(prefix="domain"))
        return super().get_context_data(
            tab="senders",
            senders=list(selectors.list_senders(self.workspace)),
            domains=list(SendingDomain.objects.for_workspace(self.workspace).order_by("name")),
            can_edit=role_allows(self.membership.role, "sender.edit"),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Add a sender or a domain, whichever form was sent."""
        is_domain = "domain-name" in request.POST
        form = DomainForm(request.POST, prefix="domain") if is_domain else SenderForm(request.POST, prefix="sender")
        create = senders.create_domain if is_domain else senders.create_sender
        if form.is_valid():
            try:
                made = create(workspace=self.workspace, actor=self.user, **form.cleaned_data)
            except Invalid as refusal:
                form.add_error(refusal.errors[0].field if refusal.errors else None, refusal.detail)
            else:
                messages.success(request, f"Added {made}.")
                return redirect("campaigns:sender_list")
        context = self.get_context_data(**{"domain_form" if is_domain else "sender_form": form})
        return render(request, self.template_name, context, status=400)


class SenderDelete(WorkspacePage):
    """Delete a sender."""

    permission = "sender.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, sender_id: UUID) -> HttpResponseBase:
        """Delete and go back."""
        sender = Sender.objects.for_workspace(self.workspace).select_related("workspace").filter(pk=sender_id).first()
        if sender is None:
            raise NotFound
        senders.delete_sender(sender=sender, actor=self.user)
        messages.success(request, f"Deleted {sender}.")
        return redirect("campaigns:sender_list")


class DomainAction(WorkspacePage):
    """Base of what can be done with one sending domain."""

    permission = "sender.edit"
    http_method_names = ["post"]

    def domain(self, domain_id: UUID) -> SendingDomain:
        """Return the domain of the address.

        Raises:
            NotFound: absent, or another workspace's.
        """
        found = (
            SendingDomain.objects.for_workspace(self.workspace).select_related("workspace").filter(pk=domain_id).first()
        )
        if found is None:
            raise NotFound
        return found


class DomainCheck(DomainAction):
    """Ask the DNS."""

    def post(self, request: HttpRequest, domain_id: UUID) -> HttpResponseBase:
        """Check and go back."""
        domain = senders.verify_domain(domain=self.domain(domain_id), actor=self.user)
        if domain.verified_at:
            messages.success(request, f"{domain.name} is verified.")
        else:
            messages.warning(request, f"{domain.name} is not verified yet: see what is missing.")
        return redirect("campaigns:sender_list")


class DomainDelete(DomainAction):
    """Forget a domain."""

    def post(self, request: HttpRequest, domain_id: UUID) -> HttpResponseBase:
        """Remove and go back."""
        domain = self.domain(domain_id)
        senders.delete_domain(domain=domain, actor=self.user)
        messages.success(request, f"Removed {domain.name}.")
        return redirect("campaigns:sender_list")
