"""Making and editing campaigns."""

from __future__ import annotations

import pytest

from accounts.models import Activity
from campaigns import lifecycle
from campaigns.models import Campaign, Variant
from campaigns.services import composing
from pulsequill.core.errors import Invalid, NotFound, WrongState
from pulsequill.core.rest.etags import Stale
from tests.campaigns.making import HELLO, make_campaign, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db


def test_a_new_campaign_is_a_draft_with_one_empty_variant() -> None:
    campaign = composing.create_campaign(workspace=make_workspace(), actor=None, name="  Harvest \n launch ")
    assert (campaign.name, campaign.status, campaign.revision) == ("Harvest launch", "draft", 1)
    assert [(v.label, v.body, v.share) for v in campaign.variants.all()] == [("A", [], 100)]
    assert Activity.objects.get(kind="campaign.created").object_id == str(campaign.pk)


def test_an_edit_raises_the_revision_and_keeps_what_it_does_not_name() -> None:
    campaign = make_campaign(make_workspace())
    changed = composing.update_campaign(
        campaign=campaign, actor=None, changes={"variants": [{"label": "A", "subject": "New"}]}, expected_revision=1
    )
    variant = changed.variants.get()
    assert changed.revision == 2
    assert (variant.subject, variant.preview_text, len(variant.body)) == ("New", "Picked in June", 3)


def test_an_edit_of_an_old_revision_is_refused_and_changes_nothing() -> None:
    campaign = make_campaign(make_workspace())
    composing.update_campaign(campaign=campaign, actor=None, changes={"name": "First"}, expected_revision=1)
    with pytest.raises(Stale) as caught:
        composing.update_campaign(campaign=campaign, actor=None, changes={"name": "Second"}, expected_revision=1)
    assert caught.value.extra["revision"] == 2
    assert Campaign.objects.get().name == "First"


def test_what_is_not_a_draft_cannot_be_edited() -> None:
    campaign = make_campaign(make_workspace())
    assert lifecycle.change_status(campaign, Campaign.Status.SENDING)
    with pytest.raises(WrongState):
        composing.update_campaign(campaign=campaign, actor=None, changes={"name": "Late"})


def test_a_refused_field_leaves_the_whole_edit_undone() -> None:
    campaign = make_campaign(make_workspace())
    with pytest.raises(Invalid) as caught:
        composing.update_campaign(
            campaign=campaign,
            actor=None,
            changes={
                "name": "Changed",
                "variants": [{"label": "A", "body": [{"type": "text", "html": "<p>{{first_name</p>"}]}],
            },
        )
    assert caught.value.errors[0].field == "variants.0.body.0.html"
    assert "Line 1, column 4" in caught.value.errors[0].detail
    assert Campaign.objects.get().name == "Harvest launch"


def test_rows_of_another_workspace_cannot_be_chosen() -> None:
    campaign, elsewhere = make_campaign(make_workspace()), make_list(make_workspace("Other"))
    with pytest.raises(NotFound):
        composing.update_campaign(campaign=campaign, actor=None, changes={"lists": [elsewhere]})


@pytest.mark.parametrize(
    ("shares", "expected"), [([None, None], [50, 50]), ([30, None], [30, 70]), ([20, None, None], [20, 40, 40])]
)
def test_open_shares_split_what_is_left(shares: list[int | None], expected: list[int]) -> None:
    variants = [
        {"label": label, **({} if share is None else {"share": share})}
        for label, share in zip("ABC", shares, strict=False)
    ]
    campaign = make_campaign(make_workspace(), variants=variants)
    assert [variant.share for variant in campaign.variants.order_by("label")] == expected


def test_shares_that_cannot_add_up_to_100_are_refused() -> None:
    with pytest.raises(Invalid):
        make_campaign(make_workspace(), variants=[{"label": "A", "share": 30}, {"label": "B", "share": 30}])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"utm": {"source": 3}}, "utm.source"),
        ({"utm": {"evil": "x"}}, "utm"),
        ({"colour": "red"}, "colour"),
        ({"variants": []}, "variants"),
        ({"variants": [{"label": "A"}, {"label": "A"}]}, "variants.1.label"),
        ({"variants": [{"label": "A", "subject": "a\nb"}]}, "variants.0.subject"),
        ({"variants": [{"label": "A", "format": "html", "body": []}]}, "variants.0.body"),
        ({"variants": [{"label": "A", "format": "word"}]}, "variants.0.format"),
        (
            {"variants": [{"label": "A", "format": "mjml", "body": "<mj-include path='/etc/passwd'/>"}]},
            "variants.0.body",
        ),
        ({"variants": [{"label": "A", "share": 0}]}, "variants.0.share"),
    ],
)
def test_bad_input_names_its_field(changes: dict[str, object], field: str) -> None:
    campaign = make_campaign(make_workspace())
    with pytest.raises(Invalid) as caught:
        composing.update_campaign(campaign=campaign, actor=None, changes=changes)
    assert caught.value.errors[0].field == field


def test_a_copy_takes_content_and_audience_but_no_history() -> None:
    workspace = make_workspace()
    chosen = make_list(workspace, make_contact(workspace))
    campaign = make_campaign(workspace, lists=[chosen], utm={"source": "news"})
    lifecycle.change_status(campaign, Campaign.Status.SENDING, launched_at="2026-01-01T00:00:00Z")
    Variant.objects.update(compiled_html="frozen", content_hash="x", is_winner=True)
    copy = composing.duplicate_campaign(campaign=campaign, actor=None)
    variant = copy.variants.get()
    assert (copy.status, copy.name, copy.launched_at, copy.utm) == (
        "draft",
        "Harvest launch (copy)",
        None,
        {"source": "news"},
    )
    assert list(copy.lists.all()) == [chosen]
    assert (variant.subject, len(variant.body), variant.compiled_html, variant.is_winner) == (
        "Beans, {{first_name}}",
        len(HELLO),
        "",
        False,
    )


def test_only_what_sent_nothing_can_be_deleted() -> None:
    campaign = make_campaign(make_workspace())
    lifecycle.change_status(campaign, Campaign.Status.SENDING)
    with pytest.raises(WrongState):
        composing.delete_campaign(campaign=campaign, actor=None)
    Campaign.objects.update(status="draft")
    composing.delete_campaign(campaign=campaign, actor=None)
    assert not Campaign.objects.exists()


def test_one_of_many_attempts_to_change_the_status_wins() -> None:
    made = make_campaign(make_workspace())
    copies = [Campaign.objects.get(pk=made.pk) for _ in range(3)]
    assert [lifecycle.change_status(copy, Campaign.Status.SENDING) for copy in copies] == [True, False, False]


def test_steps_that_the_table_does_not_name_are_refused() -> None:
    campaign = make_campaign(make_workspace())
    assert not lifecycle.change_status(campaign, Campaign.Status.SENT)
    assert set(lifecycle.TRANSITIONS) == set(Campaign.Status.values)
