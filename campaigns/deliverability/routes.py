"""The way that a workspace's mail leaves: which servers SPF has to authorise, and who signs."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from campaigns.delivery.headers import public_host
from campaigns.delivery.providers import active_provider
from campaigns.models import SmtpServer

#: Mail services that are reached by SMTP and send from their own addresses: what their customers put into SPF.
RELAYS: dict[str, str] = {
    "smtp.gmail.com": "include:_spf.google.com",
    "smtp-relay.gmail.com": "include:_spf.google.com",
    "smtp.office365.com": "include:spf.protection.outlook.com",
    "smtp.sendgrid.net": "include:sendgrid.net",
    "smtp.mailgun.org": "include:mailgun.org",
    "smtp.eu.mailgun.org": "include:mailgun.org",
    "smtp.postmarkapp.com": "include:spf.mtasv.net",
    "smtp-relay.brevo.com": "include:spf.brevo.com",
    "in-v3.mailjet.com": "include:spf.mailjet.com",
    "smtp.sparkpostmail.com": "include:sparkpostmail.com",
    "smtp.mandrillapp.com": "include:spf.mandrillapp.com",
    "smtp.fastmail.com": "include:spf.messagingengine.com",
    "smtp.zoho.com": "include:zohomail.com",
}
#: The same for services with a host in each region.
RELAY_DOMAINS: dict[str, str] = {"amazonaws.com": "include:amazonses.com"}
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Route:
    """How the mail of one workspace leaves."""

    #: `capture`, `smtp` or `sendgrid`.
    provider: str
    #: SPF mechanisms that cover the sending servers; empty: not known here.
    authorise: tuple[str, ...] = ()
    #: The host that takes bounces in; empty: nobody could reach it.
    bounce_host: str = ""

    @property
    def signs_itself(self) -> bool:
        """Whether the provider makes the DKIM signature and the return path, and not we."""
        return self.provider == "sendgrid"


def route_of(workspace_id: UUID) -> Route:
    """Return how new mail of a workspace leaves."""
    provider = active_provider(workspace_id)
    if provider == "sendgrid":
        return Route(provider)
    own = SmtpServer.objects.for_workspace(workspace_id).filter(settings__provider=provider)
    hosts = list(own.order_by("host").values_list("host", flat=True).distinct())
    return Route(
        provider,
        authorise=tuple(dict.fromkeys(filter(None, map(mechanism_of, hosts)))) if hosts else _of_installation(),
        bounce_host=_public(settings.BOUNCE_HOST or public_host()),
    )


def mechanism_of(host: str) -> str:
    """Return the SPF mechanism that covers mail handed to a mail server; "" for a machine without a public name."""
    host = host.lower().rstrip(".")
    relay = RELAYS.get(host) or RELAY_DOMAINS.get(".".join(host.split(".")[-2:]))
    if relay:
        return relay
    if host in _THIS_MACHINE:
        host = public_host()
    try:
        address = ip_address(host)
    except ValueError:
        return f"a:{host}" if _public(host) else ""
    return f"ip{address.version}:{address}" if address.is_global else ""


def _of_installation() -> tuple[str, ...]:
    if settings.SPF_AUTHORISE:
        return tuple(settings.SPF_AUTHORISE)
    mechanism = mechanism_of(urlsplit(settings.SMTP_URL).hostname or public_host())
    return (mechanism,) if mechanism else ()


def _public(host: str) -> str:
    """Return the host when others can look it up."""
    return host if "." in host and host not in _THIS_MACHINE and not host.endswith(".localhost") else ""
