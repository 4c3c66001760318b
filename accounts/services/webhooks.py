"""Webhook endpoints of a workspace."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import transaction
from django.utils import timezone

from accounts import tasks
from accounts.activity import record
from accounts.models import User, WebhookAttempt, WebhookEndpoint, Workspace
from accounts.webhooks_out import outbox, secrets
from accounts.webhooks_out.catalogue import TEST_KIND
from pulsequill.core.errors import WrongState
from pulsequill.core.outbound_http import check_address
from pulsequill.core.signing import BadSignature

MAX_ENDPOINTS = 20


def create_endpoint(
    *, workspace: Workspace, actor: User | None, url: str, kinds: Iterable[str] = ()
) -> tuple[WebhookEndpoint, str]:
    """Return a new endpoint and its signing secret, which is shown this once.

    Raises:
        RefusedAddress: the address leads into a private network, or breaks another rule.
        WrongState: there are too many endpoints.
    """
    check_address(url)
    if WebhookEndpoint.objects.for_workspace(workspace).count() >= MAX_ENDPOINTS:
        raise WrongState(f"A workspace can have {MAX_ENDPOINTS} webhooks.", code="too_many")
    secret = secrets.make_secret()
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.create(
            workspace=workspace, url=url, kinds=sorted(set(kinds)), secret_encrypted=secrets.seal(secret)
        )
        _record(endpoint, actor, "created", "Made")
    return endpoint, secret


def update_endpoint(*, endpoint: WebhookEndpoint, actor: User | None, **fields: object) -> WebhookEndpoint:
    """Change `url`, `kinds` or `is_active`; switching on clears why it was off.

    Raises:
        RefusedAddress: the new address breaks a rule.
    """
    if "url" in fields:
        check_address(str(fields["url"]))
    for name, value in fields.items():
        setattr(endpoint, name, value)
    if fields.get("is_active"):
        endpoint.disabled_reason, endpoint.failing_since = "", None
    with transaction.atomic():
        endpoint.save()
        _record(endpoint, actor, "updated", "Changed")
    return endpoint


def rotate_secret(*, endpoint: WebhookEndpoint, actor: User | None) -> str:
    """Return a new secret; the old one signs too for 24 hours, unless SECRET_KEY changed and it is lost."""
    secret = secrets.make_secret()
    try:
        previous = secrets.unseal(endpoint)[0]
    except BadSignature:
        previous = None
    endpoint.secret_encrypted = secrets.seal(secret, previous=previous)
    with transaction.atomic():
        endpoint.save(update_fields=["secret_encrypted", "updated_at"])
        _record(endpoint, actor, "rotated", "Rotated the secret of")
    return secret


def delete_endpoint(*, endpoint: WebhookEndpoint, actor: User | None) -> None:
    """Remove an endpoint with its log."""
    with transaction.atomic():
        _record(endpoint, actor, "deleted", "Removed")
        endpoint.delete()


def send_test_event(*, endpoint: WebhookEndpoint) -> WebhookAttempt:
    """Put a test event into the outbox.

    Raises:
        WrongState: the endpoint is switched off.
    """
    if not endpoint.is_active:
        raise WrongState("This webhook is switched off.", code="switched_off")
    attempt = outbox.write_one(endpoint=endpoint, kind=TEST_KIND, data={"summary": "A test event from PulseQuill."})
    _wake()
    return attempt


def redeliver(*, attempt: WebhookAttempt) -> WebhookAttempt:
    """Send an event again, with its id: a receiver that has it drops it.

    Raises:
        WrongState: it is on its way anyway, or the endpoint is switched off.
    """
    if not attempt.endpoint.is_active:
        raise WrongState("This webhook is switched off.", code="switched_off")
    changed = (
        WebhookAttempt.objects.for_workspace(attempt.workspace_id)
        .filter(pk=attempt.pk)
        .exclude(status=WebhookAttempt.Status.PENDING)
        .update(status=WebhookAttempt.Status.PENDING, tries=0, next_try_at=timezone.now(), updated_at=timezone.now())
    )
    if not changed:
        raise WrongState("This event is still being delivered.")
    attempt.refresh_from_db()
    _wake()
    return attempt


def _wake() -> None:
    transaction.on_commit(partial(tasks.deliver_due_webhooks.delay), robust=True)


def _record(endpoint: WebhookEndpoint, actor: User | None, verb: str, sentence: str) -> None:
    record(
        workspace=endpoint.workspace,
        actor=actor,
        kind=f"webhook.{verb}",
        summary=f"{sentence} the webhook {endpoint.url}"[:300],
        subject=endpoint,
    )
