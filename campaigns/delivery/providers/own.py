"""A workspace's own account at a provider, from its settings: the only place where their secrets are decrypted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured

from campaigns.delivery.providers.base import TIMEOUT_S, Provider
from campaigns.delivery.providers.capture import CaptureProvider
from campaigns.delivery.providers.sendgrid.send import SendGridProvider
from campaigns.delivery.providers.smtp import Server, SmtpProvider
from campaigns.models import ProviderSettings, SmtpServer
from pulsequill.core.signing import BadSignature, decrypt

#: SendGrid keeps accounts in one of two places; the key of one is unknown in the other.
SENDGRID_REGIONS: dict[str, str] = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}


def find_own(workspace_id: UUID, kind: str) -> ProviderSettings | None:
    """Return what a workspace has set for one kind of provider, whether or not new campaigns use it."""
    return ProviderSettings.objects.for_workspace(workspace_id).filter(provider=kind).first()


def make_own(own: ProviderSettings, *, timeout_s: float = TIMEOUT_S) -> Provider:
    """Return a new provider that signs in as the workspace.

    Raises:
        ImproperlyConfigured: something is missing, or a secret cannot be decrypted; the sentence is fit for people.
    """
    return _MAKERS[own.provider](own, timeout_s)


def make_for_servers(servers: Iterable[SmtpServer], *, timeout_s: float = TIMEOUT_S) -> SmtpProvider:
    """Return an SMTP provider over these servers of a workspace, and no others.

    Raises:
        ImproperlyConfigured: a password cannot be decrypted.
    """
    return SmtpProvider([_server(server) for server in servers], timeout_s=timeout_s)


def _capture(_own: ProviderSettings, _timeout_s: float) -> Provider:
    return CaptureProvider()


def _smtp(own: ProviderSettings, timeout_s: float) -> Provider:
    servers = list(SmtpServer.objects.for_workspace(own.workspace_id).filter(settings=own).order_by("created_at", "pk"))
    if not servers:
        raise ImproperlyConfigured("This workspace has no mail server yet. Add one under Settings, Sending.")
    return make_for_servers(servers, timeout_s=timeout_s)


def _server(row: SmtpServer) -> Server:
    return Server(
        host=row.host,
        port=row.port,
        user=row.username,
        password=_secret(row.password_encrypted, f"password of {row}"),
        security=row.security,  # type: ignore[arg-type]  # the same words
        weight=row.weight,
        max_connections=row.max_connections,
        messages_per_connection=row.messages_per_connection,
        is_checked=True,
    )


def _sendgrid(own: ProviderSettings, timeout_s: float) -> Provider:
    api_key = _secret(own.secret_encrypted, "SendGrid API key")
    if not api_key:
        raise ImproperlyConfigured("This workspace has no SendGrid API key yet. Enter it under Settings, Sending.")
    region = SENDGRID_REGIONS[own.options.get("region", "global")]
    return SendGridProvider(api_key=api_key, base_url=region, timeout_s=timeout_s)


def _secret(stored: bytes | memoryview | None, what: str) -> str:
    if not stored:
        return ""
    try:
        return decrypt(bytes(stored))
    except BadSignature as error:
        raise ImproperlyConfigured(
            f"The {what} cannot be read any more, because SECRET_KEY has changed. Enter it again."
        ) from error


_MAKERS: dict[str, Callable[[ProviderSettings, float], Provider]] = {
    "capture": _capture,
    "smtp": _smtp,
    "sendgrid": _sendgrid,
}
