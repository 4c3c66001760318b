"""Taking in a mail that somebody made elsewhere: pasted HTML becomes a clean body, with a report of what was left out.

What the sanitiser would do at sending happens here once, before people's eyes: style sheets go into the elements, what
loads or runs goes, conditional comments for Outlook stay, merge tags of other systems become ours.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from html import unescape

import css_inline

from campaigns.content import mustache
from campaigns.content.sanitising import (
    MAIL_TAGS,
    SCHEMES,
    clean_mail_html,
    clean_stylesheet,
    refuse_monsters,
    without_control_characters,
)
from pulsequill.core.errors import FieldError, Invalid

#: Inlining compares every selector with every element: this many comparisons take about a second.
MAX_COMPARISONS = 2_000_000
MAX_LISTED_IMAGES = 100

#: Mailchimp's and Brevo's tags for what every mail needs; the rest stays as text and is reported.
_FOREIGN_TAGS: dict[str, str] = {
    "*|FNAME|*": "{{first_name}}", "*|LNAME|*": "{{last_name}}", "*|EMAIL|*": "{{email}}",
    "*|UNSUB|*": "{{unsubscribe_url}}", "*|ARCHIVE|*": "{{web_version_url}}",
    "*|UPDATE_PROFILE|*": "{{preferences_url}}", "*|LIST:COMPANY|*": "{{workspace.name}}",
    "*|LIST:ADDRESSLINE|*": "{{workspace.postal_address}}",
    "{{ unsubscribe }}": "{{unsubscribe_url}}", "{{ mirror }}": "{{web_version_url}}",
    "{{ contact.FIRSTNAME }}": "{{first_name}}", "{{ contact.LASTNAME }}": "{{last_name}}",
    "{{ contact.EMAIL }}": "{{email}}",
}  # fmt: skip
_OTHER_FOREIGN_TAG = re.compile(r"\*\|[A-Z][A-Z0-9_:]*\|\*|%%[A-Za-z_]+%%|%recipient\.[a-z_]+%")
_STYLE = re.compile(r"<style\b[^<>]*>(.*?)</style>", re.IGNORECASE | re.DOTALL)
_BODY = re.compile(r"<body\b[^<>]*>(.*?)(</body>|$)", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<title\b[^<>]*>([^<]*)", re.IGNORECASE)
_TOKEN = re.compile(r"<!--(?P<comment>.*?)-->|<(?P<tag>[A-Za-z][A-Za-z0-9:-]*)(?P<attributes>[^<>]*)", re.DOTALL)
_ATTRIBUTE = re.compile(r"(?P<name>[A-Za-z-]+)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")
#: What must be closed before the end: parsers would take the rest of the page for it, again and again.
_PAIRS = (("<!--", "-->", "comment"), ("<style", "</style", "style sheet"), ("<script", "</script", "script"))
_SPACE = re.compile(r"\s+")
#: Not content, but not worth a line in the report either: the document around the mail.
_FRAME = frozenset({"html", "head", "body", "title", "meta", "style", "tbody"})
_VOID = frozenset(
    {"img", "br", "hr", "input", "meta", "link", "col", "base", "area", "embed", "source", "wbr", "param"}
)
_NAMES = {
    "script": "scripts", "iframe": "frames", "form": "forms", "input": "form fields", "button": "form buttons",
    "link": "linked style sheets and files", "object": "embedded objects", "embed": "embedded objects",
    "video": "videos", "audio": "audio players", "svg": "SVG drawings", "base": "base addresses",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the imported mail; `problem` is a sentence, or ''."""

    src: str
    alt: str
    problem: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A clean body of the format HTML, and the report."""

    body: str
    title: str
    #: What was left out, as words with their number: "scripts" -> 2.
    removed: dict[str, int]
    #: Sentences about what was changed or needs a look.
    notes: list[str]
    pictures: list[Picture]


class _Survey:
    """What a page holds, counted in one pass."""

    def __init__(self, page: str) -> None:
        self.tags: Counter[str] = Counter()
        self.handlers = self.bad_links = self.comments = self.conditional_comments = 0
        self.pictures: list[tuple[str, str]] = []
        for found in _TOKEN.finditer(page):
            if found["tag"] is None:
                is_conditional = found["comment"].lstrip().lower().startswith(("[if", "<![endif"))
                self.conditional_comments += is_conditional
                self.comments += not is_conditional
            else:
                self._element(found["tag"].lower(), found["attributes"])

    def _element(self, tag: str, written: str) -> None:
        self.tags[tag] += 1
        values = {
            one["name"].lower(): unescape(one["value"].strip("\"'")).strip() for one in _ATTRIBUTE.finditer(written)
        }
        self.handlers += sum(name.startswith("on") for name in values)
        if tag == "a" and not _is_plain_address(values.get("href", "")):
            self.bad_links += 1
        if tag == "img":
            self.pictures.append((values.get("src", ""), values.get("alt", "")))


def _is_plain_address(url: str) -> bool:
    scheme, colon, _rest = re.sub(r"[\x00-\x20]+", "", url).partition(":")
    return not colon or "{{" in scheme or not scheme.isalpha() or scheme.lower() in SCHEMES


def import_html(source: str) -> Imported:
    """Return pasted HTML as a body that may be stored.

    Args:
        source: a whole page or a part of one, at most 256 KB.

    Raises:
        Invalid: it is too large, is no mail, has merge tags that are not allowed, or holds nothing; with `line` and
            `column` of the pasted text where there is a place.
    """
    written, notes = _with_our_tags(without_control_characters(source))
    mustache.validate(written, field="body")
    _refuse_open_ends(written)
    refuse_monsters(written)
    survey, styles = _Survey(written), _STYLE.findall(written)
    if sum(css.count("{") + css.count(",") for css in styles) * survey.tags.total() > MAX_COMPARISONS:
        raise _refusal("The style sheet has too many rules for so many elements.")
    safe = [clean_stylesheet(css) for css in styles]
    inner = clean_mail_html(_inlined(_body_of(written), safe), keeps_outlook=True).strip()
    if not re.sub(r"<[^>]*>", "", inner).strip() and "<img" not in inner:
        raise _refusal("There is no mail in this HTML: it has neither text nor pictures.")
    for_phones = "\n".join(css.strip() for css in safe if "@media" in css)
    body = f"<style>\n{for_phones}\n</style>\n{inner}\n" if for_phones else f"{inner}\n"
    mustache.validate(body, field="body")

    if any(css.strip() for css in safe):
        notes.append("Style sheets were written into the elements, because many mail programs ignore them.")
    if for_phones:
        notes.append("Rules for phones and dark mode stay in one style sheet.")
    if survey.conditional_comments:
        notes.append("Conditional comments for Outlook stay.")
    if "unsubscribe_url" not in mustache.validate(body):
        notes.append("There is no unsubscribe link: the workspace footer is added below it.")
    return Imported(
        body=body,
        title=_title_of(written),
        removed=_removed(survey, unsafe_styles=sum(bool(css.strip()) for css in styles) - sum(map(bool, safe))),
        notes=notes,
        pictures=[_judged(src, alt) for src, alt in survey.pictures[:MAX_LISTED_IMAGES]],
    )


def _refusal(detail: str, **place: int) -> Invalid:
    return Invalid(detail, code="not_a_mail", errors=[FieldError("body", "not_a_mail", detail)], **place)


def _refuse_open_ends(page: str) -> None:
    lowered = page.lower()
    for opening, closing, name in _PAIRS:
        if (at := lowered.rfind(opening)) > lowered.rfind(closing):
            line, column = page.count("\n", 0, at) + 1, at - page.rfind("\n", 0, at)
            raise _refusal(f"Line {line}, column {column}: this {name} has no end.", line=line, column=column)


def _title_of(page: str) -> str:
    """Return the page's title as a subject, '' when it would not be a valid one."""
    found = _TITLE.search(page)
    title = _SPACE.sub(" ", unescape(found[1])).strip()[:300] if found else ""
    try:
        mustache.validate(title)
    except Invalid:
        return ""
    return title


def _with_our_tags(source: str) -> tuple[str, list[str]]:
    notes = []
    for theirs, ours in _FOREIGN_TAGS.items():
        if theirs in source:
            source = source.replace(theirs, ours)
            notes.append(f"{theirs} became {ours}.")
    if unknown := sorted(set(_OTHER_FOREIGN_TAG.findall(source))):
        shown = ", ".join(unknown[:8])
        notes.append(f"Tags of another system stay as text; replace them with merge tags: {shown}.")
    return source, notes


def _inlined(body: str, styles: list[str]) -> str:
    """Return the body without its style sheets, the page's rules written into its elements."""
    bare = _STYLE.sub("", body)
    rules = "\n".join(styles).strip()
    if not rules:
        return bare
    try:
        inliner = css_inline.CSSInliner(
            inline_style_tags=False, keep_style_tags=False, load_remote_stylesheets=False, extra_css=rules
        )
        # Inside a body of its own: a parser moves a comment at the very beginning out of the page.
        return _body_of(inliner.inline(f"<html><body>{bare}</body></html>"))
    except css_inline.InlineError as error:
        raise _refusal(f"The style sheet could not be read: {error}.") from error


def _body_of(page: str) -> str:
    found = _BODY.search(page)
    return found[1] if found else page


def _removed(survey: _Survey, *, unsafe_styles: int) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for tag, number in survey.tags.items():
        if tag not in MAIL_TAGS and tag not in _FRAME:
            counts[_NAMES.get(tag, f"<{tag[:30]}> elements")] += number
    counts["event handlers"] = survey.handlers
    counts["links that run something"] = survey.bad_links
    counts["comments"] = survey.comments
    counts["style sheets that load something"] = unsafe_styles
    return {words: number for words, number in counts.most_common() if number}


def _judged(src: str, alt: str) -> Picture:
    shown = src if len(src) <= 200 else f"{src[:197]}…"
    if src.startswith("data:"):
        return Picture(
            "(in the mail itself)", alt, "Most programs do not show pictures inside the HTML. Upload it to Media."
        )
    if src.startswith("cid:") or not src:
        return Picture(shown or "(no address)", alt, "It has no address on the web. Upload it to Media.")
    if "{{" not in src and not re.match(r"https?://", src, re.IGNORECASE):
        return Picture(shown, alt, "Its address is incomplete, so it will not load. Upload it to Media.")
    if src.lower().startswith("http://"):
        return Picture(shown, alt, "Plain http: some programs will not load it.")
    return Picture(shown, alt, "" if alt else "Nothing says what it shows.")
