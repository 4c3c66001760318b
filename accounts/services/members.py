"""The team of a workspace: invitations, roles, leaving."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import tasks, tokens
from accounts.activity import record
from accounts.models import Invitation, Membership, User, Workspace
from accounts.models.membership import Role
from pulsequill.core.errors import FieldError, Invalid, NotFound, NotPermitted, WrongState
from pulsequill.core.live import person_group, recheck
from pulsequill.core.signing import sha256

INVITATION_LIFETIME = timedelta(days=7)


def _refuse_owner_games(actor: User, workspace: Workspace, *roles: str) -> None:
    """Only an owner may make, change or remove an owner."""
    if Role.OWNER not in roles:
        return
    if not Membership.objects.for_workspace(workspace).filter(user=actor, role=Role.OWNER).exists():
        raise NotPermitted("Only an owner can do this.", code="owner_only")


def _keep_one_owner(membership: Membership) -> None:
    owners = (
        Membership.objects.for_workspace(membership.workspace_id)
        .select_for_update()
        .filter(role=Role.OWNER)
        .values_list("pk", flat=True)
    )
    if list(owners) == [membership.pk]:
        raise WrongState("A workspace needs an owner: make somebody else one first.", code="last_owner")


def invite(*, workspace: Workspace, actor: User, email: str, role: str) -> Invitation:
    """Invite an address and mail it the link. An open invitation to it is replaced.

    Raises:
        NotPermitted: only an owner may invite an owner.
        WrongState: the address is a member already.
    """
    _refuse_owner_games(actor, workspace, role)
    email = email.strip().lower()
    if Membership.objects.for_workspace(workspace).filter(user__email=email).exists():
        raise WrongState(f"{email} is a member already.", code="already_member")
    with transaction.atomic():
        Invitation.objects.for_workspace(workspace).filter(email=email, accepted_at=None).delete()
        invitation = Invitation(
            workspace=workspace,
            email=email,
            role=role,
            invited_by=actor,
            expires_at=timezone.now() + INVITATION_LIFETIME,
        )
        invitation.token_hash = sha256(tokens.make_invitation(invitation.pk))
        try:
            with transaction.atomic():
                invitation.save()
        except IntegrityError:
            raise WrongState(f"{email} was invited in this very moment.", code="already_invited") from None
        record(
            workspace=workspace,
            actor=actor,
            kind="member.invited",
            summary=f"Invited {email} as {role}.",
            subject=invitation,
        )
        transaction.on_commit(partial(tasks.mail_invitation.delay, invitation_id=str(invitation.pk)), robust=True)
    return invitation


def revoke_invitation(*, invitation: Invitation, actor: User | None) -> None:
    """Take an open invitation back.

    Raises:
        WrongState: it was accepted.
    """
    if invitation.accepted_at is not None:
        raise WrongState("This invitation was accepted.")
    with transaction.atomic():
        record(
            workspace=invitation.workspace,
            actor=actor,
            kind="invitation.revoked",
            summary=f"Took the invitation of {invitation.email} back.",
            subject=invitation,
        )
        invitation.delete()


def find_invitation(token: str) -> Invitation:
    """Return the open invitation of a link.

    Raises:
        NotFound: unknown, used, taken back or expired.
    """
    found = (
        Invitation.objects.across_workspaces()
        .select_related("workspace", "invited_by")
        .filter(token_hash=sha256(token), accepted_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if found is None:
        raise NotFound("This invitation is no longer open.")
    return found


def accept_invitation(*, token: str, user: User) -> Membership:
    """Join the workspace that a link invites to.

    Raises:
        NotFound: the link is no longer open.
        NotPermitted: it was sent to another address.
    """
    invitation = find_invitation(token)
    if invitation.email != user.email:
        raise NotPermitted(
            f"This invitation is for {invitation.email}; you are signed in as {user.email}.", code="other_address"
        )
    with transaction.atomic():
        won = (
            Invitation.objects.for_workspace(invitation.workspace_id)
            .filter(pk=invitation.pk, accepted_at=None)
            .update(accepted_at=timezone.now())
        )
        if not won:
            raise NotFound("This invitation is no longer open.")
        membership, _ = Membership.objects.get_or_create(
            workspace=invitation.workspace, user=user, defaults={"role": invitation.role}
        )
        record(
            workspace=invitation.workspace,
            actor=user,
            kind="member.joined",
            summary=f"{user} joined as {membership.role}.",
            subject=membership,
        )
    return membership


def change_role(*, membership: Membership, role: str, actor: User) -> Membership:
    """Give a member another role.

    Raises:
        NotPermitted: only an owner may make or unmake owners.
        WrongState: the last owner stays one.
        Invalid: there is no such role.
    """
    if role not in Role.values:
        raise Invalid("There is no such role.", errors=[FieldError("role", "invalid_choice", "There is no such role.")])
    _refuse_owner_games(actor, membership.workspace, membership.role, role)
    if membership.role == role:
        return membership
    with transaction.atomic():
        if membership.role == Role.OWNER:
            _keep_one_owner(membership)
        before, membership.role = membership.role, role
        membership.save(update_fields=["role", "updated_at"])
        record(
            workspace=membership.workspace,
            actor=actor,
            kind="member.role_changed",
            summary=f"{membership.user} is now {role} (was {before}).",
            subject=membership,
        )
        recheck(person_group(membership.workspace_id, membership.user_id))
    return membership


def remove_member(*, membership: Membership, actor: User) -> None:
    """Take a member out; their requests and sockets of this workspace end at once. People may take themselves out.

    Raises:
        NotPermitted: only an owner may remove an owner.
        WrongState: the last owner stays.
    """
    _refuse_owner_games(actor, membership.workspace, membership.role)
    with transaction.atomic():
        if membership.role == Role.OWNER:
            _keep_one_owner(membership)
        record(
            workspace=membership.workspace,
            actor=actor,
            kind="member.removed",
            summary=f"{membership.user} was removed.",
            subject=membership,
        )
        recheck(person_group(membership.workspace_id, membership.user_id))
        membership.delete()
