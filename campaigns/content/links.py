"""Links of a compiled mail: campaign parameters, and the fragments that become tracked addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

UTM_NAMES = ("source", "medium", "campaign", "term", "content")
#: Merge tags that campaign parameters may hold: alike for every reader of a variant, so that its links stay one link.
UTM_TAGS = ("campaign.name", "variant.label", "workspace.name")
_TAG = re.compile(r"\{\{\{?\s*([^{}]*?)\s*\}?\}\}")

#: Links, and the drawn buttons of Outlook; not `<link>`.
_HREF = re.compile(
    r"(?P<head><(?:a|area|v:\w+)\b[^<>]*?\shref=)(?P<quote>[\"'])(?P<url>.*?)(?P=quote)", re.IGNORECASE | re.DOTALL
)
_BARE = re.compile(r"https?://[^\s<>\"]+")
#: Punctuation that ends a sentence rather than an address.
_TAIL = ".,;:!?)"


def is_trackable(url: str) -> bool:
    """Return whether a link can become a tracked one: absolute, http or https, and the same for every reader."""
    return "{{" not in url and urlsplit_or_none(url) is not None


def urlsplit_or_none(url: str) -> tuple[str, str] | None:
    """Return scheme and host of an absolute web address, None when it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if parts.scheme in ("http", "https") and parts.netloc else None


def tags_of_utm(text: str) -> list[str]:
    """Return the merge tags in the text of a campaign parameter."""
    return _TAG.findall(text)


def fill_utm(utm: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Return campaign parameters with the values of `UTM_TAGS` in place of their tags."""
    return {name: _TAG.sub(lambda tag: values.get(tag[1], ""), text).strip() for name, text in utm.items()}


def with_utm(url: str, utm: Mapping[str, str]) -> str:
    """Return `url` with the campaign's `utm_` parameters; those that stand in it already win."""
    wanted = {f"utm_{name}": utm[name] for name in UTM_NAMES if utm.get(name)}
    if not wanted:
        return url
    parts = urlsplit(url)
    present = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    extra = urlencode({name: value for name, value in wanted.items() if name not in present})
    return urlunsplit(parts._replace(query="&".join(part for part in (parts.query, extra) if part)))


@dataclass
class LinkTable:
    """Every address of a mail once, numbered in the order of its first appearance."""

    utm: Mapping[str, str]
    is_tracked: bool
    urls: list[str] = field(default_factory=list)

    def replace(self, url: str, *, write: Callable[[str], str] = str) -> str:
        """Return what stands in the mail for an address."""
        if not is_trackable(url):
            return write(url)
        url = with_utm(url, self.utm)
        if not self.is_tracked:
            return write(url)
        if url not in self.urls:
            self.urls.append(url)
        return f"{{{{{{pq_link_{self.urls.index(url)}}}}}}}"

    def in_html(self, markup: str) -> str:
        """Return HTML with the address of every link replaced."""

        def swap(found: re.Match[str]) -> str:
            stored = found["url"]
            if "{{" in stored:
                return found[0]
            target = self.replace(unescape(stored), write=lambda url: escape(url, quote=True))
            return f"{found['head']}{found['quote']}{target}{found['quote']}"

        return _HREF.sub(swap, markup)

    def in_text(self, words: str) -> str:
        """Return plain text with every address replaced."""

        def swap(found: re.Match[str]) -> str:
            url = found[0]
            if "{{" in url:
                return url
            bare = url.rstrip(_TAIL)
            if "(" in bare and url[len(bare) :].startswith(")"):
                bare += ")"
            return self.replace(bare) + url[len(bare) :]

        return _BARE.sub(swap, words)
