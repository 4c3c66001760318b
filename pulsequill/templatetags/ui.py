"""The design system in templates: icons, chips, fields, numbers, times and the page furniture.

A builtin library (settings.TEMPLATES): no `{% load %}` needed. Everything returned is escaped here, so a contact's
name can never become markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from decimal import Context as DecimalContext
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.forms import BoundField
from django.template.context import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString, mark_safe
from django_htmx.jinja import htmx_script as django_htmx_script

from pulsequill.core.icons import icon_drawings

register = template.Library()

SCRIPTS = Path(__file__).resolve().parents[2] / "static" / "js"


# --- icons and chips -------------------------------------------------------------------------------------------------
@register.simple_tag
def icon(name: str, size: str = "", extra: str = "") -> SafeString:
    """Draw an icon inline, hidden from screen readers: the words beside it carry the meaning.

    `size` is "" (20 px) or "s" (16 px); `extra` are more CSS classes. An unknown name draws nothing but says so in
    `data-missing-icon`: a misspelt picture must not take a page down (the tests look for it).
    """
    classes = " ".join(filter(None, ["i", size, extra]))
    drawing = icon_drawings().get(name)
    if drawing is None:
        return format_html('<svg class="{}" aria-hidden="true" data-missing-icon="{}"></svg>', classes, name)
    return format_html(
        '<svg class="{}" viewBox="0 0 20 20" aria-hidden="true">{}</svg>',
        classes,
        mark_safe(drawing),  # noqa: S308 - from the project's own sprite
    )


@register.simple_tag
def chip(tone: str, text: object, icon: str = "") -> SafeString:
    """A small label. `tone`: "" (plain), accent, ok, warn, bad, human, machine, line; icon name, or "dot", "live"."""
    return format_html('<span class="chip {}">{}{}</span>', tone, _chip_mark(icon), text)


def _chip_mark(name: str) -> SafeString:
    if name == "live":
        return mark_safe('<span class="dot live"></span>')
    if name == "dot":
        return mark_safe('<span class="dot"></span>')
    return icon(name) if name else mark_safe("")


class Look(NamedTuple):
    """How a status is shown: never by colour alone."""

    tone: str
    icon: str
    text: str = ""


#: Every status of every model, and the words the pages use for them.
STATUS_LOOKS: dict[str, Look] = {
    # campaigns and messages
    "draft": Look("", "edit"),
    "scheduled": Look("line", "calendar"),
    "preparing": Look("accent", "live"),
    "sending": Look("accent", "live"),
    "paused": Look("warn", "pause"),
    "sent": Look("ok", "check"),
    "cancelled": Look("", "block"),
    "failed": Look("bad", "warn"),
    "held": Look("line", "pause", "Held back"),
    "queued": Look("line", "clock"),
    "retrying": Look("warn", "refresh"),
    "in_doubt": Look("warn", "help", "In doubt"),
    "skipped": Look("", "block"),
    # imports and AI work
    "mapping": Look("accent", "columns", "Choose columns"),
    "running": Look("accent", "live"),
    "done": Look("ok", "check"),
    "undoing": Look("accent", "live"),
    "undone": Look("", "undo"),
    "writing": Look("accent", "live", "Being written"),
    "drafted": Look("ok", "check", "Draft ready"),
    "succeeded": Look("ok", "check"),
    "blocked": Look("bad", "block"),
    "proposed": Look("accent", "sparkle"),
    "accepted": Look("ok", "check"),
    "edited": Look("ok", "edit"),
    "rejected": Look("bad", "close"),
    "locked": Look("", "lock"),
    # people, lists and consent
    "active": Look("ok", "check"),
    "pending": Look("", "clock"),
    "unsubscribed": Look("", "unsubscribe"),
    "suppressed": Look("bad", "block"),
    "erased": Look("", "trash"),
    "hard_bounce": Look("warn", "bounce", "Hard bounce"),
    "complaint": Look("bad", "flag"),
    "unsubscribe": Look("", "unsubscribe"),
    "manual": Look("", "block", "Suppressed by hand"),
    "revoked": Look("bad", "block"),
    "expired": Look("", "clock"),
    # events
    "delivered": Look("ok", "check"),
    "deferred": Look("warn", "clock"),
    "bounced": Look("warn", "bounce"),
    "complained": Look("bad", "flag"),
    "opened": Look("human", "eye"),
    "clicked": Look("human", "click"),
    "human": Look("human", "user"),
    "machine": Look("machine", "machine"),
    "unknown": Look("", "help"),
    # decisions and senders
    "approved": Look("ok", "check"),
    "verified": Look("ok", "check"),
    "unverified": Look("warn", "warn", "Not checked"),
    "exhausted": Look("bad", "warn", "Gave up"),
}


@register.simple_tag
def status_chip(status: object, text: str = "") -> SafeString:
    """A status as a chip with icon and word; a status without a look of its own is shown plainly."""
    value = str(getattr(status, "value", status) or "unknown")
    look = STATUS_LOOKS.get(value, Look("", ""))
    return chip(look.tone, text or look.text or value.replace("_", " ").capitalize(), icon=look.icon)


# --- forms -----------------------------------------------------------------------------------------------------------
@register.simple_tag
def form_field(field: BoundField, hint: str = "", label: str = "") -> SafeString:
    """Label, control, hint and error of one form field, wired for screen readers."""
    if not isinstance(field, BoundField):
        raise template.TemplateSyntaxError("form_field needs a field of a form, such as `form.name`.")
    if hint:
        field.with_hint(hint)  # type: ignore[attr-defined]
    return mark_safe(  # noqa: S308 - a rendered template
        render_to_string("components/field.html", {"field": field, "label": label or field.label})
    )


@register.inclusion_tag("components/error_summary.html")
def form_errors(form: Any) -> dict[str, Any]:
    """What is wrong, above a form: general errors in words, field errors as links to their fields."""
    fields = [field for field in form if field.errors] if form.is_bound else []
    return {"form": form, "fields": fields, "general": form.non_field_errors() if form.is_bound else []}


# --- blocks ----------------------------------------------------------------------------------------------------------
@register.simple_block_tag
def empty_state(content: str, icon: str, title: str, text: str = "") -> str:
    """An empty place: one sentence, and the actions between the tags."""
    return render_to_string(
        "components/empty_state.html", {"icon": icon, "title": title, "text": text, "actions": content}
    )


# --- numbers and times -----------------------------------------------------------------------------------------------
@register.filter
def compact(value: Any) -> str:
    """12345 -> 12,345; nothing -> an en dash."""
    if value is None or value == "":
        return "–"
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float | Decimal) else f"{int(value):,}"


#: Rounds as the browser's `toPrecision(3)` does.
_THREE_FIGURES = DecimalContext(prec=3, rounding=ROUND_HALF_UP)


@register.filter
def short(value: Any) -> str:
    """12345 -> 12,345, but 1050000 -> 1.05M: three figures where a million would not fit."""
    if value is None or value == "" or value < 1_000_000:
        return compact(value)
    return f"{float(_THREE_FIGURES.create_decimal_from_float(value / 1e6)):g}M"


@register.filter
def percent(share: Any, digits: int | None = None) -> str:
    """A share of 1 as a percentage with as many decimals as tell something: 0.0433 -> 4.33 %, 0.977 -> 97.7 %."""
    if share is None or share == "":
        return "–"
    number = float(share) * 100
    if digits == 0 and 0 < number < 0.5:
        return "<1 %"
    if digits is None:
        digits = 0 if abs(number) >= 1000 else 1 if abs(number) >= 10 else 2
    # "7.50 %" stands in line with "5.52 %", but whole numbers stay whole and limits such as 0.1 % short.
    text = f"{number:,.{digits}f}".removesuffix("." + "0" * digits)
    return f"{text.rstrip('0') if '.' in text and abs(number) < 1 else text} %"


@register.filter
def when(moment: datetime | date | None) -> SafeString:
    """A `<time>`: near moments in words ("5 min ago"), others as a date; the full moment on hover.

    `static/js/time.js` keeps the words fresh and says them in the reader's own time zone.
    """
    if moment is None:
        return mark_safe('<span class="dim">–</span>')
    if not isinstance(moment, datetime):
        return format_html('<time datetime="{}">{}</time>', moment.isoformat(), formats.date_format(moment, "j M Y"))
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return format_html(
        '<time datetime="{}" title="{}" data-when>{}</time>',
        moment.isoformat(),
        formats.date_format(local, "j F Y, H:i T" if timezone.is_aware(moment) else "j F Y, H:i"),
        _in_words(local, timezone.localtime() if timezone.is_aware(moment) else datetime.now()),  # noqa: DTZ005
    )


def _in_words(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    ahead, distance = seconds < 0, abs(seconds)
    if distance < 45:
        return "in a moment" if ahead else "just now"
    for limit, unit, name in ((3600, 60, "min"), (86400, 3600, "h")):
        if distance < limit:
            number = max(1, round(distance / unit))
            return f"in {number} {name}" if ahead else f"{number} {name} ago"
    pattern = "j M, H:i" if moment.year == now.year else "j M Y"
    return formats.date_format(moment, pattern)


@register.filter
def initials(name: object) -> str:
    """Two letters for an avatar: "Maya Okafor" -> MO, "maya@x.example" -> MA."""
    text = str(name or "").split("@", 1)[0].replace(".", " ").replace("_", " ")
    words = text.split()
    letters = words[0][0] + words[-1][0] if len(words) > 1 else text[:2]
    return letters.upper()


#: Merge tags -> how a list says them: what a section shows when it has a value, and a tag by its name.
_TAGS_IN_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\{\{\^\s*([\w.]+)\s*\}\}.*?\{\{/\s*\1\s*\}\}|\{\{!.*?\}\}", re.DOTALL), ""),
    (re.compile(r"\{\{#\s*([\w.]+)\s*\}\}(.*?)\{\{/\s*\1\s*\}\}", re.DOTALL), r"\2"),
    (re.compile(r"\{\{\{?\s*([\w.]+)\s*\}?\}\}"), r"‹\1›"),
)


@register.filter
def tags_in_words(text: object) -> str:
    """A subject as people say it, where nobody edits it: "Hi {{first_name}}" -> "Hi ‹first_name›"."""
    said = str(text or "")
    for pattern, words in _TAGS_IN_WORDS:
        said = pattern.sub(words, said)
    return said


# --- the shell -------------------------------------------------------------------------------------------------------
class NavItem(NamedTuple):
    """One entry of the main navigation: `keys` are the values of the page's `nav` that light it up."""

    keys: tuple[str, ...]
    label: str
    icon: str
    url_name: str
    is_primary: bool = False
    shortcut: str = ""


NAVIGATION: tuple[NavItem, ...] = (
    NavItem(("home",), "Home", "home", "analytics:home", is_primary=True, shortcut="g h"),
    NavItem(("campaigns",), "Campaigns", "campaigns", "campaigns:campaign_list", is_primary=True, shortcut="g c"),
    NavItem(("contacts", "imports"), "Audience", "contacts", "audiences:contact_list", is_primary=True, shortcut="g a"),
    NavItem(("lists",), "Lists", "lists", "audiences:list_list", shortcut="g l"),
    NavItem(("segments",), "Segments", "segments", "audiences:segment_list", shortcut="g s"),
    NavItem(("templates",), "Templates", "templates", "campaigns:template_list", shortcut="g t"),
    NavItem(("media",), "Media", "media", "campaigns:media", shortcut="g m"),
    NavItem(("ai",), "AI studio", "ai", "aiwriter:studio", is_primary=True, shortcut="g i"),
    NavItem(("analytics",), "Analytics", "analytics", "analytics:reports", shortcut="g r"),
    NavItem(("outbox",), "Outbox", "outbox", "campaigns:outbox", shortcut="g o"),
)
FOOT: tuple[NavItem, ...] = (
    NavItem(("notifications",), "Notifications", "bell", "accounts:notification_list", shortcut="g n"),
    NavItem(("settings",), "Settings", "settings", "accounts:settings", shortcut="g ,"),
)


def _entries(items: Iterable[NavItem], current: str) -> list[dict[str, Any]]:
    return [{**item._asdict(), "url": reverse(item.url_name), "is_current": current in item.keys} for item in items]


@register.inclusion_tag("components/navigation.html", takes_context=True)
def navigation(context: Context) -> dict[str, Any]:
    """The main navigation; phones show the primary entries and a sheet with the rest."""
    current = str(context.get("nav", ""))
    return {
        "entries": _entries(NAVIGATION, current),
        "foot": _entries(FOOT, current),
        "theme": context.get("theme", ""),
    }


class Search(NamedTuple):
    """Records that the palette finds while one types: where to ask, and the page of an answer."""

    icon: str
    api_url_name: str
    page_url_name: str
    #: Fields of an answer, the first with a text is its name; the last is the hint beside it.
    names: tuple[str, ...]
    hint: str


#: What the palette offers to those who may: the name in `may`, and the page that does it.
ACTIONS: dict[str, NavItem] = {
    "campaign_edit": NavItem((), "New campaign", "quill", "campaigns:campaign_new", shortcut="c"),
    "import_edit": NavItem((), "Import contacts", "upload", "audiences:import_new"),
}
SEARCHES: tuple[Search, ...] = (
    Search("campaigns", "v1_campaign_list", "campaigns:composer", ("name",), "status"),
    Search("user", "contact-list", "audiences:contact_detail", ("email",), "first_name"),
)
_ANY_ID = "00000000-0000-0000-0000-000000000000"


@register.simple_tag(takes_context=True)
def palette_data(context: Context) -> SafeString:
    """Pages, actions and searches of the command palette, as JSON that its script reads."""
    may = context.get("may") or {}
    actions = [item for permission, item in ACTIONS.items() if may.get(permission)]
    entries = [
        {"label": entry["label"], "icon": entry["icon"], "url": entry["url"], "keys": entry["shortcut"]}
        for entry in _entries([*actions, *NAVIGATION, *FOOT], "")
    ]
    searches = [
        {
            "icon": search.icon,
            "api": f"{reverse(search.api_url_name)}?limit=5&q=",
            "page": reverse(search.page_url_name, args=[_ANY_ID]).replace(_ANY_ID, "{id}"),
            "names": search.names,
            "hint": search.hint,
        }
        for search in SEARCHES
    ]
    return json_script({"entries": entries, "searches": searches}, "palette-data")


# --- scripts ---------------------------------------------------------------------------------------------------------
@cache
def _modules() -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"pq/{path.relative_to(SCRIPTS).with_suffix('').as_posix()}", f"js/{path.relative_to(SCRIPTS).as_posix()}")
        for path in sorted(SCRIPTS.rglob("*.js"))
    )


@register.simple_tag(takes_context=True)
def import_map(context: Context) -> SafeString:
    """The import map: `pq/<name>` for every module under static/js, at its (hashed) address."""
    if settings.DEBUG:
        _modules.cache_clear()
    imports = {name: staticfiles_storage.url(path) for name, path in _modules()}
    text = json.dumps({"imports": imports}, separators=(",", ":")).replace("<", "\\u003c")
    return format_html(
        '<script type="importmap" nonce="{}">{}</script>',
        _nonce(context),
        mark_safe(text),  # noqa: S308 - addresses of the project's own files
    )


@register.simple_tag(takes_context=True)
def module(context: Context, path: str) -> SafeString:
    """A page's own script: `{% module "campaigns/composer.js" %}` loads static/js/campaigns/composer.js."""
    return format_html(
        '<script type="module" nonce="{}" src="{}"></script>',
        _nonce(context),
        staticfiles_storage.url(f"js/{path}"),
    )


@register.simple_tag(takes_context=True)
def htmx_script(context: Context) -> SafeString:
    """htmx 2 from django-htmx, with this response's nonce."""
    return django_htmx_script(nonce=_nonce(context))


def _nonce(context: Context) -> str:
    # Turned to text at once: django-csp puts the nonce in the header only when it was read, and until then it is falsy.
    return str(getattr(context.get("request"), "csp_nonce", ""))


@register.inclusion_tag("components/page_nav.html")
def page_nav(page: Any) -> dict[str, Any]:
    """Back and next for keyset pages: `page` has `previous_url` and `next_url`, each empty at its end."""
    return {"page": page}
