"""Senders and domains on their pages: added, changed, checked over a real name server, and what to do said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Workspace
from campaigns.models import ProviderSettings, Sender, SendingDomain
from campaigns.services import senders
from tests.campaigns.making import make_campaign, make_member, make_workspace
from tests.fakes.dns_server import Zone, dns_server

pytestmark = pytest.mark.django_db
MAYA = {"from_name": "Maya", "from_email": "maya@mail.northwind.io", "reply_to": ""}


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    client = Client()
    client.force_login(make_member(workspace))
    return client


@pytest.fixture
def zone(settings: Any) -> Iterator[Zone]:
    with dns_server() as (address, zone):
        settings.DNS_RESOLVER = address
        yield zone


def url(name: str, *args: Any) -> str:
    return reverse(f"campaigns:{name}", args=args)


def page(client: Client, name: str, *args: Any) -> str:
    answer = client.get(url(name, *args))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_an_empty_workspace_is_shown_where_to_begin(client: Client) -> None:
    assert "Nobody to send as yet" in page(client, "sender_list")
    assert "New sender" in page(client, "sender_new")
    assert "New sending domain" in page(client, "domain_new")


def test_a_sender_is_added_and_changed_and_its_domain_noted(client: Client, workspace: Workspace) -> None:
    assert client.post(url("sender_new"), MAYA).headers["Location"] == url("sender_list")
    sender = Sender.objects.get(workspace=workspace)
    shown = page(client, "sender_list")
    assert "maya@mail.northwind.io" in shown
    assert "Domain not verified" in shown
    assert 'value="Maya"' in page(client, "sender", sender.pk)
    client.post(url("sender", sender.pk), {**MAYA, "from_name": "Maya O.", "reply_to": "team@northwind.io"})
    sender.refresh_from_db()
    assert (sender.from_name, sender.reply_to) == ("Maya O.", "team@northwind.io")
    assert [domain.name for domain in SendingDomain.objects.filter(workspace=workspace)] == ["mail.northwind.io"]


@pytest.mark.parametrize(
    "change",
    [{"from_email": "nonsense"}, {"from_name": ""}, {"from_name": "A\x07B"}, {"from_email": "jörg@northwind.io"}],
)
def test_a_sender_that_cannot_be_is_refused_on_the_page(client: Client, change: dict[str, str]) -> None:
    answer = client.post(url("sender_new"), MAYA | change)
    assert answer.status_code == 400
    assert Sender.objects.count() == 0


def test_a_sender_in_use_cannot_be_deleted(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    client.post(url("sender_delete", campaign.sender_id))
    assert Sender.objects.filter(pk=campaign.sender_id).exists()


def test_a_free_mail_address_is_told_to_be_refused_and_notes_no_domain(client: Client) -> None:
    client.post(url("sender_new"), {**MAYA, "from_email": "maya@gmail.com"})
    assert "Free address: refused" in page(client, "sender_list")
    assert not SendingDomain.objects.exists()


def test_a_domain_above_speaks_for_the_senders_below_it(client: Client, workspace: Workspace) -> None:
    domain = senders.create_domain(workspace=workspace, actor=None, name="northwind.io")
    client.post(url("sender_new"), MAYA)
    assert SendingDomain.objects.get() == domain
    assert url("domain_detail", domain.pk) in page(client, "sender_list")
    assert "maya@mail.northwind.io" in page(client, "domain_detail", domain.pk)


def test_a_new_domain_shows_what_to_publish_ready_to_be_copied(client: Client) -> None:
    answer = client.post(url("domain_new"), {"name": "Bücher.example"})
    domain = SendingDomain.objects.get()
    assert domain.name == "xn--bcher-kva.example"
    assert answer.headers["Location"] == url("domain_detail", domain.pk)
    shown = page(client, "domain_detail", domain.pk)
    for text in ("pulsequill._domainkey.xn--bcher-kva.example", "v=DMARC1; p=none", "v=spf1 a mx ~all"):
        assert f'data-copy="{text}' in shown
    assert f'data-copy="v=DKIM1; k=rsa; p={domain.dkim_public_key}"' in shown
    assert "PRIVATE" not in shown
    assert client.post(url("domain_new"), {"name": "no domain"}).status_code == 400
    assert client.post(url("domain_new"), {"name": "bücher.example"}).status_code == 400, "it is there already"


def test_checking_tells_what_was_found_and_what_to_do(client: Client, workspace: Workspace, zone: Zone) -> None:
    domain = senders.create_domain(workspace=workspace, actor=None, name="northwind.io")
    zone["northwind.io", "TXT"] = ["v=spf1 mx -all"]
    zone["_dmarc.northwind.io", "TXT"] = ["v=DMARC1; p=none", "v=DMARC1; p=reject"]
    answer = client.post(url("domain_check", domain.pk), follow=True)
    shown = " ".join(answer.content.decode().split())
    assert "1 of 3 required are right" in shown
    assert "more than one DMARC record" in shown
    assert "Our key is not published" in shown
    assert "Not verified" in shown
    zone["_dmarc.northwind.io", "TXT"] = ["v=DMARC1; p=none"]
    zone["pulsequill._domainkey.northwind.io", "TXT"] = [f"v=DKIM1; k=rsa; p={domain.dkim_public_key}"]
    client.post(url("domain_check", domain.pk))
    assert "We look every day" in page(client, "domain_detail", domain.pk)
    assert "3 of 3 required records right" in page(client, "sender_list")


def test_a_new_key_is_made_on_request(client: Client, workspace: Workspace) -> None:
    domain = senders.create_domain(workspace=workspace, actor=None, name="northwind.io")
    client.post(url("domain_key", domain.pk))
    assert "pulsequill2._domainkey.northwind.io" in page(client, "domain_detail", domain.pk)
    assert domain.dkim_public_key not in page(client, "domain_detail", domain.pk)


def test_what_stands_in_the_dns_is_never_markup(client: Client, workspace: Workspace, zone: Zone) -> None:
    domain = senders.create_domain(workspace=workspace, actor=None, name="northwind.io")
    zone["northwind.io", "TXT"] = ["v=spf1 <script>alert(1)</script> -all"]
    client.post(url("domain_check", domain.pk))
    shown = page(client, "domain_detail", domain.pk)
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown


def test_with_sendgrid_its_own_records_are_asked_for(client: Client, workspace: Workspace) -> None:
    ProviderSettings.objects.create(workspace=workspace, provider="sendgrid", is_active=True)
    domain = senders.create_domain(workspace=workspace, actor=None, name="northwind.io")
    shown = page(client, "domain_detail", domain.pk)
    assert "s1._domainkey.northwind.io" in shown
    assert "pulsequill._domainkey" not in shown


def test_those_who_may_only_look_see_no_buttons(workspace: Workspace) -> None:
    domain = senders.create_domain(workspace=workspace, actor=None, name="northwind.io")
    looker = Client()
    looker.force_login(make_member(workspace, "analyst"))
    assert "Check now</button>" not in page(looker, "domain_detail", domain.pk)
    assert looker.get(url("sender_new")).status_code == 403
    assert looker.get(url("domain_new")).status_code == 403


def test_the_list_asks_as_little_for_many_as_for_one(
    client: Client, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        Sender.objects.create(workspace=workspace, from_name=f"S{number}", from_email=f"a@d{number}.example")
        SendingDomain.objects.create(workspace=workspace, name=f"d{number}.example", verified_at=timezone.now())
    page(client, "sender_list")
    with django_assert_max_num_queries(10):
        page(client, "sender_list")
