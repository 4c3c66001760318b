"""Every check finds what it is for, over the whole audience, and stays silent about a campaign that is fine."""
# ruff: noqa: E501 - one finding a line

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Workspace
from audiences.models import ContactField, Suppression
from campaigns import preflight
from campaigns.models import Campaign, SendingDomain
from campaigns.services import composing
from tests.campaigns.making import HELLO, make_campaign, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db


def ready(workspace: Workspace, **changes: Any) -> Campaign:
    """A campaign that nothing is wrong with."""
    chosen = make_list(workspace, make_contact(workspace, first_name="Maya"))
    SendingDomain.objects.get_or_create(
        workspace=workspace, name="northwind.io", defaults={"verified_at": "2026-01-01T00:00:00Z"}
    )
    return make_campaign(workspace, **{"lists": [chosen], **changes})


def codes(campaign: Campaign) -> dict[str, preflight.Finding]:
    return {finding.code: finding for finding in preflight.run(Campaign.objects.get(pk=campaign.pk))}


def test_a_campaign_that_is_fine_has_no_findings() -> None:
    report = preflight.examine(ready(make_workspace()))
    assert report.findings == []
    assert report.is_ok
    assert len(report.passed) == len(preflight.CHECKS)


@pytest.mark.parametrize(
    ("content", "code", "severity"),
    [
        ({"subject": " "}, "subject_missing", "block"),
        ({"subject": "x" * 90}, "subject_long", "info"),
        ({"subject": "BUY OUR COFFEE NOW"}, "subject_capitals", "warn"),
        ({"subject": "Coffee!!"}, "subject_exclamations", "warn"),
        ({"subject": "Act now, you won"}, "spam_phrases", "info"),
        ({"preview_text": ""}, "preview_text_missing", "warn"),
        ({"body": []}, "content_empty", "block"),
        ({"body": [*HELLO, {"type": "text", "html": "<p>Hi {name}</p>"}]}, "braces_left", "warn"),
        ({"body": [*HELLO, {"type": "text", "html": "<p>{{shoe_size}}</p>"}]}, "merge_tag_unknown", "block"),
        ({"body": [*HELLO, {"type": "button", "label": "Go", "url": ""}]}, "link_missing", "block"),
        ({"body": [*HELLO, {"type": "button", "label": "Go", "url": "www.shop.io"}]}, "link_broken", "block"),
        ({"body": [*HELLO, {"type": "button", "label": "Go", "url": "https://["}]}, "link_broken", "block"),
        ({"body": [*HELLO, {"type": "button", "label": "Go", "url": "http://shop.io/"}]}, "link_http", "warn"),
        ({"body": [*HELLO, {"type": "button", "label": "Go", "url": "https://example.com/"}]}, "link_placeholder", "warn"),
        ({"body": [*HELLO, {"type": "image", "src": "https://shop.io/a.png"}]}, "image_without_alt", "warn"),
        ({"body": [{"type": "image", "src": "https://shop.io/a.png", "alt": "A bag"}]}, "image_only", "warn"),
        ({"body": [*HELLO, {"type": "text", "html": f"<p>{'beans ' * 3000}</p>"}] * 6}, "size_over_clip", "warn"),
        ({"body": [{"type": "text", "html": "<p>{{#city}}<a href='{{unsubscribe_url}}'>out</a>{{/city}}</p>"}]}, "unsubscribe_missing", "block"),
        ({"body": [{"type": "text", "html": "<p>{{unsubscribe_url}}</p>"}]}, "address_not_shown", "block"),
    ],
)  # fmt: skip
def test_content_is_checked(content: dict[str, Any], code: str, severity: str) -> None:
    campaign = ready(make_workspace())
    composing.update_campaign(campaign=campaign, actor=None, changes={"variants": [{"label": "A", **content}]})
    finding = codes(campaign)[code]
    assert finding.severity == severity
    assert finding.message


def test_missing_sender_audience_and_address_block() -> None:
    workspace = make_workspace(postal_address="  ")
    campaign = ready(workspace, sender=None, lists=[])
    found = codes(campaign)
    assert all(found[code].severity == "block" for code in ("sender_missing", "audience_missing", "address_missing"))


def test_an_audience_that_nobody_of_may_be_mailed_blocks() -> None:
    workspace = make_workspace()
    contact = make_contact(workspace)
    campaign = ready(workspace, lists=[make_list(workspace, contact)])
    Suppression.objects.create(workspace=workspace, email_normalized=contact.email, reason="complaint")
    assert codes(campaign)["audience_suppressed"].affected == 1
    composing.update_campaign(campaign=campaign, actor=None, changes={"lists": [make_list(workspace)]})
    assert codes(campaign)["audience_empty"].severity == "block"


def test_empty_merge_tags_count_recipients_only_and_name_the_fallback() -> None:
    workspace = make_workspace()
    ContactField.objects.create(workspace=workspace, key="city", label="City", fallback="your town")
    people = [
        make_contact(workspace, first_name="Maya", attributes={"city": "Oslo"}),
        make_contact(workspace, first_name="  ", attributes={"city": None}),
        make_contact(workspace, first_name="", attributes={"city": False}),
    ]
    gone = make_contact(workspace, first_name="")
    Suppression.objects.create(workspace=workspace, email_normalized=gone.email, reason="manual")
    body = [*HELLO, {"type": "text", "html": "<p>{{city}}</p>"}]
    campaign = ready(
        workspace,
        lists=[make_list(workspace, *people, gone)],
        variants=[{"subject": "S", "preview_text": "P", "body": body}],
    )
    found = [f for f in preflight.run(campaign) if f.code == "merge_tag_empty"]
    assert [(f.severity, f.affected) for f in found] == [("warn", 2), ("info", 2)]
    assert "your town" in found[1].detail


def test_an_empty_value_inside_a_section_of_its_own_is_no_warning() -> None:
    workspace = make_workspace()
    people = make_list(workspace, make_contact(workspace, first_name=""))
    hello = "Hello{{#first_name}} {{first_name}}{{/first_name}}{{^first_name}} you{{/first_name}}"
    variant = {"subject": hello, "preview_text": "P", "body": [{"type": "text", "html": f"<p>{hello}</p>"}]}
    assert "merge_tag_empty" not in codes(ready(workspace, lists=[people], variants=[variant]))
    variant["subject"] = "{{first_name}}, hello"
    assert codes(ready(workspace, lists=[people], variants=[variant]))["merge_tag_empty"].affected == 1


@pytest.mark.parametrize(("required", "severity"), [(True, "block"), (False, "warn")])
def test_an_unverified_domain_blocks_when_the_installation_says_so(
    settings: Any, required: bool, severity: str
) -> None:
    settings.REQUIRE_VERIFIED_DOMAIN = required
    campaign = ready(make_workspace())
    SendingDomain.objects.update(verified_at=None)
    assert codes(campaign)["domain_unverified"].severity == severity


def test_the_number_of_queries_does_not_grow_with_the_audience(django_assert_max_num_queries: Any) -> None:
    workspace = make_workspace()
    campaign = ready(workspace, lists=[make_list(workspace, *(make_contact(workspace) for _ in range(30)))])
    campaign = Campaign.objects.get(pk=campaign.pk)
    with django_assert_max_num_queries(20):
        preflight.run(campaign)
