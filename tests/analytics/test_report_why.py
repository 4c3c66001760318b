"""The whole story of one address: in order, in words, and honest about what nobody can know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.models import Conversion, Goal
from analytics.reports.campaign_why import Story, get_why
from audiences.models import FormerContact, Subscription, Suppression
from audiences.services import create_segment, suppress_email
from campaigns.delivery import planner
from campaigns.models import Campaign, Message
from campaigns.selectors.campaigns import get_campaign
from tests.analytics.reporting import Sent, event, make_sent
from tests.campaigns.making import make_campaign, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db


def why(campaign: Campaign, email: str) -> Story:
    return get_why(get_campaign(campaign.workspace, campaign.pk), email)


def titles(story: Story) -> list[str]:
    return [step.title for step in story.steps]


def words(story: Story) -> str:
    steps = [f"{step.title}: {step.detail}" for step in [*story.audience, *story.steps]]
    return "\n".join([story.summary, *steps, *story.unknown])


@pytest.fixture
def sent() -> Sent:
    return make_sent(4, variants=2)


def launched(**changes: Any) -> Campaign:
    """A campaign that was planned and of which nothing has left."""
    campaign = make_campaign(**changes)
    planner.launch(campaign, now=timezone.now())
    return campaign


def test_a_reader_who_clicked_has_everything_in_order(sent: Sent) -> None:
    row = sent.rows[0]
    link = sent.links(row.variant.label)[0]
    at = row.sent_at
    sent.happen(
        event(row, "clicked", link=link, at=at + timedelta(minutes=9)),
        event(row, "opened", at=at + timedelta(minutes=5)),
        event(row, "opened", agent="Mozilla/5.0", at=at + timedelta(minutes=1)),
    )
    story = why(sent.campaign, f"  {row.email.upper()} ")
    assert story.verdict == "delivered"
    assert story.summary == "It was delivered and clicked."
    told = titles(story)
    order = ["In the audience", f"Variant {row.variant.label}", "Accepted by capture", "Opened by a machine",
             "Opened by a person", "Clicked by a person"]  # fmt: skip
    assert [title for title in told if title in order] == order
    assert "Apple privacy relay" in words(story)
    assert "/beans" in words(story)
    assert "is on it today" in words(story)


def test_the_ticket_that_is_shown_is_the_one_that_was_drawn(sent: Sent) -> None:
    for row in sent.rows:
        drawn = next(step.detail for step in why(sent.campaign, row.email).steps if step.title.startswith("Variant"))
        ticket = int(drawn.split("It drew ")[1].split(" ")[0].replace(",", ""))
        assert (ticket < 5_000) is (row.variant.label == "A")


def test_a_bounce_says_what_the_server_meant_and_what_followed(sent: Sent) -> None:
    row = sent.rows[1]
    sent.happen(event(row, "bounced", bounce_type="hard", code="5.1.1", detail="550 5.1.1 no such user"))
    story = why(sent.campaign, row.email)
    assert story.verdict == "bounced"
    assert "There is no such mailbox" in words(story)
    assert "Since then suppressed" in titles(story)


def test_a_suppressed_address_says_since_when_and_who_told(sent: Sent) -> None:
    workspace = make_workspace()
    contact = make_contact(workspace, "stopped@example.org")
    suppress_email(workspace=workspace, email=contact.email, reason="complaint", source="postmaster")
    campaign = launched(workspace=workspace, lists=[make_list(workspace, contact)])
    story = why(campaign, contact.email)
    assert story.verdict == "skipped"
    assert "Complaint, told by postmaster" in words(story)
    Suppression.objects.filter(workspace=workspace).delete()
    assert "has been lifted since" in words(why(campaign, contact.email))


def test_an_excluded_address_says_by_which_list_or_segment() -> None:
    workspace = make_workspace()
    contact = make_contact(workspace, "out@example.org")
    staff = make_list(workspace, contact, name="Staff")
    rules = {"all": [{"field": "email", "op": "starts_with", "value": "out"}]}
    outs = create_segment(workspace=workspace, name="Outs", rules=rules)
    campaign = launched(
        workspace=workspace, lists=[make_list(workspace, contact)], exclude_lists=[staff], exclude_segments=[outs]
    )
    said = words(why(campaign, contact.email))
    assert "Excluded list “Staff”" in said
    assert "Excluded segment “Outs”" in said
    Subscription.objects.filter(list=staff).delete()
    outs.rules = {"all": [{"field": "email", "op": "starts_with", "value": "nobody"}]}
    outs.save()
    assert "Which one is not kept" in words(why(campaign, contact.email))


def test_a_held_out_reader_is_told_from_one_who_may_not_be_mailed() -> None:
    workspace = make_workspace()
    people = [make_contact(workspace) for _ in range(40)]
    campaign = launched(workspace=workspace, lists=[make_list(workspace, *people)], holdout_share=50)
    held = Message.objects.filter(campaign=campaign, reason="held_out").first()
    assert held is not None
    story = why(campaign, held.email)
    assert "on purpose" in story.summary
    assert "50 of 100 get nothing" in words(story)
    mailed = Message.objects.filter(campaign=campaign, status="queued").first()
    assert mailed is not None
    assert why(campaign, mailed.email).verdict == "waiting"


def test_readers_after_the_first_ones_are_told_what_they_wait_for() -> None:
    workspace = make_workspace()
    people = [make_contact(workspace) for _ in range(60)]
    campaign = launched(workspace=workspace, lists=[make_list(workspace, *people)], canary_share=10)
    waiting = Message.objects.filter(campaign=campaign, status="held").first()
    assert waiting is not None
    story = why(campaign, waiting.email)
    assert "waits for the first readers" in story.summary
    assert "After the first readers" in titles(story)


def test_somebody_who_joined_later_is_told_so(sent: Sent) -> None:
    Campaign.objects.filter(pk=sent.campaign.pk).update(launched_at=timezone.now() - timedelta(hours=1))
    late = make_contact(sent.workspace, "late@example.org")
    type(late).objects.filter(pk=late.pk).update(created_at=timezone.now() - timedelta(days=3))
    Subscription.objects.create(workspace=sent.workspace, contact=late, list=sent.list)
    story = why(Campaign.objects.get(pk=sent.campaign.pk), late.email)
    assert story.verdict == "not_planned"
    assert "only after the launch" in story.summary
    new = make_contact(sent.workspace, "new@example.org")
    assert "did not exist yet" in why(Campaign.objects.get(pk=sent.campaign.pk), new.email).summary


def test_somebody_on_no_list_of_the_campaign_is_told_so(sent: Sent) -> None:
    other = make_contact(sent.workspace, "other@example.org")
    type(other).objects.filter(pk=other.pk).update(created_at=timezone.now() - timedelta(days=3))
    story = why(sent.campaign, other.email)
    assert "on none of the campaign's lists" in story.summary
    assert any("leave no trace" in line for line in story.unknown)


def test_an_address_that_nobody_knows_gets_an_honest_answer(sent: Sent) -> None:
    story = why(sent.campaign, "nobody@example.org")
    assert story.verdict == "not_planned"
    assert "There is no contact with this address" in titles(story)
    assert len(story.unknown) == 2
    FormerContact.objects.create(workspace=sent.workspace, email_normalized="gone@example.org")
    assert "The contact was deleted" in titles(why(sent.campaign, "gone@example.org"))


def test_a_contact_of_another_workspace_is_nobody(sent: Sent) -> None:
    foreign = make_contact(make_workspace("Rival"), "secret@example.org")
    assert why(sent.campaign, foreign.email).contact is None


def test_nothing_is_said_about_a_campaign_that_has_not_left(sent: Sent) -> None:
    draft = make_campaign(sent.workspace, name="Later", lists=[sent.list])
    story = why(draft, sent.contacts[0].email)
    assert story.verdict == "not_launched"
    assert "List “Newsletter of readers”" in [step.title for step in story.audience]


def test_a_goal_belongs_to_the_story(sent: Sent) -> None:
    goal = Goal.objects.create(workspace=sent.workspace, key="order", name="Order placed")
    Conversion.objects.create(
        workspace=sent.workspace, goal=goal, campaign=sent.campaign, message=sent.rows[0], currency="JPY", times=1,
        value=5400, first_at=timezone.now(),
    )  # fmt: skip
    assert "5,400 JPY" in words(why(sent.campaign, sent.rows[0].email))


def test_a_story_costs_the_same_however_much_happened(sent: Sent) -> None:
    campaign = get_campaign(sent.workspace, sent.campaign.pk)
    row = sent.rows[0]
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            get_why(campaign, row.email)
        counts.append(len(queries))
        sent.happen(*(event(row, "opened", at=row.sent_at + timedelta(minutes=n)) for n in range(30)))
    assert counts[0] == counts[1]
    assert counts[0] <= 11
