"""A campaign says only what its brief or the brand's facts say, or what somebody answers for by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Activity, Workspace
from aiwriter.models import AcceptedClaim, Draft, Generation
from aiwriter.services.briefs import create_brief
from aiwriter.services.claims import accept_claim
from aiwriter.services.facts import save_fact
from campaigns import preflight
from campaigns.models import Campaign
from campaigns.preflight import claims
from campaigns.preflight.examined import Examined
from campaigns.services import composing
from campaigns.services.sending import launch_campaign
from pulsequill.core.errors import Blocked, NotPermitted
from tests.campaigns.making import make_contact, make_list, make_member, make_workspace

pytestmark = pytest.mark.django_db
URL = "https://shop.example.io/beans"
BRIEF = {"goal": "Our harvest roast is back, 20% off until Sunday", "facts": ["A bag costs £9.50"], "cta_url": URL}


def campaign_that_says(words: str, workspace: Workspace | None = None, **brief: Any) -> Campaign:
    from tests.campaigns.test_preflight import ready

    workspace = workspace or make_workspace()
    body = [{"type": "text", "html": f"<p>{words}</p>"}, {"type": "button", "label": "See it", "url": URL}]
    content = {"subject": "The roast is back", "preview_text": "See for yourself", "body": body}
    made = create_brief(workspace=workspace, fields={**BRIEF, **brief})
    return ready(workspace, variants=[content], brief=made)


def finding(campaign: Campaign) -> preflight.Finding | None:
    found = preflight.run(Campaign.objects.get(pk=campaign.pk))
    return next((each for each in found if each.code == "claims_unsupported"), None)


def test_what_the_brief_says_passes():
    campaign = campaign_that_says("Twenty percent off until Sunday, and a bag is £9.50 before that.")

    assert finding(campaign) is None
    assert "Everything it says is in the brief or the brand's facts" in preflight.examine(campaign).passed


def test_a_drafted_address_needs_support_and_one_that_a_person_gave_does_not():
    campaign = campaign_that_says('See <a href="https://other.example.io/x">more</a> until Sunday.')
    assert finding(campaign) is None

    (variant,) = campaign.variants.all()
    generation = Generation.objects.create(workspace=campaign.workspace, brief=campaign.brief)
    variant.draft = Draft.objects.create(
        workspace=campaign.workspace, generation=generation, position=0, angle="Plain", blocks=variant.body
    )
    variant.save(update_fields=["draft"])

    found = finding(campaign)
    assert found is not None
    assert "https://other.example.io/x" in found.message + found.detail


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        ("Thirty percent off until Sunday for all readers.", "Thirty percent"),
        ("A bag is £8.50 until Sunday for all readers.", "£8.50"),
        ("Use code SAVE99 until Sunday, dear readers.", "SAVE99"),
        ("Our award-winning roast is back until Sunday.", "award-winning"),
    ],
)
def test_what_nobody_said_blocks(words, quoted):
    campaign = campaign_that_says(words)
    found = finding(campaign)

    assert found is not None
    assert found.is_block
    assert quoted in found.message
    assert found.fix_url == reverse("campaigns:claims", args=[campaign.pk])
    with pytest.raises(Blocked):
        launch_campaign(campaign=campaign, actor=None)


def test_a_fact_of_the_brand_supports_it_until_its_last_day():
    workspace = make_workspace()
    campaign = campaign_that_says("A grinder costs £49 for all readers.", workspace)
    assert finding(campaign) is not None

    today = timezone.now().date()
    fact = save_fact(workspace=workspace, actor=None, text="The grinder costs £49", valid_until_date=today)
    assert finding(campaign) is None
    save_fact(workspace=workspace, actor=None, fact=fact, text=fact.text, valid_until_date=today - timedelta(days=2))
    assert finding(campaign) is not None
    save_fact(workspace=workspace, actor=None, fact=fact, text=fact.text, is_active=False)
    assert finding(campaign) is not None


def test_a_person_may_answer_for_it_and_the_log_says_who():
    workspace = make_workspace()
    owner = make_member(workspace)
    campaign = campaign_that_says("Thirty percent off until Sunday for all readers.", workspace)

    accept_claim(workspace=workspace, campaign_id=campaign.pk, claim="Thirty  Percent", actor=owner)
    accept_claim(workspace=workspace, campaign_id=campaign.pk, claim="thirty percent", actor=owner)

    assert finding(campaign) is None
    assert AcceptedClaim.objects.get(workspace=workspace).accepted_by == owner
    entry = Activity.objects.get(kind="claim.accepted", workspace=workspace)
    assert (entry.actor, entry.data["claim"]) == (owner, "thirty percent")
    with pytest.raises(NotPermitted):
        accept_claim(workspace=workspace, campaign_id=campaign.pk, claim="x", actor=None)


def test_an_acceptance_is_of_one_campaign_only():
    workspace = make_workspace()
    first, second = (campaign_that_says("Thirty percent off until Sunday.", workspace) for _ in range(2))

    accept_claim(workspace=workspace, campaign_id=first.pk, claim="Thirty percent", actor=make_member(workspace))

    assert finding(first) is None
    assert finding(second) is not None


def test_without_a_brief_nothing_is_asked():
    from tests.campaigns.test_preflight import ready

    body = [{"type": "text", "html": "<p>Thirty percent off for all of you today.</p>"}]
    campaign = ready(make_workspace(), variants=[{"subject": "Off", "preview_text": "See", "body": body}])

    assert finding(campaign) is None


def test_html_is_read_as_its_readers_see_it():
    workspace = make_workspace()
    campaign = campaign_that_says("Until Sunday.", workspace)
    variant = campaign.variants.get()
    variant.format = "html"
    variant.body = "<style>p{margin:77px}</style><p>Ninety percent off <a href='{{unsubscribe_url}}'>bye</a></p>"
    variant.save()

    found = finding(campaign)
    assert found is not None
    assert "Ninety percent" in found.message
    assert "77" not in found.message


def test_the_page_shows_receipts_and_takes_an_answer(client: Client):
    workspace = make_workspace()
    client.force_login(make_member(workspace))
    campaign = campaign_that_says("Thirty percent off until Sunday, a bag is £9.50.", workspace)
    address = reverse("campaigns:claims", args=[campaign.pk])

    page = client.get(address).content.decode()
    assert "1 to answer for" in page
    assert "A bag costs £9.50" in page

    page = client.post(address, {"claim": "Thirty percent"}, follow=True).content.decode()
    assert "All supported" in page
    page = client.post(
        reverse("campaigns:claim_withdraw", args=[campaign.pk]), {"claim": "Thirty percent"}, follow=True
    )
    assert "1 to answer for" in page.content.decode()


def test_v1_reads_receipts_and_takes_an_answer():
    workspace = make_workspace()
    api = APIClient()
    api.force_login(make_member(workspace))
    campaign = campaign_that_says("Thirty percent off until Sunday.", workspace)
    address = f"/v1/campaigns/{campaign.pk}/claims"

    answer = api.get(address).json()
    assert not answer["ok"]
    assert answer["receipts"][0] == {
        "text": "Thirty percent", "kind": "percent", "where": "blocks.0", "support": None, "variant": "A",
        "must_be_accepted": True,
    }  # fmt: skip
    assert any(row["support"] == {"source": "brief", "text": BRIEF["goal"]} for row in answer["receipts"])
    assert api.post(address, {"claim": "Thirty percent"}, format="json").json()["ok"]
    analyst = APIClient()
    analyst.force_login(make_member(workspace, "analyst"))
    assert analyst.post(address, {"claim": "x"}, format="json").status_code == 403
    assert analyst.get(address).status_code == 200


def test_a_stranger_finds_nothing(client: Client):
    other = make_workspace("Rival")
    client.force_login(make_member(other))
    campaign = campaign_that_says("Until Sunday.")
    make_list(other, make_contact(other))

    assert client.get(reverse("campaigns:claims", args=[campaign.pk])).status_code == 404


def test_links_of_html_and_mjml_mails_have_receipts_too():
    known, other = f'<a href="{URL}">beans</a>', '<a href="https://other.example.io/x?a=1&amp;b=2">more</a>'
    bodies = {
        "html": f"<p>See our {known} and {other} until Sunday.</p>",
        "mjml": f"<mjml><mj-body><mj-section><mj-column><mj-text>See our {known} and {other} until Sunday.</mj-text>"
        "</mj-column></mj-section></mj-body></mjml>",
    }
    for body_format, body in bodies.items():
        campaign = campaign_that_says("Until Sunday.")
        composing.update_campaign(
            campaign=campaign, actor=None, changes={"variants": [{"label": "A", "format": body_format, "body": body}]}
        )

        stated = claims.statements(Examined.of(Campaign.objects.get(pk=campaign.pk)))

        links = {each.receipt["text"]: each.receipt["support"] for each in stated if each.receipt["kind"] == "link"}
        assert links[URL] == {"source": "link", "text": URL}
        assert links["https://other.example.io/x?a=1&b=2"] is None
