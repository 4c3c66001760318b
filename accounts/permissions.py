"""What each role may do: one table, asked by pages, `/v1`, sockets and the admin through `can()`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from accounts.models.membership import Role

if TYPE_CHECKING:
    from accounts.models import User, Workspace

_EVERYBODY = frozenset(Role)
_EDITORS = frozenset({Role.OWNER, Role.ADMIN, Role.EDITOR})
_SENDERS = frozenset({Role.OWNER, Role.ADMIN, Role.EDITOR, Role.APPROVER})
_ADMINS = frozenset({Role.OWNER, Role.ADMIN})
_OWNERS = frozenset({Role.OWNER})

#: Action -> roles. Reading is `<noun>.view`, changing `<noun>.edit`; verbs with consequences have their own name.
PERMISSIONS: dict[str, frozenset[Role]] = {
    "workspace.view": _EVERYBODY,
    "workspace.edit": _ADMINS,
    "workspace.delete": _OWNERS,
    "member.view": _EVERYBODY,
    "member.edit": _ADMINS,
    "api_key.view": _ADMINS,
    "api_key.edit": _ADMINS,
    "webhook.view": _ADMINS,
    "webhook.edit": _ADMINS,
    "activity.view": _ADMINS,
    "notification.view": _EVERYBODY,
    "contact.view": _EVERYBODY,
    "contact.edit": _EDITORS,
    "contact.erase": _ADMINS,
    "import.view": _EVERYBODY,
    "import.edit": _EDITORS,
    "campaign.view": _EVERYBODY,
    "campaign.edit": _EDITORS,
    "campaign.approve": _SENDERS,
    "campaign.send": _SENDERS,
    "message.settle": _ADMINS,
    "outbox.view": _EVERYBODY,
    "outbox.simulate": _EDITORS,
    "sender.view": _EVERYBODY,
    "sender.edit": _ADMINS,
    "provider.view": _ADMINS,
    "provider.edit": _ADMINS,
    "draft.view": _EVERYBODY,
    "draft.edit": _EDITORS,
    "report.view": _EVERYBODY,
    "report.edit": _EDITORS,
    "event.report": _EDITORS,
}


#: What no API key may do, however wide its scopes: a leaked key must not be able to make itself permanent.
PEOPLE_ONLY = frozenset({"workspace.delete", "member.edit", "api_key.view", "api_key.edit"})
#: The scopes that a key can be given; they are the actions themselves.
SCOPES = frozenset(PERMISSIONS) - PEOPLE_ONLY


def key_allows(scopes: Collection[str], action: str) -> bool:
    """Return whether an API key with these scopes (none: all that a key can have) may do an action.

    Raises:
        KeyError: the action is not in `PERMISSIONS`.
    """
    if action not in PERMISSIONS:
        raise KeyError(action)
    return action in SCOPES and (not scopes or action in scopes)


def role_allows(role: str, action: str) -> bool:
    """Return whether a role may do an action.

    Raises:
        KeyError: the action is not in `PERMISSIONS`: a misspelt action must not quietly mean "no".
    """
    return role in PERMISSIONS[action]


def can(user: User, action: str, workspace: Workspace) -> bool:
    """Return whether a person may do `action` in `workspace`; never true without a membership."""
    if not user.is_active:
        return False
    role = user.memberships.filter(workspace=workspace).values_list("role", flat=True).first()
    return role is not None and role_allows(role, action)
