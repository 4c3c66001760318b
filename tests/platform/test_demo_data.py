"""The demo workspace: complete, consistent with its own ledger, and gone without a trace when it is removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, Q, Sum
from django.utils import timezone

from accounts.models import Activity, Membership, User, Workspace
from aiwriter.agents.inputs import brief_data
from aiwriter.models import Generation
from aiwriter.services.briefs import create_brief
from analytics.models import CampaignStats, Event, EventMinute, LinkStats
from audiences.models import Contact, ContactList, Segment, Subscription, Suppression
from audiences.segmentation import fields_of, validate_rules
from audiences.selectors import count_segment
from campaigns.content.blocks import validate_blocks
from campaigns.content.compile import compile_variant
from campaigns.models import Campaign, DeliveryMinute, EmailTemplate, Message, Variant
from campaigns.preflight import run as preflight
from pulsequill.demo_data.people import OPERATOR, PASSWORD, PEOPLE
from pulsequill.demo_data.workspace import make_demo, remove_demo

pytestmark = pytest.mark.django_db
Status = Campaign.Status


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[Workspace]:
    with django_db_blocker.unblock():
        workspace = make_demo()
    yield workspace
    with django_db_blocker.unblock():
        remove_demo()
        User.objects.filter(email=OPERATOR.email).delete()


def sent(workspace: Workspace) -> list[Campaign]:
    return list(Campaign.objects.for_workspace(workspace).filter(status=Status.SENT).order_by("launched_at"))


def test_its_people_can_sign_in(demo: Workspace) -> None:
    for person in (*PEOPLE, OPERATOR):
        assert User.objects.get(email=person.email).check_password(PASSWORD)
    roles = dict(Membership.objects.filter(workspace=demo).values_list("user__email", "role"))
    assert roles == {person.email: person.role for person in PEOPLE}


def test_every_page_has_something_to_show(demo: Workspace) -> None:
    assert Contact.objects.for_workspace(demo).count() == 2400
    assert ContactList.objects.for_workspace(demo).count() == 3
    assert Segment.objects.for_workspace(demo).count() == 6
    assert EmailTemplate.objects.for_workspace(demo).count() == 12
    by_status = dict(
        Campaign.objects.for_workspace(demo).values_list("status").annotate(number=Count("id")).order_by("status")
    )
    assert by_status == {Status.DRAFT: 3, Status.SCHEDULED: 1, Status.SENT: 9}
    assert Activity.objects.for_workspace(demo).count() >= 12
    for status in ("sent", "failed", "in_doubt", "skipped"):
        assert Message.objects.for_workspace(demo).filter(status=status).exists(), status


def test_no_mail_of_it_can_reach_a_person(demo: Workspace) -> None:
    domains = {email.split("@")[1] for email in Contact.objects.for_workspace(demo).values_list("email", flat=True)}
    assert domains == {"example.com", "example.org", "example.net"}


def test_its_past_lies_in_the_past_and_its_future_in_the_future(demo: Workspace) -> None:
    now = timezone.now()
    campaigns = sent(demo)
    assert campaigns[0].launched_at < now - timedelta(days=80)
    assert all(campaign.launched_at < campaign.finished_at < now for campaign in campaigns)
    assert not Event.objects.for_workspace(demo).filter(occurred_at__gt=now).exists()
    assert Campaign.objects.for_workspace(demo).get(status=Status.SCHEDULED).send_at > now
    assert not Suppression.objects.for_workspace(demo).filter(created_at__gt=now).exists()


#: Figure of the rollup -> what must be counted on the ledger.
LEDGER = {
    "delivered": Q(delivered_at__isnull=False),
    "bounced": Q(bounced_at__isnull=False),
    "complained": Q(complained_at__isnull=False),
    "unsubscribed": Q(unsubscribed_at__isnull=False),
    "unique_opens": Q(first_opened_at__isnull=False),
    "machine_opens": Q(first_machine_opened_at__isnull=False),
    "unique_clicks": Q(first_clicked_at__isnull=False),
    "machine_clicks": Q(first_machine_clicked_at__isnull=False),
}


def test_its_figures_agree_exactly_with_its_ledger(demo: Workspace) -> None:
    for campaign in sent(demo):
        for variant in Variant.objects.for_workspace(demo).filter(campaign=campaign):
            stats = CampaignStats.objects.filter(campaign=campaign, variant=variant)
            rows = Message.objects.for_workspace(demo).filter(variant=variant)
            counted = rows.aggregate(**{name: Count("id", filter=test) for name, test in LEDGER.items()})
            assert stats.values(*LEDGER).get() == counted, (campaign.name, variant.label)
            minutes = DeliveryMinute.objects.filter(variant=variant).aggregate(sent=Sum("sent"), failed=Sum("failed"))
            by_status = dict(rows.values_list("status").annotate(number=Count("id")))
            assert (minutes["sent"], minutes["failed"]) == (by_status["sent"], by_status.get("failed", 0))
        assert campaign.recipients == Message.objects.for_workspace(demo).filter(campaign=campaign).count()


def test_its_charts_and_links_agree_exactly_with_its_events(demo: Workspace) -> None:
    for campaign in sent(demo):
        events = Event.objects.for_workspace(demo).filter(campaign=campaign)
        minutes = EventMinute.objects.filter(campaign=campaign).aggregate(
            delivered=Sum("delivered"), opens=Sum("human_opens"), clicks=Sum("human_clicks")
        )
        assert minutes == events.aggregate(
            delivered=Count("id", filter=Q(kind="delivered")),
            opens=Count("id", filter=Q(kind="opened", actor="human")),
            clicks=Count("id", filter=Q(kind="clicked", actor="human")),
        )
        links = LinkStats.objects.filter(campaign=campaign).aggregate(
            clicks=Sum("clicks"), machine=Sum("machine_clicks")
        )
        assert links == events.filter(link__isnull=False).aggregate(
            clicks=Count("id", filter=Q(kind="clicked", actor="human")),
            machine=Count("id", filter=Q(kind="clicked", actor="machine")),
        )


def test_nobody_was_mailed_after_leaving(demo: Workspace) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM campaigns_message m JOIN audiences_suppression s"
            "  ON s.workspace_id = m.workspace_id AND s.email_normalized = m.email_normalized"
            " WHERE m.workspace_id = %s AND m.sent_at > s.created_at",
            [demo.pk],
        )
        assert cursor.fetchone() == (0,)
    left = Subscription.objects.for_workspace(demo).filter(status="unsubscribed")
    assert left.exists()
    assert not left.filter(unsubscribed_at__isnull=True).exists()


def test_its_rates_are_those_of_a_real_sender(demo: Workspace) -> None:
    for campaign in sent(demo):
        stats = CampaignStats.objects.filter(campaign=campaign).aggregate(
            delivered=Sum("delivered"), opens=Sum("unique_opens"), clicks=Sum("unique_clicks"), bounced=Sum("bounced")
        )
        assert 0.2 < stats["opens"] / stats["delivered"] < 0.7, campaign.name
        assert 0.02 < stats["clicks"] / stats["delivered"] < 0.35, campaign.name
        assert stats["bounced"] / stats["delivered"] < 0.04, campaign.name


def test_the_decided_test_shows_a_clear_winner(demo: Workspace) -> None:
    campaign = Campaign.objects.for_workspace(demo).get(name="Kvarn N2 launch")
    rates = {
        row.variant.label: row.unique_clicks / row.delivered
        for row in CampaignStats.objects.filter(campaign=campaign).select_related("variant")
    }
    assert rates["B"] > 1.3 * rates["A"]
    assert campaign.experiment.outcome
    assert not Campaign.objects.for_workspace(demo).get(name="Taster box").experiment.decided_at


def test_its_segments_and_contents_are_valid(demo: Workspace) -> None:
    lists = frozenset(ContactList.objects.for_workspace(demo).values_list("id", flat=True))
    for segment in Segment.objects.for_workspace(demo):
        validate_rules(segment.rules, fields=fields_of(demo), lists=lists)
        assert 0 < count_segment(segment).value < 2400, segment.name
    for template in EmailTemplate.objects.for_workspace(demo):
        validate_blocks(template.body)
    for variant in Variant.objects.for_workspace(demo).select_related("campaign"):
        compile_variant(variant=variant, campaign=variant.campaign, workspace=demo)


def test_preflight_stops_the_unfinished_draft_and_lets_the_scheduled_one_pass(demo: Workspace) -> None:
    def blocking(name: str) -> list[str]:
        campaign = Campaign.objects.for_workspace(demo).select_related("workspace").get(name=name)
        return [finding.code for finding in preflight(campaign) if finding.severity == "block"]

    assert blocking("Gift cards (copy missing)")
    assert blocking("Club: Yirgacheffe Kochere") == []


def test_drafts_lead_to_its_shop_when_their_brief_names_no_address(demo: Workspace) -> None:
    brief = create_brief(workspace=demo, fields={"goal": "Tell people about the harvest roast"})
    assert brief_data(Generation(workspace=demo, brief=brief)).cta_url == "https://northwind.example"


def test_making_it_twice_changes_nothing(demo: Workspace) -> None:
    before = Event.objects.count(), Contact.objects.count(), User.objects.count()
    assert make_demo().pk == demo.pk
    call_command("seed_demo", once=True)
    assert (Event.objects.count(), Contact.objects.count(), User.objects.count()) == before


def test_removing_it_takes_everything_but_the_operator(demo: Workspace) -> None:
    call_command("seed_demo", remove=True)
    assert not Workspace.objects.filter(pk=demo.pk).exists()
    assert list(User.objects.values_list("email", flat=True)) == [OPERATOR.email]
    for model in (Contact, Message, Event, CampaignStats, EventMinute, LinkStats, DeliveryMinute, Suppression):
        rows = model.objects.all() if model.objects is model._default_manager else model._default_manager.all()
        assert rows.count() == 0, model.__name__
    call_command("seed_demo", once=True)
    assert not Workspace.objects.filter(is_demo=True).exists(), "removed, it must not come back by itself"
