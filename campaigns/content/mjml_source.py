"""MJML that people bring along, read before the renderer sees it.

The renderer drops elements that it does not know, closes what was left open, names no line, and ends its whole process
when elements are nested thousands deep. So what is wrong is found here first, with line and column.
"""

from __future__ import annotations

import re
from typing import NoReturn

from pulsequill.core.errors import FieldError, Invalid

#: A real mail nests a dozen elements; HTML inside `mj-raw` some more.
MAX_DEPTH = 100
MAX_ELEMENTS = 5_000

#: Every element of https://documentation.mjml.io that the renderer shows and that loads nothing.
ELEMENTS = frozenset({
    "mjml", "mj-head", "mj-attributes", "mj-all", "mj-class", "mj-breakpoint", "mj-font", "mj-preview", "mj-style",
    "mj-title", "mj-body", "mj-accordion", "mj-accordion-element", "mj-accordion-title", "mj-accordion-text",
    "mj-button", "mj-carousel", "mj-carousel-image", "mj-column", "mj-divider", "mj-group", "mj-hero", "mj-image",
    "mj-navbar", "mj-navbar-link", "mj-raw", "mj-section", "mj-social", "mj-social-element", "mj-spacer", "mj-table",
    "mj-text", "mj-wrapper",
})  # fmt: skip
#: HTML elements that need no end.
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip

#: It would load or run something.
_DANGER = re.compile(
    r"<\s*/?\s*(mj-include|mj-html-attributes|script|iframe|object|embed|form|input|link|base|svg)\b"
    r"|<\s*meta(?!\s+name\s*=)|http-equiv|\son[a-z]+\s*=|javascript\s*:|@import|vbscript\s*:|data\s*:\s*text",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<[!?][^>]*>"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][\w:-]*)(?P<rest>(?:[^\"'<>]|\"[^\"]*\"|'[^']*')*)(?P<close>>?)",
    re.DOTALL,
)


class _Reader:
    """One pass over the elements."""

    def __init__(self, source: str, field: str) -> None:
        self.source = source
        self.field = field
        self.open: list[tuple[str, int]] = []
        self.count = 0

    def refuse(self, at: int, detail: str, code: str = "bad_mjml") -> NoReturn:
        line = self.source.count("\n", 0, at) + 1
        column = at - self.source.rfind("\n", 0, at)
        message = f"Line {line}, column {column}: {detail}"
        raise Invalid(message, code=code, errors=[FieldError(self.field, code, message)], line=line, column=column)

    def read(self) -> None:
        if found := _DANGER.search(self.source):
            self.refuse(found.start(), f"“{found[0].strip()[:40]}” is not allowed in a mail.", "mjml_not_allowed")
        for found in _TAG.finditer(self.source):
            if found["name"]:
                self.element(found)
        if self.open:
            name, at = self.open[-1]
            self.refuse(at, f"<{name}> is not closed.")
        if self.source.strip() and not self.count:
            self.refuse(0, "An MJML mail begins with <mjml>.")

    def element(self, found: re.Match[str]) -> None:
        name, at = found["name"].lower(), found.start()
        if not found["close"]:
            self.refuse(at, f"<{name} is not finished: > is missing, or a quotation mark.")
        self.count += 1
        if self.count > MAX_ELEMENTS:
            self.refuse(at, f"More than {MAX_ELEMENTS:,} elements.")
        if self.count == 1 and name != "mjml":
            self.refuse(at, "An MJML mail begins with <mjml>.")
        if name.startswith("mj") and name not in ELEMENTS:
            self.refuse(at, f"There is no element <{name[:40]}>.")
        if found["end"]:
            self.close(name, at)
        elif not found["rest"].rstrip().endswith("/") and name not in _VOID:
            self.open.append((name, at))
            if len(self.open) > MAX_DEPTH:
                self.refuse(at, f"More than {MAX_DEPTH} elements inside one another.")

    def close(self, name: str, at: int) -> None:
        """Take the innermost element of that name off; HTML may leave `<p>` and `<li>` open, MJML may not."""
        while self.open:
            last, opened_at = self.open.pop()
            if last == name:
                return
            if last.startswith("mj"):
                line = self.source.count("\n", 0, opened_at) + 1
                self.refuse(at, f"</{name[:40]}> does not close <{last}> of line {line}.")
        self.refuse(at, f"</{name[:40]}> closes nothing.")


def check_mjml(source: str, *, field: str = "body") -> None:
    """Check MJML that somebody brought.

    Args:
        source: the document, Mustache checked already.
        field: dotted path of the input, named in the error.

    Raises:
        Invalid: it would load or run something (`mjml_not_allowed`), or is not well-formed (`bad_mjml`); says where.
    """
    _Reader(source, field).read()
