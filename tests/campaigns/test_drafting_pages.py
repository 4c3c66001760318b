"""Drafts by the calendar on pages and over `/v1`."""

from __future__ import annotations

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from aiwriter.agents.offline import engine
from campaigns.models import Campaign, DraftingRun, DraftingSchedule
from tests.campaigns.making import make_campaign, make_member, make_sender, make_workspace
from tests.campaigns.test_drafting import MONDAY_NINE, SENTENCE, SUNDAY, beat, make_schedule
from tests.pages import assert_accessible, assert_fits, save_picture

WEEKLY = {
    "name": "Monday letter", "goal": SENTENCE, "length": "medium", "language": "en", "rhythm": "weekly",
    "weekdays": ["1", "4"], "every_weeks": "2", "at": "09:00", "makes_campaign": "on",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch) -> None:
    monkeypatch.setattr(engine.time, "sleep", lambda _seconds: None)


@pytest.fixture
def workspace():
    return make_workspace(time_zone="Europe/Berlin")


@pytest.fixture
def owner(workspace, client: Client) -> Client:
    client.force_login(make_member(workspace))
    return client


def client_of(workspace, role: str = "owner") -> APIClient:
    client = APIClient()
    client.force_login(make_member(workspace, role))
    return client


@pytest.mark.django_db
def test_a_schedule_is_planned_shown_changed_paused_run_and_removed(owner, workspace):
    assert "No draft is planned" in owner.get(reverse("campaigns:drafting_list")).content.decode()
    with time_machine.travel(SUNDAY, tick=False):
        page = owner.post(reverse("campaigns:drafting_new"), WEEKLY, follow=True).content.decode()
    schedule = DraftingSchedule.objects.get(workspace=workspace)
    assert (schedule.crontab, schedule.every_weeks) == ("0 9 * * 1,4", 2)
    assert "Every 2 weeks on Monday and Thursday at 09:00" in page
    assert "Monday 23 November 2026, 09:00" in page, "weeks are counted from the week in which it was planned"

    form = owner.get(reverse("campaigns:drafting_edit", args=[schedule.pk])).content.decode()
    assert SENTENCE.split("'")[0] in form
    with time_machine.travel(SUNDAY, tick=False):
        monthly = {**WEEKLY, "rhythm": "monthly", "month_day": "L", "facts": "Roasted in Bristol\n\n250 g costs £9.50"}
        page = owner.post(reverse("campaigns:drafting_edit", args=[schedule.pk]), monthly, follow=True).content.decode()
    schedule.refresh_from_db()
    assert (schedule.crontab, schedule.every_weeks) == ("0 9 L * *", 1)
    assert schedule.brief.facts == ["Roasted in Bristol", "250 g costs £9.50"]
    assert "On the last day of the month at 09:00" in page

    page = owner.post(reverse("campaigns:drafting_run", args=[schedule.pk]), follow=True).content.decode()
    assert "Being written" in page
    assert "Out of turn" in page
    again = owner.post(reverse("campaigns:drafting_run", args=[schedule.pk]), follow=True).content.decode()
    assert "is being written already" in again

    page = owner.post(reverse("campaigns:drafting_pause", args=[schedule.pk]), {"is_active": "0"}, follow=True)
    assert "is not made up for" in page.content.decode()
    owner.post(reverse("campaigns:drafting_pause", args=[schedule.pk]), {"is_active": "1"})
    schedule.refresh_from_db()
    assert schedule.next_run_at is not None

    owner.post(reverse("campaigns:drafting_delete", args=[schedule.pk]))
    assert not DraftingSchedule.objects.exists()
    assert Campaign.objects.filter(workspace=workspace).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weekdays": []}, "Choose at least one day of the week."),
        ({"at": "25:00"}, "A time of day is written HH:MM"),
        ({"rhythm": "crontab", "crontab": "* * * * *"}, "at most one run an hour"),
        ({"rhythm": "crontab", "crontab": ""}, "Five fields"),
        ({"name": ""}, "This field is required"),
        ({"goal": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(owner, wrong, said):
    answer = owner.post(reverse("campaigns:drafting_new"), {**WEEKLY, **wrong})

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not DraftingSchedule.objects.exists()


@pytest.mark.django_db
def test_how_runs_went_is_shown_with_the_reason(owner, workspace, settings):
    schedule = make_schedule(workspace)
    settings.AI_OFFLINE = "deny"
    beat(MONDAY_NINE)

    page = owner.get(reverse("campaigns:drafting", args=[schedule.pk])).content.decode()

    assert "Skipped" in page
    assert "No AI provider is set up." in page
    assert "No AI provider is set up." in owner.get(reverse("campaigns:drafting_list")).content.decode()


@pytest.mark.django_db
def test_an_analyst_looks_and_does_not_plan(workspace, client):
    schedule = make_schedule(workspace)
    client.force_login(make_member(workspace, "analyst"))

    assert client.get(reverse("campaigns:drafting", args=[schedule.pk])).status_code == 200
    assert client.get(reverse("campaigns:drafting_new")).status_code == 403
    assert client.post(reverse("campaigns:drafting_run", args=[schedule.pk])).status_code == 403


@pytest.mark.django_db
def test_over_v1_it_is_planned_once_read_changed_run_and_removed(workspace):
    api = client_of(workspace)
    body = {
        "name": "Monday letter", "crontab": "0 9 * * mon", "brief": {"goal": SENTENCE},
        "sender": str(make_sender(workspace).pk),
    }  # fmt: skip
    made = api.post("/v1/ai/schedules", body, format="json", headers={"Idempotency-Key": "k1"})
    again = api.post("/v1/ai/schedules", body, format="json", headers={"Idempotency-Key": "k1"})
    assert made.status_code == 201, made.json()
    assert again.json()["id"] == made.json()["id"]
    assert again["Idempotency-Replayed"] == "true"
    assert made.json()["rhythm"] == "Every week on Monday at 09:00"
    assert len(made.json()["next_runs"]) == 3
    one = f"/v1/ai/schedules/{made.json()['id']}"

    changed = api.patch(one, {"brief": {"facts": ["Roasted in Bristol"]}, "is_active": False}, format="json").json()
    assert changed["brief"]["goal"] == SENTENCE
    assert changed["brief"]["facts"] == ["Roasted in Bristol"]
    assert (changed["is_active"], changed["next_runs"]) == (False, [])
    assert api.get("/v1/ai/schedules?is_active=true").json()["results"] == []

    run = api.post(f"{one}/run", headers={"Idempotency-Key": "r1"})
    same = api.post(f"{one}/run", headers={"Idempotency-Key": "r1"})
    assert (run.status_code, run.json()["status"], run.json()["is_manual"]) == (202, "writing", True)
    assert same.json()["id"] == run.json()["id"]
    assert api.post(f"{one}/run").status_code == 409
    assert [row["id"] for row in api.get(f"{one}/runs").json()["results"]] == [run.json()["id"]]

    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404


@pytest.mark.django_db
def test_over_v1_what_is_wrong_is_named(workspace):
    api = client_of(workspace)
    for body, field in (
        ({"name": "x", "brief": {"goal": SENTENCE}}, "crontab"),
        ({"name": "x", "crontab": "0 9 * * mon"}, "brief"),
        ({"name": "x", "crontab": "0 9 31 2 *", "brief": {"goal": SENTENCE}}, "crontab"),
        ({"name": "x", "crontab": "0 9 * * 1", "every_weeks": 99, "brief": {"goal": SENTENCE}}, "every_weeks"),
    ):
        answer = api.post("/v1/ai/schedules", body, format="json")
        assert answer.status_code == 400, body
        assert answer.json()["errors"][0]["field"] == field
    assert client_of(workspace, "analyst").post("/v1/ai/schedules", {}, format="json").status_code == 403


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_the_pages_are_accessible_and_fit(live_server, page_for, theme, width):
    workspace = make_workspace(time_zone="Europe/Berlin")
    maker = make_member(workspace)
    schedule = make_schedule(workspace, actor=maker, sender=make_sender(workspace))
    make_schedule(workspace, name="Every second Thursday", crontab="30 16 * * thu", every_weeks=2)
    DraftingRun.objects.create(
        workspace=workspace, schedule=schedule, slot_at=MONDAY_NINE, status="drafted",
        campaign=make_campaign(workspace, name="Monday letter, 16 Nov 2026"),
    )  # fmt: skip
    DraftingRun.objects.create(
        workspace=workspace, schedule=schedule, slot_at=SUNDAY, missed=2, status="skipped",
        reason="The AI budget of this month is used up.",
    )  # fmt: skip
    page = page_for(width=width, theme=theme)
    client = Client()
    client.force_login(maker)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])

    for name, path in (
        ("schedules", reverse("campaigns:drafting_list")),
        ("schedule", reverse("campaigns:drafting", args=[schedule.pk])),
        ("schedule_form", reverse("campaigns:drafting_new")),
    ):
        page.goto(live_server.url + path)
        assert_fits(page)
        assert_accessible(page)
        save_picture(page, f"{name}_{theme}_{width}")
    page.get_by_label("By a crontab line").check()
    assert page.locator("[name=crontab]").is_visible()
    assert not page.locator("[name=at]").is_visible()
    assert not page.locator("[name=weekdays]").first.is_visible()
    assert_accessible(page)
