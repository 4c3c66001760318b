"""Blocks, formats, links, text and preview: what is written becomes what is sent."""
# ruff: noqa: E501 - mails in one line each

from __future__ import annotations

import re
from typing import Any

import chevron
import pytest

from accounts.models import Workspace
from audiences.models import ContactField
from campaigns.content import mustache
from campaigns.content.blocks import FIELDS, validate_blocks
from campaigns.content.brand import Brand
from campaigns.content.compile import OPEN_PIXEL, Compiled, compile_variant
from campaigns.content.links import with_utm
from campaigns.content.merge_tags import as_text
from campaigns.content.mjml import blocks_to_mjml
from campaigns.content.preview import render_preview
from campaigns.content.text import rich_to_text
from campaigns.models import Campaign, Variant
from pulsequill.core.errors import Invalid
from tests.campaigns.making import HELLO, make_campaign, make_contact, make_workspace

EVERYTHING: list[dict[str, Any]] = [
    *HELLO,
    {"type": "image", "src": "https://cdn.io/a.png", "alt": "A “bag” & more", "href": "https://shop.io/bag"},
    {"type": "divider"},
    {"type": "spacer", "height": 40},
    {"type": "quote", "html": "<p>Wow & so on</p>", "attribution": "Luz"},
    {"type": "columns", "columns": [[{"type": "text", "html": "<p>Left</p>"}], [{"type": "button", "label": "Right", "url": "https://shop.io/r"}]]},
    {"type": "social", "links": [{"network": "bluesky", "url": "https://bsky.app/x"}]},
    {"type": "product", "title": "Beans", "text": "Good", "price": "€ 9", "image": "https://cdn.io/b.png", "url": "https://shop.io/b", "label": "Buy"},
    {"type": "html", "html": "<table><tr><td>Raw</td></tr></table>"},
]  # fmt: skip


def build(
    body: Any = EVERYTHING, body_format: str = "blocks", *, campaign: dict[str, Any] | None = None, **variant: Any
) -> Compiled:
    workspace = Workspace(name="Northwind & Co", postal_address="14 Harbour Row", reason_line="You asked for it.")
    made = Campaign(workspace=workspace, name="Harvest", **(campaign or {}))
    fields = {"subject": "Beans for {{first_name}} & you", "preview_text": "Picked in June", **variant}
    return compile_variant(
        variant=Variant(workspace=workspace, campaign=made, format=body_format, body=body, **fields),
        campaign=made,
        workspace=workspace,
    )


# --- blocks ----------------------------------------------------------------------------------------------------------
def test_every_kind_of_block_is_in_html_and_text() -> None:
    assert {block["type"] for block in EVERYTHING} == set(FIELDS)
    compiled = build()
    for words in ("It is here", "Reserve a bag", "Left", "Right", "Beans", "€ 9", "Luz", "Raw"):
        assert words in compiled.html, words
        assert words.lower() in compiled.text.lower(), words
    assert "Bluesky" in compiled.html


def test_blocks_get_ids_defaults_and_lose_what_the_schema_does_not_know() -> None:
    blocks = validate_blocks(
        [
            {"type": "heading", "text": "A", "id": "x", "evil": 1},
            {"type": "heading", "id": "x"},
            {"type": "text", "html": "<p>b</p>", "id": "no good"},
        ]
    )
    assert blocks[0] == {"id": "x", "type": "heading", "text": "A", "level": 2, "align": "left"}
    assert len({block["id"] for block in blocks}) == 3


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ({"type": "marquee"}, "body.0.type"),
        ({"type": ["text"]}, "body.0.type"),
        ("text", "body.0.type"),
        ({"type": "heading", "level": 4}, "body.0.level"),
        ({"type": "heading", "level": True}, "body.0.level"),
        ({"type": "heading", "text": "x" * 301}, "body.0.text"),
        ({"type": "text", "html": 3}, "body.0.html"),
        ({"type": "text", "html": "<p>{{#a}}</p>"}, "body.0.html"),
        ({"type": "button", "url": "javascript:alert(1)"}, "body.0.url"),
        ({"type": "button", "url": " JaVa{{x}}Script:alert(1)"}, "body.0.url"),
        ({"type": "button", "url": "data:text/html,x"}, "body.0.url"),
        ({"type": "image", "src": "file:///etc/passwd"}, "body.0.src"),
        ({"type": "spacer", "height": 3}, "body.0.height"),
        ({"type": "social", "links": [{"network": "friendster"}]}, "body.0.links"),
        ({"type": "columns", "columns": [[]]}, "body.0.columns"),
        ({"type": "columns", "columns": [[{"type": "columns", "columns": [[], []]}], []]}, "body.0.columns.0.0"),
    ],
)  # fmt: skip
def test_a_wrong_block_is_named_by_its_path(block: Any, path: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate_blocks([block])
    assert caught.value.errors[0].field == path


def test_a_body_has_limits() -> None:
    with pytest.raises(Invalid):
        validate_blocks([{"type": "divider"}] * 201)
    with pytest.raises(Invalid):
        validate_blocks({"type": "text"})


HOSTILE = [
    "<p>a<script>alert(1)</script></p>", '<p onclick="x()">a</p>', '<a href="javascript:x()">a</a>', "<img src=x onerror=x()>",
    '<a href="&#106;avascript:x()">a</a>', "<svg/onload=x()>", "<iframe src=https://x></iframe>", "<style>*{}</style>",
    '<p style="position:fixed">a</p>', '<a href="data:text/html,<script>x()</script>">a</a>', "<math><mtext></form><form>", "<object data=x>",
    '<td background="javascript:x()">', "<base href=//evil>", "<meta http-equiv=refresh content=0>", "<form action=x><input></form>",
]  # fmt: skip


@pytest.mark.parametrize("markup", HOSTILE)
@pytest.mark.parametrize("place", ["text", "html", "page", "markdown"])
def test_markup_that_runs_or_loads_does_not_survive(markup: str, place: str) -> None:
    bodies: dict[str, tuple[Any, str]] = {
        "text": ([{"type": "text", "html": markup}], "blocks"),
        "html": ([{"type": "html", "html": markup}], "blocks"),
        "page": (f"<html><body>{markup}</body></html>", "html"),
        "markdown": (f"Hello\n\n{markup}\n", "markdown"),
    }
    body, body_format = bodies[place]
    html = build(body, body_format).html
    inner = html[html.index("<body") :]
    live = re.sub(r"&lt;.*?&gt;", "", inner)  # Markdown shows what it does not allow, as text
    assert not re.search(r"<(script|svg|iframe|object|math|form|input|base|meta)\b", live, re.IGNORECASE)
    assert not re.search(r"<[^>]*\s(onclick|onerror|onload)\s*=", live, re.IGNORECASE)
    assert not re.search(r"(href|src|background)\s*=\s*[\"']?\s*(javascript|data):", live, re.IGNORECASE)
    assert "position" not in live


def test_values_of_contacts_cannot_become_markup() -> None:
    html = mustache.compile(build().html).render({"first_name": '<script>alert("x")</script>'})
    assert "<script" not in html
    assert "&lt;script&gt;" in html


# --- formats ---------------------------------------------------------------------------------------------------------
def test_html_keeps_tables_styles_and_media_queries() -> None:
    page = (
        "<html><head><title>Gone</title><style>p{color:#123456} @media (max-width:600px){p{color:blue}}</style></head>"
        '<body><table bgcolor="#ffffff" width="600"><tr><td style="padding:4px;position:absolute"><p>Hi {{first_name}}</p></td></tr></table></body></html>'
    )
    html = build(page, "html").html
    assert 'bgcolor="#ffffff"' in html
    assert "padding:4px" in html.replace(" ", "")
    assert "color:#123456" in html.replace(" ", "")
    assert "@media" in html
    assert "Gone" not in html
    assert "{{first_name}}" in html


def test_style_sheets_that_import_are_dropped() -> None:
    html = build(
        "<style>@import url(https://evil.example/x.css); @media print{p{color:red}}</style><p>a</p>", "html"
    ).html
    assert "evil" not in html


def test_markdown_keeps_merge_tags_in_addresses_and_shows_html_as_text() -> None:
    compiled = build("# Hi {{first_name}}\n\n[profile](https://shop.io/u/{{email}}) <b>x</b>", "markdown")
    assert 'href="https://shop.io/u/{{email}}"' in compiled.html
    assert "&lt;b&gt;" in compiled.html
    assert "https://shop.io/u/{{{email}}}" in compiled.text


@pytest.mark.parametrize(
    "evil", ['<mj-include path="/etc/passwd" />', "<script>x</script>", '<mj-raw><img onerror="x"></mj-raw>']
)
def test_mjml_that_loads_or_runs_is_refused_with_its_place(evil: str) -> None:
    with pytest.raises(Invalid) as caught:
        build(f"<mjml><mj-body>\n{evil}</mj-body></mjml>", "mjml")
    assert caught.value.extra["line"] == 2


def test_mjml_that_cannot_be_read_is_a_clear_refusal() -> None:
    with pytest.raises(Invalid) as caught:
        build("<mjml><mj-body><mj-section></mjml>", "mjml")
    assert caught.value.code == "bad_mjml"


@pytest.mark.parametrize("body_format", ["blocks", "html", "markdown", "mjml"])
def test_no_format_loads_a_font_or_anything_else_by_itself(body_format: str) -> None:
    body: Any = {
        "blocks": EVERYTHING,
        "html": "<p>a</p>",
        "markdown": "a",
        "mjml": "<mjml><mj-body><mj-section><mj-column><mj-text>a</mj-text></mj-column></mj-section></mj-body></mjml>",
    }[body_format]
    html = build(body, body_format).html
    assert "googleapis" not in html
    assert "<link" not in html
    assert "@import" not in html


# --- footer, tags, links ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("body_format", ["blocks", "html", "markdown", "mjml"])
def test_every_format_gets_the_footer_unless_it_has_a_way_out(body_format: str) -> None:
    own = "<p>{{unsubscribe_url}}</p>"
    bodies: dict[str, tuple[Any, Any]] = {
        "blocks": (HELLO, [{"type": "text", "html": own}]),
        "html": ("<p>Hi</p>", own),
        "markdown": ("Hi", "{{unsubscribe_url}}"),
        "mjml": tuple(f"<mjml><mj-body><mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section></mj-body></mjml>" for text in ("Hi", own)),
    }  # fmt: skip
    without, with_own = (build(body, body_format) for body in bodies[body_format])
    context = {
        "unsubscribe_url": "https://pq/u/1",
        "workspace.postal_address": "14 Harbour Row",
        "workspace.name": "Northwind & Co",
    }
    assert mustache.compile(without.html).render(context).count("https://pq/u/1") == 1
    assert "14 Harbour Row" in mustache.compile(without.html).render(context)
    assert "Unsubscribe: https://pq/u/1" in mustache.compile(without.text).render(context)
    assert "Northwind & Co, 14 Harbour Row" in mustache.compile(without.text).render(context)
    assert mustache.compile(with_own.html).render(context).count("https://pq/u/1") == 1


def test_links_are_numbered_alike_in_html_and_text_and_pictures_are_left_alone() -> None:
    compiled = build()
    beans = compiled.links.index("https://shop.example.io/beans?a=1&b=2")
    for part in (compiled.html, compiled.text):
        assert f"{{{{{{pq_link_{beans}}}}}}}" in part
    assert 'href="https://' not in compiled.html
    assert "https://shop" not in compiled.text
    assert 'src="https://cdn.io/a.png"' in compiled.html
    assert len(compiled.links) == len(set(compiled.links))
    assert compiled.html.index(OPEN_PIXEL) < compiled.html.index("</body>")


def test_tracking_can_be_switched_off() -> None:
    compiled = build(campaign={"track_opens": False, "track_clicks": False})
    assert compiled.links == []
    assert "pq_" not in compiled.html + compiled.text
    assert 'href="https://shop.example.io/beans?a=1&amp;b=2"' in compiled.html


def test_a_link_that_nobody_can_see_follows_the_others_in_html_only() -> None:
    compiled = build()
    assert compiled.honeypot == compiled.links[0]
    tag = f"{{{{{{pq_link_{len(compiled.links)}}}}}}}"
    assert compiled.html.count(f'<a href="{tag}" tabindex="-1" aria-hidden="true"></a>') == 1
    assert tag not in compiled.text
    untracked = build(campaign={"track_clicks": False})
    assert untracked.honeypot == ""
    assert "aria-hidden" not in untracked.html


def test_links_with_merge_tags_are_not_tracked() -> None:
    compiled = build([{"type": "button", "label": "Go", "url": "https://shop.io/{{first_name}}"}])
    assert compiled.links == []
    assert 'href="https://shop.io/{{first_name}}"' in compiled.html


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.io/", "https://a.io/?utm_source=n&utm_campaign=x+y"),
        ("https://a.io/?b=1#top", "https://a.io/?b=1&utm_source=n&utm_campaign=x+y#top"),
        ("https://a.io/?utm_source=own", "https://a.io/?utm_source=own&utm_campaign=x+y"),
    ],
)
def test_campaign_parameters_are_added_and_never_overwrite(url: str, expected: str) -> None:
    assert with_utm(url, {"source": "n", "campaign": "x y"}) == expected


def test_subject_and_text_show_values_as_they_are() -> None:
    compiled = build()
    assert mustache.compile(compiled.subject).render({"first_name": "Tom & Jo"}) == "Beans for Tom & Jo & you"
    assert "Hi Tom & Jo" in mustache.compile(compiled.text).render({"first_name": "Tom & Jo"})
    assert compiled.tags >= {"first_name", "unsubscribe_url", "workspace.name"}
    assert not any(tag.startswith("pq_") for tag in compiled.tags)


def test_compiled_source_means_the_same_to_chevron() -> None:
    compiled = build()
    flat = {
        "first_name": "Maya <3",
        "workspace.name": "N & C",
        "unsubscribe_url": "u?a&b",
        "pq_link_0": "/t/c/x",
        "pq_open_pixel": "<img>",
    }
    nested = {**flat, "workspace": {"name": "N & C"}}
    for source in (compiled.subject, compiled.html, compiled.text):
        assert mustache.compile(source).render(flat) == chevron.render(source, nested, partials_path=None)


def test_the_hash_changes_with_anything_that_is_sent() -> None:
    hashes = [
        build().content_hash,
        build(subject="Other").content_hash,
        build(HELLO).content_hash,
        build(campaign={"utm": {"source": "x"}}).content_hash,
    ]
    assert len(set(hashes)) == 4
    assert build(HELLO).content_hash == build(HELLO).content_hash or "id" in str(HELLO)


def test_text_written_by_hand_wins_and_keeps_the_footer() -> None:
    compiled = build(text="Dear {{first_name}}, see https://shop.io/x.")
    assert compiled.text.startswith("Dear {{{first_name}}}, see {{{pq_link_")
    assert "Unsubscribe: {{{unsubscribe_url}}}" in compiled.text


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<p>a</p><p>b<br>c</p>", "a\n\nb\nc"),
        ('<p><a href="https://x.io">x</a></p>', "x <https://x.io>"),
        ('<p><a href="https://x.io">https://x.io</a></p>', "<https://x.io>"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ("<p>a &amp; b &lt;c&gt;</p>", "a & b <c>"),
        ("", ""),
        ("<ul><li><p>One</p></li><li><p>Two</p><p>more</p></li></ul><p>End</p>", "- One\n- Two\nmore\n\nEnd"),
    ],
)
def test_rich_text_reads_well_as_plain_text(markup: str, words: str) -> None:
    assert rich_to_text(markup) == words


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (False, ""), (True, "yes"), (3.0, "3"), (2.5, "2.5"), (0, "0"), ("a\x00b", "ab")]
)
def test_attributes_read_as_text(value: Any, text: str) -> None:
    assert as_text(value) == text


def test_a_malformed_brand_falls_back_piece_by_piece() -> None:
    brand = Brand.of({"accent": "#ffe08a", "ink": "red;}", "font": "Papyrus", "logo_url": "javascript:x", "line": 3})
    assert (brand.accent, brand.ink, brand.font, brand.logo_url) == ("#ffe08a", Brand().ink, "sans", "")
    assert brand.on_accent == "#1c1925"
    assert Brand().on_accent == "#ffffff"


# --- preview ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_preview_uses_the_contacts_values_and_the_fields_fallbacks() -> None:
    workspace = make_workspace()
    ContactField.objects.create(workspace=workspace, key="city", label="City", fallback="your town")
    body = [*HELLO, {"type": "text", "html": "<p>See you in {{city}}</p>"}]
    campaign = make_campaign(workspace, variants=[{"subject": "Hi {{first_name}}", "preview_text": "", "body": body}])
    variant = campaign.variants.get()
    known = render_preview(
        variant=variant, contact=make_contact(workspace, first_name="Maya\nO", attributes={"city": "Oslo"})
    )
    unknown = render_preview(variant=variant, contact=None)
    assert known.subject == "Hi Maya O"
    assert "See you in Oslo" in known.html
    assert "See you in your town" in unknown.text
    assert "{{" not in known.html + known.text + unknown.html + unknown.text
    assert "https://shop.example.io/beans" in known.html


def test_the_settings_colour_and_logo_text_are_what_mails_wear() -> None:
    brand = Brand.of({"color": "#aa3300", "logo_text": "Beans & Sons"})
    mjml = blocks_to_mjml([], brand=brand, title="T", preview_text="", has_footer=True)
    assert (brand.accent, "Beans &amp; Sons" in mjml) == ("#aa3300", True)
    assert Brand.of({"logo_text": "{{email}}"}).logo_text == ""
