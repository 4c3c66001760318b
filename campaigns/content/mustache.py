"""The template language: a strict subset of Mustache, compiled once and rendered per recipient.

Chevron defines what a template means (https://github.com/noahmorrison/chevron, after https://mustache.github.io):
for every template that `validate` accepts, `Template.render` returns byte for byte what chevron returns. What chevron
allows beyond the subset is refused with line and column: partials (they read files), changed delimiters, lambdas,
attribute access, nested sections and unclosed tags.

Allowed: `{{name}}` (escaped), `{{{name}}}` for system names only, `{{#name}}..{{/name}}` and `{{^name}}..{{/name}}` one
level deep, `{{! comments }}`. Values are texts, so a section shows when its value is not empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from pulsequill.core.errors import FieldError, Invalid

MAX_SOURCE_BYTES = 256 * 1024
MAX_TAGS = 2_000
MAX_OUTPUT_CHARACTERS = 2 * 1024 * 1024
#: Escaping makes one character six at most (`"` becomes `&quot;`).
_ESCAPE_GROWTH = 6

#: The only names with a dot: attribute access does not exist in this language.
DOTTED_NAMES = frozenset({"workspace.name", "workspace.postal_address", "workspace.reason_line", "campaign.name"})
#: Filled in by the system, never by a contact; only these may stand in `{{{ }}}`.
SYSTEM_NAMES = frozenset({"unsubscribe_url", "preferences_url", "web_version_url"})
#: Names of the compiler's own fragments (`pq_link_0`, `pq_open_pixel`); authors may not use them.
RESERVED_PREFIX = "pq_"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_WORD_BEFORE_DOT = frozenset(name.split(".")[0] for name in DOTTED_NAMES)

_REFUSED_KINDS = {
    ">": "Partials ({{> ...}}) are not allowed.",
    "=": "Delimiters cannot be changed.",
    "&": "Write {{{name}}} instead of {{& name}}.",
}


@dataclass(frozen=True, slots=True)
class Variable:
    """`{{name}}`, or `{{{name}}}` when `is_raw`."""

    name: str
    is_raw: bool


@dataclass(frozen=True, slots=True)
class Section:
    """`{{#name}}..{{/name}}`, or `{{^name}}..{{/name}}` when `is_inverted`."""

    name: str
    is_inverted: bool
    pieces: tuple[str | Variable, ...]


Piece = str | Variable | Section


def escape(text: str) -> str:
    """Return `text` with `& < > "` as entities: exactly chevron's escaping (apostrophes stay)."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template: literal texts between variables and sections.

    `pieces` is public so that a sender may lay the literals out once and fill in the rest per recipient.
    """

    pieces: tuple[Piece, ...]
    tags: frozenset[str]
    literal_length: int
    variable_count: int

    def render(self, context: Mapping[str, str]) -> str:
        """Return the text for one set of values; names that are missing are empty.

        Raises:
            Invalid: the output is larger than 2 MB.
        """
        longest = max(map(len, context.values()), default=0)
        if self.literal_length + self.variable_count * longest * _ESCAPE_GROWTH > MAX_OUTPUT_CHARACTERS:
            self._refuse_large_output(context)
        out: list[str] = []
        _write(self.pieces, context, out)
        return "".join(out)

    def unguarded_names(self) -> set[str]:
        """Return the variables that print nothing when empty: not those inside a section of their own name."""
        return {
            piece.name
            for section, piece in self._variables()
            if section is None or section.is_inverted or section.name != piece.name
        }

    def _variables(self) -> Iterator[tuple[Section | None, Variable]]:
        for piece in self.pieces:
            if isinstance(piece, Variable):
                yield None, piece
            elif isinstance(piece, Section):
                yield from ((piece, inner) for inner in piece.pieces if isinstance(inner, Variable))

    def _refuse_large_output(self, context: Mapping[str, str]) -> None:
        """Add up the exact length without building the text."""
        lengths = {name: (len(value), len(escape(value))) for name, value in context.items()}
        if _length(self.pieces, lengths) > MAX_OUTPUT_CHARACTERS:
            raise Invalid("The finished text would be larger than 2 MB.", code="template_output_too_large")


def _length(pieces: Iterable[Piece], lengths: Mapping[str, tuple[int, int]]) -> int:
    total = 0
    for piece in pieces:
        if isinstance(piece, str):
            total += len(piece)
        elif isinstance(piece, Variable):
            raw, escaped = lengths.get(piece.name, (0, 0))
            total += raw if piece.is_raw else escaped
        elif bool(lengths.get(piece.name, (0, 0))[0]) is not piece.is_inverted:
            total += _length(piece.pieces, lengths)
    return total


def _write(pieces: Iterable[Piece], context: Mapping[str, str], out: list[str]) -> None:
    for piece in pieces:
        if type(piece) is str:
            out.append(piece)
        elif type(piece) is Variable:
            value = context.get(piece.name) or ""
            out.append(value if piece.is_raw else escape(value))
        elif type(piece) is Section and bool(context.get(piece.name)) is not piece.is_inverted:
            _write(piece.pieces, context, out)


def _without_pipe(text: str) -> str:
    """Return what to write in place of `{{name|fallback}}`, which is not Mustache."""
    name, _, fallback = (part.strip()[:60] for part in text.partition("|"))
    if not _NAME.fullmatch(name):
        return f"“{text[:60]}” is not the name of a merge tag."
    right = f"{{{{#{name}}}}}{{{{{name}}}}}{{{{/{name}}}}}{{{{^{name}}}}}{fallback}{{{{/{name}}}}}"
    return (
        f"{{{{{name}|{fallback}}}}} is not Mustache. In the editor, choose the tag and give it a fallback; "
        f"in code, write {right}"
    )


class _Parser:
    """One pass over the source; every rule about standalone lines is chevron's tokenizer's."""

    def __init__(self, source: str, *, any_raw: bool, field: str) -> None:
        self.source = source
        self.any_raw = any_raw
        self.field = field
        self.tags: set[str] = set()
        self.tag_count = 0
        self.literal_length = 0
        self.variable_count = 0
        #: Where each `{{name}}` stands in the source.
        self.escaped_spans: list[tuple[int, int]] = []

    def refuse(self, at: int, detail: str, code: str = "template_syntax") -> NoReturn:
        """Raise `Invalid` that names line and column of a position in the source."""
        line = self.source.count("\n", 0, at) + 1
        column = at - self.source.rfind("\n", 0, at)
        message = f"Line {line}, column {column}: {detail}"
        raise Invalid(message, code=code, errors=[FieldError(self.field, code, message)], line=line, column=column)

    def name(self, text: str, at: int) -> str:
        """Return a tag's name, checked."""
        name = text.strip()
        if name in DOTTED_NAMES:
            return name
        if not name:
            self.refuse(at, "The tag has no name.")
        if "|" in name:
            self.refuse(at, _without_pipe(name))
        if "." in name:
            self.refuse(at, f"{{{{{name[:60]}}}}} does not exist: only {', '.join(sorted(DOTTED_NAMES))} have a dot.")
        if not _NAME.fullmatch(name) or name in _WORD_BEFORE_DOT:
            self.refuse(at, f"“{name[:60]}” is not the name of a merge tag.")
        if name.startswith(RESERVED_PREFIX) and not self.any_raw:
            self.refuse(at, f"Names that begin with {RESERVED_PREFIX} belong to PulseQuill.", "template_reserved_name")
        return name

    def parse(self) -> Template:
        """Return the compiled template.

        Raises:
            Invalid: with line and column, when the source is not of the subset or over a cap.
        """
        source = self.source
        if len(source) > MAX_SOURCE_BYTES or len(source.encode("utf-8", "surrogatepass")) > MAX_SOURCE_BYTES:
            raise Invalid(
                "The template is larger than 256 KB.",
                code="template_too_large",
                errors=[FieldError(self.field, "template_too_large", "The template is larger than 256 KB.")],
            )
        top: list[Piece] = []
        inner: list[str | Variable] = []
        section: tuple[str, bool, int] | None = None
        position, end, is_standalone = 0, len(source), True

        while position < end:
            opening = source.find("{{", position)
            if opening < 0:
                literal, is_last = source[position:], True
            else:
                literal, is_last = source[position:opening], False
            if is_last:
                self._literal(literal, inner if section else top)
                break
            closing = source.find("}}", opening + 2)
            if closing < 0:
                self.refuse(opening, "The tag is not closed: }} is missing.", "template_unclosed_tag")
            self.tag_count += 1
            if self.tag_count > MAX_TAGS:
                self.refuse(opening, f"More than {MAX_TAGS:,} merge tags.", "template_too_many_tags")
            kind, body, position = self._tag(opening, closing)

            # chevron's l_sa_check: could this tag stand alone on its line?
            if "\n" in literal or is_standalone:
                padding = literal.rpartition("\n")[2]
                is_standalone = padding == "" or padding.isspace()
            else:
                is_standalone = False
            # chevron's r_sa_check: is there only white space up to the end of the line?
            if is_standalone and kind not in ("variable", "raw"):
                line_end = source.find("\n", position)
                rest = source[position : line_end if line_end >= 0 else end]
                is_standalone = rest == "" or rest.isspace()
                if is_standalone:
                    literal = literal.rstrip(" ")
                    position = line_end + 1 if line_end >= 0 else position
            else:
                is_standalone = False

            self._literal(literal, inner if section else top)
            if kind == "comment":
                continue
            name = self.name(body, opening)
            if kind in ("section", "inverted"):
                if section:
                    self.refuse(opening, f"A section inside the section “{section[0]}”: one level is allowed.")
                section, inner = (name, kind == "inverted", opening), []
                self.tags.add(name)
            elif kind == "end":
                if not section:
                    self.refuse(opening, f"{{{{/{name}}}}} closes a section that was not opened.")
                if section[0] != name:
                    self.refuse(opening, f"{{{{/{name}}}}} does not close the section “{section[0]}”.")
                top.append(Section(name, section[1], tuple(inner)))
                section = None
            else:
                is_raw = kind == "raw"
                if is_raw and not self.any_raw and name not in SYSTEM_NAMES:
                    self.refuse(
                        opening,
                        f"{{{{{{{name}}}}}}} would put text into the mail unescaped: write {{{{{name}}}}}.",
                        "template_raw_tag",
                    )
                if not is_raw:
                    self.escaped_spans.append((opening, closing + 2))
                self.tags.add(name)
                self.variable_count += 1
                (inner if section else top).append(Variable(name, is_raw))
        if section:
            self.refuse(section[2], f"The section “{section[0]}” is not closed.", "template_unclosed_section")
        return Template(tuple(top), frozenset(self.tags), self.literal_length, self.variable_count)

    def _literal(self, text: str, into: list[Piece] | list[str | Variable]) -> None:
        if text:
            self.literal_length += len(text)
            into.append(text)

    def _tag(self, opening: int, closing: int) -> tuple[str, str, int]:
        """Return kind, inner text and the position after the tag."""
        inner = self.source[opening + 2 : closing]
        after = closing + 2
        sigil = inner[:1]
        if sigil in _REFUSED_KINDS:
            self.refuse(opening, _REFUSED_KINDS[sigil], "template_not_allowed")
        if sigil == "{":
            if not self.source.startswith("}", after):
                self.refuse(opening, "{{{ is not closed by }}}.", "template_unclosed_tag")
            return "raw", inner[1:], after + 1
        kind = {"#": "section", "^": "inverted", "/": "end", "!": "comment"}.get(sigil, "variable")
        return kind, inner if kind == "variable" else inner[1:], after


def validate(source: str, *, field: str = "") -> set[str]:
    """Check what an author wrote.

    Args:
        source: Mustache source.
        field: dotted path of the input, named in the error.

    Returns:
        The names of all merge tags that occur in it.

    Raises:
        Invalid: with `line` and `column` in `extra`, and a sentence that names both.
    """
    return set(_Parser(source, any_raw=False, field=field).parse().tags)


def compile(source: str) -> Template:  # noqa: A001 - the name the template language's users expect, as in `re.compile`
    """Compile what `campaigns.content.compile` produced; its own `{{{pq_...}}}` fragments are allowed here.

    Raises:
        Invalid: as `validate`.
    """
    return _Parser(source, any_raw=True, field="").parse()


def unescaped(source: str) -> str:
    """Return valid source with every `{{name}}` as `{{{name}}}`: subjects and plain text are not HTML.

    Raises:
        Invalid: as `validate`.
    """
    parser = _Parser(source, any_raw=True, field="")
    parser.parse()
    out, last = [], 0
    for start, stop in parser.escaped_spans:
        out += [source[last:start], "{", source[start:stop], "}"]
        last = stop
    return "".join([*out, source[last:]])
