"""What merge tags stand for: the values of one contact, the workspace and the campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from campaigns.content.mustache import DOTTED_NAMES, RESERVED_PREFIX, SYSTEM_NAMES

if TYPE_CHECKING:
    from accounts.models import Workspace
    from audiences.selectors import MergeTag
    from campaigns.models import Campaign

#: What the composer calls the tags that do not come from contacts.
SYSTEM_LABELS: dict[str, str] = {
    "unsubscribe_url": "Unsubscribe link",
    "preferences_url": "Preference centre link",
    "web_version_url": "Link to the web version",
    "workspace.name": "Workspace name",
    "workspace.postal_address": "Postal address",
    "workspace.reason_line": "Why they get this mail",
    "campaign.name": "Campaign name",
}
#: One value may not fill a mail.
MAX_VALUE_CHARACTERS = 5_000


def as_text(value: Any) -> str:
    """Return how a stored attribute reads in a mail; an unknown or false value is empty, so a section hides."""
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)[:MAX_VALUE_CHARACTERS].replace("\x00", "")


def shared_context(workspace: Workspace, campaign: Campaign | None) -> dict[str, str]:
    """Return the values that are the same for every recipient."""
    return {
        "workspace.name": workspace.name,
        "workspace.postal_address": workspace.postal_address,
        "workspace.reason_line": workspace.reason_line,
        "campaign.name": campaign.name if campaign else "",
    }


def contact_context(
    values: Sequence[Any] | None,
    tags: Mapping[str, MergeTag],
    workspace: Workspace,
    campaign: Campaign | None,
) -> dict[str, str]:
    """Return the merge values of one contact, with each field's fallback where the contact has no value.

    Args:
        values: a row of `audiences.selectors.contact_values`: id, email, first name, last name, attributes;
            None for a contact of whom nothing is known.
        tags: `audiences.selectors.known_merge_tags(workspace)`.
        workspace: whose mail it is.
        campaign: None for a transactional message.

    Returns:
        Names to texts, flat (`workspace.name` is one key). Links such as `unsubscribe_url` are added by the sender.
    """
    context = {key: tag.fallback for key, tag in tags.items() if tag.fallback}
    if values is not None:
        _id, email, first_name, last_name, attributes = values
        own = {**(attributes or {}), "email": email, "first_name": first_name, "last_name": last_name}
        for key in tags:
            if text := as_text(own.get(key)).strip():
                context[key] = text
    context.update(shared_context(workspace, campaign))
    return context


def is_known(name: str, tags: Mapping[str, MergeTag]) -> bool:
    """Return whether a tag in a template has a meaning."""
    return name in tags or name in SYSTEM_NAMES or name in DOTTED_NAMES or name.startswith(RESERVED_PREFIX)
