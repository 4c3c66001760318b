"""Drafts by the calendar: one generation for one slot, whatever happens, and never a mail."""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, connection, connections, transaction

from accounts.models import Notification
from aiwriter.agents import running
from aiwriter.agents.offline import engine
from aiwriter.models import Brief, Generation
from aiwriter.selectors import get_budget
from campaigns import drafting, tasks
from campaigns.delivery import scheduling
from campaigns.models import Campaign, DraftingRun, DraftingSchedule, Message
from campaigns.services import drafting as services
from campaigns.services.drafting import change_schedule, create_schedule, delete_schedule, run_now
from pulsequill.core.errors import Invalid, NotFound, WrongState
from tests.campaigns.making import make_member, make_sender, make_workspace

SENTENCE = "Write this week's letter about the beans that we roast"
#: A Sunday; the next Monday nine o'clock in Berlin is 08:00 UTC of the day after.
SUNDAY = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
MONDAY_NINE = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
Status = DraftingRun.Status


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch) -> None:
    monkeypatch.setattr(engine.time, "sleep", lambda _seconds: None)


def make_schedule(workspace=None, **changes) -> DraftingSchedule:
    workspace = workspace or make_workspace(time_zone="Europe/Berlin")
    actor = changes.pop("actor", None)
    with time_machine.travel(SUNDAY, tick=False):
        return create_schedule(
            workspace=workspace,
            actor=actor,
            brief={"goal": SENTENCE},
            changes={"name": "Monday letter", "crontab": "0 9 * * mon", **changes},
        )


def beat(now: datetime) -> list[DraftingRun]:
    with time_machine.travel(now, tick=False):
        tasks.keep_drafting_calendar()
    return list(DraftingRun.objects.order_by("created_at"))


def write_all() -> None:
    for generation in Generation.objects.filter(status=Generation.Status.QUEUED):
        running.run(generation.pk)


@pytest.mark.django_db
def test_nothing_happens_before_the_time_and_one_draft_at_it():
    schedule = make_schedule(sender=None)
    assert schedule.next_run_at == MONDAY_NINE

    assert beat(MONDAY_NINE - timedelta(seconds=1)) == []
    (run,) = beat(MONDAY_NINE)
    assert beat(MONDAY_NINE + timedelta(minutes=1)) == [run]

    schedule.refresh_from_db()
    assert schedule.next_run_at == MONDAY_NINE + timedelta(days=7)
    assert run.slot_at == MONDAY_NINE
    assert run.status == Status.WRITING
    assert run.campaign.name == "Monday letter, 16 Nov 2026"
    assert run.campaign.brief == schedule.brief
    assert run.generation.campaign_id == run.campaign.pk


@pytest.mark.django_db
def test_a_ready_draft_waits_and_people_are_told_once():
    workspace = make_workspace(time_zone="Europe/Berlin")
    maker = make_member(workspace)
    schedule = make_schedule(workspace, actor=maker, sender=make_sender(workspace))
    beat(MONDAY_NINE)
    write_all()

    with time_machine.travel(MONDAY_NINE + timedelta(minutes=1), tick=False):
        (ready,) = drafting.settle(now=MONDAY_NINE + timedelta(minutes=1))
        assert drafting.settle(now=MONDAY_NINE + timedelta(minutes=2)) == []
        tasks.mail_draft_ready(run_id=str(ready))

    run = DraftingRun.objects.get(pk=ready)
    assert run.status == Status.DRAFTED
    assert run.generation.drafts.filter(status="proposed").count() == 3
    assert run.campaign.sender == schedule.sender
    schedule.refresh_from_db()
    assert schedule.last_run_at == MONDAY_NINE
    assert schedule.last_outcome == "Draft ready."
    line = Notification.objects.get(workspace=workspace)
    assert line.url == f"/campaigns/{run.campaign_id}"
    (letter,) = mail.outbox
    assert letter.to == [maker.email]
    assert f"/campaigns/{run.campaign_id}" in letter.body
    assert "nothing is sent until a person approves it" in letter.body


@pytest.mark.django_db
def test_who_has_left_the_workspace_gets_no_mail():
    workspace = make_workspace(time_zone="Europe/Berlin")
    maker = make_member(workspace)
    make_schedule(workspace, actor=maker)
    beat(MONDAY_NINE)
    write_all()
    maker.memberships.all().delete()

    (ready,) = drafting.settle(now=MONDAY_NINE)
    tasks.mail_draft_ready(run_id=str(ready))

    assert mail.outbox == []


@pytest.mark.django_db
def test_without_a_campaign_the_drafts_are_only_proposed():
    make_schedule(makes_campaign=False)
    beat(MONDAY_NINE)
    write_all()
    drafting.settle(now=MONDAY_NINE)

    run = DraftingRun.objects.get()
    assert run.status == Status.DRAFTED
    assert not Campaign.objects.exists()
    assert Notification.objects.get().url == f"/ai/generations/{run.generation_id}"


@pytest.mark.django_db
def test_it_never_sends():
    workspace = make_workspace(time_zone="Europe/Berlin")
    make_schedule(workspace, sender=make_sender(workspace))
    for week in range(3):
        beat(MONDAY_NINE + timedelta(days=7 * week))
        write_all()
        beat(MONDAY_NINE + timedelta(days=7 * week, minutes=1))

    campaigns = Campaign.objects.filter(workspace=workspace)
    assert campaigns.count() == 3
    assert {(each.status, each.send_at, each.launched_at) for each in campaigns} == {("draft", None, None)}
    assert scheduling.launch_due(now=MONDAY_NINE + timedelta(days=365)) == []
    assert not Message.objects.exists()
    variants = [variant for each in campaigns for variant in each.variants.all()]
    assert all(variant.draft is None and variant.body == [] for variant in variants), "nobody adopted for people"


def test_nothing_that_writes_by_the_calendar_knows_how_to_send():
    for module in (drafting, services):
        tree = ast.parse(Path(module.__file__).read_text("utf-8"))
        imported = {
            name
            for node in ast.walk(tree)
            for name in (
                [f"{node.module}.{alias.name}" for alias in node.names]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
        }
        assert not [name for name in imported if "delivery" in name or "sending" in name or "tasks" in name], imported


@pytest.mark.django_db
def test_slots_that_were_missed_become_one_run_that_says_so():
    schedule = make_schedule()

    runs = beat(MONDAY_NINE + timedelta(days=16))

    assert [run.slot_at for run in runs] == [MONDAY_NINE + timedelta(days=14)]
    assert runs[0].missed == 2
    schedule.refresh_from_db()
    assert schedule.next_run_at == MONDAY_NINE + timedelta(days=21)
    write_all()
    drafting.settle(now=MONDAY_NINE + timedelta(days=16))
    schedule.refresh_from_db()
    assert schedule.last_outcome == "Draft ready. 2 earlier slots were missed."


@pytest.mark.django_db
def test_without_a_key_and_templates_a_run_is_skipped_with_its_reason(settings):
    settings.AI_OFFLINE = "deny"
    schedule = make_schedule()

    (run,) = beat(MONDAY_NINE)

    assert run.status == Status.SKIPPED
    assert run.reason == "No AI provider is set up."
    assert not Campaign.objects.exists()
    assert not Generation.objects.exists()
    schedule.refresh_from_db()
    assert schedule.last_outcome == "Skipped. No AI provider is set up."
    assert schedule.next_run_at == MONDAY_NINE + timedelta(days=7)
    assert Notification.objects.get().url == f"/ai/schedules/{schedule.pk}"


@pytest.mark.django_db
def test_with_the_budget_used_up_a_run_is_skipped_with_its_reason(settings):
    settings.OPENAI_API_KEY = "sk-test"
    workspace = make_workspace(time_zone="Europe/Berlin")
    make_schedule(workspace)
    budget = get_budget(workspace)
    budget.monthly_cap_micro_usd = 0
    budget.save()

    (run,) = beat(MONDAY_NINE)

    assert run.status == Status.SKIPPED
    assert "budget" in run.reason.lower()


@pytest.mark.django_db
def test_a_writer_that_is_busy_is_waited_for_an_hour():
    workspace = make_workspace(time_zone="Europe/Berlin")
    make_schedule(workspace)
    brief = Brief.objects.create(workspace=workspace, goal=SENTENCE)
    for _ in range(10):
        Generation.objects.create(workspace=workspace, brief=brief)

    assert beat(MONDAY_NINE) == []
    (run,) = beat(MONDAY_NINE + timedelta(hours=1))
    assert run.status == Status.SKIPPED
    assert run.slot_at == MONDAY_NINE


@pytest.mark.django_db
def test_a_generation_that_failed_is_told_with_its_reason():
    make_schedule()
    (run,) = beat(MONDAY_NINE)
    Generation.objects.filter(pk=run.generation_id).update(status="failed", error_detail="The provider was away.")

    assert drafting.settle(now=MONDAY_NINE) == []
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert "The provider was away." in run.reason
    assert Notification.objects.get().kind == "drafting.skipped"


@pytest.mark.django_db
def test_a_paused_schedule_keeps_still_and_does_not_make_up_for_it():
    schedule = make_schedule()
    with time_machine.travel(SUNDAY, tick=False):
        schedule = change_schedule(schedule=schedule, actor=None, changes={"is_active": False})
    assert schedule.next_run_at is None
    assert beat(MONDAY_NINE + timedelta(days=1)) == []

    with time_machine.travel(MONDAY_NINE + timedelta(days=1), tick=False):
        schedule = change_schedule(schedule=schedule, actor=None, changes={"is_active": True})
    assert schedule.next_run_at == MONDAY_NINE + timedelta(days=7)


@pytest.mark.django_db
def test_a_workspace_that_moves_takes_its_schedules_along():
    schedule = make_schedule()
    schedule.workspace.time_zone = "America/New_York"
    schedule.workspace.save()

    beat(SUNDAY)

    schedule.refresh_from_db()
    assert schedule.next_run_at == datetime(2026, 11, 16, 14, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_over_the_change_of_the_clocks_it_stays_nine_in_the_morning():
    schedule = make_schedule()
    DraftingSchedule.objects.update(next_run_at=datetime(2027, 3, 22, 8, 0, tzinfo=UTC))

    beat(datetime(2027, 3, 22, 8, 0, 30, tzinfo=UTC))

    schedule.refresh_from_db()
    assert schedule.next_run_at == datetime(2027, 3, 29, 7, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_a_changed_brief_leaves_the_old_one_to_what_was_written_from_it():
    schedule = make_schedule()
    (run,) = beat(MONDAY_NINE)

    changed = change_schedule(schedule=schedule, actor=None, brief={"goal": "Write about tea"})

    assert changed.brief.goal == "Write about tea"
    assert run.campaign.brief.goal == SENTENCE
    same = change_schedule(schedule=changed, actor=None, brief={"goal": "Write about tea"}, changes={"name": "Tea"})
    assert same.brief_id == changed.brief_id


@pytest.mark.django_db
def test_out_of_turn_it_drafts_once_at_a_time_and_keeps_its_calendar():
    schedule = make_schedule()

    run = run_now(schedule=schedule, actor=None)
    with pytest.raises(WrongState):
        run_now(schedule=schedule, actor=None)

    assert run.is_manual
    schedule.refresh_from_db()
    assert schedule.next_run_at == MONDAY_NINE
    write_all()
    drafting.settle(now=SUNDAY)
    assert run_now(schedule=schedule, actor=None).pk != run.pk


@pytest.mark.django_db
def test_what_is_wrong_is_refused():
    workspace = make_workspace()
    for changes in ({"name": " "}, {"crontab": "* * * * *"}, {"every_weeks": 0}, {"color": "red"}):
        with pytest.raises(Invalid):
            make_schedule(workspace, **changes)
    with pytest.raises(NotFound):
        make_schedule(workspace, sender=make_sender(make_workspace()))
    assert not DraftingSchedule.objects.exists()


@pytest.mark.django_db
def test_a_schedule_that_is_removed_leaves_its_drafts():
    schedule = make_schedule()
    beat(MONDAY_NINE)

    delete_schedule(schedule=schedule, actor=None)

    assert Campaign.objects.count() == 1
    assert Generation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_draft_once():
    for _ in range(3):
        make_schedule()
    together = Barrier(4)

    def tick(_number: int) -> int:
        together.wait()
        try:
            return drafting.run_due(now=MONDAY_NINE)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as beats:
        begun = sum(beats.map(tick, range(4)))

    assert begun == 3
    assert DraftingRun.objects.count() == Generation.objects.count() == Campaign.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_beat_holds_is_left_to_it():
    schedule = make_schedule()

    def tick() -> int:
        try:
            return drafting.run_due(now=MONDAY_NINE)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        DraftingSchedule.objects.select_for_update().get(pk=schedule.pk)
        assert other.submit(tick).result(timeout=10) == 0

    assert drafting.run_due(now=MONDAY_NINE) == 1


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_claim_and_draft_leaves_nothing_and_the_next_beat_drafts_once(monkeypatch):
    make_schedule()

    def crash(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(drafting, "plan_next", crash)
        with pytest.raises(KeyboardInterrupt):
            drafting.run_due(now=MONDAY_NINE)
    assert not DraftingRun.objects.exists()
    assert not Generation.objects.exists()
    assert not Campaign.objects.exists()

    assert drafting.run_due(now=MONDAY_NINE) == 1
    assert Generation.objects.count() == 1


@pytest.mark.django_db
def test_a_slot_that_was_run_is_not_run_again_even_when_the_row_says_so():
    schedule = make_schedule()
    beat(MONDAY_NINE)
    DraftingSchedule.objects.update(next_run_at=MONDAY_NINE)

    beat(MONDAY_NINE + timedelta(minutes=1))

    assert Generation.objects.count() == 1
    schedule.refresh_from_db()
    assert schedule.next_run_at == MONDAY_NINE + timedelta(days=7)
    with pytest.raises(IntegrityError), transaction.atomic():
        DraftingRun.objects.create(workspace=schedule.workspace, schedule=schedule, slot_at=MONDAY_NINE)
    assert connection.is_usable()


@pytest.mark.django_db
def test_a_line_that_cannot_be_read_runs_no_more():
    schedule = make_schedule()
    DraftingSchedule.objects.update(crontab="nonsense")

    assert len(beat(MONDAY_NINE)) == 1
    schedule.refresh_from_db()
    assert schedule.next_run_at is None
