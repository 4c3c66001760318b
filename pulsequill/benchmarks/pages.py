"""List pages of a large workspace: p95 of the answers, against the limit of 200 ms."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.test import Client

from accounts.models import Membership, User
from accounts.models.membership import Role
from campaigns.models import Campaign, Variant
from pulsequill.benchmarks.audience import make_audience, make_workspace
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.http_load import load
from pulsequill.benchmarks.processes import SERVERS, free_port, server

PATHS = ("/contacts", "/campaigns", "/lists", "/imports", "/")
CONTACTS, CAMPAIGNS = 100_000, 200
LIMIT_MS = 200.0
CONNECTIONS = 2


def prepare(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    """Make 100,000 contacts and 200 campaigns, and a signed-in browser's requests for the pages."""
    workspace = make_workspace("Pages")
    make_audience(workspace, CONTACTS)
    campaigns = Campaign.objects.bulk_create(
        Campaign(workspace=workspace, name=f"Campaign {number}") for number in range(CAMPAIGNS)
    )
    Variant.objects.bulk_create(Variant(workspace=workspace, campaign=campaign, subject="x") for campaign in campaigns)
    user = User.objects.create_user("bench@pulsequill.example", "a long password for the benchmark", name="Bench")
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    browser = Client()
    browser.force_login(user)
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
    port = free_port()
    SERVERS.enter_context(
        server("uvicorn", "pulsequill.asgi:application", "--port", str(port), "--log-level", "warning", port=port)
    )
    rounds = 200 if is_full else 30
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {settings.SESSION_COOKIE_NAME}={cookie}\r\n\r\n".encode()
        for _ in range(rounds)
        for path in PATHS
    ]

    def product() -> float:
        result = load(port, requests, connections=CONNECTIONS)
        assert result.statuses == {200: len(requests)}, result.statuses
        return result.percentile(0.95) * 1000

    return product, lambda: LIMIT_MS


BENCHMARK = Benchmark(
    name=f"List pages, {CONTACTS:,} contacts and {CAMPAIGNS} campaigns",
    unit="ms at p95",
    reference_name="the limit",
    prepare=prepare,
    floor=1.0,
    aim=2.0,
    is_lower_better=True,
)
