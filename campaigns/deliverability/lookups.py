"""Questions to the DNS, each asked once, and all of them together within a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import dns.exception
import dns.resolver
from django.conf import settings

#: For all questions of one check, because a person waits for it.
BUDGET_S = 10.0
#: For one question.
LOOKUP_S = 4.0
PORT = 53


class LookupFailed(Exception):
    """DNS did not answer: nothing is known."""


@cache
def _resolver_at(nameserver: str) -> dns.resolver.Resolver:
    """Return a resolver that asks `address:port`, or the system's where none is named."""
    if not nameserver:
        return dns.resolver.Resolver()
    resolver = dns.resolver.Resolver(configure=False)
    where = urlsplit(f"//{nameserver}")
    resolver.nameservers = [where.hostname or ""]
    resolver.port = where.port or PORT
    return resolver


class Lookups:
    """The questions of one check and their answers."""

    def __init__(self, *, budget_s: float = BUDGET_S) -> None:
        """Begin a check that may take `budget_s` seconds altogether."""
        self._ends_at = time.monotonic() + budget_s
        self._answers: dict[tuple[str, str], list[str] | LookupFailed] = {}

    def txt(self, host: str) -> list[str]:
        """Return the TXT records of a name, each joined from its strings; [] when it has none.

        Raises:
            LookupFailed: no answer in time, or a server that refuses.
        """
        return self._ask(host, "TXT")

    def mx(self, host: str) -> list[str]:
        """Return the names of the hosts that take mail for a name, the preferred first. Raises `LookupFailed`."""
        return self._ask(host, "MX")

    def cname(self, host: str) -> str:
        """Return the name that a name stands for, or "". Raises `LookupFailed`."""
        return next(iter(self._ask(host, "CNAME")), "")

    def addresses(self, host: str) -> list[str]:
        """Return the IPv4 and IPv6 addresses of a name. Raises `LookupFailed`."""
        return [*self._ask(host, "A"), *self._ask(host, "AAAA")]

    def _ask(self, host: str, kind: str) -> list[str]:
        key = (host.lower().rstrip("."), kind)
        if key not in self._answers:
            try:
                self._answers[key] = self._resolve(*key)
            except LookupFailed as failure:
                self._answers[key] = failure
        answer = self._answers[key]
        if isinstance(answer, LookupFailed):
            raise answer
        return answer

    def _resolve(self, host: str, kind: str) -> list[str]:
        seconds = min(LOOKUP_S, self._ends_at - time.monotonic())
        if seconds <= 0:
            raise LookupFailed("the time for this check is over")
        try:
            found = _resolver_at(settings.DNS_RESOLVER).resolve(
                host, kind, lifetime=seconds, raise_on_no_answer=False, search=False
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise LookupFailed(str(error)) from error
        return _TEXT_OF[kind](found)


def _names(records: Any) -> list[str]:
    return [str(record.target).rstrip(".").lower() for record in records]


_TEXT_OF: dict[str, Callable[[Any], list[str]]] = {
    # Name servers turn the order round with each answer; what people are shown should not turn with it.
    "TXT": lambda records: sorted(b"".join(record.strings).decode("utf-8", "replace") for record in records),
    "MX": lambda records: [
        str(record.exchange).rstrip(".").lower() for record in sorted(records, key=lambda record: record.preference)
    ],
    "CNAME": _names,
    "A": lambda records: [record.address for record in records],
    "AAAA": lambda records: [record.address for record in records],
}
