"""Outgoing webhooks: signed, at least once, never into the own network."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from accounts import tasks
from accounts.activity import record
from accounts.models import Notification, User, WebhookAttempt, WebhookEndpoint, Workspace
from accounts.services import webhooks
from accounts.webhooks_out import delivery
from accounts.webhooks_out.secrets import unseal
from pulsequill.core.outbound_http import RefusedAddress

pytestmark = pytest.mark.django_db


class Receiver:
    """A customer's server that answers what it is told to."""

    def __init__(self) -> None:
        self.status, self.headers, self.calls = 200, {}, []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append((dict(self.headers), body))
                self.send_response(receiver.status)
                for name, text in receiver.headers.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(b"thanks")

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    settings.OUTBOUND_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    started = Receiver()
    yield started
    started.server.shutdown()
    started.server.server_close()


@pytest.fixture
def endpoint(receiver: Receiver, workspace: Workspace, owner: User) -> WebhookEndpoint:
    return webhooks.create_endpoint(workspace=workspace, actor=owner, url=receiver.url)[0]


def launched(workspace: Workspace) -> None:
    record(workspace=workspace, kind="campaign.launched", summary="Spring is on its way.", subject=workspace, sent=3)


def attempts(workspace: Workspace) -> list[WebhookAttempt]:
    return list(WebhookAttempt.objects.for_workspace(workspace).order_by("created_at"))


def test_what_happens_reaches_the_endpoint_signed(endpoint, receiver: Receiver, workspace: Workspace) -> None:
    launched(workspace)
    assert tasks.deliver_due_webhooks() == 1
    headers, body = receiver.calls[0]
    payload = Webhook(unseal(endpoint)[0]).verify(body, headers)
    assert payload["type"] == "campaign.launched"
    assert payload["data"]["sent"] == 3
    (attempt,) = attempts(workspace)
    assert (attempt.status, attempt.response_status, attempt.response_body) == ("delivered", 200, "thanks")
    assert headers["webhook-id"] == attempt.message_id


def test_an_endpoint_hears_only_what_it_asked_for(receiver: Receiver, workspace: Workspace, owner: User) -> None:
    webhooks.create_endpoint(workspace=workspace, actor=owner, url=receiver.url, kinds=["import.finished"])
    launched(workspace)
    record(workspace=workspace, kind="webhook.secretly", summary="stays in the house")
    assert attempts(workspace) == []


def test_an_event_of_a_transaction_that_failed_is_never_told(endpoint, workspace: Workspace) -> None:
    from django.db import transaction

    with pytest.raises(RuntimeError), transaction.atomic():
        launched(workspace)
        raise RuntimeError
    assert attempts(workspace) == []


def test_a_failure_is_tried_again_with_the_same_id(endpoint, receiver: Receiver, workspace: Workspace) -> None:
    receiver.status = 500
    launched(workspace)
    tasks.deliver_due_webhooks()
    (attempt,) = attempts(workspace)
    assert attempt.status == "pending"
    assert timedelta(seconds=3) < attempt.next_try_at - timezone.now() < timedelta(seconds=10)
    WebhookAttempt.objects.for_workspace(workspace).update(next_try_at=timezone.now())
    receiver.status = 204
    tasks.deliver_due_webhooks()
    assert receiver.calls[0][0]["webhook-id"] == receiver.calls[1][0]["webhook-id"]
    assert attempts(workspace)[0].status == "delivered"


@pytest.mark.parametrize(("status", "least_s"), [(301, 4), (429, 590), (503, 4)])
def test_redirects_are_failures_and_busy_servers_get_time(
    endpoint, receiver: Receiver, workspace: Workspace, status: int, least_s: int
) -> None:
    receiver.status, receiver.headers = status, {"Location": "http://127.0.0.1:1/elsewhere"}
    launched(workspace)
    tasks.deliver_due_webhooks()
    assert attempts(workspace)[0].status == "pending"
    assert attempts(workspace)[0].next_try_at - timezone.now() > timedelta(seconds=least_s)
    assert len(receiver.calls) == 1


def test_retry_after_is_honoured(endpoint, receiver: Receiver, workspace: Workspace) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": "7200"}
    launched(workspace)
    tasks.deliver_due_webhooks()
    assert attempts(workspace)[0].next_try_at - timezone.now() > timedelta(hours=1)


def test_it_gives_up_after_ten_tries(endpoint, receiver: Receiver, workspace: Workspace) -> None:
    receiver.status = 500
    launched(workspace)
    for _ in range(delivery.MAX_TRIES + 2):
        WebhookAttempt.objects.for_workspace(workspace).filter(status="pending").update(next_try_at=timezone.now())
        tasks.deliver_due_webhooks()
    (attempt,) = attempts(workspace)
    assert (attempt.status, attempt.tries, len(receiver.calls)) == ("exhausted", 10, 10)


def test_gone_and_five_days_of_failure_switch_an_endpoint_off(
    endpoint, receiver: Receiver, workspace: Workspace, owner: User
) -> None:
    receiver.status = 410
    launched(workspace)
    tasks.deliver_due_webhooks()
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert Notification.objects.for_workspace(workspace).filter(user=owner, kind="webhook.disabled").exists()
    webhooks.update_endpoint(endpoint=endpoint, actor=owner, is_active=True)
    receiver.status = 500
    WebhookEndpoint.objects.for_workspace(workspace).update(failing_since=timezone.now() - timedelta(days=6))
    launched(workspace)
    tasks.deliver_due_webhooks()
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert "five days" in endpoint.disabled_reason


def test_a_worker_that_dies_leaves_the_row_due_again(endpoint, receiver: Receiver, workspace: Workspace) -> None:
    launched(workspace)
    assert len(delivery.claim_due(10)) == 1  # and then the worker is gone
    assert delivery.claim_due(10) == []
    WebhookAttempt.objects.for_workspace(workspace).update(next_try_at=timezone.now() - delivery.LEASE)
    tasks.deliver_due_webhooks()
    assert attempts(workspace)[0].status == "delivered"


def test_after_a_rotation_both_secrets_sign(endpoint, receiver: Receiver, workspace: Workspace, owner: User) -> None:
    old = unseal(endpoint)[0]
    new = webhooks.rotate_secret(endpoint=endpoint, actor=owner)
    launched(workspace)
    tasks.deliver_due_webhooks()
    headers, body = receiver.calls[0]
    assert Webhook(old).verify(body, headers)
    assert Webhook(new).verify(body, headers)


def test_large_facts_are_left_out_and_named(endpoint, receiver: Receiver, workspace: Workspace) -> None:
    record(workspace=workspace, kind="campaign.sent", summary="Sent", rows=["x" * 1000] * 40, small=1)
    tasks.deliver_due_webhooks()
    body = receiver.calls[0][1]
    assert len(body) < 20_000
    assert json.loads(body)["data"]["left_out"] == ["rows"]


def test_an_event_can_be_delivered_again_and_tested(endpoint, receiver: Receiver, workspace: Workspace) -> None:
    attempt = webhooks.send_test_event(endpoint=endpoint)
    tasks.deliver_due_webhooks()
    attempt.refresh_from_db()
    webhooks.redeliver(attempt=attempt)
    tasks.deliver_due_webhooks()
    assert [headers["webhook-id"] for headers, _ in receiver.calls] == [attempt.message_id] * 2


def test_an_endpoint_that_moved_into_the_own_network_is_not_called(
    endpoint, receiver: Receiver, workspace: Workspace, settings, owner: User
) -> None:
    settings.OUTBOUND_PRIVATE_NETWORKS = []
    launched(workspace)
    tasks.deliver_due_webhooks()
    assert receiver.calls == []
    assert attempts(workspace)[0].response_status is None
    with pytest.raises(RefusedAddress):
        webhooks.create_endpoint(workspace=workspace, actor=owner, url=receiver.url)
