"""The emergency brake: what stops a campaign by itself, what does not, and how it goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Activity, Notification
from accounts.models.membership import Role
from analytics import tasks
from analytics.brake import (
    CHANCE,
    ENOUGH,
    FEWEST_TROUBLES,
    Evidence,
    get_brake,
    is_reached,
    tail,
    watch,
    watch_rates,
    watched_campaigns,
)
from campaigns.braking import DEFAULTS, limits_of, parse_brake
from campaigns.models import Campaign, DeliveryMinute, Message
from campaigns.preflight import link_answers
from campaigns.services import brakes, sending
from campaigns.tasks import mail_braked
from pulsequill.core.errors import Invalid, WrongState
from pulsequill.core.outbound_http import Answer
from tests.analytics.making import Mailing, make_mailing, make_member, make_workspace

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def _links_are_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every link answers; `test_dead_links` has those that do not."""
    monkeypatch.setattr(link_answers, "fetch", lambda *_asked, **_how: Answer(200, {}, b"", 1))


def mailing_of(size: int, *, minutes_ago: int = 10, **more: Any) -> Mailing:
    return make_mailing(size=size, provider="smtp", sent_at=NOW - timedelta(minutes=minutes_ago), **more)


def trouble(mailing: Mailing, *, hard: int = 0, soft: int = 0, complaints: int = 0, unsubscribes: int = 0) -> None:
    """Let so many of a mailing's messages come to grief."""
    ids = iter([message.pk for message in mailing.messages])

    def take(count: int, **facts: Any) -> None:
        Message.objects.filter(pk__in=[next(ids) for _ in range(count)]).update(**facts)

    take(hard, bounced_at=NOW, bounce_type="hard")
    take(soft, bounced_at=NOW, bounce_type="soft")
    take(complaints, complained_at=NOW)
    take(unsubscribes, unsubscribed_at=NOW)


def state(mailing: Mailing) -> Campaign:
    return Campaign.objects.get(pk=mailing.campaign.pk)


def look(mailing: Mailing, *, now: datetime = NOW) -> str:
    return watch(mailing.campaign.pk, now=now)


def hold(mailing: Mailing, count: int) -> None:
    """Let so many wait behind the first readers."""
    variant = mailing.variants[0]
    Campaign.objects.filter(pk=mailing.campaign.pk).update(canary_share=5, canary_minutes=30)
    Message.objects.bulk_create(
        Message(
            workspace=mailing.workspace, campaign=mailing.campaign, variant=variant, email=f"w{n}@example.com",
            email_normalized=f"w{n}@example.com", status=Message.Status.HELD,
        )
        for n in range(count)
    )  # fmt: skip


# rates


@pytest.mark.parametrize(
    ("size", "happened", "word"),
    [
        (500, {"hard": 25}, "do not exist"),
        (600, {"complaints": 2}, "Marked as spam"),
        (500, {"unsubscribes": 10}, "Unsubscribed"),
        (60, {"hard": 12}, "do not exist"),
        (40, {"complaints": 4}, "Marked as spam"),
        (3, {"hard": 3}, "do not exist"),
        (5, {"hard": 4}, "do not exist"),
        (10, {"complaints": 3}, "Marked as spam"),
        (19, {"hard": 19}, "do not exist"),
        (19, {"unsubscribes": 5}, "Unsubscribed"),
    ],
)
def test_a_rate_over_its_limit_pauses_the_campaign_and_says_why(size: int, happened: dict[str, int], word: str) -> None:
    mailing = mailing_of(size)
    trouble(mailing, **happened)
    assert look(mailing) == "braked"
    campaign = state(mailing)
    assert campaign.status == Campaign.Status.PAUSED
    assert campaign.braked_at is not None
    assert campaign.status_reason.startswith("The brake stopped it.")
    assert word in campaign.status_reason
    assert f"{next(iter(happened.values()))} of {size}" in campaign.status_reason


@pytest.mark.parametrize(
    ("size", "happened"),
    [
        (1, {"hard": 1}), (2, {"hard": 2}), (3, {"hard": 1}), (3, {"complaints": 1}), (5, {"unsubscribes": 2}),
        (10, {"complaints": 2}), (10, {"hard": 3}), (19, {"hard": 1}), (19, {"hard": 4}),
        (500, {"hard": 24}), (500, {"complaints": 1}), (500, {"soft": 200}), (500, {"unsubscribes": 9}),
        (60, {"hard": 6}), (100, {"complaints": 1}), (500, {}),
    ],
)  # fmt: skip
def test_a_few_of_few_and_a_rate_below_its_limit_stop_nothing(size: int, happened: dict[str, int]) -> None:
    mailing = mailing_of(size)
    trouble(mailing, **happened)
    assert look(mailing) == ""
    assert state(mailing).status == Campaign.Status.SENDING


def test_recipients_that_the_mail_server_refuses_at_once_count_as_gone() -> None:
    mailing = mailing_of(60)
    gone = [message.pk for message in mailing.messages[:20]]
    Message.objects.filter(pk__in=gone).update(status="failed", last_error_code="smtp_rcpt_5xx", sent_at=None)
    DeliveryMinute.objects.filter(campaign=mailing.campaign).update(sent=40)
    assert look(mailing) == "braked"
    assert "20 of 60 sent" in state(mailing).status_reason


def test_limits_can_be_chosen_and_switched_off() -> None:
    strict, loose = mailing_of(500, name="Strict"), mailing_of(500, name="Loose")
    for mailing, brake in ((strict, {"bounce_rate": 0.01}), (loose, {"bounce_rate": None})):
        Campaign.objects.filter(pk=mailing.campaign.pk).update(brake=brake)
        trouble(mailing, hard=6 if mailing is strict else 400)
    assert look(strict) == "braked"
    assert look(loose) == ""


def test_test_sends_and_other_campaigns_are_no_evidence() -> None:
    mailing, other = mailing_of(500), mailing_of(500, name="Other")
    trouble(other, hard=100)
    Message.objects.filter(pk__in=[message.pk for message in mailing.messages[:50]]).update(
        is_test=True, bounced_at=NOW, bounce_type="hard"
    )
    assert look(mailing) == ""


@pytest.mark.parametrize("status", ["draft", "scheduled", "paused", "sent", "cancelled"])
def test_only_what_is_being_sent_is_stopped(status: str) -> None:
    mailing = mailing_of(500, campaign_status=status)
    trouble(mailing, hard=100)
    assert look(mailing) == ""
    assert state(mailing).status == status
    assert not watched_campaigns().exists()


def test_everybody_is_told_on_the_page_and_those_who_can_go_on_by_mail(
    django_capture_on_commit_callbacks: Any,
) -> None:
    mailing = mailing_of(500)
    make_member(mailing.workspace, "owner@northwind.example")
    make_member(mailing.workspace, "looks@northwind.example", Role.ANALYST)
    make_member(make_workspace("Other"), "else@other.example")
    trouble(mailing, hard=30)
    look(mailing)
    line = Notification.objects.get()
    assert "30 of 500" in line.body
    assert line.url == f"/campaigns/{mailing.campaign.pk}/live"
    activity = Activity.objects.get(kind="campaign.paused")
    assert activity.data["by"] == "brake"
    assert activity.data["figures"]["bounce_rate"] == [30, 500, 0.05]
    mail.outbox.clear()
    mail_braked(campaign_id=str(mailing.campaign.pk))
    assert [message.to for message in mail.outbox] == [["owner@northwind.example"]]
    assert "30 of 500" in mail.outbox[0].body
    look(mailing)
    assert Notification.objects.count() == 1


# going on


def test_the_same_evidence_does_not_stop_it_twice_and_new_evidence_may() -> None:
    mailing = mailing_of(500)
    trouble(mailing, hard=30)
    look(mailing)
    sending.resume_campaign(campaign=state(mailing), actor=make_member(mailing.workspace))
    campaign = state(mailing)
    assert campaign.braked_at is None
    assert campaign.brake_released_at is not None
    trouble(mailing, hard=120)  # late news about what had left before
    assert look(mailing) == ""
    later = campaign.brake_released_at + timedelta(seconds=1)
    Message.objects.filter(pk__in=[message.pk for message in mailing.messages[100:160]]).update(sent_at=later)
    DeliveryMinute.objects.create(
        campaign=mailing.campaign, variant=mailing.variants[0],
        minute=(later + timedelta(minutes=1)).replace(second=0, microsecond=0), sent=60,
    )  # fmt: skip
    assert look(mailing) == "braked"
    assert "20 of 60" in state(mailing).status_reason


def test_resuming_what_a_person_paused_forgives_nothing() -> None:
    mailing = mailing_of(500)
    owner = make_member(mailing.workspace)
    sending.pause_campaign(campaign=mailing.campaign, actor=owner)
    sending.resume_campaign(campaign=state(mailing), actor=owner)
    assert state(mailing).brake_released_at is None
    trouble(mailing, hard=30)
    assert look(mailing) == "braked"


# the first readers


def test_who_waits_behind_the_first_readers_is_released_when_they_took_it_well() -> None:
    mailing = mailing_of(40, minutes_ago=32)
    hold(mailing, 5)
    assert look(mailing, now=NOW - timedelta(minutes=4)) == ""
    assert look(mailing) == "released"
    assert Message.objects.filter(status=Message.Status.QUEUED).count() == 5
    assert state(mailing).canary_released_at is not None
    assert look(mailing) == ""


def test_the_watch_begins_with_the_last_of_the_first_mails() -> None:
    mailing = mailing_of(40, minutes_ago=600)
    hold(mailing, 5)
    late = mailing.messages[0]
    Message.objects.filter(pk=late.pk).update(status=Message.Status.QUEUED)
    assert look(mailing) == ""
    Message.objects.filter(pk=late.pk).update(status=Message.Status.SENT)
    DeliveryMinute.objects.create(
        campaign=mailing.campaign, variant=mailing.variants[0], minute=NOW.replace(second=0), sent=1
    )
    assert look(mailing) == ""
    assert look(mailing, now=NOW + timedelta(minutes=32)) == "released"


def test_a_single_mailbox_that_is_tried_again_holds_nobody_up_but_a_server_that_takes_nothing_does() -> None:
    mailing, stuck = mailing_of(40, minutes_ago=60), mailing_of(5, minutes_ago=60, name="Stuck")
    for one in (mailing, stuck):
        hold(one, 5)
    Message.objects.filter(pk=mailing.messages[0].pk).update(status=Message.Status.RETRYING)
    Message.objects.filter(pk__in=[message.pk for message in stuck.messages]).update(status=Message.Status.RETRYING)
    DeliveryMinute.objects.filter(campaign=stuck.campaign).delete()
    assert look(stuck) == ""
    assert look(mailing) == "released"


def test_trouble_among_the_first_readers_spares_the_others() -> None:
    mailing = mailing_of(40, minutes_ago=40)
    hold(mailing, 5)
    trouble(mailing, complaints=4)
    assert look(mailing) == "braked"
    assert Message.objects.filter(status=Message.Status.HELD).count() == 5
    sending.resume_campaign(campaign=state(mailing), actor=None)
    assert look(mailing) == "released"


# what people and programs see of it


def test_the_live_page_says_why_it_stopped_and_what_to_do(client: Any) -> None:
    mailing = mailing_of(500)
    client.force_login(make_member(mailing.workspace))
    place = f"/campaigns/{mailing.campaign.pk}/brake"
    assert client.get(place).content.strip() == b""
    assert place in client.get(f"/campaigns/{mailing.campaign.pk}/live").content.decode()
    trouble(mailing, hard=30)
    look(mailing)
    page = client.get(place).content.decode()
    assert "Why it stopped" in page
    assert "30 of 500" in page
    assert "clean it" in page


def test_who_waits_can_be_released_at_once_by_somebody_who_may_send(client: Any) -> None:
    mailing = mailing_of(40, minutes_ago=5)
    hold(mailing, 7)
    place = f"/campaigns/{mailing.campaign.pk}"
    client.force_login(make_member(mailing.workspace, "looks@northwind.example", Role.ANALYST))
    page = client.get(f"{place}/brake").content.decode()
    assert "<b>7</b> wait behind them" in page
    assert "Release now" not in page
    assert client.post(f"{place}/live/release").status_code == 403
    client.force_login(make_member(mailing.workspace))
    assert "Release now" in client.get(f"{place}/brake").content.decode()
    client.post(f"{place}/live/release")
    assert Message.objects.filter(status=Message.Status.QUEUED).count() == 7
    assert client.get(f"{place}/brake").content.strip() == b""


def test_programs_read_the_brake_and_release_who_waits(client: Any) -> None:
    mailing = mailing_of(40, minutes_ago=5)
    client.force_login(make_member(mailing.workspace))
    path = f"/v1/campaigns/{mailing.campaign.pk}"
    assert client.get(f"{path}/brake").json()["state"] == "on"
    assert client.post(f"{path}/release").status_code == 409
    hold(mailing, 7)
    trouble(mailing, complaints=1)
    body = client.get(f"{path}/brake").json()
    assert (body["state"], body["waiting"]) == ("watching", 7)
    assert body["releases_at"] is not None
    assert {row["name"]: row["happened"] for row in body["rates"]} == {
        "bounce_rate": 0, "complaint_rate": 1, "unsubscribe_rate": 0,
    }  # fmt: skip
    answer = client.post(f"{path}/release")
    assert (answer.status_code, answer.json()["state"]) == (202, "on")
    assert client.post(f"{path}/release").status_code == 409


# how it is asked and set


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Workspaces that are handed to a closer look, and after how many seconds that is dropped."""
    handed: list[tuple[str, int]] = []

    def hand_over(*, kwargs: dict[str, str], expires: int) -> None:
        handed.append((kwargs["workspace_id"], expires))

    monkeypatch.setattr(tasks.look_closely, "apply_async", hand_over)
    return handed


def test_beat_stops_what_is_bad_at_once_and_leaves_what_is_slow_to_others(looks: list[tuple[str, int]]) -> None:
    bad, good, also_good = mailing_of(500), mailing_of(20, name="Good"), mailing_of(20, name="Also good")
    Campaign.objects.filter(pk=also_good.campaign.pk).update(workspace=good.workspace)
    trouble(bad, hard=30)
    tasks.watch_campaigns()
    assert state(bad).status == Campaign.Status.PAUSED
    assert state(good).status == Campaign.Status.SENDING
    tasks.watch_campaigns()
    assert looks == [(str(good.workspace.pk), tasks.LOOK_EXPIRES_S)], "a second look is queued behind the first"
    assert 0 < tasks.LOOK_EXPIRES_S <= 60
    tasks.look_closely(workspace_id=str(good.workspace.pk))
    tasks.watch_campaigns()
    assert len(looks) == 1, "links that have just been asked are asked again"


def test_a_closer_look_may_be_asked_for_again_when_it_was_done(looks: list[tuple[str, int]]) -> None:
    mailing = mailing_of(40, minutes_ago=40)
    hold(mailing, 5)
    tasks.watch_campaigns()
    tasks.look_closely(workspace_id=str(mailing.workspace.pk))
    assert Message.objects.filter(status=Message.Status.QUEUED).count() == 5
    Message.objects.filter(status=Message.Status.QUEUED).update(status=Message.Status.SENT)
    Campaign.objects.filter(pk=mailing.campaign.pk).update(canary_released_at=None)
    tasks.watch_campaigns()
    assert len(looks) == 2


def test_a_campaign_that_cannot_be_asked_about_keeps_no_other_from_being_asked(
    monkeypatch: pytest.MonkeyPatch, looks: list[tuple[str, int]]
) -> None:
    broken, bad = mailing_of(20, name="Broken"), mailing_of(500)
    trouble(bad, hard=30)

    def fail_for_one(campaign_id: Any, **more: Any) -> Any:
        if campaign_id == broken.campaign.pk:
            raise ValueError("broken")
        return watch_rates(campaign_id, **more)

    monkeypatch.setattr(tasks, "watch_rates", fail_for_one)
    tasks.watch_campaigns()
    assert state(bad).status == Campaign.Status.PAUSED


def test_more_campaigns_of_one_workspace_than_were_ever_asked_at_once_leave_the_others_watched(
    looks: list[tuple[str, int]],
) -> None:
    crowd = make_workspace("Crowd")
    Campaign.objects.bulk_create(
        Campaign(workspace=crowd, name=f"C{n}", status=Campaign.Status.SENDING, launched_at=NOW - timedelta(days=9),
                 brake={"dead_links": False})
        for n in range(501)
    )  # fmt: skip
    bad = mailing_of(500)
    trouble(bad, hard=30)
    tasks.watch_campaigns()
    assert state(bad).status == Campaign.Status.PAUSED


def test_asking_about_a_large_campaign_reads_only_what_went_wrong(django_assert_max_num_queries: Any) -> None:
    mailing = mailing_of(500)
    with django_assert_max_num_queries(6):
        assert watch_rates(mailing.campaign.pk, now=NOW) == mailing.workspace.pk


def test_what_the_brake_shows_has_figures_a_limit_and_advice() -> None:
    mailing = mailing_of(500)
    trouble(mailing, hard=30, soft=10, complaints=1)
    rows = {row["name"]: row for row in get_brake(state(mailing))}
    assert (rows["bounce_rate"]["happened"], rows["bounce_rate"]["messages"], rows["bounce_rate"]["rate"]) == (
        30,
        500,
        0.06,
    )
    assert rows["bounce_rate"]["is_reached"]
    assert rows["bounce_rate"]["advice"]
    assert (rows["complaint_rate"]["happened"], rows["complaint_rate"]["messages"]) == (1, 460)
    assert not rows["complaint_rate"]["is_reached"]


@given(st.integers(1, 700), st.integers(1, 700), st.floats(0.001, 0.5))
def test_more_trouble_never_looks_better(happened: int, messages: int, limit: float) -> None:
    if happened >= messages:
        return
    if is_reached(happened, messages, limit):
        assert is_reached(happened + 1, messages, limit)
        assert messages >= ENOUGH or happened >= FEWEST_TROUBLES
        assert happened / messages >= limit
        assert messages >= ENOUGH or tail(happened, messages, limit) <= CHANCE + 1e-9


@pytest.mark.parametrize("name", ["bounce_rate", "complaint_rate", "unsubscribe_rate"])
def test_what_happened_more_often_than_mails_left_is_counted_among_what_happened(name: str) -> None:
    happened, messages = Evidence(1, 3, 0, 1, 3, 3).of(name)
    assert messages >= happened == 3


def test_the_tail_is_the_exact_binomial_one() -> None:
    from scipy.stats import binom

    for happened, messages, rate in ((2, 20, 0.003), (3, 20, 0.003), (12, 60, 0.05), (25, 499, 0.05), (1, 40, 0.02)):
        assert tail(happened, messages, rate) == pytest.approx(binom.sf(happened - 1, messages, rate), abs=1e-12)


@pytest.mark.parametrize(
    ("given_limits", "field"),
    [
        ([], "brake"), ("x", "brake"), ({"bounces": 1}, "brake.bounces"), ({"bounce_rate": "5"}, "brake.bounce_rate"),
        ({"bounce_rate": True}, "brake.bounce_rate"), ({"complaint_rate": 0}, "brake.complaint_rate"),
        ({"complaint_rate": 1.5}, "brake.complaint_rate"),
        ({"unsubscribe_rate": float("nan")}, "brake.unsubscribe_rate"),
        ({"dead_links": None}, "brake.dead_links"), ({"dead_links": 1}, "brake.dead_links"),
    ],
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused_by_name(given_limits: Any, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_brake(given_limits)
    assert refusal.value.errors[0].field == field


def test_only_what_differs_from_the_defaults_is_stored() -> None:
    assert parse_brake({**DEFAULTS}) == {}
    assert parse_brake({"bounce_rate": None, "complaint_rate": 0.001}) == {"bounce_rate": None, "complaint_rate": 0.001}
    assert limits_of({"bounce_rate": None}) == {**DEFAULTS, "bounce_rate": None}


def test_limits_are_set_before_the_launch_only() -> None:
    mailing = mailing_of(2, campaign_status=Campaign.Status.DRAFT)
    brakes.set_brake(campaign=mailing.campaign, canary_share=5, canary_minutes=15, brake={"complaint_rate": 0.001})
    campaign = state(mailing)
    assert (campaign.canary_share, campaign.canary_minutes, campaign.brake) == (5, 15, {"complaint_rate": 0.001})
    for wrong in ({"canary_share": 21}, {"canary_share": -1}, {"canary_minutes": 4}, {"canary_minutes": 1441}):
        with pytest.raises(Invalid):
            brakes.set_brake(campaign=campaign, **{"canary_share": 5, "canary_minutes": 30, "brake": {}, **wrong})
    running = mailing_of(2, name="Running")
    with pytest.raises(WrongState):
        brakes.set_brake(campaign=running.campaign, canary_share=5, canary_minutes=15, brake={})
