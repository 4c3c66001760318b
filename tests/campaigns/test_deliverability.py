"""Sending domains against a real name server: records right, wrong, missing and unknown, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Activity, Notification, Workspace
from campaigns import preflight, tasks
from campaigns.deliverability import verify as verify_module
from campaigns.deliverability.checks import Finding, State, check
from campaigns.deliverability.records import records_for
from campaigns.deliverability.routes import Route, mechanism_of, route_of
from campaigns.deliverability.verify import Change, due_ids, verify
from campaigns.delivery.dkim import KeyPair, make_key, record_of, signer_for
from campaigns.delivery.return_path import return_path_for
from campaigns.models import Campaign, ProviderSettings, SendingDomain, SmtpServer
from campaigns.services import senders
from pulsequill.core.signing import BadSignature
from tests.campaigns.making import make_campaign, make_member, make_workspace
from tests.fakes.dns_server import SERVFAIL, SILENCE, Zone, dns_server

pytestmark = pytest.mark.django_db
NAME = "northwind.io"
KEY = f"pulsequill._domainkey.{NAME}"


@pytest.fixture(scope="module")
def key() -> KeyPair:
    return make_key()


@pytest.fixture(autouse=True)
def _one_key_is_enough(key: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a key takes longer than a test."""
    monkeypatch.setattr(verify_module, "make_key", lambda: key)


@pytest.fixture
def zone(settings: Any) -> Iterator[Zone]:
    settings.SPF_AUTHORISE = ["a:mail.pulse.example"]
    settings.BOUNCE_HOST = "mx.pulse.example"
    with dns_server() as (address, zone):
        settings.DNS_RESOLVER = address
        zone["mail.pulse.example", "A"] = ["192.0.2.5"]
        yield zone


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def domain(workspace: Workspace) -> SendingDomain:
    return senders.create_domain(workspace=workspace, actor=None, name=NAME)


def publish(zone: Zone, domain: SendingDomain) -> None:
    """Put everything that a domain needs into the zone."""
    zone[NAME, "TXT"] = ["v=spf1 a:mail.pulse.example ~all", "google-site-verification=x"]
    zone[f"{domain.dkim_selector}._domainkey.{NAME}", "TXT"] = [record_of(domain.dkim_public_key)]
    zone[f"_dmarc.{NAME}", "TXT"] = ["v=DMARC1; p=none"]
    zone[f"bounce.{NAME}", "MX"] = ["10 mx.pulse.example"]
    zone[f"bounce.{NAME}", "TXT"] = ["v=spf1 a:mail.pulse.example ~all"]


def found(domain: SendingDomain) -> dict[str, Finding]:
    return {finding.kind: finding for finding in check(domain, route_of(domain.workspace_id))}


# --- all of it -------------------------------------------------------------------------------------------------------
def test_a_domain_with_everything_published_is_verified_signs_and_takes_bounces(
    zone: Zone, domain: SendingDomain
) -> None:
    publish(zone, domain)
    assert verify(domain) is Change.VERIFIED
    domain.refresh_from_db()
    assert [one["state"] for one in domain.findings] == ["right"] * 5
    assert domain.verified_at
    assert signer_for(domain.workspace_id, NAME)
    assert return_path_for(domain.workspace_id, f"hello@{NAME}").host == f"bounce.{NAME}"
    since = domain.verified_at
    assert verify(domain) is Change.NONE
    assert domain.verified_at == since, "verified since then, not since the last look"


def test_nothing_published_says_for_each_record_what_to_add(zone: Zone, domain: SendingDomain) -> None:
    findings = found(domain)
    assert {kind: one.state for kind, one in findings.items()} == dict.fromkeys(
        ["spf", "dkim", "dmarc", "return_path", "return_path_spf"], State.MISSING
    )
    assert [kind for kind, one in findings.items() if one.is_required] == ["spf", "dkim", "dmarc"]
    assert findings["spf"].publish == "v=spf1 a:mail.pulse.example ~all"
    assert findings["dkim"].publish == f"v=DKIM1; k=rsa; p={domain.dkim_public_key}"
    assert findings["dkim"].host == KEY
    assert findings["dmarc"].publish == f"v=DMARC1; p=none; rua=mailto:postmaster@{NAME}"
    assert (findings["return_path"].type, findings["return_path"].publish) == ("MX", "10 mx.pulse.example")
    assert all(one.to_do for one in findings.values())


def test_what_is_published_word_for_word_is_right(zone: Zone, domain: SendingDomain) -> None:
    for one in check(domain, route_of(domain.workspace_id)):
        zone[one.host, one.type] = [one.publish]
    assert verify(domain) is Change.VERIFIED
    assert domain.return_path_verified_at


@pytest.mark.parametrize("trouble", [SERVFAIL, SILENCE])
def test_a_name_server_that_fails_is_told_and_changes_nothing(
    zone: Zone, domain: SendingDomain, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.deliverability.lookups.LOOKUP_S", 0.3)
    publish(zone, domain)
    verify(domain)
    for key in list(zone):
        zone[key] = trouble
    assert verify(domain) is Change.NONE
    domain.refresh_from_db()
    assert {one["state"] for one in domain.findings} == {"unknown"}
    assert "did not answer" in domain.findings[0]["message"]
    assert domain.verified_at
    assert domain.dkim_verified_at
    assert domain.return_path_verified_at


def test_a_name_server_that_was_never_there_verifies_nothing(
    settings: Any, domain: SendingDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.deliverability.lookups.LOOKUP_S", 0.3)
    settings.DNS_RESOLVER = "127.0.0.1:1"
    verify(domain)
    assert domain.verified_at is None
    assert domain.checked_at


# --- SPF -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("texts", "state", "words", "publish"),
    [
        (["v=spf1 ip4:192.0.2.0/24 -all"], "right", "0 of 10", ""),
        (["v=spf1 a:mail.pulse.example -all"], "right", "1 of 10", ""),
        (["v=spf1 include:_spf.google.example -all"], "wrong", "does not name our mail server",
         "v=spf1 include:_spf.google.example a:mail.pulse.example -all"),
        (["v=spf1 mx ~all", "v=spf1 include:_spf.google.example -all"], "wrong", "2 SPF records",
         "v=spf1 include:_spf.google.example mx a:mail.pulse.example -all"),
        (["v=spf1 mx +all"], "wrong", "everybody", "v=spf1 mx a:mail.pulse.example ~all"),
        (["v=spf1 all"], "wrong", "everybody", "v=spf1 a:mail.pulse.example ~all"),
        (["v=spf1 " + "mx " * 11 + "-all"], "wrong", "more than 10", "v=spf1 a:mail.pulse.example ~all"),
        (["v=spf1 include:gone.example -all"], "wrong", "gone.example", "v=spf1 a:mail.pulse.example ~all"),
        (["unrelated"], "missing", "no SPF record", "v=spf1 a:mail.pulse.example ~all"),
    ],
)  # fmt: skip
def test_spf_is_judged_and_the_new_record_keeps_the_old(
    zone: Zone, domain: SendingDomain, texts: list[str], state: str, words: str, publish: str
) -> None:
    zone["_spf.google.example", "TXT"] = ["v=spf1 ip4:198.51.100.0/24 -all"]
    zone[NAME, "TXT"] = texts
    finding = found(domain)["spf"]
    assert (finding.state, finding.publish) == (state, publish)
    assert words in finding.message


@pytest.mark.parametrize(
    ("host", "mechanism"),
    [
        ("smtp.gmail.com", "include:_spf.google.com"),
        ("email-smtp.eu-west-1.amazonaws.com", "include:amazonses.com"),
        ("Mail.Northwind.io.", "a:mail.northwind.io"),
        ("8.8.8.8", "ip4:8.8.8.8"),
        ("2606:4700::1111", "ip6:2606:4700::1111"),
        ("localhost", "a:pq.example"),
        ("10.0.0.5", ""),
        ("mailhost", ""),
    ],
)
def test_the_mail_server_decides_what_spf_must_name(settings: Any, host: str, mechanism: str) -> None:
    settings.PUBLIC_URL = "https://pq.example"
    assert mechanism_of(host) == mechanism


def test_a_workspace_with_own_servers_names_those(settings: Any, workspace: Workspace) -> None:
    settings.SPF_AUTHORISE = ["ip4:192.0.2.1"]
    assert route_of(workspace.pk).authorise == ("ip4:192.0.2.1",)
    own = ProviderSettings.objects.create(workspace=workspace, provider="smtp", is_active=True)
    for host in ("smtp.gmail.com", "smtp-relay.gmail.com", "out.northwind.io"):
        SmtpServer.objects.create(workspace=workspace, settings=own, host=host)
    assert route_of(workspace.pk) == Route("smtp", ("a:out.northwind.io", "include:_spf.google.com"), "")


def test_a_local_run_asks_for_a_valid_record_and_for_no_bounce_host(settings: Any, domain: SendingDomain) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    assert route_of(domain.workspace_id) == Route("capture")
    assert "return_path" not in {one.kind for one in records_for(domain, Route("capture"))}


# --- DKIM ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        (lambda text: text, "right", "is signed"),
        (lambda text: text.replace("; ", ";  ").replace("p=", "p= "), "right", "is signed"),
        (lambda text: text[:-20], "wrong", "only a part"),
        (lambda text: "v=DKIM1; p=", "wrong", "withdrawn"),
        (lambda text: f"{text}; t=y", "wrong", "t=y"),
        (lambda text: f"{text}; t=s", "right", "is signed"),
        (lambda text: f"{text}; h=sha1", "wrong", "kind of signature"),
        (lambda text: "v=DKIM1; sp=odd", "missing", "unsigned"),
    ],
)
def test_the_published_key_must_be_ours(
    zone: Zone, domain: SendingDomain, change: Callable[[str], str], state: str, words: str
) -> None:
    publish(zone, domain)
    zone[KEY, "TXT"] = [change(record_of(domain.dkim_public_key))]
    verify(domain)
    finding = domain.findings[1]
    assert (finding["kind"], finding["state"]) == ("dkim", state)
    assert words in finding["message"]
    assert (signer_for(domain.workspace_id, NAME) is not None) == (domain.verified_at is not None) == (state == "right")


def test_two_keys_under_one_name_are_wrong(zone: Zone, domain: SendingDomain) -> None:
    zone[KEY, "TXT"] = [record_of(domain.dkim_public_key), "v=DKIM1; p=MIGf"]
    assert "several keys" in found(domain)["dkim"].message


def test_a_new_key_signs_once_it_is_published_under_the_other_name(zone: Zone, domain: SendingDomain) -> None:
    publish(zone, domain)
    verify(domain)
    old = domain.dkim_public_key
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify_module, "make_key", make_key)
        senders.replace_dkim_key(domain=domain, actor=None)
    domain.refresh_from_db()
    assert domain.dkim_public_key != old
    assert domain.verified_at is None
    assert signer_for(domain.workspace_id, NAME) is None
    assert found(domain)["dkim"].host == f"pulsequill2._domainkey.{NAME}"
    zone[f"pulsequill2._domainkey.{NAME}", "TXT"] = [record_of(domain.dkim_public_key)]
    assert verify(domain) is Change.VERIFIED
    assert signer_for(domain.workspace_id, NAME)
    senders.replace_dkim_key(domain=domain, actor=None)
    assert domain.dkim_selector == "pulsequill"


def test_a_key_of_another_secret_can_be_replaced(zone: Zone, domain: SendingDomain) -> None:
    domain.dkim_private_key_encrypted, domain.dkim_verified_at = b"of another SECRET_KEY", timezone.now()
    domain.save()
    with pytest.raises(BadSignature):
        signer_for(domain.workspace_id, NAME)
    senders.replace_dkim_key(domain=domain, actor=None)
    publish(zone, domain)
    verify(domain)
    assert signer_for(domain.workspace_id, NAME)


def test_a_domain_from_before_gets_its_key_with_the_check(zone: Zone, workspace: Workspace) -> None:
    domain = SendingDomain.objects.create(workspace=workspace, name=NAME)
    verify(domain)
    domain.refresh_from_db()
    assert domain.dkim_public_key
    key = domain.dkim_public_key
    verify(domain)
    assert domain.dkim_public_key == key


def test_sendgrid_signs_itself_with_the_keys_it_points_to(zone: Zone, domain: SendingDomain, settings: Any) -> None:
    settings.EMAIL_PROVIDER = "sendgrid"
    zone[f"_dmarc.{NAME}", "TXT"] = ["v=DMARC1; p=reject"]
    assert {kind: one.state for kind, one in found(domain).items()} == {
        "dkim": "missing", "dkim2": "missing", "dmarc": "right"
    }  # fmt: skip
    zone[f"s1._domainkey.{NAME}", "CNAME"] = ["s1.domainkey.u1.wl1.sendgrid.net"]
    zone[f"s2._domainkey.{NAME}", "CNAME"] = ["elsewhere.example"]
    findings = found(domain)
    assert "there is no key" in findings["dkim"].message
    assert "somewhere else" in findings["dkim2"].message
    zone[f"s2._domainkey.{NAME}", "CNAME"] = ["s2.domainkey.u1.wl1.sendgrid.net"]
    for selector in ("s1", "s2"):
        zone[f"{selector}.domainkey.u1.wl1.sendgrid.net", "TXT"] = ["k=rsa; p=MIGf"]
    assert verify(domain) is Change.VERIFIED
    assert signer_for(domain.workspace_id, NAME) is None


# --- DMARC -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("texts", "state", "words"),
    [
        (["v=DMARC1; p=none"], "right", "watches only"),
        (["v=DMARC1;p=quarantine;pct=50"], "right", "spam"),
        (["v=DMARC1; p=reject; adkim=s"], "right", "exact matches"),
        (["v=DMARC1; rua=mailto:a@b.example"], "wrong", "no policy"),
        (["v=DMARC1; p=maybe"], "wrong", "no policy"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "wrong", "more than one"),
        (["v=spf1 -all"], "missing", "no DMARC record"),
    ],
)
def test_dmarc_is_judged(zone: Zone, domain: SendingDomain, texts: list[str], state: str, words: str) -> None:
    zone[f"_dmarc.{NAME}", "TXT"] = texts
    finding = found(domain)["dmarc"]
    assert finding.state == state
    assert words in finding.message


@pytest.mark.parametrize(("text", "state"), [("p=reject; sp=none", "right"), ("p=reject; sp=odd", "wrong")])
def test_a_name_below_takes_the_policy_from_above(zone: Zone, workspace: Workspace, text: str, state: str) -> None:
    zone[f"_dmarc.{NAME}", "TXT"] = [f"v=DMARC1; {text}"]
    below = senders.create_domain(workspace=workspace, actor=None, name=f"news.mail.{NAME}")
    finding = found(below)["dmarc"]
    assert finding.state == state
    if state == "right":
        assert f"stands at {NAME}" in finding.message
        assert "watches only" in finding.message


# --- return paths ----------------------------------------------------------------------------------------------------
def test_bounces_taken_elsewhere_keep_the_from_address_as_envelope_sender(zone: Zone, domain: SendingDomain) -> None:
    publish(zone, domain)
    zone[f"bounce.{NAME}", "MX"] = ["5 mx.other.example", "10 mx.pulse.example"]
    assert verify(domain) is Change.VERIFIED, "a return path is wanted, not required"
    assert domain.findings[3]["state"] == "wrong"
    assert return_path_for(domain.workspace_id, f"hello@{NAME}").envelope_sender(5) == f"hello@{NAME}"


def test_a_return_path_without_spf_is_not_used(zone: Zone, domain: SendingDomain) -> None:
    publish(zone, domain)
    del zone[f"bounce.{NAME}", "TXT"]
    verify(domain)
    assert domain.return_path_verified_at is None


# --- looking again ---------------------------------------------------------------------------------------------------
def test_a_lost_record_unverifies_and_everybody_is_told_once(
    zone: Zone, domain: SendingDomain, workspace: Workspace
) -> None:
    make_member(workspace)
    publish(zone, domain)
    tasks.recheck_domain(domain_id=str(domain.pk))
    assert list(Activity.objects.filter(kind="domain.verified").values_list("object_id", flat=True)) == [str(domain.pk)]
    del zone[KEY, "TXT"]
    for _ in range(2):
        tasks.recheck_domain(domain_id=str(domain.pk))
    domain.refresh_from_db()
    assert domain.verified_at is None
    assert domain.dkim_verified_at is None
    assert [one.kind for one in Notification.objects.order_by("created_at")] == ["domain.verified", "domain.lost"]


def test_domains_are_looked_at_again_when_it_is_time(zone: Zone, workspace: Workspace) -> None:
    def make(name: str, **facts: Any) -> SendingDomain:
        return SendingDomain.objects.create(workspace=workspace, name=name, **facts)

    now = timezone.now()
    hours = timedelta(hours=1)
    due = [
        make("never.northwind.io"),
        make("verified.northwind.io", verified_at=now, checked_at=now - 25 * hours),
        make("waiting.northwind.io", checked_at=now - 2 * hours),
    ]
    make("fresh.northwind.io", checked_at=now - 0.5 * hours)
    make("seen.northwind.io", verified_at=now, checked_at=now - 2 * hours)
    make("demo.example", verified_at=now, checked_at=now - 25 * hours)
    assert due_ids(now) == [str(one.pk) for one in due]
    with time_machine.travel(now + 15 * 24 * hours, tick=False):
        given_up = SendingDomain.objects.get(name="fresh.northwind.io")
        SendingDomain.objects.filter(pk=given_up.pk).update(checked_at=timezone.now() - 2 * hours)
        assert str(given_up.pk) not in due_ids(timezone.now()), "hourly for two weeks, then daily"


def test_a_domain_that_was_removed_meanwhile_is_passed_over(zone: Zone) -> None:
    tasks.recheck_domain(domain_id="00000000-0000-7000-8000-000000000000")
    assert zone.asked == []


# --- preflight --------------------------------------------------------------------------------------------------------
def domain_findings(campaign: Campaign) -> list[tuple[str, str, str, str]]:
    codes = {"domain_unverified", "free_mail_sender"}
    return [
        (one.code, str(one.severity), one.fix_url, one.detail) for one in preflight.run(campaign) if one.code in codes
    ]


@pytest.mark.parametrize(("required", "severity"), [(True, "block"), (False, "warn")])
def test_preflight_says_what_the_domain_lacks_and_leads_there(
    zone: Zone, workspace: Workspace, settings: Any, required: bool, severity: str
) -> None:
    settings.REQUIRE_VERIFIED_DOMAIN = required
    sender = senders.create_sender(workspace=workspace, actor=None, from_name="Maya", from_email=f"maya@{NAME}")
    campaign = make_campaign(workspace, sender=sender)
    domain = SendingDomain.objects.get()
    publish(zone, domain)
    del zone[f"_dmarc.{NAME}", "TXT"]
    verify(domain)
    (finding,) = domain_findings(campaign)
    assert finding == (
        "domain_unverified", severity, f"/senders/domains/{domain.pk}", "DMARC: There is no DMARC record."
    )  # fmt: skip
    zone[f"_dmarc.{NAME}", "TXT"] = ["v=DMARC1; p=none"]
    verify(domain)
    assert domain_findings(campaign) == []


@pytest.mark.parametrize(("required", "severity"), [(True, "block"), (False, "warn")])
def test_preflight_knows_that_mail_from_a_free_address_is_refused(
    workspace: Workspace, settings: Any, required: bool, severity: str
) -> None:
    settings.REQUIRE_VERIFIED_DOMAIN = required
    sender = senders.create_sender(workspace=workspace, actor=None, from_name="Maya", from_email="maya@Yahoo.com")
    ((code, found_severity, fix_url, detail),) = domain_findings(make_campaign(workspace, sender=sender))
    assert (code, found_severity, fix_url) == ("free_mail_sender", severity, "/senders")
    assert "yahoo.com" in detail
