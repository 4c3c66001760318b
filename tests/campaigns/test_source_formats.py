"""Source formats: what is refused where, what becomes of a body in another format, and how dark mode changes it."""
# ruff: noqa: E501 - mails in one line each

from __future__ import annotations

from typing import Any

import pytest

from campaigns.content import mustache
from campaigns.content.brand import Brand
from campaigns.content.converting import Converted, convert
from campaigns.content.dark_preview import LOOKS, own_dark, turned_dark
from campaigns.content.mjml_source import check_mjml
from pulsequill.core.errors import Invalid
from tests.campaigns.test_content import EVERYTHING, build
from tests.effort import cpu_seconds

MJML = "<mjml>\n  <mj-body>\n    <mj-section><mj-column><mj-text>Hi {{first_name}}<br>you & me</mj-text></mj-column></mj-section>\n  </mj-body>\n</mjml>"
MARKDOWN = """# Hi {{first_name}}

Picked **in June**, [rested](https://shop.io/u/{{email}}) until now.

- one
- two

![A bag](https://cdn.io/a.png)

> The best cup.

---

| a | b |
|---|---|
| 1 | 2 |
"""


# --- MJML that somebody brings ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("<p>a</p>", 1, 1, "begins with <mjml>"),
        ("just words", 1, 1, "begins with <mjml>"),
        ("<mjml>\n  <mj-body>\n    <mj-foo>x</mj-foo>\n  </mj-body>\n</mjml>", 3, 5, "no element <mj-foo>"),
        ("<mjml>\n<mj-body>\n<mj-section>\n</mj-body>\n</mjml>", 4, 1, "</mj-body> does not close <mj-section> of line 3"),
        ("<mjml>\n<mj-body>", 2, 1, "<mj-body> is not closed"),
        ("<mjml></mj-body></mjml>", 1, 7, "does not close <mjml>"),
        ('<mjml>\n <mj-body width="600px>\n</mj-body></mjml>', 2, 2, "quotation mark"),
        ("<mjml>\n<mj-include path='/etc/passwd' />\n</mjml>", 2, 1, "not allowed"),
        ("<mjml><mj-body><mj-raw>\n<p onclick='x()'>a</p></mj-raw></mj-body></mjml>", 2, 3, "not allowed"),
        ("<mjml><mj-body>" + "<mj-wrapper>" * 5_000 + "</mj-wrapper>" * 5_000 + "</mj-body></mjml>", 1, 1192, "inside one another"),
        ("<mjml>" + "<mj-raw />" * 6_000 + "</mjml>", 1, None, "More than 5,000 elements"),
    ],
)  # fmt: skip
def test_wrong_mjml_is_named_by_line_and_column(source: str, line: int, column: int | None, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_mjml(source)
    assert words in caught.value.detail
    assert caught.value.extra["line"] == line
    assert column is None or caught.value.extra["column"] == column
    assert caught.value.errors[0].field == "body"


def test_mjml_as_people_write_it_passes() -> None:
    check_mjml(MJML)
    check_mjml("")
    check_mjml("<mjml><mj-body><mj-raw><!--[if mso]><table><tr><td><![endif]--><p>a<p>b</mj-raw></mj-body></mjml>")


# --- bodies that are built to hurt ------------------------------------------------------------------------------------
BOMBS: dict[str, tuple[str, str]] = {
    "open tags": ("{{" * 100_000, "html"), "many tags": ("{{a}}" * 3_000, "html"), "sections": ("{{#a}}" * 2_000, "html"),
    "large": ("a" * 300_000, "html"), "divs": ("<div>" * 40_000, "html"), "tables": ("<table><tr><td>" * 10_000, "html"),
    "styles": ("<style>" + "a{b:c}" * 30_000 + "</style>", "html"), "quotes": (">" * 60_000, "markdown"),
    "lists": ("- " * 30_000, "markdown"), "brackets": ("[" * 60_000, "markdown"), "emphasis": ("**a*" * 15_000, "markdown"),
    "links": ("[a](" * 15_000, "markdown"), "long markdown": ("a " * 60_000, "markdown"),
    "wrappers": ("<mjml><mj-body>" + "<mj-wrapper>" * 5_000, "mjml"), "attributes": ("<mjml><mj-body><mj-section " + "a='b' " * 30_000 + "/></mj-body></mjml>", "mjml"),
    "quote marks": ('<mjml><a "' + "<a " * 40_000, "mjml"),
}  # fmt: skip


#: An ordinary letter of the size that is allowed. A body may cost that many times its CPU: each took under 3, and a parser
#: that is caught takes hundreds. What both cost hangs on the machine, how they compare does not.
ORDINARY = "Hello *there*, **you** [read on](https://shop.io/a).\n\n- one\n- two\n\n" * 900
MOST_TIMES = 20


@pytest.fixture(scope="module")
def ordinary_s() -> float:
    return cpu_seconds(lambda: build(ORDINARY, "markdown"))


@pytest.mark.parametrize("name", BOMBS)
def test_no_body_keeps_the_server_busy(name: str, ordinary_s: float) -> None:
    body, body_format = BOMBS[name]

    def attempt() -> None:
        try:
            build(body, body_format)
        except Invalid as refusal:
            assert refusal.detail

    assert cpu_seconds(attempt) < MOST_TIMES * ordinary_s


def test_a_fallback_behind_a_bar_is_answered_with_the_right_way() -> None:
    with pytest.raises(Invalid) as caught:
        mustache.validate("Hi {{ first_name | there }}", field="subject")
    assert "{{#first_name}}{{first_name}}{{/first_name}}{{^first_name}}there{{/first_name}}" in caught.value.detail
    assert (caught.value.extra["line"], caught.value.extra["column"]) == (1, 4)


# --- from one format to another --------------------------------------------------------------------------------------
def turn(body: Any, source: str, to: str) -> Converted:
    return convert(body, source, to, brand=Brand(), title="Beans")


@pytest.mark.parametrize("source", ["blocks", "html", "markdown", "mjml"])
@pytest.mark.parametrize("to", ["blocks", "html", "markdown", "mjml"])
def test_every_format_becomes_every_other_and_still_compiles(source: str, to: str) -> None:
    bodies: dict[str, Any] = {
        "blocks": EVERYTHING, "html": "<table><tr><td><p>Hi {{first_name}}</p></td></tr></table>",
        "markdown": MARKDOWN, "mjml": MJML,
    }  # fmt: skip
    converted = turn(bodies[source], source, to)
    compiled = build(converted.body, to)
    assert "{{first_name}}" in compiled.html
    assert "first_name" in compiled.text
    assert (source == to) is (converted.losses == ()) or (source, to) == ("markdown", "blocks")


def test_markdown_becomes_blocks_of_its_own_kinds() -> None:
    converted = turn(MARKDOWN, "markdown", "blocks")
    kinds = [block["type"] for block in converted.body]
    assert kinds == ["heading", "text", "image", "quote", "divider", "text"]
    heading, text, picture, *_ = converted.body
    assert heading["text"] == "Hi {{first_name}}"
    assert '<a href="https://shop.io/u/{{email}}">rested</a>' in text["html"]
    assert "<li>one</li>" in text["html"]
    assert (picture["src"], picture["alt"]) == ("https://cdn.io/a.png", "A bag")
    assert converted.losses == ("Tables and code become plain text.",)
    assert turn("Just words.", "markdown", "blocks").losses == ()


def test_words_links_and_pictures_survive_the_way_to_markdown_and_back() -> None:
    written = turn(EVERYTHING, "blocks", "markdown").body
    blocks = turn(written, "markdown", "blocks").body
    words = str(blocks)
    for kept in (
        "It is here",
        "{{first_name}}",
        "https://shop.example.io/beans?a=1",
        "Reserve a bag",
        "Luz",
        "€ 9",
        "Wow &amp; so on",
    ):
        assert kept in words, kept


def test_nothing_becomes_nothing_and_an_unknown_format_is_refused() -> None:
    assert turn([], "blocks", "html").body == ""
    assert turn("", "html", "blocks").body == []
    with pytest.raises(Invalid):
        turn(EVERYTHING, "blocks", "html5")
    with pytest.raises(Invalid):
        turn("{{#a}}", "html", "mjml")


def test_the_preview_text_is_not_there_twice_after_converting() -> None:
    html = build(turn(EVERYTHING, "blocks", "mjml").body, "mjml").html
    assert html.count("Picked in June") == 1


# --- dark ------------------------------------------------------------------------------------------------------------
def test_the_mails_own_dark_rules_are_in_force() -> None:
    html = own_dark(build().html)
    assert "prefers-color-scheme:dark" not in html.replace(" ", "")
    assert "@media all" in html


def test_programs_that_turn_colours_ignore_the_dark_rules_and_leave_dark_buttons() -> None:
    html = turned_dark(
        '<style>@media (prefers-color-scheme:dark){p{color:red}} @media print{i{color:blue}}</style><body bgcolor="#FFFFFF"><p style="color:#111111;background-color:#fff">a</p><a style="background:#2f4a3c;color:#ffffff">b</a></body>'
    )
    assert "color:red" not in html
    assert "color:blue" in html
    assert 'bgcolor="#1a1a1a"' in html
    assert "background-color:#1a1a1a" in html
    assert "background:#2f4a3c;color:#ffffff" in html
    ink = html.split("color:#")[1][:6]
    assert int(ink[:2], 16) > 200


def test_every_look_keeps_the_words() -> None:
    html = build().html
    for look in LOOKS.values():
        assert "It is here" in look(html)


# --- rules of the big programs ---------------------------------------------------------------------------------------
def test_a_mail_follows_the_rules_of_the_big_programs() -> None:
    html = build().html
    for needed in (
        'name="color-scheme"',
        "x-apple-disable-message-reformatting",
        "format-detection",
        "<!--[if mso",
        "min-width:480px",
        'role="presentation"',
    ):
        assert needed in html, needed
    assert "&#847;" in html or "\u034f" in html  # keeps the body's first words away from the preview text
    assert "fonts.googleapis" not in html
    button = html[html.index("Reserve a bag") - 900 : html.index("Reserve a bag")]
    assert 'bgcolor="' in button  # a cell with a colour: Outlook shows a button, not a link
