"""Every violation is refused at every door, by its own code: `/v1` send and schedule, the page, and the scheduler."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audiences.models import Contact, Segment, Suppression
from audiences.services import delete_list
from campaigns.delivery import scheduling
from campaigns.models import Campaign, Message, SendingDomain
from campaigns.services import composing
from tests.campaigns.making import HELLO, make_campaign, make_contact, make_list, make_member, make_workspace

pytestmark = pytest.mark.django_db


def _edit(**changes: Any) -> Callable[[Campaign], None]:
    return lambda campaign: composing.update_campaign(campaign=campaign, actor=None, changes=changes) and None


def _content(**content: Any) -> Callable[[Campaign], None]:
    return _edit(variants=[{"label": "A", **content}])


def _block(**block: Any) -> Callable[[Campaign], None]:
    return _content(body=[*HELLO, block])


def _without_address(campaign: Campaign) -> None:
    campaign.workspace.postal_address = ""
    campaign.workspace.save()


def _suppressed(campaign: Campaign) -> None:
    for contact in Contact.objects.filter(workspace=campaign.workspace):
        Suppression.objects.create(
            workspace=campaign.workspace, email_normalized=contact.email_normalized, reason="manual"
        )


def _empty_list(campaign: Campaign) -> None:
    campaign.lists.set([make_list(campaign.workspace)])


def _unverified(campaign: Campaign) -> None:
    SendingDomain.objects.filter(workspace=campaign.workspace).delete()


def _value_is_tag(campaign: Campaign) -> None:
    Contact.objects.filter(workspace=campaign.workspace).update(first_name="{{first_name}}")


def _never_open(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(send_window={"weekdays": [], "from": "09:00", "to": "17:00"})


def _lost_segment(campaign: Campaign) -> None:
    """Everybody but a list's people is left out; when the list goes, nobody can say any more who they are."""
    gone = make_list(campaign.workspace)
    rules = {"list": str(gone.pk), "op": "is_not_on"}
    campaign.exclude_segments.add(Segment.objects.create(workspace=campaign.workspace, name="Members", rules=rules))
    delete_list(list_=gone)


_HIDDEN_LINK = "<p>{{#first_name}}<a href='{{unsubscribe_url}}'>out</a>{{/first_name}}</p>"

VIOLATIONS: dict[str, Callable[[Campaign], Any]] = {
    "sender_missing": _edit(sender=None),
    "domain_unverified": _unverified,
    "audience_missing": _edit(lists=[]),
    "audience_empty": _empty_list,
    "audience_suppressed": _suppressed,
    "segment_broken": _lost_segment,
    "subject_missing": _content(subject=" "),
    "content_empty": _content(body=[]),
    "address_missing": _without_address,
    "address_not_shown": _content(body=[{"type": "text", "html": "<p>{{unsubscribe_url}}</p>"}]),
    "unsubscribe_missing": _content(body=[{"type": "text", "html": _HIDDEN_LINK}]),
    "merge_tag_unknown": _block(type="text", html="<p>{{shoe_size}}</p>"),
    "merge_value_is_tag": _value_is_tag,
    "placeholder_left": _content(subject="Beans, *|FNAME|*"),
    "link_missing": _block(type="button", label="Go", url=""),
    "link_broken": _block(type="button", label="Go", url="www.shop.io"),
    "window_never_opens": _never_open,
}


@pytest.mark.parametrize("code", VIOLATIONS)
def test_a_violation_is_refused_at_every_door(code: str, settings: Any) -> None:
    settings.REQUIRE_VERIFIED_DOMAIN = True
    workspace = make_workspace()
    SendingDomain.objects.create(workspace=workspace, name="northwind.io", verified_at=timezone.now())
    people = make_list(workspace, make_contact(workspace, first_name="Maya"))
    campaign = make_campaign(workspace, lists=[people])
    VIOLATIONS[code](campaign)
    client = Client()
    client.force_login(make_member(workspace))

    def codes_of(answer: Any) -> set[str]:
        assert answer.status_code == 422, answer.content
        assert answer.json()["code"] == "preflight_blocked"
        return {finding["code"] for finding in answer.json()["findings"] if finding["severity"] == "block"}

    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    api = {"content_type": "application/json"}
    assert codes_of(client.post(f"/v1/campaigns/{campaign.pk}/send", {}, **api)) >= {code}
    assert codes_of(client.post(f"/v1/campaigns/{campaign.pk}/schedule", {"send_at": tomorrow}, **api)) >= {code}

    sent = client.post(reverse("campaigns:review_send", args=[campaign.pk]), {"when": "now"}, follow=True)
    page = sent.content.decode()
    if code != "window_never_opens":  # the page's own form has just set a window that opens
        assert 'aria-disabled="true"' in page
        assert Campaign.objects.get(pk=campaign.pk).status == "draft"
        scheduled = {"when": "at", "send_at": "2999-01-10T09:00"}
        client.post(reverse("campaigns:review_schedule", args=[campaign.pk]), scheduled)
        assert Campaign.objects.get(pk=campaign.pk).status == "draft"
    else:
        Message.objects.all().delete()
        _never_open(campaign)

    due = timezone.now() - timedelta(minutes=1)
    Campaign.objects.filter(pk=campaign.pk).update(status="scheduled", send_at=due)
    assert scheduling.launch_due(now=timezone.now()) == []
    campaign.refresh_from_db()
    assert (campaign.status, Message.objects.count()) == ("draft", 0)
    assert campaign.status_reason.startswith("Could not be launched at its time.")


def test_twelve_violations_and_more_have_codes_of_their_own() -> None:
    assert len(VIOLATIONS) >= 12
