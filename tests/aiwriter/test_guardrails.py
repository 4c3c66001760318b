"""The rules that every draft is held against."""

from __future__ import annotations

import pytest

from aiwriter.guardrails import check_draft

EVIDENCE = ("Free shipping until Sunday. 1,450 bags, 20% off with code ROAST20. Our harvest roast is back.",)
BODY = "Our harvest roast is back, and shipping is free until Sunday."


def codes(body: str = BODY, *, subject: str = "The harvest roast is back", blocks=None, **options) -> set[str]:
    return {finding["code"] for finding in report(body, subject=subject, blocks=blocks, **options)["findings"]}


def report(body: str = BODY, *, subject: str = "The harvest roast is back", blocks=None, **options):
    blocks = blocks if blocks is not None else [{"id": "a1", "type": "text", "html": f"<p>{body}</p>"}]
    settings = {"preview_text": "Free shipping until Sunday.", "evidence": EVIDENCE, **options}
    return check_draft(subject=subject, blocks=blocks, **settings)


def test_a_good_draft_has_no_findings():
    assert report()["findings"] == []
    assert report()["ok"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("Hi [First Name], our harvest roast is back today.", "tag_foreign"),
        ("Hi *|FNAME|*, our harvest roast is back today.", "tag_foreign"),
        ("Hi {first_name}, our harvest roast is back today.", "tag_foreign"),
        ("Hi {{firstname}}, our harvest roast is back today.", "tag_unknown"),
        ("Hi {{#first_name}}there, our harvest roast is back.", "tag_unclosed"),
        ("Hi {{{first_name}}}, our harvest roast is back.", "tag_not_allowed"),
        ("Hi {{> header}}, our harvest roast is back again.", "tag_not_allowed"),
        ("Hi {{first_name, our harvest roast is back again.", "tag_malformed"),
        ("Our harvest roast is back with 25% off for everyone.", "number_unsupported"),
        ("Our harvest roast is back with twenty-five percent off.", "number_unsupported"),
        ("Our harvest roast is back, use code SAVE99 at checkout.", "code_unsupported"),
        ("Our harvest roast is back, but only until Friday evening.", "date_unsupported"),
        ("Our harvest roast is back with a money guarantee for all.", "offer_unsupported"),
        ("Our award-winning harvest roast is back for all of you.", "claim_unsupported"),
        ('Our harvest roast is <a href="https://evil.example/x">back</a> again now.', "link_unknown"),
        ('Our harvest roast is <a href="javascript:alert(1)">back</a> again now.', "link_unsafe"),
        ("Our harvest roast is ba\u200bck and shipping is free today.", "hidden_characters"),
        ("Our harvest roast is back. Act now, dear coffee lovers.", "spam_phrase"),
        ("OUR HARVEST ROAST is back and shipping is free today.", "shouting"),
        ("Back.", "body_empty"),
    ],
)
def test_it_catches(body, code):
    assert code in codes(body)


@pytest.mark.parametrize(
    "body",
    [
        "Our harvest roast is back: 1450 bags, twenty percent off.",
        "{{#first_name}}Hi {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}} our roast is back.",
        "Use code ROAST20 and get 20% off our harvest roast.",
        "The harvest roast is back. One more thing: shipping is free.",
    ],
)
def test_it_lets_supported_words_pass(body):
    assert report(body)["ok"], report(body)["findings"]


def test_the_link_of_the_brief_must_be_kept():
    button = {"id": "a2", "type": "button", "label": "See it", "url": "https://northwind.example/h/"}
    text = {"id": "a1", "type": "text", "html": f"<p>{BODY}</p>"}

    assert "link_dropped" in codes(required_link="https://northwind.example/h")
    assert "link_dropped" not in codes(blocks=[text, button], required_link="https://northwind.example/h")


def test_it_holds_the_wishes_of_the_brief():
    assert "must_not_say" in codes(must_not_say=["harvest roast"])
    assert "must_say_missing" in codes(must_say=["Roasted in Bristol"])
    assert "must_not_say" in codes(banned_phrases=["shipping"])


def test_it_looks_into_columns():
    inner = [{"id": "a2", "type": "text", "html": "<p>Now 90% off everything, dear readers.</p>"}]
    columns = [{"id": "a1", "type": "columns", "columns": [inner, []]}]

    assert "number_unsupported" in codes(blocks=columns)


def test_blocking_findings_come_first_and_make_it_not_ok():
    found = report("OUR ROAST is back with 25% off for everyone.")

    assert not found["ok"]
    severities = [finding["severity"] for finding in found["findings"]]
    assert severities == sorted(severities, key=["block", "warn", "info"].index)
    assert found["metrics"]["words"] > 5
