"""Every check finds what it is for, over the whole audience, and stays silent about a campaign that is fine."""
# ruff: noqa: E501 - one finding a line

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from audiences.models import ContactField, Suppression
from campaigns import preflight
from campaigns.models import Asset, Campaign, ProviderSettings, SendingDomain
from campaigns.preflight.painted import painted
from campaigns.services import composing
from tests.campaigns.making import HELLO, make_campaign, make_contact, make_list, make_member, make_workspace

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
    without_a_brief = [check.passed for check in preflight.CHECKS if check.code != "claims"]
    assert report.passed == without_a_brief


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
        ({"body": [*HELLO, {"type": "text", "html": "<p>Hi {dear}</p>"}]}, "braces_left", "warn"),
        ({"body": [*HELLO, {"type": "text", "html": "<p>Hi {first_name}</p>"}]}, "placeholder_left", "block"),
        ({"subject": "Beans for *|FNAME|*"}, "placeholder_left", "block"),
        ({"preview_text": "Dear [First Name]"}, "placeholder_left", "block"),
        ({"body": [*HELLO, {"type": "image", "src": "https://shop.io/a.png", "alt": "For %FIRSTNAME%"}]}, "placeholder_left", "block"),
        ({"format": "html", "body": "<p style='color:#bbbbbb;background:#ffffff'>Faint, but here are the words</p>"}, "contrast_low", "warn"),
        ({"format": "html", "body": "<p>See <a style='color:#0000ee' href='https://shop.io/'>the blue link</a></p>"}, "contrast_low_dark", "warn"),
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


def test_values_that_are_tags_themselves_block_and_lead_to_their_contacts(client: Any) -> None:
    workspace = make_workspace()
    ContactField.objects.create(workspace=workspace, key="city", label="City", fallback="your town")
    broken = [
        make_contact(workspace, "a@example.org", first_name="{{first_name}}"),
        make_contact(workspace, "b@example.org", first_name="*|FNAME|*"),
        make_contact(workspace, "c@example.org", first_name="[First Name]"),
    ]
    fine = make_contact(workspace, "d@example.org", first_name="Maya [sic] 100% {x} y", attributes={"city": "Oslo"})
    campaign = ready(workspace, lists=[make_list(workspace, *broken, fine)])
    finding = codes(campaign)["merge_value_is_tag"]
    assert (finding.severity, finding.affected) == ("block", 3)

    client.force_login(make_member(workspace))
    page = client.get(finding.fix_url).content.decode()
    assert [email in page for email in ("a@example.org", "b@example.org", "c@example.org", "d@example.org")] == [
        True, True, True, False
    ]  # fmt: skip


def test_empty_values_lead_to_the_contacts_that_lack_them(client: Any) -> None:
    workspace = make_workspace()
    people = [
        make_contact(workspace, "a@example.org", first_name=" "),
        make_contact(workspace, "b@example.org", first_name="Bo"),
    ]
    finding = codes(ready(workspace, lists=[make_list(workspace, *people)]))["merge_tag_empty"]
    client.force_login(make_member(workspace))
    page = client.get(finding.fix_url).content.decode()
    assert ("a@example.org" in page, "b@example.org" in page) == (True, False)


def test_pictures_are_weighed_by_the_media_library() -> None:
    workspace = make_workspace()
    asset = Asset.objects.create(
        workspace=workspace, file="x.png", name="Bag", content_type="image/png", width=10, height=10,
        size_bytes=1_500_000, sha256="0" * 64,
    )  # fmt: skip
    campaign = ready(workspace)
    body = [*HELLO, {"type": "image", "src": asset.url, "alt": "A bag"}]
    composing.update_campaign(campaign=campaign, actor=None, changes={"variants": [{"label": "A", "body": body}]})
    assert "1.4 MB" in codes(campaign)["images_heavy"].message


def test_a_window_that_never_opens_blocks() -> None:
    campaign = ready(make_workspace(), lists=[])
    Campaign.objects.filter(pk=campaign.pk).update(send_window={"weekdays": []})
    assert codes(campaign)["window_never_opens"].severity == "block"


def test_a_time_that_has_passed_is_said() -> None:
    campaign = ready(make_workspace(), send_at=timezone.now() - timedelta(hours=2))
    assert codes(campaign)["schedule_past"].severity == "warn"


def test_a_warm_up_that_takes_days_is_said_with_how_many_it_concerns() -> None:
    workspace = make_workspace()
    ProviderSettings.objects.create(
        workspace=workspace, provider="capture", is_active=True,
        warm_up_start_date=timezone.now().date(), warm_up_plan=[1, 1, 1, 1],
    )  # fmt: skip
    people = [make_contact(workspace, first_name="Reader") for _ in range(3)]
    finding = codes(ready(workspace, lists=[make_list(workspace, *people)]))["warm_up_over_days"]
    assert finding.affected == 3
    assert "3 days" in finding.message


def test_a_slow_throttle_is_said() -> None:
    workspace = make_workspace()
    people = [make_contact(workspace, first_name="Reader") for _ in range(200)]
    assert (
        "days"
        in codes(ready(workspace, lists=[make_list(workspace, *people)], throttle_per_hour=1))["takes_long"].message
    )


def test_every_fix_leads_to_a_page_that_exists(client: Any) -> None:
    workspace = make_workspace(postal_address="")
    people = [make_contact(workspace, first_name=name) for name in ("", "{{first_name}}")]
    campaign = ready(workspace, lists=[make_list(workspace, *people)], sender=None)
    changes = {
        "variants": [
            {
                "label": "A",
                "subject": "",
                "preview_text": "",
                "body": [*HELLO, {"type": "button", "label": "Go", "url": ""}],
            }
        ]
    }
    composing.update_campaign(campaign=campaign, actor=None, changes=changes)
    client.force_login(make_member(workspace))
    for finding in codes(campaign).values():
        address, _, anchor = finding.fix_url.partition("#")
        page = client.get(address)
        assert page.status_code == 200, finding
        assert not anchor or f'id="{anchor}"' in page.content.decode(), finding


# what a mail's colours become


def test_colours_are_read_from_nested_styles_and_hidden_words_are_not() -> None:
    found = painted(
        '<table bgcolor="#222"><tr><td style="color:rgb(255, 255, 255);font-size:26px">Big {{x}}'
        '<span style="display:none">no</span><br><b style="background:white;color:#777">small</b></td></tr></table>'
    )
    assert [(one.words, one.colour, one.background, one.is_large) for one in found] == [
        ("Big", "#ffffff", "#222222", True),
        ("small", "#777777", "#ffffff", True),
    ]


def test_a_dark_ground_keeps_its_light_words_in_dark_mode() -> None:
    campaign = ready(make_workspace())
    html = '<div style="background:#1c1925;color:#ffffff">White on dark is white on dark by night as well</div>'
    changes = {"variants": [{"label": "A", "format": "html", "body": html}]}
    composing.update_campaign(campaign=campaign, actor=None, changes=changes)
    assert not {"contrast_low", "contrast_low_dark"} & set(codes(campaign))


# over every recipient, whatever their number


def test_the_questions_to_the_database_do_not_grow_with_the_audience(django_assert_max_num_queries: Any) -> None:
    workspace = make_workspace()
    campaign = ready(workspace, lists=[make_list(workspace)])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audiences_contact (id, workspace_id, email, email_normalized, first_name, last_name, attributes,"
            " time_zone, source, created_at, updated_at) SELECT gen_random_uuid(), %s, 'p' || n || '@example.org',"
            " 'p' || n || '@example.org', CASE WHEN n %% 10 = 0 THEN '' ELSE 'Reader' END, '', '{}', '', '', now(), now()"
            " FROM generate_series(1, 20000) n",
            [workspace.pk],
        )
        cursor.execute(
            "INSERT INTO audiences_subscription (id, workspace_id, contact_id, list_id, status, created_at, updated_at)"
            " SELECT gen_random_uuid(), workspace_id, id, %s, 'active', now(), now() FROM audiences_contact"
            " WHERE workspace_id = %s",
            [campaign.lists.get().pk, workspace.pk],
        )
        cursor.execute("ANALYZE audiences_contact, audiences_subscription")
    fresh = Campaign.objects.get(pk=campaign.pk)
    with django_assert_max_num_queries(30):
        found = {finding.code: finding for finding in preflight.run(fresh)}
    assert found["merge_tag_empty"].affected == 2000
