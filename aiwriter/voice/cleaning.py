"""Taking in texts that nobody vouches for: pasted mails, files, old campaigns. What comes out is plain text.

A sample may carry orders to a language model, in sight or out of it. What readers do not see is left out, so are
paragraphs that speak to a model, and both are said. This is the first of two walls; the second is that whoever reads
samples can only answer with short strings of a fixed shape (`agents.small.voice`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import nh3

from pulsequill.core.errors import FieldError, Invalid

MOST_CHARACTERS = 20_000
MOST_HTML = 300_000
MOST_DEPTH = 200
_VOID = frozenset({"img", "br", "hr", "input", "meta", "link", "col", "base", "area", "source", "wbr"})
#: Elements whose end may be left out: an open one says nothing about depth.
_LOOSE = frozenset({"p", "li", "td", "th", "tr", "tbody", "thead", "dt", "dd", "option"})
_PARAGRAPHS = frozenset(
    {"p", "div", "td", "th", "tr", "table", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "section",
     "article", "header", "footer", "center", "pre", "hr"}
)  # fmt: skip
#: Their words are no writing at all.
_NO_WORDS = frozenset(
    {"script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math", "textarea"}
)
_MARKUP = re.compile(
    r"<!--|<(?:!doctype|html|head|body|div|p|table|span|br|style|script|h[1-6]|font|center)\b", re.IGNORECASE
)
_ELEMENT = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_STYLE_SHEET = re.compile(r"<style\b[^>]*>([^<]*)", re.IGNORECASE)
_STYLE_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_NAMED = re.compile(r"[.#]([\w-]+)\s*$")
#: Property -> values with which words are out of sight.
_HIDING = {
    "display": r"none",
    "visibility": r"hidden|collapse",
    "opacity": r"0*(?:\.0\d*)?",
    "font-size": r"[01]?(?:\.\d+)?(?:px|pt|em|rem|%)?",
    "height": r"0(?:px)?",
    "max-height": r"0(?:px)?",
    "width": r"0(?:px)?",
    "max-width": r"0(?:px)?",
    "mso-hide": r"all",
    "text-indent": r"-\d{3,}.*",
    "left": r"-\d{3,}.*",
    "top": r"-\d{3,}.*",
    "color": r"transparent|rgba\([^)]*,\s*0\)",
}
_OUT_OF_SIGHT = {name: re.compile(value, re.IGNORECASE) for name, value in _HIDING.items()}

#: Words that are said to a language model and not to a reader.
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{0,40}\b(?:instructions?|prompts?|guidelines|rules)\b"
    r"|\b(?:ignore|disregard|forget)\b (?:all|everything|what is|the text)?[^.!?\n]{0,20}\b(?:above|before this)\b"
    r"|\b(?:previous|prior|above|earlier|system|hidden|developer)\s+(?:instructions?|prompts?)\b"
    r"|\byou are (?:now|no longer)\b[^.!?\n]{0,30}\b(?:assistant|model|ai|bot|dan|mode|bound|restricted)\b"
    r"|\b(?:act as|pretend to be)\b[^.!?\n]{0,20}\b(?:ai|assistant|dan|unrestricted|admin\w*|developer)\b"
    r"|\bjailbreak\w*|\bas an? (?:large )?(?:ai|ai language|language) model\b"
    r"|\b(?:dear|hey|attention|note to the) (?:ai|llm|model)\b"
    r"|<\|[\w ]+\|>|\[/?INST\]|^\s*(?:system|assistant)\s*:|\bBEGIN (?:SYSTEM|PROMPT)\b|\bDATA-[0-9a-f]{16}\b"
    r"|\b(?:reveal|print|repeat|output|respond (?:only )?with|answer with|reply with)\b[^.!?\n]{0,40}"
    r"\b(?:prompt|json|schema|api keys?|secrets?)\b"
    r"|\balways (?:write|say|include|add|insert|use|mention|link)\b[^!?\n]{0,60}\b(?:every|each|all) "
    r"(?:e-?mails?|drafts?|messages?|answers?|outputs?)\b"
    r"|\b(?:ignoriere|vergiss|missachte)\b[^.!?\n]{0,40}\b(?:anweisungen|regeln|befehle)\b"
    r"|\b(?:ignore[zr]?|oublie[zr]?)\b[^.!?\n]{0,40}\b(?:instructions|consignes|règles)\b"
    r"|\b(?:ignora|olvida)\b[^.!?\n]{0,40}\b(?:instrucciones|istruzioni|instruções|reglas|regole)\b",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_LINK = re.compile(r"<?\b(?:https?://|www\.)[^\s<>\"]+>?", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"(?<![\w{])\+?\d(?:[\s()/.-]{0,2}\d){8,}(?!\w)")
#: Invisible, but harmless and common: soft hyphens, byte-order marks, joiners, marks of direction.
_HARMLESS = frozenset("\u00ad\ufeff\u200c\u200d\u200e\u200f\u061c\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Flag:
    """Something that was left out of a sample, for people to see."""

    code: str
    message: str
    quote: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it as it is stored."""
        return {"code": self.code, "message": self.message, "quote": self.quote}


@dataclass(frozen=True)
class CleanText:
    """Plain text in paragraphs, and what was left out of it."""

    text: str
    flags: tuple[Flag, ...]


def speaks_to_a_model(text: str) -> str:
    """Return the words of a text that give orders to a language model, or ''."""
    found = _ORDERS.search(text)
    return " ".join(found[0].split())[:80] if found else ""


def without_invisible(text: str) -> str:
    """Return a text without the characters that nobody sees, in Unicode's composed form."""
    seen = (character for character in text if character in "\n\t" or not _is_invisible(character))
    return unicodedata.normalize("NFC", "".join(seen))


def clean_sample(source: str, *, is_html: bool | None = None) -> CleanText:
    """Return what readers would see of a sample, without orders, addresses, links and long numbers.

    Args:
        is_html: None looks for markup.

    Raises:
        Invalid: HTML that is no mail: too long, or nested too deep.
    """
    flags: list[Flag] = []
    source = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    hidden = ""
    if _MARKUP.search(source) if is_html is None else is_html:
        source, hidden = _seen(source)
    if lost := sum(_is_invisible(one) and one not in _HARMLESS for one in source if one not in "\n\t"):
        flags.append(Flag("hidden_characters", f"{lost:,} invisible character{'s'[: lost != 1]} left out."))
        hidden += "\n" + "".join(chr(ord(one) - 0xE0000) for one in source if 0xE0020 <= ord(one) <= 0xE007E)
    if words := len(hidden.split()):
        flags.append(Flag("hidden_text", f"{words:,} word{'s'[: words != 1]} that readers do not see left out."))
    if order := speaks_to_a_model(hidden):
        flags.append(Flag("orders", "Hidden words speak to an AI model. They were left out.", order))
    kept: list[str] = []
    for paragraph in paragraphs_of(without_invisible(source)):
        if order := speaks_to_a_model(paragraph):
            flags.append(Flag("orders", "A paragraph speaks to an AI model. It was left out.", order))
        else:
            kept.append(_without_data(paragraph))
    text = "\n\n".join(kept)
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS].rsplit("\n\n", 1)[0][:MOST_CHARACTERS]
        flags.append(Flag("cut", f"Only the first {MOST_CHARACTERS:,} characters are used."))
    return CleanText(text, tuple(flags))


def paragraphs_of(text: str) -> Iterator[str]:
    """Yield the paragraphs of a plain text, each with single spaces; lines of a list are paragraphs of their own."""
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [" ".join(line.split()) for line in paragraph.split("\n")]
        prose: list[str] = []
        for line in filter(None, lines):
            if re.match(r"[-•*–]\s|\d{1,2}[.)]\s", line):
                if prose:
                    yield " ".join(prose)
                    prose = []
                yield line
            else:
                prose.append(line)
        if prose:
            yield " ".join(prose)


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cf", "Cc", "Co", "Cn", "Cs")


def _without_data(text: str) -> str:
    """Return a text without what could be somebody's data, and without what has no voice."""
    text = _ADDRESS.sub("‹address›", _LINK.sub("‹link›", text))
    return _LONG_NUMBER.sub("‹number›", text)


# --- HTML: what readers see of it ------------------------------------------------------------------------------------
def _seen(source: str) -> tuple[str, str]:
    """Return the words in sight and those out of it."""
    _refuse_monsters(source)
    hidden = [found[1] for found in _COMMENT.finditer(source)]
    hiding_names = frozenset(
        name[1]
        for sheet in _STYLE_SHEET.finditer(source)
        for rule in _STYLE_RULE.finditer(sheet[1])
        if _hides(rule[2])
        for selector in rule[1].split(",")
        if (name := _NAMED.search(selector)) is not None
    )
    names = {found[2].lower() for found in _ELEMENT.finditer(source)}
    normal = nh3.clean(
        source,
        tags=names - _NO_WORDS,
        clean_content_tags=names & _NO_WORDS,
        attributes={"*": {"style", "class", "id", "hidden", "bgcolor", "color"}},
        link_rel=None,
    )
    reader = _Reader(hiding_names)
    reader.feed(normal)
    reader.close()
    orders = (comment for comment in hidden if speaks_to_a_model(comment))
    return "".join(reader.seen), "\n".join((*reader.unseen, *orders)).strip()


def _refuse_monsters(source: str) -> None:
    depth = 0
    for found in _ELEMENT.finditer(source):
        if found[2].lower() not in _VOID | _LOOSE:
            depth = max(0, depth - 1) if found[1] else depth + 1
        if depth > MOST_DEPTH:
            break
    if depth > MOST_DEPTH or len(source) > MOST_HTML:
        text = f"This HTML is no mail: longer than {MOST_HTML:,} characters, or nested deeper than {MOST_DEPTH}."
        raise Invalid(text, errors=[FieldError("text", "not_a_mail", text)])


def _hides(style: str) -> bool:
    """Return whether declarations take words out of sight, by themselves or by one colour on itself."""
    values: dict[str, str] = {}
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        values[name.strip().lower()] = value.replace("!important", "").strip().lower()
    if any(pattern.fullmatch(values[name]) for name, pattern in _OUT_OF_SIGHT.items() if values.get(name)):
        return True
    ground = values.get("background-color") or values.get("background")
    return bool(ground) and values.get("color") == ground


class _Reader(HTMLParser):
    """Splits well-formed HTML into words in sight and words out of it."""

    def __init__(self, hiding_names: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.unseen: list[str] = []
        self._hiding_names = hiding_names
        self._open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        names = {*(values.get("class") or "").split(), values.get("id") or ""}
        is_hidden = "hidden" in values or _hides(values.get("style") or "") or not names.isdisjoint(self._hiding_names)
        if tag not in _VOID:
            self._open.append(is_hidden)
        self.seen.append("\n\n" if tag in _PARAGRAPHS else "\n" if tag == "br" else "\n- " if tag == "li" else "")

    def handle_endtag(self, tag: str) -> None:
        if self._open:
            self._open.pop()
        self.seen.append("\n\n" if tag in _PARAGRAPHS else "\n" if tag == "li" else "")

    def handle_data(self, data: str) -> None:
        if any(self._open):
            self.unseen += [data.strip()] if data.strip(" \n\t\u00a0\u200c\u200b\u034f\u00ad") else []
        else:
            self.seen.append(re.sub(r"\s+", " ", data))
