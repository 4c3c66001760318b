"""Which message of ours is a mail about? Only what we signed ourselves can say so.

Whoever writes to the bounce host may write anything; a recipient's address or a Message-ID proves nothing. A return
path, and the addresses in our mails' headers and links, hold a row's number with an HMAC, and so only who had our mail
can name it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from email.message import Message

from analytics.ingest.complaint import original_mail_from
from analytics.ingest.mail_reading import header, text_of, walk
from audiences.tokens import read_preferences_token, read_unsubscribe_token
from campaigns.delivery import return_path
from campaigns.delivery.tracking import read_click_token, read_open_token, read_web_version_token
from pulsequill.core.signing import BadSignature

#: Header fields in which mail servers leave the envelope's addresses.
ENVELOPE_FIELDS = (
    "X-Original-To",
    "Delivered-To",
    "Envelope-To",
    "X-Envelope-To",
    "To",
    "Return-Path",
    "Apparently-To",
)
_RETURN_PATH = re.compile(r"b\+[a-z2-7]{16,40}@[a-z0-9.-]{1,250}", re.IGNORECASE)
#: Path of one of our addresses -> the message that its token names.
_READERS: dict[str, Callable[[str], int]] = {
    "u": lambda token: read_unsubscribe_token(token)[1],
    "p": lambda token: read_preferences_token(token)[1],
    "w": read_web_version_token,
    "t/o": read_open_token,
    "t/c": lambda token: read_click_token(token)[0],
}
_ADDRESS = re.compile(r"/(?P<path>u|p|w|t/o|t/c)/(?P<token>[A-Za-z0-9_-]{20,120})")
#: Tokens that are tried before it is given up.
MOST_TRIES = 50


def find_message(mail: Message, recipient: str = "") -> int | None:
    """Return the ledger row that a report is about, None when nothing that we signed names one.

    Args:
        mail: the report, with the mail that it is about inside, if it has one.
        recipient: whom the envelope of the report named, when the mail server says.
    """
    tries = 0
    for source in (_return_paths(mail, recipient), _links(mail)):
        for message_id in source:
            tries += 1
            if message_id:
                return message_id
            if tries >= MOST_TRIES:
                return None
    return None


def _return_paths(mail: Message, recipient: str) -> Iterator[int | None]:
    """Try the return paths, from the outside in: in envelopes first, then in what came back as text."""
    parts = list(walk(mail))
    fields = [recipient, original_mail_from(mail), *(header(part, name) for part in parts for name in ENVELOPE_FIELDS)]
    for address in dict.fromkeys(
        found[0].lower() for text in (*fields, *_texts(parts)) for found in _RETURN_PATH.finditer(text)
    ):
        yield _read(return_path.read, address)


def _links(mail: Message) -> Iterator[int | None]:
    """Try the signed addresses in the mail that came back: in its List-Unsubscribe, then in its text."""
    parts = list(walk(mail))
    for text in (*(header(part, "List-Unsubscribe") for part in parts if part is not mail), *_texts(parts)):
        for found in _ADDRESS.finditer(text):
            yield _read(_READERS[found["path"]], found["token"])


def _texts(parts: Iterable[Message]) -> Iterator[str]:
    """Yield the texts of parts; where a returned mail stands in one as it was sent, its soft line breaks are closed."""
    for part in parts:
        if part.get_content_maintype() == "text" and not part.is_multipart():
            yield re.sub(r"=\r?\n", "", text_of(part))


def _read(reader: Callable[[str], int], token: str) -> int | None:
    try:
        return reader(token) or None
    except (BadSignature, ValueError, OverflowError):
        return None
