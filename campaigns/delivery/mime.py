"""Complete messages, quickly: what is alike for all is encoded once for a variant, the rest is filled in.

A variant's text and HTML become a list of quoted-printable literals and slots. A personal value stands between two soft
line breaks (RFC 2045 section 6.7), so no literal ever moves to another column, and filling in is a join of bytes.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from campaigns.content.mustache import Piece, Section, Template, Variable, escape
from campaigns.delivery.headers import FixedHeaders, ascii_address, one_line, unstructured
from campaigns.delivery.providers.base import Parts

SOFT_BREAK = b"=\r\n"
#: A value that is its own quoted-printable form and fits on one line.
_PLAIN = re.compile(r"(?:[ -<>-~]{0,71}[!-<>-~])?")


def quoted_printable(text: str) -> bytes:
    """Return `text` as quoted-printable with CRLF and lines of at most 76 characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    return binascii.b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")


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
    return _joined(laid)


def _joined(laid: list[_Laid]) -> list[_Laid]:
    """Join neighbouring literals."""
    out: list[_Laid] = []
    for piece in laid:
        if isinstance(piece, bytes) and out and isinstance(out[-1], bytes):
            out[-1] += piece
        else:
            out.append(piece)
    return out


def _fill(laid: Iterable[_Laid], context: Mapping[str, str], out: list[bytes]) -> None:
    for piece in laid:
        if type(piece) is bytes:
            out.append(piece)
        elif type(piece) is _Slot:
            value = context.get(piece.name)
            if value:
                if not piece.is_raw:
                    value = escape(value)
                out.append(value.encode() if _PLAIN.fullmatch(value) else quoted_printable(value))
        elif type(piece) is _Fork and bool(context.get(piece.name)) is not piece.is_inverted:
            _fill(piece.pieces, context, out)


class Skeleton:
    """A variant, prepared for any number of recipients."""

    def __init__(self, *, headers: FixedHeaders, subject: Template, html: Template, text: Template) -> None:
        self.headers = headers
        self._subject, self._html, self._text = subject, html, text
        self.tags = subject.tags | html.tags | text.tags
        self._fixed_subject = None if subject.variable_count else self._subject_line({})
        # "=_" cannot occur in quoted-printable text, so no content can look like the boundary.
        boundary = "=_pq_" + hashlib.sha256(repr((headers, subject, text)).encode()).hexdigest()[:24]
        part = "Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        self._opening = (
            f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
            f"--{boundary}\r\n{part.format('plain')}"
        ).encode()
        middle = f"\r\n--{boundary}\r\n{part.format('html')}".encode()
        self._body = _joined(
            [
                self._opening,
                *_lay_out(text.pieces, is_first=True),
                middle,
                *_lay_out(html.pieces, is_first=True),
                f"\r\n--{boundary}--\r\n".encode(),
            ]
        )
        self._fixed_lines = headers.lines

    def _subject_line(self, context: Mapping[str, str]) -> str:
        return unstructured("Subject", self.subject(context))

    def subject(self, context: Mapping[str, str]) -> str:
        """Return the subject for one recipient, on one line."""
        return one_line(self._subject.render(context))

    def html(self, context: Mapping[str, str]) -> str:
        """Return the HTML part for one recipient."""
        return self._html.render(context)

    def mime(
        self, *, message_id: int, to: str, date: str, list_headers: Mapping[str, str], context: Mapping[str, str]
    ) -> bytes:
        """Return the complete RFC 5322 bytes of one message.

        Args:
            message_id: the ledger row.
            to: the recipient's address.
            date: RFC 5322 date.
            list_headers: `FixedHeaders.list_headers`, or further headers of the same kind.
            context: merge values, links included.
        """
        subject = self._fixed_subject if self._fixed_subject is not None else self._subject_line(context)
        extra = "".join([f"{name}: {value}\r\n" for name, value in list_headers.items()])
        out = [
            (
                f"{self._fixed_lines}To: {ascii_address(to)}\r\nSubject: {subject}\r\nDate: {date}\r\n"
                f"Message-ID: {self.headers.rfc_message_id(message_id)}\r\n{extra}"
            ).encode()
        ]
        _fill(self._body, context, out)
        return b"".join(out)

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
