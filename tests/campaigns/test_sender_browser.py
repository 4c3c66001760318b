"""Senders and domains in a real browser: looked at, copied from, and checked without leaving the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Workspace
from campaigns.models import Sender, SendingDomain
from campaigns.services import senders
from tests.campaigns.making import make_member, make_workspace
from tests.fakes.dns_server import Zone, dns_server
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "mail.northwind.io"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def zone(settings: Any) -> Iterator[Zone]:
    settings.SPF_AUTHORISE, settings.BOUNCE_HOST = ["a:out.pulsequill.io"], "mx.pulsequill.io"
    with dns_server() as (address, zone):
        settings.DNS_RESOLVER = address
        zone["out.pulsequill.io", "A"] = ["192.0.2.5"]
        yield zone


@pytest.fixture
def open_page(live_server: LiveServer, page_for: PageFor, workspace: Workspace) -> Callable[..., Page]:
    client = Client()
    client.force_login(make_member(workspace))
    name = settings.SESSION_COOKIE_NAME

    def open_at(path: str, **options: Any) -> Page:
        page = page_for(**options)
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page.goto(live_server.url + path)
        return page

    return open_at


@pytest.fixture
def domain(workspace: Workspace) -> SendingDomain:
    return senders.create_domain(workspace=workspace, actor=None, name=NAME)


def detail(domain: SendingDomain) -> str:
    return reverse("campaigns:domain_detail", args=[domain.pk])


def look_at(open_page: Callable[..., Page], path: str, name: str) -> None:
    for theme, width in LOOKS:
        page = open_page(path, theme=theme, width=width)
        save_picture(page, f"{name}-{width}-{theme}")
        assert_fits(page)
        assert_accessible(page)


def test_the_list_and_a_domain_with_every_state_can_be_read_by_everybody(
    open_page: Callable[..., Page], workspace: Workspace, domain: SendingDomain, zone: Zone
) -> None:
    zone[NAME, "TXT"] = ["v=spf1 include:_spf.google.com ip4:198.51.100.0/24 -all"]
    zone["_spf.google.com", "TXT"] = ["v=spf1 ip4:203.0.113.0/24 ~all"]
    zone["_dmarc.northwind.io", "TXT"] = ["v=DMARC1; p=none; rua=mailto:dmarc@northwind.io"]
    zone[f"bounce.{NAME}", "MX"] = "servfail"
    senders.verify_domain(domain=domain, actor=None)
    SendingDomain.objects.create(workspace=workspace, name="news.harbour.io", verified_at=timezone.now())
    senders.create_domain(workspace=workspace, actor=None, name="a-rather-long-name-for-a-shop-of-the-harbour.example")
    for name, email in (
        ("Maya at Northwind", f"maya@{NAME}"),
        ("Harbour Roasters", "hello@news.harbour.io"),
        ("Tom", "northwind.coffee@gmail.com"),
    ):
        Sender.objects.create(workspace=workspace, from_name=name, from_email=email, reply_to="team@northwind.io")
    look_at(open_page, reverse("campaigns:sender_list"), "senders")
    look_at(open_page, detail(domain), "domain-mixed")


def test_a_new_domain_and_the_empty_list_can_be_read_by_everybody(
    open_page: Callable[..., Page], workspace: Workspace, zone: Zone
) -> None:
    look_at(open_page, reverse("campaigns:sender_list"), "senders-empty")
    domain = senders.create_domain(workspace=workspace, actor=None, name=NAME)
    look_at(open_page, detail(domain), "domain-new")
    look_at(open_page, reverse("campaigns:domain_new"), "domain-form")
    look_at(open_page, reverse("campaigns:sender_new"), "sender-form")


def test_checking_changes_the_page_in_place(open_page: Callable[..., Page], domain: SendingDomain, zone: Zone) -> None:
    page = open_page(detail(domain))
    expect(page.locator("#domain-state")).to_have_text("Not checked")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("0 of 3 required are right")).to_be_visible()
    records = page.locator(".dns-r").evaluate_all(
        "all => all.map(one => [one.querySelector('h3 .chip.line').innerText,"
        " ...[...one.querySelectorAll('[data-copy]')].map(copy => copy.dataset.copy)])"
    )
    for kind, host, value in records:
        zone[host, kind] = [value]
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("All required records are right")).to_be_visible()
    expect(page.locator("#domain-state")).to_have_text("Verified")
    expect(page.get_by_text("We look every day")).to_be_visible()
    assert page.url.endswith(detail(domain))
    save_picture(page, "domain-right-1280-light")
    assert_accessible(page)


def test_values_are_copied_whole(open_page: Callable[..., Page], domain: SendingDomain, zone: Zone) -> None:
    page = open_page(detail(domain), permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the value of DKIM").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"v=DKIM1; k=rsa; p={domain.dkim_public_key}"


def test_the_page_says_that_it_is_asking(
    open_page: Callable[..., Page], domain: SendingDomain, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.deliverability.lookups.LOOKUP_S", 2.0)
    zone[NAME, "TXT"] = "silence"
    page = open_page(detail(domain))
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("status").get_by_text("Asking the DNS")).to_be_visible()
    save_picture(page, "domain-asking-1280-light")
    expect(page.get_by_text("The DNS did not answer")).to_be_visible()
    expect(page.get_by_text("Asking the DNS")).to_be_hidden()
