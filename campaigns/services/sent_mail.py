"""Looking at what was sent, for the pages of whoever reports on it."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from audiences.selectors import known_merge_tags
from campaigns.content.dark_preview import LOOKS
from campaigns.content.merge_tags import contact_context
from campaigns.content.sent import HEATS, Mark, SentMail, render_sent
from campaigns.models import Link, Variant

__all__ = ["HEATS", "LOOKS", "Mark", "SentMail", "show_sent"]


def show_sent(*, variant: Variant, marks: Mapping[int, Mark] | None = None) -> SentMail:
    """Return the frozen mail of a variant as somebody would get it of whom only the fallbacks are known.

    Args:
        variant: with its `campaign` and `workspace`; of a campaign that was launched.
        marks: badges of a click map, by position of the link.

    Raises:
        Invalid: the frozen source cannot be rendered.
    """
    context = contact_context(None, known_merge_tags(variant.workspace), variant.workspace, variant.campaign)
    context |= {
        "unsubscribe_url": f"{settings.PUBLIC_URL}/u/preview",
        "preferences_url": f"{settings.PUBLIC_URL}/p/preview",
        "web_version_url": f"{settings.PUBLIC_URL}/w/preview",
    }
    urls = dict(Link.objects.filter(variant=variant).values_list("position", "url"))
    return render_sent(variant, context=context, urls=urls, marks=marks)
