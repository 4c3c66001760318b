"""Complete messages, quickly: what is alike for all is encoded once for a variant, the rest is filled in.

A variant's text and HTML become a list of quoted-printable literals and slots. A personal value stands between two soft
line breaks (RFC 2045 section 6.7), so no literal ever moves to another column, and filling in is a join of bytes.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from campaigns.content.mustache import Piece, Section, Template, Variable, escape
from campaigns.delivery.headers import FixedHeaders, ascii_address, one_line, unstructured
from campaigns.delivery.providers.base import Parts

SOFT_BREAK = b"=\r\n"
LONGEST_LAST_LINE = 75
#: A value that is its own quoted-printable form and fits on one line.
_PLAIN = re.compile(r"(?:[ -<>-~]{0,71}[!-<>-~])?")


#: A dot that begins a line which has room for its encoded form.
_LEADING_DOT = re.compile(rb"(?m)^\.(?=[^\n]{0,73}$)")


def one_line_end(text: str) -> str:
    """Return `text` with a line feed for every line end; each piece by itself, so a CR that ends one counts."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def quoted_printable(text: str) -> bytes:
    """Return `text` as quoted-printable with CRLF and lines of at most 76 characters, the last of at most 75: a soft
    break may follow it.

    Dots at the beginning of lines (style sheets are full of them) are encoded, so that SMTP has none to double.
    """
    encoded = binascii.b2a_qp(one_line_end(text).encode("utf-8", "replace"), istext=True)
    if len(encoded) - encoded.rfind(b"\n") - 1 > LONGEST_LAST_LINE:
        end = -3 if encoded[-3:-2] == b"=" else -1
        encoded = encoded[:end] + b"=\n" + encoded[end:]
    if b"\n." in encoded or encoded.startswith(b"."):
        encoded = _LEADING_DOT.sub(b"=2E", encoded)
    return encoded.replace(b"\n", b"\r\n")


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    is_raw: bool


@dataclass(frozen=True, slots=True)
class _Fork:
    name: str
    is_inverted: bool
    pieces: tuple[bytes | _Slot, ...]


_Laid = bytes | _Slot | _Fork


def _settled(pieces: Iterable[Piece], fixed: Mapping[str, str]) -> Iterator[Piece]:
    """Yield the pieces with everything filled in that is the same for all, neighbouring texts as one."""
    text = ""
    for piece in _resolved(pieces, fixed):
        if isinstance(piece, str):
            text += piece
            continue
        if text:
            yield text
        text = ""
        yield piece
    if text:
        yield text


def _resolved(pieces: Iterable[Piece], fixed: Mapping[str, str]) -> Iterator[Piece]:
    for piece in pieces:
        if isinstance(piece, str):
            yield one_line_end(piece)
        elif piece.name not in fixed and isinstance(piece, Section):
            inner = tuple(_settled(piece.pieces, fixed))
            yield Section(piece.name, piece.is_inverted, inner)  # type: ignore[arg-type]  # a section holds none
        elif piece.name not in fixed:
            yield piece
        elif isinstance(piece, Variable):
            value = one_line_end(fixed[piece.name])
            yield value if piece.is_raw else escape(value)
        elif bool(fixed[piece.name]) is not piece.is_inverted:
            yield from _resolved(piece.pieces, fixed)


def _lay_out(pieces: Iterable[Piece], *, is_first: bool) -> list[_Laid]:
    """Encode the literals; each piece but the first begins after a soft break, on a line of its own."""
    laid: list[_Laid] = []
    at_line_start = is_first
    for piece in pieces:
        if not at_line_start:
            laid.append(SOFT_BREAK)
        at_line_start = False
        if isinstance(piece, str):
            encoded = quoted_printable(piece)
            laid.append(encoded)
            at_line_start = encoded.endswith(b"\r\n")
        elif isinstance(piece, Variable):
            laid.append(_Slot(piece.name, piece.is_raw))
        elif isinstance(piece, Section):
            laid.append(_Fork(piece.name, piece.is_inverted, tuple(_lay_out(piece.pieces, is_first=True))))  # type: ignore[arg-type]
    return laid


def _joined(laid: Iterable[_Laid]) -> list[_Laid]:
    """Join neighbouring literals."""
    out: list[_Laid] = []
    for piece in laid:
        if isinstance(piece, bytes) and out and isinstance(out[-1], bytes):
            out[-1] += piece
        else:
            out.append(piece)
    return out


class _Body:
    """Encoded literals with slots between them. Filling in copies the list of literals and sets what is personal."""

    def __init__(self, laid: Iterable[_Laid]) -> None:
        joined = _joined(laid)
        self._literals = [piece if isinstance(piece, bytes) else b"" for piece in joined]
        positions: dict[_Slot, list[int]] = {}
        self._forks: list[tuple[int, str, bool, _Body]] = []
        for position, piece in enumerate(joined):
            if isinstance(piece, _Slot):
                positions.setdefault(piece, []).append(position)
            elif isinstance(piece, _Fork):
                self._forks.append((position, piece.name, piece.is_inverted, _Body(piece.pieces)))
        #: A value that stands at several places is encoded once.
        self._slots = [(slot.name, slot.is_raw, tuple(places)) for slot, places in positions.items()]

    def fill(self, context: Mapping[str, str]) -> bytes:
        """Return the bytes for one set of values; names that are missing are empty."""
        out = self._literals.copy()
        for name, is_raw, places in self._slots:
            value = context.get(name)
            if value:
                if not is_raw:
                    value = escape(value)
                encoded = value.encode() if _PLAIN.fullmatch(value) else quoted_printable(value)
                for place in places:
                    out[place] = encoded
        for place, name, is_inverted, inner in self._forks:
            if bool(context.get(name)) is not is_inverted:
                out[place] = inner.fill(context)
        return b"".join(out)


class Skeleton:
    """A variant, prepared for any number of recipients."""

    def __init__(
        self,
        *,
        headers: FixedHeaders,
        subject: Template,
        html: Template,
        text: Template,
        fixed: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Encode what is alike.

        Args:
            headers: the fixed headers.
            subject: compiled, its variables raw.
            html: compiled.
            text: compiled, its variables raw.
            fixed: values that are the same in every context that will be given.
        """
        self.headers = headers
        self._subject, self._html, self._text = subject, html, text
        self.tags = subject.tags | html.tags | text.tags
        self._fixed_subject = None if subject.tags else unstructured("Subject", self.subject({}))
        # "=_" cannot occur in quoted-printable text, so no content can look like the boundary.
        boundary = "=_pq_" + hashlib.sha256(repr((headers, subject, text)).encode()).hexdigest()[:24]
        part = "Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        opening = (
            f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
            f"--{boundary}\r\n{part.format('plain')}"
        ).encode()
        middle = f"\r\n--{boundary}\r\n{part.format('html')}".encode()
        self._body = _Body(
            [
                opening,
                *_lay_out(_settled(text.pieces, fixed), is_first=True),
                middle,
                *_lay_out(_settled(html.pieces, fixed), is_first=True),
                f"\r\n--{boundary}--\r\n".encode(),
            ]
        )
        self._fixed_lines = headers.lines

    def subject(self, context: Mapping[str, str]) -> str:
        """Return the subject for one recipient, on one line."""
        return one_line(self._subject.render(context))

    def html(self, context: Mapping[str, str]) -> str:
        """Return the HTML part for one recipient."""
        return self._html.render(context)

    def mime(
        self,
        *,
        message_id: int,
        to: str,
        date: str,
        list_headers: Mapping[str, str],
        context: Mapping[str, str],
        subject: str | None = None,
    ) -> bytes:
        """Return the complete RFC 5322 bytes of one message.

        Args:
            message_id: the ledger row.
            to: the recipient's address.
            date: RFC 5322 date.
            list_headers: `FixedHeaders.list_headers`, or further headers of the same kind.
            context: merge values, links included.
            subject: what `subject` returned for the same values, so that it is not rendered twice.
        """
        line = self._fixed_subject
        if line is None:
            line = unstructured("Subject", self.subject(context) if subject is None else subject)
        extra = "".join([f"{name}: {value}\r\n" for name, value in list_headers.items()])
        head = (
            f"{self._fixed_lines}To: {ascii_address(to)}\r\nSubject: {line}\r\nDate: {date}\r\n"
            f"Message-ID: {self.headers.rfc_message_id(message_id)}\r\n{extra}"
        )
        return head.encode() + self._body.fill(context)

    def parts(self, *, message_id: int, list_headers: Mapping[str, str], context: Mapping[str, str]) -> Parts:
        """Return the pieces of one message, for a provider that builds the MIME itself."""
        return Parts(
            subject=self.subject(context),
            from_name=self.headers.from_name,
            from_email=self.headers.from_email,
            reply_to=self.headers.reply_to,
            html=self.html(context),
            text=self._text.render(context),
            headers={
                "Message-ID": self.headers.rfc_message_id(message_id),
                **{name: value.replace("\r\n", "") for name, value in list_headers.items()},
            },
        )
