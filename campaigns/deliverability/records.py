"""The DNS records that a sending domain needs, ready to be copied."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from campaigns.deliverability.routes import Route
from campaigns.delivery.dkim import record_of
from campaigns.delivery.return_path import host_of
from campaigns.models import SendingDomain

#: The preference in our MX records; there is only one.
MX_PREFERENCE = 10
SENDGRID_SELECTORS = ("s1", "s2")
#: What most mailbox providers ask for at least (Google and Yahoo since 2024): a policy, and somewhere for its reports.
DMARC = "v=DMARC1; p=none; rua=mailto:postmaster@{domain}"
#: What people call the kinds.
LABELS = {
    "spf": "SPF",
    "dkim": "DKIM",
    "dkim2": "DKIM, second key",
    "dmarc": "DMARC",
    "return_path": "Return path",
    "return_path_spf": "Return path, SPF",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One record to publish."""

    #: What it is for: `spf`, `dkim`, `dkim2`, `dmarc`, `return_path`, `return_path_spf`.
    kind: str
    type: str
    host: str
    #: Empty: it is shown by the provider, and cannot be known here.
    value: str
    #: Without it the domain is not verified.
    is_required: bool
    purpose: str

    def as_json(self) -> dict[str, Any]:
        """Return it as `/v1` shows it."""
        return asdict(self)


def spf_record(authorise: tuple[str, ...]) -> str:
    """Return an SPF record that passes these mechanisms (not known: the domain's own hosts) and doubts all others."""
    return " ".join(["v=spf1", *(authorise or ("a", "mx")), "~all"])


def records_for(domain: SendingDomain, route: Route) -> list[Record]:
    """Return what is to be published for a domain whose mail leaves by `route`."""
    name = domain.name
    dmarc = Record("dmarc", "TXT", f"_dmarc.{name}", DMARC.format(domain=name), True,
                   "Tells mailbox providers what to do with mail that only pretends to be yours.")  # fmt: skip
    if route.signs_itself:
        return [*_of_sendgrid(name), dmarc]
    records = [
        Record("spf", "TXT", name, spf_record(route.authorise), True, "Names the servers that may send for you."),
        Record("dkim", "TXT", f"{domain.dkim_selector}._domainkey.{name}", record_of(domain.dkim_public_key), True,
               "The public half of the key that signs your mail."),
        dmarc,
    ]  # fmt: skip
    if route.bounce_host:
        host = host_of(name)
        records += [
            Record("return_path", "MX", host, f"{MX_PREFERENCE} {route.bounce_host}", False,
                   "Brings bounces back to us, each with the message it is about."),
            Record("return_path_spf", "TXT", host, spf_record(route.authorise), False,
                   "SPF for the return path, so that it counts for your domain."),
        ]  # fmt: skip
    return records


def _of_sendgrid(name: str) -> list[Record]:
    kinds = zip(("dkim", "dkim2"), SENDGRID_SELECTORS, strict=True)
    return [
        Record(kind, "CNAME", f"{selector}._domainkey.{name}", "", True, "Points at the key that SendGrid signs with.")
        for kind, selector in kinds
    ]
