"""Domain names: in the ASCII form that DNS and SMTP carry, and one above the other."""

from __future__ import annotations

from functools import lru_cache

import idna


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
