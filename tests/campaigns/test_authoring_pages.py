"""The pages on which campaigns are written: who may do what, what they say, and that they stay cheap."""
# ruff: noqa: E501 - briefs in one line each

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Workspace
from aiwriter.agents.running import run
from aiwriter.models import BrandVoice, Brief, Draft, Generation
from aiwriter.services.briefs import create_brief
from audiences.services import create_field
from campaigns.models import Campaign, DeliveryMinute, EmailTemplate, Message, Sender
from campaigns.services import composing, templates
from tests.campaigns.making import (
    HELLO,
    make_campaign,
    make_contact,
    make_list,
    make_member,
    make_sender,
    make_workspace,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    client = Client()
    client.force_login(make_member(workspace))
    return client


def url(name: str, *args: Any) -> str:
    return reverse(f"campaigns:{name}", args=args)


def text_of(response: Any) -> str:
    return str(response.content.decode())


def post_json(client: Client, address: str, data: Any) -> Any:
    body = data if isinstance(data, str) else json.dumps(data)
    return client.post(address, body, content_type="application/json")


# --- list, new -------------------------------------------------------------------------------------------------------
def test_an_empty_list_says_how_to_begin(client: Client) -> None:
    page = text_of(client.get(url("campaign_list")))
    assert "Your first campaign" in page
    assert url("campaign_new") in page


def test_tabs_count_and_search_finds_names_and_subjects(client: Client, workspace: Workspace) -> None:
    make_campaign(workspace, name="Spring & summer")
    sent = make_campaign(workspace, name="Autumn")
    Campaign.objects.filter(pk=sent.pk).update(status="sent", launched_at=timezone.now(), recipients=1240)
    DeliveryMinute.objects.create(campaign=sent, variant=sent.variants.get(), minute=timezone.now(), sent=1234)
    everything = text_of(client.get(url("campaign_list")))
    assert "Spring &amp; summer" in everything
    assert "1,234 sent" in everything
    drafts = text_of(client.get(url("campaign_list") + "?tab=drafts"))
    assert "Spring &amp; summer" in drafts
    assert ">Autumn<" not in drafts
    assert ">Autumn<" in text_of(client.get(url("campaign_list") + "?q=beans+autumn"))
    assert "No campaign has" in text_of(client.get(url("campaign_list") + "?q=nothing"))


@pytest.mark.parametrize("query", ["?tab=evil", "?cursor=x", "?cursor=W10", "?q=" + "x" * 5000])
def test_strange_queries_are_no_server_error(client: Client, workspace: Workspace, query: str) -> None:
    make_campaign(workspace)
    assert client.get(url("campaign_list") + query).status_code < 500


def test_the_list_page_asks_the_same_number_of_queries_for_many_rows(
    client: Client, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        make_campaign(workspace, name=f"Campaign {number}")
    client.get(url("campaign_list"))
    with django_assert_max_num_queries(12):
        client.get(url("campaign_list"))


def test_a_sentence_becomes_a_brief_and_the_composer_starts_writing(client: Client) -> None:
    answer = client.post(url("campaign_new"), {"name": "Harvest", "goal": "First orders of the harvest lot"})
    campaign = Campaign.objects.get()
    assert answer["Location"] == url("composer", campaign.pk) + "?write=1"
    assert campaign.brief is not None
    assert campaign.brief.goal == "First orders of the harvest lot"


def test_without_a_name_the_form_says_so(client: Client) -> None:
    answer = client.post(url("campaign_new"), {"name": " ", "goal": "x"})
    assert answer.status_code == 400
    assert not Campaign.objects.exists()


def test_copy_and_delete(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    client.post(url("campaign_duplicate", campaign.pk))
    assert Campaign.objects.filter(name="Harvest launch (copy)").exists()
    client.post(url("campaign_delete", campaign.pk))
    assert not Campaign.objects.filter(pk=campaign.pk).exists()


# --- composer --------------------------------------------------------------------------------------------------------
def test_the_composer_carries_everything_that_its_script_needs(
    client: Client, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    make_contact(workspace, first_name="Maya")
    campaign = make_campaign(workspace)
    client.get(url("composer", campaign.pk))
    with django_assert_max_num_queries(22):
        page = text_of(client.get(url("composer", campaign.pk)))
    data = json.loads(page.split('<script id="composer-data" type="application/json">')[1].split("</script>")[0])
    assert data["revision"] == 1
    assert data["content"]["subject"] == "Beans, {{first_name}}"
    assert [block["type"] for block in data["content"]["body"]] == ["heading", "text", "button"]
    assert {"first_name", "unsubscribe_url"} <= {tag["name"] for tag in data["tags"]}
    assert 'style="' not in page.split("<body")[1]


def test_text_of_people_cannot_close_the_composers_data(client: Client, workspace: Workspace) -> None:
    evil = "</script><script>alert(1)</script>"
    campaign = make_campaign(workspace, name=evil, variants=[{"subject": evil, "body": HELLO}])
    assert "<script>alert" not in text_of(client.get(url("composer", campaign.pk)))


@pytest.mark.parametrize(("status", "target"), [("scheduled", "review"), ("sent", "live"), ("sending", "live")])
def test_what_is_no_draft_is_shown_where_it_is_watched(
    client: Client, workspace: Workspace, status: str, target: str
) -> None:
    campaign = make_campaign(workspace)
    Campaign.objects.update(status=status)
    assert client.get(url("composer", campaign.pk))["Location"].endswith(f"{campaign.pk}/{target}")


def test_the_frame_is_a_document_of_its_own_with_a_strict_policy(client: Client, workspace: Workspace) -> None:
    maya = make_contact(workspace, first_name="Maya")
    campaign = make_campaign(workspace)
    answer = client.get(url("preview_frame", campaign.pk) + f"?contact={maya.pk}")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "Hi Maya" in text_of(answer)


@pytest.mark.parametrize("query", ["?variant=Z", "?contact=nonsense", "?contact=019e0000-0000-7000-8000-000000000000"])
def test_the_frame_of_something_absent_is_404(client: Client, workspace: Workspace, query: str) -> None:
    assert client.get(url("preview_frame", make_campaign(workspace).pk) + query).status_code == 404


def test_a_body_that_cannot_be_built_is_explained_in_the_frame(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    campaign.variants.update(format="mjml", body="<mjml><mj-body></mjml>")  # saving would refuse it
    answer = client.get(url("preview_frame", campaign.pk))
    assert answer.status_code == 200
    assert "Line 1, column 16" in text_of(answer)


# --- brief and angles ------------------------------------------------------------------------------------------------
def test_angles_are_asked_for_with_the_brief_of_the_page(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    answer = post_json(
        client,
        url("angles", campaign.pk),
        {"goal": "Sell beans", "facts": ["1,450 bags", " "], "offer": "Free shipping"},
    )
    assert answer.status_code == 202, answer.content
    generation = Generation.objects.get(pk=answer.json()["generation"])
    assert generation.campaign_id == campaign.pk
    brief = Campaign.objects.get().brief
    assert brief is not None
    assert (brief.goal, brief.facts, brief.offer, brief.length) == (
        "Sell beans",
        ["1,450 bags"],
        "Free shipping",
        "medium",
    )
    assert answer.json()["revision"] == Campaign.objects.get().revision


def test_an_unchanged_brief_is_not_copied(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    for _ in range(2):
        assert post_json(client, url("brief", campaign.pk), {"goal": "Sell beans"}).status_code == 200
    assert Brief.objects.count() == 1
    assert Campaign.objects.get().revision == 2


def test_a_new_version_of_a_brief_keeps_its_voice_and_may_use_every_custom_field(
    client: Client, workspace: Workspace
) -> None:
    voice = BrandVoice.objects.create(workspace=workspace, name="House", version=1, status="active")
    brief = create_brief(
        workspace=workspace, fields={"goal": "Sell", "brand_voice": voice, "allowed_tags": ["coupon"], "angles": 2}
    )
    campaign = make_campaign(workspace, brief=brief)
    for number in range(60):
        create_field(workspace=workspace, key=f"field_{number:02}")
    assert post_json(client, url("brief", campaign.pk), {"goal": "Sell beans"}).status_code == 200
    kept = Campaign.objects.get().brief
    assert kept is not None
    assert (kept.goal, kept.brand_voice, kept.angles) == ("Sell beans", voice, 2)
    assert kept.allowed_tags == [*(f"field_{number:02}" for number in range(60)), "coupon"]


def test_a_draft_that_uses_a_custom_field_passes_the_guardrails(client: Client, workspace: Workspace) -> None:
    create_field(workspace=workspace, key="plan")
    campaign = make_campaign(workspace)
    answer = post_json(client, url("angles", campaign.pk), {"goal": "Tell people on {{plan}} about the beans"})
    run(answer.json()["generation"])
    drafts = Draft.objects.all()
    assert any("{{plan}}" in str([draft.subject, draft.blocks]) for draft in drafts)
    codes = {finding["code"] for draft in drafts for finding in draft.guardrails["findings"]}
    assert "tag_unknown" not in codes


@pytest.mark.parametrize(
    "body", ["{", "[]", '{"goal": ""}', '{"goal": 3}', '{"goal": "x", "facts": "y"}', '{"goal": "x\\u0000"}', '{"goal": "x", "facts": [1]}',
             '{"goal": "x", "cta_url": "javascript:x"}', '{"goal": "x", "length": "endless"}'],
)  # fmt: skip
def test_a_bad_brief_is_a_problem_and_nothing_else(client: Client, workspace: Workspace, body: str) -> None:
    campaign = make_campaign(workspace)
    answer = post_json(client, url("angles", campaign.pk), body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert not Generation.objects.exists()
    assert Campaign.objects.get().brief is None


def make_draft(workspace: Workspace, **fields: Any) -> Draft:
    generation = Generation.objects.create(workspace=workspace, status="succeeded")
    blocks = [{"type": "text", "html": "<p>Drafted for {{first_name}}</p>"}]
    return Draft.objects.create(
        workspace=workspace,
        generation=generation,
        position=0,
        angle="The wait",
        subject="Worth it",
        **{"blocks": blocks, **fields},
    )


def test_a_draft_is_adopted_into_the_variant(client: Client, workspace: Workspace) -> None:
    campaign, draft = make_campaign(workspace), make_draft(workspace)
    answer = client.post(
        reverse("v1_campaign_adopt", args=[campaign.pk]),
        {"draft": str(draft.pk)},
        content_type="application/json",
        headers={"If-Match": '"1"'},
    )
    assert answer.status_code == 200, answer.json()
    variant = Campaign.objects.get().variants.get()
    assert (variant.subject, variant.draft_id, variant.body[0]["type"]) == ("Worth it", draft.pk, "text")
    draft.refresh_from_db()
    assert draft.status == "accepted"


def test_a_blocked_draft_needs_a_person_who_says_so_and_changes_nothing_before(
    client: Client, workspace: Workspace
) -> None:
    findings = [{"code": "unproved", "severity": "block", "message": "No receipt.", "where": "body"}]
    campaign, draft = make_campaign(workspace), make_draft(workspace, guardrails={"ok": False, "findings": findings})
    path = reverse("v1_campaign_adopt", args=[campaign.pk])
    assert client.post(path, {"draft": str(draft.pk)}, content_type="application/json").status_code == 422
    assert Campaign.objects.get().variants.get().subject == "Beans, {{first_name}}"
    assert (
        client.post(path, {"draft": str(draft.pk), "override": True}, content_type="application/json").status_code
        == 200
    )


def test_another_workspaces_draft_cannot_be_adopted(client: Client, workspace: Workspace) -> None:
    campaign, draft = make_campaign(workspace), make_draft(make_workspace("Other"))
    path = reverse("v1_campaign_adopt", args=[campaign.pk])
    assert client.post(path, {"draft": str(draft.pk)}, content_type="application/json").status_code == 404


# --- review ----------------------------------------------------------------------------------------------------------
def test_the_review_says_who_gets_it_and_what_blocks(
    client: Client, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    contacts = [make_contact(workspace, first_name="A") for _ in range(3)]
    campaign = make_campaign(workspace, lists=[make_list(workspace, *contacts)])
    client.get(url("review", campaign.pk))
    with django_assert_max_num_queries(36):
        page = text_of(client.get(url("review", campaign.pk)))
    assert "Send to 3" in page
    assert "is not verified" in page
    assert "disabled" not in page.split('class="sendbar"')[1]
    Campaign.objects.update(sender=None)
    blocked = text_of(client.get(url("review", campaign.pk)))
    assert "No sender is chosen" in blocked
    assert 'aria-disabled="true"' in blocked.split('class="sendbar"')[1]


def test_audience_and_sender_are_chosen_on_the_page(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace, sender=None)
    inside, outside, sender = make_list(workspace), make_list(workspace), make_sender(workspace)
    client.post(url("review_audience", campaign.pk), {"lists": [inside.pk], "exclude_lists": [outside.pk]})
    client.post(url("review_sender", campaign.pk), {"sender": sender.pk})
    fresh = Campaign.objects.get()
    assert (list(fresh.lists.all()), list(fresh.exclude_lists.all()), fresh.sender) == ([inside], [outside], sender)
    client.post(url("review_sender", campaign.pk), {"from_name": "Tom", "from_email": "tom@northwind.io"})
    assert Campaign.objects.get().sender == Sender.objects.get(from_name="Tom")
    bad = client.post(url("review_sender", campaign.pk), {"from_name": "Tom", "from_email": "nonsense"})
    assert bad.status_code == 400
    assert "valid email" in text_of(bad)


def test_another_workspaces_rows_cannot_be_chosen_on_the_page(client: Client, workspace: Workspace) -> None:
    campaign, other = make_campaign(workspace), make_workspace("Other")
    client.post(url("review_audience", campaign.pk), {"lists": [make_list(other).pk]})
    client.post(url("review_sender", campaign.pk), {"sender": make_sender(other).pk})
    fresh = Campaign.objects.get()
    assert not fresh.lists.exists()
    assert fresh.sender == campaign.sender


def test_sending_launches_and_opens_the_live_page(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace, lists=[make_list(workspace, make_contact(workspace))])
    answer = client.post(url("review_send", campaign.pk))
    assert answer["Location"] == reverse("analytics:live", args=[campaign.pk])
    assert Campaign.objects.get().status == "sending"
    assert Message.objects.count() == 1


def test_what_is_blocked_is_not_sent(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    answer = client.post(url("review_send", campaign.pk), follow=True)
    assert Campaign.objects.get().status == "draft"
    assert "Nobody is chosen" in text_of(answer)


def test_a_schedule_is_in_the_workspaces_own_time(client: Client, workspace: Workspace) -> None:
    Workspace.objects.update(time_zone="America/New_York")
    campaign = make_campaign(workspace, lists=[make_list(workspace, make_contact(workspace))])
    client.post(url("review_schedule", campaign.pk), {"send_at": "2999-01-10T09:00"})
    fresh = Campaign.objects.get()
    assert (fresh.status, fresh.send_at.isoformat()) == ("scheduled", "2999-01-10T14:00:00+00:00")
    assert "Back to draft" in text_of(client.get(url("review", campaign.pk)))
    client.post(url("review_unschedule", campaign.pk))
    assert Campaign.objects.get().status == "draft"


@pytest.mark.parametrize("moment", ["", "nonsense", "2001-01-01T00:00"])
def test_a_moment_that_is_none_or_over_is_refused(client: Client, workspace: Workspace, moment: str) -> None:
    campaign = make_campaign(workspace, lists=[make_list(workspace, make_contact(workspace))])
    assert client.post(url("review_schedule", campaign.pk), {"send_at": moment}).status_code == 400
    assert Campaign.objects.get().status == "draft"


def test_a_test_goes_to_the_named_addresses(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    client.post(url("review_test", campaign.pk), {"to": "a@northwind.io, b@northwind.io"})
    assert set(Message.objects.filter(is_test=True).values_list("email", flat=True)) == {
        "a@northwind.io",
        "b@northwind.io",
    }
    assert client.post(url("review_test", campaign.pk), {"to": "nonsense"}).status_code == 400


# --- templates, senders ----------------------------------------------------------------------------------------------
def test_a_campaign_becomes_a_template_and_a_template_a_campaign(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    client.post(url("template_save", campaign.pk), {"name": "Launch", "variant": "A"})
    template = EmailTemplate.objects.get()
    assert "Launch" in text_of(client.get(url("template_list")))
    assert "It is here" in text_of(client.get(url("template_frame", template.pk)))
    answer = client.post(url("template_use", template.pk))
    made = Campaign.objects.exclude(pk=campaign.pk).get()
    assert answer["Location"] == url("composer", made.pk)
    assert made.variants.get().subject == "Beans, {{first_name}}"
    client.post(url("template_delete", template.pk))
    assert not EmailTemplate.objects.exists()


def test_the_gallery_does_not_ask_once_per_template(
    client: Client, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        templates.create_template(workspace=workspace, actor=None, name=f"Template {number}", body=HELLO)
    client.get(url("template_list"))
    with django_assert_max_num_queries(10):
        client.get(url("template_list"))


# --- who may -----------------------------------------------------------------------------------------------------
PAGES = ["composer", "review", "preview_frame"]
ACTIONS = [
    "brief", "angles", "campaign_duplicate", "campaign_delete", "template_save", "review_audience", "review_sender",
    "review_test", "review_send", "review_schedule", "review_unschedule",
]  # fmt: skip


@pytest.mark.parametrize("name", PAGES + ACTIONS)
def test_strangers_get_the_404_of_what_does_not_exist(client: Client, name: str) -> None:
    foreign = make_campaign(make_workspace("Other"))
    ask = client.get if name in PAGES else client.post
    data = {} if name in PAGES else {"goal": "x"}
    assert [ask(url(name, key), data).status_code for key in (foreign.pk, uuid4())] == [404, 404]
    assert Campaign.objects.get().status == "draft"


@pytest.mark.parametrize("name", ACTIONS)
def test_analysts_look_but_do_not_touch(workspace: Workspace, name: str) -> None:
    analyst = Client()
    analyst.force_login(make_member(workspace, "analyst"))
    campaign = make_campaign(workspace)
    assert analyst.post(url(name, campaign.pk)).status_code == 403
    assert analyst.get(url("composer", campaign.pk)).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_visitors_are_asked_to_sign_in(workspace: Workspace, name: str) -> None:
    campaign = make_campaign(workspace)
    assert Client().get(url(name, campaign.pk))["Location"].startswith("/sign-in")


def test_approvers_may_send_but_not_edit(workspace: Workspace) -> None:
    approver = Client()
    approver.force_login(make_member(workspace, "approver"))
    campaign = make_campaign(workspace, lists=[make_list(workspace, make_contact(workspace))])
    assert approver.post(url("review_audience", campaign.pk)).status_code == 403
    approver.post(
        url("review_schedule", campaign.pk),
        {"send_at": (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")},
    )
    assert Campaign.objects.get().status == "scheduled"


def test_editing_in_two_windows_does_not_overwrite_in_silence(client: Client, workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    composing.update_campaign(campaign=campaign, actor=None, changes={"name": "Theirs"})
    answer = client.patch(
        reverse("v1_campaign", args=[campaign.pk]),
        {"name": "Mine"},
        content_type="application/json",
        headers={"If-Match": '"1"'},
    )
    assert answer.status_code == 412
    assert Campaign.objects.get().name == "Theirs"
