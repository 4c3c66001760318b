"""The starters: each is a finished mail that every client can show, in the workspace's own colours."""

from __future__ import annotations

import io
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from accounts.models import Workspace
from campaigns import preflight
from campaigns.content import mustache
from campaigns.content.blocks import used_tags, walk
from campaigns.content.brand import Brand
from campaigns.content.preview import Preview, render_preview
from campaigns.content.starters import Starter, all_starters
from campaigns.content.starters.pictures import PICTURES, draw_picture
from campaigns.models import Asset, Campaign, EmailTemplate, Variant
from campaigns.services import templates
from campaigns.services.transactional import send_transactional
from tests.campaigns.making import make_contact, make_list, make_sender, make_workspace

pytestmark = pytest.mark.django_db

STARTERS = list(all_starters().values())
MARKETING = [starter for starter in STARTERS if not starter.tags]
NETWORK_SIZE_LIMIT = 60 * 1024

each = pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.key)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def as_seen(starter: Starter, **contact: Any) -> Preview:
    workspace = Workspace(name="Northwind", postal_address="14 Harbour Row", brand={"logo_text": "Northwind"})
    body = starter.blocks(lambda name: f"https://cdn.io/{name}.png")
    variant = Variant(
        workspace=workspace, campaign=Campaign(workspace=workspace, name="C"), format="blocks", body=body,
        subject=starter.subject, preview_text=starter.preview_text,
    )  # fmt: skip
    return render_preview(variant=variant, contact=make_contact(make_workspace(), **contact) if contact else None)


def test_there_is_one_for_every_occasion() -> None:
    assert len(STARTERS) >= 12
    assert {starter.purpose for starter in STARTERS} == set(EmailTemplate.Purpose.values)
    assert len({starter.subject for starter in STARTERS}) == len(STARTERS)


@each
def test_it_is_a_whole_mail_that_parses_back(starter: Starter) -> None:
    seen = as_seen(starter)
    assert seen.size_bytes < NETWORK_SIZE_LIMIT
    assert len(seen.text) > 200
    assert "{{" not in seen.subject + seen.preview_text + seen.html + seen.text
    for mark in ('role="presentation"', "prefers-color-scheme:dark", "@media", "<!--[if mso", 'name="color-scheme"'):
        assert mark in seen.html, mark
    mail = EmailMessage()
    mail["Subject"] = seen.subject
    mail.set_content(seen.text)
    mail.add_alternative(seen.html, subtype="html")
    read = message_from_bytes(mail.as_bytes(), policy=policy.default)
    assert read["Subject"] == seen.subject
    assert read.get_body(("html",)).get_content().strip() == seen.html.strip()
    assert read.get_body(("plain",)).get_content().strip() == seen.text.strip()


@each
def test_it_greets_people_whose_name_nobody_knows(starter: Starter) -> None:
    for part in (starter.subject, starter.preview_text, *(str(block) for block in starter.body)):
        assert "first_name" not in mustache.compile(part).unguarded_names()
    assert not re.search(r"\b(Hi|Dear) ,|, ?, ", as_seen(starter).text)


@each
def test_its_subject_and_preview_fit_an_inbox_row(starter: Starter) -> None:
    seen = as_seen(starter, first_name="Amara")
    assert len(seen.subject) <= 50
    assert 30 <= len(seen.preview_text) <= 100


@each
def test_its_pictures_say_what_they_show(starter: Starter) -> None:
    assert starter.pictures
    assert all(starter.pictures.values())


@pytest.mark.parametrize("starter", MARKETING, ids=lambda starter: starter.key)
def test_nothing_stops_it_from_being_sent(starter: Starter) -> None:
    workspace = make_workspace()
    template = templates.create_from_starter(workspace=workspace, actor=None, starter=starter)
    campaign = templates.start_campaign_from_template(template=template, actor=None)
    audience = make_list(workspace, make_contact(workspace, first_name="Amara"), make_contact(workspace))
    Campaign.objects.filter(pk=campaign.pk).update(sender=make_sender(workspace))
    campaign.lists.add(audience)
    found = preflight.run(Campaign.objects.get(pk=campaign.pk))
    assert [finding.code for finding in found if finding.severity is preflight.Severity.BLOCK] == []
    told = {finding.code for finding in found} - {"link_placeholder"}
    assert not {code for code in told if code.startswith(("merge_tag", "image", "link", "spam", "size", "preview"))}


def test_the_order_mail_goes_out_with_the_values_that_it_names() -> None:
    workspace = make_workspace()
    make_sender(workspace)
    starter = all_starters()["order_update"]
    template = templates.create_from_starter(workspace=workspace, actor=None, starter=starter)
    own = {"first_name", "workspace.name"}
    assert used_tags(template.body) | mustache.validate(template.subject + template.preview_text) == own | set(
        starter.tags
    )
    message = send_transactional(
        workspace=workspace, template=template.name, to="amara@reader.io",
        data=dict.fromkeys(starter.tags, "https://shop.io/x") | {"first_name": "Amara"},
    )  # fmt: skip
    assert message.status == "queued"


def test_its_pictures_become_the_workspaces_own_once() -> None:
    workspace = make_workspace(brand={"color": "#204080"})
    starter = all_starters()["sale"]
    for _ in range(2):
        template = templates.create_from_starter(workspace=workspace, actor=None, starter=starter)
    assert Asset.objects.filter(workspace=workspace).count() == len(starter.pictures)
    shown = {block.get("src") or block.get("image") for block in walk(template.body)} - {None, ""}
    assert {UUID(address.rpartition("/")[2].partition(".")[0]) for address in shown} == set(
        Asset.objects.values_list("pk", flat=True)
    )
    assert set(EmailTemplate.objects.values_list("name", flat=True)) == {"Sale", "Sale 2"}
    assert template.purpose == "promotion"


@pytest.mark.parametrize("name", list(PICTURES))
def test_pictures_are_sharp_small_and_in_the_brands_colours(name: str) -> None:
    drawn = draw_picture(name, Brand(accent="#204080"))
    image = Image.open(io.BytesIO(drawn))
    assert image.width in (1200, 960)
    assert len(drawn) < 30_000
    assert drawn != draw_picture(name, Brand(accent="#a03050"))
