"""Domain names: in the ASCII form that DNS and SMTP carry, and one above the other."""

from __future__ import annotations

from functools import lru_cache

import idna

#: Mailbox services whose names belong to them: their DMARC policies refuse mail that anybody else sends as them.
FREE_MAIL = frozenset({
    "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.co.jp", "yahoo.de", "yahoo.fr", "yahoo.it",
    "yahoo.es", "ymail.com", "rocketmail.com", "aol.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "hotmail.fr",
    "hotmail.de", "live.com", "msn.com", "icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com", "pm.me",
    "gmx.de", "gmx.net", "gmx.com", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "mail.ru", "yandex.ru",
    "yandex.com", "bk.ru", "inbox.ru", "list.ru", "qq.com", "163.com", "126.com", "sina.com", "naver.com", "daum.net",
    "hanmail.net", "zoho.com", "fastmail.com", "hey.com", "mail.com", "email.com", "tutanota.com", "tuta.com",
    "orange.fr", "free.fr", "laposte.net", "libero.it", "virgilio.it", "seznam.cz", "wp.pl", "o2.pl", "onet.pl",
    "uol.com.br", "bol.com.br", "terra.com.br", "comcast.net", "verizon.net", "att.net", "sbcglobal.net",
    "btinternet.com",
})  # fmt: skip


@lru_cache(maxsize=4096)
def ascii_domain(name: str) -> str:
    """Return a domain name in lower-case ASCII (IDNA 2008, with the mapping of UTS 46 for what people type).

    A name that is none comes back in lower case: who checks names refuses it, who only compares finds nothing.
    """
    name = name.lower().rstrip(".")
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        return name


def domain_of(address: str) -> str:
    """Return the domain of an email address, in ASCII."""
    return ascii_domain(address.rpartition("@")[2])


def with_parents(name: str) -> list[str]:
    """Return a domain and those above it, the longest first, without the top-level domain."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]
