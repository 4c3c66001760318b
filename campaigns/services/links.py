"""Pointing a link elsewhere after its mail has left: every link is a redirect, so a wrong address can be mended."""

from __future__ import annotations

from collections.abc import Callable
from posixpath import normpath
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings
from django.db import transaction

from accounts.activity import record as record_activity
from accounts.models import User
from campaigns.content.links import urlsplit_or_none, with_utm
from campaigns.models import Link
from campaigns.selectors.links import leads_of, utm_of
from pulsequill.core.errors import FieldError, Invalid, WrongState
from pulsequill.core.live import mark_dirty

MOST_CHARACTERS = 2000


def repoint(*, link: Link, url: str, actor: User | None) -> Link:
    """Let a link lead to another address, in all mails that have left and that will leave.

    All links of the campaign that lead to the same page are changed together, and each keeps the `utm_` parameters of
    its first address. Readers are led there within about a minute (`analytics.tracking.links`).

    Args:
        link: one of a launched campaign.
        url: a complete http or https address.
        actor: who asked.

    Raises:
        Invalid: readers cannot or must not be sent there.
        WrongState: the campaign has not been launched.
    """
    target = clean_address(url)
    return _point(link, lambda first: with_utm(target, utm_of(first)), actor=actor)


def undo_repoint(*, link: Link, actor: User | None) -> Link:
    """Let a link lead again to where it led when the mail was written.

    Raises:
        WrongState: it was not changed.
    """
    if not link.original_url:
        raise WrongState("This link leads to its first address.")
    return _point(link, lambda first: first, actor=actor)


def clean_address(url: str) -> str:
    """Return an address that readers may be sent to.

    Raises:
        Invalid: no web address, one that differs from reader to reader, one that hides where it leads, or one of our
            own tracked addresses, which would lead in a circle.
    """
    url = url.strip()
    if len(url) > MOST_CHARACTERS:
        raise _refuse("too_long", f"An address has at most {MOST_CHARACTERS} characters.")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise _refuse("invalid", "An address holds no spaces and no line breaks.")
    if "{{" in url:
        raise _refuse("merge_tag", "This address leads all readers to one place, so it holds no merge tags.")
    if urlsplit_or_none(url) is None or not _has_host(url):
        raise _refuse("not_a_web_address", "Give a complete address that begins with https:// or http://.")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise _refuse("hides_its_host", "An address with a name before an @ hides where it leads.")
    if _is_tracked(parts):
        raise _refuse("own_link", "This is a tracked address of ours; give the address that it leads to.")
    return url


def _is_tracked(parts: SplitResult) -> bool:
    """Whether an address is one of ours that count and lead on, however it is spelled (RFC 3986, section 6.2).

    The port does not matter: a proxy leads http on to https, and a circle counts a click at each turn.
    """
    own_host = urlsplit(settings.PUBLIC_URL).hostname
    path = normpath(unquote(parts.path)).lstrip("/")
    return (parts.hostname or "").rstrip(".") == own_host and path.startswith(("t/", "u/"))


def _has_host(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return bool(host.encode("idna"))
    except (UnicodeError, ValueError):
        return False


def _refuse(code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError("url", code, detail)])


def _point(link: Link, target_of: Callable[[str], str], *, actor: User | None) -> Link:
    """Change a link and those that lead where it leads; `target_of` gets the first address of each."""
    campaign = link.variant.campaign
    if campaign.launched_at is None:
        raise WrongState("The mail has not left yet: change the address where it is written.")
    with transaction.atomic():
        links = Link.objects.filter(workspace_id=link.workspace_id, variant__campaign=campaign, is_honeypot=False)
        rows = list(links.select_for_update(of=("self",)).order_by("pk"))
        changed = [row for row in rows if leads_of(row) == leads_of(link)]
        for row in changed:
            first = row.original_url or row.url
            row.url = target_of(first)
            row.original_url = "" if row.url == first else first
        Link.objects.bulk_update(changed, ["url", "original_url"])
        now = next((row for row in changed if row.pk == link.pk), link)
        if now.url != link.url:
            record_activity(
                workspace=campaign.workspace,
                kind="link.repointed",
                summary=f"A link of “{campaign.name[:80]}” leads to {now.url[:170]} now.",
                actor=actor,
                subject=campaign,
                **{"from": link.url[:500], "to": now.url[:500]},
                links=[str(row.public_id) for row in changed],
            )
            transaction.on_commit(lambda: mark_dirty(campaign.pk))
    link.url, link.original_url = now.url, now.original_url
    return link
