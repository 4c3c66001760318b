"""A launch tells the writer how far the mail is from the draft that it began as."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from aiwriter.models import Draft, Generation
from campaigns import tasks
from campaigns.models import Campaign, SendingDomain, Variant
from campaigns.services import sending
from campaigns.services.adopting import adopt_draft
from campaigns.services.composing import update_campaign
from tests.campaigns.sending import make_ready

pytestmark = pytest.mark.django_db
BLOCKS = [
    {"type": "heading", "text": "The harvest roast is back", "level": 1},
    {"type": "text", "html": "<p>Hi {{first_name}}, 1,450 bags arrived from Huila. Reserve one before Sunday.</p>"},
    {"type": "button", "label": "Reserve a bag", "url": "https://northwind.example/harvest"},
]


@pytest.fixture
def adopted() -> tuple[Campaign, Draft]:
    campaign, _ = make_ready(1)
    SendingDomain.objects.get_or_create(
        workspace=campaign.workspace, name=campaign.sender.from_email.partition("@")[2],
        defaults={"verified_at": timezone.now()},
    )  # fmt: skip
    generation = Generation.objects.create(workspace=campaign.workspace, status="succeeded")
    draft = Draft.objects.create(
        workspace=campaign.workspace, generation=generation, position=0, angle="News", subject="It is back",
        preview_text="Until Sunday", blocks=BLOCKS,
    )  # fmt: skip
    campaign = adopt_draft(campaign=campaign, draft=draft, actor=None)
    return Campaign.objects.select_related("workspace", "sender").get(pk=campaign.pk), draft


def launched(campaign: Campaign, monkeypatch, capture) -> list[str]:
    """The campaigns whose drafts a launch asked to measure."""
    asked: list[str] = []
    monkeypatch.setattr(tasks.deliver_slice, "delay", lambda **_ids: None)
    monkeypatch.setattr(tasks.measure_edits, "delay", lambda campaign_id: asked.append(campaign_id))
    with capture(execute=True):
        sending.launch_campaign(campaign=campaign, actor=None)
    return asked


def change(campaign: Campaign, **content) -> Campaign:
    update_campaign(campaign=campaign, actor=None, changes={"variants": [{"label": "A", **content}]})
    return Campaign.objects.select_related("workspace", "sender").get(pk=campaign.pk)


def test_a_launch_measures_once_and_after_its_commit(adopted, monkeypatch, django_capture_on_commit_callbacks):
    campaign, draft = adopted

    assert launched(campaign, monkeypatch, django_capture_on_commit_callbacks) == [str(campaign.pk)]
    draft.refresh_from_db()
    assert draft.edit_distance is None, "the launch itself does not wait for it"
    tasks.measure_edits(campaign_id=str(campaign.pk))
    tasks.measure_edits(campaign_id=str(campaign.pk))

    draft.refresh_from_db()
    assert (draft.edit_distance, draft.status) == (0.0, Draft.Status.ACCEPTED)


def test_a_launch_by_the_calendar_measures_too(adopted, monkeypatch):
    campaign, _ = adopted
    sending.schedule_campaign(campaign=campaign, send_at=timezone.now() + timedelta(minutes=5), actor=None)
    Campaign.objects.filter(pk=campaign.pk).update(send_at=timezone.now())
    asked: list[str] = []
    monkeypatch.setattr(tasks.deliver_slice, "delay", lambda **_ids: None)
    monkeypatch.setattr(tasks.measure_edits, "delay", lambda campaign_id: asked.append(campaign_id))

    tasks.launch_due_campaigns()

    assert asked == [str(campaign.pk)]


def test_words_that_people_changed_are_counted(adopted):
    campaign, draft = adopted
    other = [BLOCKS[0], {**BLOCKS[1], "html": BLOCKS[1]["html"].replace("Reserve one", "Take two home")}, BLOCKS[2]]
    change(campaign, subject="It is here again", body=other)

    tasks.measure_edits(campaign_id=str(campaign.pk))

    draft.refresh_from_db()
    assert draft.status == Draft.Status.EDITED
    assert 0.1 < draft.edit_distance < 0.3


def test_another_format_is_compared_by_its_words_and_not_by_its_markup(adopted):
    campaign, draft = adopted
    source = (
        "<html><head><style>.a { color: red }</style></head><body><!-- a note --><h1>The harvest roast is back</h1>"
        "<p>Hi {{first_name}}, 1,450 bags arrived from Huila. Reserve one before Sunday.</p>"
        '<p><a href="https://northwind.example/harvest">Reserve a bag</a></p></body></html>'
    )
    Variant.objects.filter(campaign=campaign).update(format="html", body=source)

    tasks.measure_edits(campaign_id=str(campaign.pk))

    draft.refresh_from_db()
    assert (draft.edit_distance, draft.status) == (0.0, Draft.Status.ACCEPTED)


def test_a_campaign_that_nobody_drafted_for_measures_nothing(django_assert_num_queries):
    campaign, _ = make_ready(1)

    with django_assert_num_queries(1):
        tasks.measure_edits(campaign_id=str(campaign.pk))
