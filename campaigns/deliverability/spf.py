"""SPF (RFC 7208): read a record with all that it includes, count its lookups, and ask it about an address.

Macros (`%{i}`) are counted and never match: the few records that use them authorise by name what we ask by address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from campaigns.deliverability.lookups import Lookups

#: Section 4.6.4: a receiver stops after so many terms that need the DNS, and the record counts as broken.
MOST_LOOKUPS = 10
_LOOKED_UP = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
_NAMES = _LOOKED_UP | {"all", "ip4", "ip6", "exp"}
_TERM = re.compile(
    r"(?P<sign>[-+~?]?)(?P<name>[a-z0-9]+)(?:[:=](?P<value>[^/]*))?(?P<bits>(?:/\d+)?(?://\d+)?)", re.IGNORECASE
)
#: A modifier of a name that we do not know is to be passed over (section 6).
_MODIFIER = re.compile(r"[a-z][a-z0-9._-]*=.*", re.IGNORECASE)


class SpfBroken(Exception):
    """A receiver would stop at this record (permerror); the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Term:
    """One mechanism or modifier of a record."""

    sign: str
    name: str
    value: str


@dataclass(slots=True)
class Reading:
    """A record and everything that it includes."""

    text: str
    terms: list[Term]
    #: Terms that need the DNS, all inclusions together.
    lookups: int = 0
    #: Domains that are included, at any depth.
    included: set[str] = field(default_factory=set)


def is_spf(text: str) -> bool:
    """Tell whether a TXT record is an SPF record."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def record_at(lookups: Lookups, domain: str) -> str:
    """Return the SPF record of a domain; "" when it has none.

    Raises:
        SpfBroken: it has several.
        LookupFailed: DNS did not answer.
    """
    records = [text for text in lookups.txt(domain) if is_spf(text)]
    if len(records) > 1:
        raise SpfBroken(f"{domain} has {len(records)} SPF records, and receivers accept none of them then.")
    return records[0] if records else ""


def parse(text: str) -> list[Term]:
    """Return the terms of a record.

    Raises:
        SpfBroken: a term that SPF does not know.
    """
    terms = []
    for word in text.split()[1:]:
        found = _TERM.fullmatch(word)
        name = found["name"].lower() if found else ""
        if found is None or name not in _NAMES:
            if _MODIFIER.fullmatch(word):
                continue
            raise SpfBroken(f"“{word}” is no part of SPF.")
        value = (found["value"] or "") + found["bits"]
        if name in {"include", "exists", "redirect", "ip4", "ip6"} and not value:
            raise SpfBroken(f"“{word}” names nothing.")
        if name in {"ip4", "ip6"}:
            _network(value)
        terms.append(Term(found["sign"] or "+", name, value))
    return terms


def read(lookups: Lookups, domain: str, text: str) -> Reading:
    """Read a record and what it includes.

    Raises:
        SpfBroken: too many lookups, an inclusion without a record, a term that does not exist.
        LookupFailed: DNS did not answer.
    """
    reading = Reading(text, parse(text))
    _follow(lookups, reading.terms, reading, path=(domain.lower(),))
    return reading


def _follow(lookups: Lookups, terms: list[Term], reading: Reading, *, path: tuple[str, ...]) -> None:
    for term in terms:
        if term.name in _LOOKED_UP:
            reading.lookups += 1
            if reading.lookups > MOST_LOOKUPS:
                raise SpfBroken(f"It needs more than {MOST_LOOKUPS} DNS lookups, and receivers stop there.")
        if term.name not in {"include", "redirect"} or "%" in term.value:
            continue
        target = term.value.lower().rstrip(".")
        if target in path:
            raise SpfBroken(f"It includes itself by way of {target}.")
        found = record_at(lookups, target)
        if not found:
            raise SpfBroken(f"It includes {target}, which has no SPF record.")
        reading.included.add(target)
        _follow(lookups, parse(found), reading, path=(*path, target))


def is_authorised(lookups: Lookups, domain: str, terms: list[Term], address: str) -> bool:
    """Tell whether a record passes mail from an IP address.

    Raises:
        SpfBroken, LookupFailed: as `read`, which is to be called first.
    """
    ip = ip_address(address)
    for term in terms:
        if term.name == "redirect":
            continue
        if term.name == "all" or any(ip in network for network in _networks(lookups, domain, term, str(ip))):
            return term.sign == "+"
    redirect = next((term.value for term in terms if term.name == "redirect"), "")
    return bool(redirect) and is_authorised(lookups, redirect, parse(record_at(lookups, redirect)), address)


def _networks(lookups: Lookups, domain: str, term: Term, address: str) -> Iterator[IPv4Network | IPv6Network]:
    """Yield the networks that one mechanism stands for; for an inclusion the address itself when it passes there."""
    if "%" in term.value:
        return
    host, _, bits = term.value.partition("/")
    host = host or domain
    if term.name in {"ip4", "ip6"}:
        yield _network(term.value)
    elif term.name == "include" and is_authorised(lookups, host, parse(record_at(lookups, host)), address):
        yield _network(address)
    elif term.name in {"a", "mx"}:
        for name in [host] if term.name == "a" else lookups.mx(host):
            for found in lookups.addresses(name):
                bits4, _, bits6 = f"/{bits}".partition("//")
                size = bits6 if ":" in found else bits4.lstrip("/")
                yield _network(f"{found}/{size}" if size else found)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise SpfBroken(f"“{text}” is no IP address or network.") from error
