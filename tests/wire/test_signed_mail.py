"""From a verified domain to a mail server: signed for whoever looks the key up, and with a way back for each bounce."""

from __future__ import annotations

from typing import Any

import dkim
import pytest
from django.test import Client

from campaigns.delivery import pipeline, return_path
from campaigns.models import ProviderSettings, SendingDomain, SmtpServer
from campaigns.services import senders
from tests.campaigns.making import make_workspace
from tests.campaigns.sending import make_launched, rows_of
from tests.fakes.dns_server import Zone, dns_server
from tests.fakes.smtp_server import smtp_server

pytestmark = pytest.mark.django_db(transaction=True)


def publish_all(zone: Zone, domain: SendingDomain) -> None:
    """Publish what a first check asks for, and check again."""
    for finding in senders.verify_domain(domain=domain, actor=None).findings:
        zone[finding["host"], finding["type"]] = [finding["publish"]]
    senders.verify_domain(domain=domain, actor=None)
    assert domain.verified_at


def test_a_campaign_over_own_smtp_is_signed_and_each_bounce_finds_its_message(settings: Any, client: Client) -> None:
    settings.BOUNCE_HOST = "mx.pulsequill.io"
    settings.OUTBOUND_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    workspace = make_workspace()
    domain = senders.create_domain(workspace=workspace, actor=None, name="northwind.io")
    with dns_server() as (address, zone), smtp_server() as (sink, port):
        settings.DNS_RESOLVER = address
        own = ProviderSettings.objects.create(workspace=workspace, provider="smtp", is_active=True)
        SmtpServer.objects.create(
            workspace=workspace, settings=own, host="127.0.0.1", port=port, security="none", max_connections=2
        )
        publish_all(zone, domain)
        campaign, _people = make_launched(5, workspace=workspace)
        pipeline.deliver(campaign_id=campaign.pk)
        rows = {row.pk: row for row in rows_of(campaign)}
        assert {row.status for row in rows.values()} == {"sent"}

        def look_up(name: bytes, timeout: int = 5) -> bytes:
            (text,) = zone[name.decode().rstrip("."), "TXT"]
            return text.encode()

        assert len(sink.taken) == 5
        for envelope_from, to, raw in sink.taken:
            assert rows[return_path.read(envelope_from)].email == to
            assert envelope_from.endswith("@bounce.northwind.io")
            assert dkim.verify(raw, dnsfunc=look_up)
            assert not dkim.verify(
                raw.replace(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Never"), dnsfunc=look_up
            )

        running, _people = make_launched(0, workspace=workspace, lists=list(campaign.lists.all()))
        _from, to, raw = sink.taken.pop()
        header = raw.partition(b"List-Unsubscribe: <")[2].partition(b">")[0].decode()
        answer = client.post("/" + header.partition("://")[2].partition("/")[2], {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        sink.taken.clear()
        pipeline.deliver(campaign_id=running.pk)
        assert {row.email: row.status for row in rows_of(running)}[to] == "skipped"
        assert len(sink.taken) == 4
        assert to not in [address for _from, address, _raw in sink.taken]
