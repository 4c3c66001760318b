"""A variant with a sender of its own: name, addresses, signature and checks are that sender's."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns import preflight
from campaigns.delivery import pipeline, planner
from campaigns.delivery.dkim import make_key
from campaigns.delivery.providers import Outcome
from campaigns.delivery.rendering import Claimed, Renderer
from campaigns.models import Campaign, Sender, SendingDomain, Variant
from campaigns.services import senders, sending
from pulsequill.core.errors import WrongState
from tests.campaigns.making import HELLO, make_campaign, make_contact, make_list, make_member, make_workspace
from tests.campaigns.sending import captured, rows_of, told

__all__ = ["told"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    """Variant A comes from the campaign's sender, variant B from its own at another domain, which signs."""
    workspace = make_workspace()
    contacts = [make_contact(workspace) for _ in range(12)]
    content = {"preview_text": "Picked in June", "body": HELLO, "share": 50}
    made = make_campaign(
        workspace,
        lists=[make_list(workspace, *contacts)],
        variants=[{"subject": "From the shop", **content}, {"subject": "From Maya", **content}],
    )
    own = Sender.objects.create(
        workspace=workspace, from_name="Maya Lindqvist", from_email="maya@maya.example", reply_to="team@maya.example"
    )
    key = make_key()
    SendingDomain.objects.create(
        workspace=workspace,
        name="maya.example",
        verified_at=timezone.now(),
        return_path_verified_at=timezone.now(),
        dkim_verified_at=timezone.now(),
        dkim_selector="pulsequill",
        dkim_private_key_encrypted=key.private_key_encrypted,
        dkim_public_key=key.public_key,
    )
    Variant.objects.filter(campaign=made, label="B").update(sender=own)
    return Campaign.objects.select_related("workspace", "sender").get(pk=made.pk)


def test_each_variant_comes_from_its_own_sender(campaign: Campaign, told: Any) -> None:
    provider = told(lambda _message: Outcome("accepted"))
    planner.launch(campaign, now=timezone.now())
    pipeline.deliver(campaign_id=campaign.pk)
    labels = {row.pk: row.variant.label for row in rows_of(campaign) if row.variant}
    given = {label: [one for one in provider.given if labels[one.message_id] == label] for label in "AB"}
    assert given["A"] and given["B"]
    for message in given["A"]:
        assert message.mail_from == campaign.sender.from_email
        assert b"DKIM-Signature" not in message.mime and b"Reply-To" not in message.mime
    for message in given["B"]:
        assert message.mail_from.endswith("@bounce.maya.example")
        head = message.mime.partition(b"\r\n\r\n")[0]
        assert b"From: Maya Lindqvist <maya@maya.example>" in head
        assert b"Reply-To: team@maya.example" in head
        assert b"d=maya.example" in head
        assert b"mailto:team@maya.example" in head, "who unsubscribes by mail writes to the same people"


def test_a_senders_domain_is_looked_up_once_and_not_for_each_message(campaign: Campaign) -> None:
    planner.launch(campaign, now=timezone.now())
    rows = [
        Claimed(row.pk, row.workspace_id, 1, row.contact_id, row.variant_id, row.email) for row in rows_of(campaign)
    ]
    with CaptureQueriesContext(connection) as asked:
        renderer = Renderer(campaign)
        for row in rows:
            renderer.render([row], content="mime", now=timezone.now())
    assert sum("campaigns_sendingdomain" in query["sql"] for query in asked) <= 2 * 2, "return path and key of each"


def test_a_test_send_comes_from_the_variants_sender(campaign: Campaign) -> None:
    variant = campaign.variants.get(label="B")
    (message,) = sending.send_test(
        campaign=campaign, variant=variant, to=["team@northwind.io"], contact=None, actor=None
    )
    pipeline.deliver_one(message_id=message.pk)
    (mail,) = captured(campaign)
    assert mail["From"] == "Maya Lindqvist <maya@maya.example>"


def test_preflight_asks_for_every_senders_domain_and_names_the_variant(campaign: Campaign) -> None:
    def found() -> dict[str, str]:
        fresh = Campaign.objects.select_related("workspace", "sender").get(pk=campaign.pk)
        return {finding.message: finding.severity for finding in preflight.run(fresh) if "verified" in finding.message}

    host = campaign.sender.from_email.partition("@")[2]
    assert list(found()) == [f"{host} in variant A is not verified"]
    SendingDomain.objects.filter(name="maya.example").update(verified_at=None)
    assert set(found()) == {f"{host} in variant A is not verified", "maya.example in variant B is not verified"}


def test_a_campaign_needs_no_sender_where_all_variants_have_one(campaign: Campaign) -> None:
    def codes() -> set[str]:
        return {finding.code for finding in preflight.run(Campaign.objects.get(pk=campaign.pk))}

    Campaign.objects.filter(pk=campaign.pk).update(sender=None)
    assert "sender_missing" in codes()
    own = Sender.objects.get(from_email="maya@maya.example")
    Variant.objects.filter(campaign=campaign).update(sender=own)
    assert "sender_missing" not in codes()
    planner.launch(Campaign.objects.select_related("workspace", "sender").get(pk=campaign.pk), now=timezone.now())
    pipeline.deliver(campaign_id=campaign.pk)
    assert {mail["From"] for mail in captured(campaign)} == {"Maya Lindqvist <maya@maya.example>"}


def test_the_pages_show_the_variants_sender(campaign: Campaign, client: Client) -> None:
    client.force_login(make_member(campaign.workspace))
    page = client.get(reverse("campaigns:review", args=[campaign.pk])).content.decode()
    assert "<b>Northwind</b>" in page and "<b>Maya Lindqvist</b>" in page
    page = client.get(f"{reverse('campaigns:composer', args=[campaign.pk])}?variant=B").content.decode()
    assert "Maya Lindqvist" in page


def test_a_sender_that_a_variant_uses_is_neither_deleted_nor_changed_under_way(campaign: Campaign) -> None:
    own = Sender.objects.get(from_email="maya@maya.example")
    with pytest.raises(WrongState):
        senders.delete_sender(sender=own, actor=None)
    planner.launch(campaign, now=timezone.now())
    with pytest.raises(WrongState):
        senders.update_sender(sender=own, actor=None, from_name="Somebody else")
