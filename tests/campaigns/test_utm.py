"""Campaign parameters: set on the review page and over `/v1`, filled in, and seen in previews."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from campaigns.content.compile import compile_variant
from campaigns.content.links import fill_utm
from campaigns.models import Campaign
from campaigns.services.composing import update_campaign
from pulsequill.core.errors import Invalid
from tests.campaigns.making import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db

UTM = {"source": "news", "campaign": "{{campaign.name}}", "content": "{{ variant.label }}"}
BODY = [{"type": "button", "label": "Go", "url": "https://shop.example/?b=1&utm_source=own#top"}]


def test_tags_of_the_campaign_are_filled_in_and_own_parameters_stay() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace, name="Spring & more", utm=UTM, variants=[{"label": "A", "body": BODY}])
    variant = campaign.variants.get()
    compiled = compile_variant(variant=variant, campaign=campaign, workspace=workspace)
    assert compiled.links[0] == (
        "https://shop.example/?b=1&utm_source=own&utm_campaign=Spring+%26+more&utm_content=A#top"
    )
    preview = compile_variant(variant=variant, campaign=campaign, workspace=workspace, has_tracking=False)
    assert "utm_campaign=Spring+%26+more&amp;utm_content=A#top" in preview.html
    assert "utm_campaign=Spring+%26+more" in preview.text


def test_a_tag_without_a_value_leaves_nothing_behind() -> None:
    assert fill_utm({"term": "a {{x}} {{{y}}}"}, {"x": "1"}) == {"term": "a 1"}


@pytest.mark.parametrize("value", ["{{first_name}}", "{{{email}}}", "{{ #if }}"])
def test_what_differs_by_reader_cannot_stand_in_a_parameter(value: str) -> None:
    campaign = make_campaign(make_workspace())
    with pytest.raises(Invalid) as refused:
        update_campaign(campaign=campaign, actor=None, changes={"utm": {"term": value}})
    assert (refused.value.errors[0].field, refused.value.errors[0].code) == ("utm.term", "unknown_tag")


def test_the_review_page_sets_shows_and_clears_them(client: Client) -> None:
    workspace = make_workspace()
    client.force_login(make_member(workspace))
    campaign = make_campaign(workspace, variants=[{"label": "A", "body": BODY}])
    page = f"/campaigns/{campaign.pk}/review"

    def post(**utm: str) -> Any:
        return client.post(f"{page}/utm", {f"utm_{name}": value for name, value in utm.items()}, follow=True)

    assert "Links are not tagged" in client.get(page).content.decode()
    assert "utm_campaign" in post(source="news", campaign="{{campaign.name}}").content.decode()
    assert Campaign.objects.get(pk=campaign.pk).utm == {"source": "news", "campaign": "{{campaign.name}}"}
    assert "No {{email}} here" in post(source="{{email}}").content.decode()
    assert Campaign.objects.get(pk=campaign.pk).utm["source"] == "news"
    post()
    assert Campaign.objects.get(pk=campaign.pk).utm == {}


def test_programs_set_them_too(client: Client) -> None:
    workspace = make_workspace()
    client.force_login(make_member(workspace))
    campaign = make_campaign(workspace)
    path = f"/v1/campaigns/{campaign.pk}"
    good = client.patch(path, {"utm": {"medium": "email"}}, content_type="application/json")
    assert (good.status_code, good.json()["utm"]) == (200, {"medium": "email"})
    for wrong in ({"utm": {"id": "x"}}, {"utm": {"source": "{{first_name}}"}}, {"utm": "x"}):
        assert client.patch(path, wrong, content_type="application/json").status_code == 400
