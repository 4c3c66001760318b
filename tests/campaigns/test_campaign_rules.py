"""Segments that ask what became of one campaign: what each operator means, and that it is asked of one workspace."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audiences.models import Segment
from audiences.selectors import describe_rules, explain_segment, preview_segment
from audiences.services import check_rules, create_segment
from campaigns.models import Campaign, Message
from pulsequill.core.errors import Invalid
from tests.analytics.making import make_mailing, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailing():
    """Of six: one opened, one opened and clicked, one was opened by a machine, one came back, and the last was skipped.

    Who clicked has unsubscribed, and who opened has reported it as spam.
    """
    made = make_mailing(size=6, campaign_status=Campaign.Status.SENT)
    now = timezone.now()
    for message, facts in zip(
        made.messages,
        (
            {"first_opened_at": now, "complained_at": now},
            {"first_opened_at": now, "first_clicked_at": now, "unsubscribed_at": now},
            {"first_machine_opened_at": now},
            {"bounced_at": now},
        ),
        strict=False,
    ):
        Message.objects.filter(pk=message.pk).update(**facts)
    Message.objects.filter(pk=made.messages[5].pk).update(status=Message.Status.SKIPPED)
    Message.objects.create(
        workspace=made.workspace, campaign=made.campaign, contact=made.messages[5].contact, email="test@example.com",
        email_normalized="test@example.com", is_test=True, status=Message.Status.SENT, first_opened_at=now,
    )  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("was_sent", {0, 1, 2, 3, 4}),
        ("was_not_sent", {5}),
        ("opened", {0, 1}),
        ("did_not_open", {2, 3, 4}),
        ("clicked", {1}),
        ("did_not_click", {0, 2, 3, 4}),
        ("bounced", {3}),
        ("complained", {0}),
        ("unsubscribed", {1}),
    ],
)
def test_each_operator_asks_the_ledger_and_counts_people_only(mailing, op, expected):
    rules = {"all": [{"campaign": str(mailing.campaign.pk), "op": op}]}
    check_rules(workspace=mailing.workspace, rules=rules)

    count, sample = preview_segment(rules, workspace_id=mailing.workspace.pk)

    assert {contact.pk for contact in sample} == {mailing.messages[number].contact_id for number in expected}
    assert count.value == len(expected)


def test_it_reads_as_a_sentence_and_says_who_fits(mailing):
    rules = {"all": [{"campaign": str(mailing.campaign.pk), "op": "did_not_open"}]}

    assert describe_rules(rules, workspace_id=mailing.workspace.pk) == (
        "was sent and did not open “Harvest roast launch”"
    )
    assert explain_segment(rules, contact=mailing.messages[3].contact).passed
    assert not explain_segment(rules, contact=mailing.messages[0].contact).passed


def test_a_campaign_of_another_workspace_or_a_draft_cannot_be_named(mailing):
    rival = make_workspace("Rival Tea")
    draft = Campaign.objects.create(workspace=rival, name="Not sent yet")

    for campaign in (mailing.campaign, draft):
        with pytest.raises(Invalid, match="There is no such campaign"):
            check_rules(workspace=rival, rules={"campaign": str(campaign.pk), "op": "opened"})


@pytest.mark.parametrize("op", ["opened", "was_not_sent"])
def test_a_campaign_that_was_deleted_matches_nobody(mailing, op):
    rules = {"all": [{"campaign": str(mailing.campaign.pk), "op": op}]}
    segment = create_segment(workspace=mailing.workspace, name="Readers", rules=rules)
    mailing.campaign.delete()

    assert preview_segment(Segment.objects.get(pk=segment.pk).rules, workspace_id=mailing.workspace.pk)[0].value == 0
    assert "a campaign that was deleted" in describe_rules(rules, workspace_id=mailing.workspace.pk)
