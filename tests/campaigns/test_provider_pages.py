"""Settings, Sending: what the pages show and do, who may, and that no secret stands in any answer."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Activity, Workspace
from campaigns.delivery.providers import active_provider
from campaigns.models import ProviderSettings, SmtpServer
from campaigns.selectors.providers import WARM_UPS
from campaigns.services import providers
from campaigns.tokens import sendgrid_endpoint_url
from tests.campaigns.making import make_member, make_sender, make_workspace
from tests.campaigns.sending import make_launched
from tests.fakes.smtp_server import smtp_server

pytestmark = pytest.mark.django_db

KEY = "SG.canary-key-1.never-shown"
PASSWORD = "canary-password-2"
SERVER = {
    "host": "localhost", "port": "2525", "security": "starttls", "username": "me", "password": PASSWORD,
    "weight": "1", "max_connections": "8", "messages_per_connection": "0",
}  # fmt: skip
PACE = {"pace": "1", "rate_per_second": "", "plan": "none", "warm_up_start_date": ""}


@pytest.fixture(autouse=True)
def local_run(settings: Any) -> None:
    settings.IS_LOCAL_RUN = True


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace)


def signed_in(workspace: Workspace, role: str = "owner") -> Client:
    client = Client()
    client.force_login(make_member(workspace, role))
    return client


def url(name: str, *args: Any) -> str:
    return reverse(f"campaigns:{name}", args=args)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_three_cards_say_what_is_used_and_what_is_missing(client: Client, workspace: Workspace) -> None:
    page = text_of(client.get(url("sending")))
    assert page.count("way used") == 1
    assert "Set by whoever runs this installation." in page
    assert page.count("Not set up") == 2
    assert url("provider_use", "smtp") not in page
    assert 'aria-current="page">Sending</a>' in page


def test_a_server_is_added_used_and_given_back(client: Client, workspace: Workspace) -> None:
    answer = client.post(url("smtp_server_new"), SERVER, follow=True)
    assert "Added localhost:2525. Send yourself a test." in text_of(answer)
    assert PASSWORD not in text_of(answer)
    assert "signs in as me" in text_of(answer)
    assert "100 %" in text_of(answer)
    client.post(url("provider_use", "smtp"))
    assert active_provider(workspace) == "smtp"
    page = text_of(client.get(url("sending")))
    assert "Use the installation’s" in page
    client.post(url("provider_installation"))
    assert active_provider(workspace) == "capture"


def test_errors_stand_beside_their_fields_and_what_was_typed_stays_but_the_password(client: Client) -> None:
    answer = client.post(url("smtp_server_new"), {**SERVER, "host": "two words", "port": "99999"})
    assert answer.status_code == 400
    assert "Ensure this value is less than or equal to 65535." in text_of(answer)
    answer = client.post(url("smtp_server_new"), {**SERVER, "host": "two words"})
    assert answer.status_code == 400
    assert "This is not the name of a server" in text_of(answer)
    assert 'value="two words"' in text_of(answer)
    assert PASSWORD not in text_of(answer)


def test_a_server_is_changed_without_its_password_and_removed(client: Client, workspace: Workspace) -> None:
    client.post(url("smtp_server_new"), SERVER)
    server = SmtpServer.objects.get(workspace=workspace)
    page = text_of(client.get(url("smtp_server", server.pk)))
    assert "It is kept encrypted and never shown." in page
    assert PASSWORD not in page
    client.post(url("smtp_server", server.pk), {**SERVER, "password": "", "weight": "7"})
    server.refresh_from_db()
    assert server.weight == 7
    assert server.password_encrypted is not None
    moved = client.post(url("smtp_server", server.pk), {**SERVER, "password": "", "host": "evil.example"})
    assert "enter the password again" in text_of(moved)
    client.post(url("smtp_server_remove", server.pk))
    assert not SmtpServer.objects.filter(workspace=workspace).exists()


def test_a_refusal_in_general_is_shown_on_the_form(client: Client, workspace: Workspace, settings: Any) -> None:
    settings.EMAIL_PROVIDER = "smtp"
    make_launched(1, workspace=workspace)
    answer = client.post(url("smtp_server_new"), SERVER)
    assert answer.status_code == 400
    assert "when it has ended" in text_of(answer)


def test_the_key_of_sendgrid_goes_in_and_never_comes_out(client: Client, workspace: Workspace) -> None:
    page = text_of(client.get(url("provider", "sendgrid")))
    assert sendgrid_endpoint_url(workspace.pk) in page
    answer = client.post(url("provider", "sendgrid"), {"api_key": KEY, "region": "eu"}, follow=True)
    assert f"The API key was set on {timezone.now():%-d %B %Y}" in text_of(answer)
    assert KEY not in text_of(answer)
    assert "Leave empty to keep the stored key" in text_of(answer)
    wrong = client.post(url("provider", "sendgrid"), {"api_key": "SG.wrong", "region": "eu"})
    assert wrong.status_code == 400
    assert "This is not a SendGrid API key" in text_of(wrong)
    assert "SG.wrong" not in text_of(wrong)
    own = ProviderSettings.objects.get(workspace=workspace)
    assert own.options["region"] == "eu"


def test_the_pace_is_stored_and_the_plan_is_shown_day_by_day(client: Client, workspace: Workspace) -> None:
    start = timezone.now().date().isoformat()
    sent = {**PACE, "rate_per_second": "25", "plan": "standard", "warm_up_start_date": start}
    page = text_of(client.post(url("provider", "capture"), sent, follow=True))
    own = ProviderSettings.objects.get(workspace=workspace)
    assert (own.rate_per_second, own.warm_up_plan) == (25, list(WARM_UPS["standard"].days))
    table = page.split("plan-days")[1]
    assert table.count("<tr><td>") == max(len(plan.days) for plan in WARM_UPS.values())
    assert table.count("no limit") == len(WARM_UPS["gentle"].days) - len(WARM_UPS["standard"].days)
    assert 'value="standard" checked' in page
    assert "Today" in page
    client.post(url("provider", "capture"), PACE)
    own.refresh_from_db()
    assert (own.rate_per_second, own.warm_up_plan, own.warm_up_start_date) == (None, [], None)


def test_a_warm_up_without_its_first_day_is_refused_at_the_field(client: Client) -> None:
    answer = client.post(url("provider", "capture"), {**PACE, "plan": "gentle"})
    assert answer.status_code == 400
    assert "Say on which day the warm-up begins." in text_of(answer)


def test_a_plan_that_came_by_the_api_is_shown_and_kept(client: Client, workspace: Workspace) -> None:
    today = timezone.now().date()
    providers.save_provider(
        workspace=workspace, actor=None, provider="capture", warm_up_plan=[5, 9], warm_up_start_date=today
    )
    assert "Your own" in text_of(client.get(url("provider", "capture")))
    client.post(url("provider", "capture"), {**PACE, "plan": "own", "warm_up_start_date": today.isoformat()})
    assert ProviderSettings.objects.get(workspace=workspace).warm_up_plan == [5, 9]


def test_a_test_is_reported_step_by_step_alone_or_on_a_page(client: Client, workspace: Workspace) -> None:
    make_sender(workspace)
    with smtp_server() as (sink, port):
        providers.add_server(workspace=workspace, actor=None, host="127.0.0.1", port=port, security="none")
        page = text_of(client.post(url("provider_test", "smtp")))
        part = text_of(client.post(url("provider_test", "smtp"), headers={"HX-Request": "true"}))
        assert len(sink.taken) == 2
    assert "<html" in page
    assert "<html" not in part
    for step in (f"Connected on port {port}", "No sign-in needed", "The server took the mail"):
        assert step in part
    assert "It works" in part
    failed = text_of(client.post(url("provider_test", "smtp"), headers={"HX-Request": "true"}))
    assert "What to do:" in failed
    assert "Test failed" in text_of(client.get(url("sending")))


def test_a_test_without_a_sender_says_where_to_get_one(client: Client) -> None:
    assert "Add a sender" in text_of(client.get(url("provider", "capture")))
    assert "Add a sender first" in text_of(client.post(url("provider_test", "capture")))


def test_removing_asks_for_nothing_but_the_right_moment(client: Client, workspace: Workspace) -> None:
    providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key=KEY)
    answer = client.post(url("provider_remove", "sendgrid"), follow=True)
    assert "Removed your own SendGrid, keys and all." in text_of(answer)
    assert not ProviderSettings.objects.filter(workspace=workspace).exists()


@pytest.mark.parametrize("role", ["editor", "approver", "analyst"])
def test_only_owners_and_admins_see_how_mail_leaves(workspace: Workspace, role: str) -> None:
    client = signed_in(workspace, role)
    assert client.get(url("sending")).status_code == 403
    assert client.post(url("provider_use", "capture")).status_code == 403
    assert url("sending") not in text_of(client.get("/settings"))
    assert signed_in(workspace, "admin").get(url("sending")).status_code == 200


def test_another_workspaces_server_is_as_absent_as_none(client: Client, workspace: Workspace) -> None:
    theirs = providers.add_server(workspace=make_workspace(), actor=None, host="localhost", security="none")
    for server_id in (theirs.pk, uuid4()):
        assert client.get(url("smtp_server", server_id)).status_code == 404
        assert client.post(url("smtp_server", server_id), SERVER).status_code == 404
        assert client.post(url("smtp_server_remove", server_id)).status_code == 404
    assert client.get(url("provider", "pigeon")).status_code == 404
    assert "localhost" not in text_of(client.get(url("provider", "smtp")))


def test_operators_see_settings_without_their_secrets_and_change_nothing(workspace: Workspace) -> None:
    own = providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key=KEY)
    server = providers.add_server(workspace=workspace, actor=None, **{**SERVER, "port": 2525, "weight": 1,
                                  "max_connections": 8, "messages_per_connection": 0})  # fmt: skip
    operator = get_user_model().objects.create_superuser(email="root@pulsequill.example", password="x" * 20)
    client = Client()
    client.force_login(operator)
    own.refresh_from_db()
    stored = bytes(own.secret_encrypted or b"").decode()
    for model, key in (("providersettings", own.pk), ("smtpserver", server.pk)):
        seen = text_of(client.get(reverse(f"admin:campaigns_{model}_changelist")))
        one = client.get(reverse(f"admin:campaigns_{model}_change", args=[key]))
        assert one.status_code == 200
        for secret in ("canary", stored):
            assert secret not in seen + text_of(one)
        assert 'name="_save"' not in text_of(one)


def test_activity_tells_who_did_what_and_no_secret(client: Client, workspace: Workspace) -> None:
    client.post(url("smtp_server_new"), SERVER)
    client.post(url("provider", "sendgrid"), {"api_key": KEY, "region": "global"})
    page = text_of(client.get("/settings/activity"))
    assert "Added the mail server localhost:2525." in page
    rows = str(list(Activity.objects.filter(workspace=workspace).values_list("summary", "data")))
    assert "canary" not in page + rows
