"""Mail that was made elsewhere: cleaned once, reported, and refused when it is hostile."""
# ruff: noqa: E501 - mails in one line each

from __future__ import annotations

import time

import pytest

from accounts.models import Workspace
from campaigns.content.compile import compile_variant
from campaigns.content.importing import import_html
from campaigns.models import Campaign, Variant
from pulsequill.core.errors import Invalid

PAGE = """<!doctype html><html><head><title>News for *|FNAME|*</title>
<style>.a { color: #ff0000 } @media (max-width: 400px) { .a { color: #0000ff } }</style>
<script>steal()</script><link rel="stylesheet" href="https://cdn.io/a.css"></head>
<body onload="x()"><!-- made by somebody -->
<!--[if mso]><table role="presentation"><tr><td width="600"><![endif]--><p class="a" onclick="z()">Hello *|FNAME|*, *|MC:SUBJECT|*</p><!--[if mso]></td></tr></table><![endif]-->
<!--[if mso]><script>outlook()</script><![endif]-->
<img src="https://cdn.io/a.png" alt="A bag"><img src="logo.png" alt="Logo"><img src="data:image/png;base64,AAAA"><img src="https://cdn.io/b.png">
<a href="java&#115;cript:run()">a</a><a href="https://shop.io/?a=1&amp;b=2">b</a><iframe src="https://x.io"></iframe>
<p><a href="*|UNSUB|*">Leave</a></p></body></html>"""


def test_styles_are_inlined_and_what_runs_or_loads_is_gone() -> None:
    body = import_html(PAGE).body
    assert 'style="color:#ff0000"' in body.replace("color: #ff0000", "color:#ff0000")
    assert "@media (max-width: 400px)" in body
    for gone in ("script", "onclick", "onload", "iframe", "made by somebody", "cdn.io/a.css", "outlook()"):
        assert gone not in body, gone
    assert "https://shop.io/?a=1&amp;b=2" in body


def test_outlooks_comments_stay_up_to_the_mail_itself() -> None:
    body = import_html(PAGE).body
    assert '<!--[if mso]><table role="presentation"><tr><td width="600"><![endif]-->' in body
    workspace = Workspace(name="Northwind")
    campaign = Campaign(workspace=workspace, name="C")
    variant = Variant(workspace=workspace, campaign=campaign, format="html", body=body, subject="S")
    compiled = compile_variant(variant=variant, campaign=campaign, workspace=workspace)
    assert '<!--[if mso]><table role="presentation">' in compiled.html
    assert "@media (max-width: 400px)" in compiled.html


def test_the_report_says_what_was_left_out_and_which_pictures_need_a_look() -> None:
    found = import_html(PAGE)
    assert found.removed == {
        "event handlers": 2, "scripts": 1, "linked style sheets and files": 1, "frames": 1, "links that run something": 1,
        "comments": 1,
    }  # fmt: skip
    assert [(picture.src, bool(picture.problem)) for picture in found.pictures] == [
        ("https://cdn.io/a.png", False), ("logo.png", True), ("(in the mail itself)", True), ("https://cdn.io/b.png", True),
    ]  # fmt: skip
    assert any("*|MC:SUBJECT|*" in note for note in found.notes)
    assert found.title == "News for {{first_name}}"


def test_other_systems_tags_become_ours_and_the_way_out_is_known() -> None:
    found = import_html(PAGE)
    assert "Hello {{first_name}}" in found.body
    assert 'href="{{unsubscribe_url}}"' in found.body
    assert not any("footer is added" in note for note in found.notes)
    assert any("footer is added" in note for note in import_html("<p>Hello</p>").notes)


def test_importing_what_was_imported_changes_nothing_more() -> None:
    once = import_html(PAGE).body
    again = import_html(once)
    assert again.removed == {}
    assert again.body == once


@pytest.mark.parametrize("source", ["", "   ", "<style>p{}</style>", "<script>x()</script>", "<!-- nothing -->"])
def test_what_holds_nothing_is_said(source: str) -> None:
    with pytest.raises(Invalid, match="no mail"):
        import_html(source)


def test_merge_tags_that_are_not_allowed_are_named_with_their_place() -> None:
    with pytest.raises(Invalid) as caught:
        import_html("<p>Hello</p>\n<p>{{> secrets}}</p>")
    assert (caught.value.extra["line"], caught.value.extra["column"]) == (2, 4)


BOMBS = {
    "deep": "<div>" * 50_000 + "x",
    "deep with wrong ends": "<b></i>" * 30_000 + "x",
    "deep tables": "<table><tr><td>" * 16_000,
    "many elements": "<b>x</b>" * 32_000,
    "many selectors": "<style>" + "a b c d e f," * 18_000 + "{x:y}</style>" + "<p>x</p>" * 100,
    "many rules for many elements": "<style>" + ":not(:not(a)) *{x:y}" * 3_000 + "</style>" + "<i>x</i>" * 15_000,
    "open style sheets": "<style>" * 35_000,
    "open comments": "<!--" * 60_000 + "x",
    "open conditions": "<!--[if mso]>" * 19_000 + "x",
    "open scripts": "<script>" * 30_000,
    "open tags": "<body" * 50_000,
    "open attributes": '<a href="' * 28_000,
    "no value": "<a " + "a=" * 120_000 + ">x</a>",
    "nested sections": "{{#a}}" * 2_000,
    "open merge tags": "{{" * 100_000,
    "many merge tags": "{{a}}" * 50_000,
    "triple tags": "<p>{{{first_name}}}</p>",
    "partials": "<p>{{> /etc/passwd}}</p>",
    "delimiters": "{{=<% %>=}}",
    "attributes of objects": "{{a.__class__}}",
    "reserved names": "{{pq_open_pixel}}",
    "too large": "x" * 262_145,
}  # fmt: skip


#: Seconds of CPU. Each took under 1 on two quiet cores; shared ones are slower, and a parser that is caught takes minutes.
PATIENCE_S = 4


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_or_read_at_once(name: str) -> None:
    begun = time.process_time()
    try:
        import_html(BOMBS[name])
    except Invalid as refusal:
        assert refusal.status == 400
        assert refusal.detail
    assert time.process_time() - begun < PATIENCE_S
