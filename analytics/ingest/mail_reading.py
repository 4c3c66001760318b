"""A mail that a stranger sent, read within limits: whatever it holds costs milliseconds and raises one error.

The standard library's parser does the work, with the old policy: its headers stay text, while the new one parses each
header by a grammar of its own that hostile input can keep busy for minutes.
"""

from __future__ import annotations

import email.errors
import re
from collections.abc import Iterator, Sequence
from email import policy
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser, HeaderParser

#: What is read of a mail. Reports stand at its beginning, the returned mail at its end.
MAX_BYTES = 256 * 1024
#: A report has three parts, and a returned mail a handful of its own.
MAX_PARTS = 40
MAX_HEADER = 4096
#: Fields of one report, and reports for one mail.
MAX_FIELDS, MAX_BLOCKS = 60, 200
#: Their insides are fields, not mails (`blocks_of`).
REPORTS = ("message/delivery-status", "message/global-delivery-status", "message/feedback-report")
_PART = re.compile(rb"^content-type:", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(rb"\A(?:From [^\n]*\r?\n)?[\x21-\x39\x3b-\x7e]+[ \t]*:")
_BLANK_LINE = re.compile(r"\r?\n[ \t]*\r?\n")


class Unreadable(ValueError):
    """No mail, or more than an honest mail server would send; the text says why."""


class _ShortHeaders(policy.Compat32):
    """Cuts each header field: parameters of endless fields cost the parser quadratic time."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Return name and value."""
        name, value = super().header_source_parse([line[:MAX_HEADER] for line in sourcelines[:50]])
        return name, value[:MAX_HEADER]


_POLICY = _ShortHeaders()


def read_mail(raw: bytes) -> Message:
    """Return a mail, of which only the beginning is read when it is large.

    Raises:
        Unreadable: it has no header, or too many parts.
    """
    if not _HEADER.match(raw):
        raise Unreadable("not a mail")
    head = raw[:MAX_BYTES]
    if sum(1 for _ in _PART.finditer(head)) > MAX_PARTS:
        raise Unreadable("too many parts")
    try:
        return BytesParser(policy=_POLICY).parsebytes(head)
    except (email.errors.MessageError, RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unreadable(f"cannot be parsed: {type(error).__name__}") from error


def walk(mail: Message) -> Iterator[Message]:
    """Yield a mail and all that is inside it, from the outside in."""
    waiting: list[Message] = [mail]
    for _ in range(10 * MAX_PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        yield part
        inner = part.get_payload()
        if isinstance(inner, list) and part.get_content_type() not in REPORTS:
            waiting[0:0] = [one for one in inner if isinstance(one, Message)]


def parts_of(mail: Message) -> list[Message]:
    """Return the parts that a mail consists of, without what is inside them: where its own report stands."""
    inner = mail.get_payload()
    is_split = mail.get_content_maintype() == "multipart" and isinstance(inner, list)
    return [part for part in inner if isinstance(part, Message)][:MAX_PARTS] if is_split else [mail]


def header(mail: Message, name: str) -> str:
    """Return a header field on one line, decoded (RFC 2047); empty when it is not there."""
    return " ".join(_decoded(str(mail.get(name, ""))).split())


def _decoded(value: str) -> str:
    try:
        return "".join(
            part.decode(charset or "ascii", "replace") if isinstance(part, bytes) else part
            for part, charset in decode_header(value)
        )
    except (email.errors.HeaderParseError, LookupError, ValueError):
        return value


def text_of(part: Message) -> str:
    """Return the text of a part without parts of its own."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset("utf-8") or "utf-8", "replace")
    except (LookupError, ValueError):
        return payload.decode("utf-8", "replace")


def blocks_of(part: Message) -> list[dict[str, str]]:
    """Return the groups of fields that a report consists of: field names in lower case, the first of a name counts.

    The parser has read `message/delivery-status` as groups already. Other reports it takes for a mail, whose header is
    the first group and whose text holds the others (`message/global-delivery-status`, RFC 6533).
    """
    inner = part.get_payload()
    if not isinstance(inner, list):
        return _blocks_in(text_of(part))
    groups = [_fields(one) for one in inner[:MAX_BLOCKS] if isinstance(one, Message)]
    if len(inner) == 1 and isinstance(inner[0], Message) and not inner[0].is_multipart():
        groups += _blocks_in(text_of(inner[0]))
    return [group for group in groups if group]


def _blocks_in(text: str) -> list[dict[str, str]]:
    pieces: Sequence[str] = _BLANK_LINE.split(text.strip())[:MAX_BLOCKS]
    found = [_fields(HeaderParser(policy=_POLICY).parsestr(piece)) for piece in pieces if piece.strip()]
    return [group for group in found if group]


def _fields(group: Message) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in group.items()[:MAX_FIELDS]:
        fields.setdefault(name.lower(), " ".join(str(value).split()))
    return fields
