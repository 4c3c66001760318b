"""What a domain's DNS says about its mail: SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import dns.exception
import dns.resolver

LOOKUP_SECONDS = 4.0
#: Selectors of PulseQuill and of the mail services that most domains use; a domain's selectors cannot be listed.
SELECTORS = ("pulsequill", "s1", "s2", "default", "selector1", "selector2", "google", "k1", "mail", "dkim")


@dataclass(frozen=True, slots=True)
class RecordFinding:
    """One record: where it belongs, what stands there, and in plain words whether that is right."""

    kind: str
    host: str
    is_right: bool
    found: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored and shown."""
        return asdict(self)


class LookupFailed(Exception):
    """DNS did not answer: nothing is known."""


def look_up_txt(host: str) -> list[str]:
    """Return the TXT records of a name; [] when it has none.

    Raises:
        LookupFailed: no answer in time, or a server that refuses.
    """
    try:
        answer = dns.resolver.resolve(host, "TXT", lifetime=LOOKUP_SECONDS, raise_on_no_answer=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise LookupFailed(str(error)) from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def check_domain(name: str) -> list[RecordFinding]:
    """Return what the three records of a domain say. A lookup that fails is a finding, never an exception."""
    return [_guarded("spf", name, _spf), _guarded("dkim", name, _dkim), _guarded("dmarc", name, _dmarc)]


def _guarded(kind: str, name: str, check: Any) -> RecordFinding:
    try:
        finding: RecordFinding = check(name)
    except LookupFailed:
        return RecordFinding(kind, name, False, "", "DNS did not answer. Try again in a minute.")
    return finding


def _spf(name: str) -> RecordFinding:
    records = [record for record in look_up_txt(name) if record.lower().startswith("v=spf1")]
    if len(records) == 1:
        return RecordFinding("spf", name, True, records[0], "SPF says who may send for this domain.")
    words = "There is more than one SPF record: keep one." if records else "There is no SPF record (v=spf1 …)."
    return RecordFinding("spf", name, False, " | ".join(records), words)


def _dkim(name: str) -> RecordFinding:
    for selector in SELECTORS:
        host = f"{selector}._domainkey.{name}"
        keys = [record for record in look_up_txt(host) if "p=" in record.replace(" ", "")]
        if keys and not keys[0].replace(" ", "").rstrip(";").endswith("p="):
            return RecordFinding("dkim", host, True, keys[0][:120], f"A DKIM key is published (selector {selector}).")
    return RecordFinding("dkim", f"…._domainkey.{name}", False, "", "No DKIM key was found under the usual selectors.")


def _dmarc(name: str) -> RecordFinding:
    host = f"_dmarc.{name}"
    records = [record for record in look_up_txt(host) if record.upper().startswith("V=DMARC1")]
    if records:
        return RecordFinding("dmarc", host, True, records[0], "DMARC tells mailbox providers what to do with fakes.")
    return RecordFinding("dmarc", host, False, "", "There is no DMARC record; v=DMARC1; p=none is enough to begin.")
