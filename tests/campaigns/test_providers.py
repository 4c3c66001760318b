"""A workspace's own way for mail to leave: what may be entered, what is used, and that secrets never come back."""

# ruff: noqa: E501 - tables in one line each
from __future__ import annotations

import ssl
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.models import Activity, Workspace
from campaigns.delivery import dkim, pipeline, planner
from campaigns.delivery import providers as registry
from campaigns.delivery.providers import PROVIDERS, active_provider, get_provider
from campaigns.delivery.providers import own as own_accounts
from campaigns.delivery.providers.advice import BY_CODE, FAILED_AT, STEPS, advice_for
from campaigns.delivery.providers.answers import ANSWERS, Outcome, Verdict
from campaigns.delivery.providers.smtp import Server, SmtpProvider
from campaigns.delivery.providers.smtp.session import open_session
from campaigns.models import (
    Campaign,
    CapturedMessage,
    EmailTemplate,
    Message,
    ProviderSettings,
    Sender,
    SendingDomain,
    SmtpServer,
)
from campaigns.selectors.providers import KINDS, WARM_UPS, get_state, get_states, list_servers
from campaigns.services import providers, sending
from campaigns.services.transactional import send_transactional
from pulsequill.core.errors import Invalid, NotFound, WrongState
from pulsequill.core.signing import decrypt
from tests.campaigns.making import make_campaign, make_member, make_sender, make_workspace
from tests.campaigns.sending import make_ready
from tests.fakes.sendgrid_server import API_KEY, sendgrid_server
from tests.fakes.smtp_server import make_certificate, smtp_server

pytestmark = pytest.mark.django_db

CANARY = "SG.canary-key-9d1f.never-shown-anywhere"
PASSWORD = "canary-password-77c1"


@pytest.fixture(autouse=True)
def local_run(settings: Any) -> None:
    """The fakes listen on this machine, which only a local run may call."""
    settings.IS_LOCAL_RUN = True


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def add(workspace: Workspace, **fields: Any) -> SmtpServer:
    return providers.add_server(workspace=workspace, actor=None, **{"host": "127.0.0.1", "security": "none", **fields})


def refused(call: Any, **arguments: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        call(**arguments)
    return [error.field for error in caught.value.errors]


# --- what is used ----------------------------------------------------------------------------------------------------
def test_without_settings_mail_leaves_as_the_installation_says(workspace: Workspace, settings: Any) -> None:
    assert active_provider(workspace) == "capture"
    settings.EMAIL_PROVIDER = "sendgrid"
    assert active_provider(workspace) == "sendgrid"
    state = get_state(workspace, "sendgrid")
    assert (state.is_used, state.is_installations, state.own) == (True, True, None)


def test_the_workspaces_choice_comes_first_and_can_be_given_back(workspace: Workspace) -> None:
    add(workspace)
    assert active_provider(workspace) == "capture"  # adding is not using
    providers.use_provider(workspace=workspace, actor=None, provider="smtp")
    assert active_provider(workspace) == "smtp"
    assert [state.kind.key for state in get_states(workspace) if state.is_used] == ["smtp"]
    providers.use_installation(workspace=workspace, actor=None)
    assert active_provider(workspace) == "capture"
    with pytest.raises(WrongState):
        providers.use_installation(workspace=workspace, actor=None)


def test_only_one_way_is_used(workspace: Workspace) -> None:
    add(workspace)
    providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key=CANARY)
    for kind in ("smtp", "sendgrid", "capture", "smtp"):
        providers.use_provider(workspace=workspace, actor=None, provider=kind)
        active = ProviderSettings.objects.filter(workspace=workspace, is_active=True)
        assert [row.provider for row in active] == [kind]


@pytest.mark.parametrize(("kind", "missing"), [("smtp", "a mail server"), ("sendgrid", "an API key")])
def test_a_way_that_misses_something_cannot_be_used_or_tested(workspace: Workspace, kind: str, missing: str) -> None:
    make_sender(workspace)
    owner = make_member(workspace)
    with pytest.raises(WrongState, match=missing):
        providers.use_provider(workspace=workspace, actor=None, provider=kind)
    with pytest.raises(WrongState, match=missing):
        providers.send_trial(workspace=workspace, actor=owner, provider=kind, to="")


def test_the_installations_account_of_the_same_kind_is_reached_by_removing_the_own_one(
    workspace: Workspace, settings: Any
) -> None:
    add(workspace)
    providers.use_provider(workspace=workspace, actor=None, provider="smtp")
    settings.EMAIL_PROVIDER = "smtp"
    with pytest.raises(WrongState, match="Remove your own SMTP"):
        providers.use_installation(workspace=workspace, actor=None)
    providers.remove_provider(workspace=workspace, actor=None, provider="smtp")
    assert get_state(workspace, "smtp").is_installations
    assert not SmtpServer.objects.filter(workspace=workspace).exists()


def test_nobody_knows_providers_that_there_are_not(workspace: Workspace) -> None:
    for call in (providers.use_provider, providers.remove_provider, providers.save_provider):
        with pytest.raises(NotFound):
            call(workspace=workspace, actor=None, provider="pigeon")


def test_every_provider_has_a_card_and_every_card_a_provider() -> None:
    assert set(KINDS) == set(PROVIDERS)


# --- one instance for a process --------------------------------------------------------------------------------------
def test_a_workspaces_provider_is_kept_until_its_settings_change_and_the_old_one_is_closed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[SmtpProvider] = []
    monkeypatch.setattr(SmtpProvider, "close", lambda self: closed.append(self))
    server = add(workspace)
    first = get_provider("smtp", workspace_id=workspace.pk)
    assert get_provider("smtp", workspace_id=workspace.pk) is first
    providers.change_server(server=server, actor=None, weight=5)
    second = get_provider("smtp", workspace_id=workspace.pk)
    assert second is not first
    assert closed == [first]
    providers.remove_provider(workspace=workspace, actor=None, provider="smtp")
    monkeypatch.setattr("django.conf.settings.SMTP_URL", "smtp://127.0.0.1:2525")
    assert get_provider("smtp", workspace_id=workspace.pk) is get_provider("smtp")
    assert closed == [first, second]


def test_two_workspaces_never_share_an_account(workspace: Workspace) -> None:
    other = make_workspace()
    add(workspace)
    add(other, port=2525)
    one, two = (get_provider("smtp", workspace_id=each.pk) for each in (workspace, other))
    assert one is not two


def test_a_process_keeps_so_many_accounts_and_closes_the_oldest(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MOST_KEPT", 1)
    monkeypatch.setattr(registry, "_kept", OrderedDict())
    closed: list[SmtpProvider] = []
    monkeypatch.setattr(SmtpProvider, "close", lambda self: closed.append(self))
    other = make_workspace()
    add(workspace)
    add(other)
    first = get_provider("smtp", workspace_id=workspace.pk)
    get_provider("smtp", workspace_id=other.pk)
    assert closed == [first]


def test_a_secret_of_an_older_key_is_a_sentence_and_not_a_crash(workspace: Workspace) -> None:
    own = providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key=CANARY)
    ProviderSettings.objects.filter(pk=own.pk).update(secret_encrypted=b"made with another key")
    with pytest.raises(ImproperlyConfigured, match="Enter it again"):
        get_provider("sendgrid", workspace_id=workspace.pk)


# --- secrets ---------------------------------------------------------------------------------------------------------
def test_secrets_are_stored_encrypted_and_replaced_but_never_emptied(workspace: Workspace) -> None:
    own = providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key=CANARY)
    assert CANARY.encode() not in bytes(own.secret_encrypted or b"")
    assert decrypt(bytes(own.secret_encrypted or b"")) == CANARY
    providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key="", region="eu")
    own.refresh_from_db()
    assert decrypt(bytes(own.secret_encrypted or b"")) == CANARY
    assert own.options["region"] == "eu"
    providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key="SG.other.key")
    own.refresh_from_db()
    assert decrypt(bytes(own.secret_encrypted or b"")) == "SG.other.key"


def test_the_audit_log_names_fields_and_no_values(workspace: Workspace) -> None:
    providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key=CANARY, rate_per_second=5)
    server = add(workspace, host="localhost", username="me", password=PASSWORD)
    providers.change_server(server=server, actor=None, password=f"{PASSWORD}2", weight=2)
    providers.use_provider(workspace=workspace, actor=None, provider="smtp")
    providers.use_installation(workspace=workspace, actor=None)
    providers.remove_server(server=server, actor=None)
    providers.remove_provider(workspace=workspace, actor=None, provider="sendgrid")
    rows = list(Activity.objects.filter(workspace=workspace).order_by("created_at", "pk"))
    assert [row.kind for row in rows] == [
        "provider.changed", "provider.server_added", "provider.server_changed", "provider.activated",
        "provider.deactivated", "provider.server_removed", "provider.removed",
    ]  # fmt: skip
    assert rows[0].data["fields"] == ["api_key", "rate_per_second"]
    assert "canary" not in str([(row.summary, row.data) for row in rows])


def test_a_password_that_nobody_can_read_does_not_follow_a_server_elsewhere(workspace: Workspace) -> None:
    server = add(workspace, host="localhost", port=2525, security="starttls", username="me", password=PASSWORD)
    for change in ({"host": "evil.example"}, {"port": 2526}, {"username": "you"}, {"security": "none"}):
        assert refused(providers.change_server, server=server, actor=None, **change) == ["password"]
    providers.change_server(server=server, actor=None, weight=3)
    providers.change_server(server=server, actor=None, host="mail.example.com", password="another")
    server.refresh_from_db()
    assert decrypt(bytes(server.password_encrypted or b"")) == "another"
    providers.change_server(server=server, actor=None, username="")
    server.refresh_from_db()
    assert server.password_encrypted is None


def test_secrets_are_kept_out_of_logs(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    own = providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key=CANARY)
    server = add(workspace, host="localhost", username="me", password=PASSWORD)
    made = get_provider("smtp", workspace_id=workspace.pk)
    log = structlog.get_logger("campaigns.providers")
    log.warning("provider_failed", api_key=CANARY, password=PASSWORD, text=f"key {CANARY} at {own} {server}")
    log.error("provider_failed", settings=own, server=server, provider=made)
    with pytest.raises(Invalid):
        add(workspace, host="localhost", port=2526, username="me", password=f"{PASSWORD}\n")
    written = capfd.readouterr()
    assert "canary" not in f"{own!r} {server!r} {made!r} {vars(made).keys()} {written.out} {written.err}"


# --- what may be entered ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"host": ""}, "host"), ({"host": "two words.example"}, "host"), ({"host": "a..b"}, "host"),
        ({"host": "x\r\nRCPT"}, "host"), ({"host": "-a.example"}, "host"), ({"host": "smtp://mail.example"}, "host"),
        ({"port": 0}, "port"), ({"port": 65536}, "port"), ({"port": True}, "port"), ({"security": "ssl"}, "security"),
        ({"weight": 0}, "weight"), ({"weight": 101}, "weight"), ({"max_connections": 65}, "max_connections"),
        ({"messages_per_connection": -1}, "messages_per_connection"), ({"password": "x"}, "username"),
        ({"username": "me"}, "password"), ({"username": "a\nb", "password": "x"}, "username"),
        ({"username": "me", "password": "päss"}, "password"), ({"color": "red"}, "color"),
        ({"host": "mail.example.com", "username": "me", "password": "x"}, "security"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_server_stands_at_its_field(workspace: Workspace, fields: Any, field: str) -> None:
    assert refused(add, workspace=workspace, **fields) == [field]
    assert not SmtpServer.objects.filter(workspace=workspace).exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "::1", "[::1]", "internal"])
def test_a_shared_installation_calls_no_server_inside(workspace: Workspace, settings: Any, host: str) -> None:
    settings.IS_LOCAL_RUN = False
    assert refused(add, workspace=workspace, host=host) == ["host"]


def test_a_shared_installation_calls_no_ports_but_those_for_mail(workspace: Workspace, settings: Any) -> None:
    settings.IS_LOCAL_RUN = False
    assert refused(add, workspace=workspace, host="1.1.1.1", port=6379, security="tls") == ["port"]


def test_operators_can_open_a_network_of_their_own(workspace: Workspace, settings: Any) -> None:
    settings.IS_LOCAL_RUN, settings.OUTBOUND_PRIVATE_NETWORKS = False, ["10.1.0.0/16"]
    assert add(workspace, host="10.1.2.3", port=1025).host == "10.1.2.3"


def test_a_server_is_there_once_and_names_are_written_one_way(workspace: Workspace) -> None:
    assert add(workspace, host="Mail.Müller.Example.", port=587).host == "mail.xn--mller-kva.example"
    assert refused(add, workspace=workspace, host="mail.xn--mller-kva.example", port=587) == ["host"]


def test_weights_are_shares(workspace: Workspace) -> None:
    add(workspace, weight=3)
    add(workspace, port=2525, weight=1)
    assert [row.share for row in list_servers(workspace)] == [0.75, 0.25]


def test_a_workspace_has_so_many_servers_and_keeps_the_last_that_is_used(workspace: Workspace) -> None:
    server = add(workspace, port=1000)
    providers.use_provider(workspace=workspace, actor=None, provider="smtp")
    with pytest.raises(WrongState, match="last server"):
        providers.remove_server(server=server, actor=None)
    for number in range(1, providers.MOST_SERVERS):
        add(workspace, port=1000 + number)
    with pytest.raises(WrongState, match="20 mail servers"):
        add(workspace, port=999)
    providers.remove_server(server=server, actor=None)


@pytest.mark.parametrize(
    ("provider", "changes", "field"),
    [
        ("sendgrid", {"api_key": "hunter2"}, "api_key"), ("sendgrid", {"api_key": "SG.a b.c"}, "api_key"),
        ("sendgrid", {"region": "moon"}, "region"), ("sendgrid", {"webhook_public_key": "AAAA"}, "webhook_public_key"),
        ("sendgrid", {"webhook_public_key": "ß"}, "webhook_public_key"), ("smtp", {"api_key": CANARY}, "api_key"),
        ("smtp", {"rate_per_second": 0}, "rate_per_second"), ("smtp", {"rate_per_second": 10_001}, "rate_per_second"),
        ("smtp", {"warm_up_plan": [0], "warm_up_start_date": None}, "warm_up_plan"),
        ("smtp", {"warm_up_plan": [1] * 91}, "warm_up_plan"), ("smtp", {"warm_up_plan": ["x"]}, "warm_up_plan"),
        ("smtp", {"warm_up_plan": [5], "warm_up_start_date": None}, "warm_up_start_date"),
        ("smtp", {"warm_up_start_date": "soon"}, "warm_up_start_date"), ("smtp", {"secret_encrypted": b"x"}, "secret_encrypted"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_settings_stands_at_its_field(
    workspace: Workspace, provider: str, changes: Any, field: str
) -> None:
    call = providers.save_provider
    assert refused(call, workspace=workspace, actor=None, provider=provider, **changes) == [field]
    assert not ProviderSettings.objects.filter(workspace=workspace).exists()


def test_warm_up_plans_only_grow_and_are_stored_as_they_are(workspace: Workspace) -> None:
    for plan in WARM_UPS.values():
        assert list(plan.days) == sorted(set(plan.days))
    days = list(WARM_UPS["standard"].days)
    own = providers.save_provider(
        workspace=workspace, actor=None, provider="capture", warm_up_plan=days,
        warm_up_start_date=timezone.now().date(),
    )  # fmt: skip
    assert own.warm_up_plan == days


# --- campaigns under way ---------------------------------------------------------------------------------------------
def test_a_campaign_leaves_by_its_workspaces_own_server_and_anothers_by_the_installations(settings: Any) -> None:
    with smtp_server() as (own_sink, own_port), smtp_server() as (house_sink, house_port):
        settings.EMAIL_PROVIDER, settings.SMTP_URL = "smtp", f"smtp://127.0.0.1:{house_port}"
        registry._of_installation.cache_clear()
        try:
            mine, _ = make_ready(3)
            theirs, _ = make_ready(2)
            add(mine.workspace, port=own_port)
            providers.use_provider(workspace=mine.workspace, actor=None, provider="smtp")
            for campaign in (mine, theirs):
                planner.launch(campaign, now=timezone.now())
                pipeline.deliver(campaign_id=campaign.pk)
            assert (len(own_sink.taken), len(house_sink.taken)) == (3, 2)
        finally:
            registry._of_installation.cache_clear()


def test_switching_while_a_campaign_is_sent_does_not_move_it(workspace: Workspace) -> None:
    with smtp_server() as (sink, port):
        campaign, _ = make_ready(3, workspace=workspace)
        add(workspace, port=port)
        providers.use_provider(workspace=workspace, actor=None, provider="smtp")
        planner.launch(campaign, now=timezone.now())
        providers.use_provider(workspace=workspace, actor=None, provider="capture")
        pipeline.deliver(campaign_id=campaign.pk)
        assert len(sink.taken) == 3
    assert not CapturedMessage.objects.filter(workspace=workspace).exists()


def test_what_a_running_campaign_uses_cannot_be_removed(workspace: Workspace) -> None:
    campaign, _ = make_ready(1, workspace=workspace)
    server = add(workspace)
    providers.use_provider(workspace=workspace, actor=None, provider="smtp")
    planner.launch(campaign, now=timezone.now())
    providers.use_provider(workspace=workspace, actor=None, provider="capture")
    with pytest.raises(WrongState, match="must end first"):
        providers.remove_provider(workspace=workspace, actor=None, provider="smtp")
    with pytest.raises(WrongState, match="last server"):
        providers.remove_server(server=server, actor=None)


def test_an_own_account_is_not_slipped_under_a_campaign_that_began_with_the_installations(
    workspace: Workspace, settings: Any
) -> None:
    settings.EMAIL_PROVIDER = "smtp"
    campaign, _ = make_ready(1, workspace=workspace)
    planner.launch(campaign, now=timezone.now())
    with pytest.raises(WrongState, match="when it has ended"):
        add(workspace)
    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.SENT)
    add(workspace)


def test_tests_of_campaigns_and_transactional_messages_leave_by_the_chosen_way(workspace: Workspace) -> None:
    add(workspace)
    providers.use_provider(workspace=workspace, actor=None, provider="smtp")
    campaign = make_campaign(workspace)
    variant = campaign.variants.get()
    [test] = sending.send_test(campaign=campaign, variant=variant, to=["a@example.org"], contact=None, actor=None)
    EmailTemplate.objects.create(workspace=workspace, name="Receipt", subject="Thanks", format="html", body="<p>Hi</p>")
    receipt = send_transactional(workspace=workspace, template="Receipt", to="b@example.org", data={})
    assert {message.provider for message in Message.objects.filter(pk__in=[test.pk, receipt.pk])} == {"smtp"}


# --- send me a test --------------------------------------------------------------------------------------------------
def trial(workspace: Workspace, provider: str, **options: Any) -> list[Any]:
    owner = make_member(workspace)
    make_sender(workspace)
    return providers.send_trial(workspace=workspace, actor=owner, provider=provider, **{"to": "", **options})


def states(report: Any) -> list[str]:
    return [line.state for line in report.lines]


def test_a_test_mail_goes_through_exactly_these_settings(workspace: Workspace, tmp_path: Path) -> None:
    with smtp_server(login=("me", PASSWORD)) as (sink, port):
        add(workspace, host="localhost", port=port, username="me", password=PASSWORD)
        [report] = trial(workspace, "smtp")
        assert report.is_right, report
        assert [line.text for line in report.lines][:4] == [
            "Found localhost", f"Connected on port {port}", "Not encrypted: these settings ask for no TLS",
            "Signed in as me",
        ]  # fmt: skip
        [(mail_from, to, content)] = sink.taken
        assert mail_from.endswith("@northwind.io")
        assert to.endswith("@northwind.example")
        assert b"this is your test mail" in content
    own = ProviderSettings.objects.get(workspace=workspace)
    assert own.tested_at is not None
    assert own.test_error == ""
    assert PASSWORD not in str(report.as_json())


def test_a_test_mail_is_signed_as_campaigns_are(workspace: Workspace) -> None:
    pair = dkim.make_key()
    SendingDomain.objects.create(
        workspace=workspace, name="northwind.io", dkim_selector="pq1", dkim_verified_at=timezone.now(),
        dkim_private_key_encrypted=pair.private_key_encrypted, dkim_public_key=pair.public_key,
    )  # fmt: skip
    with smtp_server() as (sink, port):
        add(workspace, port=port)
        assert trial(workspace, "smtp")[0].is_right
        [(_, _, content)] = sink.taken
    assert b"DKIM-Signature: v=1;" in content
    SendingDomain.objects.update(dkim_private_key_encrypted=b"made with another key")
    with pytest.raises(Invalid, match="DKIM key"):
        trial(workspace, "smtp")


def test_names_and_addresses_beyond_ascii_go_through(workspace: Workspace) -> None:
    sender = Sender.objects.create(
        workspace=workspace, from_name="Zoë, Käffchen & Söhne", from_email="zoë@kaffee.example"
    )
    with smtp_server() as (sink, port):
        add(workspace, port=port)
        [report] = trial(workspace, "smtp", sender=sender)
        assert report.is_right, report
    assert "Zoë, Käffchen & Söhne" in sink.taken[0][2].decode()


def test_each_server_is_tried_on_its_own(workspace: Workspace) -> None:
    with smtp_server() as (one, port), smtp_server() as (two, other_port):
        add(workspace, port=port)
        add(workspace, port=other_port, weight=50)
        add(workspace, port=1, weight=9)
        reports = trial(workspace, "smtp")
        assert [report.is_right for report in reports] == [True, True, False]
        assert (len(one.taken), len(two.taken)) == (1, 1)
    own = ProviderSettings.objects.get(workspace=workspace)
    assert own.test_error == "127.0.0.1:1: The server is there, but nothing takes mail on this port."


def test_a_test_changes_nothing_that_a_running_worker_must_read_again(workspace: Workspace) -> None:
    with smtp_server() as (_, port):
        add(workspace, port=port)
        was = get_provider("smtp", workspace_id=workspace.pk)
        trial(workspace, "smtp")
        assert get_provider("smtp", workspace_id=workspace.pk) is was


def test_a_wrong_password_is_told_in_words(workspace: Workspace) -> None:
    with smtp_server(login=("me", "right")) as (sink, port):
        add(workspace, host="localhost", port=port, username="me", password="wrong")
        [report] = trial(workspace, "smtp")
    assert (report.code, report.is_right) == ("smtp_auth_5xx", False)
    assert states(report) == ["done", "done", "note", "failed", "open", "open", "open"]
    assert report.meaning == "The server refuses the user name or the password."
    assert "Enter both again" in report.remedy
    assert "535" in report.said
    assert not sink.taken


def test_a_server_without_tls_is_told_before_a_password_leaves(workspace: Workspace) -> None:
    with smtp_server() as (_, port):
        add(workspace, host="localhost", port=port, security="starttls")
        [report] = trial(workspace, "smtp")
    assert report.code == "tls_required"
    assert states(report)[:3] == ["done", "done", "failed"]


def test_a_certificate_that_nobody_trusts_is_told(workspace: Workspace, tmp_path: Path) -> None:
    with smtp_server(tls="starttls", certificate=make_certificate(tmp_path)) as (_, port):
        add(workspace, host="localhost", port=port, security="starttls")
        [report] = trial(workspace, "smtp")
    assert report.code == "tls"
    assert "certificate" in report.remedy


def test_a_server_that_has_become_private_is_told_and_not_called(workspace: Workspace, settings: Any) -> None:
    with smtp_server() as (sink, port):
        add(workspace, port=port)
        settings.IS_LOCAL_RUN = False
        settings.OUTBOUND_PRIVATE_NETWORKS = []
        [report] = trial(workspace, "smtp")
        assert report.code == "connection_failed"
        assert sink.sessions == 0


def test_checked_servers_are_reached_with_tls_from_the_first_byte(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with smtp_server(tls="wrapped", certificate=certificate) as (_, port):
        server = Server("localhost", port, security="tls", is_checked=True)
        session = open_session(server, timeout_s=5, context=trusting)
        assert isinstance(session.sock, ssl.SSLSocket)
        session.close()


def test_a_name_that_is_nobodys_is_told(workspace: Workspace) -> None:
    add(workspace, host="nowhere.invalid")
    [report] = trial(workspace, "smtp")
    assert (report.code, states(report)[0]) == ("dns", "failed")


def test_the_outbox_keeps_its_test(workspace: Workspace) -> None:
    [report] = trial(workspace, "capture")
    assert report.is_right
    assert CapturedMessage.objects.filter(workspace=workspace).count() == 1


@pytest.fixture
def sendgrid(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with sendgrid_server() as (fake, url):
        monkeypatch.setitem(own_accounts.SENDGRID_REGIONS, "global", url)
        yield fake


def test_sendgrid_takes_its_test(workspace: Workspace, sendgrid: Any) -> None:
    providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key=API_KEY)
    [report] = trial(workspace, "sendgrid")
    assert report.is_right, report
    assert len(sendgrid.accepted) == 1


def test_a_wrong_key_of_sendgrid_is_told(workspace: Workspace, sendgrid: Any) -> None:
    providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key=CANARY)
    [report] = trial(workspace, "sendgrid")
    assert report.meaning == "SendGrid does not know this API key."
    assert states(report) == ["done", "failed", "open", "open"]
    assert "canary" not in str(report)


def test_a_test_goes_to_people_of_the_workspace_only_and_needs_a_sender(workspace: Workspace) -> None:
    stranger = make_member(make_workspace())
    owner = make_member(workspace)
    for to in (stranger.email, "anybody@example.org"):
        assert refused(providers.send_trial, workspace=workspace, actor=owner, provider="capture", to=to) == ["to"]
    assert refused(providers.send_trial, workspace=workspace, actor=None, provider="capture", to="") == ["to"]
    with pytest.raises(Invalid, match="Add a sender first"):
        providers.send_trial(workspace=workspace, actor=owner, provider="capture", to="")


# --- plain words -----------------------------------------------------------------------------------------------------
def test_every_refusal_has_plain_words_and_a_step() -> None:
    refusals = {code for code, answer in ANSWERS.items() if answer.verdict is not Verdict.ACCEPTED}
    assert refusals == set(BY_CODE)
    assert set(FAILED_AT) <= refusals
    assert set(FAILED_AT.values()) <= set(STEPS)


@pytest.mark.parametrize(
    ("code", "said", "meaning"),
    [
        ("smtp_data_5xx", "550-5.7.26 This mail is unauthenticated", "The mail is not authenticated: neither SPF nor DKIM passes."),
        ("smtp_data_4xx", "421-4.7.27 SPF did not pass", "The recipient's mailbox provider finds no valid SPF record."),
        ("smtp_data_5xx", "550-5.7.30 DKIM", "The recipient's mailbox provider finds no valid DKIM signature."),
        ("smtp_data_4xx", "421-4.7.31 no DMARC", "The sending domain has no DMARC record."),
        ("smtp_data_5xx", "550 5.7.40 no DMARC", "The sending domain has no DMARC record."),
        ("smtp_data_4xx", "421-4.7.32 not aligned", "The From domain matches neither SPF nor DKIM."),
        ("smtp_data_5xx", "550 5.7.515 Access denied", "Microsoft wants SPF, DKIM and DMARC from senders of much mail."),
        ("smtp_auth_5xx", "534-5.7.9 Application-specific password required.", "The service wants an app password."),
        ("smtp_auth_5xx", "535 5.7.139 Authentication unsuccessful", "Microsoft has switched off passwords for this mailbox."),
        ("smtp_auth_5xx", "535 5.7.8 Bad credentials", "The server refuses the user name or the password."),
        ("smtp_mail_5xx", "530 5.7.0 Must issue a STARTTLS command first", "The server wants an encrypted connection."),
        ("smtp_mail_5xx", "530 5.7.1 Authentication required", "The server wants a user name and a password."),
        ("smtp_rcpt_5xx", "554 5.7.1 <a@b>: Relay access denied", "The server does not pass mail on for us."),
        ("smtp_rcpt_5xx", "550 5.7.54 SMTP; Unable to relay recipient", "The server does not pass mail on for us."),
        ("http_403", "The from address does not match a verified Sender Identity.", "SendGrid does not know this sender as yours."),
        ("http_403", "access forbidden", "The API key may not send mail."),
        ("http_401", "Maximum credits exceeded", "The SendGrid account has used up its mails."),
        ("http_403", "", "SendGrid forbids this key or this sender."),
    ],
)  # fmt: skip
def test_what_servers_say_is_put_into_plain_words(code: str, said: str, meaning: str) -> None:
    assert advice_for(Outcome(code, detail=said)).meaning == meaning
