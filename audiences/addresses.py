"""What an email address must look like, and the one form that uniqueness and suppression go by.

The plain ASCII address that nearly every row holds is settled by one regular expression (0.3 µs); anything else goes
through `email-validator` (syntax, IDNA 2008), plus two rules that it lacks: 64 characters before the `@` (RFC 5321
4.5.3.1.1), and no internationalised domain that imitates a Latin one.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from pulsequill.core.signing import derived_key

MAX_LENGTH = 254
MAX_LOCAL_LENGTH = 64
ERASED_PREFIX = "erased:"

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
#: Matches only addresses that need no further look; those it misses are judged by `email-validator`.
PLAIN = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?!xn--)[a-z]{{2,63}}", re.IGNORECASE)

#: Letters of other alphabets that a reader takes for Latin ones (subset of Unicode UTS #39 confusables).
_LATIN_LOOKALIKES = frozenset("асԁеһіјӏорԛгѕтуѵԝхвнкмԍαοινυρτκηχϲ")


class BadAddress(ValueError):
    """The text is no address that mail can be sent to; `code` is for machines, the message for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Address(NamedTuple):
    """An address as its owner writes it, and as PulseQuill compares it."""

    email: str
    normalized: str


def parse_address(text: str) -> Address:
    """Return the address in `text`.

    An internationalised domain is kept in its ASCII form, because that is what an SMTP envelope can carry.

    Raises:
        BadAddress: empty, too long, malformed, a non-ASCII name before the `@`, or a look-alike domain.
    """
    text = text.strip()
    if len(text) <= MAX_LENGTH and PLAIN.fullmatch(text):
        return Address(text, text.lower())
    return _parse_unusual(text)


def erased_mark(normalized: str) -> str:
    """Return what stands in the suppression list for the address of an erased person.

    A keyed hash: it recognises the address when it comes back, and cannot be turned into it without SECRET_KEY.
    """
    return ERASED_PREFIX + hmac.digest(derived_key("erased address"), normalized.encode(), "sha256").hex()


def _parse_unusual(text: str) -> Address:
    if not text:
        raise BadAddress("email_missing", "There is no email address.")
    if "\0" in text:
        raise BadAddress("nul", "A NUL character cannot be stored.")
    if len(text) > MAX_LENGTH:
        raise BadAddress("email_too_long", f"An address has at most {MAX_LENGTH} characters.")
    local = text.rpartition("@")[0]
    if len(local.encode()) > MAX_LOCAL_LENGTH:
        raise BadAddress("email_too_long", f"The part before the @ has at most {MAX_LOCAL_LENGTH} characters.")
    if not local.isascii():
        raise BadAddress("email_invalid", "The part before the @ has letters that mail servers do not accept.")
    try:
        parsed = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise BadAddress("email_invalid", str(error)[:200]) from error
    if any(_imitates_latin(label) for label in parsed.domain.split(".")):
        raise BadAddress("email_lookalike", "The domain imitates another one with letters of a different alphabet.")
    email = f"{parsed.local_part}@{parsed.ascii_domain}"
    if len(email) > MAX_LENGTH:
        raise BadAddress("email_too_long", f"An address has at most {MAX_LENGTH} characters.")
    return Address(email, email.lower())


def _imitates_latin(label: str) -> bool:
    """Whether a domain label mixes alphabets, or is made of look-alikes of Latin letters only."""
    letters = [letter for letter in label.lower() if letter.isalpha()]
    if all(letter.isascii() for letter in letters):
        return False
    alphabets = {unicodedata.name(letter, "?").split(" ", 1)[0] for letter in letters}
    mixes = len(alphabets & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}) > 1
    return mixes or all(letter in _LATIN_LOOKALIKES for letter in letters)
