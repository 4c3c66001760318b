"""New rules over old hits: shown before they are applied, figures before and after, all of it resumable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from accounts.models import Activity
from analytics.ingest import rule_runs
from analytics.ingest.bots import RULES_VERSION, AgentRule, _agent_reason, _words
from analytics.ingest.store import store
from analytics.models import CampaignStats, Event, EventMinute, LinkStats, RuleRun
from analytics.services.reclassifying import start_rule_run
from audiences.services import erase_contact
from campaigns.models import Message
from pulsequill.core.errors import WrongState
from tests.analytics.making import SENT_AT, Mailing, make_mailing, make_member, make_workspace
from tests.analytics.test_patterns import BROWSER, line

LATER = SENT_AT + timedelta(minutes=3)
SCANNER = "LinkInspector/3.1 (+https://scanner.example)"

pytestmark = pytest.mark.django_db


@pytest.fixture
def read_mailing() -> Mailing:
    """Three readers; what the second one used is not known to be a scanner yet."""
    mailing = make_mailing(size=3)
    person, scanner, both = mailing.messages
    store(
        [
            line("opened", person, LATER),
            line("clicked", person, LATER, link=mailing.links[0]),
            line("opened", scanner, LATER, user_agent=SCANNER),
            line("clicked", scanner, LATER, link=mailing.links[0], user_agent=SCANNER),
            line("clicked", both, LATER, link=mailing.links[1], user_agent=SCANNER),
            line("clicked", both, LATER + timedelta(hours=1), link=mailing.links[1]),
        ]
    )
    return mailing


@pytest.fixture
def scanner_is_known(read_mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The rules learn about a scanner, after its hits were stored."""
    rules = (AgentRule("link_scanner", _words("LinkInspector")),)
    monkeypatch.setattr("analytics.ingest.bots.AGENT_RULES", rules)
    _agent_reason.cache_clear()
    yield
    _agent_reason.cache_clear()


def run(mailing: Mailing, *, is_dry_run: bool = False) -> RuleRun:
    made = start_rule_run(workspace=mailing.workspace, actor=None, is_dry_run=is_dry_run)
    while not rule_runs.proceed(made.pk, seconds=30):
        pass
    made.refresh_from_db()
    return made


def figures() -> dict[str, Any]:
    return {name: getattr(CampaignStats.objects.get(), name) for name in rule_runs.FIGURES}


@pytest.mark.usefixtures("scanner_is_known")
class TestARun:
    """All hits of a workspace by the rules of today."""

    def test_a_dry_run_shows_what_would_change_and_changes_nothing(self, read_mailing: Mailing) -> None:
        before = figures()
        classes = list(Event.objects.order_by("id").values_list("actor", flat=True))
        shown = run(read_mailing, is_dry_run=True)
        assert (shown.status, shown.rules_version, shown.share_done) == ("done", RULES_VERSION, 1.0)
        assert (shown.messages, shown.hits, shown.changed) == (3, 6, 3)
        assert shown.reasons == {"human > machine link_scanner": 3}
        key = str(read_mailing.campaign.pk)
        assert shown.before == {key: before}
        assert shown.after[key] | before == before
        assert (shown.after[key]["unique_opens"], shown.after[key]["unique_clicks"]) == (1, 2)
        assert (figures(), list(Event.objects.order_by("id").values_list("actor", flat=True))) == (before, classes)

    def test_what_it_announced_is_what_applying_it_does(self, read_mailing: Mailing) -> None:
        shown = run(read_mailing, is_dry_run=True)
        applied = run(read_mailing)
        assert (applied.before, applied.after) == (shown.before, shown.after)
        assert figures() == applied.after[str(read_mailing.campaign.pk)]
        first, second = (LinkStats.objects.get(link=link) for link in read_mailing.links)
        assert (first.clicks, first.unique_clicks, first.machine_clicks) == (1, 1, 1)
        assert (second.clicks, second.unique_clicks, second.machine_clicks) == (1, 1, 1)
        minute = EventMinute.objects.get(minute=LATER)
        assert (minute.human_opens, minute.machine_opens, minute.human_clicks, minute.machine_clicks) == (1, 1, 1, 2)
        message = Message.objects.get(pk=read_mailing.messages[2].pk)
        assert message.first_clicked_at == LATER + timedelta(hours=1)
        assert message.first_machine_clicked_at == LATER
        again = run(read_mailing)
        assert (again.changed, again.before) == (0, {})
        assert set(Activity.objects.values_list("kind", flat=True)) >= {"rules.previewed", "rules.applied"}

    def test_it_goes_on_where_a_killed_worker_stopped(
        self, read_mailing: Mailing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = run(read_mailing, is_dry_run=True).after
        monkeypatch.setattr(rule_runs, "MESSAGES_A_BATCH", 1)
        made = start_rule_run(workspace=read_mailing.workspace, actor=None, is_dry_run=False)
        real = rule_runs._judge
        killed = []

        def dies_after_the_work(*args: Any) -> Any:
            real(*args)
            killed.append(1)
            raise KeyboardInterrupt

        rule_runs.proceed(made.pk, seconds=0.000_001)
        for _ in range(2):
            with monkeypatch.context() as patch:
                patch.setattr(rule_runs, "_judge", dies_after_the_work)
                with pytest.raises(KeyboardInterrupt), transaction.atomic():
                    rule_runs.proceed(made.pk, seconds=30)
            rule_runs.proceed(made.pk, seconds=0.000_001)
        while not rule_runs.proceed(made.pk, seconds=30):
            pass
        made.refresh_from_db()
        assert killed
        assert (made.status, made.changed, made.after) == ("done", 3, expected)
        assert figures() == made.after[str(read_mailing.campaign.pk)]

    def test_a_run_that_nobody_works_on_is_found(self, read_mailing: Mailing) -> None:
        made = start_rule_run(workspace=read_mailing.workspace, actor=None, is_dry_run=True)
        assert rule_runs.list_left_behind(older_than_s=90) == []
        RuleRun.objects.update(updated_at=made.created_at - timedelta(minutes=2))
        assert rule_runs.list_left_behind(older_than_s=90) == [made.pk]

    def test_hits_of_an_erased_person_keep_their_class_and_are_named_as_unseen(self, read_mailing: Mailing) -> None:
        scanner = read_mailing.messages[1]
        assert scanner.contact is not None
        erase_contact(contact=scanner.contact, actor=None)
        done = run(read_mailing)
        assert (done.changed, done.unseen) == (1, 1)
        assert CampaignStats.objects.get().unique_opens == 2

    def test_other_workspaces_are_left_alone(self, read_mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
        other = make_mailing(make_workspace("Elsewhere"), size=1)
        with monkeypatch.context() as patch:
            patch.setattr("analytics.ingest.bots.AGENT_RULES", ())
            _agent_reason.cache_clear()
            store([line("opened", other.messages[0], LATER, user_agent=SCANNER)])
        _agent_reason.cache_clear()
        run(read_mailing)
        assert CampaignStats.objects.get(campaign=other.campaign).unique_opens == 1

    def test_one_run_at_a_time(self, read_mailing: Mailing) -> None:
        start_rule_run(workspace=read_mailing.workspace, actor=None, is_dry_run=True)
        with pytest.raises(WrongState):
            start_rule_run(workspace=read_mailing.workspace, actor=None, is_dry_run=False)

    def test_an_operator_runs_it_from_the_command_line(self, read_mailing: Mailing) -> None:
        said = StringIO()
        call_command("reclassify", read_mailing.workspace.slug, apply=True, stdout=said)
        assert "3 of 6 hits of 3 messages changed." in said.getvalue()
        assert "unique_opens 2 > 1" in said.getvalue()


def test_a_message_that_was_sent_again_keeps_what_was_before_its_first_sending() -> None:
    mailing = make_mailing(size=1)
    message = mailing.messages[0]
    store([line("opened", message, SENT_AT - timedelta(minutes=5)), line("opened", message, LATER)])
    Message.objects.update(attempt_no=2, claimed_at=LATER + timedelta(days=1), sent_at=LATER + timedelta(days=1))
    assert run(mailing).changed == 0
    assert list(Event.objects.order_by("occurred_at").values_list("actor_reason", flat=True)) == ["before_sending", ""]


def test_v1_starts_a_run_and_shows_it(client: Client) -> None:
    mailing = make_mailing(size=1)
    store([line("opened", mailing.messages[0], LATER, user_agent=BROWSER)])
    client.force_login(make_member(mailing.workspace))
    made = client.post("/v1/analytics/reclassifications", {"dry_run": True}, content_type="application/json")
    assert made.status_code == 202, made.content
    run_id = made.json()["id"]
    rule_runs.proceed(RuleRun.objects.get().pk, seconds=30)
    shown = client.get(f"/v1/analytics/reclassifications/{run_id}").json()
    assert (shown["status"], shown["progress"], shown["dry_run"], shown["hits"]) == ("done", 1.0, True, 1)
    assert [row["id"] for row in client.get("/v1/analytics/reclassifications").json()["results"]] == [run_id]
