"""From addresses and the domains behind them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from campaigns.deliverability.board import Row, board
from campaigns.deliverability.routes import route_of
from campaigns.domain_names import FREE_MAIL, domain_of, with_parents
from campaigns.forms import DomainForm, SenderForm
from campaigns.models import Sender, SendingDomain
from campaigns.selectors.campaigns import list_senders
from campaigns.selectors.domains import list_domains
from campaigns.services import senders
from campaigns.tokens import bounce_endpoint_url
from pulsequill.core.errors import Invalid, NotFound


class SenderRow(NamedTuple):
    """A sender, and the domain that speaks for it; `is_free_mail` when none ever can."""

    sender: Sender
    domain: SendingDomain | None
    is_free_mail: bool


class DomainRow(NamedTuple):
    """A domain and how many of its required records are right."""

    domain: SendingDomain
    right: int
    required: int


def _count(rows: Iterable[Row]) -> tuple[int, int]:
    """Return how many required records are right, and how many there are."""
    required = [row for row in rows if row.is_required]
    return sum(row.state == "right" for row in required), len(required)


class SenderListPage(WorkspaceTemplatePage):
    """Senders and sending domains."""

    permission = "sender.view"
    nav = "settings"
    template_name = "campaigns/sender_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add all senders and all domains, each with its state."""
        domains = list(list_domains(self.workspace))
        by_name = {domain.name: domain for domain in domains}
        route = route_of(self.workspace.pk)
        return super().get_context_data(
            tab="senders",
            senders=[self._sender_row(sender, by_name) for sender in list_senders(self.workspace)],
            domains=[DomainRow(domain, *_count(board(domain, route))) for domain in domains],
            can_edit=role_allows(self.membership.role, "sender.edit"),
            **kwargs,
        )

    def _sender_row(self, sender: Sender, by_name: dict[str, SendingDomain]) -> SenderRow:
        host = domain_of(sender.from_email)
        known = (by_name[name] for name in with_parents(host) if name in by_name)
        return SenderRow(sender, next(known, None), host in FREE_MAIL)


class SenderPage(WorkspaceTemplatePage):
    """Add or change a sender."""

    permission = "sender.edit"
    nav = "settings"
    template_name = "campaigns/sender_form.html"

    def get(self, request: HttpRequest, sender_id: UUID | None = None) -> HttpResponseBase:
        """Show the form."""
        sender = self._sender(sender_id)
        facts = {name: getattr(sender, name) for name in SenderForm.base_fields} if sender else {}
        return render(request, self.template_name, self.get_context_data(sender=sender, form=SenderForm(initial=facts)))

    def post(self, request: HttpRequest, sender_id: UUID | None = None) -> HttpResponseBase:
        """Save, and go to the domain when it is still to be verified."""
        sender = self._sender(sender_id)
        form = SenderForm(request.POST)
        if form.is_valid():
            try:
                saved = self._save(sender, form.cleaned_data)
            except Invalid as refusal:
                form.add_error(refusal.errors[0].field if refusal.errors else None, refusal.detail)
            else:
                messages.success(request, f"Saved {saved}.")
                return redirect("campaigns:sender_list")
        return render(request, self.template_name, self.get_context_data(sender=sender, form=form), status=400)

    def _save(self, sender: Sender | None, fields: dict[str, Any]) -> Sender:
        if sender is None:
            return senders.create_sender(workspace=self.workspace, actor=self.user, **fields)
        return senders.update_sender(sender=sender, actor=self.user, **fields)

    def _sender(self, sender_id: UUID | None) -> Sender | None:
        if sender_id is None:
            return None
        sender = Sender.objects.for_workspace(self.workspace).select_related("workspace").filter(pk=sender_id).first()
        if sender is None:
            raise NotFound
        return sender


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


class DomainNewPage(WorkspaceTemplatePage):
    """Add a domain to send from."""

    permission = "sender.edit"
    nav = "settings"
    template_name = "campaigns/domain_form.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Show the form."""
        return render(request, self.template_name, self.get_context_data(form=DomainForm()))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Add it and show what to publish."""
        form = DomainForm(request.POST)
        if form.is_valid():
            try:
                domain = senders.create_domain(workspace=self.workspace, actor=self.user, **form.cleaned_data)
            except Invalid as refusal:
                form.add_error(refusal.errors[0].field if refusal.errors else None, refusal.detail)
            else:
                return redirect("campaigns:domain_detail", domain.pk)
        return render(request, self.template_name, self.get_context_data(form=form), status=400)


class DomainPage(WorkspaceTemplatePage):
    """What a domain has to publish, what stands there, and what to do."""

    permission = "sender.view"
    nav = "settings"
    template_name = "campaigns/domain_detail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the domain, its records and its senders."""
        domain = find_domain_row(self, kwargs["domain_id"])
        route = route_of(self.workspace.pk)
        rows = board(domain, route)
        right, required = _count(rows)
        can_edit = role_allows(self.membership.role, "sender.edit")
        under = [one for one in list_senders(self.workspace) if domain.name in with_parents(domain_of(one.from_email))]
        return super().get_context_data(
            domain=domain,
            route=route,
            rows=rows,
            right=right,
            required=required,
            lacking=[row for row in rows if row.state not in {"right", "unchecked"}],
            senders=under,
            can_edit=can_edit,
            bounce_url=bounce_endpoint_url(self.workspace.pk) if can_edit and not route.signs_itself else "",
            **kwargs,
        )


def find_domain_row(page: WorkspacePage, domain_id: UUID) -> SendingDomain:
    """Return the domain of the address.

    Raises:
        NotFound: absent, or another workspace's.
    """
    domains = SendingDomain.objects.for_workspace(page.workspace).select_related("workspace")
    domain = domains.filter(pk=domain_id).first()
    if domain is None:
        raise NotFound
    return domain


class DomainCheck(WorkspacePage):
    """Ask the DNS."""

    permission = "sender.edit"
    http_method_names = ["post"]

    def post(self, _request: HttpRequest, domain_id: UUID) -> HttpResponseBase:
        """Check and show what was found."""
        senders.verify_domain(domain=find_domain_row(self, domain_id), actor=self.user)
        return redirect("campaigns:domain_detail", domain_id)


class DomainKey(WorkspacePage):
    """Make a new DKIM key."""

    permission = "sender.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, domain_id: UUID) -> HttpResponseBase:
        """Replace the key and show what to publish."""
        senders.replace_dkim_key(domain=find_domain_row(self, domain_id), actor=self.user)
        messages.success(request, "There is a new key: publish it, then check.")
        return redirect("campaigns:domain_detail", domain_id)


class DomainDelete(WorkspacePage):
    """Forget a domain."""

    permission = "sender.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, domain_id: UUID) -> HttpResponseBase:
        """Remove and go back."""
        domain = find_domain_row(self, domain_id)
        senders.delete_domain(domain=domain, actor=self.user)
        messages.success(request, f"Removed {domain.name}.")
        return redirect("campaigns:sender_list")
