"""Members and invitations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from accounts import tokens
from accounts.forms import InvitationForm
from accounts.models import Invitation, Membership
from accounts.models.membership import Role
from accounts.permissions import role_allows
from accounts.services import members
from accounts.views.access import WorkspacePage
from accounts.views.settings.base import SettingsFormPage


class Team(SettingsFormPage):
    """`/settings/team`: who belongs here, and inviting more."""

    template_name = "accounts/settings/team.html"
    tab = "team"
    permission = "member.view"
    permission_by_method = {"POST": "member.edit"}
    form_class = InvitationForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add members, and for those who may edit them the open invitations with their links."""
        team = Membership.objects.for_workspace(self.workspace).select_related("user").order_by("created_at")
        invitations: list[Invitation] = []
        if role_allows(self.membership.role, "member.edit"):
            invitations = list(
                Invitation.objects.for_workspace(self.workspace)
                .filter(accepted_at=None, expires_at__gt=timezone.now())
                .order_by("-created_at")
            )
        rows = [(one, f"{settings.PUBLIC_URL}/invitations/{tokens.make_invitation(one.pk)}") for one in invitations]
        return super().get_context_data(team=team, invitations=rows, roles=Role.choices, **kwargs)

    def accept(self, form: InvitationForm) -> HttpResponseBase:
        """Invite."""
        invitation = members.invite(workspace=self.workspace, actor=self.user, **form.cleaned_data)
        messages.success(self.request, f"We mailed {invitation.email} a link. You can copy it below, too.")
        return redirect("accounts:settings_team")


class ChangeRole(WorkspacePage):
    """`/settings/team/<id>/role`."""

    permission = "member.edit"

    def post(self, request: HttpRequest, id: UUID) -> HttpResponseBase:  # noqa: A002 - the address' own name
        """Give a member another role."""
        membership = get_object_or_404(
            Membership.objects.for_workspace(self.workspace).select_related("user", "workspace"), pk=id
        )
        members.change_role(membership=membership, role=request.POST.get("role", ""), actor=self.user)
        messages.success(request, f"{membership.user} is now {membership.get_role_display()}.")
        return redirect("accounts:settings_team")


class RemoveMember(WorkspacePage):
    """`/settings/team/<id>/remove`: take a member out."""

    permission = "member.edit"

    def post(self, request: HttpRequest, id: UUID) -> HttpResponseBase:  # noqa: A002
        """Take them out; what they have open ends at once."""
        membership = get_object_or_404(
            Membership.objects.for_workspace(self.workspace).select_related("user", "workspace"), pk=id
        )
        members.remove_member(membership=membership, actor=self.user)
        messages.success(request, f"{membership.user} was removed.")
        return redirect("accounts:settings_team")


class RevokeInvitation(WorkspacePage):
    """`/settings/invitations/<id>/revoke`."""

    permission = "member.edit"

    def post(self, request: HttpRequest, id: UUID) -> HttpResponseBase:  # noqa: A002
        """Take an invitation back."""
        invitation = get_object_or_404(
            Invitation.objects.for_workspace(self.workspace).select_related("workspace"), pk=id
        )
        members.revoke_invitation(invitation=invitation, actor=self.user)
        messages.success(request, "The invitation was taken back.")
        return redirect("accounts:settings_team")
