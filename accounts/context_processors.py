"""What every page's frame needs to know."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.permissions import PERMISSIONS, role_allows

THEME_COOKIE = "theme"
THEMES = frozenset({"light", "dark"})


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give templates the workspace, the switcher's memberships, `may` and the theme.

    `may.campaign_send` is whether the person's role allows the action `campaign.send`.
    """
    place = getattr(request, "place", None)  # absent when an earlier middleware answered with an error page
    user = getattr(request, "user", None)
    membership = place.membership if place else None
    chosen = request.COOKIES.get(THEME_COOKIE) or getattr(user, "theme", "")
    return {
        "workspace": membership.workspace if membership else None,
        "membership": membership,
        "memberships": place.memberships if place else [],
        "may": {
            action.replace(".", "_"): membership is not None and role_allows(membership.role, action)
            for action in PERMISSIONS
        },
        "theme": chosen if chosen in THEMES else "",
    }
